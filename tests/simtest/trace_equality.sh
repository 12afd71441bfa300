#!/usr/bin/env bash
# The same seeds, several builds, one trace: bytes, events, commands and their times.
#
#   trace_equality.sh GIMBAL_SIMTEST...
set -euo pipefail
[[ $# -ge 2 ]] || { printf 'usage: trace_equality.sh GIMBAL_SIMTEST GIMBAL_SIMTEST...\n' >&2; exit 2; }
first=''
for program in "$@"; do
  said=$("$program" --seeds 6 --faults swarm --no-shrink --json) || { printf '%s\n' "$said"; exit 1; }
  trace=$(sed -n 's/.*"events":\([0-9]*\).*"trace":"\([0-9a-f]*\)".*/\1 events, trace \2/p' <<<"$said")
  printf '%-50s %s\n' "$program" "$trace"
  [[ -n $trace && $trace == "${first:=$trace}" ]] || { printf 'trace: FAILED: not the same\n' >&2; exit 1; }
done
