// Runs a bot: starts the threads, the cold loop, and the orderly end. Room: ops/app (wiring).
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "engine/runtime/alloc_guard.hpp"
#include "engine/runtime/huge_pages.hpp"
#include "engine/runtime/pin.hpp"
#include "engine/runtime/trace.hpp"
#include "ops/app/bot.hpp"
#include "ops/app/commands.hpp"
#include "ops/app/day_keeper.hpp"
#include "ops/app/desk.hpp"
#include "ops/app/monitor.hpp"
#include "ops/app/order_keeper.hpp"
#include "ops/app/scope_names.hpp"
#include "ops/app/thread_places.hpp"

namespace gimbal {
namespace {

constexpr Nanos snapshot_interval = milliseconds(50);
constexpr Nanos stop_patience = seconds(5);
constexpr Nanos operator_turn_max = milliseconds(20);  // of a cycle of the cold loop
const std::size_t journal_backlog_max = JournalConfig{}.ring_records / 4;
constexpr Nanos sentinel_interval = milliseconds(10);
constexpr std::uint64_t cycles_per_look = 32;  // empty ones: about 20 us
constexpr std::size_t prefault_stack_bytes = 256 * 1024;

}  // namespace

void Bot::hot_thread(const ThreadPlan& plan, std::function<std::size_t()> work,
                     std::function<void()> before) {
  ThreadBeat& round = beats_.emplace_back();
  round.name = plan.name;
  hot_threads_.emplace_back(
      [this, plan, &round, work = std::move(work), before = std::move(before)] {
        if (const std::string report = apply(plan); !report.empty()) say(report);
        prefault_stack(prefault_stack_bytes);
        Channel::prepare_thread();
        if (before) before();
        Idle idle{IdleConfig{loaded_->config.runtime.idle}};
        BeatLine* line = gate_.register_hot(static_cast<std::uint32_t>(::gettid()));
        if (line == nullptr) return say(plan.name + ": no heartbeat line is free; the thread ends");
        HotBeat beat{*line, clock_};
        arm_alloc_guard();
        for (std::uint64_t cycle = 1; !stop_hot_.load(std::memory_order_acquire); ++cycle) {
          idle.after(work());
          beat.tick();
          round.cycles.store(cycle, std::memory_order_relaxed);
        }
        const AllocCounts counts = thread_alloc_counts();
        disarm_alloc_guard();
        hot_allocations_.fetch_add(counts.allocations + counts.maps, std::memory_order_relaxed);
      });
}

void Bot::start_threads() {
  const RuntimeConfig& r = loaded_->config.runtime;
  const Scheduling scheduling = r.realtime ? Scheduling::fifo : Scheduling::normal;
  const auto plan = [&](const char* name, int core) {
    return ThreadPlan{name, core, scheduling, 10, {}};
  };
  if (rehearsal_ != nullptr) {
    hot_thread(
        plan("gimbal-hot", r.io_core),
        [this] {
          const std::size_t done = fused_->do_work();
          rehearsal_->after(done);
          if (done == 0 && ++empty_cycles_ % cycles_per_look == 0) fused_->look_over();
          return done;
        },
        [this] {
          const std::string trouble = rehearsal_->prepare();
          say(trouble.empty() ? "keep_warm: rehearsing in silence" : "keep_warm: off: " + trouble);
        });
  } else if (fused_ != nullptr) {
    hot_thread(plan("gimbal-hot", r.io_core), [this] { return fused_->do_work(); });
  } else {
    hot_thread(plan("gimbal-feed", r.io_core), [this] { return feed_stage_->do_work(); });
    hot_thread(plan("gimbal-core", r.core_core), [this] { return core_stage_->do_work(); });
    hot_thread(plan("gimbal-order", r.order_core), [this] { return order_stage_->do_work(); });
  }
  const auto cold = [this, &r](const char* name, auto work) {
    cold_threads_.emplace_back([this, plan = cold_plan(name, r), work] {
      if (const std::string report = apply(plan); !report.empty()) say(report);
      work();
    });
  };
  cold("gimbal-connect", [this] { connects_->run(stop_cold_); });
  cold("gimbal-query", [this] { query_loop_->run(stop_cold_); });
  cold("gimbal-archive", [this] { archive_loop(); });
  cold("gimbal-day", [this] { day_->run(stop_cold_); });
  cold("gimbal-orders", [this] { orders_kept_->run(stop_cold_); });
  if (surface_ != nullptr) cold("gimbal-surface", [this] { surface_loop(); });
  if (scenarios_ != nullptr) cold("gimbal-scenario", [this] { scenario_loop(); });
}

void Bot::stop_threads() {
  stop_hot_.store(true, std::memory_order_release);
  for (std::thread& t : hot_threads_) t.join();
  hot_threads_.clear();
  stop_cold_.store(true, std::memory_order_release);
  for (std::thread& t : cold_threads_) t.join();
  cold_threads_.clear();
}

std::uint64_t Bot::halts() { return fused_ != nullptr ? fused_->halts() : core_stage_->halts(); }
std::uint64_t Bot::faults() { return fused_ != nullptr ? fused_->faults() : core_stage_->faults(); }

deribit::FeedCounters Bot::feed_counters() {
  deribit::FeedCounters sum;
  const auto add = [this, &sum](auto& feed) {
    if (hot_threads_.empty()) feed.publish();  // nobody else writes any more
    const SharedFeedCounters& c = feed.shared();
    sum.frames += c.frames.load(std::memory_order_relaxed);
    sum.events += c.events.load(std::memory_order_relaxed);
    sum.malformed += c.malformed.load(std::memory_order_relaxed);
    sum.gaps += c.gaps.load(std::memory_order_relaxed);
    sum.resyncs += c.resyncs.load(std::memory_order_relaxed);
  };
  if (fused_ != nullptr) {
    for (const auto& feed : fused_->feeds()) add(*feed);
  } else {
    for (const auto& feed : feed_stage_->feeds()) add(*feed);
  }
  return sum;
}

// A stop written straight to the stop page becomes a closed gate, a latch and an operator command.
void Bot::mirror_stops() {
  mirrored_stops_ = stop_page_.requests();
  stop_page_.each_stop([this](Scope scope, Mode mode) {
    if (gate_.at(scope) >= mode) return;
    say("stop page: a stop was written; closing the gate");
    desk_->stop_from(OperatorSource::stop_page, scope, mode, "stop page");
  });
}

std::string Bot::sentinel_path() const {
  return loaded_->config.runtime.runtime_dir + "/" + std::string{sentinel_file};
}

bool Bot::sentinel_there() { return ::access(sentinel_path().c_str(), F_OK) == 0; }

// HALT by a file while it is there, for a wedged socket: `touch RUNTIME_DIR/halt`.
void Bot::watch_sentinel(RecvTime now) {
  if (now < sentinel_due_) return;
  sentinel_due_ = now + sentinel_interval;
  if (!sentinel_there() || gate_.at(Scope{}) >= Mode::halt) return;
  say("sentinel: " + sentinel_path() + " is there; closing the gate");
  desk_->stop_from(OperatorSource::sentinel, Scope{}, Mode::halt, "sentinel file");
}

void Bot::drain_notes() {
  FillNote note;
  while (fills_.pop_into(note)) ledger_->book(note.fill, note.instrument);
  drain_alerts();
  drain_trace(trace_, [this](const TraceRecord& record) {
    if (record.id == TraceId::order_refused) {
      const auto code = static_cast<std::size_t>(record.a);
      if (code < refusals) ++refusal_counts_[code];
      return;
    }
    const bool loud = record.id == TraceId::order_unknown || record.id == TraceId::order_fault ||
                      record.id == TraceId::mode_changed || record.id == TraceId::hedge_stopped ||
                      record.id == TraceId::delta_mismatch || record.id == TraceId::foreign_order ||
                      record.id == TraceId::foreign_fill || record.id == TraceId::position_drift ||
                      record.id == TraceId::gateway || record.id == TraceId::fill_overflow ||
                      record.id == TraceId::flatten;
    if (loud || loaded_->config.log.level == LogLevel::debug) say(to_json(record));
  });
  (void)hops_->drain(fused_ != nullptr ? probe_ : order_probe_);
}

// Asks the core for a new picture; with `wait` gives it up to 20 ms to answer.
void Bot::refresh(bool wait) {
  const std::uint64_t before = snapshot_port_.box.writes();
  snapshot_port_.wanted.store(true, std::memory_order_release);
  for (int i = 0; wait && i < 200 && snapshot_port_.box.writes() == before; ++i) {
    std::this_thread::sleep_for(std::chrono::microseconds{100});
  }
  if (snapshot_port_.box.writes() > 0) (void)snapshot_port_.box.try_load(*snapshot_);
  if (!was_armed_ && snapshot_->engine.global == Mode::active) {
    const AllocCounts counts = total_alloc_counts();
    was_armed_ = true;
    allocations_before_armed_ = counts.allocations + counts.maps;
  }
  for (std::size_t i = 0; i < margins_shown_max; ++i) {
    const MarginReport& m = snapshot_->margin[i];
    if (first_margin_[i].settlement.text().empty()) first_margin_[i] = m;
  }
}

double Bot::equity_change(std::size_t i) const {
  return to_double(snapshot_->margin[i].equity) - to_double(first_margin_[i].equity);
}

void Bot::live_line() {
  const EngineStatus& s = snapshot_->engine;
  static constexpr const char* modes[] = {"ACTIVE", "REDUCE", "HALT", "CANCEL", "LOCK"};
  const Mode mode = stricter(s.global, gate_.at(Scope{}));
  std::string text =
      fmt::format("{:7.1f}s {:6}", static_cast<double>((clock_.now() - started_).count) * 1e-9,
                  modes[static_cast<std::size_t>(mode)]);
  for (std::size_t u = 0; u < underlyings_max; ++u) {
    if (!s.underlyings[u].used) continue;
    const auto& from = s.underlyings[u];
    const HedgeState& hedge = snapshot_->hedge[u];
    text += fmt::format(" | {} {:.1f} delta {:+.4f} band {:.4f}{} gamma {:+.2e}",
                        universe_.underlyings().name(UnderlyingId{static_cast<std::uint8_t>(u)}),
                        to_double(from.index), from.residual, hedge.band,
                        from.complete ? "" : " (incomplete)", from.gamma);
  }
  const OrderSessionCounters& c = orders().counters();
  const Histogram& h = hops_->tick_to_order();
  text += fmt::format(
      " | orders {} filled {} open {} unknown {} | tick-to-order p50 {:.0f}us p99 {:.0f}us",
      c.placed.load(), s.orders.filled, s.open_orders, s.unknown_orders,
      static_cast<double>(h.p50()) * 1e-3, static_cast<double>(h.p99()) * 1e-3);
  if (!snapshot_->margin[0].settlement.text().empty()) {
    text +=
        fmt::format(" | P&L {:+.5f} {}", equity_change(0), snapshot_->margin[0].settlement.text());
  }
  std::printf("%s\n", text.c_str());
  std::fflush(stdout);
}

void Bot::cold_cycle() {
  drain_journal();
  mirror_stops();
  desk_->send_unsent();
  desk_->watch_flatten();
  desk_->watch_reload();
  desk_->drop_finished_reload();
  drain_notes();
  // An operator who waits is served ahead of the next turn at the disk, which may be a slow one;
  // but a ring that fills up meanwhile would be a HALT until a restart.
  const RecvTime operators_until = clock_.now() + operator_turn_max;
  do {
    (void)desk_->poll_once(std::chrono::milliseconds{1});
    gate_.beat(gate_.layout().bot, clock_.now(), static_cast<std::uint32_t>(BotState::running));
  } while (desk_->waited_for() && clock_.now() < operators_until &&
           journal_->backlog() < journal_backlog_max);
  const RecvTime now = clock_.now();
  watch_sentinel(now);
  watch_guardian();
  watch_modules();
  beat_off_host(now);
  follow_listings();
  monitor_->cycle(now);
  if (now >= anchor_due_) {
    anchor_due_ = now + milliseconds(100);
    (void)clock_.anchor();
  }
  if (now >= snapshot_due_) {
    snapshot_due_ = now + snapshot_interval;
    refresh(false);
  }
  keep_day(now);
  keep_orders(now);
  if (now >= status_due_) {
    status_due_ = now + loaded_->config.log.status_interval;
    if (options_.live_line) live_line();
  }
}

void Bot::cold_loop() {
  while (stop_signal.load(std::memory_order_acquire) == 0) {
    cold_cycle();
    if (options_.duration.count > 0 && clock_.now() - started_ > options_.duration) break;
  }
}

// SIGTERM is CANCEL: close the gate, cancel, and leave only when the venue shows nothing of ours.
int Bot::close_down() {
  desk_->stop_from(OperatorSource::signal, Scope{}, Mode::cancel, "shutdown");
  const RecvTime deadline = clock_.now() + stop_patience;
  bool confirmed = false;
  while (!confirmed && clock_.now() < deadline) {
    cold_cycle();
    confirmed = desk_->stop_confirmed();
  }
  say(confirmed
          ? "shutdown: no order rests at the venue"
          : "shutdown: NOT confirmed: orders may rest at the venue; cancel-on-disconnect acts now");
  refresh(true);
  return confirmed ? exit_done : exit_unconfirmed;
}

int Bot::run() {
  // The kernel may take its time: before the guardian counts on beats.
  if (loaded_->config.runtime.huge_pages) {
    const HugePages moved = use_huge_pages();
    say(fmt::format("memory: {} of {} MiB are on huge pages", 2 * moved.moved, 2 * moved.whole));
  }
  say_state(BotState::running);
  start_threads();
  say(apply(cold_plan("gimbal", loaded_->config.runtime)));
  say("running; arm with: gimbalctl arm --yes --reason TEXT --config-hash " +
      loaded_->hash_hex().substr(0, 16));
  cold_loop();
  int code = close_down();
  // Left in order; without the confirmation the guardian takes over as soon as the beats end.
  if (code == exit_done) say_state(BotState::stopped);
  if (code == exit_done && off_host_ != nullptr) off_host_->say_stopped(clock_.now());
  stop_threads();
  fused_ != nullptr ? fused_->sequencer().finish() : core_stage_->sequencer().finish();
  drain_notes();
  monitor_->finish();
  const auto closed = [&](const char* what, const Outcome& o) {
    if (o) return;
    say(std::string{what} + ": " + o.error());
    code = code == exit_done ? exit_failed : code;
  };
  closed("day", close_day());
  closed("journal", journal_->close());
  closed("orders", close_orders_kept());
  if (frames_ != nullptr) closed("frames", frames_->close());
  if (options_.live_line || !options_.report_file.empty()) closing_report(code);
  return code;
}

}  // namespace gimbal
