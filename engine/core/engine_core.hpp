// The engine without its strategies: state of markets, orders, positions, modes and venues, and
// what each event does to them. Engine (engine.hpp) adds the strategies and the probe.
//
// Hot. All memory is taken at construction. Members are grouped by file: engine_market.cpp (books,
// prices), engine_instruments.cpp (listed, redefined, settled), engine_orders.cpp (order and fill
// events), engine_requests.cpp (snap, gate, commands, delta), engine_gather.cpp (what the gate
// looks at), engine_scenarios.cpp and engine_scenario_rows.cpp (the account under every move),
// engine_operator.cpp (kill, arm), engine_cancel.cpp (cancelling a scope), engine_flatten.cpp
// (closing positions), engine_trip.cpp (trips, pauses), engine_controls.cpp (what a control does
// besides refusing), engine_day.cpp (profit, repeats, ratio), engine_carry.cpp (earlier boots'
// day), engine_cash.cpp (own cash against the venue's balance), engine_quality.cpp,
// engine_budget.cpp (late ticks), engine_surface.cpp, engine_guardian.cpp, engine_modules.cpp
// (envelopes of risk modules), engine_reconcile.cpp, engine_upkeep.cpp (time), engine_read.cpp
// (views and status), engine_core.cpp (construction and dispatch).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/core/cash_tie.hpp"
#include "engine/core/command.hpp"
#include "engine/core/engine_config.hpp"
#include "engine/core/engine_status.hpp"
#include "engine/core/event.hpp"
#include "engine/core/execution_gap.hpp"
#include "engine/core/instrument.hpp"
#include "engine/core/order_book.hpp"
#include "engine/core/orders.hpp"
#include "engine/core/other_instances.hpp"
#include "engine/core/payload.hpp"
#include "engine/core/portfolio.hpp"
#include "engine/core/quality/event_budget.hpp"
#include "engine/core/quality/late_ticks.hpp"
#include "engine/core/quality/outlier.hpp"
#include "engine/core/quality/receive_lag.hpp"
#include "engine/core/refused_terms.hpp"
#include "engine/core/risk/envelope_book.hpp"
#include "engine/core/risk/event_window.hpp"
#include "engine/core/risk/execution_repeats.hpp"
#include "engine/core/risk/gate.hpp"
#include "engine/core/risk/order_to_trade.hpp"
#include "engine/core/risk/parent_book.hpp"
#include "engine/core/risk/pause_mask.hpp"
#include "engine/core/risk/profit_ledger.hpp"
#include "engine/core/risk/scenario_cells.hpp"
#include "engine/core/risk/scenario_groups.hpp"
#include "engine/core/strategy.hpp"
#include "engine/core/strategy_view.hpp"
#include "engine/core/trade_ledger.hpp"
#include "engine/core/trip_queue.hpp"

namespace gimbal {

inline constexpr std::uint32_t engine_timer = 1;  // ArmTimer id of the engine's one timer

class EngineCore {
 public:
  EngineCore(const EngineSetup& setup, const InstrumentTable& table);
  EngineCore(const EngineCore&) = delete;
  EngineCore& operator=(const EngineCore&) = delete;

  // --- one step, in this order (Engine::step)
  [[nodiscard]] bool in_sequence(Seq seq) const noexcept { return !started_ || seq == seq_.next(); }
  // Takes the event in. True when strategies are to be woken.
  [[nodiscard]] bool apply(const Event& event, Commands& out) noexcept;
  // Snap, gate, table, command; a refusal is counted and traced.
  void submit(const Requests& requests, Commands& out) noexcept;
  void finish(Commands& out) noexcept;

