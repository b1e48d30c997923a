#!/usr/bin/env bash
# Installs a build into a temporary prefix and uses it from outside: through find_package,
# through pkg-config, and the source tree through add_subdirectory. Each time the consumer is
# built with warnings as errors and run, by the CMake and the generator that built the library.
# The programs of engine/examples are built and run likewise, and read the plates of tests/samples.
#
#   consumer_test.sh BUILD_DIR CONSUMER_DIR [CMAKE_ARGUMENT...]
set -u

if [ $# -lt 2 ]; then
  echo "usage: consumer_test.sh BUILD_DIR CONSUMER_DIR [CMAKE_ARGUMENT...]" >&2
  exit 2
fi
build=$1
consumer=$2
shift 2
source_folder=$(cd "$consumer/../.." && pwd) || exit 1

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix
log=$work/log

# A system name means cross compiling to CMake, even where it is this system's: it is passed on
# only together with an emulator.
emulator=
system=()
arguments=()
for argument in "$@"; do
  case $argument in
    -DCMAKE_CROSSCOMPILING_EMULATOR=*)
      emulator=${argument#*=}
      if [ -n "$emulator" ]; then system+=("$argument"); fi
      ;;
    -DCMAKE_SYSTEM_NAME=* | -DCMAKE_SYSTEM_PROCESSOR=*) system+=("$argument") ;;
    -D*=) ;;  # a compiler that is not set
    *) arguments+=("$argument") ;;
  esac
