#!/usr/bin/env bash
# Proves that the hot thread of a trading bot makes no system calls but the poller's, receive and send,
# and that no other thread of the bot may run on its core.
# Exit 0: proven. 1: it is not so. 77: skipped, with the reason (strace or ptrace is missing).
set -euo pipefail
build=${1:?usage: bench/hot_syscalls.sh BUILD_DIRECTORY [SECONDS]}
seconds=${2:-4}
command -v strace >/dev/null || { echo 'SKIPPED: strace is not installed'; exit 77; }
strace -o /dev/null true 2>/dev/null || { echo 'SKIPPED: ptrace is not permitted here'; exit 77; }
dir=$(mktemp -d)
hold_pid=''
cleanup() { [[ -n $hold_pid ]] && kill "$hold_pid" 2>/dev/null; rm -rf "$dir"; }
trap cleanup EXIT
"$build/bench/tick_to_order" --gimbal "$build/ops/app/gimbal" --gimbalctl "$build/ops/ctl/gimbalctl" \
  --hold $((seconds + 6)) --ready-file "$dir/ready" >"$dir/out" 2>&1 &
hold_pid=$!
for _ in $(seq 300); do [[ -e $dir/ready ]] && break; kill -0 "$hold_pid" 2>/dev/null || break; sleep 0.1; done
[[ -e $dir/ready ]] || { cat "$dir/out"; echo 'FAILED: the bot did not trade'; exit 1; }
# The bot is the one child of the bench that runs `gimbal`; its hot thread is found by its name.
hot=''
for bot in $(pgrep -P "$hold_pid"); do
  for task in /proc/"$bot"/task/*; do
    [[ $(cat "$task/comm" 2>/dev/null) == gimbal-hot ]] && hot=${task##*/}
  done
done
[[ -n $hot ]] || { echo 'FAILED: no thread named gimbal-hot'; exit 1; }
hot_core=$(awk '/^Cpus_allowed_list/ {print $2}' "/proc/$hot/status")
beside=''
for task in /proc/"$(awk '/^Tgid/ {print $2}' "/proc/$hot/status")"/task/*; do
  [[ ${task##*/} == "$hot" ]] && continue
  cores=$(awk '/^Cpus_allowed_list/ {print $2}' "$task/status")
  [[ $cores =~ ^[0-9]+$ && $cores != "$hot_core" ]] || beside+=" $(cat "$task/comm") ($cores)"
done
timeout -s INT "$seconds" strace -c -p "$hot" -o "$dir/counts" 2>"$dir/strace.err" || true
wait "$hold_pid" || { cat "$dir/out"; echo 'FAILED: the bench ended with an error'; exit 1; }
hold_pid=''
cat "$dir/counts"
grep held "$dir/out"
[[ -z $beside ]] || { echo "FAILED: may run on the hot core $hot_core:$beside"; exit 1; }
calls=$(awk '$1 ~ /^[0-9.]+$/ && $NF != "total" {print $NF}' "$dir/counts")
[[ -n $calls ]] || { echo 'SKIPPED: strace counted nothing'; exit 77; }
others=$(grep -vxE 'io_uring_enter|epoll_wait|epoll_pwait2?|recvfrom|recvmsg|sendto|sendmsg' <<<"$calls" || true)
[[ -z $others ]] || { echo "FAILED: other system calls: $others"; exit 1; }
grep -q '"hot_allocations_armed":0,' "$dir/out" || {
  cat "$dir/out"
  echo "FAILED: the hot thread allocated while armed: $(grep -o '"hot_allocations[a-z_]*":[0-9]*' "$dir/out" | tr '\n' ' ')"
  exit 1
}
echo 'PROVEN: only the poller, receive and send; no allocation while armed; the hot core is its own'
