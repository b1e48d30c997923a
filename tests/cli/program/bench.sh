#!/usr/bin/env bash
# `lprnet bench`.
source "$(dirname "$0")/common.sh"

check "bench"
run bench --frames 5 --warmup 1 </dev/null
expect_success
expect_narrow "$out"
expect_text "$out" Threads Frames "Total time" "Average latency" "Frame rate" FPS min p50 p90 p99 max

check "bench: alias and names of hrt_model_exec"
run perf --frame_count 3 --thread_num 1 --warmup 0 </dev/null
expect_success

check "bench -j"
run bench -j --frames 5 --warmup 0 --threads 1,2 </dev/null
expect_success
expect_json 1 precision isa threads intra frames latency_ms min mean p50 p90 p99 max fps model cpu
expect_pattern "$out" '^\[\{.*"threads":1,.*"threads":2,.*\}\]$'

check "bench: more threads than frames"
run bench -j --frames 1 --warmup 0 --threads 4 --include-image </dev/null
expect_success
expect_json 1 threads frames

check "bench --per-layer"
run bench --frames 3 --warmup 0 --per-layer </dev/null
expect_success
expect_text "$out" "layer" "GMAC/s" "conv2d_f32" "all"
run bench -j --frames 3 --warmup 0 --per-layer --include-image </dev/null
expect_success
expect_json 1 layers kernel ms gmacs

finish
