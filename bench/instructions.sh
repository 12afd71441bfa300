#!/usr/bin/env bash
# Instructions of one tick (decrypted bytes to order text) under callgrind, against the baseline kept
# in bench/instructions.txt. Exit 0: within 3 %. 1: not. 77: skipped, with the reason.
#   bench/instructions.sh BUILD_DIRECTORY            compare
#   bench/instructions.sh BUILD_DIRECTORY --accept   write the baseline
set -euo pipefail
build=${1:?usage: bench/instructions.sh BUILD_DIRECTORY [--accept]}
here=$(dirname "${BASH_SOURCE[0]}")
ticks=500
command -v valgrind >/dev/null || { echo 'SKIPPED: valgrind is not installed'; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
valgrind --tool=callgrind --callgrind-out-file="$dir/out" --collect-atstart=no \
  --toggle-collect='*Path::tick*' \
  "$build/bench/tick_path" "$ticks" >"$dir/said" 2>"$dir/log" ||
  { cat "$dir/said" "$dir/log"; echo 'FAILED: tick_path under callgrind'; exit 1; }
# Every call of tick() is counted, those that warm up included.
total=$(awk '/^(summary|totals):/ {print $2; exit}' "$dir/out")
calls=$((ticks + 200))
now=$((total / calls))
[[ $now -gt 0 ]] || { cat "$dir/log"; echo 'FAILED: nothing was counted'; exit 1; }
if [[ ${2-} == --accept ]]; then
  echo "$now" >"$here/instructions.txt"
  echo "baseline: $now instructions a tick"
  exit 0
fi
[[ -s $here/instructions.txt ]] || { echo "SKIPPED: no baseline; now $now instructions a tick"; exit 77; }
was=$(<"$here/instructions.txt")
awk -v now="$now" -v was="$was" 'BEGIN {
  change = (now / was - 1) * 100
  printf "instructions a tick: %d, baseline %d, %+.1f %%, bar 3 %%\n", now, was, change
  exit change > 3 || change < -3 }'
