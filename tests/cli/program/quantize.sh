#!/usr/bin/env bash
# `lprnet quantize`.
source "$(dirname "$0")/common.sh"

check "quantize --help"
run quantize --help </dev/null
expect_success
expect_text "$out" --model --output --calibration --images --method --plain --zero-below \
  --keep-float --weights-only --report --test --json

int8=$work/int8.safetensors
# Few images: an emulator takes long.
check "quantize"
run quantize -m "$weights" -o "$int8" --calibration "$samples" --images 2 </dev/null
expect_success
expect_narrow "$out"
expect_text "$out" largest clip cosine "error %" backbone.2 backbone.22 logits conv2d_s8 \
  "of 2 texts changed" "$int8"
if [ "$(stat -c %s "$int8")" -gt 569000 ]; then problem "$(stat -c %s "$int8") bytes"; fi
check "quantize: what it writes is read, by every verb alike"
run read -m "$int8" "$plate" </dev/null
expect_success
expect_lines "$out" 1
run read -j --precision int8 -m "$int8" "$plate" </dev/null
expect_text "$out" '"precision":"int8"'
run info -m "$int8" </dev/null
expect_success
expect_text "$out" "conv2d_s8 3x1" "; int8, clipped by mse"
run selftest -m "$int8" </dev/null
expect_success
expect_text "$out" reference fnv1a64: ok

check "quantize -j, with a report and labelled images"
run quantize -j -m "$weights" -o "$work/other.safetensors" --calibration "$samples" --images 1 \
  --method max --plain --report --test "$samples" </dev/null
expect_success
expect_json 1 model output method images texts_changed layers name type kernel largest clip cosine \
  relative_error error_alone error_without share error file_bytes test before after accuracy
expect_text "$out" '"method":"int8, clipped by max, plain"' "\"before\":{\"plates\":$sample_count,"

kept=$work/kept.safetensors
check "quantize: layers that keep float32 weights, by either name"
run quantize -m "$weights" -o "$kept" --calibration "$plate" --plain --keep-float backbone.2 \
  --keep-float backbone.4.block.2 </dev/null
expect_success
expect_text "$out" "float32  conv2d_levels_f32 3x3" "float32  conv2d_levels_f32 3x1" \
  "int8     conv2d_s8 1x1" "of 1 texts changed"
run info -m "$kept" </dev/null
expect_success
expect_text "$out" "precision    int8" "conv2d_levels_f32 3x1" "conv2d_s8 1x3"
run info -j -m "$kept" </dev/null
expect_text "$out" "; int8, clipped by mse, plain, backbone.2 float32, backbone.4.block.2 float32\""
run read -j --precision int8 -m "$kept" "$plate" </dev/null
expect_success
expect_text "$out" "\"plate\":\"$first_text\"" '"precision":"int8"'
run verify -m "$kept" --min-cosine 0.99 "$source_folder/tests/golden/network/logits.safetensors" \
  </dev/null
expect_success
expect_text "$out" "texts equal"
run selftest -m "$kept" </dev/null
expect_success
expect_text "$out" reference fnv1a64: ok
check "quantize -j: the layer behind the context keeps float32 weights"
run quantize -j -m "$weights" -o "$kept" --calibration "$plate" --plain --keep-float logits </dev/null
expect_success
expect_json 1 layers weights
expect_text "$out" '"weights":"float32","kernel":"conv2d_f32_exact 1x1"' \
  '"method":"int8, clipped by mse, plain, logits float32"'
run read -m "$kept" "$plate" </dev/null
expect_success

pruned=$work/pruned.safetensors
run prune -m "$weights" -o "$pruned" --amount 0.35 </dev/null
check "quantize: a sparse file stays one"
run quantize -m "$pruned" -o "$work/other.safetensors" --calibration "$samples" --images 1 \
  --zero-below 0.06 </dev/null
expect_success
if [ "$(stat -c %s "$work/other.safetensors")" -gt 438000 ]; then
  problem "$(stat -c %s "$work/other.safetensors") bytes"
fi
run read -m "$work/other.safetensors" "$plate" </dev/null
expect_success
head -c 200000 "$work/other.safetensors" >"$work/short_int8"
run info -m "$work/short_int8" </dev/null
expect_only_error 3 "$work/short_int8"

run read "${sample_paths[@]}" </dev/null
cut -f 1 "$out" >"$work/texts"
check "quantize: weights only"
run quantize --weights-only -o "$work/other.safetensors" </dev/null
expect_success
run read --precision fp32 -m "$work/other.safetensors" "${sample_paths[@]}" </dev/null
expect_success
if ! cut -f 1 "$out" | cmp -s - "$work/texts"; then problem "the texts differ"; fi

