// One running bot: everything that `gimbal run` builds, in the order it is built, and the threads.
// bot_build.cpp builds it, bot_run.cpp runs it, desk.cpp answers operators. Room: ops/app (wiring).
#pragma once

#include <atomic>
#include <cstdio>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "engine/runtime/frame_tape.hpp"
#include "engine/runtime/journal.hpp"
#include "engine/runtime/latch.hpp"
#include "engine/runtime/pin.hpp"
#include "ops/app/config.hpp"
#include "ops/app/connect_loop.hpp"
#include "ops/app/guardian_view.hpp"
#include "ops/app/hot.hpp"
#include "ops/app/hot_pipelined.hpp"
#include "ops/app/ledger.hpp"
#include "ops/app/listings.hpp"
#include "ops/app/off_host_sender.hpp"
#include "ops/app/query_loop.hpp"
#include "ops/app/rehearsal.hpp"
#include "ops/app/secret.hpp"
#include "ops/app/universe.hpp"
#include "ops/app/venue_queries.hpp"

namespace gimbal {

class RiskModule;
struct ScopeName;

inline constexpr std::size_t side_block_slots = 32;
inline constexpr std::size_t side_block_bytes = std::size_t{2} << 20;

struct BotOptions {
  bool live_line{true};     // one line a second on standard output
  Nanos duration{};         // stop by itself after this; 0: never
  std::string report_file;  // closing report as JSON
};

// A thread of the bot and how often its loop went round; its own cache line.
struct alignas(64) ThreadBeat {
  std::string name;
  alignas(64) std::atomic<std::uint64_t> cycles{0};
};

class Bot {
 public:
  // Config is loaded and valid. Nothing touches the network before build().
  Bot(std::unique_ptr<LoadedConfig> loaded, std::string config_text, BotOptions options);
  ~Bot();
  Bot(const Bot&) = delete;
  Bot& operator=(const Bot&) = delete;

  // Secrets, lock, epoch, pages, latch, instruments, engine, sessions. Empty text on success.
  [[nodiscard]] std::string build();
  // Until stopped by signal, duration or failure. An ExitCode.
  [[nodiscard]] int run();

 private:
  friend class Desk;
  friend class Monitor;

  // bot_build.cpp
  std::string claim_state();
  std::string read_secrets();
  std::string open_query_session();
  std::string load_market();
  std::string make_engine();
  std::string make_hot();
  std::string make_monitor();
  void take_over_pages();
  void move_latches();
  void store_numbers(const std::vector<ScopeName>& names);
  Outcome write_names() const;
  [[nodiscard]] std::vector<ScopeName> scope_names() const;
  [[nodiscard]] std::string scope_name(Scope scope) const;    // empty: global, or none
  [[nodiscard]] std::vector<std::string> currencies() const;  // settlement, each once
  [[nodiscard]] deribit::LoginConfig login_config(std::int64_t first_id, const char* scope) const;
  template <class Events>
  std::unique_ptr<FeedSession<BotVenue, Events>> make_feed(Events& events, TscProbe& probe,
                                                           std::uint16_t slot);
  std::unique_ptr<OrderSession<BotVenue>> make_orders(TscProbe& probe);
  void boot_events();
  std::string open_frames();
  FrameTape* new_tape();
  void attach_tapes();
  void say(const std::string& text) const;

  // bot_day.cpp
  void load_day();
  [[nodiscard]] std::vector<Event> day_events() const;
  [[nodiscard]] struct DayRecord day_record(const DayFigures& figures) const;
  void keep_day(RecvTime now);
  Outcome close_day();

  // bot_orders_kept.cpp
  void load_orders_kept();
  [[nodiscard]] std::vector<std::array<Event, parts_of<OrderCarry>>> order_events();
  void keep_orders(RecvTime now);
  void offer_orders(RecvTime now);
  // Config hash in an order's label, of this boot or of what the one before left. Any thread.
  [[nodiscard]] std::optional<std::uint32_t> label_hash(OrderId order) const;
  Outcome close_orders_kept();

  // bot_guardian.cpp
  void say_guardian() const;
  std::string open_off_host();
  void beat_off_host(RecvTime now);
  void watch_guardian();
  void show_account() noexcept;
  void say_state(BotState state) noexcept;

