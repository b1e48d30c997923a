#!/usr/bin/env bash
# What is typed wrongly, and the help.
source "$(dirname "$0")/common.sh"

check "--help"
run --help </dev/null
expect_success
expect_text "$out" Usage read eval bench perf verify prune quantize doctor info selftest

for verb in read eval bench perf verify doctor info; do
  check "$verb --help"
  run $verb --help </dev/null
  expect_success
  expect_text "$out" --model --precision --json
done
for verb in "" read eval bench verify prune quantize tune doctor info selftest; do
  check "$verb --help fits a terminal"
  run $verb --help </dev/null
  expect_success
  expect_narrow "$out"
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
  # shellcheck disable=SC2086  # several words
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

finish