  // --- reading
  [[nodiscard]] StrategyView view() const noexcept { return StrategyView{*this}; }
  [[nodiscard]] EngineStatus snapshot() const noexcept;
  [[nodiscard]] const OperatorAnswer& last_operator() const noexcept { return last_operator_; }
  [[nodiscard]] const InstrumentTable& instruments() const noexcept { return table_; }
  [[nodiscard]] const Portfolio& portfolio() const noexcept { return portfolio_; }
  [[nodiscard]] const OrderTable& orders() const noexcept { return orders_; }
  [[nodiscard]] const RiskGate& gate() const noexcept { return gate_; }
  [[nodiscard]] const ProfitLedger& profits() const noexcept { return profits_; }
  [[nodiscard]] const OrderToTrade& order_to_trade() const noexcept { return order_to_trade_; }
  [[nodiscard]] const EngineCounters& counters() const noexcept { return counters_; }
  [[nodiscard]] const EngineSetup& setup() const noexcept { return setup_; }
  [[nodiscard]] const FlatOrderBook* book(InstrumentId id) const noexcept;
  // All that the strategy's next hedge needs: bring_near.hpp. Gives its order's id.
  OrderId look_over(UnderlyingId u, StrategyId strategy) const noexcept;
  // The newest order that came before the gate, passed or not.
  [[nodiscard]] const JudgedOrder& last_judged() const noexcept { return judged_; }
  [[nodiscard]] const ExecutionGaps& gaps() const noexcept { return gaps_; }
  // An order under our label that is none of ours and that nobody has acknowledged; else invalid.
  [[nodiscard]] OrderId other_instance() const noexcept { return others_.unacknowledged(); }
  [[nodiscard]] RecvTime now() const noexcept { return now_; }
  // Zero while the venue's clock is not known.
  [[nodiscard]] ExchTime venue_now(VenueId venue) const noexcept;
  [[nodiscard]] bool venue_ready(VenueId venue) const noexcept;
  // Nothing may grow on the instrument (for this strategy): an input is not to be trusted.
  [[nodiscard]] bool growth_blocked(InstrumentId id, StrategyId strategy = {}) const noexcept;
  // The same without a tick that is over its budget.
  [[nodiscard]] bool growth_held(InstrumentId id, StrategyId strategy) const noexcept;
  [[nodiscard]] std::optional<ResidualDelta> residual(UnderlyingId u) const noexcept;
  [[nodiscard]] const MarginReport* margin(VenueId venue, Currency settlement) const noexcept;
  // As the venue last told it.
  [[nodiscard]] AccountMargin margin_model(VenueId venue, Currency settlement) const noexcept;
  // Coins of a signed amount: net delta for options, amount or N/P for the rest; empty when
  // unknown.
  [[nodiscard]] std::optional<double> coins_of(InstrumentId id, Qty amount) const noexcept;
  // Price at which a delta-one instrument's delta is taken.
  [[nodiscard]] std::optional<double> delta_price(InstrumentId id) const noexcept;

 private:
  friend class StrategyView;

