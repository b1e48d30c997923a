#!/usr/bin/env bash
# --html: reports to look at. What is in the files, that nothing in them is loaded or run, and, where Chromium is
# installed, that it shows them.
source "$(dirname "$0")/common.sh"

# A file that shows this much, and nothing that strangers wrote as anything but text.
expect_page() {  # FILE TEXT...
  local page=$1 text
  shift
  [ -s "$page" ] || { problem "$page was not written"; return; }
  [ "$(head -n 1 "$page")" = '<!DOCTYPE html>' ] || problem "does not begin as HTML"
  [[ $(tail -n 1 "$page") == '</html>' ]] || problem "does not end as HTML"
  for text; do
    grep -qF -- "$text" "$page" || problem "the page has no '$text'"
  done
  if grep -qE '(https?:)?//|<script|<link|<iframe|@import|url\(|<img [^>]*src="[^d]' < <(sed 's/base64,[A-Za-z0-9+/=]*//g; s/<!DOCTYPE[^>]*>//; s,^<div class="path">.*,,' "$page"); then
    problem "the page asks for something outside of it"
  fi
}

# Names that mean something in HTML, and a long one.
mkdir "$work/in"
hostile="$work/in/<img src=x onerror=alert(1)>&\"'京.jpg"
long=$work/in/$(printf 'long%.0s' {1..50}).jpg
cp "$samples/京A7K259.jpg" "$hostile"
cp "$samples/川G5W306.jpg" "$long"

check "read --html"
page=$work/read.html
run read "$work/in" "$samples" --html "$page" </dev/null
expect_success
expect_lines "$out" $((sample_count + 2))
expect_page "$page" 京A7K259 '<small>' 'src="data:image/jpeg;base64,' "&lt;img src=x onerror=alert(1)&gt;&amp;&quot;&#39;京.jpg" \
  "$(basename "$long")"
if [ "$(grep -c '<article' "$page")" -ne $((sample_count + 2)) ]; then problem "a reading is missing"; fi
if grep -q '<img src=x' "$page"; then problem "the name of a file became an element"; fi
check "read --html: parts, candidates and what is likely no plate"
run read "$source_folder/scripts/pictures/car.jpg" --quad 302,262,474,290,472,348,300,314 \
  --quad 0,0,90,0,90,40,0,40 -n 3 -q --html "$page" </dev/null
expect_success
expect_page "$page" "likely no plate" "<small>or "
check "read --html: nothing to show"
run read "$work/in" --min-confidence 1 -q --html "$page" </dev/null
expect_success
expect_page "$page" "No plate was read."

check "eval --html"
printf '%s\t京A7K258\tset <b>\n%s\t川G5W306\n' "$hostile" "$long" >"$work/labels.tsv"
page=$work/eval.html
run eval "$work/labels.tsv" --html "$page" </dev/null
expect_success
expect_page "$page" '<svg ' "8 read as 9" '<del>9</del>' '<ins>8</ins>' "set &lt;b&gt;" "50.0 %"
if [ "$(grep -c '<article' "$page")" -ne 1 ]; then problem "expected one misread plate"; fi
check "bench --html"
run bench --frames 3 --warmup 0 --threads 1,2 --html "$work/bench.html" </dev/null
expect_success
expect_page "$work/bench.html" backbone.2 "frames a second" p99
check "quantize --html"
run quantize --calibration "$plate" --plain --report --test "$samples" -o "$work/int8.safetensors" \
  --html "$work/quantize.html" </dev/null
expect_success
expect_page "$work/quantize.html" backbone.2 logits "Error of the logits" "read right after"

check "--html: a folder that is not there is told before the work"
run eval "$samples" --html "$work/none/page.html" </dev/null
expect_only_error 3 "$work/none/page.html"
check "--html: a folder"
run read "$plate" --html "$work" </dev/null
expect_only_error 3 "$work"
check "--html: without a name"
run bench --html "" </dev/null
expect_status 2
check "--html: what is there stays where the new one cannot be written"
if [ -e /dev/full ]; then
  run read "$plate" --html /dev/full </dev/null
  expect_status 3
fi

# --- In a browser --------------------------------------------------------------------------------

# A thousand readings take minutes under sanitizers, and a browser sees the same page.
if [ -n "${LPRNET_NO_BROWSER:-}" ]; then
  echo "skipped: reports in a browser, which LPRNET_NO_BROWSER says"
  finish
fi
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
if [ -z "$browser" ] || [ ${#command[@]} -ne 1 ]; then
  echo "skipped: reports in a browser, as there is no Chromium"
  finish
fi

check "a thousand readings"
for i in $(seq 100); do
  for file in "$samples"/*; do ln -s "$file" "$work/in/$i-$(basename "$file")"; done
done
rm -f "$work"/in/*.tsv
run read "$work/in" -q --html "$work/read.html" </dev/null
expect_success
[ "$(grep -c '<article' "$work/read.html")" -ge 1000 ] || problem "fewer than 1000 readings"
run eval "$work/labels.tsv" --html "$work/eval.html" </dev/null

# A picture of one color is a file of few bytes: the pages have many.
render() {  # PAGE WIDTH [FLAG...]
  local name=$1 shot=$work/$1-$2.png
  check "$name in a browser, $2 pixels wide ${*:3}"
  rm -f "$shot"
  if ! timeout 120 "$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --enable-logging=stderr \
    "--user-data-dir=$work/profile" "--window-size=$2,1200" "${@:3}" "--screenshot=$shot" \
    "file://$work/$name.html" >"$out" 2>"$err"; then
    problem "the browser failed: $(tail -n 1 "$err")"
  elif [ ! -s "$shot" ] || [ "$(stat -c %s "$shot")" -lt 15000 ]; then
    problem "the picture is blank"
  elif grep -q ':CONSOLE' "$err"; then
    problem "the console has $(grep -m 1 ':CONSOLE' "$err")"
  fi
}
for page in read eval bench quantize; do
  render $page 1100
  render $page 500 --blink-settings=preferredColorScheme=0
done

finish
