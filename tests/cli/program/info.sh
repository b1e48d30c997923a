#!/usr/bin/env bash
# `lprnet info`, and LPRNET_ISA.
source "$(dirname "$0")/common.sh"

check "info"
run info </dev/null
expect_success
expect_text "$out" version model source parameters charset blank input cpu isas arena packed conv2d_f32

check "info -j"
run info -j </dev/null
expect_success
expect_json 1 version model source parameters classes charset blank steps preprocess width height \
  channel_order mean scale resize cpu cpu_features isas isa macs arena_bytes packed_bytes layers \
  name shape kernel weight_bytes output_bytes weights zeros stored_bytes
isas=$(sed -E 's/.*"isas":\[([^]]*)\].*/\1/' "$out" | tr -d '"' | tr ',' ' ')

for isa in $isas; do
  check "LPRNET_ISA=$isa"
  LPRNET_ISA=$isa run info -j </dev/null
  expect_success
  expect_text "$out" "\"isa\":\"$isa\""
done

for verb in "read $black" "eval $labels_of_plate" "bench --frames 1" "verify x" info; do
  check "LPRNET_ISA=nonsense ${verb%% *}"
  # shellcheck disable=SC2086
  LPRNET_ISA=nonsense run $verb </dev/null
  expect_only_error 2 "'nonsense'" reference
done
check "LPRNET_ISA with control characters"
LPRNET_ISA=$'a\nb\e[31m' run info </dev/null
expect_only_error 2 'a\x0ab\x1b[31m'

finish
