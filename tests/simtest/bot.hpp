// One boot of the bot in virtual time: the product's engine, sequencer, last gate, decoders,
// gateway, encoders and query code, wired as ops/app wires them, without threads and sockets.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "engine/core/engine.hpp"
#include "engine/runtime/gate_page.hpp"
#include "engine/runtime/order_log.hpp"
#include "engine/runtime/sequencer.hpp"
#include "engine/runtime/side_blocks.hpp"
#include "engine/wire/reconnect.hpp"
#include "feeds/deribit/decoder.hpp"
#include "ops/app/listings.hpp"
#include "ops/app/universe.hpp"
#include "ops/app/venue_queries.hpp"
#include "strategies/delta_hedge/delta_hedge.hpp"
#include "tests/simtest/checker.hpp"
#include "tests/simtest/counted.hpp"
#include "tests/simtest/damaged_files.hpp"
#include "tests/simtest/fidget.hpp"
#include "tests/simtest/network.hpp"
#include "tests/simtest/plants.hpp"
#include "tests/simtest/story.hpp"
#include "venues/deribit/gateway.hpp"

namespace gimbal::simtest {

using TestStrategies = std::tuple<Counted<DeltaHedge>, Counted<Fidget>>;
using TestEngine = Engine<NullProbe, TestStrategies>;

struct VirtualClock {
  const RecvTime* at{nullptr};
  [[nodiscard]] RecvTime now() const noexcept { return *at; }
};

// A latched scope, as the latch file keeps it.
struct HeldScope {
  Scope scope{};
  std::string name;  // of an instrument: its number is of this boot
  Mode mode{Mode::halt};
  std::uint64_t seq{0};  // event of the trip; 0: of an earlier boot
};

// A snapshot of the orders, and the journal's events up to the next.
struct KeptBefore {
  std::string orders;
  std::vector<Event> tail;
};

// What outlives a boot.
struct Host {
  const RecvTime* now{nullptr};
  Network* network{nullptr};
  Checker* checker{nullptr};
  VenueSide* venue{nullptr};
  GatePage* gate{nullptr};
  StopPage* stop{nullptr};
  TraceHash* hash{nullptr};
  std::shared_ptr<QueryTransport> transport;
  std::vector<HeldScope> latched;
  std::uint64_t seed{0};
  bool own_account{true};
  RecvTime quiet_from{};
  Nanos list_interval{};  // the instruments are listed anew this often; zero: only when asked for
  bool lists_change{false};  // instruments come and go
  // The state directory's orders file, and the journal behind it.
  std::string kept_orders;
  std::vector<Event> tail;
  std::deque<KeptBefore> kept_before;  // of the same boot, while a disk may lie about them
  bool sync_lies{false};
  std::string files;  // where both are written when they are damaged
  FileDamage damage;  // before the next boot
  Plant plant{Plant::none};
  std::uint64_t dies_at{0};  // event of this boot after which the process is no more; 0: none
  std::uint64_t dies_after_commands{0};
  std::uint64_t journal_faults{0};
  bool measures_clock{false};  // the venue's clock is held against the host's wall just now
  Story* story{nullptr};
};

class Bot {
 public:
  Bot(Host& host, std::uint32_t epoch);
  ~Bot();
  Bot(const Bot&) = delete;
  Bot& operator=(const Bot&) = delete;

  // Log-in and listing over the query session, then everything else. Empty text on success.
  [[nodiscard]] std::string build();
  // One turn of the hot loop.
  void cycle();
  // One turn of the query thread; true when it did something. Blocks in virtual time.
  bool serve_query();
  bool serve_clock_and_login();
  void reconcile_again();
  // The process is no more: what it wrote stays.
  void leave();
  void set_journal(bool takes) noexcept { journal_.takes = takes; }

  // --- the operator's desk
  void operate(OperatorAction action, Scope scope, Mode mode, std::uint64_t hash,
               TripCode subject = TripCode::none);
  void kill(Scope scope);

