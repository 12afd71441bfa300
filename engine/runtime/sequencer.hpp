// Hot; head of the core's thread. Nondeterminism ends here: every input becomes a unit with the
// next Seq, is handed to the journal and only then stepped. Replaying the journal gives the same
// commands.
//
// A unit is 1-4 consecutive records with the same head but `part`; its records carry consecutive
// Seqs and the same queue_ns. Inputs: one priority ring (operator, control), polled first, and up
// to inputs_max rings merged round-robin; or submit() directly from the same thread (fused).
//
// Core   step(const Event&, Commands&) noexcept; optionally
//        rest(Commands&) noexcept, called after each step once its commands went to the sink: what
//        it adds goes there next. The commands and their digest are those of one step.
//        bool side_block(const SideBlockRef&, std::span<const std::byte>) noexcept, called before
//        the step of the event that names the block. True (or no such member): the core is done
//        with the bytes after that step; false: it keeps its hold until pool.release().
// Sink   command(Command&&) noexcept for every command but ArmTimer;
//        fault(SequencerFault) noexcept: close the gate (HALT). Called once per fault kind.
// Journal  append, append_side_block, append_digest as JournalWriter has them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/core/command.hpp"
#include "engine/core/event.hpp"
#include "engine/core/payload.hpp"
#include "engine/runtime/clock.hpp"
#include "engine/runtime/counters.hpp"
#include "engine/runtime/journal_format.hpp"
#include "engine/runtime/ring.hpp"
#include "engine/runtime/side_blocks.hpp"
#include "engine/runtime/timers.hpp"

namespace gimbal {

using EventRing = SpscRing<Event>;

enum class SequencerFault : std::uint8_t {
  journal,      // an event could not be journalled: ring full or write error (integrity: HALT)
  side_block,   // an event named a block that is gone or damaged; the event was not stepped
  broken_unit,  // an input ring held a record that is not where its unit should be; it was dropped
  timers,       // more than timers_max timers armed; the new one was refused
};
inline constexpr std::size_t sequencer_faults = 4;

struct SequencerConfig {
  std::size_t drain_max{64};         // records per input and do_work() call
  std::uint64_t digest_every{4096};  // sequence numbers between digest records; 0: none
};

template <class Core, class Sink, class Journal, class Clock = TscClock>
class Sequencer {
 public:
  static constexpr std::size_t inputs_max = 32;

  // `counters` gets units, warm_dropped, journal_lost, broken_units, block_refused, timer_refused.
  // `pool` may be null when no event will name a side block.
  Sequencer(const SequencerConfig& config, Core& core, Sink& sink, Journal& journal,
            const Clock& clock, Counters& counters, SideBlockPool* pool)
      : config_{config},
        core_{core},
        sink_{sink},
        journal_{journal},
        clock_{clock},
        pool_{pool},
        units_{counters.add("units")},
        warm_dropped_{counters.add("warm_dropped")},
        journal_lost_{counters.add("journal_lost")},
        broken_units_{counters.add("broken_units")},
        block_refused_{counters.add("block_refused")},
        timer_refused_{counters.add("timer_refused")} {}
  Sequencer(const Sequencer&) = delete;
  Sequencer& operator=(const Sequencer&) = delete;

  // Cold, before the first work. The priority ring may be a SharedRing's out().
  void set_priority(EventRing& ring) noexcept { priority_ = &ring; }
  [[nodiscard]] bool add_input(EventRing& ring) noexcept {
    if (inputs_ == inputs_max) return false;
    input_[inputs_++] = &ring;
    return true;
  }

  // One cycle: priority ring, due timers, then every input once from a rotating start. Gives the
  // records taken.
  std::size_t do_work() noexcept {
    std::size_t done = priority_ != nullptr ? drain(*priority_) : 0;
    done += fire_timers();
    for (std::size_t i = 0; i < inputs_; ++i) done += drain(*input_[(start_ + i) % inputs_]);
    if (inputs_ != 0) start_ = (start_ + 1) % inputs_;
    return done;
  }

  // Fused path and boot: whole units, in order, on the sequencer's own thread. Never re-entered:
  // a sink that produces events queues them in a ring. Sequence numbers and queue times are written
  // into the records.
  void submit(Event* records, std::size_t count) noexcept {
    std::size_t at = 0;
    while (at < count) {
      const std::size_t parts = whole_unit(records + at, count - at);
      if (parts == 0) {
        broken();
        ++at;
        continue;
      }
      run(records + at, parts);
      at += parts;
    }
  }
  void submit(const Event& record) noexcept {
    Event own = record;
    submit(&own, 1);
  }

  // The last record of an orderly end, after the last work: a replay can check every command.
  void finish() noexcept {
    if (config_.digest_every == 0 || seq_.value == digest_at_) return;
    digest_at_ = seq_.value;
    (void)journal_.append_digest({seq_.value, digest_.value(), digest_.count(), 0});
  }

  // The reference follows; to be read on the sequencer's own thread.
  [[nodiscard]] const Seq& last_seq() const noexcept { return seq_; }
  [[nodiscard]] const CommandDigest& digest() const noexcept { return digest_; }
  [[nodiscard]] const TimerQueue& timers() const noexcept { return timers_; }

 private:
  // Number of records of the unit at `at`; 0 when the first record does not start one or parts are
  // missing or disagree.
  static std::size_t whole_unit(const Event* at, std::size_t available) noexcept {
    const std::size_t parts = at->part_count();
    if (at->part_index() != 1 || parts == 0 || parts > event_parts_max || parts > available)
      return 0;
    for (std::size_t i = 1; i < parts; ++i) {
      if (at[i].kind() != at->kind() || at[i].part_count() != parts ||
          at[i].part_index() != i + 1) {
        return 0;
      }
    }
    return parts;
  }

