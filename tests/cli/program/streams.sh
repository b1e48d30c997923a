#!/usr/bin/env bash
# What comes from files and names: printed escaped wherever it is printed, and what is no text file
# where one is expected is one line and no wait.
source "$(dirname "$0")/common.sh"

# --- Files that are none ----------------------------------------------------------------------

folder=$work/things
mkdir "$folder" "$folder/folder"
things=("$folder/folder" "$folder/none" /dev/null /dev/zero)
if mkfifo "$folder/pipe" 2>/dev/null; then things+=("$folder/pipe"); fi
printf '\xff\xfel\0p\0' >"$folder/utf16"
printf 'lprnet tuning 1\nisa \0\n' >"$folder/zeros"
things+=("$folder/utf16" "$folder/zeros")
truncate -s 300000000 "$folder/large"
things+=("$folder/large")
for thing in "${things[@]}"; do
  for use in "--tuning $thing" "-p $thing" "-m $thing"; do
    check "read: ${use%% *} ${thing##*/}"
    # shellcheck disable=SC2086  # several words
    run read $use "$plate" </dev/null
    expect_only_error 3 "$thing"
  done
  check "eval: labels ${thing##*/}"
  if [ "$thing" != "$folder/folder" ]; then
    run eval "$thing" </dev/null
    expect_only_error 3 "$thing"
  fi
  check "read: LPRNET_TUNING=${thing##*/}"
  LPRNET_TUNING=$thing run read "$plate" </dev/null
  expect_only_error 3 "$thing"
  check "read: a raw frame in ${thing##*/}"
  run read --raw gray:94x24 "$thing" </dev/null
  expect_status 3
  expect_lines "$err" 1
  expect_text "$err" "$thing"
done
rm "$folder/large"

check "text files with a byte order mark and CRLF"
printf '\xef\xbb\xbfx : ?{7,8}\r\n' >"$folder/formats"
run read --pattern "$folder/formats" "$plate" </dev/null
expect_success
expect_text "$out" "$first_text"
printf '\xef\xbb\xbflprnet tuning 1\r\n' >"$folder/tuning"
run read --tuning "$folder/tuning" "$plate" </dev/null
expect_success
printf '\xef\xbb\xbf%s\t%s\r\n' "$plate" "$first_text" >"$folder/labels.tsv"
run eval --min-accuracy 1 "$folder/labels.tsv" </dev/null
expect_success
check "a list with a byte order mark"
run read - < <(printf '\xef\xbb\xbf%s\r\n%s\n' "$plate" "$plate")
expect_success
expect_lines "$out" 2
check "a list of zero bytes between paths"
run read - < <(printf '%s\0' "$plate" "$plate")
expect_only_error 3 "standard input: line 1 has a zero byte"
check "a list without an end"
run read - < <(head -c 3000000 /dev/zero | tr '\0' a)
expect_only_error 3 "standard input: expected one path a line"

# --- Names that do something to a terminal ----------------------------------------------------

# A clear screen, a line of its own, a tab, bytes that are not UTF-8, C1 and right to left.
evil=$folder/$'\e[2J\n粤A00000\t0.9999\tx\xff\xc2\x9b\xe2\x80\xae'
mkdir "$evil"
cp "$plate" "$evil/plate.$extension"
shown='\x1b[2J\x0a粤A00000\x090.9999\x09x\xff\xc2\x9b\xe2\x80\xae'

no_raw() {  # in neither output
  if grep -q $'\e\\|\xc2\x9b\\|\xe2\x80\xae\\|\xff' "$out" "$err"; then problem "raw control characters"; fi
}

