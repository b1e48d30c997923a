#!/usr/bin/env bash
# The reference of the interface: Doxygen makes it of the headers without a warning, their comments
# arrive where they belong, and a comment that is wrong fails.
#
#   api_reference.sh SOURCE_DIR
set -u

if [ $# -ne 1 ]; then
  echo "usage: api_reference.sh SOURCE_DIR" >&2
  exit 2
fi
if ! command -v doxygen >/dev/null; then
  echo "skipped: api_reference: doxygen is not installed"
  exit 77
fi
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
fail() {
  echo "FAILED: $1"
  exit 1
}

build() {  # INCLUDE_DIR NAME
  mkdir -p "$work/$2"
  (cd "$1" && LPRNET_DOCS=$work/$2 doxygen Doxyfile) >"$work/$2.log" 2>&1
}
build "$1/engine/include" docs || { cat "$work/docs.log"; fail "there are warnings"; }
[ -s "$work/docs.log" ] && { cat "$work/docs.log"; fail "there are warnings"; }

html=$work/docs/html
checks=0
# Words of the text of a page, whatever its tags and line breaks.
expect() {  # PAGE WORDS
  checks=$((checks + 1))
  sed 's/<[^>]*>//g' "$html/$1" | tr -s ' \n' ' ' | grep -qF -- "$2" || fail "$1 lacks '$2'"
}
# Above a class, a member and a C function, beside a member and an enumerator, at a file's head.
expect classlprnet_1_1Recognizer.html 'Owns the working memory of one forward pass.'
expect classlprnet_1_1Recognizer.html 'Packs the weights for one instruction set'
expect structlprnet_1_1Point.html 'pixel (0, 0) covers 0..1 each way'
expect lprnet_8h.html 'Packs the weights and reserves all memory.'
expect structlpr__options.html 'NULL: greedy'
expect namespacelprnet.html 'the likeliest class of each time step'
expect classlprnet_1_1Patterns.html '// a comment, to the end of the line'
expect vote_8h.html 'One answer from several readings of the same plate.'
for header in "$1"/engine/include/lprnet/*.h; do
  name=$(basename "$header" .h)
  checks=$((checks + 1))
  [ -e "$html/${name//_/__}_8h.html" ] || fail "there is no page of $name.h"
done

cp -R "$1/engine/include" "$work/wrong"
echo '// Gives @param what it has not.
int wrong(int right);' >>"$work/wrong/lprnet/version.h"
build "$work/wrong" none && fail "a comment about a parameter that is not there goes unnoticed"
grep -q "what" "$work/none.log" || fail "the error does not tell the parameter"
echo "$((checks + 3)) checks, 0 failed"
