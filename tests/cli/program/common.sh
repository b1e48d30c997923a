# What the tests in this folder share. They test what people and scripts see of the program: exit
# statuses, lines on standard output and standard error, and what becomes of bad inputs. Accuracy,
# speed and numbers are tested elsewhere. Each is called as
#
#   NAME.sh SOURCE_DIR [EMULATOR...] PROGRAM
#
# begins with `source common.sh` and ends with `finish`.
#
# LPRNET_SAMPLES and LPRNET_WEIGHTS name a sample folder and a weights file other than the ones
# that ship.
set -u
export LC_ALL=C.UTF-8
unset LPRNET_ISA

if [ $# -lt 2 ]; then
  echo "usage: ${0##*/} SOURCE_DIR [EMULATOR...] PROGRAM" >&2
  exit 2
fi
source_folder=$(cd "$1" && pwd) || exit 2
shift
command=()
for word in "$@"; do
  if [ -n "$word" ]; then command+=("$word"); fi
done
emulated=no
if [ ${#command[@]} -gt 1 ]; then emulated=yes; fi
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

# No line is wider than a terminal; Chinese characters take two columns.
expect_narrow() {  # FILE
  local wide
  wide=$(LC_ALL=C awk '{ line = $0
    width = 2 * gsub(/[\340-\377]/, "") + gsub(/[\300-\337]/, "")
    gsub(/[\200-\277]/, "")
    if (width + length($0) > 100) print line }' "$1")
  if [ -n "$wide" ]; then problem "lines of more than 100 columns: $wide"; fi
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

# The number with that key in the JSON on standard output.
number_of() { sed -E "s/.*\"$1\":([0-9]+).*/\\1/" "$out"; }

# --- Files ------------------------------------------------------------------------------------

little_endian() {  # VALUE BYTES
  local value=$1 i
  for ((i = 0; i < $2; ++i)); do
    # shellcheck disable=SC2059  # the byte is an escape of the format
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
while IFS=$'\t' read -r file _; do
  sample_count=$((sample_count + 1))
  sample_paths+=("$samples/$file")
done <"$samples/labels.tsv"

black=$work/black.bmp
bmp 94 24 >"$black"
labels_of_plate=$work/plate.tsv
printf '%s\t%s\n' "$plate" "$first_text" >"$labels_of_plate"

finish() {
  echo "$checks checks, $failures failed"
  [ $failures -eq 0 ]
  exit
}
