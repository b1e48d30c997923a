#!/usr/bin/env bash
# What can go wrong while the program works: disks that are full, signals, limits, threads that
# cannot start, two that write one file. Whatever it is, an output file is the whole old one or the
# whole new one, nothing else stays, and there is a line that says so.
source "$(dirname "$0")/common.sh"

native=no
if [ ${#command[@]} -eq 1 ]; then native=yes; fi

folder=$work/folder
mkdir "$folder"
output=$folder/out

# The verbs that write, as words before the output's name.
writers=("prune --amount 0.3 -o" "quantize --weights-only -o" "tune --seconds 0 -o")
# Each writes in the same way; where the others take minutes this one is enough.
if [ $native = no ] || [ -n "${LPRNET_ONE_WRITER:-}" ]; then writers=("prune --amount 0.3 -o"); fi

only_entries() {  # NAME...: the folder has these and nothing else
  local found
  found=$(cd "$folder" && find . -mindepth 1 | sort | tr '\n' ' ')
  local expected
  expected=$(for name in "$@"; do echo "./$name"; done | sort | tr '\n' ' ')
  if [ "$found" != "${expected# }" ] && [ "$found" != "$expected" ]; then
    problem "the folder has '$found', expected '$expected'"
  fi
}

expect_whole() {  # what `writer` wrote can be read
  case $writer in
    tune*) run info --tuning "$output" </dev/null ;;
    *) run info -m "$output" </dev/null ;;
  esac
  expect_success
}

