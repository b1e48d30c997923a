#!/usr/bin/env bash
# Each instruction set's object defines one global symbol, its kernel table, and no symbol that
# the linker could merge with another object's: a merged inline function would run instructions
# that the CPU may not have.
#
#   isa_symbols.sh NM OBJECT...
set -u
if [ $# -lt 2 ]; then
  echo "usage: isa_symbols.sh NM OBJECT..." >&2
  exit 2
fi
nm=$1
shift

failures=0
complain() {
  failures=$((failures + 1))
  echo "FAILED: $1"
}

for object in "$@"; do
  isa=$(basename "$object")
  isa=${isa%%.*}
  # POSIX format: name, type, value, size.
  if ! symbols=$("$nm" -P "$object" | awk '{ print $2, $1 }'); then
    complain "$object: $nm cannot list its symbols"
    continue
  fi
  tables=0
  while read -r type name; do
    readable=$(printf '%s' "$name" | c++filt 2>/dev/null || printf '%s' "$name")
    case $type in
      W | V | u) complain "$object: weak or unique symbol: $readable" ;;
      C) complain "$object: common symbol: $readable" ;;
      i) complain "$object: indirect function: $readable" ;;
      [a-z] | U) ;;  # local, or defined elsewhere
      *)
        case $name in
          *table_"$isa"*) tables=$((tables + 1)) ;;
          *) complain "$object: global symbol besides the table: $readable" ;;
        esac
        ;;
    esac
  done <<<"$symbols"
  if [ $tables -ne 1 ]; then complain "$object: $tables symbols named table_$isa, expected 1"; fi
done

echo "$# objects, $failures problems"
[ $failures -eq 0 ]
