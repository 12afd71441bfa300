#!/usr/bin/env bash
# What the hardening flags (GIMBAL_HARDENING) cost on the path from a tick to an order's text: the same
# program built with and without, run in alternation. The bar of the controls is 3 % of the p50 from tick
# to wire: give that of a run (`tick_to_order.p50_us` of gimbal's closing report); without it the bar is
# held against this path alone, which is a small part of it.
#   bench/hardening.sh [ROUNDS] [TICKS] [WIRE_US]   default 15 rounds of 50000 ticks; a quiet machine
# Builds tick_path alone, in build/bench and build/bench-plain. Exit 0: within the bar. 1: not.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
rounds=${1:-15} ticks=${2:-50000} wire=${3:-0}
[[ $rounds =~ ^[1-9][0-9]*$ && $ticks =~ ^[1-9][0-9]*$ && $wire =~ ^[0-9]+(\.[0-9]+)?$ ]] ||
  { sed -n '2,7p' "$0" >&2; exit 2; }
mkdir -p build
build() {  # DIRECTORY OPTION
  { cmake --preset bench -B "$1" -DGIMBAL_HARDENING="$2" && ninja -C "$1" tick_path; } \
    >build/hardening-build.log 2>&1 || { tail -n 30 build/hardening-build.log >&2; exit 1; }
}
build build/bench ON
build build/bench-plain OFF
# Two programs of the same flags would compare nothing.
hardened() { grep -q -- '-fstack-protector-strong' "$1/compile_commands.json"; }
hardened build/bench || { echo 'FAILED: build/bench is not hardened'; exit 1; }
if hardened build/bench-plain; then echo 'FAILED: build/bench-plain is hardened'; exit 1; fi
p50() { "$1/bench/tick_path" "$ticks" | sed -n 's/.*p50 \([0-9]*\) ns.*/\1/p'; }
with=() without=()
for ((i = 0; i < rounds; ++i)); do
  if ((i % 2)); then
    with+=("$(p50 build/bench)") without+=("$(p50 build/bench-plain)")
  else
    without+=("$(p50 build/bench-plain)") with+=("$(p50 build/bench)")
  fi
done
median() { printf '%s\n' "$@" | sort -n | sed -n "$(((rounds + 1) / 2))p"; }
# Instructions do not depend on how quiet the machine is.
instructions() {
  valgrind --tool=callgrind --callgrind-out-file="$dir/out" --collect-atstart=no \
    --toggle-collect='*Path::tick*' "$1/bench/tick_path" 500 >/dev/null 2>&1 || { echo 0; return; }
  awk '/^(summary|totals):/ {print int($2 / 700); exit}' "$dir/out"
}
a=0 b=0
if command -v valgrind >/dev/null; then
  dir=$(mktemp -d)
  trap 'rm -rf "$dir"' EXIT
  a=$(instructions build/bench) b=$(instructions build/bench-plain)
fi
awk -v with="$(median "${with[@]}")" -v without="$(median "${without[@]}")" -v a="$a" -v b="$b" -v n="$rounds" -v wire="$wire" 'BEGIN {
  change = (with / without - 1) * 100
  printf "tick to order text, median of %d medians: hardened %d ns, plain %d ns, %+.1f %%, bar 3 %%\n", n, with, without, change
  if (a > 0 && b > 0) printf "instructions a tick: hardened %d, plain %d, %+.1f %%\n", a, b, (a / b - 1) * 100
  if (wire > 0) {
    change = (with - without) / (wire * 1000) * 100
    printf "of the %.1f us from tick to wire: %+.1f %%, bar 3 %%\n", wire, change
  }
  exit change > 3 }'
