#!/usr/bin/env bash
# `lprnet eval`.
source "$(dirname "$0")/common.sh"

check "eval: decoders"
for decoder in greedy beam grammar; do
  run eval -j --decode $decoder "$samples" </dev/null
  expect_success
  expect_json 1 decode expected_calibration_error mean_confidence rejected reliability temperature
  expect_text "$out" "\"decode\":\"$decoder\"" "\"correct\":$sample_count" '"rejected":0'
done
check "eval: --fit-temperature"
run eval -j --fit-temperature "$samples" </dev/null
expect_success
expect_json 1 fitted_temperature fitted_loss loss_at_one
run eval --fit-temperature "$samples" </dev/null
expect_text "$out" "fits best"
check "eval: --fit-temperature without a readable image"
printf 'missing.png\tA\n' >"$work/all_missing.tsv"
run eval --fit-temperature "$work/all_missing.tsv" </dev/null
expect_status 3
expect_text "$err" missing.png "no image to fit"

check "eval: table of the samples"
run eval "$samples/labels.tsv" </dev/null
expect_success
expect_narrow "$out"
expect_text "$out" "plate %" "character %" "first %" all "length ${#first_text}" model

check "eval: folder that holds a labels.tsv"
run eval --min-accuracy 1 "$samples" </dev/null
expect_success

check "eval -j"
run eval -j "$samples" </dev/null
expect_success
expect_json 1 plates correct accuracy char_accuracy first_char_accuracy decode precision isa model \
  by_set by_length confusions
expect_text "$out" "\"plates\":$sample_count" "\"by_length\":{\"${#first_text}\":{\"plates\":"

labels=$work/labels
mkdir "$labels"
cp "$plate" "$labels/one.$extension"
cp "$plate" "$labels/two words.$extension"
check "eval: third column is the set, more columns are ignored, CRLF and empty lines too"
printf 'one.%s\t%s\tstreet\tx\ty\r\n\r\n\ntwo words.%s\t%s\tyard' \
  "$extension" "$first_text" "$extension" "$first_text" >"$labels/sets.tsv"
run eval "$labels/sets.tsv" </dev/null
expect_success
expect_text "$out" street yard
run eval -j "$labels/sets.tsv" </dev/null
expect_json 1 plates by_set street yard
expect_text "$out" '"plates":2,"correct":2'

check "eval: absolute paths"
printf '%s\t%s\n' "$labels/one.$extension" "$first_text" >"$work/absolute.tsv"
run eval --min-accuracy 1 "$work/absolute.tsv" </dev/null
expect_success

check "eval: names are labels"
mkdir "$work/named"
for ending in "" -1 _left .front; do cp "$plate" "$work/named/$first_text$ending.$extension"; done
run eval -j --min-accuracy 1 "$work/named" </dev/null
expect_success
expect_text "$out" '"plates":4,"correct":4'

check "eval: --min-accuracy that does not hold"
printf 'one.%s\t%sX\ntwo words.%s\t%s\n' "$extension" "$first_text" "$extension" "$first_text" \
  >"$labels/half.tsv"
run eval --min-accuracy 0.6 "$labels/half.tsv" </dev/null
expect_status 1
expect_lines "$err" 1
expect_text "$err" accuracy 0.5000 0.6000
expect_text "$out" "(none)"
check "eval: --min-accuracy that just holds"
run eval --min-accuracy 0.5 "$labels/half.tsv" </dev/null
expect_success
check "eval -j: confusions"
run eval -j "$labels/half.tsv" </dev/null
expect_success
expect_json 1 confusions expected found count
expect_text "$out" '{"expected":"X","found":"","count":1}'

check "eval: images that cannot be read"
printf 'one.%s\t%s\nmissing.png\t%s\n' "$extension" "$first_text" "$first_text" >"$labels/missing.tsv"
run eval -j "$labels/missing.tsv" </dev/null
expect_status 3
expect_lines "$err" 1
expect_text "$err" missing.png
expect_text "$out" '"plates":1,"correct":1'

check "eval: no image can be read"
printf 'missing.png\tA\n' >"$labels/all_missing.tsv"
run eval -j "$labels/all_missing.tsv" </dev/null
expect_status 3
expect_json 1 plates accuracy

labels_error() {  # NAME TEXT, with $labels/bad.tsv
  check "eval: $1"
  run eval "$labels/bad.tsv" </dev/null
  expect_only_error 3 "$labels/bad.tsv" "$2"
}
printf 'one.png\tA\none.png A\n' >"$labels/bad.tsv"
labels_error "line without a tab" "line 2"
printf 'one.png\t\n' >"$labels/bad.tsv"
labels_error "line without a text" "line 1"
printf '\tA\n' >"$labels/bad.tsv"
labels_error "line without a path" "line 1"
printf 'one.png\t\xff\xfe\n' >"$labels/bad.tsv"
labels_error "text that is not UTF-8" '\xff\xfe'
: >"$labels/bad.tsv"
labels_error "empty table" "the file is empty"
printf '\n\r\n' >"$labels/bad.tsv"
labels_error "table of empty lines" "no label"
head -c 100000 /dev/zero >"$labels/bad.tsv"
labels_error "table of zeros" "line 1"
rm "$labels/bad.tsv"
labels_error "missing table" "bad.tsv"

check "eval: empty folder"
run eval "$work/nothing" </dev/null
expect_only_error 3 "$work/nothing"

check "eval: name without a text"
mkdir "$work/nameless"
cp "$plate" "$work/nameless/-1.$extension"
run eval "$work/nameless" </dev/null
expect_only_error 3 "$work/nameless/-1.$extension"

finish
