#!/usr/bin/env bash
# liblprnet.so of a build with BUILD_SHARED_LIBS: it exports what the headers declare and nothing else, has the
# name that its version asks for, needs no private library, and programs that were built against the installed
# package find it.
#
#   shared_library_test.sh BUILD_DIR CONSUMER_DIR [CMAKE_ARGUMENT...]
set -u
export LC_ALL=C
if [ $# -lt 2 ]; then
  echo "usage: shared_library_test.sh BUILD_DIR CONSUMER_DIR [CMAKE_ARGUMENT...]" >&2
  exit 2
fi
build=$1
consumer=$2
shift 2
headers=$(cd "$consumer/../../engine/include" && pwd) || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
log=$work/log
prefix=$work/prefix
checks=0
fail() {
  echo "FAILED: $1"
  exit 1
}
step() {  # NAME COMMAND...
  checks=$((checks + 1))
  "${@:2}" >"$log" 2>&1 || { cat "$log"; fail "$1: ${*:2}"; }
}
expect() {  # WHAT EXPECTED FOUND
  checks=$((checks + 1))
  [ "$2" = "$3" ] || fail "$1: expected '$2', found '$3'"
}
cached() { sed -n "s/^$1:[A-Z]*=//p" "$build/CMakeCache.txt"; }
cmake=$(cached CMAKE_COMMAND)

step "install" "$cmake" --install "$build" --prefix "$prefix"
library=$(find "$prefix" -name 'liblprnet.so.*' -type f)
expect "archives that are installed" "" "$(find "$prefix" -name '*.a')"

# --- The name ---------------------------------------------------------------------------------

version=$(sed -n 's/.*define LPRNET_VERSION "\(.*\)".*/\1/p' "$headers/lprnet/version.h")
expect "the file" "liblprnet.so.$version" "$(basename "$library")"
dynamic=$(readelf -dW "$library") || fail "readelf cannot read $library"
expect "SONAME" "liblprnet.so.${version%.*}" "$(sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p' <<<"$dynamic")"
checks=$((checks + 1))
needed=$(sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' <<<"$dynamic")
strangers=$(grep -vE '^(libstdc\+\+|libgcc_s|libm|libc|libpthread|libdl|ld-linux.*)\.so' <<<"$needed")
[ -z "$strangers" ] || fail "it needs $strangers"
checks=$((checks + 1))
grep -qE 'BIND_NOW|Flags: NOW' <<<"$dynamic" || fail "symbols are bound late"

# --- What it exports --------------------------------------------------------------------------

exported=$(nm -D --defined-only -C "$library" | sed -E 's/^[0-9a-f]+ [A-Za-z] //' | sort -u)
# Functions of C: each that the header declares, and no other.
declared=$(grep -oE '^LPRNET_API .*' "$headers/lprnet/lprnet.h" | grep -oE 'lpr_[a-z_]+\(' | tr -d '(' | sort -u)
expect "functions of C" "$declared" "$(grep -E '^lpr_' <<<"$exported")"
# Those of the first version whose C interface is kept are there for ever.
expect "functions of 0.9.0 that are gone" "" "$(comm -23 "$consumer/functions_0.9.txt" - <<<"$declared")"
# Of C++ the members of those classes that the headers export.
classes=$(for header in "$headers"/lprnet/*.h; do
  space=$(sed -n 's/^namespace \(.*\) {$/\1/p' "$header" | head -1)
  sed -n "s/^class LPRNET_API \([A-Za-z]*\).*/$space::\1/p" "$header"
done)
checks=$((checks + 1))
[ "$(wc -l <<<"$classes")" -ge 6 ] || fail "the headers export only $classes"
members=$(grep -vE '^lpr_' <<<"$exported")
for class in $classes; do
  checks=$((checks + 1))
  grep -qE "^$class::[^:]*\(" <<<"$members" || fail "nothing of $class is exported"
  members=$(grep -vE "^$class::" <<<"$members")
done
checks=$((checks + 1))
nested=$(grep -vE '^lpr_' <<<"$exported" | sed -E 's/\(.*//' | grep -E "^($(tr '\n' '|' <<<"$classes")none)::.*::")
[ -z "$nested" ] || fail "what is inside of classes is exported: $(head -5 <<<"$nested")"
checks=$((checks + 1))
[ -z "$members" ] || fail "these are exported too: $(head -5 <<<"$members")"

# --- Programs that use it ---------------------------------------------------------------------

step "configure" "$cmake" -G "$(cached CMAKE_GENERATOR)" -S "$consumer" -B "$work/consumer" \
  "-DCMAKE_MAKE_PROGRAM=$(cached CMAKE_MAKE_PROGRAM)" "-DCMAKE_PREFIX_PATH=$prefix" "$@"
step "build" "$cmake" --build "$work/consumer"
step "run" "$work/consumer/consumer"
checks=$((checks + 1))
readelf -dW "$work/consumer/consumer" | grep -qF "[liblprnet.so.${version%.*}]" || fail "the program has no need of it"
if command -v pkg-config >/dev/null; then
  PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name lprnet.pc)")
  export PKG_CONFIG_PATH
  # shellcheck disable=SC2046  # several words
  step "pkg-config" c++ -std=c++20 "$consumer/main.cpp" "$work"/consumer/CMakeFiles/consumer.dir/c99.c.o \
    $(pkg-config --cflags --libs lprnet) -o "$work/linked"
  step "pkg-config: run" env "LD_LIBRARY_PATH=$(dirname "$library")" "$work/linked"
fi
echo "$checks checks, 0 failed"
