#!/usr/bin/env bash
# What scripts/setup, build, demo and test say, with stand-ins for cmake and apt-get: a wrong argument is one
# line and exit status 2, a terminal sees a percentage, nobody else anything, and what went wrong is shown.
#
#   scripts.sh SOURCE_DIR
set -u
export LC_ALL=C
if [ $# -ne 1 ]; then
  echo "usage: scripts.sh SOURCE_DIR" >&2
  exit 2
fi
scripts=$1/scripts
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin"
stand_in() {  # NAME TEXT
  printf '#!/bin/sh\n%s\n' "$2" >"$work/bin/$1"
  chmod +x "$work/bin/$1"
}
PATH=$work/bin:$PATH

checks=0
failures=0
# Runs the command and compares all that it printed, and its exit status.
expect() {  # STATUS TEXT COMMAND...
  local status=$1 text=$2 found
  shift 2
  checks=$((checks + 1))
  found=$("$@" 2>&1 </dev/null)
  set -- $? "$@"
  # shellcheck disable=SC2053  # a pattern
  if [ "$1" -ne "$status" ] || [[ $found != $text ]]; then
    echo "FAILED: $*: expected status $status and '$text', found '$found'"
    failures=$((failures + 1))
  fi
}
on_terminal() { script -qec "$1" /dev/null; }

expect 2 "setup: unknown argument '-x', expected nothing or --checks" "$scripts/setup" -x
expect 2 "setup: unknown argument '--checks', expected nothing or --checks" "$scripts/setup" --checks --checks
expect 2 "package: unknown argument '-x', expected a preset" "$scripts/package" -x
expect 2 "package: unknown argument 'b', expected a preset at most" "$scripts/package" a b
expect 2 "static: unknown processor 'riscv64', expected x86_64 or aarch64" "$scripts/static" riscv64
expect 2 "wheel: unknown argument '-x', expected names of Pythons" "$scripts/wheel" -x
expect 1 "wheel: there is no python3.0" "$scripts/wheel" python3.0
expect 0 "*setup --checks *" "$scripts/setup" --help
expect 2 "demo: unknown argument '--fast', expected images" "$scripts/demo" --fast
expect 2 "build: expected a preset (release, *), found nothing" "$scripts/build"
expect 2 "build: expected a preset (release, *), found 'paint'" "$scripts/build" paint
expect 2 "build: expected a preset (release, *), found 'rel.*'" "$scripts/build" 'rel.*'
expect 2 "test: unknown argument 'dev', expected a preset at most" "$scripts/test" release dev
for name in build demo test; do expect 0 "*$name *" "$scripts/$name" --help; done

# A build of four steps; the file fail names what it prints before it fails.
stand_in cmake "case \$1 in
--version) echo 'cmake version 3.22.1' ;;
--build)
  echo '[1/4] Building CXX object one'
  if [ -e $work/fail ]; then cat $work/fail; exit 1; fi
  echo '[2/4] Building CXX object two'
  echo '[4/4] Linking' ;;
esac"
expect 0 "" "$scripts/build" release
if command -v script >/dev/null; then
  expect 0 "configuring release*25 %*50 %*100 %*" on_terminal "'$scripts/build' release"
else
  echo "skipped: a terminal, for which there is no command script"
fi
echo "two.cpp:7: error: no" >"$work/fail"
expect 1 "?1/4? Building CXX object one
two.cpp:7: error: no" "$scripts/build" release
echo "two.o: No space left on device" >"$work/fail"
expect 1 "build: no space left on the disk of *" "$scripts/build" release

# Nothing is installed, and nothing can be.
stand_in dpkg-query 'exit 1'
stand_in id 'echo 0'
stand_in apt-get 'echo "E: Failed to fetch: no route"; exit 100'
expect 1 "setup: installing *
E: Failed to fetch: no route
setup: apt-get update: cannot install * (no network, or a full disk?)" "$scripts/setup"
stand_in dpkg-query 'echo installed'
expect 0 "" "$scripts/setup"
stand_in cmake 'echo cmake version 3.18.4'
expect 1 "setup: $work/bin/cmake is version 3.18.4, expected 3.22 or newer" "$scripts/setup"
stand_in cmake 'echo cmake version 4.1.0-rc2'
expect 0 "" "$scripts/setup"

echo "$checks checks, $failures failed"
[ $failures -eq 0 ]