check "quantize: weights only, but for one layer"
run quantize --weights-only --keep-float backbone.16 -o "$kept" </dev/null
expect_success
if [ "$(stat -c %s "$kept")" -le "$(stat -c %s "$work/other.safetensors")" ]; then
  problem "no layer was kept"
fi
run read --precision fp32 -m "$kept" "${sample_paths[@]}" </dev/null
expect_success
if ! cut -f 1 "$out" | cmp -s - "$work/texts"; then problem "the texts differ"; fi

check "quantize: pictures of one color"
for method in kl search; do
  run quantize -m "$weights" -o "$work/other.safetensors" --calibration "$black" --method $method \
    </dev/null
  expect_success
done
run quantize -m "$weights" -o "$work/other.safetensors" --calibration "$black" </dev/null
expect_success
run read -q -m "$work/other.safetensors" "$black" </dev/null
expect_success

rm "$work/other.safetensors"
quantize_error() {  # NAME STATUS TEXT WORD...
  check "quantize: $1"
  local status_expected=$2 text=$3
  shift 3
  run quantize -o "$work/other.safetensors" "$@" </dev/null
  expect_only_error "$status_expected" "$text"
  if [ -e "$work/other.safetensors" ]; then problem "a file was written"; fi
}
quantize_error "neither images nor weights only" 2 "expected --calibration DIR, or --weights-only"
quantize_error "missing model" 3 "$work/missing.safetensors" --calibration "$samples" \
  -m "$work/missing.safetensors"
quantize_error "quantized already" 2 "quantized already" --calibration "$plate" -m "$int8"
quantize_error "weights quantized already" 2 "quantized already" --weights-only -m "$int8"
quantize_error "unknown layer to keep" 2 \
  "no layer 'backbone.3', expected one of backbone.2 (backbone.0), backbone.4.block.1 " \
  --calibration "$plate" --keep-float backbone.3
quantize_error "unknown layer to keep, weights only" 2 "no layer 'x'" --weights-only --keep-float x
quantize_error "missing labels" 3 "$work/missing" --calibration "$plate" --test "$work/missing"
quantize_error "unknown method" 2 --method --calibration "$plate" --method median
quantize_error "no images" 2 --images --calibration "$plate" --images 0
quantize_error "a share above 1" 2 --zero-below --calibration "$plate" --zero-below 2
LPRNET_ISA=nonsense quantize_error "unknown instruction set" 2 "'nonsense'" --calibration "$plate"
check "quantize: a folder that is not there"
run quantize -o "$work/missing/other.safetensors" --weights-only </dev/null
expect_only_error 3 "$work/missing/other.safetensors" "cannot be created"

mkdir "$work/unreadable"
check "quantize: empty folder"
run quantize -o "$work/other.safetensors" --calibration "$work/unreadable" </dev/null
expect_status 3
expect_text "$err" "$work/unreadable: expected images to calibrate on, found none"
if [ -e "$work/other.safetensors" ]; then problem "a file was written"; fi
check "quantize: no image that can be read"
printf 'no picture' >"$work/unreadable/a.png"
run quantize -o "$work/other.safetensors" --calibration "$work/unreadable" </dev/null
expect_status 3
expect_lines "$err" 2
expect_text "$err" "$work/unreadable/a.png" "found none that can be read"
if [ -e "$work/other.safetensors" ]; then problem "a file was written"; fi
check "quantize: one image that cannot be read"
cp "$plate" "$work/unreadable/b.$extension"
run quantize -j -o "$work/other.safetensors" --calibration "$work/unreadable" --plain </dev/null
expect_status 3
expect_lines "$err" 1
expect_text "$out" '"images":1,'

check "tables fit 100 columns, those of other verbs, too"
fits() {  # VERB ARGUMENT...
  run "$@" </dev/null
  expect_success
  # Of layers, sets, instruction sets: bytes, which are no fewer than columns.
  local wide
  wide=$(grep -E '^(layer|logits|backbone|set|all|length|precision|fp32|int8)' "$out" | LC_ALL=C awk 'length > 100' | head -n 1)
  [ -z "$wide" ] || problem "$1: too wide: $wide"
}
fits quantize --calibration "$plate" --plain --report -o "$kept"
expect_text "$out" "all but it %" "logits off by"
fits bench --per-layer --frames 2 --warmup 0
fits bench --per-layer --frames 2 --warmup 0 --precision int8
fits prune --amount 0.3 -o "$kept" --calibration "$samples"
fits info
fits eval "$samples"
fits selftest

finish
