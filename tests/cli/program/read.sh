#!/usr/bin/env bash
# `lprnet read`: the samples that ship, and every way to name images.
source "$(dirname "$0")/common.sh"

while IFS=$'\t' read -r file text _; do
  check "read: sample $file"
  run read "$samples/$file" </dev/null
  expect_success
  expect_lines "$out" 1
  expect_pattern "$out" "$line_format"
  found=$(cut -f 1 "$out")
  if [ "$found" != "$text" ]; then problem "read '$found', expected '$text'"; fi
  if [ "$(cut -f 3 "$out")" != "$samples/$file" ]; then problem "the third field is not the path"; fi
done <"$samples/labels.tsv"

check "samples: every image has a label"
image_count=$(find "$samples" -name '*.png' -o -name '*.jpg' | wc -l)
if [ "$image_count" -ne $sample_count ]; then
  problem "$image_count images, but $sample_count labels"
fi

check "read: many files keep their order"
run read "${sample_paths[@]}" </dev/null
expect_success
if ! printf '%s\n' "${sample_paths[@]}" | cmp -s - <(cut -f 3 "$out"); then problem "another order"; fi

check "read --json"
run read --json "${sample_paths[@]}" </dev/null
expect_success
expect_json $sample_count file plate confidence matches_template candidates characters char \
  alternatives span reject_score rejected processing_time_ms image infer decode model precision backend
if ! head -n 1 "$out" | grep -qF "\"plate\":\"$first_text\""; then
  problem "the first plate is not $first_text"
fi

check "read: --json and -j are the same"
run read -j "$plate" </dev/null
expect_success
expect_json 1 file plate

check "read: the reference kernels read the same"
# Plain loops under an emulator take seconds for a picture.
some=("${sample_paths[@]}")
if [ $emulated = yes ]; then some=("${some[@]:0:2}"); fi
run read "${some[@]}" </dev/null
cut -f 1 "$out" >"$work/texts"
LPRNET_ISA=reference run read "${some[@]}" </dev/null
expect_success
if ! cut -f 1 "$out" | cmp -s - "$work/texts"; then problem "the texts differ"; fi

check "read: each picture decides alone"
run read "$plate" </dev/null
alone=$(cat "$out")
run read "${sample_paths[@]}" "$plate" </dev/null
if [ "$(tail -n 1 "$out")" != "$alone" ]; then problem "after other pictures it is '$(tail -n 1 "$out")', alone '$alone'"; fi

# --- Paths ------------------------------------------------------------------------------------

check "read: names in brackets are no lists"
mkdir "$work/[a,b]" && cp "$plate" "$work/[a,b]/" && cp "$plate" "$work/[x,]"
(cd "$work" && timeout 300 "${command[@]}" read '[a,b]' '[x,]' >"$out" 2>"$err")
status=$?
expect_success
expect_lines "$out" 2
expect_pattern "$out" '/\[(x,\]|a,b\]/[^/]+)$'

check "read: list on standard input, CRLF, empty lines, no last newline"
run read - < <(printf '%s\r\n\r\n\n%s\n%s' "$plate" "$plate" "$plate")
expect_success
expect_lines "$out" 3
expect_pattern "$out" "^$first_text	"

check "read: empty list on standard input"
run read - </dev/null
expect_only_error 3 "no path on standard input"

check "read: list on standard input between other paths"
run read "$plate" - "$plate" < <(echo "$plate")
expect_success
expect_lines "$out" 3

names=$work/names
mkdir "$names"
for name in "two words" "省A12345" "quote\"and\\back" "-dash" "100%s%n"; do
  cp "$plate" "$names/$name.$extension"
done
check "read: file names with spaces, quotes, UTF-8 and percent signs"
run read "$names" </dev/null
expect_success
expect_lines "$out" 5
expect_text "$out" "$names/two words.$extension" "$names/省A12345.$extension" \
  "$names/quote\"and\\back.$extension" "$names/100%s%n.$extension"
check "read -j: the same names"
run read -j "$names" </dev/null
expect_success
expect_json 5 file
expect_text "$out" "quote\\\"and\\\\back"

check "read -j: a file name that is not UTF-8"
cp "$plate" "$work/"$'latin\xe9'".$extension"
run read -j "$work/"$'latin\xe9'".$extension" </dev/null
expect_success
expect_json 1 file

check "read: upper case extension"
mkdir "$work/upper"
cp "$plate" "$work/upper/PLATE.${extension^^}"
run read "$work/upper" </dev/null
expect_success
expect_lines "$out" 1

check "read: any name on the command line"
cp "$plate" "$work/plate.dat"
run read "$work/plate.dat" </dev/null
expect_success
expect_lines "$out" 1

check "read: missing file"
run read "$work/missing.png" </dev/null
expect_only_error 3 "$work/missing.png" "no such file"

check "read: missing file with a newline in its name"
run read "$work/miss"$'\n'"ing.png" </dev/null
expect_only_error 3 'miss\x0aing.png'

check "read: missing folder"
run read "$work/missing/" </dev/null
expect_only_error 3 "$work/missing/"

check "read: empty path"
run read "" </dev/null
expect_status 3
expect_lines "$err" 1
expect_lines "$out" 0

check "read: empty folder"
mkdir "$work/nothing"
run read "$work/nothing" </dev/null
expect_only_error 3 "$work/nothing" "no image"

check "read: device"
run read /dev/null </dev/null
expect_only_error 3 /dev/null

check "read: a missing file does not stop the others"
run read "$plate" "$work/missing.png" "$plate" </dev/null
expect_status 3
expect_lines "$out" 2
expect_lines "$err" 1

check "read: plates of special kinds, two rows among them"
special=$source_folder/tests/samples_special
one_row=() texts=()
while IFS=$'\t' read -r file text kind; do
  if [ "$kind" = trailer ]; then
    two_rows=$special/$file two_rows_text=$text
  else
    one_row+=("$special/$file") texts+=("$text"$'\t')
  fi
done <"$special/labels.tsv"
decoders=(greedy beam grammar)
if [ $emulated = yes ]; then decoders=(greedy); fi
for precision in fp32 int8; do
  for decoder in "${decoders[@]}"; do
    run read --precision $precision --decode "$decoder" "${one_row[@]}" </dev/null
    expect_success
    expect_text "$out" "${texts[@]}"
  done
  run read --precision $precision --two-rows "$two_rows" </dev/null
  expect_success
  expect_text "$out" "$two_rows_text"$'\t'
done

finish
