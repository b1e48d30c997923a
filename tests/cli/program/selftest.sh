#!/usr/bin/env bash
# `lprnet selftest`.
source "$(dirname "$0")/common.sh"

int8=$work/int8.safetensors
run quantize -m "$weights" -o "$int8" --calibration "$plate" --plain </dev/null
check "selftest"
run selftest </dev/null
expect_success
expect_narrow "$out"
expect_text "$out" fp32 int8 reference fnv1a64: ok
run selftest -j </dev/null
expect_success
expect_json 1 model precision isa error hash ok
echo "this is not a model" >"$work/text"
run selftest -m "$work/text" </dev/null
expect_only_error 3 "$work/text"
check "selftest: other logits than the file says"
sed 's/fnv1a64:./fnv1a64:g/' "$int8" >"$work/other.safetensors"
run selftest -m "$work/other.safetensors" </dev/null
expect_status 1
expect_lines "$err" 0
expect_text "$out" "WRONG: expected fnv1a64:g"

finish
