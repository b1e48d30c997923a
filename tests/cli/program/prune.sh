#!/usr/bin/env bash
# `lprnet prune`.
source "$(dirname "$0")/common.sh"

check "prune --help"
run prune --help </dev/null
expect_success
expect_text "$out" --model --output --amount --layer --keep --global --shape --calibration --json

pruned=$work/pruned.safetensors
check "prune"
run prune -m "$weights" -o "$pruned" --amount 0.35 </dev/null
expect_success
expect_narrow "$out"
expect_text "$out" "zero %" "L1 lost %" "L2 lost %" backbone.0 container.0 all "$pruned"
if [ "$(stat -c %s "$pruned")" -gt 1482000 ]; then problem "$(stat -c %s "$pruned") bytes"; fi

check "prune: what it writes is read, by every verb alike"
run read -m "$pruned" "$plate" </dev/null
expect_success
expect_lines "$out" 1
run info -m "$pruned" </dev/null
expect_success
expect_text "$out" "zero %" "bytes in the file" "; pruned 35 % by L1 per layer"
run info -j -m "$pruned" </dev/null
expect_json 1 weights zeros stored_bytes

check "prune -j, layers of their own, accuracy, the built-in model"
run prune -j -o "$work/other.safetensors" --amount 0.5 --keep backbone.0 \
  --layer container.0=0.25 --keep backbone.16 --calibration "$samples" </dev/null
expect_success
expect_json 1 model output amount shape global layers name weights zeros share l1_removed l2_removed \
  stored_bytes all file_bytes before after calibration accuracy
expect_text "$out" '"name":"backbone.0","weights":1728,"zeros":0,' \
  '"name":"container.0","weights":47793,"zeros":11948,' "\"before\":{\"plates\":$sample_count,"
run info -j -m "$work/other.safetensors" </dev/null
expect_text "$out" "pruned 50 % by L1 per layer, backbone.0 0 %, backbone.16 0 %, container.0 25 %"

check "prune --global --shape groups"
run prune -j -o "$work/other.safetensors" --amount 0.5 --global --shape groups </dev/null
expect_success
expect_text "$out" '"shape":"groups","global":true'

check "prune: onto the file itself, twice the same"
cp "$pruned" "$work/self.safetensors"
run prune -m "$work/self.safetensors" -o "$work/self.safetensors" --amount 0.35 </dev/null
expect_success
run prune -m "$pruned" -o "$work/other.safetensors" --amount 0.35 </dev/null
expect_success
if ! cmp -s "$work/self.safetensors" "$work/other.safetensors"; then problem "files differ"; fi

check "prune: all weights"
run prune -j -o "$work/other.safetensors" --amount 1 --calibration "$samples" </dev/null
expect_success
expect_text "$out" '"share":1.0' '"after":{'

check "prune: layers only, the others stay"
run prune -j -o "$work/other.safetensors" --layer backbone.20=0.9 </dev/null
expect_success
expect_text "$out" '"name":"backbone.16","weights":65536,"zeros":0,' '"zeros":266572,'

# Nothing is written where something is wrong.
rm "$work/other.safetensors"
prune_error() {  # NAME STATUS TEXT WORD...
  check "prune: $1"
  local status_expected=$2 text=$3
  shift 3
  run prune -o "$work/other.safetensors" "$@" </dev/null
  expect_only_error "$status_expected" "$text"
  if [ -e "$work/other.safetensors" ]; then problem "a file was written"; fi
}
prune_error "neither amount nor layer" 2 "--amount or --layer"
prune_error "unknown layer to keep" 2 "no layer 'backbone.3', expected one of backbone.2 (backbone.0), " \
  --amount 0.5 --keep backbone.3
prune_error "unknown layer" 2 "no layer 'x'" --layer x=0.5
prune_error "layer named twice" 2 "'backbone.0' is named twice" \
  --amount 0.5 --keep backbone.0 --layer backbone.0=1
prune_error "missing model" 3 "$work/missing.safetensors" -m "$work/missing.safetensors" --amount 0.5
echo "this is not a model" >"$work/text"
prune_error "no model" 3 "$work/text" -m "$work/text" --amount 0.5
prune_error "quantized already" 2 "lprnet-int8.safetensors: quantized already, expected float32 weights" \
  -m "$source_folder/weights/lprnet-int8.safetensors" --amount 0.5
prune_error "missing labels" 3 "$work/missing" --amount 0.5 --calibration "$work/missing"
LPRNET_ISA=nonsense prune_error "unknown instruction set" 2 "'nonsense'" \
  --amount 0.5 --calibration "$samples"
check "prune: a folder that is not there"
run prune -o "$work/missing/other.safetensors" --amount 0.5 </dev/null
expect_only_error 3 "$work/missing/other.safetensors" "cannot be created"

check "prune: images that cannot be read"
printf '%s\tA\nmissing.png\tA\n' "$plate" >"$work/missing.tsv"
run prune -j -o "$work/other.safetensors" --amount 0.5 --calibration "$work/missing.tsv" </dev/null
expect_status 3
expect_lines "$err" 1
expect_text "$err" missing.png
expect_text "$out" '"plates":1'

check "a sparse model that is cut short"
head -c 500000 "$pruned" >"$work/short_sparse"
run info -m "$work/short_sparse" </dev/null
expect_only_error 3 "$work/short_sparse"

# Verbs that take names of layers take both: that in the file, and that in reports.
check "layers by either name, in every verb that takes some"
run prune -o "$work/stored.safetensors" --layer container.0=0.5 </dev/null
expect_success
run prune -o "$work/computed.safetensors" --layer logits=0.5 </dev/null
expect_success
run info -j -m "$work/stored.safetensors" </dev/null
mv "$out" "$work/stored.json"
run info -j -m "$work/computed.safetensors" </dev/null
if [ "$(grep -o '"zeros":[0-9]*' "$work/stored.json")" != "$(grep -o '"zeros":[0-9]*' "$out")" ]; then
  problem "prune: other weights by the other name"
fi
run prune -o "$work/computed.safetensors" --amount 0.5 --keep backbone.2 --keep backbone.0 </dev/null
expect_only_error 2 "'backbone.0' is named twice"
for name in container.0 logits; do
  run quantize -j --weights-only --keep-float $name -o "$work/$name.safetensors" </dev/null
  expect_success
  expect_text "$out" '"weights":"float32"'
  sed -E 's/"(output|method)":"[^"]*",//g; s/"file_bytes".*//' "$out" >"$work/$name.json"
done
if ! cmp -s "$work/container.0.json" "$work/logits.json"; then problem "quantize: another layer by the other name"; fi

finish
