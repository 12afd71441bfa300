#!/usr/bin/env bash
# Tunes this host for low latency. Prints what it would change; changes it only with --apply, and
# only until the next boot. Kernel arguments (isolation) are printed, never written.
# Usage: ops/host/tune-host.sh [--apply] [--cores LIST]     LIST: processors of the hot threads, "2-4"
set -euo pipefail

apply=no
cores=''
while [[ $# -gt 0 ]]; do
  case "$1" in
    --apply) apply=yes ;;
    --cores)
      [[ ${2-} =~ ^[0-9]+([-,][0-9]+)*$ ]] || { printf 'tune-host: --cores needs a list such as 2-4\n' >&2; exit 2; }
      cores=$2; shift ;;
    -h|--help) sed -n '2,4s/^# //p' "$0"; exit 0 ;;
    *) printf 'tune-host: unknown option %s\n' "$1" >&2; exit 2 ;;
  esac
  shift
done
if [[ $apply == yes && $(id -u) -ne 0 ]]; then
  printf 'tune-host: --apply needs root\n' >&2
  exit 1
fi

changes=0
failures=0
# set_file FILE VALUE WHY [SHOWN]: the file gets the value unless it shows it already.
set_file() {
  local file=$1 value=$2 why=$3 now
  [[ -e $file ]] || return 0
  now=$(tr -d '\n' <"$file" 2>/dev/null || printf '?')
  [[ $now == "$value" || $now == *"[$value]"* ]] && return 0
  changes=$((changes + 1))
  printf '%s: %s -> %s   (%s)\n' "$file" "$now" "$value" "$why"
  [[ $apply == yes ]] || return 0
  if ! printf '%s\n' "$value" 2>/dev/null >"$file"; then
    printf '  could not be written\n'
    failures=$((failures + 1))
  fi
}

for governor in /sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor; do
  set_file "$governor" performance 'no frequency ramps'
done
set_file /sys/kernel/mm/transparent_hugepage/enabled madvise 'no background compaction stalls'
set_file /proc/sys/kernel/numa_balancing 0 'no page migration faults'
set_file /proc/sys/kernel/timer_migration 0 'timers stay off the hot processors'
set_file /proc/sys/vm/swappiness 0 'memory stays in memory'
set_file /proc/sys/vm/stat_interval 120 'fewer housekeeping ticks'
set_file /proc/sys/net/core/busy_poll 50 'poll the card, microseconds'
set_file /proc/sys/net/core/busy_read 50 'poll the card, microseconds'
set_file /proc/sys/net/ipv4/tcp_slow_start_after_idle 0 'no slow start after silence'
set_file /proc/sys/net/ipv4/tcp_low_latency 1 'prefer latency'
if [[ -n $cores ]]; then
  for irq in /proc/irq/[0-9]*/smp_affinity_list; do
    set_file "$irq" 0 'interrupts off the hot processors'
  done
  printf 'kernel arguments to add by hand: isolcpus=managed_irq,domain,%s nohz_full=%s rcu_nocbs=%s\n' \
    "$cores" "$cores" "$cores"
fi

if ((changes == 0)); then
  printf 'tune-host: nothing to change\n'
elif [[ $apply == yes ]]; then
  printf 'tune-host: %d changes made, %d could not be made\n' "$((changes - failures))" "$failures"
else
  printf 'tune-host: %d changes would be made; run again with --apply\n' "$changes"
fi
((failures == 0))
