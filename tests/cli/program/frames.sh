#!/usr/bin/env bash
# Regions, quads, raw frames and the confidence.
source "$(dirname "$0")/common.sh"

check "read: roi of the whole image changes nothing"
run read -q "$black" </dev/null
whole=$(cat "$out")
run read -q --roi 0,0,94,24 "$black" </dev/null
expect_success
if [ "$(cat "$out")" != "$whole" ]; then problem "it does"; fi

check "read: roi inside"
run read -q "$black" --roi 93,23,1,1 </dev/null
expect_success
expect_lines "$out" 1

for roi in 0,0,95,24 0,0,94,25 94,0,1,1 0,24,1,1 -1,0,5,5 0,-1,5,5 0,0,0,5 0,0,5,0 0,0,-5,5 \
  2147483647,0,1,1 1,0,2147483647,1 -2147483648,0,1,1; do
  check "read: roi $roi is outside"
  run read -q "--roi=$roi" "$black" </dev/null
  expect_only_error 3 "$black" "$roi" 94x24
done

bmp 1 1 >"$work/one_pixel.bmp"
check "read: roi is judged for each image"
run read -q --roi 0,0,94,24 "$black" "$work/one_pixel.bmp" </dev/null
expect_status 3
expect_lines "$out" 1
expect_lines "$err" 1

check "read: quad of the whole image changes nothing"
run read -q --quad 0,0,94,0,94,24,0,24 "$black" </dev/null
expect_success
if [ "$(cat "$out")" != "$whole" ]; then problem "it does"; fi

check "read: several quads, each with its number"
run read -q "$black" --quad 0,0,94,0,94,24,0,24 --quad 5.5,1,60,3,58,20,4,18 </dev/null
expect_success
expect_lines "$out" 2
if [ "$(head -n 1 "$out")" != "$whole	1" ]; then problem "the first line is '$(head -n 1 "$out")'"; fi
if [ "$(tail -n 1 "$out" | cut -f 3-)" != "$black	2" ]; then problem "no number 2"; fi

check "read: a quad may reach beyond the image"
run read -q "$black" --quad -20,-5,120,-5,120,30,-20,30 </dev/null
expect_success
expect_lines "$out" 1

check "read: a quad outside, and one inside that is still read"
run read -q "$black" --quad 94,0,99,0,99,9,94,9 --quad 0,0,94,0,94,24,0,24 </dev/null
expect_status 3
expect_lines "$out" 1
expect_lines "$err" 1
expect_text "$err" "$black: quad 94,0,99,0,99,9,94,9 lies outside" 94x24

check "read -j: quads"
run read -q -j "$black" --quad 0,0,94,0,94,24,0,24 --quad 5.5,1,60,3,58,20,4,18 </dev/null
expect_success
expect_json 2 file quad
expect_text "$out" '"quad":[5.5,1.0,60.0,3.0,58.0,20.0,4.0,18.0]'

check "read: two rows, of a quad, a region and the whole image"
run read -q --two-rows "$black" </dev/null
expect_success
two_rows=$(cat "$out")
run read -q --two-rows --roi 0,0,94,24 "$black" </dev/null
expect_success
if [ "$(cat "$out")" != "$two_rows" ]; then problem "the region reads otherwise"; fi
run read -q --two-rows --quad 0,0,94,0,94,24,0,24 "$black" </dev/null
expect_success
if [ "$(cat "$out")" != "$two_rows" ]; then problem "the quad reads otherwise"; fi

# --- Raw frames -------------------------------------------------------------------------------

# Black in each format: 0, or luma 16 and chroma 128.
same_byte() {  # OCTAL COUNT
  head -c "$2" /dev/zero | tr '\0' "\\$1"
}
raw=$work/raw
mkdir "$raw"
same_byte 0 $((94 * 24 * 3)) >"$raw/bgr"
same_byte 0 $((94 * 24 * 4)) >"$raw/rgba"
same_byte 0 $((94 * 24)) >"$raw/gray"
{ same_byte 20 $((94 * 24)); same_byte 200 $((94 * 12)); } >"$raw/nv12"
cp "$raw/nv12" "$raw/nv21"
cp "$raw/nv12" "$raw/i420"
for _ in $(seq $((94 * 24))); do printf '\020\200'; done >"$raw/yuyv"
for format in bgr rgba gray nv12 nv21 i420 yuyv; do
  check "read: raw $format"
  run read -q --raw $format:94x24 "$raw/$format" </dev/null
  expect_success
  if [ "$(cut -f 1,2 "$out")" != "$(printf '%s' "$whole" | cut -f 1,2)" ]; then
    problem "not as the same pixels in a BMP: $(cat "$out")"
  fi
done

check "read: raw with a stride, odd sizes"
{ same_byte 20 $((101 * 23)); same_byte 200 $((102 * 12)); } >"$work/odd.nv12"
run read -q --raw NV12:93x23:101 "$work/odd.nv12" </dev/null
expect_success
expect_lines "$out" 1

check "read: raw and a region, raw and a quad"
run read -q --raw nv12:94x24 --roi 3,3,50,20 "$raw/nv12" </dev/null
expect_success
run read -q --raw nv12:94x24 --quad 5,1,60,3,58,20,4,18 "$raw/nv12" </dev/null
expect_success
expect_lines "$out" 1

check "read: a folder of raw frames, whatever their names"
mkdir "$work/frames"
cp "$raw/nv12" "$work/frames/first"
cp "$raw/nv21" "$work/frames/second.yuv"
: >"$work/frames/labels.tsv"
run read -q --raw nv12:94x24 "$work/frames" </dev/null
expect_success
expect_lines "$out" 2

check "read: raw file of another size"
run read -q --raw nv12:94x26 "$raw/nv12" </dev/null
expect_only_error 3 "$raw/nv12: expected a frame of 3666 bytes, found 3384"

check "read: empty raw file"
: >"$work/empty.raw"
run read -q --raw nv12:94x24 "$work/empty.raw" </dev/null
expect_only_error 3 "$work/empty.raw"

check "read: missing raw file, then one that is there"
run read -q --raw nv12:94x24 "$work/missing.raw" "$raw/nv12" </dev/null
expect_status 3
expect_lines "$out" 1
expect_lines "$err" 1
expect_text "$err" "$work/missing.raw" "no such file"

check "read: --min-confidence 0 keeps all"
run read -q --min-confidence 0 "${sample_paths[@]}" </dev/null
expect_success
expect_lines "$out" "$sample_count"

check "read: --min-confidence leaves out the less certain"
run read -q "${sample_paths[@]}" </dev/null
kept=$(cut -f 2 "$out" | awk '$1 >= 0.5' | wc -l)
run read -q --min-confidence 0.5 "${sample_paths[@]}" </dev/null
expect_success
# A confidence that is printed as 0.5000 may be a little less.
lines=$(wc -l <"$out")
if [ "$lines" -ne "$kept" ] && ! grep -q '	0.5000	' "$out"; then problem "$lines lines, expected $kept"; fi

finish
