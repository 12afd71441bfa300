// The two shared pages of the kill switch and the protocol around them (controls, section 4;
// architecture, section 10).
//
// `gate`: one mode byte per scope, grouped by level on cache lines of their own, plus heartbeats
// (beat.hpp), the senders' in_send lines, the close stamps and the working orders of the guardian's
// list; writable by bot and guardian only (file mode). `stop`: the same scope bytes, writable by
// group gimbal-stop; non-zero means stop. A sender obeys the strictest over both pages and all
// scopes of the order. Nothing here loosens except GatePage::reopen and StopPage::clear, which the
// bot calls for a validated arm command (and GatePage::loosen, before it sends anything). Hot:
// SenderGate. Cold: the rest.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "engine/core/config_tags.hpp"
#include "engine/core/ids.hpp"
#include "engine/core/modes.hpp"
#include "engine/core/time.hpp"
#include "engine/runtime/beat.hpp"
#include "engine/runtime/clock.hpp"
#include "engine/runtime/life_line.hpp"
#include "engine/runtime/outcome.hpp"

namespace gimbal {

inline constexpr std::size_t senders_max = 16;
inline constexpr std::size_t listed_orders_max = 4096;
inline constexpr std::size_t list_probe_max = 128;                  // slots looked at for one order
inline constexpr std::uint64_t gate_magic = 0x3145544147424D47ULL;  // "GMBGATE1"
inline constexpr std::uint64_t stop_magic = 0x31504F5453424D47ULL;  // "GMBSTOP1"
inline constexpr std::uint32_t page_version = 5;

// One mode byte per scope of one level; the level starts on its own cache line.
template <std::size_t N>
struct alignas(64) ScopeBytes {
  std::array<std::atomic<std::uint8_t>, N> at{};
};
struct ScopeWords {
  ScopeBytes<1> global;
  ScopeBytes<venues_max> venue;
  ScopeBytes<venues_max> account;
  ScopeBytes<strategies_max> strategy;
  ScopeBytes<underlyings_max> underlying;
  ScopeBytes<instruments_max> instrument;

  // nullptr for an id outside its level.
  [[nodiscard]] std::atomic<std::uint8_t>* word(Scope s) noexcept;
  [[nodiscard]] const std::atomic<std::uint8_t>* word(Scope s) const noexcept;
  // Calls use(Scope, byte) for every non-zero byte, level by level.
  template <class Use>
  void each(Use&& use) const {
    each_in(global, ScopeLevel::global, use);
    each_in(venue, ScopeLevel::venue, use);
    each_in(account, ScopeLevel::account, use);
    each_in(strategy, ScopeLevel::strategy, use);
    each_in(underlying, ScopeLevel::underlying, use);
    each_in(instrument, ScopeLevel::instrument, use);
  }

 private:
  template <std::size_t N, class Use>
  static void each_in(const ScopeBytes<N>& bytes, ScopeLevel level, Use& use) {
    for (std::size_t id = 0; id < N; ++id) {
      const std::uint8_t byte = bytes.at[id].load(std::memory_order_acquire);
      if (byte != 0) use(Scope{level, static_cast<std::uint16_t>(id)}, byte);
    }
  }
};

struct alignas(64) PageHeader {
  std::atomic<std::uint64_t> magic{0};  // stored last: a page without it is not ready
  std::uint32_t version{page_version};
  std::uint32_t layout_hash{0};
  std::uint64_t bytes{0};
  std::atomic<std::uint32_t> epoch{0};        // boot epoch of the bot that owns the page
  std::atomic<std::uint32_t> config_hash{0};  // of the order labels of this boot
  std::atomic<std::uint64_t> account{0};      // the venue's number of the bot's account; 0: unknown
};

// One sender thread. in_send is odd while an order is between the gate check and the socket.
struct alignas(64) SenderLine {
  std::atomic<std::uint32_t> in_send{0};
  std::atomic<std::uint32_t> registered{0};
  std::atomic<std::uint64_t> order{0};    // OrderId of the current or last order
  std::atomic<std::uint64_t> started{0};  // orders let through
  std::atomic<std::uint64_t> refused{0};
  // Approvals under an older epoch of the core's gate are void: raised by each arm. Here and not
  // with the words: this line is in the sender's cache anyway.
  std::atomic<std::uint64_t> approved_from{0};
};

struct alignas(64) CloseLine {
  std::atomic<std::int64_t> t_gate_closed{0};  // CLOCK_MONOTONIC, ns
  std::atomic<std::uint64_t> closes{0};
  std::atomic<std::uint32_t> last_scope{0};  // level << 16 | id
  std::atomic<std::uint32_t> last_mode{0};
};

// The way of a FLATTEN's own slices past the CANCEL of its scope: granted by the bot for one job,
// revoked by every stop that covers that scope. Zero scope = none.
struct alignas(64) FlattenPass {
  std::atomic<std::uint32_t> scope{0};  // (level << 16 | id) + 1
  std::atomic<std::uint64_t> stops{0};  // the stop page's requests when it was granted
};

// An order that may rest at a venue, for a guardian that cancels by id. Zero order = free, one =
// being written.
struct ListedOrder {
  static constexpr std::uint64_t claimed = 1;  // below every order id: boot epochs start at one

