#!/usr/bin/env bash
# One journal, several builds, one command digest.
#
#   digest_equality.sh BUILD REPLAY_DIGEST...
#
# gimbal of the folder BUILD makes the journal: it trades for some seconds against the gimbal-sim of
# the same folder, and replays it. Then every replay_digest does. Exit 0: all verdicts are "same" and
# all digests equal.
set -euo pipefail
[[ $# -ge 2 ]] || { printf 'usage: digest_equality.sh BUILD REPLAY_DIGEST...\n' >&2; exit 2; }
build=$(cd "$1" && pwd)
shift
gimbal=$build/ops/app/gimbal
sim=$build/ops/sim/gimbal-sim
gimbalctl=$build/ops/ctl/gimbalctl
for program in "$gimbal" "$sim" "$gimbalctl" "$@"; do
  [[ -x $program ]] || { printf 'digest: no program %s\n' "$program" >&2; exit 1; }
done

dir=$build/digest
rm -rf "$dir"
mkdir -p "$dir"
chmod 750 "$dir"
mkdir -m 700 "$dir/secret"
(umask 077; printf 'client_id=demo\nclient_secret=a-secret-of-the-demo\n' >"$dir/secret/credential")
sim_pid='' bot_pid=''
cleanup() {
  [[ -z $bot_pid ]] || kill -KILL "$bot_pid" 2>/dev/null || true
  [[ -z $sim_pid ]] || kill -KILL "$sim_pid" 2>/dev/null || true
}
trap cleanup EXIT
fail() { printf 'digest: FAILED: %s\n' "$*" >&2; tail -n 20 "$dir"/*.err >&2 || true; exit 1; }
# until_true SECONDS COMMAND...
until_true() {
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < end)) || return 1
    sleep 0.1
  done
}

timeout 120 "$sim" --port 0 --tls-dir "$dir" --ready-file "$dir/ready" --seed 11 --walk-speed 60 \
  --demo-book --credential "$dir/secret/credential" --json \
  >"$dir/sim.out" 2>"$dir/sim.err" &
sim_pid=$!
until_true 20 test -s "$dir/ready" || fail 'the exchange did not start'
port=$(sed -n 's/.*"port":\([0-9]*\).*/\1/p' "$dir/ready")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# No guardian beside this bot: what it would do is not part of a digest.
sed -e "s#build/demo#$dir#g" -e "s#^port = .*#port = $port#" -e 's/^guardian_required = .*/guardian_required = false/' \
  "$here/ops/config/demo.toml" >"$dir/bot.toml"
timeout 120 "$gimbal" run -c "$dir/bot.toml" --report "$dir/report.json" >"$dir/bot.out" 2>"$dir/bot.err" &
bot_pid=$!
hash=$("$gimbal" check --hash "$dir/bot.toml")
until_true 30 "$gimbalctl" arm --runtime-dir "$dir/run" --yes --reason digest --config-hash "$hash" ||
  fail 'the bot could not be armed'
sleep 5
"$gimbalctl" kill --runtime-dir "$dir/run" --reason digest --wait 10s >"$dir/kill.out" || fail 'the kill was not confirmed'
kill -TERM "$bot_pid"
wait "$bot_pid" || fail "the bot ended with $?"
bot_pid=''
kill -TERM "$sim_pid"
wait "$sim_pid" || true
sim_pid=''

field() { sed -n "s/.*\"$2\":\"\{0,1\}\([^\",}]*\).*/\1/p" <<<"$1"; }
first=''
# note PROGRAM ANSWER: one line, and whether it is what the first one said.
note() {
  local verdict digest compared commands
  verdict=$(field "$2" verdict) digest=$(field "$2" digest)
  compared=$(field "$2" digests_compared) commands=$(field "$2" commands)
  printf '%-50s verdict %s digest %s (%s commands, %s records compared)\n' "$1" "$verdict" \
    "$digest" "$commands" "$compared"
  [[ $verdict == same ]] || fail "$1: verdict $verdict"
  [[ $compared -gt 0 && $commands -gt 0 ]] || fail "$1 compared nothing"
  [[ -z $first || $digest == "$first" ]] || fail "$1 gives another digest"
  first=$digest
}
answer=$("$gimbal" replay "$dir/journal" --json) || fail "$gimbal: $answer"
note "$gimbal" "$answer"
for program in "$@"; do
  answer=$("$program" "$dir/journal") || fail "$program: $answer"
  note "$program" "$answer"
done
