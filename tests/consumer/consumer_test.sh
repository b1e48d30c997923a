#!/usr/bin/env bash
# Installs a build into a temporary prefix and uses it from outside: through find_package,
# through pkg-config, and the source tree through add_subdirectory. Each time the consumer is
# built with warnings as errors and run, by the CMake and the generator that built the library.
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
  grep -Ev '^(include/lprnet/[a-z_]+\.h|bin/lprnet|lib(64|/[^/]+)?/(liblprnet(_bpu)?\.a|pkgconfig/lprnet\.pc|cmake/lprnet/lprnet[A-Za-z-]+\.cmake))$')
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
  engine=$(level engine/model/graph.cpp)
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
step "add_subdirectory: build" "$cmake" --build "$work/subdirectory" --parallel 2
step "add_subdirectory: run" "$ctest" --test-dir "$work/subdirectory" --output-on-failure --no-tests=error
checks=$((checks + 1))
if [ -n "$(find "$work/subdirectory" \( -name lprnet -o -name lprnet_tests \) -type f -perm -u+x)" ]; then
  fail "add_subdirectory: the program or the tests were built, too"
fi

echo "$checks checks, 0 failed"
