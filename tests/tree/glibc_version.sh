#!/usr/bin/env bash
# The program for boards starts with the C library of Ubuntu 22.04, whatever is newer where it was
# built. A program without dynamic symbols needs none.
# Headers of 2.38 and newer give functions as old as strtoul another name, which no older C library has: what is
# compiled with them is not for boards, and the test is skipped (77).
#
#   glibc_version.sh OBJDUMP PROGRAM NEWEST C_LIBRARY
set -u
if [ $# -ne 4 ]; then
  echo "usage: glibc_version.sh OBJDUMP PROGRAM NEWEST C_LIBRARY" >&2
  exit 2
fi
objdump=$1
program=$2
newest=$3
library=$4

newest_of() { grep -oE '\bGLIBC_[0-9.]+' | sed 's/^GLIBC_//' | sort -V -u | tail -1; }
built_with=$("$objdump" -p "$library" | newest_of)
if [ -z "$built_with" ]; then
  echo "FAILED: $objdump finds no GLIBC version in $library"
  exit 1
fi
if [ "$(printf '%s\n' 2.38 "$built_with" | sort -V | head -1)" = 2.38 ]; then
  echo "skipped: built with glibc $built_with, which makes no programs for $newest; Debian 12 does"
  exit 77
fi

if ! headers=$("$objdump" -p "$program"); then
  echo "FAILED: $objdump cannot read $program"
  exit 1
fi
if ! grep -q NEEDED <<< "$headers"; then
  echo "static: needs no C library"
  exit 0
fi
needed=$(newest_of <<< "$headers")
if [ -z "$needed" ]; then
  echo "FAILED: $program: no GLIBC version found; the listing of $objdump was not understood"
  exit 1
fi
if [ "$(printf '%s\n' "$newest" "$needed" | sort -V | tail -1)" != "$newest" ]; then
  symbols=$("$objdump" -T "$program" | grep "GLIBC_$needed)" | awk '{print $NF}' | tr '\n' ' ')
  echo "FAILED: $program: expected GLIBC_$newest at most, found GLIBC_$needed: $symbols"
  exit 1
fi
# The C++ runtime is inside: 22.04's is older than that of GCC 12.
if grep -q 'NEEDED.*libstdc++' <<< "$headers"; then
  echo "FAILED: $program: expected the C++ runtime inside, found libstdc++ among the libraries it needs"
  exit 1
fi
echo "needs GLIBC_$needed, allowed GLIBC_$newest"
