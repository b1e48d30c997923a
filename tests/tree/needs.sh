#!/usr/bin/env bash
# Where nothing is installed, configuring names every missing package, all at once; where xsimd is too
# old, its version. scripts/setup installs each package that is named.
#
#   needs.sh SOURCE_DIR CMAKE GENERATOR MAKE_PROGRAM CC CXX
set -u
export LC_ALL=C
if [ $# -ne 6 ]; then
  echo "usage: needs.sh SOURCE_DIR CMAKE GENERATOR MAKE_PROGRAM CC CXX" >&2
  exit 2
fi
source_folder=$1
cmake=$2
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
arguments=(-G "$3" "-DCMAKE_MAKE_PROGRAM=$4" "-DCMAKE_C_COMPILER=$5" "-DCMAKE_CXX_COMPILER=$6")

failures=0
# Expects that configuring fails with each of the lines.
expect_lines() {  # NAME LINE... -- CMAKE_ARGUMENT...
  local name=$1 lines=() line
  shift
  while [ "$1" != -- ]; do
    lines+=("$1")
    shift
  done
  shift
  if "$cmake" -S "$source_folder" -B "$work/build" "${arguments[@]}" "$@" >"$work/log" 2>&1; then
    echo "FAILED: $name: configuring did not fail"
    failures=$((failures + 1))
  fi
  for line in "${lines[@]}"; do
    if ! grep -qF -- "$line" "$work/log"; then
      echo "FAILED: $name: expected '$line', found $(cat "$work/log")"
      failures=$((failures + 1))
    fi
  done
  rm -rf "$work/build"
}

packages=(libxsimd-dev nlohmann-json3-dev libcli11-dev libstb-dev libbenchmark-dev catch2 libeigen3-dev)
expect_lines "nothing is installed" "${packages[@]/#/ install }" -- \
  -DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF -DCMAKE_FIND_USE_SYSTEM_ENVIRONMENT_PATH=OFF \
  -DCMAKE_FIND_USE_CMAKE_ENVIRONMENT_PATH=OFF -DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF
mkdir -p "$work/old/xsimd/config"
touch "$work/old/xsimd/xsimd.hpp"
printf '#define XSIMD_VERSION_%s\n' "MAJOR 7" "MINOR 6" "PATCH 0" >"$work/old/xsimd/config/xsimd_config.hpp"
expect_lines "an old xsimd" "$work/old/xsimd is version 7.6.0: install libxsimd-dev 8.1 or newer" -- \
  "-DXSIMD_INCLUDE_DIR=$work/old"
for package in "${packages[@]}"; do
  if ! grep -qE "^( |packages=).*[( ]$package( |\)|$)" "$source_folder/scripts/setup"; then
    echo "FAILED: scripts/setup does not install $package"
    failures=$((failures + 1))
  fi
done
echo "${#packages[@]} packages, $failures problems"
[ $failures -eq 0 ]
