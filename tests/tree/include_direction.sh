#!/usr/bin/env bash
# The direction of the tree: every include points downward, and nothing outside the kernels
# knows an instruction set. Reads engine/, kernels/, weights/ and bench/, and every CMake file
# for machine flags; tests may include anything and know the processor they run on.
#
#   include_direction.sh SOURCE_DIR    tests itself, then the tree
#   include_direction.sh --self-test
set -u
export LC_ALL=C

# ROOM: what its files may include; a name that ends in / stands for all below it. The longest
# room that a file's path begins with is the one it belongs to.
rules='
kernels/              kernels/
weights/              weights/ engine/text/ lprnet/error.h
engine/include/       lprnet/
engine/boundary.h     lprnet/error.h
engine/text/          engine/text/ lprnet/error.h
engine/image/         engine/image/ engine/text/ lprnet/
engine/image_file/    engine/image_file/ engine/text/ engine/boundary.h weights/file_bytes.h lprnet/
engine/model/         engine/model/ engine/image/ engine/text/ engine/boundary.h weights/ kernels/aligned_buffer.h lprnet/
engine/compress/      engine/compress/ engine/run/ engine/plan/ engine/model/ engine/text/ engine/boundary.h kernels/ weights/ lprnet/
engine/measure/       engine/measure/ engine/compress/ engine/run/ engine/plan/ engine/model/ engine/image/ engine/decode/ engine/text/ engine/boundary.h kernels/ weights/ lprnet/
engine/plan/          engine/plan/ engine/model/ engine/text/ kernels/ lprnet/
engine/decode/        engine/decode/ engine/text/ engine/boundary.h weights/text_file.h lprnet/
engine/track/         engine/track/ engine/text/ engine/boundary.h lprnet/
engine/run/           engine/run/ engine/plan/ engine/model/ engine/image/ engine/decode/ engine/boundary.h kernels/ lprnet/
engine/c_api.cpp      engine/boundary.h lprnet/
engine/bpu/           engine/bpu/ engine/image/ engine/decode/ engine/model/ engine/text/ engine/boundary.h lprnet/
engine/report/        engine/report/ engine/measure/ engine/image/ engine/text/ weights/whole_file.h lprnet/
engine/cli/           engine/ kernels/ weights/ lprnet/
engine/python/        engine/ weights/ lprnet/
bench/                bench/ engine/ kernels/ weights/ lprnet/
'
# Libraries of others: the rooms that may include them.
libraries='
xsimd/                kernels/ bench/
nlohmann/             engine/model/ engine/cli/ weights/ bench/
CLI/                  engine/cli/
nanobind/             engine/python/
stb_image.h           engine/image_file/
stb_image_write.h     engine/report/
Eigen/                bench/
benchmark/            bench/
'
# Written by CMake, which the dispatcher includes without a folder.
generated='kernels/dispatch.cpp isa_list.inc'