  [[nodiscard]] const EngineCore& core() const noexcept { return engine_->core(); }
  [[nodiscard]] bool built() const noexcept { return engine_ != nullptr; }
  // The process died at Host::dies_at: it does nothing any more.
  [[nodiscard]] bool dead() const noexcept { return dead_; }
  [[nodiscard]] InstrumentId hedge() const noexcept { return hedge_; }
  [[nodiscard]] std::uint64_t commands() const noexcept;
  // Steps the journal through a fresh engine; empty when it gives the same commands and state.
  [[nodiscard]] std::string replay() const;
  [[nodiscard]] const std::vector<Event>& journal() const noexcept { return journal_.events; }
  [[nodiscard]] std::vector<std::uint64_t> digests(const std::vector<Event>& events) const;
  [[nodiscard]] std::uint64_t digest() const noexcept;

 private:
  struct Journal {
    std::vector<Event> events;
    OrderLog log;             // of what it takes
    std::vector<Event> tail;  // since the last snapshot of that
    bool takes{true};
    bool missed{false};  // something was not taken
    bool ended{false};
    bool append(const Event* unit, std::size_t parts) {
      if (ended) return true;
      events.insert(events.end(), unit, unit + parts);
      if (takes) {
        tail.insert(tail.end(), unit, unit + parts);
        for (std::size_t i = 0; i < parts; ++i) log.take(unit[i]);
      }
      missed = missed || !takes;
      return takes;
    }
    bool append_side_block(const SideBlockRef&) noexcept { return true; }
    bool append_digest(const DigestRecord&) noexcept { return true; }
  };
  struct StepCore {
    Bot* bot{nullptr};
    void step(const Event& event, Commands& out) { bot->step(event, out); }
  };
  struct Sink {
    Bot* bot{nullptr};
    void command(Command&& c) { bot->command(c); }
    void fault(SequencerFault) { bot->halt_gate(); }
  };
  using TestSequencer = Sequencer<StepCore, Sink, Journal, VirtualClock>;
  struct FeedLane;

  // bot.cpp
  [[nodiscard]] std::unique_ptr<TestEngine> make_engine() const;
  void make_sessions();
  [[nodiscard]] std::uint64_t nonce_seed(std::int64_t first_id) const;
  [[nodiscard]] deribit::LoginConfig login_config(std::int64_t first_id, const char* scope) const;
  void step(const Event& event, Commands& out);
  void command(const Command& c);
  void carry_out(const Command& c);
  void raise(const Trip& trip);
  void halt_gate();
  void note_answer();
  void follow_arms();
  void follow_arm(const OperatorAnswer& a);
  // bot_sessions.cpp
  void run_sessions();
  void run_orders(RecvTime now);
  void run_feed(FeedLane& feed, RecvTime now);
  void feed_events(FeedLane& feed);
  void pass_on(FeedLane& feed);
  void resync(InstrumentId id);
  void connect(Lane lane, ReconnectPolicy& policy, RecvTime& due);
  void send(Lane lane, Outbox& outbox);
  void write(std::string_view text);
  void deliver_orders();
  void hand_back(const Event* unit, std::size_t parts);
  void execute(const Command& c);
  template <class Order>
  void send_order(const Approved<Order>& approved, OrderAction action);
  void refuse(OrderId order, InstrumentId instrument, OrderAction action, RejectReason reason);
  [[nodiscard]] Frame frame_of(const std::string& text);
  [[nodiscard]] bool push_query(std::span<const Event> unit);
  // bot_listings.cpp
  void ask_list(InstrumentId id);
  bool read_list();
  void carry_out_listings();
  [[nodiscard]] bool carry_out(const ListingChange& c);
  void hear_listings(const Event& e);
  void note_ended(InstrumentId id);
  [[nodiscard]] bool list(const ListingChange& c);
  [[nodiscard]] bool redefine(const ListingChange& c);
  [[nodiscard]] bool adopt(const Instrument& terms);
  void set_order_terms(InstrumentId id, InstrumentState state);
  void tell_change(const InstrumentChange& change, InstrumentId id);
  static std::span<const std::byte> terms_of(const void* store, std::uint16_t slot,
                                             std::uint32_t generation) noexcept;
  // bot_orders_kept.cpp
  void keep_orders();
  void recover_orders();
  void lose_snapshots();
  [[nodiscard]] bool read_damaged_files(const OrdersRecord& kept, std::size_t& events);
  // bot_plants.cpp: true when the event is kept from the core.
  bool plant_event(const Event& event, Event& changed);
  void plant_order(std::string& text);
  void plant_cycle();
  void plant_text(std::string_view text);
  bool plant_frame(Lane lane, std::string& text);  // true: it is lost
  bool hold_back(const Approved<PlaceOrder>& order);
  // What a time is taken from: the monotonic clock, but the wall's under that plant.
  [[nodiscard]] RecvTime plant_clock(Plant plant) const;

