// A journal's events stepped again through the engine that its own config builds, one record at a
// time, with what the frames are compared against kept until it is taken. Room: ops/app. Cold.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/engine.hpp"
#include "engine/runtime/replay.hpp"
#include "ops/app/journal_origin.hpp"

namespace gimbal {

using ReplayEngine = Engine<NullProbe, StrategySet>;

// First in, first out, contiguous; memory is used again once it is empty. Items behind its end are
// there and not counted yet (adopt).
template <class T>
class Fifo {
 public:
  void push(T value) {
    items_.push_back(std::move(value));
    end_ = items_.size();
  }
  [[nodiscard]] bool empty() const noexcept { return first_ == end_; }
  [[nodiscard]] std::size_t size() const noexcept { return end_ - first_; }
  [[nodiscard]] T& operator[](std::size_t n) noexcept { return items_[first_ + n]; }
  void pop(std::size_t n = 1) {
    first_ += n;
    if (first_ < items_.size() && first_ < compact_at) return;
    items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(first_));
    end_ -= first_;
    first_ = 0;
  }

  // Empty, with room before its first item for what is left of another.
  void restart(std::size_t room) {
    items_.clear();
    items_.resize(room);
    first_ = end_ = room;
  }
  // Takes all of `next`, which was restarted, behind what is left here. They are not counted until
  // show() says so. Seldom copies more than what is left.
  void adopt(Fifo& next) {
    const std::size_t left = size();
    const std::size_t more = next.size();
    if (left <= next.first_) {
      std::move(begin(), begin() + static_cast<std::ptrdiff_t>(left),
                next.begin() - static_cast<std::ptrdiff_t>(left));
      std::swap(*this, next);
      first_ -= left;
    } else {
      items_.insert(items_.end(), next.begin(), next.items_.end());
    }
    end_ = items_.size() - more;
  }
  void show(std::size_t n) noexcept { end_ += n; }

 private:
  static constexpr std::size_t compact_at = 65536;
  [[nodiscard]] auto begin() noexcept {
    return items_.begin() + static_cast<std::ptrdiff_t>(first_);
  }
  std::vector<T> items_;
  std::size_t first_{0};
  std::size_t end_{0};
};

// A command that asked for bytes on the order session.
struct Outgoing {
  std::uint64_t seq{0};  // of the event that caused it
  Command command{};
};
// What the order session said of one place, replace or cancel, in the order of the commands.
struct Fate {
  OrderId order{};
  OrderAction action{OrderAction::place};
  bool sent{false};
};

// Orders from counter `first` on carry another config's tag: the core adopted a reload.
struct TagChange {
  std::uint32_t first{0};
  std::uint32_t tag{0};
};

// What the frames are compared with: events that a public decoder wrote, that the gateway wrote,
// commands and their fates, and the tags of their labels, each in the journal's order.
struct KeptForFrames {
  Fifo<Event> feed_events;
  Fifo<Event> order_events;
  Fifo<Outgoing> outgoing;
  Fifo<Fate> fates;
  Fifo<TagChange> tags;
};

class CoreReplay {
 public:
  // `watched`: the core's traces are kept in trace(), whose reader must keep up. `error`: why the
  // journal's own config gives no engine.
  CoreReplay(const JournalOrigin& origin, const JournalSegments& segments,
             const ReplayOptions& options, bool watched, std::string& error);

  // What the core traces; empty unless watched.
  [[nodiscard]] TraceRing& trace() noexcept { return trace_; }
  // Called after each step, before the commands are taken; may be empty.
  void on_step(std::function<void(const Event&, const Commands&)> look) { look_ = std::move(look); }
  // See JournalReader.
  void chain_by(ChainHasher& hasher) noexcept { reader_->chain_by(hasher); }
  // Steps one record; false at the end.
  bool next() { return run_->next(); }
  // Reads what was not stepped, and says what of it is damaged; empty: nothing. The last call.
  [[nodiscard]] std::string check_rest() { return run_->check_rest(); }
  [[nodiscard]] std::uint64_t bytes_read() const noexcept { return reader_->bytes(); }
  [[nodiscard]] ReplayResult result() const { return run_->result(); }
  [[nodiscard]] ReplayEngine& engine() noexcept { return *engine_; }
  // Of the last step's event; empty when the journal does not hold it.
  [[nodiscard]] std::span<const std::byte> block(const SideBlockRef& ref) const noexcept {
    return ReplayBlocks::find(&blocks_, ref.slot, ref.generation);
  }
  // Keeps events and commands for the comparison with frames; without it they are dropped.
  void keep_for_frames() noexcept { keep_ = true; }
  // The frames say themselves which names and terms their sessions knew (frame kinds 10 and 11).
  // Before the first next().
  void frames_tell_instruments() noexcept { told_ = true; }

  // Why the frames can be followed no further: they are of a build that left out what its sessions
  // knew of instruments, and one was listed, redefined or settled, or the config was reloaded.
  // Empty while they can. Nothing is kept then.
  [[nodiscard]] const std::string& parted() const noexcept { return parted_; }

  // To be taken by the reader of the frames.
  [[nodiscard]] KeptForFrames& kept() noexcept { return kept_; }
  // Of the last event.
  [[nodiscard]] std::uint64_t seq() const noexcept { return seq_; }

 private:
  void keep(const Event& event, Commands& out);
  bool part(const Event& event);
  void keep_tag(const Event& event);

  ReplayBlocks blocks_;
  TraceRing trace_;
  EngineSetup setup_;
  std::unique_ptr<ReplayEngine> engine_;
  ReplayTarget target_;
  std::unique_ptr<JournalReader> reader_;
  std::unique_ptr<ReplayRun> run_;
  std::function<void(const Event&, const Commands&)> look_;
  bool keep_{false};
  bool told_{false};
  std::uint64_t configs_adopted_{0};
  std::string parted_;
  KeptForFrames kept_;
  std::uint64_t seq_{0};
};

}  // namespace gimbal