done
if [ -n "$emulator" ]; then arguments+=("${system[@]}"); fi
cxx=c++
cc=cc
for argument in "${arguments[@]}"; do
  case $argument in
    -DCMAKE_CXX_COMPILER=*) cxx=${argument#*=} ;;
    -DCMAKE_C_COMPILER=*) cc=${argument#*=} ;;
  esac
done

checks=0
# Runs a command; its output is shown only if it fails, which ends the test.
step() {
  local name=$1
  shift
  checks=$((checks + 1))
  if ! "$@" >"$log" 2>&1; then
    echo "FAILED: $name: $*"
    cat "$log"
    exit 1
  fi
}

fail() {
  echo "FAILED: $1"
  exit 1
}

# The value of a variable in the build folder's cache.
cached() { sed -n "s/^$1:[A-Z]*=//p" "$build/CMakeCache.txt"; }
cmake=$(cached CMAKE_COMMAND)
ctest=$(cached CMAKE_CTEST_COMMAND)
CMAKE_GENERATOR=$(cached CMAKE_GENERATOR)
export CMAKE_GENERATOR
arguments+=("-DCMAKE_MAKE_PROGRAM=$(cached CMAKE_MAKE_PROGRAM)")

# --- What is installed ------------------------------------------------------------------------

step "install" "$cmake" --install "$build" --prefix "$prefix"

checks=$((checks + 1))
headers=$(cd "$prefix" && find . -type f -path '*/include/*' | sed 's,.*/include/,,' | sort)
expected=$(cd "$source_folder/engine/include" && find . -type f -name '*.h' | sed 's,^\./,,' | sort)
if [ "$headers" != "$expected" ]; then
  fail "installed headers: $(diff <(echo "$expected") <(echo "$headers") | grep '^[<>]' | tr '\n' ' ')"
fi
checks=$((checks + 1))
strangers=$(cd "$prefix" && find . -type f | sed 's,^\./,,' | sort |
  grep -Ev '^(share/doc/lprnet/LICENSE|include/lprnet/[a-z_]+\.h|bin/lprnet|lib(64|/[^/]+)?/(liblprnet(_bpu)?\.a|pkgconfig/lprnet\.pc|cmake/lprnet/lprnet[A-Za-z-]+\.cmake))$')
if [ -n "$strangers" ]; then fail "unexpected files are installed: $strangers"; fi
checks=$((checks + 1))
if grep -rlF -e "$source_folder/" -e "$build/" "$prefix" --include='*.cmake' --include='*.pc' >"$log"; then
  fail "the package mentions the folders it was built in: $(tr '\n' ' ' <"$log")"
fi
checks=$((checks + 1))
if grep -rliE -e 'xsimd|nlohmann|CLI11|stb' "$prefix" --include='*.cmake' --include='*.pc' --include='*.h' >"$log"; then
  fail "the package mentions a private dependency: $(tr '\n' ' ' <"$log")"
fi

# --- find_package -----------------------------------------------------------------------------

step "find_package: configure" "$cmake" -S "$consumer" -B "$work/package" "${arguments[@]}" \
  "-DCMAKE_PREFIX_PATH=$prefix" -DCMAKE_FIND_ROOT_PATH_MODE_PACKAGE=BOTH
step "find_package: build" "$cmake" --build "$work/package"
step "find_package: run" "$ctest" --test-dir "$work/package" --output-on-failure --no-tests=error

checks=$((checks + 1))
if "$cmake" -S "$consumer" -B "$work/none" "${arguments[@]}" \
  "-DCMAKE_PREFIX_PATH=$work/elsewhere" -DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF \
  -DCMAKE_FIND_USE_SYSTEM_ENVIRONMENT_PATH=OFF -DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF \
  >"$log" 2>&1; then
  fail "find_package: found a package where none is installed"
fi

# --- The examples -----------------------------------------------------------------------------

examples=$source_folder/engine/examples
warnings='-Wall -Wextra -pedantic -Wconversion -Wshadow -Wdouble-promotion -Werror'
step "examples: configure" "$cmake" -S "$examples" -B "$work/examples" "${arguments[@]}" \
  "-DCMAKE_PREFIX_PATH=$prefix" -DCMAKE_FIND_ROOT_PATH_MODE_PACKAGE=BOTH \
  "-DCMAKE_CXX_FLAGS=$warnings -Wold-style-cast" "-DCMAKE_C_FLAGS=$warnings"
step "examples: build" "$cmake" --build "$work/examples"
checks=$((checks + 1))
for file in "$examples"/*.c*; do
  [ "$(wc -l <"$file")" -lt 80 ] || fail "$file has 80 lines or more"
  name=$(basename "${file%.*}")
  [ -x "$work/examples/$name" ] || fail "engine/examples/CMakeLists.txt does not build $name"
  grep -qF "\`$(basename "$file")\`" "$examples/README.md" || fail "engine/examples/README.md lacks $name"
done

run=()
if [ -n "$emulator" ]; then IFS=';' read -ra run <<<"$emulator"; fi
# example STATUS PATTERN NAME ARGUMENT...: its exit status, and what it prints on both streams.
example() {
  local status=$1 pattern=$2 found
  shift 2
  checks=$((checks + 1))
  (cd "$work" && "${run[@]}" "examples/$1" "${@:2}") >"$log" 2>&1
  found=$?
  [ $found -eq "$status" ] || { cat "$log"; fail "example $*: expected status $status, found $found"; }
  # shellcheck disable=SC2053  # a pattern
  [[ $(<"$log") == $pattern ]] || { cat "$log"; fail "example $*: expected '$pattern'"; }
}

# Pixels of samples, all of 188x60: RGB behind a line, as the tests' own tool writes them, in BGR.
step "examples: pixels" "${run[@]}" "$build/tests/lprnet_pixels" "$work" \
  "$source_folder"/tests/samples/{沪C62018,新J85T20,陕V2M619}.jpg
for plate in 沪C62018 新J85T20 陕V2M619; do
  tail -n +2 "$work/$plate.jpg.ppm" >"$work/$plate.rgb"
  od -An -v -tu1 -w3 "$work/$plate.rgb" | LC_ALL=C awk '{ printf "%c%c%c", $3, $2, $1 }' >"$work/$plate.bgr"
done
# Two plates, one above the other, as a camera gives them: BT.601 in limited range.
cat "$work"/{新J85T20,陕V2M619}.rgb | od -An -v -tu1 -w3 | LC_ALL=C awk -v width=188 -v height=120 '
  { red[NR - 1] = $1; green[NR - 1] = $2; blue[NR - 1] = $3 }
  END {
    for (i = 0; i < width * height; ++i)
      printf "%c", int(16.5 + 0.257 * red[i] + 0.504 * green[i] + 0.098 * blue[i])
    for (y = 0; y < height; y += 2)
      for (x = 0; x < width; x += 2) {
        i = y * width + x
        printf "%c", int(128.5 - 0.148 * red[i] - 0.291 * green[i] + 0.439 * blue[i])
        printf "%c", int(128.5 + 0.439 * red[i] - 0.368 * green[i] - 0.071 * blue[i])
      }
  }' >"$work/frame.nv12"

example 0 '沪C62018 *  沪 *' read_image 沪C62018.bgr 188x60
example 0 '沪C62018 *' read_image 沪C62018.rgb 188x60 rgb
example 1 "error: expected a format *'brg'" read_image 沪C62018.rgb 188x60 brg
example 1 'error: 沪C62018.bgr: expected frames of 33660 bytes, found 33840 bytes' read_image 沪C62018.bgr 187x60
example 1 "error: expected a size *'188'" read_image 沪C62018.bgr 188
example 1 "error: expected a size *'0x60'" read_image 沪C62018.bgr 0x60
example 1 'error: absent.bgr: *no readable file' read_image absent.bgr 188x60
example 1 'error: examples: *no readable file' read_image examples 188x60
example 1 'error: usage: *' read_image

cat "$work"/新J85T20.bgr{,,} >"$work/three.bgr"
example 0 $'沪C62018 * 1 frames 沪C62018.bgr\n新J85T20 * 3 frames three.bgr' \
  cameras 188x60 沪C62018.bgr three.bgr
example 1 'error: absent: *' cameras 188x60 沪C62018.bgr absent

example 0 $'frame 1 plate 1 新J85T20 *\nframe 1 plate 2 陕V2M619 *' nv12_quads frame.nv12 188x120 \
  0,0,188,0,188,60,0,60 0,60,188,60,188,120,0,120
example 1 "error: expected eight numbers *'0,0,1'" nv12_quads frame.nv12 188x120 0,0,1
example 1 'error: quad 1: *' nv12_quads frame.nv12 188x120 0,0,0,0,0,0,0,0

example 0 '沪C62018 * city*' pattern 沪C62018.bgr 188x60 'city : 沪@#{5}' 'other 0.5 : 京@#{5}'
example 0 '沪C62O18 *' pattern 沪C62018.bgr 188x60 'odd : 沪@##O##'
example 1 'error: pattern:1:*' pattern 沪C62018.bgr 188x60 'city : ['

example 0 '沪C62018' verify write 沪C62018.bgr 188x60 logits
example 0 $'沪C62018\n*: largest difference * ok' verify check 沪C62018.bgr 188x60 logits
example 1 $'新J85T20\n*: largest difference * BAD' verify check 新J85T20.bgr 188x60 logits
example 1 'error: 沪C62018.bgr: expected 6408 bytes, found another size*' verify check 沪C62018.bgr 188x60 沪C62018.bgr
example 1 'error: absent: *no file*' verify check 沪C62018.bgr 188x60 absent

example 0 '沪C62018 *  沪 *' read_c99 沪C62018.bgr 188x60
example 0 '沪C62018 *' read_c99 沪C62018.bgr 188x60 int8
example 1 'error: unsupported: *fp16*' read_c99 沪C62018.bgr 188x60 fp16
example 1 'error: 沪C62018.bgr: *' read_c99 沪C62018.bgr 188x61

# --- A prefix that has moved ------------------------------------------------------------------

mv "$prefix" "$work/moved"
step "moved: configure" "$cmake" -S "$consumer" -B "$work/relocated" "${arguments[@]}" \
  "-DCMAKE_PREFIX_PATH=$work/moved" -DCMAKE_FIND_ROOT_PATH_MODE_PACKAGE=BOTH
step "moved: build" "$cmake" --build "$work/relocated"
mv "$work/moved" "$prefix"

# --- pkg-config -------------------------------------------------------------------------------

if [ -z "$emulator" ] && command -v pkg-config >/dev/null; then
  PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name lprnet.pc)")
  export PKG_CONFIG_PATH
  step "pkg-config: the version is that of the headers" \
    test "$(pkg-config --modversion lprnet)" = \
    "$(sed -n 's/.*define LPRNET_VERSION "\(.*\)".*/\1/p' "$source_folder/engine/include/lprnet/version.h")"
  flags=$(pkg-config --cflags lprnet)
  libraries=$(pkg-config --libs lprnet)
  # shellcheck disable=SC2086  # several words
  {
    step "pkg-config: C" "$cc" -std=c99 -Wall -Wextra -pedantic -Werror $flags \
      -c "$consumer/c99.c" -o "$work/c99.o"
    step "pkg-config: C++" "$cxx" -std=c++20 -Wall -Wextra -pedantic -Werror $flags \
      -c "$consumer/main.cpp" -o "$work/main.o"
    # The C compiler links: a C project need not know that there is C++ inside.
    step "pkg-config: link" "$cc" "$work/main.o" "$work/c99.o" -o "$work/consumer" $libraries
  }
  step "pkg-config: run" "$work/consumer"
else
  echo "skipped: pkg-config, which is not here or not for this system"
fi

# --- add_subdirectory -------------------------------------------------------------------------

# One instruction set will do: the others are compiled in the same way, and take long.
isa=$(sed -n '1s/^LPRNET_ISA(\([a-z0-9]*\),.*/\1/p' "$build/generated/isa_list.inc")
configure_subdirectory() {  # FOLDER [ARGUMENT...]
  local folder=$1
  shift
  step "add_subdirectory: configure $*" "$cmake" -S "$consumer" -B "$work/$folder" "${arguments[@]}" \
    "-DLPRNET_SOURCE_DIR=$source_folder" "-DLPRNET_BUILTIN_MODEL=$(cached LPRNET_BUILTIN_MODEL)" \
    "-DLPRNET_ISAS=$isa" -DCMAKE_EXPORT_COMPILE_COMMANDS=ON "$@"
}
# The note of the build type, and how the engine and the project's own code are compiled.
expect_optimized() {  # NAME FOLDER NOTE ENGINE_FLAG CONSUMER_FLAG
  checks=$((checks + 1))
  local folder=$work/$2 note engine own
  note=$(sed -n 's/^-- lprnet: //p' "$log")
  # shellcheck disable=SC2053  # a pattern
  [[ $note == $3 ]] || fail "$1: expected the note '$3', found '$note'"
  level() {  # SOURCE
    grep -E "\"command\".* -c [^ ]*/$1" "$folder/compile_commands.json" | grep -oE ' -O[^ ]*' | tail -1
  }
  engine=$(level engine/run/recognizer.cpp)
  own=$(level consumer/main.cpp)
  [ "$engine|$own" = "$4|$5" ] || fail "$1: expected levels '$4|$5', found '$engine|$own'"
}
configure_subdirectory debug -DCMAKE_BUILD_TYPE=Debug
expect_optimized "Debug" debug "build type Debug: *" "" ""
configure_subdirectory release -DCMAKE_BUILD_TYPE=Release
expect_optimized "Release" release "" " -O3" " -O3"
configure_subdirectory flags -DCMAKE_BUILD_TYPE= -DCMAKE_CXX_FLAGS=-O1
expect_optimized "flags alone" flags "" " -O1" " -O1"
configure_subdirectory subdirectory -DCMAKE_BUILD_TYPE=
expect_optimized "no build type" subdirectory "no build type is set: *" " -O2" ""
# The same for another processor, where it would show nothing new.
if [ -z "$emulator" ]; then
  step "add_subdirectory: build" "$cmake" --build "$work/subdirectory" --parallel 2
  step "add_subdirectory: run" "$ctest" --test-dir "$work/subdirectory" --output-on-failure --no-tests=error
fi
checks=$((checks + 1))
if [ -n "$(find "$work/subdirectory" \( -name lprnet -o -name lprnet_tests \) -type f -perm -u+x)" ]; then
  fail "add_subdirectory: the program or the tests were built, too"
fi

echo "$checks checks, 0 failed"
