#!/usr/bin/env bash
# The library returns its errors. This reads what liblprnet.a, or another one built here, takes from outside and names every
# function with which it could print, end the process or do anything else behind the caller's
# back. What it may take:
#   snprintf           into the caller's memory
#   write, open, ...   of files that the caller named
#   __cxa_*, _Unwind_* exceptions that the library catches at its own border
#   std::terminate     what the compiler puts behind noexcept; nobody calls it by name
#   std::__throw_*     length and range checks of the standard containers, caught likewise
#   std::thread        in team.cpp and throughput.cpp alone: the threads that a caller asked for
#   getenv             in choose_table.cpp alone: the instruction set that the user names
#   a mutex            in dnn_model.cpp alone: what is kept of frames that were given up
#
#   library_symbols.sh NM LIBRARY
set -u
if [ $# -ne 2 ]; then
  echo "usage: library_symbols.sh NM LIBRARY" >&2
  exit 2
fi
nm=$1
library=$2

# Extended regular expressions for whole names.
forbidden=(
  # printing
  'v?[df]?w?printf|__v?[df]?w?printf_chk|puts|fputw?s|f?putw?c|putw?char|fputs_unlocked'
  'fwrite|fwrite_unlocked|perror|psignal|v?syslog|v?warnx?|v?errx?|error|error_at_line'
  'stdout|stderr|stdin|_IO_2_1_.*'
  # ending the process
  'abort|exit|_exit|_Exit|quick_exit|at_quick_exit|atexit|raise|kill|__assert_fail|__assert|__assert_perror_fail'
  'std::unexpected.*|std::set_terminate.*'
  'longjmp|siglongjmp|__longjmp_chk|signal|sigaction'
  # streams of C++, which also read the caller's locale
  'std::c(out|err|log|in)|std::w(cout|cerr|clog|cin)|std::ios_base::Init::.*|std::basic_.*stream.*'
  'std::ostream.*|std::istream.*|std::__ostream_insert.*'
  # the caller's environment, locale, children and threads
  'getenv|secure_getenv|setenv|putenv|unsetenv|clearenv|setlocale|chdir|umask|srand|rand'
  'fork|vfork|exec[lv].*|posix_spawnp?|system|popen'
  'pthread_create|pthread_mutex_lock|std::thread::.*'
)
pattern=$(printf '%s|' "${forbidden[@]}")
pattern="^(${pattern%|})$"

if ! listing=$("$nm" -A -C -u "$library"); then
  echo "FAILED: $nm cannot list the symbols of $library"
  exit 1
fi
# "library:object: U name" -> "object name"; names with a version such as puts@GLIBC_2.2.5 lose it.
names=$(printf '%s\n' "$listing" |
  sed -nE 's/^.*[:[]([^]:]+\.o)\]?: +[UwWvV] (.*)$/\1 \2/p' | sed -E 's/@.*$//' | sort -u)
count=$(printf '%s\n' "$names" | cut -d ' ' -f 2- | sort -u | wc -l)
if [ "$count" -lt 10 ]; then
  echo "FAILED: $library: only $count symbols found; the listing of $nm was not understood"
  exit 1
fi
offenders=$(printf '%s\n' "$names" | awk -v pattern="$pattern" '{
  name = $0
  sub(/^[^ ]+ /, "", name)
  if ($1 ~ /^(team|throughput)\.cpp\.o$/ && name ~ /^(std::thread::.*|pthread_create)$/) next
  if ($1 == "choose_table.cpp.o" && name == "getenv") next
  if ($1 == "dnn_model.cpp.o" && name == "pthread_mutex_lock") next
  if (name ~ pattern) print
}')
if [ -n "$offenders" ]; then
  printf '%s\n' "$offenders" | sed 's/^/FAILED: /'
  exit 1
fi
echo "$count symbols from outside, none forbidden"