  Host& host_;
  std::uint32_t epoch_;
  RecvTime quiet_from_;  // the host's when this boot began: a crash changes the host's
  std::uint64_t nonce_base_;
  VenueId venue_{0};
  Universe universe_;
  InstrumentId hedge_{};
  UnderlyingId coin_{};
  std::unique_ptr<VenueQueries> queries_;
  std::unique_ptr<TestEngine> engine_;
  EngineSetup setup_{};
  Counters counters_{"core"};
  VirtualClock clock_{};
  Journal journal_;
  StepCore step_core_{this};
  Sink sink_{this};
  std::unique_ptr<TestSequencer> sequencer_;
  EventRing from_queries_{1u << 13};
  EventRing from_orders_{1u << 13};
  EventRing from_control_{1u << 11};
  std::deque<QueryOrder> look_ups_;
  std::deque<Reconcile> reconciles_;
  Reconcile last_reconcile_{};
  UnderlyingConfig member_;
  Listings listings_;
  std::deque<ListingChange> listing_changes_;
  std::vector<Instrument> boot_terms_;  // of the list at the start
  SideBlockPool blocks_{16, sizeof(Instrument)};
  // What the core's changes refer to, by slot and generation; a replay asks long after the pool.
  std::map<std::pair<std::uint16_t, std::uint32_t>, Instrument> adopted_;
  InstrumentTable order_table_{1};  // the order session's own, once the list is known
  bool list_wanted_{false};
  RecvTime list_due_{};
  RecvTime list_not_before_{};
  RecvTime clock_due_{};
  RecvTime login_due_{};

  std::unique_ptr<deribit::RateBudget> budget_;
  std::unique_ptr<deribit::DeribitGateway> gateway_;
  std::unique_ptr<SenderGate> gate_;
  EventBatch order_batch_{1024};
  Outbox order_outbox_{1u << 16, 64};
  std::uint64_t generation_{0};
  bool orders_up_{false};
  RecvTime orders_heard_{};
  RecvTime orders_due_{};
  ReconnectPolicy orders_policy_;
  std::vector<std::unique_ptr<FeedLane>> feeds_;
  RecvTime timer_due_{};
  RecvTime keep_due_{};
  bool kept_{false};
  std::vector<char> scratch_;

  bool dead_{false};
  bool carries_out_{false};
  std::uint64_t steps_{0};
  std::uint64_t commands_left_{0};
  std::uint64_t next_command_{1};
  std::uint64_t operator_seq_{0};
  std::vector<OperatorAnswer> answers_;  // that the desk has not seen
  std::uint64_t plant_count_{0};
  bool plant_armed_{false};
  std::string plant_kept_;
};

// Wall clock of the virtual host, ms; plain functions because a login asks for one. A signature is
// made with its own, which jumps in a run with a steady wall too (RunOptions::steady_wall).
[[nodiscard]] std::int64_t virtual_wall_ms();
[[nodiscard]] std::int64_t signing_wall_ms();
void set_virtual_wall(std::int64_t unix_ms, std::int64_t signing_unix_ms);

}  // namespace gimbal::simtest
