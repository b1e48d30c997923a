#!/usr/bin/env bash
# The weights that ship read at least 60 % of the real labelled crops, where those are.
# Usage: data_accuracy_test.sh SOURCE_DIR PROGRAM [STRIDE]
# STRIDE takes every n-th crop alone, for builds that are slow.
set -u
data=${LPRNET_DATA:-$1/../shared/data}
if [ ! -f "$data/plates/dev/labels.tsv" ]; then
    echo "skipped: no plates/dev/labels.tsv in ../shared/data or in the folder named by LPRNET_DATA"
    exit 77
fi
labels=$(mktemp)
trap 'rm -f "$labels"' EXIT
awk -F '\t' -v OFS='\t' -v folder="$(cd "$data/plates/dev" && pwd)" -v stride="${3:-1}" \
    'NR % stride == 0 { $1 = folder "/" $1; print }' "$data/plates/dev/labels.tsv" > "$labels"
"$2" eval --min-accuracy 0.6 "$labels"