# Prints one line for each include of the tree that no rule allows.
check_includes() {  # TREE
  (
    cd "$1" || exit 1
    # The examples are a project of their own, which sees nothing but the installed package.
    find engine kernels weights bench -type f \( -name '*.h' -o -name '*.cpp' -o -name '*.inc' \) \
      -not -path 'engine/examples/*' 2>/dev/null | sort |
      while read -r file; do
        awk -v file="$file" '
          match($0, /^[ \t]*#[ \t]*include[ \t]*["<][^">]*[">]/) {
            text = substr($0, RSTART, RLENGTH)
            sub(/^[^"<]*/, "", text)
            print file, substr(text, 1, 1), substr(text, 2, length(text) - 2)
          }' "$file"
      done |
      awk -v rules="$rules" -v libraries="$libraries" -v generated="$generated" '
        function begins(text, prefix) { return substr(text, 1, length(prefix)) == prefix }
        function read_table(text, table,    lines, words, n, i, j, m) {
          n = split(text, lines, "\n")
          for (i = 1; i <= n; ++i) {
            m = split(lines[i], words, " ")
            for (j = 2; j <= m; ++j) table[words[1]] = table[words[1]] " " words[j]
          }
        }
        # Compiled with machine flags: an inline function of another header that is emitted here could
        # replace the portable one when objects are linked.
        function is_for_instruction_sets(file) {
          return file ~ /^kernels\/(isa\/|.*(-inl\.h|_unit\.cpp)$)/
        }
        function allowed(list, path,    words, n, i) {
          n = split(list, words, " ")
          for (i = 1; i <= n; ++i) {
            if (path == words[i] || (words[i] ~ /\/$/ && begins(path, words[i]))) return 1
          }
          return 0
        }
        BEGIN { read_table(rules, targets); read_table(libraries, users) }
        {
          file = $1; kind = $2; path = $3
          room = ""
          for (r in targets) if (begins(file, r) && length(r) > length(room)) room = r
          if (room == "") {
            print file ": no rule says what this folder may include"
          } else if (kind == "<") {
            if (path ~ /^(vector|string|map|variant|functional|memory)$/ && is_for_instruction_sets(file)) {
              print file ": <" path "> has functions that are not inline everywhere"
            }
            for (library in users) {
              if (begins(path, library) && !allowed(users[library], file)) {
                print file ": <" path "> is not for " room
              }
            }
            if (path ~ /^(engine|kernels|weights|bench|tests|lprnet)\//) {
              print file ": <" path "> is ours: write it between quotes"
            }
          } else if (file " " path != generated) {
            if (path ~ /^\.|\/\.\.?\// || path !~ /\//) {
              print file ": \"" path "\" is not relative to the repository"
            } else if (!allowed(targets[room], path)) {
              print file ": \"" path "\" is not below " room
            } else {
              there = path
              if (begins(path, "lprnet/")) there = "engine/include/" path
              if (path ~ /(^kernels\/|_)example\.h$/ && file !~ /^bench\/|(\/|_)example\.(h|cpp)$/) {
                print file ": \"" path "\" is not of the library"
              }
              if (path ~ /^kernels\/(kernel_arguments|kernel_call|narrow)\.h$/ && is_for_instruction_sets(file)) {
                print file ": \"" path "\" is for portable code alone"
              }
              if ((getline line < there) < 0) print file ": \"" path "\" is not a file of the tree"
              close(there)
            }
          }
        }'
  )
}

# Prints one line for each mention of an instruction set outside its homes: kernels/isa/ with
# kernels/cpu_features.cpp, and lprnet_add_isa() in CMakeLists.txt. Besides, jpeg_lanes.h has the
# vectors that every processor of its kind has: nothing is chosen there when the program runs.
check_instruction_sets() {  # TREE
  (
    cd "$1" || exit 1
    find engine kernels weights bench -type f \
      \( -name '*.h' -o -name '*.cpp' -o -name '*.c' -o -name '*.inc' \) 2>/dev/null | sort |
      grep -v -e '^kernels/isa/' -e '^kernels/cpu_features\.cpp$' \
        -e '^engine/image_file/jpeg_lanes\.h$' |
      while read -r file; do
        awk -v file="$file" '
          function complain(what) { print file ":" FNR ": " what }
          /__attribute__.*[( ,](__)?target(_clones)?(__)?[ \t]*\(/ || /gnu::target/ ||
          /#[ \t]*pragma[ \t]+(GCC[ \t]+target|clang[ \t]+attribute)/ {
            complain("an instruction set for one function")
          }
          /^[ \t]*#[ \t]*(el)?if/ &&
          /__(AVX|SSE|SSSE|FMA|F16C|BMI|XOP|ARM_NEON|ARM_FEATURE|x86_64|i386|aarch64|arm)/ {
            complain("code for one instruction set")
          }
          /^[ \t]*#[ \t]*include[ \t]*<([a-z0-9]*intrin|arm_neon|arm_sve|cpuid)\.h>/ {
            complain("intrinsics")
          }' "$file"
      done
    find . -type f \( -name CMakeLists.txt -o -name '*.cmake' -o -name 'CMake*Presets.json' \) \
      -not -path './build/*' -not -path './.*/*' | sed 's,^\./,,' | sort |
      while read -r file; do
        awk -v file="$file" '
          file == "CMakeLists.txt" && /^[ \t]*lprnet_add_isa\(/ { inside = 1 }
          {
            line = $0
            sub(/(^|[ \t])(#|\/\/).*/, "", line)
            if (!inside && line ~ /(^|[ \t"=;:>(])-m[a-z0-9]/) {
              print file ":" FNR ": a machine flag outside lprnet_add_isa()"
            }
          }
          inside && /\)[ \t]*$/ { inside = 0 }' "$file"
      done
  )
}

check_tree() {
  check_includes "$1"
  check_instruction_sets "$1"
}

# --- The test of this test --------------------------------------------------------------------

# A tree with one file for each row; rows marked "bad" must be named, the others not.
self_test() {
  local tree rows kind file line problems=0 complaints
  tree=$(mktemp -d) || return 1
  # shellcheck disable=SC2064  # the folder of now
  trap "rm -rf '$tree'" EXIT
  rows='
good|kernels/part.h|#include <cstddef>
good|kernels/a.cpp|#include "kernels/part.h"
good|engine/examples/a.cpp|#include <lprnet/model.h>
good|kernels/b.cpp|#include <xsimd/xsimd.hpp>
good|kernels/dispatch.cpp|#include "isa_list.inc"
good|kernels/kernel_call.h|#include <array>
good|kernels/narrow.h|#include <cstddef>
good|kernels/a/a.cpp|#include "kernels/narrow.h"
bad|kernels/a/a-inl.h|#include "kernels/narrow.h"
bad|kernels/a/a_unit.cpp|#include "kernels/kernel_call.h"
good|kernels/kernel_arguments.h|#include "kernels/kernel_call.h"
bad|kernels/a/b_unit.cpp|#include "kernels/kernel_arguments.h"
good|kernels/example.h|#include <functional>
good|kernels/a/a_example.cpp|#include "kernels/example.h"
bad|kernels/a/b.cpp|#include "kernels/example.h"
good|bench/a.cpp|#include "kernels/example.h"
bad|kernels/isa/list.h|#include <vector>
good|kernels/isa/avx2.cpp|#include <immintrin.h>
good|kernels/isa/more.cpp|#ifdef __AVX512VNNI__
good|kernels/cpu_features.cpp|#if defined(__x86_64__)
good|engine/text/printable.h|#include <string>
good|engine/text/a.h|#include "lprnet/error.h"
good|weights/text.cpp|#include "engine/text/printable.h"
good|weights/a.cpp|#include "lprnet/error.h"
good|engine/include/lprnet/error.h|#include <string>
good|engine/include/lprnet/a.h|#include "lprnet/error.h"
good|engine/image/a.h|#include "lprnet/error.h"
good|engine/model/graph.h|#include "engine/image/a.h"
good|engine/model/a.cpp|#include "engine/text/printable.h"
good|engine/compress/a.cpp|#include "engine/model/graph.h"
good|engine/measure/a.h|#include "engine/compress/a.cpp"
good|engine/measure/b.h|#include "engine/run/a.h"
good|engine/measure/c.cpp|#include "weights/text.cpp"
good|engine/cli/c.cpp|#include "engine/measure/a.h"
good|engine/plan/plan.h|#include "engine/model/graph.h"
good|engine/plan/a.cpp|#include "engine/text/printable.h"
good|engine/plan/b.cpp|  #  include "kernels/part.h"  // spaces
good|engine/decode/a.h|#include "lprnet/a.h"
good|engine/decode/a.cpp|#include "engine/text/printable.h"
good|engine/track/a.cpp|#include "lprnet/a.h"
good|engine/track/b.cpp|#include "engine/boundary.h"
good|engine/boundary.h|#include "lprnet/error.h"
good|engine/run/a.h|#include "engine/decode/a.h"
good|engine/run/b.h|#include "kernels/part.h"
good|engine/c_api.cpp|#include "lprnet/a.h"
good|engine/bpu/a.h|#include "engine/decode/a.h"
good|engine/cli/a.h|#include "engine/run/a.h"
good|engine/cli/b.cpp|#include <CLI/CLI.hpp>
good|engine/python/a.h|#include "engine/run/a.h"
good|engine/python/b.cpp|#include <nanobind/nanobind.h>
good|bench/a.cpp|#include "engine/run/a.h"
good|bench/CMakeLists.txt|# not -march=native
good|CMakeLists.txt|lprnet_add_isa(avx2 "cpu.avx2" -mavx2 -mfma)
good|weights/comment.cpp|// #include "engine/run/a.h" is only a comment
bad|kernels/up1.cpp|#include "engine/model/graph.h"
bad|kernels/up2.cpp|#include "lprnet/error.h"
bad|kernels/up3.cpp|#include "engine/text/printable.h"
bad|kernels/up4.cpp|#include <nlohmann/json.hpp>
bad|kernels/list.cpp|#include "isa_list.inc"
bad|weights/up1.cpp|#include "kernels/part.h"
bad|weights/up2.cpp|#include "lprnet/a.h"
bad|weights/up3.cpp|#include "engine/model/graph.h"
bad|engine/include/lprnet/up1.h|#include "engine/model/graph.h"
bad|engine/include/lprnet/up2.h|#include "kernels/part.h"
bad|engine/include/lprnet/up3.h|#include "engine/text/printable.h"
bad|engine/include/lprnet/up4.h|#include <nlohmann/json.hpp>
bad|engine/text/up1.h|#include "weights/a.cpp"
bad|engine/text/up2.h|#include "engine/boundary.h"
bad|engine/image/up0.h|#include "engine/boundary.h"
bad|engine/image/up1.h|#include "engine/model/graph.h"
bad|engine/image/up2.h|#include "kernels/part.h"
bad|engine/model/up1.h|#include "engine/plan/plan.h"
bad|engine/model/up2.h|#include "kernels/part.h"
good|engine/compress/b.cpp|#include "engine/run/a.h"
bad|engine/compress/up1.h|#include "engine/cli/a.h"
bad|engine/measure/up1.h|#include "engine/cli/a.h"
bad|engine/measure/up2.h|#include "engine/bpu/a.h"
bad|engine/measure/up3.h|#include "engine/image_file/a.h"
bad|engine/measure/up4.h|#include <nlohmann/json.hpp>
bad|engine/compress/up2.h|#include "engine/measure/a.h"
bad|engine/run/up5.h|#include "engine/measure/a.h"
bad|engine/plan/up1.h|#include "engine/run/a.h"
bad|engine/plan/up2.h|#include "weights/a.h"
bad|engine/plan/up3.h|#include "engine/decode/a.h"
bad|engine/decode/up1.h|#include "engine/image/a.h"
bad|engine/decode/up2.h|#include "kernels/part.h"
bad|engine/decode/up3.h|#include "weights/a.h"
bad|engine/track/up1.h|#include "engine/decode/a.h"
bad|engine/run/up1.h|#include "engine/cli/a.h"
bad|engine/run/up2.h|#include "engine/text/printable.h"
bad|engine/run/up3.h|#include <xsimd/xsimd.hpp>
bad|engine/bpu/up1.h|#include "engine/run/a.h"
bad|engine/bpu/up2.h|#include "kernels/part.h"
bad|engine/run/up4.h|#include "engine/run_more/a.h"
bad|engine/c_api.cpp.h|#include "engine/run/a.h"
bad|engine/cli/up1.cpp|#include "bench/a.cpp"
bad|engine/cli/up2.cpp|#include "tests/catch.h"
bad|engine/cli/up3.cpp|#include <nanobind/nanobind.h>
bad|engine/python/up1.cpp|#include "bench/a.cpp"
bad|engine/python/up2.cpp|#include "kernels/part.h"
bad|engine/cli/near.cpp|#include "a.h"
bad|engine/cli/dots.cpp|#include "../run/a.h"
bad|engine/cli/inner_dots.cpp|#include "engine/cli/../run/a.h"
bad|engine/cli/angles.cpp|#include <lprnet/error.h>
bad|engine/cli/missing.cpp|#include "engine/run/missing.h"
bad|engine/cellar/a.h|#include <string>
bad|engine/lost.cpp|#include "lprnet/error.h"
bad|bench/up1.cpp|#include "tests/catch.h"
bad|engine/run/set1.cpp|#ifdef __AVX2__
bad|engine/run/set2.cpp|#elif defined(__aarch64__)
bad|engine/run/set3.cpp|__attribute__((target("avx2"))) void f();
bad|engine/run/set4.cpp|[[gnu::target("avx2")]] void f();
bad|engine/run/set5.cpp|#pragma GCC target("avx2")
bad|kernels/set6.cpp|#include <immintrin.h>
bad|bench/set7.cpp|#include <arm_neon.h>
bad|engine/image_file/set8.cpp|#include <emmintrin.h>
good|engine/image_file/jpeg_lanes.h|#include <emmintrin.h>
good|tests/a.cpp|#if defined(__x86_64__)
bad|tests/CMakeLists.txt|target_compile_options(x PRIVATE -mavx2)
bad|engine/cli/CMakeLists.txt|set(FLAGS "-march=native")
bad|CMakePresets.json|{"CMAKE_CXX_FLAGS": "-O3 -mfma"}
'
  while IFS='|' read -r kind file line; do
    if [ -z "$kind" ]; then continue; fi
    mkdir -p "$tree/$(dirname "$file")"
    printf '%s\n' "$line" >"$tree/$file"
  done <<<"$rows"
  complaints=$(check_tree "$tree")
  while IFS='|' read -r kind file line; do
    if [ -z "$kind" ]; then continue; fi
    if printf '%s\n' "$complaints" | grep -q "^$file:"; then
      if [ "$kind" = good ]; then
        echo "FAILED: self-test: complains about $file with $line"
        problems=$((problems + 1))
      fi
    elif [ "$kind" = bad ]; then
      echo "FAILED: self-test: lets pass $file with $line"
      problems=$((problems + 1))
    fi
  done <<<"$rows"
  # A machine flag after the end of the call is outside of it.
  printf '%s\n' 'lprnet_add_isa(avx512 "cpu.avx512f"' '  -mavx2 -mavx512f)' \
    'add_compile_options(-mavx2)' >"$tree/CMakeLists.txt"
  if [ "$(check_instruction_sets "$tree" | grep -c '^CMakeLists.txt:')" -ne 1 ]; then
    echo "FAILED: self-test: the end of lprnet_add_isa() is not seen"
    problems=$((problems + 1))
  fi
  [ $problems -eq 0 ]
}

if [ $# -ne 1 ]; then
  echo "usage: include_direction.sh SOURCE_DIR | --self-test" >&2
  exit 2
fi
self_test || exit 1
if [ "$1" = --self-test ]; then
  echo "self-test passed"
  exit 0
fi
complaints=$(check_tree "$1")
if [ -n "$complaints" ]; then
  printf '%s\n' "$complaints" | sed 's/^/FAILED: /'
  exit 1
fi
count=$(find "$1/engine" "$1/kernels" "$1/weights" "$1/bench" -name '*.h' -o -name '*.cpp' | wc -l)
if [ "$count" -lt 20 ]; then
  echo "FAILED: only $count sources found in $1"
  exit 1
fi
echo "$count sources, all includes point downward"
