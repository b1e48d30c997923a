#!/usr/bin/env bash
# Weights files, good and bad.
source "$(dirname "$0")/common.sh"

check "-m: the weights that ship"
run read -m "$weights" "$plate" </dev/null
expect_success
expect_pattern "$out" "^$first_text	"

check "-m: the path is the model's name"
run info -j --model "$weights" </dev/null
expect_success
expect_text "$out" "\"model\":\"$weights\""

models=$work/models
mkdir "$models" "$models/folder"
echo "this is not a model" >"$models/text"
: >"$models/empty"
printf 'short' >"$models/short"
{ printf 'PK\x03\x04'; head -c 2000 /dev/zero; } >"$models/archive.pth"
head -c 2000 /dev/zero >"$models/zeros"
{ printf '\xff\xff\xff\xff\xff\xff\xff\x7f'; head -c 100 /dev/zero; } >"$models/long_header"
safetensors '{}' 0 >"$models/no_tensors"
safetensors '{"x":' 0 >"$models/bad_json"
safetensors '{"__metadata__":{"lprnet.format":"1"}}' 0 >"$models/no_charset"
safetensors '{"__metadata__":{"lprnet.format":"2\n\u001b"}}' 0 >"$models/other_format"
safetensors '{"__metadata__":{"lprnet.format":"1","lprnet.charset":"[\"A\",\"-\"]","lprnet.preprocess":"{\"width\":94,\"height\":24,\"channel_order\":\"BGR\",\"mean\":0,\"scale\":1,\"resize\":\"bilinear\"}"}}' \
  0 >"$models/metadata_alone"
cp "$plate" "$models/picture"
if [ -f "$weights" ]; then
  size=$(wc -c <"$weights")
  for part in 8 100 $((size / 2)) $((size - 1)); do head -c "$part" "$weights" >"$models/cut_$part"; done
  { cat "$weights"; printf 'x'; } >"$models/one_byte_more"
fi
ln -s nowhere "$models/dangling"
for model in "$models"/* "$models/missing"; do
  for verb in "read $black" info; do
    check "${verb%% *} -m ${model##*/}"
    # shellcheck disable=SC2086  # several words
    run $verb -m "$model" </dev/null
    expect_only_error 3 "$model"
  done
done
for verb in "eval $labels_of_plate" "bench --frames 1" "verify $weights"; do
  check "${verb%% *} -m text"
  # shellcheck disable=SC2086  # several words
  run $verb -m "$models/text" </dev/null
  expect_only_error 3 "$models/text"
done

finish
