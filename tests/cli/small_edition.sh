#!/usr/bin/env bash
# The small edition against the whole program: what both can do gives the same lines and the same
# exit status. Called like the tests in program/, with the small edition as PROGRAM, and the whole program,
# which has to be of this processor, in LPRNET. STRIP and CXX: those that the small edition was built with.
source "$(dirname "$0")/program/common.sh"
whole=$(realpath "${LPRNET:?names the whole program}")
command[-1]=$(realpath "${command[-1]}")
sparse=$source_folder/weights/lprnet-sparse35-int8.safetensors

# expect_same WORD...: `read WORD...` by both, the whole program with the weights of the small edition.
expect_same() {
  run read "$@" </dev/null
  "$whole" read --model "$sparse" "$@" >"$work/whole.out" 2>"$work/whole.err" </dev/null
  expect_status $?
  cmp -s "$out" "$work/whole.out" || problem "another line: $(diff "$out" "$work/whole.out" | head -n 2 | tail -n 1)"
  cmp -s "$err" "$work/whole.err" || problem "another message: $(diff "$err" "$work/whole.err" | head -n 2 | tail -n 1)"
}

check "samples"
expect_same "${sample_paths[@]}"
check "samples: the labels"
while IFS=$'\t' read -r file text _; do
  if ! grep -qF "$text	" <(grep -F "/$file" "$out"); then problem "$file: expected $text"; fi
done <"$samples/labels.tsv"

check "size"
# Without symbols; bench/README.md has the table that led to it. That is by g++ 12; g++ 14 makes 5 % more.
"${STRIP:-strip}" -o "$work/stripped" "${command[-1]}"
bytes=$(stat -c %s "$work/stripped")
if [ "$bytes" -gt 1050000 ]; then problem "expected 1050000 bytes at most, found $bytes"; fi
check "needs nothing but the C library"
others=$(readelf -d "${command[-1]}" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | grep -Ev '^(libc|libm|ld-linux[^.]*)\.so')
if [ -n "$others" ]; then problem "needs $others"; fi

if [ $emulated = no ]; then
  check "what its library leaves out is refused"
  if ! "${CXX:-c++}" -std=c++20 -I "$source_folder/engine/include" "$source_folder/tests/cli/small_library.cpp" \
    "$(dirname "${command[-1]}")/liblprnet.a" -o "$work/library" 2>"$err" || ! "$work/library" 2>"$err"; then
    problem "$(tail -n 1 "$err")"
  fi
fi

# What is no picture, among two that are.
cd "$work" || exit 1
cp "$plate" good.jpg
head -c 900 good.jpg >cut.jpg
head -c 3 good.jpg >short.jpg
: >empty.png
printf 'BM' >header.bmp
printf '\211PNG\r\n\032\nrubbish' >rubbish.png
mkdir folder.jpg
mkfifo pipe.jpg
printf 'x' >$'line\nbreak.png'
cp good.jpg ./-dash.jpg
for name in cut.jpg short.jpg empty.png header.bmp rubbish.png pipe.jpg missing.jpg $'line\nbreak.png' /dev/null; do
  check "good, $name, good"
  expect_same good.jpg "$name" good.jpg
  expect_status 3
  expect_lines "$out" 2
done
check "a folder is no picture"  # the whole program reads those in it
run read folder.jpg good.jpg </dev/null
expect_status 3
expect_lines "$out" 1
expect_text "$err" folder.jpg
check "a name like an option"
expect_same -- -dash.jpg
expect_same ./-dash.jpg

check "warnings, --quiet, --reject"
{ # of the size of a photo, without a plate
  printf 'BM\066\020\016\0\0\0\0\0\066\0\0\0\050\0\0\0\200\002\0\0\340\001\0\0\001\0\030\0\0\0\0\0\0\020\016\0'
  head -c 16 /dev/zero
  awk 'BEGIN { for (i = 0; i < 921600; ++i) printf "%c", 33 + i * 7 % 90 }'
} >gray.bmp
expect_same gray.bmp
expect_lines "$err" 1
expect_same -q gray.bmp
expect_lines "$err" 0
run read -q --reject gray.bmp good.jpg </dev/null
expect_lines "$out" 1

check "weights of floats are read by direct kernels"
for precision in lprnet lprnet-sparse35 lprnet-straight lprnet-int8 lprnet-straight-int8; do
  run read -m "$source_folder/weights/$precision.safetensors" "${sample_paths[@]}" </dev/null
  expect_success
  cut -f 1 "$out" >texts
  "$whole" read -m "$source_folder/weights/$precision.safetensors" "${sample_paths[@]}" | cut -f 1 >whole.texts
  cmp -s texts whole.texts || problem "$precision: $(diff texts whole.texts | head -n 2 | tail -n 1)"
done

check "weights that are none"
run read -m good.jpg good.jpg </dev/null
expect_only_error 3 good.jpg
run read --model missing.safetensors good.jpg </dev/null
expect_only_error 3 missing.safetensors

for words in "" "eval x" "read" "read -m" "read --decode grammar x" "read -x y" "--version x" "reads x"; do
  check "wrong usage: $words"
  # shellcheck disable=SC2086  # several words
  run $words </dev/null
  expect_only_error 2 "see lprnet --help"
done
check "an unknown instruction set"
LPRNET_ISA=avx9 run read good.jpg </dev/null
expect_only_error 2 avx9
check "help and version"
run --help </dev/null
expect_success
expect_text "$out" "small edition" --model --reject
expect_narrow "$out"
run --version </dev/null
expect_success
expect_lines "$out" 1

check "a full disk"
if [ -e /dev/full ]; then
  "${command[@]}" read good.jpg >/dev/full 2>"$err" </dev/null
  status=$?
  expect_status 3
fi
check "closed streams"
"${command[@]}" read good.jpg <&- >&- 2>"$err"
status=$?
expect_status 3

finish
