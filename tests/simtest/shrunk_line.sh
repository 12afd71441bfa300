#!/usr/bin/env bash
# A failing seed prints one line; that line alone shows the same failure, with fewer faults.
#
#   shrunk_line.sh GIMBAL_SIMTEST OPTIONS...     OPTIONS: --faults LIST and what makes the seeds fail
set -euo pipefail
program=$1
shift
fail() { printf 'shrunk line: FAILED: %s\n' "$*" >&2; exit 1; }
words_behind() {  # KEY WORDS...
  local key=$1
  shift
  while [[ $# -gt 1 ]]; do
    [[ $1 != "$key" ]] || { tr ',' '\n' <<<"$2"; return; }
    shift
  done
}

said=$("$program" "$@") && fail 'no seed failed'
broken=$(sed -n 's/^FAIL //p' <<<"$said")
read -ra line <<<"$(sed -n 's/^gimbal-simtest //p' <<<"$said")"
[[ -n $broken && ${#line[@]} -gt 0 ]] || fail "no line in: $said"
given=$(words_behind --faults "$@" | wc -l)
left=$(words_behind --faults "${line[@]}" | wc -l)
((left < given)) || fail "$left of $given faults are left: ${line[*]}"
again=$("$program" "${line[@]}" --no-shrink) && fail "holds: ${line[*]}"
[[ $(sed -n 's/^FAIL //p' <<<"$again") == "$broken" ]] || fail "another failure: ${line[*]}: $again"
printf '%s: gimbal-simtest %s\n' "$broken" "${line[*]}"