  // bot_modules.cpp
  std::string open_modules();
  void watch_modules();
  void name_instruments(RiskModule& module) const;
  [[nodiscard]] std::string module_text(const Trip& trip) const;

  // bot_run.cpp
  void start_threads();
  void stop_threads();
  // `before` runs on the thread itself, ahead of the first cycle, and may allocate.
  void hot_thread(const ThreadPlan& plan, std::function<std::size_t()> work,
                  std::function<void()> before = {});
  void make_rehearsal();
  void cold_loop();
  void cold_cycle();
  void mirror_stops();
  void watch_sentinel(RecvTime now);
  [[nodiscard]] bool sentinel_there();
  [[nodiscard]] std::string sentinel_path() const;
  void drain_notes();
  // bot_listings.cpp
  template <class Visit>
  void each_feed(Visit visit);
  void follow_listings();
  void read_terms_again(InstrumentId id);
  void hear_listings();
  void tell_change(const InstrumentChange& change, InstrumentId id);
  bool note_ended(InstrumentId id);
  bool carry_out(const ListingChange& change);
  bool redefine(const ListingChange& change);
  bool list(const ListingChange& change);
  void hold_listed(InstrumentId id, const std::string& name);
  bool adopt(InstrumentId id);
  [[nodiscard]] ListingTasks& option_feed_tasks();
  // bot_surface.cpp
  [[nodiscard]] EventRing* surface_ring();
  void note_ticker(const Event& event);
  void surface_loop();
  [[nodiscard]] bool publish_block(SideBlockKind kind, std::span<const std::byte> bytes,
                                   EventRing& to);
  void show_surface(std::vector<struct CounterStatus>& to) const;
  // bot_scenarios.cpp
  void make_scenario_desk();
  [[nodiscard]] EventRing* scenario_ring();
  void scenario_loop();
  [[nodiscard]] std::size_t price_rows(std::span<std::byte> block);
  void show_scenarios(std::vector<struct CounterStatus>& to) const;
  // bot_journal.cpp
  void drain_journal();
  void archive_loop();
  // bot_alerts.cpp
  void drain_alerts();
  void hold_mode(const Trip& trip);
  void hold_again(Scope scope, std::uint64_t after);
  void refresh(bool wait);
  void live_line();
  int close_down();
  [[nodiscard]] OrderSession<BotVenue>& orders();
  [[nodiscard]] deribit::FeedCounters feed_counters();
  [[nodiscard]] std::uint64_t faults();
  [[nodiscard]] std::uint64_t halts();  // of the router
  [[nodiscard]] std::uint64_t silences();
  void closing_report(int exit_code);
  [[nodiscard]] double equity_change(std::size_t i) const;

  struct CloseFile {
    void operator()(std::FILE* file) const noexcept { (void)std::fclose(file); }
  };
  std::unique_ptr<std::FILE, CloseFile> log_;  // [log] file; none: standard error
  std::unique_ptr<LoadedConfig> loaded_;
  std::string config_text_;
  BotOptions options_;
  VenueId venue_{0};

  TscClock clock_;
  InstanceLock lock_;
  std::uint32_t epoch_{0};
  GatePage gate_;
  std::optional<LifeHold> life_;  // of gate_, from build() on
  StopPage stop_page_;
  std::uint64_t mirrored_stops_{0};  // its requests when it was last looked at
  std::unique_ptr<GateCloser> closer_;
  std::unique_ptr<GuardianView> guardian_;
  bool guardian_told_{false};  // what the core knows
  std::unique_ptr<OffHostSender> off_host_;
  bool off_host_told_{false};
  std::unique_ptr<LatchFile> latch_;
  std::vector<LatchEntry> latched_;
  std::vector<std::unique_ptr<RiskModule>> modules_;
  std::unique_ptr<class DayKeeper> day_;
  RecvTime day_due_{};
  DayCarryState day_told_{DayCarryState::none};
  std::string day_trouble_;                         // as last said
  std::unique_ptr<struct LeftOrders> left_orders_;  // by the boot before
  std::uint64_t orders_left_out_{0};
  std::unique_ptr<class OrderKeeper> orders_kept_;
  RecvTime orders_kept_due_{};
  std::string orders_kept_trouble_;  // as last said
  Credentials credentials_;
  std::shared_ptr<TlsContext> tls_;
  Universe universe_;
  std::unique_ptr<VenueQueries> queries_;
  std::unique_ptr<SideBlockPool> blocks_;
  std::unique_ptr<JournalWriter> journal_;
  std::vector<std::unique_ptr<FrameTape>> tapes_;
  std::unique_ptr<FrameRecorder> frames_;
  std::string journal_trouble_;  // why nothing may be armed; empty: both streams are kept
  std::uint64_t frames_lost_{0};
  TraceRing trace_{1u << 16};
  StrategySet strategies_{};
  EngineSetup setup_{};
  std::unique_ptr<BotEngine> engine_;

