#!/usr/bin/env bash
# Decoders and formats of plates.
source "$(dirname "$0")/common.sh"

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
run read -q --pattern "$work/short.txt" "$plate" </dev/null
expect_success
if [ "$(cut -f 1 "$out" | wc -m)" -ne 4 ]; then problem "read '$(cut -f 1 "$out")', expected 3 characters"; fi
check "read: --pattern with another decoder says what matches"
run read -j --decode greedy --pattern "$work/short.txt" "$plate" </dev/null
expect_text "$out" "\"plate\":\"$first_text\"" '"matches_template":false'
run read -j --decode greedy --pattern cn "$plate" </dev/null
expect_text "$out" '"matches_template":true'
check "--region alone decodes by grammar"
run read -j --region "${first_text:0:1}" "$plate" </dev/null
expect_success
expect_text "$out" "\"plate\":\"$first_text\"" '"decode":"grammar"'
check "eval: --region does not lose plates of other provinces that are plain to see"
run eval --region 藏 --min-accuracy 1 "$samples" </dev/null
expect_success
check "--region: what is no province"
for verb in "read $plate" "eval $samples"; do
  for region in A 粤B 龘; do
    # shellcheck disable=SC2086  # several words
    run $verb --region "$region" </dev/null
    expect_only_error 2 "expected some such as 粤 or 京津冀, found '${region: -1}'"
  done
  # shellcheck disable=SC2086  # several words
  run $verb --decode greedy --region 粤 </dev/null
  expect_only_error 2 "provinces are for the decoder grammar, found greedy"
done
check "read: --pattern that does not exist"
run read --pattern "$work/none.txt" "$plate" </dev/null
expect_only_error 3 "$work/none.txt" "no such file"
printf 'x : #\n  y : #{\n' >"$work/bad.txt"
for verb in "read $plate" "eval $samples" info; do
  check "${verb%% *}: an error in --pattern has its line and column"
  # shellcheck disable=SC2086  # several words
  run $verb --pattern "$work/bad.txt" </dev/null
  expect_only_error 3 "$work/bad.txt:2:9: expected a number"
done
printf 'x : 电电\n' >"$work/foreign.txt"
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
  run read --decode $decoder --reject "$black" "$plate" </dev/null
  expect_status 0
  expect_lines "$out" 1
  expect_lines "$err" 1
  expect_text "$err" "1 of 2 plates left out by --reject"
  expect_text "$out" "$first_text"
done

finish
