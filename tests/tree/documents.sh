#!/usr/bin/env bash
# Whether the documents (*.md) of the tree are true as far as a program can tell:
# - links lead to a file or folder of the tree, and to a heading of it;
# - files that are named in code exist;
# - the program knows the verbs and flags of its command lines, each script its own, presets, steps and stages of
#   training are there, and flags that are named alone belong to some of them;
# - names of options and variables, LPRNET_..., occur outside of documents;
# - README.md has 180 lines at most, and README.zh.md the same headings, level by level.
# Links to other places are not followed.
#
#   documents.sh SOURCE_DIR [PROGRAM...]    tests itself, then the tree; PROGRAM may be an emulator with a program
#   documents.sh --self-test
set -u
export LC_ALL=C
if [ $# -lt 1 ]; then
  echo "usage: documents.sh SOURCE_DIR [PROGRAM...]" >&2
  exit 2
fi

# Files that are the reader's, or that scripts and toolchains write, and the beginning of the names of some.
others=' app.cpp crossover steps.md log.csv stages.md '

# Prints a line for all that is looked at, fields separated by tabs: kind, file, line, text.
#   heading  anchor      link  target      code  inline code, or a line of a block
# A block of a programming language is code without commands: `source`.
parse() {  # FILE
  awk -v file="$1" '
    function put(kind, text) { printf "%s\t%s\t%d\t%s\n", kind, file, at, text }
    # A paragraph, as code and links may go on in its next line.
    function flush(   rest, text, start) {
      rest = paragraph
      paragraph = ""
      gsub(/\\\|/, "|", rest)
      text = ""
      while ((start = index(rest, "`")) > 0) {
        text = text substr(rest, 1, start - 1)
        rest = substr(rest, start + 1)
        if (index(rest, "`") == 0) break
        put("code", substr(rest, 1, index(rest, "`") - 1))
        rest = substr(rest, index(rest, "`") + 1)
      }
      text = text rest
      while (match(text, /\]\([^)]*\)/)) {
        put("link", substr(text, RSTART + 2, RLENGTH - 3))
        text = substr(text, RSTART + RLENGTH)
      }
    }
    # Joins lines of a block that end in a backslash.
    function block(line) {
      if (part == "") at = NR
      if (line ~ /\\$/) {
        part = part substr(line, 1, length(line) - 1) " "
        return
      }
      put(kind, part line)
      part = ""
    }
    /^```/ {
      flush()
      fenced = !fenced
      kind = $0 ~ /^```(cpp|c|cmake)$/ ? "source" : "code"
      next
    }
    fenced { block($0); next }
    /^    / && (blank || indented) && !listed {
      flush()
      kind = "code"
      indented = 1
      block(substr($0, 5))
      next
    }
    { indented = 0; blank = 0 }
    /^[ \t]*$/ { flush(); blank = 1; listed = 0; next }
    /^#+ / {
      flush()
      at = NR
      text = $0
      level = index(text, " ") - 1
      text = substr(text, level + 2)
      while (match(text, /\]\([^)]*\)/)) {
        put("link", substr(text, RSTART + 2, RLENGTH - 3))
        text = substr(text, 1, RSTART - 1) substr(text, RSTART + RLENGTH)
      }
      text = tolower(text)
      gsub(/[!-,.\/:-@[-^`{-~]/, "", text)
      gsub(/ /, "-", text)
      if (text in seen) text = text "-" seen[text]++
      else seen[text] = 1
      put("heading", level " " text)
      next
    }
    /^\|/ || /^[-*] / || /^[0-9]+\. / { flush(); listed = !/^\|/ }
    { if (paragraph == "") at = NR; paragraph = paragraph " " $0 }
    END { flush() }' "$1"
}

# --- What is known --------------------------------------------------------------------------------

# The tree without what was built and what tools keep for themselves.
find_in_tree() {  # CONDITION...
  find . -type d \( -path ./build -o -name '.?*' ! -name .ci \) -prune -o "$@"
}

declare -A anchors exists flags
known_scripts=()
# flags["VERB -x"] and flags["-x"] of the program, exists["NAME"] of all files and folders, by path and by name.
learn() {  # [PROGRAM...]
  anchors=() exists=() flags=() verbs=' '
  local path verb flag
  while IFS= read -r path; do
    exists[$path]=1
    exists[//${path##*/}]=$path
  done < <(find_in_tree -print | sed 's,^\./,,')
  mapfile -t known_scripts < <(find scripts bench tests .ci engine/python -type f ! -name '*.md' -print0 2>/dev/null |
    xargs -0 -r grep -lI -e '^#!' -e 'add_argument')
  [ $# -gt 0 ] || return 0
  for verb in $("$@" --help | awk '/^Subcommands:/ { on = 1; next } on && /^  [a-z]/ { print $1; if (/^  [a-z]+, /) print $2 }' |
    tr -d ,); do
    verbs+="$verb "
    for flag in $("$@" "$verb" --help | grep -E '^ +-' | sed -E 's/^ +//; s/ .*//' | tr ',' ' '); do
      flags[$verb $flag]=1
      flags[$flag]=1
    done
  done
  flags[--version]=1
}

# True if the text of a script has the flag as a word.
script_has_flag() {  # FLAG FILE...
  local flag=$1
  shift
  grep -qE -e "(^|[^A-Za-z0-9-])$flag([^A-Za-z0-9-]|\$)" "$@" 2>/dev/null
}

# --- Checks ---------------------------------------------------------------------------------------

problems=0
complain() {  # LINE_OF_PARSE TEXT
  problems=$((problems + 1))
  echo "$file:$line: $1"
}

check_link() {
  local target=$1 path anchor
  case $target in
    http://* | https://* | mailto:*) return ;;
  esac
  path=${target%%#*}
  anchor=${target#"$path"}
  case $path in
    '') path=$file ;;
    *) path=$(realpath -ms --relative-to=. "$(dirname "$file")/$path") ;;
  esac
  if [ -z "${exists[$path]:-}" ]; then
    complain "link to '$target': there is no $path"
  elif [ -n "$anchor" ] && [ -z "${anchors[$path$anchor]:-}" ]; then
    complain "link to '$target': $path has no such heading"
  fi
}

check_names() {  # CODE
  local word name words
  words=${1//[^A-Za-z0-9_.\/-]/ }
  for word in $words; do
    word=${word#./}
    while [[ $word == *[./] ]]; do word=${word%?}; done
    name=${word##*/}
    if [ -z "$word" ] || [ -n "${exists[$word]:-}" ]; then continue; fi
    [[ $word =~ (^|[/_.])(NAME|TARGET|FILE|FOLDER|SCRIPT|DIR|MODEL|STEP)([/_.]|$) || $others == *" $name "* ]] && continue
    [[ $file == */* && -n ${exists[${file%/*}/$word]:-} ]] && continue
    if [[ $word =~ ^(engine|kernels|weights|scripts|bench|tests|\.ci)/ ]]; then
      complain "there is no $word"
    elif [[ $word =~ ^[A-Za-z0-9_].*\.(h|cpp|c|inc|py|sh|toml|md|csv)$ ]]; then
      [ -n "${exists[engine/include/$word]:-}" ] && continue
      [[ $word != */* ]] && [ -n "${exists[//$name]:-}" ] && continue
      complain "there is no $word"
    fi
  done
  [[ $1 == *LPRNET_* ]] || return
  while IFS= read -r word; do
    [[ $variables == *" $word "* ]] || complain "nothing but documents has $word"
  done < <(grep -oE 'LPRNET_[A-Z0-9_]+' <<<"$1")
}

check_flags() {  # KNOWN_AS WORD...: those of a verb, or of a script
  local owner=$1 word
  shift
  for word; do
    [[ $word =~ ^(--[a-z]|-[A-Za-z]) ]] || continue
    word=${word%%=*}
    word=${word%%[^A-Za-z0-9_-]*}
    if [ -f "$owner" ]; then
      script_has_flag "$word" "$owner" || complain "$owner does not know $word"
    elif [ -z "${flags[$owner $word]:-}" ]; then
      complain "lprnet $owner does not know $word"
    fi
  done
}

check_command() {  # WORD...
  while [[ ${1:-} =~ ^([A-Z_]+=|\$$|time$|nice$) ]]; do shift; done
  [[ ${1:-} == */python || ${1:-} == python3 ]] && shift
  local first=${1:-} owner=
  shift
  case $first in
    lprnet | */lprnet)
      [ -n "$program" ] && [[ ${1:-} =~ ^[a-z] ]] || return
      if [[ $verbs != *" $1 "* ]]; then
        complain "lprnet has no verb '$1'"
        return
      fi
      check_flags "$@"
      return
      ;;
    scripts/* | bench/* | .ci/*) owner=$first ;;
    *.py) owner=${exists[//$first]:-} ;;
    --*)
      [ -z "$program" ] && return
      first=${first%%[^A-Za-z0-9_-]*}
      [ -n "${flags[$first]:-}" ] || script_has_flag "$first" "${known_scripts[@]}" ||
        complain "neither the program nor a script knows $first"
      return
      ;;
  esac
  [ -n "$owner" ] && [ -f "$owner" ] || return
  check_flags "$owner" "$@"
  local name=${1:-}
  [[ $name =~ ^[a-z0-9_-]+$ && $name != -* ]] || return
  case $owner in
    scripts/build | scripts/test)
      grep -q "\"name\": \"$name\"" CMakePresets.json || complain "there is no preset '$name'" ;;
    .ci/run) grep -q "^step_$name()" .ci/run || complain ".ci/run has no step '$name'" ;;
    scripts/train.py) grep -q "^\[$name\]" scripts/recipe.toml || complain "the recipe has no stage '$name'" ;;
  esac
}

check_commands() {  # CODE
  local text=$1 part words
  text=${text%%[ ]#*}
  [[ $text == '#'* ]] && return
  text=${text//\$(/$'\n'}
  text=${text// && /$'\n'}
  text=${text// | /$'\n'}
  text=${text//; /$'\n'}
  while IFS= read -r part; do
    read -ra words <<<"${part#'$ '}"
    [ ${#words[@]} -gt 0 ] && check_command "${words[@]}"
  done <<<"$text"
}

# Prints a line for each problem of the documents in the current folder.
check_documents() {  # [PROGRAM...]
  program=$*
  learn "$@"
  variables=" $(find_in_tree -type f ! -name '*.md' -print0 |
    xargs -0 grep -hoIE 'LPRNET_[A-Z0-9_]+' | sort -u | tr '\n' ' ') "
  documents=$(find_in_tree -name '*.md' -print | sed 's,^\./,,' | sort)
  local parsed kind file line text lines
  parsed=$(for file in $documents; do parse "$file"; done)
  while IFS=$'\t' read -r kind file line text; do
    [ "$kind" = heading ] && anchors[$file#${text#* }]=1
  done <<<"$parsed"
  while IFS=$'\t' read -r kind file line text; do
    case $kind in
      link) check_link "$text" ;;
      source) check_names "$text" ;;
      code)
        check_names "$text"
        check_commands "$text"
        ;;
    esac
  done <<<"$parsed"
  if [ -e README.md ]; then
    file=README.md
    lines=$(wc -l <README.md)
    line=$lines
    [ "$lines" -le 180 ] || complain "$lines lines, expected 180 at most"
  fi
  if [ -e README.zh.md ]; then
    levels() { awk -F'\t' -v file="$1" '$1 == "heading" && $2 == file { print substr($4, 1, 1) }' <<<"$parsed" | tr -d '\n'; }
    file=README.zh.md line=1
    [ "$(levels README.md)" = "$(levels README.zh.md)" ] ||
      complain "headings of levels $(levels README.zh.md), expected those of README.md, $(levels README.md)"
  fi
  [ $problems -eq 0 ]
}

# --- Each kind of problem, made on purpose --------------------------------------------------------

self_test() {
  local work failed=0 checks=0 found name text expected
  work=$(mktemp -d) || return 1
  mkdir -p "$work/scripts/training" "$work/.ci" "$work/engine/cli" "$work/build"
  printf '#!/bin/sh\nexit 0\n# --fast, -q\n' >"$work/scripts/paint"
  touch "$work/engine/cli/read.cpp"
  printf 'step_style() {\n' >"$work/.ci/run"
  printf '"name": "release"\nLPRNET_ISA\n' >"$work/CMakePresets.json"
  cp "$work/scripts/paint" "$work/scripts/build"
  cp "$work/scripts/paint" "$work/scripts/train.py"
  echo '[first]' >"$work/scripts/recipe.toml"
  cat >"$work/program" <<'END'
#!/bin/sh
if [ "$1" = --help ]; then printf 'Subcommands:\n  read      Reads\n  bench, perf   Measures\n'; exit; fi
printf 'Options:\n  -j,--json      As JSON\n  --quad X,Y Excludes: --roi\n                   With --other words\n'
END
  chmod +x "$work/program"
  cat >"$work/good.md" <<'END'
# A document: it's good, `really`
[itself](#a-document-its-good-really) [here](good.md#two-2) [folder](scripts) [far](https://example.com/x#y)
Code that `goes
on` and `scripts/paint --fast`, `engine/cli/NAME.cpp`, `read.cpp`, `.ci/run style`, `LPRNET_ISA`, `--quad`, `a|b`.

## Two, 2

    $ LPRNET_ISA=sse2 lprnet read -j x.jpg --quad 1,2 | sort --any-flag     # lprnet paint --green
    scripts/build release && lprnet perf \
        --json

| `lprnet read --json\|-j` | `lprnet VERB` |
END
  (cd "$work" && check_documents ./program) >"$work/log" || { cat "$work/log"; failed=1; }
  # NAME|TEXT|EXPECTED
  while IFS='|' read -r name text expected; do
    checks=$((checks + 1))
    printf '# Bad\n\n%b\n' "$text" >"$work/bad.md"
    found=$(cd "$work" && check_documents ./program)
    if [ "$found" != "bad.md:3: $expected" ]; then
      echo "FAILED: self-test: $name: expected '$expected', found '${found:-nothing}'"
      failed=1
    fi
  done <<'END'
a link to no file|[x](gone.md)|link to 'gone.md': there is no gone.md
a link out of a folder|[x](../good.md)|link to '../good.md': there is no ../good.md
a link to no heading|[x](good.md#three)|link to 'good.md#three': good.md has no such heading
a link inside|[x](#three)|link to '#three': bad.md has no such heading
a picture|![x](gone.png)|link to 'gone.png': there is no gone.png
no file, by its path|`engine/cli/paint.cpp`|there is no engine/cli/paint.cpp
no script|    scripts/gone --fast|there is no scripts/gone
no file, by its name|`paint.h`|there is no paint.h
no verb|    lprnet paint x.jpg|lprnet has no verb 'paint'
no verb, in a line|`build/lprnet paint`|lprnet has no verb 'paint'
no flag of the verb|    lprnet read --color x.jpg|lprnet read does not know --color
a word of the help|`lprnet read --other`|lprnet read does not know --other
no flag, after another command|    ls && lprnet read -z -|lprnet read does not know -z
no flag, in the next line|    lprnet read x.jpg \\\\\n        --color|lprnet read does not know --color
no flag of a script|    scripts/paint --slow|scripts/paint does not know --slow
no flag of anything|`--slow`|neither the program nor a script knows --slow
no preset|    scripts/build paint|there is no preset 'paint'
no step|`.ci/run paint`|.ci/run has no step 'paint'
no stage|    scripts/train.py paint --fast|the recipe has no stage 'paint'
no variable|`LPRNET_COLOR`|nothing but documents has LPRNET_COLOR
END
  rm "$work/bad.md"
  checks=$((checks + 2))
  { echo '# One'; yes | head -180; } >"$work/README.md"
  printf '# One\n\n### Two\n' >"$work/README.zh.md"
  found=$(cd "$work" && check_documents ./program)
  if [ "$found" != "README.md:181: 181 lines, expected 180 at most
README.zh.md:1: headings of levels 13, expected those of README.md, 1" ]; then
    echo "FAILED: self-test: README.md: found '$found'"
    failed=1
  fi
  rm -rf "$work"
  echo "self-test: $checks kinds of problems"
  return $failed
}

self_test || exit 1
[ "$1" = --self-test ] && exit 0
cd "$1" || exit 1
shift
[ $# -gt 0 ] || echo "skipped: flags of the program, which was not built"
check_documents "$@"
echo "$(wc -w <<<"$documents") documents, $problems problems"
[ $problems -eq 0 ]
