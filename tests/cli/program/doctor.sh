#!/usr/bin/env bash
# `lprnet doctor`.
source "$(dirname "$0")/common.sh"

# Few plates: each is read in dozens of ways, for which an emulator takes long.
few=$work/few
mkdir "$few"
head -n 3 "$samples/labels.tsv" >"$few/labels.tsv"
labelled=()
while IFS=$'\t' read -r file text _; do
  cp "$samples/$file" "$few"
  labelled+=("$few/$file=$text")
done <"$few/labels.tsv"

check "doctor: the model that ships fits"
run doctor "${labelled[@]}" </dev/null
expect_success
expect_text "$out" "of ${#labelled[@]} plates" "model file, " BGR "(x - 127.5) / 128" bilinear \
  "the model file fits"
expect_narrow "$out"

check "doctor: a folder and a table are the same as words"
cp "$out" "$work/doctor"
run doctor "$few" </dev/null
expect_success
if ! cmp -s "$out" "$work/doctor"; then problem "the folder gives another answer"; fi
run doctor "$few/labels.tsv" </dev/null
if ! cmp -s "$out" "$work/doctor"; then problem "the table gives another answer"; fi

check "doctor -j"
run doctor -j "$plate=$first_text" </dev/null
expect_success
expect_json 1 plates characters verdict settings channel_order scale resize right edits \
  log_likelihood as_good_as_best model_file model

check "doctor: images of the network's size tell nothing about the resize"
small=()
while IFS=$'\t' read -r file text _; do
  case $file in *.png) small+=("$samples/$file=$text") ;; esac
done <"$samples/labels.tsv"
run doctor "${small[@]:0:2}" </dev/null
expect_success
expect_text "$out" "resize         cannot be told"

# The weights that ship, with another scale written into the file: the bytes stay as many.
wrong_model=$work/wrong_scale.safetensors
LC_ALL=C sed 's/0\.0078125/1.0000000/' "$weights" >"$wrong_model"
check "doctor: a model file with a wrong scale"
if cmp -s "$weights" "$wrong_model"; then problem "the scale was not found in $weights"; fi
run doctor -m "$wrong_model" "${labelled[@]}" </dev/null
expect_status 1
expect_lines "$err" 0
expect_text "$out" "model file     BGR, (x - 127.5), bilinear: 0 of" "the model file does not fit" \
  "(x - 127.5) / 128"
run doctor -j -m "$wrong_model" "${labelled[@]}" </dev/null
expect_status 1
expect_text "$out" '"verdict":"the model file does not fit"'

check "doctor: wrong texts, so nothing fits"
run doctor "$plate=川B00000" "${sample_paths[1]}=京X99999" </dev/null
expect_status 1
expect_text "$out" "nothing fits" "0 of 2"

check "doctor: a text with a character that the model lacks"
run doctor "$plate=电A12345" </dev/null
expect_only_error 3 "$plate" "'电A12345'" "'电'" "cannot read"

check "doctor: a text longer than the model can write"
run doctor "$plate=AAAAAAAAAAAAAAAAAAAAA" </dev/null
expect_only_error 3 "$plate" "expected 1 to 18 characters"

check "doctor: a missing image, and the others"
run doctor "$work/missing.png=京A12345" "$plate=$first_text" </dev/null
expect_status 3
expect_lines "$err" 1
expect_text "$err" "$work/missing.png" "no such file"
expect_text "$out" "of 1 plates"

for word in "$plate" "=京A12345" "$plate="; do
  check "doctor: '${word##*/}' is no IMAGE=TEXT"
  run doctor "$word" </dev/null
  expect_only_error 2 "expected IMAGE=TEXT, a folder or a labels.tsv" "${word##*/}"
done

check "doctor: an image with = in its name"
cp "$plate" "$work/a=b.$extension"
run doctor "$work/a=b.$extension=$first_text" </dev/null
expect_success

finish
