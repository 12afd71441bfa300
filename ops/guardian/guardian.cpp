// The guardian at work: its loop, what makes it fire, and what it then does. Room: ops/guardian
// (wiring).
#include "ops/guardian/guardian.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <string_view>
#include <utility>

#include "engine/runtime/pin.hpp"
#include "ops/app/commands.hpp"
#include "ops/app/json_writer.hpp"
#include "ops/app/scope_names.hpp"
#include "ops/app/venue_address.hpp"

namespace gimbal::guardian {
namespace {

constexpr int wait_ms = 1;
constexpr Nanos leave_patience = seconds(10);
constexpr Nanos anchor_interval = milliseconds(100);
constexpr int priority = 50;

// What the poller brings, for the one session there is.
struct Sink {
  CancelSession& owner;
  Poller& poller;
  void on_received(std::uint16_t, std::span<const char> bytes, RecvTime at) {
    owner.session().received(poller, bytes, at);
  }
  void on_lost(std::uint16_t, int error) { owner.session().lost(poller, error); }
};

}  // namespace

void Guardian::say(std::string_view event, const std::string& text) {
  if (clerk_ == nullptr) return;  // a check tells its result itself
  JsonWriter w;
  w.begin_object().text("event", event).integer("unix_ns", wall_now().unix_ns);
  w.integer("mono_ns", clock_.now().mono_ns).text("text", text);
  clerk_->say(w.end_object().take());
}

// Until something comes or a millisecond has passed.
void Guardian::wait() noexcept {
  std::array<pollfd, 3> fds{};
  nfds_t n = 0;
  const auto add = [&](int fd) {
    if (fd >= 0) fds[n++] = pollfd{fd, POLLIN, 0};
  };
  // A process that is known to be gone would keep its handle readable.
  if (bot_ != nullptr && watch_ != nullptr && watch_->watching()) add(bot_->process().fd());
  if (session_->session().up()) add(session_->session().link().fd());
  if (listener_ != nullptr) add(listener_->fd());
  (void)::poll(fds.data(), n, wait_ms);
}

void Guardian::pump() {
  RecvTime now = clock_.now();
  session_->tick(now);
  Sink sink{*session_, *poller_};
  (void)poller_->poll(clock_, sink);
  now = clock_.now();
  session_->tick(now);
  session_->session().upkeep(*poller_, now);
  (void)session_->session().adopt(*poller_, now);
  if (!wrong_account()) run_->step(clock_.now(), *session_);
  follow_run();
  if (now >= anchor_due_) {
    anchor_due_ = now + anchor_interval;
    (void)clock_.anchor();
  }
}

// A guardian with the key of another account would cancel a stranger's orders and leave the bot's.
bool Guardian::wrong_account() {
  if (!refusal_.empty()) return true;
  const std::uint64_t ours = session_->account();
  std::uint64_t bots = 0;
  std::uint64_t mask = UINT64_MAX;
  if (listener_ != nullptr) {
    bots = listener_->venue_account();
    mask = UINT32_MAX;
  } else if (bot_ != nullptr && bot_->mapped()) {
    // Of a bot that left in order nothing is left to cancel, and the next may trade another
    // account.
    const GateLayout& page = bot_->gate().layout();
    const auto state = static_cast<BotState>(page.bot.state.load(std::memory_order_acquire));
    if (state == BotState::running) bots = page.header.account.load(std::memory_order_acquire);
  }
  if (ours == 0 || bots == 0 || (ours & mask) == bots) return false;
  refusal_ = fmt::format("its key belongs to account {} of the venue, the bot trades account {}",
                         ours, bots);
  return true;
}

// --- the bot on this host ---------------------------------------------------------------------

void Guardian::watch_bot(RecvTime now) {
  // The end of the boot that is watched comes first: its pages may be replaced next.
  if (watch_ != nullptr) {
    const Alarm alarm = watch_->look(now, bot_->dead());
    if (alarm.cause != FireCause::none) fire(now, alarm);
  }
  if (bot_->refresh(now)) take_over();
  if (watch_ != nullptr) count_stop();
}

void Guardian::take_over() {
  const GuardianConfig& g = loaded_->config.guardian;
  if (watch_ != nullptr) false_before_ += watch_->false_fires();
  GateLayout& page = bot_->gate().layout();
  const bool settled = page.guardian.epoch.load(std::memory_order_acquire) == bot_->epoch() &&
                       page.fire.confirmed.load(std::memory_order_acquire) == 1 &&
                       page.fire.mono_ns.load(std::memory_order_acquire) > page.bot.mono_ns.load();
  watch_ = std::make_unique<BotWatch>(
      bot_->gate(), bot_->stop(), WatchLimits{g.miss, g.cold_miss, g.stop_wait, g.stop_confirm});
  if (settled && bot_->dead()) watch_->already_settled();
  false_before_ = std::max(false_before_, page.fire.false_fires.load());
  count_.reset();
  page.guardian.pid.store(static_cast<std::uint32_t>(::getpid()), std::memory_order_release);
  page.guardian.epoch.store(bot_->epoch(), std::memory_order_release);
  say("bot", fmt::format("watching boot {} (pid {})", bot_->epoch(), bot_->pid()));
  const auto ours = static_cast<std::uint32_t>(loaded_->short_hash() >> 32);
  if (page.header.config_hash.load(std::memory_order_acquire) != ours) {
    say("trouble", "the bot runs another config file than this guardian");
  }
}

// A stop that the bot carried out: does the venue show what it should?
void Guardian::count_stop() {
  if (run_->active()) {
    count_.reset();
    return;
  }
  if (!count_) {
    const std::optional<Scope> scope = watch_->wants_count();
    if (!scope || !session_->ready()) return;
    const std::uint64_t question = session_->ask_open();
    if (question != 0) count_ = PendingCount{*scope, question};
    return;
  }
  if (!session_->ready()) {
    count_.reset();
    return;
  }
  if (session_->picture().number < count_->question) return;
  bool open = false;
  for (const OpenRow& row : session_->picture().rows) open = open || in_scope(row, count_->scope);
  watch_->counted(count_->scope, !open);
  count_.reset();
}

bool Guardian::in_scope(const OpenRow& row, Scope scope) const {
  const OrderId order = deribit::parse_label(tag_of(venue().account), row.label).order;
  if (!venue().own_account && !order.valid()) return false;
  const auto named = [&](const std::string& text) {
    Scope found;
    return find_scope(loaded_->config.runtime.runtime_dir, text, found) == ScopeLookup::found &&
           found == scope;
  };
  switch (scope.level) {
    case ScopeLevel::global:
    case ScopeLevel::venue:
    case ScopeLevel::account: return true;
    case ScopeLevel::strategy: return order.valid() && order.strategy().value == scope.id;
    case ScopeLevel::underlying:
      return named("underlying:" + row.instrument.substr(0, row.instrument.find_first_of("-_")));
    case ScopeLevel::instrument: return named("instrument:" + row.instrument);
  }
  return true;
}

// --- the bot on another host ------------------------------------------------------------------

void Guardian::listen(RecvTime now) {
  listener_->poll(now, session_->ready(), fires_);
  if (!listener_->take_silence(now)) return;
  fire(now, Alarm{FireCause::silence, 0, {}, listener_->silent()});
}

// --- firing -----------------------------------------------------------------------------------

std::vector<std::string> Guardian::listed_labels() {
  std::vector<std::string> labels;
  const GateLayout& page = bot_->gate().layout();
  const std::uint32_t hash = page.header.config_hash.load(std::memory_order_acquire);
  const std::string tag = tag_of(venue().account);
  for (const ListedOrder& slot : page.orders) {
    const std::uint64_t order = slot.order.load(std::memory_order_acquire);
    if (order <= ListedOrder::claimed) continue;
    std::array<char, deribit::label_text_max> text{};
    const std::size_t size = deribit::write_label(tag, OrderId{order}, hash, text);
    labels.emplace_back(text.data(), size);
  }
  return labels;
}

// Gate first: whatever happens to this process next, no new risk goes out. Then the cancels; the
// latch is written meanwhile by the clerk, whose disk nobody waits for.
void Guardian::fire(RecvTime now, const Alarm& alarm) {
  ++fires_;
  std::vector<std::string> labels;
  proof_.gate_closed = Nanos{-1};
  if (post_ == Post::local) {
    (void)bot_->gate().tighten(Scope{}, Mode::cancel);
    FireLine& line = bot_->gate().layout().fire;
    line.confirmed.store(0, std::memory_order_relaxed);
    line.cause.store(static_cast<std::uint32_t>(alarm.cause), std::memory_order_relaxed);
    line.mono_ns.store(now.mono_ns, std::memory_order_relaxed);
    fires_ = line.fires.fetch_add(1, std::memory_order_seq_cst) + 1;
    // Where the word said so before, an arm may have opened it before it could see the count.
    (void)bot_->gate().tighten(Scope{}, Mode::cancel);
    proof_.gate_closed = clock_.now() - now;
    labels = listed_labels();
  }
  proof_.listed = labels.size();
  cancels_told_ = 0;
  run_->start(now, std::move(labels));
  session_->tick(now);
  if (!wrong_account()) run_->step(now, *session_);
  clerk_->latch(fmt::format("guardian fired: {}", name_of(alarm.cause)));
  proof_.fire = fires_;
  proof_.cause = alarm.cause;
  proof_.thread = alarm.thread;
  proof_.silent = alarm.silent;
  proof_.detected = now;
  proof_.unix_ns = wall_now().unix_ns;
  proof_.refused = 0;
  proof_.in_flight.clear();
  proof_.bot_epoch = bot_ != nullptr ? bot_->epoch() : listener_->epoch();
  proof_.bot_pid = bot_ != nullptr ? bot_->pid() : 0;
  if (post_ == Post::local) close_gate(alarm);
  const std::string session =
      session_->ready() ? "" : "; its session is not ready: " + session_->trouble();
  say("fire", fmt::format("{}: boot {}, {} cancels sent at once{}", name_of(alarm.cause),
                          proof_.bot_epoch, run_->report().cancels, session));
}

// The rest of closing: wait for senders, list who was inside, and the stop page as a second bar.
void Guardian::close_gate(const Alarm& alarm) {
  GateCloser closer{bot_->gate(), clock_};
  const CloseResult closed = closer.close(Scope{}, Mode::cancel);
  for (std::size_t i = 0; i < closed.in_flight; ++i) proof_.in_flight.push_back(closed.order[i]);
  if (alarm.cause == FireCause::stop_page) return;  // a human has written it already
  (void)bot_->stop().request(Scope{}, Mode::cancel, clock_.now(), ::getuid(),
                             static_cast<std::uint32_t>(::getpid()));
}

void Guardian::follow_run() {
  if (bot_ != nullptr && bot_->mapped()) {
    FireLine& line = bot_->gate().layout().fire;
    const std::uint64_t cancels = run_->report().cancels;
    line.cancels.fetch_add(cancels - cancels_told_, std::memory_order_relaxed);
    cancels_told_ = cancels;
    if (run_->report().confirmed) line.confirmed.store(1, std::memory_order_release);
    const std::uint64_t now_false = false_before_ + (watch_ != nullptr ? watch_->false_fires() : 0);
    if (line.false_fires.exchange(now_false, std::memory_order_relaxed) < now_false) {
      say("false_fire", "the bot beat again by itself after it was taken for hung");
    }
  }
  if (!run_->take_news()) return;
  proof_.refused = session_->refused();
  proof_.latch = post_ == Post::local ? clerk_->latch_text() : "none on this host";
  clerk_->record(to_json(proof_, run_->report()));
}

// --- signs of life ----------------------------------------------------------------------------

void Guardian::beat(RecvTime now) {
  if (bot_ == nullptr || !bot_->mapped()) return;
  const GuardianState state = session_->ready() ? GuardianState::ready : GuardianState::connecting;
  bot_->gate().beat(bot_->gate().layout().guardian, now, static_cast<std::uint32_t>(state));
}

void Guardian::say_changes() {
  const bool ready = session_->ready();
  if (ready != was_ready_) say("session", ready ? "ready: it could cancel now" : "not ready");
  was_ready_ = ready;
  const std::string trouble = session_->trouble();
  if (trouble != last_trouble_ && !trouble.empty()) say("session", trouble);
  last_trouble_ = trouble;
  const bool watching =
      post_ == Post::local ? watch_ != nullptr && watch_->watching() : listener_->watching();
  if (watching != was_watching_) say("bot", watching ? "runs" : "is not watched");
  was_watching_ = watching;
}

int Guardian::run(const std::atomic<int>& stop) {
  const GuardianConfig& g = loaded_->config.guardian;
  say("start", fmt::format("gimbal-guardian build {} config {} ({})", proof_.build.substr(0, 16),
                           proof_.config.substr(0, 16), loaded_->path));
  say("start", apply(ThreadPlan{"gimbal-guardian", g.core,
                                g.realtime ? Scheduling::fifo : Scheduling::normal, priority}));
  if (listener_ != nullptr)
    say("start", fmt::format("listening on UDP port {}", listener_->port()));
  Channel::prepare_thread();
  RecvTime leave{};
  for (;;) {
    wait();
    const RecvTime now = clock_.now();
    if (post_ == Post::local) {
      watch_bot(now);
    } else {
      listen(now);
    }
    pump();
    if (!refusal_.empty()) break;
    beat(clock_.now());
    say_changes();
    if (stop.load(std::memory_order_acquire) == 0) continue;
    if (leave.mono_ns == 0) leave = clock_.now() + leave_patience;
    if (!run_->active() || clock_.now() > leave) break;
  }
  if (bot_ != nullptr && bot_->mapped()) {
    bot_->gate().beat(bot_->gate().layout().guardian, clock_.now(),
                      static_cast<std::uint32_t>(GuardianState::absent));
  }
  if (!refusal_.empty()) {
    say("refused", refusal_);
    std::fprintf(stderr, "gimbal-guardian: refused: %s\n", refusal_.c_str());
    return exit_refused;
  }
  say("stop", run_->active() ? "told to stop; the last fire is NOT confirmed" : "told to stop");
  return run_->active() ? exit_unconfirmed : exit_done;
}

}  // namespace gimbal::guardian