  std::size_t drain(EventRing& ring) noexcept {
    std::size_t done = 0;
    while (done < config_.drain_max && ring.peek() != nullptr) {
      std::array<Event, event_parts_max> unit;
      std::size_t available = 0;
      while (available < event_parts_max) {
        const Event* record = ring.peek(available);
        if (record == nullptr) break;
        unit[available++] = *record;
        if (available >= unit[0].part_count()) break;
      }
      const std::size_t parts = whole_unit(unit.data(), available);
      ring.pop(parts == 0 ? 1 : parts);
      done += parts == 0 ? 1 : parts;
      if (parts == 0) {
        broken();
      } else {
        run(unit.data(), parts);
      }
    }
    return done;
  }

  std::size_t fire_timers() noexcept {
    if (timers_.empty()) return 0;
    const RecvTime now = clock_.now();
    std::size_t fired = 0;
    TimerFired due;
    while (fired < config_.drain_max && timers_.pop_due(now, due)) {
      Event e = make_event(EventKind::timer, VenueId{}, InstrumentId{}, now, ExchTime{}, due);
      run(&e, 1);
      ++fired;
    }
    return fired;
  }

  void run(Event* unit, std::size_t parts) noexcept {
    if (unit[0].has(event_flag::warm)) {
      warm_dropped_.add(parts);
      return;
    }
    const SideBlockRef block = side_block_of(unit[0]);
    if (block.kind != SideBlockKind::none && !adopt(block)) return;
    stamp(unit, parts);
    if (!journal_.append(unit, parts)) {
      journal_lost_.add(parts);
      fault(SequencerFault::journal);
    }
    const bool done_with_block = block.kind == SideBlockKind::none || show_block(block);
    for (std::size_t i = 0; i < parts; ++i) step(unit[i]);
    if (block.kind != SideBlockKind::none && done_with_block) pool_->release(block);
    units_.add();
    if (config_.digest_every != 0 && seq_.value - digest_at_ >= config_.digest_every) {
      digest_at_ = seq_.value;
      (void)journal_.append_digest({seq_.value, digest_.value(), digest_.count(), 0});
    }
  }

  void stamp(Event* unit, std::size_t parts) noexcept {
    const Nanos waited = clock_.now() - unit[0].recv;
    const std::uint32_t queue_ns = waited.count <= 0 ? 0u
                                   : waited.count >= static_cast<std::int64_t>(UINT32_MAX)
                                       ? UINT32_MAX
                                       : static_cast<std::uint32_t>(waited.count);
    for (std::size_t i = 0; i < parts; ++i) {
      seq_ = seq_.next();
      unit[i].set_seq(seq_);
      unit[i].queue_ns = queue_ns;
    }
  }

  void step(const Event& event) noexcept {
    commands_.clear();
    core_.step(event, commands_);
    pass_on(0);
    if constexpr (requires(Core & c, Commands & out) { c.rest(out); }) {
      const std::size_t passed = commands_.size();
      core_.rest(commands_);
      pass_on(passed);
    }
  }
  void pass_on(std::size_t from) noexcept {
    for (std::size_t n = from; n < commands_.size(); ++n) {
      Command& c = commands_[n];
      digest_.add(c);
      if (c.kind() == CommandKind::arm_timer) {
        if (!timers_.arm(c.timer())) {
          timer_refused_.add();
          fault(SequencerFault::timers);
        }
      } else {
        sink_.command(std::move(c));
      }
    }
  }

  // Checks the block and journals it; false drops the event.
  bool adopt(const SideBlockRef& block) noexcept {
    if (pool_ == nullptr || pool_->read(block).data() == nullptr) {
      block_refused_.add();
      fault(SequencerFault::side_block);
      return false;
    }
    if (!journal_.append_side_block(block)) {
      journal_lost_.add();
      fault(SequencerFault::journal);
      pool_->release(block);  // the journal's hold: it will never be written
    }
    return true;
  }
  // True: the core keeps no reference past the step.
  bool show_block(const SideBlockRef& block) noexcept {
    if constexpr (requires(Core & c, std::span<const std::byte> b) { c.side_block(block, b); }) {
      return core_.side_block(block, pool_->peek(block));
    }
    return true;
  }

  void broken() noexcept {
    broken_units_.add();
    fault(SequencerFault::broken_unit);
  }
  void fault(SequencerFault f) noexcept {
    bool& told = told_[static_cast<std::size_t>(f)];
    if (told) return;
    told = true;
    sink_.fault(f);
  }

  SequencerConfig config_;
  Core& core_;
  Sink& sink_;
  Journal& journal_;
  const Clock& clock_;
  SideBlockPool* pool_;
  EventRing* priority_{nullptr};
  std::array<EventRing*, inputs_max> input_{};
  std::size_t inputs_{0};
  std::size_t start_{0};
  Seq seq_{};
  Commands commands_{};
  CommandDigest digest_{};
  std::uint64_t digest_at_{0};
  TimerQueue timers_{};
  std::array<bool, sequencer_faults> told_{};
  Counter& units_;
  Counter& warm_dropped_;
  Counter& journal_lost_;
  Counter& broken_units_;
  Counter& block_refused_;
  Counter& timer_refused_;
};

}  // namespace gimbal