  std::atomic<std::uint64_t> order{0};
  std::atomic<std::uint64_t> where{0};  // venue << 16 | instrument
};

struct GateLayout {
  PageHeader header;
  CloseLine closed;
  FlattenPass pass;
  ConfigTags tags;  // of the order labels, after header.config_hash
  BeatLine bot;
  BeatLine guardian;
  FireLine fire;
  LifeLine life;                              // held by the bot while it lives
  std::array<BeatLine, hot_threads_max> hot;  // one per pinned hot thread
  std::array<SenderLine, senders_max> senders;
  ScopeWords modes;
  alignas(64) std::array<ListedOrder, listed_orders_max> orders;
};

struct alignas(64) StopRequest {
  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::int64_t> mono_ns{0};
  std::atomic<std::uint32_t> uid{0};
  std::atomic<std::uint32_t> pid{0};
};
struct StopLayout {
  PageHeader header;
  StopRequest request;  // of the last stop; information only
  ScopeWords stops;
};

static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
static_assert(sizeof(PageHeader) == 64 && sizeof(SenderLine) == 64);
static_assert(sizeof(ScopeWords) == 64 * 5 + instruments_max);

// What a stop byte asks for: 0 nothing, 1-2 HALT, 3 CANCEL, 4 LOCK, anything else CANCEL.
[[nodiscard]] Mode stop_mode(std::uint8_t byte) noexcept;
// What a gate byte asks for; a value outside Mode is LOCK.
[[nodiscard]] Mode gate_mode(std::uint8_t byte) noexcept;

// A file mapped shared. Move-only; unmaps at the end, never unlinks.
class MappedFile {
 public:
  MappedFile() noexcept = default;
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();
  // Creates (and grows) the file when `create`; `mode` are the permission bits, set exactly.
  Outcome open(const std::string& path, std::size_t bytes, bool create, unsigned mode,
               bool writable);
  [[nodiscard]] void* data() const noexcept { return data_; }
  [[nodiscard]] bool created() const noexcept { return created_; }

 private:
  void* data_{nullptr};
  std::size_t bytes_{0};
  bool created_{false};
};

class GatePage {
 public:
  // Bot at boot: creates the file, or adopts one of the same layout (a guardian may have it mapped)
  // and keeps its stricter words. Either way global becomes at least HALT, in_send and the order
  // list are cleared, the epoch is stored. A file of another layout is refused.
  Outcome create(const std::string& path, std::uint32_t epoch, unsigned mode = 0600);
  // Guardian (writable) or a reader (not): the file must exist, with the same layout hash.
  Outcome open(const std::string& path, bool writable);

  [[nodiscard]] Mode at(Scope s) const noexcept;  // LOCK for an unknown scope
  // Stores the stricter of old and new, seq_cst. True when the word changed.
  bool tighten(Scope s, Mode m) noexcept;
  // At start, before anything is sent.
  bool loosen(Scope s, Mode m) noexcept;
  // Only for a validated arm command, which the core answered under `epoch` of its gate: what was
  // approved before is void at every sender before the word opens, so that no order of the time
  // before the stop leaves after the arm. False, and the word as it is: it is not what it was when
  // the arm was asked for, so somebody closed it meanwhile.
  bool reopen(Scope s, Mode from, Mode to, std::uint64_t epoch) noexcept;
  // Calls use(Scope, Mode) for every scope that is not ACTIVE.
  template <class Use>
  void each_tightened(Use&& use) const {
    page_->modes.each([&use](Scope s, std::uint8_t byte) { use(s, gate_mode(byte)); });
  }

  // Only for a FLATTEN that a person started; `stops` as StopPage::requests() gave it before.
  void grant_pass(Scope s, std::uint64_t stops) noexcept;
  void revoke_pass() noexcept;
  // Revokes when a stop of `s` with mode `m` covers the pass.
  void revoke_pass_under(Scope s, Mode m) noexcept;
  [[nodiscard]] bool has_pass() const noexcept;

  // Cold, at start: a line for one sender thread; -1 when all are taken.
  int register_sender() noexcept;

  void beat(BeatLine& line, RecvTime now, std::uint32_t state) noexcept;
  [[nodiscard]] GateLayout& layout() noexcept { return *page_; }
  [[nodiscard]] const GateLayout& layout() const noexcept { return *page_; }
  [[nodiscard]] bool is_open() const noexcept { return page_ != nullptr; }

  // Cold, on the thread itself at its start: a heartbeat line for one hot thread; nullptr when all
  // are taken.
  BeatLine* register_hot(std::uint32_t thread_id) noexcept;