  struct Market {  // one per instrument
    FlatOrderBook* book{nullptr};
    Price mark{}, paid{absent_nano};  // paid: what its expiry paid, absent while unknown
    Price delta_price{};              // delta-one: last mid, the price its coins are counted at
    RecvTime mark_at{};
    RecvTime data_at{};  // newest of book and ticker
    RecvTime resync_at{};
    Qty venue_position{};  // last report outside of a reconciliation, while it differs
    Qty reported{};        // of the reconciliation that is running
    RecvTime drift_since{};
    RecvTime filled_at{};               // newest live fill since a picture was asked for
    bool touched{false}, early{false};  // early: its book came before its terms
    bool lost{false};                   // was valid, is not: its return starts the pause
    Price witness{};                    // the index when its last data came
    OutlierFilter* outliers{nullptr};
    bool outlier{false};       // its book is valid, its price is not used
    bool stale{false};         // told; ends with the next data
    std::uint32_t late_ns{0};  // age of its newest tick when that was over its budget
    bool has_report{false};
    bool held{false};
    bool drift_listed{false};
    bool drift_reported{false};
    bool wants_quote{false};           // redefined: nothing grows before it was quoted anew (P-05)
    bool insane_vol{false};            // option: the venue's last volatility is impossible (P-18)
    std::int64_t gross{0};             // its share of Coin::gross
    EventWindow<8> collar_refusals{};  // P-01
    FlattenWhy flatten_why{FlattenWhy::none};  // of the running or last job
    Refusal flatten_refusal{Refusal::none};
    std::uint8_t flatten_rejects{0};
  };
  struct Coin {  // one per underlying
    Price index{};
    RecvTime index_at{};
    ExchTime index_exch{};     // the venue's time of it
    InstrumentId perpetual{};  // moves the forwards
    std::int64_t gross{0};     // coins at 1e-9: absolute deltas of the positions, summed
    std::uint32_t late_ns{0};  // age of its newest index when that was over its budget
    bool stale_told{false};
    bool index_stale{false};
    bool options_stale{false};
    bool surface_stale_told{false};
  };
  struct Denials {  // of one strategy (S-01)
    EventWindow<64> second{};
    EventWindow<64> minute{};
  };
  struct BookGreeks {  // of one underlying, positions only
    bool known{false};
    std::int64_t gamma_usd{0};
    std::int64_t vega_usd{0};
    std::int64_t options_delta{0};
  };
  struct MarginSlot {
    MarginReport report{};
    RecvTime at{};
    AccountMargin model{AccountMargin::unknown};  // as last told
    bool used{false};
    std::uint8_t mismatches{0};
    CashTie tie{};
    std::int64_t session{0};  // of the venue's settlements: the newest report's
  };
  struct Venue {
    bool used{false};
    GatewayState gateway{GatewayState::down};
    bool cancel_on_disconnect{false};
    bool clock_known{false};
    bool reconciled{false};
    bool reconciling{false};
    bool picture_begun{false};    // its begin mark has come, its end has not
    bool picture_stale{false};    // what is reported is of one that was given up
    std::uint8_t begins_owed{0};  // of those that were given up before their begin mark had come
    bool wants_reconcile{false};
    bool unreadable{false};     // a private message was: wants one too, but not one behind another
    bool routine{false};        // the running picture has no reason but its interval
    std::uint8_t unsettled{0};  // routine pictures in a row that a fill overtook, or that failed
    Nanos clock_offset{};
    std::uint64_t generation{0};
    RecvTime requested_at{};
    RecvTime unsettled_since{};  // when the first of the unsettled was asked for
    RecvTime begun_at{};
    RecvTime reconciled_at{};
    RecvTime pictured_at{};                // begin of the newest picture that was taken over
    RecvTime retry_at{}, unreadable_at{};  // unreadable_at: the newest picture asked for with one
    TradeId last_trade{};
    std::uint32_t foreign{0}, adopted{0};
    std::array<std::uint64_t, 16> foreign_told{};  // venue references, newest over oldest
    std::uint32_t foreign_next{0};
    EventBudget gaps{};
    ReceiveLag lag{};
    LateTicks ticks{};
    bool clock_off{false};  // growth waits until the clocks agree again
    std::array<MarginSlot, 8> margins{};
    EventWindow<20> losses{};  // of the session (T-04)
  };
  struct CancelJob {  // a scope that must end with no order open
    bool active{false};
    Scope scope{};
    std::uint32_t round{0};
    RecvTime started{};
    RecvTime next{};
    std::uint64_t stamp{0};  // of the round, unique over all jobs
    bool partial{false};     // the round did not fit into one step
  };
  static constexpr std::size_t cancel_jobs_max = 32;
  static constexpr std::size_t room_for_orders = 6;  // commands kept free for cancels and timers

  // engine_core.cpp
  void dispatch(const Event& event, Commands& out) noexcept;
  void on_side_block(const Event& event) noexcept;
  void list(InstrumentId id) noexcept;
  void trace(TraceId id, std::int64_t a = 0, std::int64_t b = 0, std::int64_t c = 0,
             std::int64_t d = 0, InstrumentId instrument = {}, VenueId venue = {},
             StrategyId strategy = {}) const noexcept;
  bool push(Commands& out, Command&& command) noexcept;
  [[nodiscard]] Market* market(InstrumentId id) noexcept;
  [[nodiscard]] const Market* market(InstrumentId id) const noexcept;

