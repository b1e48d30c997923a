#!/usr/bin/env bash
# `lprnet verify`.
source "$(dirname "$0")/common.sh"

verify_error() {  # NAME FILE TEXT...
  check "verify: $1"
  local file=$2
  shift 2
  run verify "$file" </dev/null
  expect_only_error 3 "$file" "$@"
}
verify_error "missing dump" "$work/missing.safetensors" "no such file"
verify_error "a model instead of a dump" "$weights" "expected 'dump-1'"
verify_error "a folder instead of a dump" "$work"
verify_error "a picture instead of a dump" "$plate"

run info -j </dev/null
classes=$(number_of classes)
steps=$(number_of steps)
width=$(number_of width)
height=$(number_of height)
pixels=$((3 * height * width * 4))
scores=$((classes * steps * 4))
format='"__metadata__":{"lprnet.format":"dump-1"}'
input="\"input\":{\"dtype\":\"F32\",\"shape\":[1,3,$height,$width],\"data_offsets\":[0,$pixels]}"
logits="\"logits\":{\"dtype\":\"F32\",\"shape\":[1,$classes,$steps],\"data_offsets\":[$pixels,$((pixels + scores))]}"
dump=$work/dump.safetensors
safetensors "{$format,$input}" $pixels >"$dump"
verify_error "dump without logits" "$dump" "'logits' is missing"
safetensors "{$format,$input}" $((pixels - 1)) >"$dump"
verify_error "truncated dump" "$dump"
safetensors "${input//\[1,3/\[1,4}" $pixels >"$dump"
verify_error "dump that is not JSON" "$dump"
safetensors "{$format,\"input\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}}" 16 >"$dump"
verify_error "input of another shape" "$dump" "'input'" "[4]"
safetensors "{$format,\"input\":{\"dtype\":\"I32\",\"shape\":[1,3,$height,$width],\"data_offsets\":[0,$pixels]}}" \
  $pixels >"$dump"
verify_error "input of another type" "$dump" "'input'" I32
safetensors "{$format,\"input\":{\"dtype\":\"F32\",\"shape\":[0,3,$height,$width],\"data_offsets\":[0,0]}}" 0 >"$dump"
verify_error "dump of no image" "$dump" "'input'"
safetensors "{$format,$input,${logits/\[1,/\[2,}}" $((pixels + scores)) >"$dump"
verify_error "logits of another size" "$dump" "'logits'"

check "verify: logits that differ"
safetensors "{$format,$input,$logits}" $((pixels + scores)) >"$dump"
run verify "$dump" </dev/null
expect_status 1
expect_lines "$err" 0
expect_text "$out" logits BAD "first bad layer: logits"
check "verify -j: logits that differ"
run verify -j "$dump" </dev/null
expect_status 1
expect_json 1 ok first_bad layers max_abs rel_l2 cosine texts_equal images
expect_text "$out" '"ok":false,"first_bad":"logits"'

finish
