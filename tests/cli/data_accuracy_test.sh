#!/usr/bin/env bash
# The weights that ship read at least 60 % of the real labelled crops, where those are.
# Usage: data_accuracy_test.sh SOURCE_DIR PROGRAM
set -u
data=${LPRNET_DATA:-$1/../shared/data}
if [ ! -f "$data/plates/dev/labels.tsv" ]; then
    echo "skipped: no plates/dev/labels.tsv in ../shared/data or in the folder named by LPRNET_DATA"
    exit 77
fi
exec "$2" eval --min-accuracy 0.6 "$data/plates/dev"
