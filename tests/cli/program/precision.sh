#!/usr/bin/env bash
# `--precision`.
source "$(dirname "$0")/common.sh"

run read "${sample_paths[@]}" </dev/null
cut -f 1 "$out" >"$work/texts"
check "read, eval, bench, verify, info: --precision int8 without a file"
run read --precision int8 "${sample_paths[@]}" </dev/null
expect_success
if ! cut -f 1 "$out" | cmp -s - "$work/texts"; then problem "the texts differ"; fi
run eval -j --precision int8 --min-accuracy 1 "$samples" </dev/null
expect_success
expect_text "$out" '"precision":"int8"'
run bench -j --precision int8 --frames 2 --warmup 0 </dev/null
expect_success
expect_text "$out" '"precision":"int8"' '"model":"builtin-int8"'
run verify --precision int8 --min-cosine 0.999 \
  "$source_folder/tests/golden/network/logits.safetensors" </dev/null
expect_success
expect_text "$out" "texts equal"
run info --precision int8 </dev/null
expect_success
expect_text "$out" builtin-int8 "conv2d_s8 3x1"
int8=$work/int8.safetensors
run quantize -m "$weights" -o "$int8" --calibration "$plate" --plain </dev/null
pruned=$work/pruned.safetensors
run prune -m "$weights" -o "$pruned" --amount 0.35 </dev/null
check "--precision sparse"
run read -j --precision sparse -m "$pruned" "$plate" </dev/null
expect_success
expect_text "$out" '"precision":"sparse"'
run info -m "$pruned" </dev/null
expect_text "$out" "precision    sparse"
check "--precision sparse without a file"
run read --precision sparse "$plate" </dev/null
expect_only_error 2 "builtin: this library was built without sparse weights; name a file"

check "--precision that the file does not have"
run read --precision sparse -m "$weights" "$plate" </dev/null
expect_only_error 2 "$weights: expected sparse weights, found fp32 ones; lprnet prune makes sparse ones"
run read --precision fp32 -m "$pruned" "$plate" </dev/null
expect_only_error 2 "$pruned: expected fp32 weights, found sparse ones"
run read --precision int8 -m "$weights" "$plate" </dev/null
expect_only_error 2 "$weights: expected int8 weights, found fp32 ones"
run read --precision fp32 -m "$int8" "$plate" </dev/null
expect_only_error 2 "$int8: expected fp32 weights, found int8 ones"

finish
