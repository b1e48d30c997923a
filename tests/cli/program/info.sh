#!/usr/bin/env bash
# `lprnet info`, and LPRNET_ISA.
source "$(dirname "$0")/common.sh"

check "info"
run info </dev/null
expect_success
expect_text "$out" version model source "architecture LPRNet" parameters charset blank input cpu isas arena packed conv2d_f32
expect_narrow "$out"

check "info -j"
run info -j </dev/null
expect_success
expect_json 1 version model source architecture parameters classes charset blank steps transformer preprocess width height \
  channel_order mean scale resize cpu cpu_features isas isa macs arena_bytes packed_bytes layers \
  name shape kernel weight_bytes output_bytes weights zeros stored_bytes
isas=$(sed -E 's/.*"isas":\[([^]]*)\].*/\1/' "$out" | tr -d '"' | tr ',' ' ')

for isa in $isas; do
  check "LPRNET_ISA=$isa"
  LPRNET_ISA=$isa run info -j </dev/null
  expect_success
  expect_text "$out" "\"isa\":\"$isa\""
done

check "info --formats: a file of formats, which reads as the built-in ones"
run info --formats </dev/null
expect_success
cp "$out" "$work/formats"
expect_text "$out" "standard"
run info -j </dev/null
expected=$(grep -o '"formats":\[[^]]*\]' "$out")
run info -j --pattern "$work/formats" </dev/null
expect_success
if [ "$(grep -o '"formats":\[[^]]*\]' "$out")" != "$expected" ]; then problem "the formats differ"; fi
run read --decode grammar "${sample_paths[@]}" </dev/null
cp "$out" "$work/builtin"
run read --pattern "$work/formats" "${sample_paths[@]}" </dev/null
if ! cmp -s "$out" "$work/builtin"; then problem "the readings differ"; fi
for other in --json "--pattern=$work/formats"; do
  check "info --formats is no place for $other"
  run info --formats "$other" </dev/null
  expect_only_error 2 --formats
done

# Elements of levels have one, two or four bytes, those of floats four: both forms say the same.
for isa in $isas; do
  for precision in fp32 int8; do
    check "LPRNET_ISA=$isa, $precision: bytes of the outputs in the table and in JSON"
    LPRNET_ISA=$isa run info -j --precision $precision </dev/null
    expect_success
    tr '{' '\n' <"$out" | sed -nE 's/.*"output_bytes":([0-9]+).*/\1/p' >"$work/bytes"
    LPRNET_ISA=$isa run info --precision $precision </dev/null
    expect_success
    sed -n '/output bytes/,$p' "$out" | sed '1d;/^all /,$d' | awk '{ print $NF }' >"$work/table"
    { [ -s "$work/bytes" ] && cmp -s "$work/bytes" "$work/table"; } ||
      problem "the table has $(tr '\n' ' ' <"$work/table"), JSON $(tr '\n' ' ' <"$work/bytes")"
  done
done

for verb in "read $black" "eval $labels_of_plate" "bench --frames 1" "verify x" info; do
  check "LPRNET_ISA=nonsense ${verb%% *}"
  # shellcheck disable=SC2086  # several words
  LPRNET_ISA=nonsense run $verb </dev/null
  expect_only_error 2 "'nonsense'" reference
done
check "LPRNET_ISA with control characters"
LPRNET_ISA=$'a\nb\e[31m' run info </dev/null
expect_only_error 2 'a\x0ab\x1b[31m'

finish
