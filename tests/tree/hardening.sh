#!/usr/bin/env bash
# The program as linked: addresses drawn at each start, nothing that the linker filled in can be
# written afterwards, no executable stack, guards on the stack and round buffers of known size.
#
#   hardening.sh READELF PROGRAM checked|unchecked CC
#
# "unchecked" is a build without optimization, where the C library's functions check nothing. CC
# makes the programs on which this tests itself first.
set -u
export LC_ALL=C
if [ $# -ne 4 ]; then
  echo "usage: hardening.sh READELF PROGRAM checked|unchecked CC" >&2
  exit 2
fi
readelf=$1
program=$2
functions=$3
cc=$4

# Prints one line for each thing that PROGRAM lacks.
check() {  # PROGRAM checked|unchecked
  local header segments dynamic symbols
  if ! header=$("$readelf" -hW "$1") || ! segments=$("$readelf" -lW "$1") ||
    ! dynamic=$("$readelf" -dW "$1") || ! symbols=$("$readelf" --dyn-syms -W "$1"); then
    echo "$readelf cannot read $1"
    return
  fi
  # A shared library is of the same type; only programs have an interpreter or the flag PIE.
  grep -qE 'Type: +DYN' <<<"$header" || echo "PIE: expected type DYN, found$(sed -n 's/.*Type: */ /p' <<<"$header")"
  grep -q 'GNU_RELRO' <<<"$segments" || echo "RELRO: no segment GNU_RELRO"
  grep -qE '\((BIND_NOW|FLAGS)\).*BIND_NOW|\(FLAGS_1\).*\bNOW\b' <<<"$dynamic" || echo "BIND_NOW: not among the dynamic flags"
  local stack
  stack=$(sed -nE 's/^ *GNU_STACK( +0x[0-9a-f]+){5} ([RWE ]{3}).*/\2/p' <<<"$segments")
  [ "$stack" = "RW " ] || echo "GNU_STACK: expected flags RW, found '${stack:-none}'"
  grep -qE ' __stack_chk_fail\b' <<<"$symbols" || echo "stack protector: __stack_chk_fail is not called"
  if [ "$2" = checked ]; then
    grep -qE ' __[a-z]+_chk\b' <<<"$symbols" || echo "_FORTIFY_SOURCE: no checked function is called"
  fi
}

# Each thing taken away from a small program has to be noticed, and nothing else.
self_test() {
  local work problems=0 name flags expected found
  work=$(mktemp -d) || return 1
  cat >"$work/main.c" <<'END'
#include <stdio.h>
#include <string.h>
int main(int argc, char** argv) {
    char text[16];
    snprintf(text, (size_t)argc + 1, "%s", argv[0]);
    return puts(text) < 0;
}
END
  local all="-O2 -fPIE -pie -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -Wl,-z,relro,-z,now,-z,noexecstack"
  while IFS='|' read -r name flags expected; do
    # shellcheck disable=SC2086  # several words
    if ! "$cc" $all $flags "$work/main.c" -o "$work/program" 2>"$work/log"; then
      echo "FAILED: self-test: $name: $(head -1 "$work/log")"
      problems=$((problems + 1))
      continue
    fi
    found=$(check "$work/program" checked | sed 's/:.*//' | tr '\n' ' ')
    if [ "$found" != "$expected" ]; then
      echo "FAILED: self-test: $name: expected complaints '$expected', found '$found'"
      problems=$((problems + 1))
    fi
  done <<'END'
everything||
fixed addresses|-fno-pie -no-pie|PIE 
tables stay writable|-Wl,-z,norelro|RELRO 
functions found when called|-Wl,-z,lazy|BIND_NOW 
executable stack|-Wl,-z,execstack|GNU_STACK 
no guard|-fno-stack-protector|stack protector 
no checked functions|-U_FORTIFY_SOURCE|_FORTIFY_SOURCE 
END
  rm -rf "$work"
  [ $problems -eq 0 ]
}

self_test || exit 1
complaints=$(check "$program" "$functions")
if [ -n "$complaints" ]; then
  printf '%s\n' "$complaints" | sed "s,^,FAILED: $program: ,"
  exit 1
fi
echo "$program: PIE, RELRO, BIND_NOW, GNU_STACK, stack protector, _FORTIFY_SOURCE ($functions)"
