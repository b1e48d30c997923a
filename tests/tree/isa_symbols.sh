#!/usr/bin/env bash
# The objects of an instruction set define its kernel table, functions of its class of kernels, and no
# symbol that the linker could merge with another object's: a merged inline function would run
# instructions that the CPU may not have. Nor does any code of theirs run before main.
#
#   isa_symbols.sh NM ISA: OBJECT... [ISA: OBJECT...]
set -u
if [ $# -lt 2 ]; then
  echo "usage: isa_symbols.sh NM ISA: OBJECT..." >&2
  exit 2
fi
nm=$1
shift

failures=0
complain() {
  failures=$((failures + 1))
  echo "FAILED: $1"
}

declare -A tables
isa=
for object in "$@"; do
  if [[ $object == *: ]]; then
    isa=${object%:}
    tables[$isa]=0
    continue
  fi
  # POSIX format: name, type, value, size.
  if ! symbols=$("$nm" -P "$object" | awk '{ print $2, $1 }'); then
    complain "$object: $nm cannot list its symbols"
    continue
  fi
  own=0
  while read -r type name; do
    readable=$(printf '%s' "$name" | c++filt 2>/dev/null || printf '%s' "$name")
    case $name in _GLOBAL__sub_I* | _GLOBAL__I*) complain "$object: code that runs before main: $readable" ;; esac
    case $type in
      W | V | u) complain "$object: weak or unique symbol: $readable" ;;
      C) complain "$object: common symbol: $readable" ;;
      i) complain "$object: indirect function: $readable" ;;
      [a-z] | U) ;;  # local, or defined elsewhere
      *)
        own=$((own + 1))
        class=$(printf '%s' "$readable" | sed -n 's/^lprnet::kernels::\([A-Za-z0-9]*\)Kernels::.*/\1/p')
        if [ -n "$class" ] && [ "$(printf '%s' "$class" | tr '[:upper:]' '[:lower:]')" = "$isa" ]; then
          continue
        fi
        case $name in
          *table_"$isa"*) tables[$isa]=$((tables[$isa] + 1)) ;;
          *) complain "$object: global symbol besides the kernels and the table of $isa: $readable" ;;
        esac
        ;;
    esac
  done <<<"$symbols"
  if [ $own -eq 0 ]; then complain "$object: no global symbol at all"; fi
done
for isa in "${!tables[@]}"; do
  if [ "${tables[$isa]}" -ne 1 ]; then
    complain "$isa: ${tables[$isa]} symbols named table_$isa, expected 1"
  fi
done

echo "$# objects, $failures problems"
[ $failures -eq 0 ]