  Counters counters_{"core"};
  TscProbe probe_;
  TscProbe order_probe_;
  TscProbe feed_probe_;
  std::unique_ptr<HopTimes> hops_;
  SnapshotPort snapshot_port_;
  std::unique_ptr<HotSnapshot> snapshot_;
  QueryRing query_tasks_{1024};
  EventRing from_queries_{1u << 16};
  EventRing from_control_{1024};
  EventRing from_orders_{1u << 15};
  InstrumentTable order_table_;  // the order session's own
  TermsRing order_terms_{terms_waiting_max};
  Listings listings_;
  std::deque<ListingChange> listing_changes_;  // being carried out
  std::vector<InstrumentId> ended_;            // settled in the core, not yet on this side
  std::uint64_t listings_heard_{0};
  std::uint64_t listings_over_{0};
  std::uint64_t notes_lost_{0};
  bool names_stale_{false};
  SpscRing<FillNote> fills_{8192};
  AlertRing alerts_{alert_ring_slots};
  std::unique_ptr<deribit::RateBudget> budget_;
  std::unique_ptr<FillLedger> ledger_;

  std::unique_ptr<Poller> poller_;
  std::unique_ptr<Poller> order_poller_;
  PollerChoice poller_choice_;
  std::unique_ptr<FusedHot> fused_;
  std::unique_ptr<Rehearsal> rehearsal_;  // [runtime] keep_warm
  std::uint64_t empty_cycles_{0};         // of the fused thread, with rehearsals
  std::unique_ptr<EventRing> market_;
  std::unique_ptr<SpscRing<Command>> commands_;
  std::unique_ptr<HopRing> hop_ring_;
  std::unique_ptr<FeedHops> feed_hops_;
  std::unique_ptr<ResyncRing> resyncs_;
  std::unique_ptr<FeedStage> feed_stage_;
  std::unique_ptr<CoreStage> core_stage_;
  std::unique_ptr<OrderStage> order_stage_;
  std::unique_ptr<struct SurfaceFeed> surface_;     // [surface] use
  std::unique_ptr<struct ScenarioFeed> scenarios_;  // [scenarios]
  std::unique_ptr<ConnectLoop> connects_;
  std::unique_ptr<QueryLoop> query_loop_;
  std::unique_ptr<class Desk> desk_;
  std::unique_ptr<class Monitor> monitor_;

  std::atomic<bool> stop_hot_{false};
  std::atomic<bool> stop_cold_{false};
  std::list<ThreadBeat> beats_;  // of the hot threads
  std::vector<std::thread> hot_threads_;
  std::vector<std::thread> cold_threads_;
  std::atomic<std::uint64_t> hot_allocations_{0};
  std::uint64_t allocations_before_armed_{0};  // of the hot threads, when trading was first allowed
  bool was_armed_{false};
  RecvTime started_{};
  RecvTime status_due_{};
  RecvTime anchor_due_{};
  RecvTime sentinel_due_{};
  RecvTime snapshot_due_{};
  std::array<MarginReport, margins_shown_max> first_margin_{};
  std::uint64_t trace_faults_{0};
  std::vector<Trip> held_trips_;  // that tightened a scope, newest of each scope
  std::array<std::uint64_t, refusals> refusal_counts_{};
};

// What SIGINT, SIGTERM and a run's duration set; read by the cold loop.
extern std::atomic<int> stop_signal;

}  // namespace gimbal