for writer in "${writers[@]}"; do
  verb=${writer%% *}
  # shellcheck disable=SC2206  # several words
  words=($writer)

  check "$verb: a new file, then over it"
  rm -f "$folder"/* "$folder"/.lprnet*
  for _ in 1 2; do
    run "${words[@]}" "$output" </dev/null
    expect_success
    only_entries out
    expect_whole
  done

  check "$verb: a link to a file that is not there yet"
  mkdir "$folder/deep"
  ln -s deep/target "$folder/link"
  ln -s "$folder/link" "$folder/second"
  run "${words[@]}" "$folder/second" </dev/null
  expect_success
  only_entries out link second deep deep/target
  if [ ! -L "$folder/link" ] || [ ! -L "$folder/second" ] || [ ! -f "$folder/deep/target" ]; then
    problem "the link was replaced"
  fi
  rm -r "$folder/deep" "$folder/link" "$folder/second"

  check "$verb: links in a circle, a folder, no folder"
  ln -s round "$folder/round"
  run "${words[@]}" "$folder/round" </dev/null
  expect_status 3
  expect_lines "$err" 1
  rm "$folder/round"
  run "${words[@]}" "$folder" </dev/null
  expect_status 3
  expect_text "$err" "found a folder"
  run "${words[@]}" "$folder/none/out" </dev/null
  expect_status 3
  expect_text "$err" "No such file or directory"
  only_entries out

  if [ -c /dev/full ]; then
    check "$verb: a full device"
    run "${words[@]}" /dev/full </dev/null
    expect_status 3
    expect_lines "$err" 1
    expect_text "$err" "/dev/full: cannot be written"
  fi

  check "$verb: a limit on the size of files"
  cp "$output" "$work/before"
  size=1  # in KiB; the tuning has fewer
  if [ "$verb" = tune ]; then size=0; fi
  # Standard output has to be a pipe: the limit is on all files.
  (
    ulimit -f $size
    timeout 300 "${command[@]}" "${words[@]}" "$output" </dev/null 2>&1 >/dev/null
    echo "status $?"
  ) | cat >"$out"
  expect_text "$out" "status 3" "$output: cannot be written"
  if ! cmp -s "$output" "$work/before"; then problem "the old file is gone"; fi
  only_entries out
done

check "tune: over the weights file"
cp "$weights" "$folder/weights"
run tune --seconds 0 -m "$folder/weights" -o "$folder/../folder/weights" </dev/null
expect_only_error 2 "is the weights file"
if ! cmp -s "$weights" "$folder/weights"; then problem "it was written over"; fi
check "prune: over the weights file"
run prune --amount 0.3 -m "$folder/weights" -o "$folder/weights" </dev/null
expect_success
writer=prune
cp "$folder/weights" "$output"
expect_whole
rm "$folder/weights"

# --- Faults at a moment of our choice ---------------------------------------------------------

disk=${LPRNET_SLOW_DISK:-}
if [ -n "$disk" ] && [ $native = yes ]; then
  writer=${writers[0]}
  # shellcheck disable=SC2206  # several words
  words=($writer)
  for nameless in yes no; do
    kind="files without a name"
    variables=(LD_PRELOAD="$disk")
    if [ $nameless = no ]; then
      kind="files with a name"
      variables+=(SLOW_DISK_NAMELESS=no)
    fi
    check "$kind: no fault"
    rm -f "$folder"/* "$folder"/.lprnet*
    env "${variables[@]}" "${command[@]}" "${words[@]}" "$output" >"$out" 2>"$err" </dev/null
    status=$?
    expect_success
    expect_whole
    cp "$output" "$work/new"
    check "$kind: the disk gets full"
    for room in 1 1000 300000; do
      for old in no yes; do
        rm -f "$output"
        if [ $old = yes ]; then echo old >"$output"; fi
        env "${variables[@]}" SLOW_DISK_FULL=$room "${command[@]}" "${words[@]}" "$output" \
          >"$out" 2>"$err" </dev/null
        status=$?
        expect_only_error 3 "$output: cannot be written: No space left on device"
        if [ $old = yes ]; then
          only_entries out
          if [ "$(cat "$output")" != old ]; then problem "the old file is gone"; fi
        else
          only_entries
        fi
      done
    done
    for signal in INT TERM HUP QUIT KILL; do
      if [ "$nameless $signal" = "no KILL" ]; then continue; fi  # leaves the temporary file
      for old in no yes; do
        check "$kind: SIG$signal while writing, old file: $old"
        rm -f "$output" "$work/mark"
        if [ $old = yes ]; then echo old >"$output"; fi
        # A shell ignores SIGINT and SIGQUIT for what it runs in the background; env undoes that.
        env --default-signal=INT,QUIT "${variables[@]}" SLOW_DISK_MARK="$work/mark" \
          "${command[@]}" "${words[@]}" "$output" >/dev/null 2>"$err" </dev/null &
        child=$!
        for ((i = 0; i < 1000; ++i)); do
          if [ -e "$work/mark" ]; then break; fi
          sleep 0.01
        done
        if [ ! -e "$work/mark" ]; then problem "it does not write"; fi
        kill -s "$signal" $child
        wait $child 2>/dev/null
        status=$?
        if [ $status -ne $((128 + $(kill -l "$signal"))) ]; then problem "status $status"; fi
        if [ $nameless = no ]; then  # the signal waited for the end
          only_entries out
          if ! cmp -s "$output" "$work/new"; then problem "not the whole new file"; fi
        elif [ $old = yes ]; then
          only_entries out
          if [ "$(cat "$output")" != old ]; then problem "the old file is gone"; fi
        else
          only_entries
        fi
      done
    done
    check "$kind: two that write one file at once"
    for old in no yes; do
      rm -f "$output"
      if [ $old = yes ]; then echo old >"$output"; fi
      children=()
      for amount in 0.1 0.5 0.1 0.5; do
        env "${variables[@]}" SLOW_DISK_MARK="$work/mark" "${command[@]}" prune --amount $amount \
          -o "$output" >/dev/null 2>"$work/err.$amount" </dev/null &
        children+=($!)
      done
      for child in "${children[@]}"; do
        if ! wait "$child"; then problem "one failed: $(cat "$work"/err.*)"; fi
      done
      only_entries out
      run info -m "$output" </dev/null
      expect_success
    done
  done
else
  echo "skipped: faults of a disk, as nothing can be preloaded here"
fi

if [ $native = yes ]; then
  check "SIGKILL and SIGTERM at any time"
  rm -f "$folder"/* "$folder"/.lprnet*
  run prune --amount 0.3 -o "$work/whole" </dev/null
  for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
    "${command[@]}" prune --amount 0.3 -o "$output" >/dev/null 2>&1 </dev/null &
    child=$!
    sleep "0.$(printf %02d $((i * 2)))"
    if ((i % 2)); then kill -KILL $child; else kill -TERM $child; fi 2>/dev/null
    wait $child 2>/dev/null
    if [ -e "$output" ]; then
      only_entries out
      if ! cmp -s "$output" "$work/whole"; then problem "half a file"; fi
      rm -f "$output"
    fi
    rest=$(find "$folder" -mindepth 1)
    if [ -n "$rest" ] && [ -n "$disk" ]; then problem "left behind: $rest"; fi
    rm -f "$folder"/.lprnet*
  done
fi

# --- Limits -----------------------------------------------------------------------------------

limited() {  # ULIMIT_FLAG VALUE WORD...: under that limit
  local flag=$1 value=$2
  shift 2
  (
    ulimit -c 0
    ulimit "$flag" "$value" || exit 99
    exec timeout 300 "${command[@]}" "$@"
  ) >"$out" 2>"$err" </dev/null
  status=$?
}

if [ $native = yes ] && [ -n "$disk" ]; then  # not set where sanitizers need terabytes
  for verb in "read $samples" "read --decode grammar $plate" "eval $samples" "info -j" selftest \
    "prune --amount 0.3 -o $output" "quantize --weights-only -o $output" "tune --seconds 0" \
    "bench --threads 3 --frames 4 --warmup 0" "doctor $labels_of_plate"; do
    check "little address space: ${verb%%/*}"
    refused=0
    for size in 8000 9500 11000 12500 14000 16000 18000 21000 25000 30000 40000; do
      # shellcheck disable=SC2086  # several words
      limited -v $size $verb
      # Too small for the loader: not ours.
      if [ $status -eq 127 ]; then continue; fi
      if [ $status -gt 3 ]; then problem "$size KiB: status $status: $(head -n 1 "$err")"; fi
      check_messages
      if [ $status -eq 3 ]; then
        refused=$((refused + 1))
        if [ ! -s "$err" ]; then problem "$size KiB: not a word"; fi
      fi
    done
    if [ $refused -eq 0 ]; then problem "no limit was small enough to test anything"; fi
  done
  # Root may start as many as there are; nobody may not.
  if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
    check "threads that cannot start"
    program_copy=$work/lprnet
    cp "${command[0]}" "$program_copy"
    chmod 755 "$program_copy" "$work"
    (
      ulimit -u 3
      exec timeout 60 setpriv --reuid 54321 --regid 54321 --clear-groups "$program_copy" \
        bench --threads 64 --frames 64 --warmup 0
    ) >"$out" 2>"$err" </dev/null
    status=$?
    expect_only_error 3 "of 64 threads can be started"
    (
      ulimit -u 3
      exec timeout 60 setpriv --reuid 54321 --regid 54321 --clear-groups "$program_copy" \
        bench --intra 64 --frames 4 --warmup 0
    ) >"$out" 2>"$err" </dev/null
    status=$?
    if [ $status -ne 3 ]; then problem "--intra: status $status: $(head -n 1 "$err")"; fi
    expect_lines "$err" 1

    check "a subfolder that may not be listed"
    mkdir "$work/part" "$work/part/closed"
    cp "$plate" "$work/part/plate.$extension"
    cp "$plate" "$work/part/closed/plate.$extension"
    chmod 755 "$work/part"
    chmod 644 "$work/part/plate.$extension"
    chmod 700 "$work/part/closed"
    timeout 60 setpriv --reuid 54321 --regid 54321 --clear-groups "$program_copy" \
      read "$work/part" >"$out" 2>"$err" </dev/null
    status=$?
    expect_status 3
    expect_lines "$out" 1
    expect_lines "$err" 1
    expect_text "$err" "$work/part/closed: cannot list the folder (Permission denied)"
  else
    echo "skipped: what another user may not do, as this one is not root"
  fi
else
  echo "skipped: limits, as they hit the emulator or the sanitizer first"
fi

finish