  // engine_market.cpp
  void on_book_delta(const Event& event) noexcept;
  void on_book_reset(const Event& event) noexcept;
  void on_ticker(const Event& event) noexcept;
  void on_index(const Event& event, Commands& out) noexcept;
  void on_feed_status(const Event& event) noexcept;
  [[nodiscard]] std::int64_t believed_volatility(InstrumentId id, const Ticker& t) noexcept;
  void on_config_change(const Event& event) noexcept;
  void touch(InstrumentId id) noexcept;
  void end_packet(const Event& event, Commands& out) noexcept;
  void book_changed(InstrumentId id, const Event& event, Commands& out) noexcept;
  void price_changed(InstrumentId id, const Event& event) noexcept;
  // `was_valid`: until this event.
  void lose_book(InstrumentId id, bool was_valid, FeedReason reason, std::uint64_t expected,
                 std::uint64_t found) noexcept;

  // engine_instruments.cpp
  void on_instrument_change(const Event& event, Commands& out) noexcept;
  bool adopt_instrument(InstrumentId id, const InstrumentChange& change, Commands& out) noexcept;
  bool redefine_instrument(InstrumentId id, const Instrument& definition,
                           const InstrumentChange& change, Commands& out) noexcept;
  bool close_instrument(InstrumentId id) noexcept;
  bool settle_instrument(InstrumentId id, const InstrumentChange& change) noexcept;
  void forget_prices(InstrumentId id) noexcept;
  void requote(InstrumentId id, const InstrumentChange& change) noexcept;
  void distrust_terms(const Event& event, const OrderReject& reject) noexcept;
  void reread_terms() noexcept;  // whose pause is over

  // engine_orders.cpp
  void on_order_event(const Event& event) noexcept;
  void on_fill(const Event& event) noexcept;
  void raise_foreign(const Event& event, const Fill& fill) noexcept;
  void on_lookup(const Event& event) noexcept;
  void on_gateway(const Event& event) noexcept;
  void lose_session(VenueId venue) noexcept;
  void on_margin(const Event& event) noexcept;
  void check_delta(VenueId venue, MarginSlot& slot) noexcept;
  void note(const OrderChange& change) noexcept;
  void want_count(const OrderChange& change) noexcept;
  void move_position(InstrumentId id, Qty signed_amount) noexcept;
  void keep_held(InstrumentId id) noexcept;

  // engine_requests.cpp
  void place(const OrderRequest& request, Commands& out) noexcept;
  void refuse_place(const Refused& why, const OrderRequest& request, Price price) noexcept;
  void replace(const ReplaceRequest& request, Commands& out) noexcept;
  void cancel(OrderId id, Commands& out) noexcept;
  void refused(const Refused& why, StrategyId strategy, InstrumentId id, std::uint64_t intent,
               Price price = {}) noexcept;
  void count_refusal(StrategyId strategy, InstrumentId id) noexcept;
  // Whether the worst scenario is asked for as well: only the gate looks at it.
  enum class Scenarios : bool { no, yes };
  [[nodiscard]] GateContext gather(InstrumentId id, StrategyId strategy, Side side, Price price,
                                   Qty added, Scenarios scenarios = Scenarios::yes) const noexcept;
  [[nodiscard]] bool meets_own(InstrumentId id, Side side, Price price) const noexcept;
  void gather_delta(GateContext& c, UnderlyingId u, Qty signed_added,
                    Scenarios scenarios) const noexcept;
  void gather_greeks(GateContext& c, UnderlyingId u, const RiskNumbers& risk,
                     const OptionMark& mark, Qty signed_added) const noexcept;
  [[nodiscard]] std::optional<ResidualDelta> residual_of(UnderlyingId u,
                                                         const RiskNumbers& risk) const noexcept;
  // engine_scenarios.cpp
  [[nodiscard]] bool scenarios_awaited(UnderlyingId u, bool inverse) const noexcept;
  [[nodiscard]] std::optional<ScenarioBook> held_scenarios(UnderlyingId u,
                                                           bool inverse) const noexcept;
  [[nodiscard]] bool add_profit(InstrumentId id, Qty signed_amount,
                                ScenarioBook::Cells& profit) const noexcept;
  void gather_scenarios(GateContext& c, const RiskNumbers& risk, Qty signed_added) const noexcept;
  [[nodiscard]] bool add_twins(UnderlyingId u, ResidualDelta& r, std::int64_t& unknown_low,
                               std::int64_t& unknown_high) const noexcept;
  [[nodiscard]] bool add_twin_coins(UnderlyingId u, bool inverse,
                                    ScenarioCells::Position& p) const noexcept;
  [[nodiscard]] bool add_option_twins(UnderlyingId u, bool inverse, double spot,
                                      ScenarioCells::Cells& cells) const noexcept;
  [[nodiscard]] bool scenario_cells(UnderlyingId u, bool inverse, const RiskNumbers& risk,
                                    ScenarioCells::Cells& cells) const noexcept;
  [[nodiscard]] bool other_losses(const Instrument& i, double& sum) const noexcept;
  // engine_scenario_rows.cpp. `ask_rows` is false where the group is not due.
  [[nodiscard]] bool rows_due(const ScenarioGroups::Group& g,
                              ScenarioCells::Anchor anchor) const noexcept;
  bool ask_rows(std::uint16_t group) noexcept;
  void rows_wanted(InstrumentId id) noexcept;
  void refresh_cells() noexcept;
  void on_scenario_rows(const Event& event) noexcept;

