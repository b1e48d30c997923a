#!/usr/bin/env bash
# The program for boards starts with the C library of Ubuntu 22.04, whatever is newer where it was
# built. A program without dynamic symbols needs none.
#
#   glibc_version.sh OBJDUMP PROGRAM NEWEST
set -u
if [ $# -ne 3 ]; then
  echo "usage: glibc_version.sh OBJDUMP PROGRAM NEWEST" >&2
  exit 2
fi
objdump=$1
program=$2
newest=$3

if ! headers=$("$objdump" -p "$program"); then
  echo "FAILED: $objdump cannot read $program"
  exit 1
fi
if ! grep -q NEEDED <<< "$headers"; then
  echo "static: needs no C library"
  exit 0
fi
versions=$(grep -oE '\bGLIBC_[0-9.]+' <<< "$headers" | sed 's/^GLIBC_//' | sort -V -u)
if [ -z "$versions" ]; then
  echo "FAILED: $program: no GLIBC version found; the listing of $objdump was not understood"
  exit 1
fi
needed=$(tail -1 <<< "$versions")
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
