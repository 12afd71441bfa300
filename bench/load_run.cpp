#include "bench/load_run.hpp"

#include <array>
#include <cstdlib>
#include <utility>

namespace gimbal::bench {
namespace {

constexpr std::size_t batch_max = 32;  // messages encrypted before they are sent
constexpr std::int64_t move_every_ns = 50'000'000;
constexpr std::int64_t house_every_ns = 2'000'000;
// With kills: orders follow each other closely, so that a kill finds one on its way.
constexpr std::int64_t move_between_kills_ns = 1'000'000;
constexpr std::int64_t kill_between_min_ns = 10'000'000;
constexpr std::int64_t kill_between_max_ns = 60'000'000;
constexpr double stopped_s = 0.02;  // in which moves go on that must bring no order
constexpr std::array scopes = {"global",         "venue:deribit",
                               "account:bench",  "strategy:delta_hedge",
                               "underlying:BTC", "instrument:BTC-PERPETUAL"};
constexpr std::array modes = {"reduce", "halt", "cancel", "lock"};
constexpr double drain_s = 0.3;  // longer, and the feeds would be taken for silent

std::uint64_t whole(const std::string& text, std::string_view name, std::size_t from = 0) {
  return static_cast<std::uint64_t>(number_in(text, name, from));
}

FeedCounts operator-(const FeedCounts& a, const FeedCounts& b) {
  return {a.frames - b.frames, a.gaps - b.gaps, a.malformed - b.malformed, a.resyncs - b.resyncs};
}

}  // namespace

double number_in(const std::string& text, std::string_view name, std::size_t from) {
  const std::string key = '"' + std::string{name} + "\":";
  const std::size_t at = text.find(key, from);
  return at == std::string::npos ? 0 : std::strtod(text.c_str() + at + key.size(), nullptr);
}

LoadRun::LoadRun(Venue& venue, PeakFlow& flow, BotProcess& bot, const LoadConfig& config)
    : venue_{venue},
      flow_{flow},
      bot_{bot},
      schedule_{config.profile, config.seed},
      random_{config.seed + 1} {
  result_.config = config;
}

std::uint64_t LoadRun::texts() const {
  std::uint64_t n = 0;
  for (const SpinConnection* c : flow_.connections()) n += c->tls->texts();
  return n;
}
std::uint64_t LoadRun::blocked() const {
  std::uint64_t n = 0;
  for (const SpinConnection* c : flow_.connections()) n += c->tls->refused();
  return n;
}

std::string LoadRun::ask(const std::vector<std::string>& words, int& code) {
  return bot_.command([this] { step(); }, words, code);
}

void LoadRun::flush(std::int64_t due) {
  result_.late.add(now_ns() - due);
  for (SpinConnection* c : flow_.connections()) c->tls->send_sealed();
}

void LoadRun::send_due() {
  const std::int64_t now = now_ns();
  if (start_ + schedule_.due_ns() > now) return;
  const std::int64_t first = start_ + schedule_.due_ns();
  for (std::size_t n = 0; n < batch_max && start_ + schedule_.due_ns() <= now; ++n) {
    const Message kind = schedule_.take();
    if (flow_.seal(kind, random_) != nullptr) ++result_.sent[static_cast<std::size_t>(kind)];
  }
  flush(first);
}

// A change of the hedge's book that needs an order; it is one of the profile's messages.
void LoadRun::send_move() {
  const std::int64_t now = now_ns();
  if (quiet_ || (asked_at_ != 0 && !stopped_) || now < move_at_) return;
  SpinConnection* c = venue_.bot().ticks;
  if (c == nullptr) return;
  (void)schedule_.take();
  c->tls->seal_text(venue_.next_tick(true));
  ++result_.sent[static_cast<std::size_t>(Message::hedge_book)];
  (void)venue_.take_stamp();
  asked_at_ = now_ns();
  c->tls->send_sealed();
  move_at_ = now + (result_.config.kills > 0 ? move_between_kills_ns : move_every_ns);
}

void LoadRun::take_answer() {
  const Venue::Target target = venue_.bot();
  if (target.orders != nullptr) venue_.poll(*target.orders);
  const std::int64_t stamp = venue_.take_stamp();
  if (stamp != 0) {
    if (asked_at_ != 0) result_.orders.add(stamp - asked_at_);
    asked_at_ = 0;
    venue_.settle();
  } else if (asked_at_ != 0 && now_ns() - asked_at_ > answer_limit_ns) {
    if (!stopped_) ++result_.missed;
    asked_at_ = 0;
  }
}

void LoadRun::step() {
  if (!quiet_) send_due();
  send_move();
  take_answer();
  const std::int64_t now = now_ns();
  if (now < house_at_) return;
  house_at_ = now + house_every_ns;
  venue_.serve(false);
}

// As `gimbalctl status` says, over the accounts' feeds.
FeedCounts LoadRun::count() {
  int code = 0;
  const std::string status = ask({"status", "--json"}, code);
  result_.active = status.find("\"mode\":\"active\"") != std::string::npos;
  FeedCounts sum;
  const std::size_t end = status.find(']', status.find("\"feeds\":["));
  for (std::size_t at = status.find("\"frames\":"); at < end;
       at = status.find("\"frames\":", at + 1)) {
    sum.frames += whole(status, "frames", at);
    sum.gaps += whole(status, "gaps", at);
    sum.malformed += whole(status, "malformed", at);
    sum.resyncs += whole(status, "resyncs", at);
  }
  return sum;
}

// One stop in the middle of the load, and what the operator does after it.
void LoadRun::kill_once() {
  const std::int64_t at = now_ns() + random_.between(kill_between_min_ns, kill_between_max_ns);
  (void)serve_until([this] { step(); }, [&] { return now_ns() >= at; }, 10);
  const std::size_t turn = result_.stops.size();
  const std::string scope = scopes[turn % scopes.size()];
  const std::string mode = modes[turn / scopes.size() % modes.size()];
  int code = 0;
  const std::string proof = ask(
      {"kill", "--json", "--reason", "bench", "--wait", "10s", "--scope", scope, "--mode", mode},
      code);
  if (code != 0) ++result_.unconfirmed;
  stopped_ = true;
  (void)serve_until([this] { step(); }, [] { return false; }, stopped_s);
  result_.gate_closed.add(static_cast<std::int64_t>(number_in(proof, "gate_closed_ns")));
  result_.stops.push_back({static_cast<std::int64_t>(number_in(proof, "t_gate_closed_mono_ns")),
                           now_ns(), mode == "reduce"});
  bot_.arm([this] { step(); }, scope);
  stopped_ = false;
  asked_at_ = 0;
}

void LoadRun::trade_until_the_end() {
  const auto kills = static_cast<std::size_t>(result_.config.kills);
  while (result_.stops.size() < kills) kill_once();
  while (kills == 0 && now_ns() < end_) step();
}

void LoadRun::wait_quietly(double seconds) {
  quiet_ = true;
  (void)serve_until([this] { step(); }, [] { return false; }, seconds);
}

LoadResult LoadRun::run() {
  const FeedCounts before = count();
  const std::uint64_t texts_before = texts();
  const std::uint64_t blocked_before = blocked();
  start_ = now_ns() + 1'000'000;
  move_at_ = start_ + move_every_ns;
  end_ = start_ + static_cast<std::int64_t>(result_.config.seconds * 1e9);
  quiet_ = false;
  trade_until_the_end();
  result_.elapsed_s = static_cast<double>(now_ns() - start_) * 1e-9;
  wait_quietly(drain_s);
  result_.texts = texts() - texts_before;
  result_.blocked = blocked() - blocked_before;
  result_.counted = count() - before;
  result_.connections_lost = flow_.connections_lost();
  return std::move(result_);
}

}  // namespace gimbal::bench
