#!/usr/bin/env bash
# What people and scripts see of the program: exit statuses, lines on standard output and
# standard error, and what becomes of inputs that are no plates. Accuracy, speed and numbers
# are tested elsewhere.
#
#   program_test.sh SOURCE_DIR [EMULATOR...] PROGRAM
#
# LPRNET_SAMPLES and LPRNET_WEIGHTS name a sample folder and a weights file other than the ones
# that ship.
set -u
export LC_ALL=C.UTF-8
unset LPRNET_ISA

if [ $# -lt 2 ]; then
  echo "usage: program_test.sh SOURCE_DIR [EMULATOR...] PROGRAM" >&2
  exit 2
fi
source_folder=$1
shift
command=()
for word in "$@"; do
  if [ -n "$word" ]; then command+=("$word"); fi
done
samples=${LPRNET_SAMPLES:-$source_folder/tests/samples}
weights=${LPRNET_WEIGHTS:-$source_folder/weights/lprnet.safetensors}

work=$(mktemp -d) || exit 1
trap 'chmod -R u+rwx "$work"; rm -rf "$work"' EXIT
out=$work/.out
err=$work/.err

# --- Checks -----------------------------------------------------------------------------------

checks=0
failures=0
current=
failed=no

# Begins the check of that name.
check() {
  current=$1
  checks=$((checks + 1))
  failed=no
}

# Reports the first problem of each check.
problem() {
  if [ $failed = yes ]; then return; fi
  failed=yes
  failures=$((failures + 1))
  echo "FAILED: $current: $1"
}

# Every line on standard error is a whole message of ours: no crash, no sanitizer, no empty line.
check_messages() {
  if [ -s "$err" ] && [ "$(tail -c 1 "$err" | wc -l)" -ne 1 ]; then
    problem "the last message has no newline"
  fi
  if grep -qv '^lprnet: [^ ]' "$err"; then
    problem "message does not begin with 'lprnet: ': $(grep -v '^lprnet: [^ ]' "$err" | head -n 1)"
  fi
  if grep -q '[[:cntrl:]]' "$err"; then problem "a message has control characters"; fi
}

# Runs the program; standard input is that of the caller.
run() {
  timeout 300 "${command[@]}" "$@" >"$out" 2>"$err"
  status=$?
  if [ $status -gt 3 ]; then problem "ended with status $status: $(head -n 1 "$err")"; fi
  check_messages
}

expect_status() {
  if [ $status -ne "$1" ]; then
    problem "status $status, expected $1: $(cat "$err" "$out" | head -n 1)"
  fi
}

expect_lines() {  # FILE COUNT
  local count
  count=$(wc -l <"$1")
  if [ "$count" -ne "$2" ]; then
    problem "$count lines, expected $2, in ${1##*.}: $(head -n 1 "$1")"
  fi
}

expect_text() {  # FILE TEXT...
  local file=$1 text
  shift
  for text in "$@"; do
    if ! grep -qF -e "$text" "$file"; then
      problem "std${file##*.} has no '$text': $(head -n 1 "$file")"
    fi
  done
}

expect_pattern() {  # FILE REGULAR_EXPRESSION: every line matches
  if grep -Eqv -e "$2" "$1"; then
    problem "std${1##*.} has a line unlike '$2': $(grep -Ev -e "$2" "$1" | head -n 1)"
  fi
}

expect_success() {
  expect_status 0
  expect_lines "$err" 0
}

# One message, nothing else.
expect_only_error() {  # STATUS TEXT...
  expect_status "$1"
  shift
  expect_lines "$err" 1
  expect_lines "$out" 0
  expect_text "$err" "$@"
}

# Every line of standard output is one JSON value: strings, then numbers and words, then objects
# and arrays from the inside out are replaced by one letter each, until one letter is left.
expect_json() {  # LINES KEY...
  local key
  expect_lines "$out" "$1"
  shift
  if sed -E \
    -e 's/"([^"\\[:cntrl:]]|\\["\\\/bfnrt]|\\u[0-9a-fA-F]{4})*"/s/g' \
    -e 's/-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?|true|false|null/v/g' \
    -e ':again' -e 's/\{(s:[sv](,s:[sv])*)?\}|\[([sv](,[sv])*)?\]/v/g' -e 'tagain' "$out" |
    grep -qvx v; then
    problem "stdout is not JSON: $(head -n 1 "$out")"
  fi
  for key in "$@"; do
    if grep -qvF -e "\"$key\":" "$out"; then problem "no key '$key'"; fi
  done
}

# --- Files ------------------------------------------------------------------------------------

little_endian() {  # VALUE BYTES
  local value=$1 i
  for ((i = 0; i < $2; ++i)); do
    # shellcheck disable=SC2059
    printf "\\x$(printf %02x $((value >> (8 * i) & 255)))"
  done
}

bmp_header() {  # WIDTH HEIGHT
  local row=$((($1 * 3 + 3) / 4 * 4))
  printf 'BM'
  little_endian $((54 + row * $2)) 4
  little_endian 0 4
  little_endian 54 4
  little_endian 40 4
  little_endian "$1" 4
  little_endian "$2" 4
  little_endian 1 2
  little_endian 24 2
  little_endian 0 24
}

bmp() {  # WIDTH HEIGHT, all black
  bmp_header "$1" "$2"
  head -c $((($1 * 3 + 3) / 4 * 4 * $2)) /dev/zero
}

safetensors() {  # HEADER BYTES_OF_ZEROS
  little_endian ${#1} 8
  printf '%s' "$1"
  head -c "$2" /dev/zero
}

# Only root reads what nobody may read.
can_forbid=yes
: >"$work/forbidden"
chmod 000 "$work/forbidden"
if [ -r "$work/forbidden" ]; then can_forbid=no; fi

line_format='^[^[:blank:]]*	[01]\.[0-9]{4}	[^	]+$'

# --- Usage ------------------------------------------------------------------------------------

check "--help"
run --help </dev/null
expect_success
expect_text "$out" Usage read eval bench perf verify prune doctor info

for verb in read eval bench perf verify doctor info; do
  check "$verb --help"
  run $verb --help </dev/null
  expect_success
  expect_text "$out" --model --precision --json
done

check "--version"
run --version </dev/null
expect_success
expect_lines "$out" 1
expect_pattern "$out" '^lprnet [0-9]+\.[0-9]+\.[0-9]+$'

wrong_usage() {  # NAME TEXT WORD...
  check "$1"
  local text=$2
  shift 2
  run "$@" </dev/null
  expect_only_error 2 "$text" "lprnet --help"
}
wrong_usage "no verb" subcommand
wrong_usage "unknown verb" "'paint'" paint
wrong_usage "unknown verb with a newline" "'pa\\x0aint'" $'pa\nint'
wrong_usage "two verbs" "info" info info
wrong_usage "unknown flag" "'--fast'" --fast
for verb in "read x" "eval x" bench "verify x" info; do
  # shellcheck disable=SC2086
  {
    wrong_usage "${verb% x}: unknown flag" "'--fast'" $verb --fast
    wrong_usage "${verb% x}: unknown precision" --precision $verb --precision fp8
    wrong_usage "${verb% x}: -m without a file" --model $verb -m
  }
done
wrong_usage "read: no path" PATH read
wrong_usage "eval: no labels" labels.tsv eval
wrong_usage "verify: no dump" DUMP verify
wrong_usage "read: unknown decoder" --decode read x --decode guess
wrong_usage "eval: unknown decoder" --decode eval x --decode guess
wrong_usage "read: no candidates" --topn read x -n 0
wrong_usage "read: too many candidates" --topn read x --nbest 101
wrong_usage "read: min-confidence above 1" --min-confidence read x --min-confidence 2
wrong_usage "read: min-confidence not a number" --min-confidence read x --min-confidence high
wrong_usage "read: roi of three numbers" --roi read x --roi 1,2,3
wrong_usage "read: roi of five numbers" --roi read x --roi 1,2,3,4,5
wrong_usage "read: roi with a letter" --roi read x --roi 1,2,3,x
wrong_usage "read: roi with a fraction" --roi read x --roi 0,0,1.5,2
wrong_usage "read: roi beyond int" --roi read x --roi 0,0,99999999999,2
wrong_usage "read: unknown raw format" "found 'yuv'" read x --raw yuv:640x480
wrong_usage "read: raw format without a size" "--raw: expected FORMAT:WIDTHxHEIGHT[:STRIDE]" \
  read x --raw nv12
wrong_usage "read: raw stride of less than a row" "a stride of 640" read x --raw nv12:640x480:639
wrong_usage "read: raw height of 0" "1 to 32768" read x --raw nv12:640x0
wrong_usage "read: quad of three corners" "--quad: expected x,y,x,y,x,y,x,y" \
  read x --quad 0,0,9,0,9,9
wrong_usage "read: quad the wrong way round" "clockwise from the top left" \
  read x --quad 0,0,0,9,9,9,9,0
wrong_usage "read: quad far away" "coordinates from -65536 to 65536" \
  read x --quad 0,0,99999,0,9,9,0,9
wrong_usage "read: the second quad is wrong" "'1,2'" read x --quad 0,0,9,0,9,9,0,9 --quad 1,2
wrong_usage "read: roi and quad" "--roi" read x --roi 0,0,9,9 --quad 0,0,9,0,9,9,0,9
wrong_usage "eval: min-accuracy above 1" --min-accuracy eval x --min-accuracy 1.5
wrong_usage "bench: 0 threads" --threads bench --threads 0
wrong_usage "bench: threads not a number" --threads bench --threads 1,many
wrong_usage "bench: 0 frames" --frames bench --frames 0
wrong_usage "bench: negative warmup" --warmup bench --warmup -1
wrong_usage "bench: unexpected word" "'plate.png'" bench plate.png
wrong_usage "verify: min-cosine above 1" --min-cosine verify x --min-cosine 2
wrong_usage "doctor: no image" "IMAGE=TEXT" doctor
wrong_usage "prune: no output" --output prune --amount 0.5
wrong_usage "prune: unknown flag" "'--fast'" prune -o x --amount 0.5 --fast
wrong_usage "prune: unexpected word" "'y'" prune -o x --amount 0.5 y
wrong_usage "prune: unknown shape" --shape prune -o x --amount 0.5 --shape rows
wrong_usage "prune: layer without a share" "NAME=AMOUNT" prune -o x --layer backbone.0
for amount in "" nan -nan inf -0.1 1.001 35% 0.5x 0x1 1e999; do
  wrong_usage "prune: amount '$amount'" "expected a share from 0 to 1, found '$amount'" \
    prune -o x --amount "$amount"
  wrong_usage "prune: layer with '$amount'" "expected a share from 0 to 1, found '$amount'" \
    prune -o x --layer "backbone.0=$amount"
done

# --- Samples that ship ------------------------------------------------------------------------

first_file=
first_text=
check "samples: labels.tsv is there"
if [ -f "$samples/labels.tsv" ]; then
  IFS=$'\t' read -r first_file first_text _ <"$samples/labels.tsv"
  if [ -z "$first_text" ]; then problem "$samples/labels.tsv has no labels"; fi
else
  problem "no $samples/labels.tsv"
fi
if [ $failed = yes ]; then
  echo "$checks checks, $failures failed; the others need the samples"
  exit 1
fi
plate=$samples/$first_file
extension=${first_file##*.}

sample_count=0
sample_paths=()
while IFS=$'\t' read -r file text _; do
  sample_count=$((sample_count + 1))
  sample_paths+=("$samples/$file")
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
run read "${sample_paths[@]}" </dev/null
cut -f 1 "$out" >"$work/texts"
LPRNET_ISA=reference run read "${sample_paths[@]}" </dev/null
expect_success
if ! cut -f 1 "$out" | cmp -s - "$work/texts"; then problem "the texts differ"; fi

check "read: each picture decides alone"
run read "$plate" </dev/null
alone=$(cat "$out")
run read "${sample_paths[@]}" "$plate" </dev/null
if [ "$(tail -n 1 "$out")" != "$alone" ]; then problem "after other pictures it is '$(tail -n 1 "$out")', alone '$alone'"; fi

# --- Paths ------------------------------------------------------------------------------------

check "read: list on standard input, CRLF, empty lines, no last newline"
run read - < <(printf '%s\r\n\r\n\n%s\n%s' "$plate" "$plate" "$plate")
expect_success
expect_lines "$out" 3
expect_pattern "$out" "^$first_text	"

check "read: empty list on standard input"
run read - </dev/null
expect_success
expect_lines "$out" 0

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

# --- Pictures that are none -------------------------------------------------------------------

junk=$work/junk
mkdir "$junk" "$junk/deep" "$junk/folder.png"
cp "$plate" "$junk/a_good.$extension"
cp "$plate" "$junk/deep/good.$extension"
cp "$plate" "$junk/z_good.$extension"
bmp 1 1 >"$junk/one_pixel.bmp"
bmp 20000 1 >"$junk/very_wide.bmp"
bmp 1 20000 >"$junk/very_tall.bmp"
good=6

bad=0
bad_names=()
junk_file() {  # NAME: the file is there, and no picture
  bad=$((bad + 1))
  bad_names+=("$junk/$1")
}
echo "not an image" >"$junk/text.png"; junk_file text.png
: >"$junk/empty.jpg"; junk_file empty.jpg
size=$(wc -c <"$plate")
for part in 1 2 12 40 200 $((size / 2)) $((size - 3)); do
  head -c "$part" "$plate" >"$junk/cut_$part.$extension"; junk_file "cut_$part.$extension"
done
for sample in "${sample_paths[@]}"; do  # the other format
  if [ "${sample##*.}" != "$extension" ]; then
    for part in 8 20 33 60 $(($(wc -c <"$sample") / 2)); do
      head -c "$part" "$sample" >"$junk/cut_$part.${sample##*.}"
      junk_file "cut_$part.${sample##*.}"
    done
    break
  fi
done
bmp 94 24 | head -c 30 >"$junk/header.bmp"; junk_file header.bmp
bmp_header 94 24 >"$junk/no_pixels.bmp"; junk_file no_pixels.bmp
bmp 94 24 | head -c 6000 >"$junk/half.bmp"; junk_file half.bmp
bmp 40000 1 >"$junk/too_wide.bmp"; junk_file too_wide.bmp
bmp 1 40000 >"$junk/too_tall.bmp"; junk_file too_tall.bmp
bmp_header 30000 30000 >"$junk/too_large.bmp"; junk_file too_large.bmp
bmp_header 8000 8000 >"$junk/bomb.bmp"; junk_file bomb.bmp
bmp_header 0 0 >"$junk/no_size.bmp"; junk_file no_size.bmp
head -c 5000 /dev/zero >"$junk/zeros.png"; junk_file zeros.png
printf 'GIF89a\x01\x00\x01\x00\x00\x00\x00;' >"$junk/other.png"; junk_file other.png
ln -s nowhere "$junk/dangling.png"; junk_file dangling.png
ln -s loop.png "$junk/loop.png"; junk_file loop.png
if mkfifo "$junk/pipe.png" 2>/dev/null; then junk_file pipe.png; fi
if [ $can_forbid = yes ]; then
  cp "$plate" "$junk/forbidden.png"; chmod 000 "$junk/forbidden.png"; junk_file forbidden.png
fi

check "read: folder of good and bad pictures"
run read "$junk" </dev/null
expect_status 3
expect_lines "$out" $good
expect_lines "$err" $bad
expect_pattern "$out" "$line_format"
if [ "$(grep -c "^$first_text	" "$out")" -ne 3 ]; then problem "a good picture was not read"; fi
for name in "${bad_names[@]}"; do
  if [ "$(grep -cF -e "lprnet: $name: " "$err")" -ne 1 ]; then
    problem "not one message for ${name##*/}"
  fi
done
if grep -q '()' "$err"; then problem "a message gives no reason: $(grep '()' "$err" | head -n 1)"; fi

for name in "${bad_names[@]}"; do
  check "read: ${name##*/} alone"
  run read "$name" </dev/null
  expect_only_error 3 "$name"
done

check "read -j: the same folder"
run read -j "$junk" </dev/null
expect_status 3
expect_json $good file plate
expect_lines "$err" $bad

check "read: files that are not named like images are skipped, with a message"
mkdir "$work/mixed"
cp "$plate" "$work/mixed/plate.$extension"
echo "notes" >"$work/mixed/notes.txt"
run read "$work/mixed" </dev/null
expect_status 0
expect_lines "$out" 1
expect_lines "$err" 1
expect_text "$err" "notes.txt" "skipped"

check "read: folder with nothing but other files"
mkdir "$work/notes"
echo "notes" >"$work/notes/notes.txt"
run read "$work/notes" </dev/null
expect_status 3
expect_lines "$out" 0
expect_text "$err" "no image"

if [ $can_forbid = yes ]; then
  check "read: folder that may not be listed"
  mkdir "$work/closed"
  cp "$plate" "$work/closed/plate.$extension"
  chmod 000 "$work/closed"
  run read "$work/closed" </dev/null
  expect_status 3
  expect_lines "$out" 0
  expect_text "$err" "$work/closed"
else
  echo "skipped: files without read permission, as this user may read every file"
fi

# --- Region, confidence -----------------------------------------------------------------------

bmp 94 24 >"$work/black.bmp"
check "read: roi of the whole image changes nothing"
run read "$work/black.bmp" </dev/null
whole=$(cat "$out")
run read --roi 0,0,94,24 "$work/black.bmp" </dev/null
expect_success
if [ "$(cat "$out")" != "$whole" ]; then problem "it does"; fi

check "read: roi inside"
run read "$work/black.bmp" --roi 93,23,1,1 </dev/null
expect_success
expect_lines "$out" 1

for roi in 0,0,95,24 0,0,94,25 94,0,1,1 0,24,1,1 -1,0,5,5 0,-1,5,5 0,0,0,5 0,0,5,0 0,0,-5,5 \
  2147483647,0,1,1 1,0,2147483647,1 -2147483648,0,1,1; do
  check "read: roi $roi is outside"
  run read "--roi=$roi" "$work/black.bmp" </dev/null
  expect_only_error 3 "$work/black.bmp" "$roi" 94x24
done

check "read: roi is judged for each image"
run read --roi 0,0,94,24 "$work/black.bmp" "$junk/one_pixel.bmp" </dev/null
expect_status 3
expect_lines "$out" 1
expect_lines "$err" 1

check "read: quad of the whole image changes nothing"
run read --quad 0,0,94,0,94,24,0,24 "$work/black.bmp" </dev/null
expect_success
if [ "$(cat "$out")" != "$whole" ]; then problem "it does"; fi

check "read: several quads, each with its number"
run read "$work/black.bmp" --quad 0,0,94,0,94,24,0,24 --quad 5.5,1,60,3,58,20,4,18 </dev/null
expect_success
expect_lines "$out" 2
if [ "$(head -n 1 "$out")" != "$whole	1" ]; then problem "the first line is '$(head -n 1 "$out")'"; fi
if [ "$(tail -n 1 "$out" | cut -f 3-)" != "$work/black.bmp	2" ]; then problem "no number 2"; fi

check "read: a quad may reach beyond the image"
run read "$work/black.bmp" --quad -20,-5,120,-5,120,30,-20,30 </dev/null
expect_success
expect_lines "$out" 1

check "read: a quad outside, and one inside that is still read"
run read "$work/black.bmp" --quad 94,0,99,0,99,9,94,9 --quad 0,0,94,0,94,24,0,24 </dev/null
expect_status 3
expect_lines "$out" 1
expect_lines "$err" 1
expect_text "$err" "$work/black.bmp: quad 94,0,99,0,99,9,94,9 lies outside" 94x24

check "read -j: quads"
run read -j "$work/black.bmp" --quad 0,0,94,0,94,24,0,24 --quad 5.5,1,60,3,58,20,4,18 </dev/null
expect_success
expect_json 2 file quad
expect_text "$out" '"quad":[5.5,1.0,60.0,3.0,58.0,20.0,4.0,18.0]'

check "read: two rows, of a quad, a region and the whole image"
run read --two-rows "$work/black.bmp" </dev/null
expect_success
two_rows=$(cat "$out")
run read --two-rows --roi 0,0,94,24 "$work/black.bmp" </dev/null
expect_success
if [ "$(cat "$out")" != "$two_rows" ]; then problem "the region reads otherwise"; fi
run read --two-rows --quad 0,0,94,0,94,24,0,24 "$work/black.bmp" </dev/null
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
  run read --raw $format:94x24 "$raw/$format" </dev/null
  expect_success
  if [ "$(cut -f 1,2 "$out")" != "$(printf '%s' "$whole" | cut -f 1,2)" ]; then
    problem "not as the same pixels in a BMP: $(cat "$out")"
  fi
done

check "read: raw with a stride, odd sizes"
{ same_byte 20 $((101 * 23)); same_byte 200 $((102 * 12)); } >"$work/odd.nv12"
run read --raw NV12:93x23:101 "$work/odd.nv12" </dev/null
expect_success
expect_lines "$out" 1

check "read: raw and a region, raw and a quad"
run read --raw nv12:94x24 --roi 3,3,50,20 "$raw/nv12" </dev/null
expect_success
run read --raw nv12:94x24 --quad 5,1,60,3,58,20,4,18 "$raw/nv12" </dev/null
expect_success
expect_lines "$out" 1

check "read: a folder of raw frames, whatever their names"
mkdir "$work/frames"
cp "$raw/nv12" "$work/frames/first"
cp "$raw/nv21" "$work/frames/second.yuv"
: >"$work/frames/labels.tsv"
run read --raw nv12:94x24 "$work/frames" </dev/null
expect_success
expect_lines "$out" 2

check "read: raw file of another size"
run read --raw nv12:94x26 "$raw/nv12" </dev/null
expect_only_error 3 "$raw/nv12: expected a frame of 3666 bytes, found 3384"

check "read: empty raw file"
: >"$work/empty.raw"
run read --raw nv12:94x24 "$work/empty.raw" </dev/null
expect_only_error 3 "$work/empty.raw"

check "read: missing raw file, then one that is there"
run read --raw nv12:94x24 "$work/missing.raw" "$raw/nv12" </dev/null
expect_status 3
expect_lines "$out" 1
expect_lines "$err" 1
expect_text "$err" "$work/missing.raw" "no such file"

check "read: --min-confidence 0 keeps all"
run read --min-confidence 0 "${sample_paths[@]}" </dev/null
expect_success
expect_lines "$out" $sample_count

check "read: --min-confidence leaves out the less certain"
run read "${sample_paths[@]}" </dev/null
kept=$(cut -f 2 "$out" | awk '$1 >= 0.5' | wc -l)
run read --min-confidence 0.5 "${sample_paths[@]}" </dev/null
expect_success
# A confidence that is printed as 0.5000 may be a little less.
lines=$(wc -l <"$out")
if [ "$lines" -ne "$kept" ] && ! grep -q '	0.5000	' "$out"; then problem "$lines lines, expected $kept"; fi

# --- Decoders and formats ---------------------------------------------------------------------

run read --decode greedy "${sample_paths[@]}" </dev/null
cut -f 1 "$out" >"$work/texts"
for decoder in beam grammar; do
  check "read: --decode $decoder reads the samples too"
  run read --decode $decoder "${sample_paths[@]}" </dev/null
  expect_success
  if ! cut -f 1 "$out" | cmp -s - "$work/texts"; then problem "the texts differ"; fi
done

check "read: candidates, one a line, best first"
run read --decode grammar -n 3 "$plate" </dev/null
expect_success
expect_lines "$out" 3
if [ "$(head -n 1 "$out" | cut -f 1)" != "$first_text" ]; then problem "the first is not $first_text"; fi
if ! cut -f 2 "$out" | sort -rgc 2>"$work/.sorted"; then problem "not in order"; fi
check "read: --topn, --nbest and -n are the same"
cp "$out" "$work/three"
run read --decode grammar --nbest 3 "$plate" </dev/null
if ! cmp -s "$out" "$work/three"; then problem "--nbest differs"; fi
run read --decode grammar --topn 3 "$plate" </dev/null
if ! cmp -s "$out" "$work/three"; then problem "--topn differs"; fi
check "read -j: candidates"
run read -j --decode grammar -n 3 "$plate" </dev/null
expect_json 1 candidates
if [ "$(grep -o '"matches_template":true' "$out" | wc -l)" -ne 4 ]; then
  problem "not 3 candidates with a format"
fi

printf '// one short format\nshort : %s@#\n' "${first_text:0:1}" >"$work/short.txt"
check "read: --pattern FILE alone decodes by grammar"
run read --pattern "$work/short.txt" "$plate" </dev/null
expect_success
if [ "$(cut -f 1 "$out" | wc -m)" -ne 4 ]; then problem "read '$(cut -f 1 "$out")', expected 3 characters"; fi
check "read: --pattern with another decoder says what matches"
run read -j --decode greedy --pattern "$work/short.txt" "$plate" </dev/null
expect_text "$out" "\"plate\":\"$first_text\"" '"matches_template":false'
run read -j --decode greedy --pattern cn "$plate" </dev/null
expect_text "$out" '"matches_template":true'
check "read: --pattern that does not exist"
run read --pattern "$work/none.txt" "$plate" </dev/null
expect_only_error 3 "$work/none.txt" "cannot be opened"
printf 'x : #\n  y : #{\n' >"$work/bad.txt"
for verb in "read $plate" "eval $samples" info; do
  check "${verb%% *}: an error in --pattern has its line and column"
  # shellcheck disable=SC2086
  run $verb --pattern "$work/bad.txt" </dev/null
  expect_only_error 3 "$work/bad.txt:2:9: expected a number"
done
printf 'x : 警警\n' >"$work/foreign.txt"
check "read: formats that the model cannot write"
run read --pattern "$work/foreign.txt" "$plate" </dev/null
expect_only_error 3 "none of 1 formats"
check "info: formats that are left out"
run info --pattern "$work/foreign.txt" </dev/null
expect_success
expect_text "$out" "none; left out for want of characters: x"
run info -j </dev/null
expect_text "$out" '{"name":"standard","prior":1.0,"used":true}'

check "read: --reject leaves out what shows no plate"
for decoder in greedy beam grammar; do
  run read --decode $decoder --reject "$work/black.bmp" "$plate" </dev/null
  expect_success
  expect_lines "$out" 1
  expect_text "$out" "$first_text"
done

# --- eval -------------------------------------------------------------------------------------

check "eval: decoders"
for decoder in greedy beam grammar; do
  run eval -j --decode $decoder "$samples" </dev/null
  expect_success
  expect_json 1 decode expected_calibration_error mean_confidence rejected reliability temperature
  expect_text "$out" "\"decode\":\"$decoder\"" "\"correct\":$sample_count" '"rejected":0'
done
check "eval: --fit-temperature"
run eval -j --fit-temperature "$samples" </dev/null
expect_success
expect_json 1 fitted_temperature fitted_loss loss_at_one
run eval --fit-temperature "$samples" </dev/null
expect_text "$out" "fits best"
check "eval: --fit-temperature without a readable image"
printf 'missing.png\tA\n' >"$work/all_missing.tsv"
run eval --fit-temperature "$work/all_missing.tsv" </dev/null
expect_status 3
expect_text "$err" missing.png "no image to fit"

check "eval: table of the samples"
run eval "$samples/labels.tsv" </dev/null
expect_success
expect_text "$out" "plate %" "character %" "first %" all "length ${#first_text}" model

check "eval: folder that holds a labels.tsv"
run eval --min-accuracy 1 "$samples" </dev/null
expect_success

check "eval -j"
run eval -j "$samples" </dev/null
expect_success
expect_json 1 plates correct accuracy char_accuracy first_char_accuracy decode precision isa model \
  by_set by_length confusions
expect_text "$out" "\"plates\":$sample_count" "\"by_length\":{\"${#first_text}\":{\"plates\":"

labels=$work/labels
mkdir "$labels"
cp "$plate" "$labels/one.$extension"
cp "$plate" "$labels/two words.$extension"
check "eval: third column is the set, more columns are ignored, CRLF and empty lines too"
printf 'one.%s\t%s\tstreet\tx\ty\r\n\r\n\ntwo words.%s\t%s\tyard' \
  "$extension" "$first_text" "$extension" "$first_text" >"$labels/sets.tsv"
run eval "$labels/sets.tsv" </dev/null
expect_success
expect_text "$out" street yard
run eval -j "$labels/sets.tsv" </dev/null
expect_json 1 plates by_set street yard
expect_text "$out" '"plates":2,"correct":2'

check "eval: absolute paths"
printf '%s\t%s\n' "$labels/one.$extension" "$first_text" >"$work/absolute.tsv"
run eval --min-accuracy 1 "$work/absolute.tsv" </dev/null
expect_success

check "eval: names are labels"
mkdir "$work/named"
for ending in "" -1 _left .front; do cp "$plate" "$work/named/$first_text$ending.$extension"; done
run eval -j --min-accuracy 1 "$work/named" </dev/null
expect_success
expect_text "$out" '"plates":4,"correct":4'

check "eval: --min-accuracy that does not hold"
printf 'one.%s\t%sX\ntwo words.%s\t%s\n' "$extension" "$first_text" "$extension" "$first_text" \
  >"$labels/half.tsv"
run eval --min-accuracy 0.6 "$labels/half.tsv" </dev/null
expect_status 1
expect_lines "$err" 1
expect_text "$err" accuracy 0.5000 0.6000
expect_text "$out" "(none)"
check "eval: --min-accuracy that just holds"
run eval --min-accuracy 0.5 "$labels/half.tsv" </dev/null
expect_success
check "eval -j: confusions"
run eval -j "$labels/half.tsv" </dev/null
expect_success
expect_json 1 confusions expected found count
expect_text "$out" '{"expected":"X","found":"","count":1}'

check "eval: images that cannot be read"
printf 'one.%s\t%s\nmissing.png\t%s\n' "$extension" "$first_text" "$first_text" >"$labels/missing.tsv"
run eval -j "$labels/missing.tsv" </dev/null
expect_status 3
expect_lines "$err" 1
expect_text "$err" missing.png
expect_text "$out" '"plates":1,"correct":1'

check "eval: no image can be read"
printf 'missing.png\tA\n' >"$labels/all_missing.tsv"
run eval -j "$labels/all_missing.tsv" </dev/null
expect_status 3
expect_json 1 plates accuracy

labels_error() {  # NAME TEXT, with $labels/bad.tsv
  check "eval: $1"
  run eval "$labels/bad.tsv" </dev/null
  expect_only_error 3 "$labels/bad.tsv" "$2"
}
printf 'one.png\tA\none.png A\n' >"$labels/bad.tsv"
labels_error "line without a tab" "line 2"
printf 'one.png\t\n' >"$labels/bad.tsv"
labels_error "line without a text" "line 1"
printf '\tA\n' >"$labels/bad.tsv"
labels_error "line without a path" "line 1"
printf 'one.png\t\xff\xfe\n' >"$labels/bad.tsv"
labels_error "text that is not UTF-8" '\xff\xfe'
: >"$labels/bad.tsv"
labels_error "empty table" "no label"
printf '\n\r\n' >"$labels/bad.tsv"
labels_error "table of empty lines" "no label"
head -c 100000 /dev/zero >"$labels/bad.tsv"
labels_error "table of zeros" "line 1"
rm "$labels/bad.tsv"
labels_error "missing table" "bad.tsv"

check "eval: empty folder"
run eval "$work/nothing" </dev/null
expect_only_error 3 "$work/nothing"

check "eval: name without a text"
mkdir "$work/nameless"
cp "$plate" "$work/nameless/-1.$extension"
run eval "$work/nameless" </dev/null
expect_only_error 3 "$work/nameless/-1.$extension"

# --- doctor -----------------------------------------------------------------------------------

labelled=()
while IFS=$'\t' read -r file text _; do labelled+=("$samples/$file=$text"); done <"$samples/labels.tsv"

check "doctor: the model that ships fits"
run doctor "${labelled[@]}" </dev/null
expect_success
expect_text "$out" "of $sample_count plates" "model file, " BGR "(x - 127.5) / 128" bilinear \
  "the model file fits"

check "doctor: a folder and a table are the same as words"
cp "$out" "$work/doctor"
run doctor "$samples" </dev/null
expect_success
if ! cmp -s "$out" "$work/doctor"; then problem "the folder gives another answer"; fi
run doctor "$samples/labels.tsv" </dev/null
if ! cmp -s "$out" "$work/doctor"; then problem "the table gives another answer"; fi

check "doctor -j"
run doctor -j "$plate=$first_text" </dev/null
expect_success
expect_json 1 plates characters verdict settings channel_order scale resize right edits \
  log_likelihood as_good_as_best model_file model

check "doctor: images of the network's size tell nothing about the resize"
small=()
for word in "${labelled[@]}"; do
  case $word in *.png=*) small+=("$word") ;; esac
done
run doctor "${small[@]}" </dev/null
expect_success
expect_text "$out" "resize         cannot be told"

# The weights that ship, with another scale written into the file: the bytes stay as many.
wrong_model=$work/wrong_scale.safetensors
LC_ALL=C sed 's/0\.0078125/1.0000000/' "$weights" >"$wrong_model"
check "doctor: a model file with a wrong scale"
if cmp -s "$weights" "$wrong_model"; then problem "the scale was not found in $weights"; fi
run doctor -m "$wrong_model" "${labelled[@]}" </dev/null
expect_status 1
expect_lines "$err" 0
expect_text "$out" "model file     BGR, (x - 127.5), bilinear: 0 of" "the model file does not fit" \
  "(x - 127.5) / 128"
run doctor -j -m "$wrong_model" "${labelled[@]}" </dev/null
expect_status 1
expect_text "$out" '"verdict":"the model file does not fit"'

check "doctor: wrong texts, so nothing fits"
run doctor "$plate=川B00000" "${sample_paths[1]}=京X99999" </dev/null
expect_status 1
expect_text "$out" "nothing fits" "0 of 2"

check "doctor: a text with a character that the model lacks"
run doctor "$plate=警A12345" </dev/null
expect_only_error 3 "$plate" "'警A12345'" "'警'" "cannot read"

check "doctor: a text longer than the model can write"
run doctor "$plate=AAAAAAAAAAAAAAAAAAAAA" </dev/null
expect_only_error 3 "$plate" "expected 1 to 18 characters"

check "doctor: a missing image, and the others"
run doctor "$work/missing.png=京A12345" "$plate=$first_text" </dev/null
expect_status 3
expect_lines "$err" 1
expect_text "$err" "$work/missing.png" "no such file"
expect_text "$out" "of 1 plates"

for word in "$plate" "=京A12345" "$plate="; do
  check "doctor: '${word##*/}' is no IMAGE=TEXT"
  run doctor "$word" </dev/null
  expect_only_error 2 "expected IMAGE=TEXT, a folder or a labels.tsv" "${word##*/}"
done

check "doctor: an image with = in its name"
cp "$plate" "$work/a=b.$extension"
run doctor "$work/a=b.$extension=$first_text" </dev/null
expect_success

# --- bench ------------------------------------------------------------------------------------

check "bench"
run bench --frames 5 --warmup 1 </dev/null
expect_success
expect_text "$out" Threads Frames "Total time" "Average latency" "Frame rate" FPS min p50 p90 p99 max

check "bench: alias and names of hrt_model_exec"
run perf --frame_count 3 --thread_num 1 --warmup 0 </dev/null
expect_success

check "bench -j"
run bench -j --frames 5 --warmup 0 --threads 1,2 </dev/null
expect_success
expect_json 1 precision isa threads intra frames latency_ms min mean p50 p90 p99 max fps model cpu
expect_pattern "$out" '^\[\{.*"threads":1,.*"threads":2,.*\}\]$'

check "bench: more threads than frames"
run bench -j --frames 1 --warmup 0 --threads 4 --include-image </dev/null
expect_success
expect_json 1 threads frames

check "bench --per-layer"
run bench --frames 3 --warmup 0 --per-layer </dev/null
expect_success
expect_text "$out" "layer" "GMAC/s" "conv2d_f32" "all"
run bench -j --frames 3 --warmup 0 --per-layer --include-image </dev/null
expect_success
expect_json 1 layers kernel ms gmacs

# --- info, instruction sets -------------------------------------------------------------------

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
number_of() { sed -E "s/.*\"$1\":([0-9]+).*/\\1/" "$out"; }
classes=$(number_of classes)
steps=$(number_of steps)
width=$(number_of width)
height=$(number_of height)
isas=$(sed -E 's/.*"isas":\[([^]]*)\].*/\1/' "$out" | tr -d '"' | tr ',' ' ')

for isa in $isas; do
  check "LPRNET_ISA=$isa"
  LPRNET_ISA=$isa run info -j </dev/null
  expect_success
  expect_text "$out" "\"isa\":\"$isa\""
done

for verb in "read $work/black.bmp" "eval $labels/sets.tsv" "bench --frames 1" "verify x" info; do
  check "LPRNET_ISA=nonsense ${verb%% *}"
  # shellcheck disable=SC2086
  LPRNET_ISA=nonsense run $verb </dev/null
  expect_only_error 2 "'nonsense'" reference
done
check "LPRNET_ISA with control characters"
LPRNET_ISA=$'a\nb\e[31m' run info </dev/null
expect_only_error 2 'a\x0ab\x1b[31m'

# --- Weights files ----------------------------------------------------------------------------

check "-m: the weights that ship"
run read -m "$weights" "$plate" </dev/null
expect_success
expect_pattern "$out" "^$first_text	"

check "-m: the path is the model's name"
run info -j --model "$weights" </dev/null
expect_success
expect_text "$out" "\"model\":\"$weights\""

models=$work/models
mkdir "$models" "$models/folder"
echo "this is not a model" >"$models/text"
: >"$models/empty"
printf 'short' >"$models/short"
{ printf 'PK\x03\x04'; head -c 2000 /dev/zero; } >"$models/archive.pth"
head -c 2000 /dev/zero >"$models/zeros"
{ printf '\xff\xff\xff\xff\xff\xff\xff\x7f'; head -c 100 /dev/zero; } >"$models/long_header"
safetensors '{}' 0 >"$models/no_tensors"
safetensors '{"x":' 0 >"$models/bad_json"
safetensors '{"__metadata__":{"lprnet.format":"1"}}' 0 >"$models/no_charset"
safetensors '{"__metadata__":{"lprnet.format":"2\n\u001b"}}' 0 >"$models/other_format"
safetensors '{"__metadata__":{"lprnet.format":"1","lprnet.charset":"[\"A\",\"-\"]","lprnet.preprocess":"{\"width\":94,\"height\":24,\"channel_order\":\"BGR\",\"mean\":0,\"scale\":1,\"resize\":\"bilinear\"}"}}' \
  0 >"$models/metadata_alone"
cp "$plate" "$models/picture"
if [ -f "$weights" ]; then
  size=$(wc -c <"$weights")
  for part in 8 100 $((size / 2)) $((size - 1)); do head -c "$part" "$weights" >"$models/cut_$part"; done
  { cat "$weights"; printf 'x'; } >"$models/one_byte_more"
fi
ln -s nowhere "$models/dangling"
for model in "$models"/* "$models/missing"; do
  for verb in "read $work/black.bmp" info; do
    check "${verb%% *} -m ${model##*/}"
    # shellcheck disable=SC2086
    run $verb -m "$model" </dev/null
    expect_only_error 3 "$model"
  done
done
for verb in "eval $labels/sets.tsv" "bench --frames 1" "verify $weights"; do
  check "${verb%% *} -m text"
  # shellcheck disable=SC2086
  run $verb -m "$models/text" </dev/null
  expect_only_error 3 "$models/text"
done

# --- verify -----------------------------------------------------------------------------------

verify_error() {  # NAME FILE TEXT...
  check "verify: $1"
  local file=$2
  shift 2
  run verify "$file" </dev/null
  expect_only_error 3 "$file" "$@"
}
verify_error "missing dump" "$work/missing.safetensors" "no such file"
verify_error "a model instead of a dump" "$weights" "expected 'dump-1'"
verify_error "a folder instead of a dump" "$models/folder"
verify_error "a picture instead of a dump" "$plate"

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

# --- prune ------------------------------------------------------------------------------------

check "prune --help"
run prune --help </dev/null
expect_success
expect_text "$out" --model --output --amount --layer --keep --global --shape --calibration --json

pruned=$work/pruned.safetensors
check "prune"
run prune -m "$weights" -o "$pruned" --amount 0.35 </dev/null
expect_success
expect_text "$out" "zero %" "L1 lost %" "L2 lost %" backbone.0 container.0 all "$pruned"
if [ "$(stat -c %s "$pruned")" -gt 1250000 ]; then problem "$(stat -c %s "$pruned") bytes"; fi

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
  '"name":"container.0","weights":35088,"zeros":8772,' "\"before\":{\"plates\":$sample_count,"
run info -m "$work/other.safetensors" </dev/null
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
expect_text "$out" '"name":"backbone.16","weights":65536,"zeros":0,' '"zeros":203673,'

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
prune_error "unknown layer to keep" 2 "no layer 'backbone.3', expected one of backbone.0, backbone.4.block.0," \
  --amount 0.5 --keep backbone.3
prune_error "unknown layer" 2 "no layer 'x'" --layer x=0.5
prune_error "layer named twice" 2 "'backbone.0' is named twice" \
  --amount 0.5 --keep backbone.0 --layer backbone.0=1
prune_error "missing model" 3 "$work/missing.safetensors" -m "$work/missing.safetensors" --amount 0.5
prune_error "no model" 3 "$models/text" -m "$models/text" --amount 0.5
prune_error "missing labels" 3 "$work/missing" --amount 0.5 --calibration "$work/missing"
LPRNET_ISA=nonsense prune_error "unknown instruction set" 2 "'nonsense'" \
  --amount 0.5 --calibration "$samples"
check "prune: a folder that is not there"
run prune -o "$work/missing/other.safetensors" --amount 0.5 </dev/null
expect_only_error 3 "$work/missing/other.safetensors" "cannot be created"

check "prune: images that cannot be read"
run prune -j -o "$work/other.safetensors" --amount 0.5 --calibration "$labels/missing.tsv" </dev/null
expect_status 3
expect_lines "$err" 1
expect_text "$err" missing.png
expect_text "$out" '"plates":1'

check "a sparse model that is cut short"
head -c 1000000 "$pruned" >"$models/short_sparse"
run info -m "$models/short_sparse" </dev/null
expect_only_error 3 "$models/short_sparse"

# --- Standard output that fails ---------------------------------------------------------------

if [ -c /dev/full ]; then
  for verb in "read $plate" "read -j $plate" "eval $labels/sets.tsv" "bench --frames 1 --warmup 0" \
    info "info -j" --help --version "read --help"; do
    check "full disk: ${verb%%/*}"
    # shellcheck disable=SC2086
    timeout 300 "${command[@]}" $verb >/dev/full 2>"$err" </dev/null
    status=$?
    expect_status 3
    check_messages
    expect_lines "$err" 1
    expect_text "$err" "cannot write to standard output"
  done
fi
check "closed standard output"
timeout 300 "${command[@]}" read "$plate" >&- 2>"$err" </dev/null
status=$?
expect_status 3
check_messages
expect_text "$err" "cannot write to standard output"

check "closed standard input"
run read - <&-
expect_status 0
expect_lines "$out" 0

check "no colour, no progress bar where there is no terminal"
run read "$junk" </dev/null
if grep -q $'\e\\|\r' "$out" "$err"; then problem "there is"; fi

echo "$checks checks, $failures failed"
[ $failures -eq 0 ]
