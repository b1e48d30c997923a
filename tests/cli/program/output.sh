#!/usr/bin/env bash
# Standard output that fails.
source "$(dirname "$0")/common.sh"

if [ -c /dev/full ]; then
  for verb in "read $plate" "read -j $plate" "eval $labels_of_plate" "bench --frames 1 --warmup 0" \
    info "info -j" --help --version "read --help"; do
    check "full disk: ${verb%%/*}"
    # shellcheck disable=SC2086  # several words
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
expect_only_error 3 "standard input: cannot be read"
check "a folder as standard input"
run read - <"$work"
expect_only_error 3 "standard input: cannot be read"
check "standard output that is closed is not the file that is written"
timeout 300 "${command[@]}" prune --amount 0 -o "$work/pruned.safetensors" >&- 2>"$err" </dev/null
status=$?
expect_status 3
check_messages
expect_text "$err" "cannot write to standard output"
run info -m "$work/pruned.safetensors" </dev/null
expect_success

check "no color, no progress bar where there is no terminal"
run read "$black" "$work/missing.png" </dev/null
if grep -q $'\e\\|\r' "$out" "$err"; then problem "there is"; fi

finish