  // The guardian's order list. Any thread of the bot; bounded by list_probe_max. False when the
  // order's slots are full or the order is not found. Hot: list_new, for an order that cannot be
  // listed yet. list_order keeps one entry for an order that is listed already.
  bool list_new(OrderId order, VenueId venue, InstrumentId instrument) noexcept;
  // The place that it would take first: bring_near.hpp.
  void look_over(OrderId next) const noexcept;
  bool list_order(OrderId order, VenueId venue, InstrumentId instrument) noexcept;
  bool unlist_order(OrderId order) noexcept;

 private:
  MappedFile file_;
  GateLayout* page_{nullptr};
};

class StopPage {
 public:
  // Bot at boot: creates it (0660, group set by the caller's directory) or adopts it as it is: a
  // stop survives a restart of the bot.
  Outcome create(const std::string& path, unsigned mode = 0660);
  Outcome open(const std::string& path, bool writable);

  // gimbalctl, guardian: raises the byte; never lowers it. False for an unknown scope.
  bool request(Scope s, Mode m, RecvTime now, std::uint32_t uid, std::uint32_t pid) noexcept;
  [[nodiscard]] Mode at(Scope s) const noexcept;
  // Stops requested so far, repeated ones included. Counted behind the byte, and the byte is looked
  // at behind the count: whoever clears it and then looks here sees the stop, or the stop is
  // written again.
  [[nodiscard]] std::uint64_t requests() const noexcept;
  // Bot only, for a validated arm command of exactly this scope. What the byte asked for.
  Mode clear(Scope s) noexcept;

  // Calls use(Scope, Mode) for every non-zero byte, level by level. What the control thread copies
  // into gate and latch each millisecond.
  template <class Use>
  void each_stop(Use&& use) const {
    page_->stops.each([&use](Scope s, std::uint8_t byte) { use(s, stop_mode(byte)); });
  }
  [[nodiscard]] const StopLayout& layout() const noexcept { return *page_; }
  [[nodiscard]] bool is_open() const noexcept { return page_ != nullptr; }

 private:
  MappedFile file_;
  StopLayout* page_{nullptr};
};

// Hot; one per sender thread. The last check before an order's bytes:
//   if (!gate.enter(scopes, order, epoch, reduces, flattens)) -> OrderReject{last_gate}
//   encode, encrypt, send
//   gate.leave()
// Cancels never ask. Copies nothing, blocks never.
class SenderGate {
 public:
  SenderGate(GatePage& gate, const StopPage& stop, int sender) noexcept
      : line_{&gate.layout().senders[static_cast<std::size_t>(sender)]},
        modes_{&gate.layout().modes},
        pass_{&gate.layout().pass},
        stops_{&stop.layout().stops},
        requests_{&stop.layout().request.requests} {}

  // True: in_send is set and the order may go out; leave() must follow. `epoch`: of the core's gate
  // when it approved the order. `reduces`: the core approved the order under P-13, so it passes
  // under REDUCE. `flattens`: a FLATTEN's slice, which passes under the CANCEL that the pass names.
  [[nodiscard]] bool enter(const OrderScopes& scopes, OrderId order, std::uint64_t epoch,
                           bool reduces, bool flattens = false) noexcept;
  void leave() noexcept {
    line_->in_send.store(line_->in_send.load(std::memory_order_relaxed) + 1,
                         std::memory_order_seq_cst);
  }
  // The strictest mode over both pages, without entering.
  [[nodiscard]] Mode effective(const OrderScopes& scopes) const noexcept;

 private:
  [[nodiscard]] bool passes(const OrderScopes& scopes) const noexcept;

  SenderLine* line_;
  const ScopeWords* modes_;
  const FlattenPass* pass_;
  const ScopeWords* stops_;
  const std::atomic<std::uint64_t>* requests_;
};

struct CloseResult {
  bool changed{false};       // false: the scope was already this strict
  RecvTime t_gate_closed{};  // sends that start later saw the new word
  std::size_t in_flight{0};  // senders still between check and socket at the stamp
  std::array<std::uint8_t, senders_max> sender{};
  std::array<OrderId, senders_max> order{};
};

// Any thread of bot or guardian.
class GateCloser {
 public:
  static constexpr Nanos wait_max = microseconds(100);

  GateCloser(GatePage& gate, const TscClock& clock) noexcept : gate_{gate}, clock_{clock} {}
  // Stores the word (tighten only) and revokes a FLATTEN's pass that it covers, waits until every
  // sender has left the send it was in, or wait_max; stamps t_gate_closed and lists who was still
  // in flight. Waits even when the word was already as strict, so that the answer holds for a
  // repeated kill.
  CloseResult close(Scope scope, Mode mode) noexcept;

 private:
  GatePage& gate_;
  const TscClock& clock_;
};

}  // namespace gimbal