  // engine_operator.cpp
  void on_operator(const Event& event) noexcept;
  void monitor_pause(const OperatorCommand& command) noexcept;
  struct Judgement {
    OperatorResult result{OperatorResult::accepted};
    std::uint32_t detail{0};
  };
  [[nodiscard]] bool margin_contradicted(const UnderlyingSetup& u) const noexcept;
  [[nodiscard]] Judgement judge_arm(const OperatorCommand& command) const noexcept;
  [[nodiscard]] Judgement judge_venue(std::size_t v) const noexcept;
  void arm(const OperatorCommand& command) noexcept;
  void retry_arm() noexcept;
  void answer(const OperatorCommand& command, OperatorResult result,
              std::uint32_t detail = 0) noexcept;
  bool tighten(Scope scope, Mode mode) noexcept;

  // engine_cancel.cpp
  void start_cancel(Scope scope) noexcept;
  void resume_cancels(VenueId venue) noexcept;
  void run_cancels(Commands& out) noexcept;
  void run_cancel(CancelJob& job, Commands& out) noexcept;
  [[nodiscard]] std::size_t open_in(Scope scope) const noexcept;
  [[nodiscard]] std::size_t known_open_in(Scope scope) const noexcept;
  [[nodiscard]] bool mass_cancel(const CancelJob& job, VenueId venue, Commands& out) noexcept;
  bool cancel_in_round(const CancelJob& job, const Order& order, Commands& out) noexcept;
  void cancel_increasing() noexcept;

  // engine_flatten.cpp
  void on_flatten(const OperatorCommand& command) noexcept;
  [[nodiscard]] Judgement judge_flatten(const OperatorCommand& command) const noexcept;
  void run_flatten(Commands& out) noexcept;
  void flatten_close(Commands& out) noexcept;
  void flatten_ask(FlattenPhase phase) noexcept;
  [[nodiscard]] bool flatten_picture() const noexcept;
  void flatten_verified() noexcept;
  void stop_flatten(FlattenEnd end) noexcept;
  // A stop of `scope` ends the running job: its own scope, or a wider one.
  void stop_flatten_under(Scope scope, FlattenEnd end) noexcept;
  void flatten_rejected(const OrderReject& reject) noexcept;
  void flatten_filled(const Fill& fill, const Instrument& instrument) noexcept;
  [[nodiscard]] bool flatten_order(OrderId id) const noexcept {
    return flatten_.running() && flatten_.order == id;
  }
  // engine_flatten_size.cpp
  [[nodiscard]] bool flatten_covers(InstrumentId id) const noexcept;
  [[nodiscard]] bool flatten_selects(InstrumentId id) const noexcept;
  [[nodiscard]] Mode mode_beside(InstrumentId id) const noexcept;
  [[nodiscard]] Qty flatten_want(InstrumentId id) const noexcept;
  struct Slice {
    Price limit{};
    Qty amount{};  // signed
  };
  [[nodiscard]] FlattenWhy flatten_slice(InstrumentId id, Qty want, Slice& slice) const noexcept;
  void flatten_cut(InstrumentId id, Slice& slice) const noexcept;
  [[nodiscard]] bool flatten_cost(const Instrument& i, Price mark, Price price, Qty moved,
                                  Money& usd) const noexcept;
  [[nodiscard]] FlattenWhy flatten_send(InstrumentId id, Qty want, Commands& out) noexcept;
  [[nodiscard]] std::size_t flatten_unknown() const noexcept;
  void fill_flatten(EngineStatus& s) const noexcept;