check "read: such a path"
run read "$evil/plate.$extension" </dev/null
expect_success
expect_lines "$out" 1
expect_pattern "$out" "$line_format"
expect_text "$out" "$shown"
no_raw
check "read: a folder"
run read "$evil" "$evil/none.png" </dev/null
expect_status 3
expect_lines "$out" 1
expect_lines "$err" 1
no_raw
check "read -j"
run read -j "$evil/plate.$extension" </dev/null
expect_success
expect_json 1 file plate
no_raw
check "eval: labels that are such"
printf '%s\t%s\t%s\n' "$plate" $'粤\e[2J\xe2\x80\xae00' $'set\e[2J' >"$folder/labels.tsv"
run eval "$folder/labels.tsv" </dev/null
expect_success
no_raw
run eval -j "$folder/labels.tsv" </dev/null
expect_success
expect_lines "$out" 1
no_raw
check "doctor, verify, tune and bench: such words"
for words in "doctor $folder/x$(printf '\x1b')[2J=A" "bench -m $folder/x$(printf '\x1b')[2J" \
  "verify $folder/x$(printf '\x1b')[2J" "info $(printf '\x1b')[2J" "tune -m $(printf '\x1b')[2J"; do
  # shellcheck disable=SC2086  # several words
  run $words </dev/null
  expect_lines "$err" 1
  no_raw
done

# Metadata of a weights file. Strings of JSON hold such characters escaped, or as UTF-8; the name
# is as long as what it replaces, so that no offset changes.
model=$work/evil.safetensors
LC_ALL=C sed 's/lprnet\.cpp scripts\/recipe/\\u001b[2J\\u000aX\xc2\x9b\xe2\x80\xaeabcd/' "$weights" >"$model"
check "info: metadata"
if cmp -s "$model" "$weights" || [ "$(wc -c <"$model")" -ne "$(wc -c <"$weights")" ]; then
  echo "skipped: metadata with control characters, as these weights have no such source"
else
  run info -m "$model" </dev/null
  expect_success
  no_raw
  expect_text "$out" '\x1b[2J\x0aX'
  run info -j -m "$model" </dev/null
  expect_success
  expect_lines "$out" 1
  no_raw
fi
# A character of the alphabet that turns the line round, in the place of one of as many bytes.
check "read: an alphabet"
LC_ALL=C sed 's/\xe4\xba\xac/\xe2\x80\xae/' "$weights" >"$model"
if cmp -s "$model" "$weights"; then
  echo "skipped: an alphabet with control characters, as these weights do not have 京"
else
  for verb in read "read -j" "eval" info "info -j"; do
    if [ "${verb% *}" = info ]; then words=(); else words=("$samples"); fi
    # shellcheck disable=SC2086  # several words
    run $verb -m "$model" "${words[@]}" </dev/null
    no_raw
    if [ $status -ne 0 ]; then expect_only_error 3 "$model"; fi
  done
fi

# --- Numbers ----------------------------------------------------------------------------------

number() {  # FLAG WORD...: no such number is taken, and each is one line
  local flag=$1 value
  shift
  for value in nan -nan inf -inf 1e400 -1e400 99999999999999999999 -99999999999999999999 "" " " \
    0x 1,2,x 1e 1.5.2; do
    check "$1 $flag '$value'"
    run "$@" "$flag" "$value" </dev/null
    expect_only_error 2 "${flag#--}"
  done
}
number --min-confidence read "$plate"
number --topn read "$plate"
number --bpu-timeout read "$plate"
number --min-accuracy eval "$labels_of_plate"
number --threads bench --frames 1
number --intra bench --frames 1
number --frames bench
number --warmup bench --frames 1
number --min-cosine verify "$work/none.safetensors"
number --images quantize -o "$work/x" --calibration "$plate"
number --zero-below quantize -o "$work/x" --calibration "$plate"
number --amount prune -o "$work/x"
number --seconds tune
for flag in "--seconds -1" "--seconds 601"; do
  check "tune $flag"
  # shellcheck disable=SC2086  # several words
  run tune $flag </dev/null
  expect_only_error 2 --seconds
done
if [ ${#command[@]} -eq 1 ]; then
  check "tune --seconds 0 ends"
  run tune --seconds 0 -o "$work/tuning" </dev/null
  expect_success
  expect_text "$out" "9 runs"
  run read --tuning "$work/tuning" "$plate" </dev/null
  expect_success
fi

finish
