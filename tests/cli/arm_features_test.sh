#!/usr/bin/env bash
# One program for every 64-bit Arm: what a core lacks is found out when the program starts. The
# emulator plays a core without dot products (Cortex-A53) and one that has what Cortex-A55 has too
# (Cortex-A76).
#
#   arm_features_test.sh SOURCE_DIR EMULATOR... PROGRAM
set -u
export LC_ALL=C.UTF-8
unset LPRNET_ISA
if [ $# -lt 3 ]; then
  echo "usage: arm_features_test.sh SOURCE_DIR EMULATOR... PROGRAM" >&2
  exit 2
fi
sample=$1/tests/samples/川G5W306.jpg
shift
emulator=$1
shift
failures=0

# on CORE ARGUMENT...: the program's output, or its error
on() {
  core=$1
  shift
  "$emulator" -cpu "$core" "${command[@]}" "$@" 2>&1
}
command=("$@")

# expect WHAT PATTERN TEXT
expect() {
  if ! grep -qE "$2" <<< "$3"; then
    echo "FAILED: $1: expected /$2/, found: $3"
    failures=$((failures + 1))
  fi
}

expect "Cortex-A53, table" '^isas +reference neon; in use: neon$' "$(on cortex-a53 info)"
expect "Cortex-A53, features" '^features +neon$' "$(on cortex-a53 info)"
expect "Cortex-A53, reading" '^川G5W306' "$(on cortex-a53 read "$sample")"
export LPRNET_ISA=neondot
expect "Cortex-A53, forced" "'neondot' is not offered by this CPU" "$(on cortex-a53 read "$sample")"
unset LPRNET_ISA
expect "Cortex-A76, table" '^isas +reference neon neondot; in use: neondot$' "$(on cortex-a76 info)"
expect "Cortex-A76, features" '^features +neon neon_dotprod neon_half$' "$(on cortex-a76 info)"
expect "Cortex-A76, reading" '^川G5W306' "$(on cortex-a76 read "$sample")"

[ $failures -eq 0 ] || exit 1
echo "both cores read the plate with the best that they have"