  // engine_trip.cpp
  // `news`: told though the same was told a moment ago.
  void trip(Trip t, bool news = false) noexcept;
  void end_waiting_arm(const Trip& t) noexcept;
  void cancel_own(const Trip& t) noexcept;
  void pause(Trip t) noexcept;
  void count_pause(Scope scope, InstrumentId instrument) noexcept;
  void raise_trips(Commands& out) noexcept;

  // engine_controls.cpp
  void after_refusal(const Refused& why, StrategyId strategy, InstrumentId id, std::uint64_t intent,
                     Price price) noexcept;
  void count_denial(StrategyId strategy) noexcept;
  void forget_confirmations() noexcept;
  [[nodiscard]] Qty open_children(StrategyId strategy, std::uint64_t parent) const noexcept;
  void gather_parent(GateContext& c, StrategyId strategy, std::uint64_t parent,
                     Qty amount) noexcept;
  void fill_parent(const Order& order, Qty amount) noexcept;
  void close_parent(ParentBook::Parent& p, Qty used, InstrumentId instrument) noexcept;
  void check_position(InstrumentId id) noexcept;
  void refresh_gross(InstrumentId id) noexcept;
  void check_greeks() noexcept;
  void check_book(UnderlyingId u, const ResidualDelta& r) noexcept;
  void warn_stale(UnderlyingId u, const RiskNumbers& risk) noexcept;
  [[nodiscard]] bool greeks_stale(const RiskNumbers& risk) const noexcept;
  [[nodiscard]] static BookGreeks book_greeks(const RiskNumbers& risk, Price index) noexcept;
  void note_cancel(VenueId venue) noexcept;

  // engine_day.cpp
  void roll_day() noexcept;
  [[nodiscard]] Money fee_of(const Instrument& i, const Fill& fill) const noexcept;
  void book_fill(const Event& event, const Fill& fill) noexcept;
  void check_losses() noexcept;
  [[nodiscard]] std::int64_t owner_profit(std::size_t owner) const noexcept;
  void settle_profit(const Instrument& i, Price delivery) noexcept;
  void trip_repeats(StrategyId strategy, InstrumentId id) noexcept;
  void judge_fill(const Order& order, Side side,
                  const std::optional<ResidualDelta>& before) noexcept;
  void judge_end(const Order& o) noexcept;
  void count_change(InstrumentId id, StrategyId strategy) noexcept;
  // engine_carry.cpp
  void on_day_carry(const Event& event) noexcept;
  [[nodiscard]] bool takes_item(const DayCarry& item, InstrumentId id) const noexcept;
  void drop_carried() noexcept;
  void resume_holdings(VenueId venue) noexcept;
  // Told by a picture, and counted by the boot before already.
  [[nodiscard]] bool booked_before(const Event& fill) const noexcept;
  void fill_day(DayFigures& f) const noexcept;
  // engine_cash.cpp
  void book_cash(const Event& event, const Fill& fill) noexcept;
  void move_cash(VenueId venue, Currency c, i128 atto, bool late) noexcept;
  void forget_cash(VenueId venue, Currency c) noexcept;
  void tie_cash(VenueId venue, MarginSlot& slot) noexcept;
  [[nodiscard]] bool settling(VenueId venue, std::int64_t& session) const noexcept;
  // engine_carry_orders.cpp
  void on_order_carry(const Event& event) noexcept;
  [[nodiscard]] bool takes_order(const Event& event, const OrderCarry& c) const noexcept;
  // engine_quality.cpp
  void note_data(InstrumentId id, RecvTime at) noexcept;
  void note_lag(const Event& event) noexcept;
  void note_gap(VenueId venue) noexcept;
  void note_crossed(InstrumentId id) noexcept;
  void note_unknown(const Event& event, const OrderReject& reject) noexcept;
  void note_clock(const Event& event) noexcept;
  [[nodiscard]] bool outlier(InstrumentId id, Price mid) noexcept;
  void witness(UnderlyingId u, Commands& out) noexcept;
  void check_staleness(Commands& out) noexcept;
  void check_hedge(UnderlyingId u, Commands& out) noexcept;
  void check_index(UnderlyingId u) noexcept;
  void check_options() noexcept;
  void stale_hedge(UnderlyingId u, InstrumentId id, Nanos limit, Nanos age, Commands& out) noexcept;
  [[nodiscard]] RecvTime staleness_due() const noexcept;
  [[nodiscard]] bool quality_blocks(const Instrument& i) const noexcept;

