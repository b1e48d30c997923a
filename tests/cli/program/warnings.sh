#!/usr/bin/env bash
# What the program says of its own accord: pictures that likely show no plate, what was left out,
# formats that the model cannot write.
source "$(dirname "$0")/common.sh"

pictures=$work/pictures
mkdir "$pictures"
bmp 640 480 >"$pictures/photo.bmp"
bmp 800 60 >"$pictures/wide.bmp"
bmp 40 90 >"$pictures/tall.bmp"

check "crops of plates: not a word"
run read "$samples" </dev/null
expect_status 0
expect_lines "$err" 0

notice() {  # NAME TEXT WORD...
  check "$1"
  local text=$2
  shift 2
  run read "$@" </dev/null
  expect_status 0
  expect_lines "$out" 1
  expect_lines "$err" 1
  expect_text "$err" ": warning: $text"
}
notice "a photo" "looks like a photo, not a plate crop (640x480): use --quad or --roi" \
  "$pictures/photo.bmp"
notice "a strip" "has not the shape of a plate (800x60)" "$pictures/wide.bmp"
notice "on its side" "has not the shape of a plate (40x90)" "$pictures/tall.bmp"
for decoder in greedy beam; do
  notice "nothing to see, $decoder" "likely shows no plate that this model knows" \
    --decode $decoder "$black"
done
notice "a part without a plate" "likely shows no plate that this model knows in this place" \
  --roi 10,10,300,100 "$pictures/photo.bmp"

check "the shape of a picture does not matter where a part was named"
if grep -q 'photo, not' "$err"; then problem "it does"; fi

check "one line for all plates of a picture"
run read --quad 0,0,94,0,94,24,0,24 --quad 1,1,94,1,94,24,1,24 "$black" </dev/null
expect_lines "$out" 2
expect_lines "$err" 1

check "--quiet"
run read --quiet "$pictures" "$black" </dev/null
expect_success
expect_lines "$out" 4
run read -q "$work/missing.png" </dev/null
expect_only_error 3 "no such file"

check "-j: a field for those that have a warning"
run read -j "$plate" "$pictures/photo.bmp" </dev/null
expect_status 0
expect_json 2 file plate
expect_lines "$err" 1
if [ "$(grep -c '"warning":"looks like a photo' "$out")" -ne 1 ]; then problem "not one field"; fi
if head -n 1 "$out" | grep -q '"warning"'; then problem "a field for a plate"; fi

check "not more than ten lines for a folder"
mkdir "$work/many"
for i in 01 02 03 04 05 06 07 08 09 10 11 12 13; do cp "$black" "$work/many/$i.bmp"; done
run read "$work/many" </dev/null
expect_status 0
expect_lines "$out" 13
expect_lines "$err" 11
expect_text "$err" "lprnet: 3 more warnings like these"

check "what is left out is counted"
run read --reject "$work/many" "$plate" </dev/null
expect_status 0
expect_lines "$out" 1
expect_lines "$err" 1
expect_text "$err" "13 of 14 plates left out by --reject"
run read --min-confidence 1 "$plate" "$plate" </dev/null
expect_status 0
expect_lines "$out" 0
expect_text "$err" "2 of 2 plates left out by --min-confidence"
run read -q --reject "$work/many" "$plate" </dev/null
expect_success
run read --reject "$plate" </dev/null
expect_success

check "no summary where there is no terminal"
run read "${sample_paths[@]}" </dev/null
expect_success
if command -v script >/dev/null && [ ${#command[@]} -eq 1 ]; then
  check "a summary on a terminal"
  printf '%s\n' "$plate" "$plate" "$work/missing.png" >"$work/list"
  # script(1) has options that differ; its output is what a terminal shows.
  script -qec "${command[0]} read - <'$work/list' >'$out'" /dev/null </dev/null >"$err" 2>&1
  expect_lines "$out" 2
  expect_text "$err" "2 plates read, 1 unreadable, "
else
  echo "skipped: a summary on a terminal, as there is no script(1)"
fi

# --- Candidates and formats -------------------------------------------------------------------

check "-n without --decode searches"
run read -j -n 3 "$plate" </dev/null
expect_success
expect_text "$out" '"decode":"beam"' "\"plate\":\"$first_text\""
run read -n 3 "$plate" </dev/null
expect_lines "$out" 3
run read -j -n 1 "$plate" </dev/null
expect_text "$out" '"decode":"greedy"'
check "-n with --decode greedy"
run read --decode greedy -n 5 "$plate" </dev/null
expect_only_error 2 "greedy has one candidate" "--decode beam"

formats=$work/formats.txt
printf 'usual 1 : 电@#{5}\nrare 0.001 : @{2}#{5}\n' >"$formats"
for verb in "read $plate" "eval $samples"; do
  check "${verb%% *}: the usual format is beyond the alphabet"
  # shellcheck disable=SC2086  # several words
  run $verb --pattern "$formats" </dev/null
  expect_status 0
  expect_text "$err" "builtin: warning: has the characters for 1 of the 2 formats of $formats"
  check "${verb%% *}: the built-in formats suit the built-in weights"
  # shellcheck disable=SC2086  # several words
  run $verb --decode grammar </dev/null
  expect_success
done

# --- The labelled crops -----------------------------------------------------------------------

data=${LPRNET_DATA:-$source_folder/../shared/data}
if [ -d "$data/plates/dev" ] && [ ${#command[@]} -eq 1 ]; then
  for decoder in greedy grammar; do
    check "at most 0.5 % of good crops: $decoder"
    run read -j --decode $decoder "$data/plates/dev" </dev/null
    count=$(wc -l <"$out")
    warned=$(grep -c '"warning"' "$out")
    if [ "$count" -lt 1000 ]; then problem "$count crops"; fi
    if [ $((200 * warned)) -gt "$count" ]; then problem "$warned of $count"; fi
    echo "$decoder: $warned of $count crops have a warning"
  done
else
  echo "skipped: warnings on labelled crops, as there is no $data/plates/dev or this is an emulator"
fi

finish
