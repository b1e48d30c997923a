#!/usr/bin/env bash
# The program with --backend, against the stand-in for libdnn: which backend it takes, what it
# prints, and its exit statuses.
#
#   program_test.sh SOURCE_DIR STAND_IN [EMULATOR...] PROGRAM
set -u
export LC_ALL=C.UTF-8
unset LPRNET_ISA LPRNET_STAND_IN
if [ $# -lt 3 ]; then
  echo "usage: program_test.sh SOURCE_DIR STAND_IN [EMULATOR...] PROGRAM" >&2
  exit 2
fi
source_folder=$1
stand_in=$2
shift 2
command=()
for word in "$@"; do
  if [ -n "$word" ]; then command+=("$word"); fi
done
samples=$source_folder/tests/samples
golden=$source_folder/tests/golden/network
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
bin=$work/lpr.bin
cp "$source_folder/weights/lprnet.safetensors" "$bin" || exit 1

checks=0
failures=0
# expect NAME STATUS OUTPUT_PATTERN ERROR_PATTERN ARGUMENT...; a pattern of - is for no output.
expect() {
  local name=$1 status=$2 out=$3 err=$4 found problem=
  shift 4
  checks=$((checks + 1))
  timeout 300 "${command[@]}" "$@" >"$work/out" 2>"$work/err" </dev/null
  found=$?
  if [ $found -ne "$status" ]; then problem="status $found, expected $status"; fi
  if [ "$out" = - ] && [ -s "$work/out" ]; then problem="unexpected output"; fi
  if [ "$err" = - ] && [ -s "$work/err" ]; then problem="unexpected message"; fi
  if [ "$out" != - ] && ! grep -qE "$out" "$work/out"; then problem="no '$out' in the output"; fi
  if [ "$err" != - ] && ! grep -qE "^lprnet: .*$err" "$work/err"; then
    problem="no '$err' in the messages"
  fi
  if [ -n "$problem" ]; then
    failures=$((failures + 1))
    echo "FAILED: $name: $problem: $(head -n 2 "$work/out" "$work/err" | tr '\n' '|')"
  fi
}
board=(--bpu-model "$bin" --bpu-library "$stand_in")
# Emulators and sanitizers on a busy machine take their time.
bpu=("${board[@]}" --bpu-timeout 100000)
plate=$samples/京A7K259.jpg

expect "a .bin means the BPU" 0 '"backend":"bpu"' - read -j "$plate" "${bpu[@]}"
expect "read" 0 '^京A7K259	0\.99' - read --backend bpu "$plate" "${bpu[@]}"
expect "region and corners" 0 '	2$' - read -q "$plate" "${bpu[@]}" --quad 0,0,94,0,94,24,0,24 \
  --quad 1,1,93,0,94,24,0,23
expect "auto takes the BPU" 0 '"backend":"bpu"' - read -j --backend auto "$plate" "${bpu[@]}"
expect "auto without a runtime" 0 '"backend":"cpu"' 'backend cpu: none.so: cannot be opened' \
  read -j --backend auto "$plate" --bpu-model "$bin" --bpu-library none.so
expect "auto without a .bin" 0 '"backend":"cpu"' 'backend cpu: .*--bpu-model' \
  read -j --backend auto "$plate"
expect "auto with another network's .bin" 0 '"backend":"cpu"' 'backend cpu: .*no such file' \
  read -j --backend auto "$plate" --bpu-model "$work/none.bin" --bpu-library "$stand_in"
expect "cpu is cpu" 0 '"backend":"cpu"' - read -j --backend cpu "$plate" "${bpu[@]}"
expect "no .bin" 2 - '--bpu-model' read --backend bpu "$plate"
expect "no runtime" 2 - 'none.so: cannot be opened' read "$plate" --bpu-model "$bin" \
  --bpu-library none.so
expect "no file" 3 - 'no such file' read "$plate" --bpu-model "$work/none.bin" \
  --bpu-library "$stand_in"
expect "unknown backend" 2 - backend read --backend gpu "$plate"
expect "eval" 0 '"accuracy":1\.0.*"precision":"bin".*"backend":"bpu"' - eval -j "$samples" \
  "${bpu[@]}"
expect "verify" 0 'logits .* ok$' - verify "$golden/logits.safetensors" "${bpu[@]}"
expect "bench" 0 '^threads  latency ms +FPS$' - bench --threads 1,2 --frames 4 --warmup 1 \
  "${bpu[@]}"
expect "bench -j" 0 '"backend":"bpu","threads":2' - bench -j --threads 1,2 --frames 4 --warmup 0 \
  --include-image "${bpu[@]}"
expect "bench of layers" 2 - 'neither --intra' bench --per-layer --frames 1 "${bpu[@]}"

export LPRNET_STAND_IN="form=split output=s8 quant=channel input=nv12"
expect "split tail, NV12" 0 '^京A7K259	' - read "$plate" "${bpu[@]}"
export LPRNET_STAND_IN="form=split output=s8 quant=channel"
expect "verify by branch" 0 'branch3 .* ok$' - verify "$golden/layers.safetensors" "${bpu[@]}"
expect "verify, too strict" 1 '"first_bad":"branch3"' - verify -j --min-cosine 0.9999999 \
  "$golden/layers.safetensors" "${bpu[@]}"
export LPRNET_STAND_IN="fail=hbDNNInfer:-6000012"
expect "a frame that fails" 3 - 'HB_DNN_RUN_TASK_FAILED .-6000012.; was the .bin' read "$plate" \
  "${bpu[@]}"
expect "bench that fails" 3 - 'hbDNNInfer returned' bench --frames 2 "${bpu[@]}"
export LPRNET_STAND_IN="hang=1"
expect "a frame that never ends" 3 - 'hbDNNWaitTaskDone returned HB_DNN_TIMEOUT .-6000008. after 50 ms' \
  read --bpu-timeout 50 "$plate" "${board[@]}"
export LPRNET_STAND_IN="delay=12000 delays=1"
expect "the next frame" 3 '^川G5W306	' '京A7K259.jpg' read --bpu-timeout 11000 "$plate" \
  "$samples/川G5W306.jpg" "${board[@]}"
export LPRNET_STAND_IN="fail=hbDNNRelease:-6000013"
expect "a runtime that does not let go" 3 '^京A7K259' 'hbDNNRelease returned HB_DNN_MODEL_IS_RUNNING' \
  read "$plate" "${bpu[@]}"

echo "$checks checks, $failures failed"
[ $failures -eq 0 ]