  // engine_budget.cpp
  void note_age(const Event& event) noexcept;
  void judge_late(VenueId venue) noexcept;
  [[nodiscard]] std::uint32_t late_on(InstrumentId id) const noexcept;

  // engine_surface.cpp
  void on_surface(const Event& event) noexcept;
  void judge_verdict(const SurfaceHead& head) noexcept;
  void warn_surface(UnderlyingId u, const RiskNumbers& risk) noexcept;

  // engine_guardian.cpp
  void on_guardian(const Event& event) noexcept;
  [[nodiscard]] bool guardian_missing() const noexcept;
  void check_guardian() noexcept;
  [[nodiscard]] Trip guardian_trip(Mode mode) const noexcept;

  // engine_modules.cpp
  void on_envelope(const Event& event) noexcept;
  void check_modules() noexcept;
  void change_module(std::size_t m, bool lost) noexcept;
  void raise_module(std::size_t m) noexcept;
  [[nodiscard]] RecvTime module_alert_due(std::size_t m) const noexcept;
  [[nodiscard]] RecvTime modules_due() const noexcept;

  // engine_reconcile.cpp
  void on_reconcile(const Event& event) noexcept;
  void finish_reconcile(VenueId venue) noexcept;
  // True when the position may be relied on; a correction is counted and traced.
  [[nodiscard]] bool adopt_position(InstrumentId id) noexcept;
  void on_open_order(const Event& event) noexcept;
  void on_position(const Event& event) noexcept;
  void request_reconciles(Commands& out) noexcept;
  void begin_picture(VenueId venue, RecvTime begun) noexcept;
  static void end_picture(Venue& v, bool given_up = false) noexcept;
  static void count_unsettled(Venue& v) noexcept;
  [[nodiscard]] RecvTime unsettled_since(const Venue& v) const noexcept;
  // One instance an account. `created`: at the venue; zero when not told.
  [[nodiscard]] bool from_other_instance(OrderId id, VenueId venue,
                                         ExchTime created) const noexcept;
  // True when it is of another instance: it is left alone, and nothing new is sent from here on.
  bool note_instance(const Event& event, OrderId id, ExchTime created) noexcept;
  void trip_instance(const Event& event, OrderId id, bool news) noexcept;

  // engine_upkeep.cpp
  void upkeep(Commands& out) noexcept;
  void attend(const Order& order, Commands& out) noexcept;
  void check_drift() noexcept;
  void plan() noexcept;  // sets upkeep_due_

  // engine_gap.cpp
  static constexpr std::size_t gap_marks_per_step = 8;
  [[nodiscard]] Price mid_of(InstrumentId id) const noexcept;  // else the mark, else 0
  [[nodiscard]] OrderDecision decision_on(InstrumentId id) const noexcept;
  void note_gap(const Order& order, const Fill& fill) noexcept;
  void mark_fills() noexcept;

  // engine_read.cpp
  [[nodiscard]] ExchTime venue_at(VenueId venue, RecvTime at) const noexcept;
  [[nodiscard]] static bool covers(Scope scope, const Order& order) noexcept;
  void fill_underlyings(EngineStatus& s) const noexcept;

