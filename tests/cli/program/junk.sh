#!/usr/bin/env bash
# Pictures that are none.
source "$(dirname "$0")/common.sh"

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
run read -q "$junk" </dev/null
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
if [ "$(grep -vc ': warning: ' "$err")" -ne $bad ]; then problem "not one message for each"; fi

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

check "read --image-memory: a picture that takes more is not decoded, the others are"
bmp 700 700 >"$work/large.bmp"
run read --image-memory 1 "$work/large.bmp" "$plate" </dev/null
expect_status 3
expect_lines "$out" 1
expect_lines "$err" 1
expect_pattern "$err" "large.bmp: image of 700x700 pixels takes 2 MiB to decode, expected at most 1 MiB"
run read -q --image-memory 2 "$work/large.bmp" </dev/null
expect_success
run read --image-memory 0 "$plate" </dev/null
expect_status 2

finish