  EngineSetup setup_;
  InstrumentTable table_;
  Portfolio portfolio_;
  OrderTable orders_;
  RiskGate gate_;
  ScenarioCells cells_;
  ScenarioGroups groups_;
  std::size_t cells_held_{0}, cells_group_{0};  // where the next look at held_, groups_ begins
  TradeLedger trades_;
  ExecutionGaps gaps_;
  JudgedOrder judged_{};
  PauseMask pauses_;
  EnvelopeBook envelopes_;
  struct ModuleAlert {
    bool owed{true};  // for the loss that goes on; from the start for one that never spoke
    RecvTime at{};    // of the newest one
  };
  std::array<ModuleAlert, risk_modules_max> module_alerts_{};
  RefusedTerms refused_terms_{};
  bool monitor_pause_{false};  // growth waits until somebody acknowledges an alert (M-02)
  TripQueue trips_{};
  BookPool books_;
  std::vector<Market> markets_;
  std::array<bool, 2 * expiries_max> surface_refused_told_{};  // of each expiry, linear and inverse
  std::vector<OutlierFilter> filters_;  // of the delta-one instruments, reserved
  std::vector<InstrumentId> held_;      // instruments with a position
  std::array<Coin, underlyings_max> coins_{};
  std::array<Venue, venues_max> venues_{};
  std::array<CancelJob, cancel_jobs_max> jobs_{};
  FlattenJob flatten_{};
  std::vector<InstrumentId> drifting_;  // positions unlike the venue's
  std::vector<InstrumentId> touched_;   // books changed in this packet
  std::array<std::uint64_t, strategies_max> refusals_{};
  std::array<Refused, strategies_max> last_refusal_{};
  std::array<std::array<std::uint64_t, underlyings_max>, strategies_max> refusals_by_{};
  std::array<Denials, strategies_max> denials_{};
  ParentBook parents_{};
  ProfitLedger profits_;
  ExecutionRepeats repeats_{};
  OrderToTrade order_to_trade_{};
  struct Day {
    std::int64_t number{INT64_MIN};  // of the venue's clock; not known yet
    std::int64_t profit_usd{0};      // of everything, at 1e-9
    std::int64_t peak_usd{0};
    bool held{false};              // the cash did not tie out: it goes on until somebody looked
    std::int64_t runs{INT64_MIN};  // of the clock, also while held
    [[nodiscard]] bool known() const noexcept { return number != INT64_MIN; }
    // Of the boots before.
    DayCarryState carry{DayCarryState::none};
    ExchTime carried_until{};   // the end of their day
    ExchTime carried_booked{};  // their newest fill
    ExchTime booked{};          // the newest fill of all
    std::array<std::int64_t, day_owners_max> carried_usd{};
  } day_{};
  Money cash_unit_{};                         // zero: no tie-out
  std::vector<DayHolding> carried_holdings_;  // until the first picture, reserved

  PartsBuffer<Ticker> ticker_parts_{};
  PartsBuffer<Fill> fill_parts_{};
  PartsBuffer<MarginReport> margin_parts_{};
  PartsBuffer<OperatorCommand> operator_parts_{};
  PartsBuffer<OpenOrderReport> open_order_parts_{};
  PartsBuffer<OrderCarry> order_carry_parts_{};

  bool started_{false};
  Seq seq_{};
  RecvTime now_{};
  std::uint32_t late_ns_{0};  // age of this step's tick when it is over its budget
  RecvTime awake_since_{};    // end of the last time that this process slept
  Boot boot_{};
  RecvTime booted_at_{};
  OtherInstances others_{};
  std::uint32_t order_counter_{0};
  std::uint64_t arm_generation_{0};
  OperatorAnswer last_operator_{};
  std::array<OperatorAnswer, operator_actions> answers_{};  // the newest to each action
  OperatorCommand waiting_arm_{};
  RecvTime waiting_until_{};
  bool arm_waits_{false}, guardian_live_{false};
  bool guardian_lost_{false};  // was live, is not: counts from guardian_lost_at_
  RecvTime guardian_lost_at_{};
  bool replan_{true};  // an order or a job may be due earlier than planned
  std::uint64_t cancel_stamp_{0};
  RecvTime owed_since_{};
  RecvTime tick_due_{}, upkeep_due_{};
  RecvTime armed_for_{};  // due time of the timer we asked for; zero when none
  EngineCounters counters_{};
};

}  // namespace gimbal
