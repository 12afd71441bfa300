// The invariants, checked after every event by bookkeeping of its own: what was delivered to the
// core and written to the wire on one side, the exchange's truth on the other. The core's numbers
// are what is judged, never what judges. Names I1 .. I20 are those of ops/docs/simtest.md.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/engine_core.hpp"
#include "engine/runtime/order_log.hpp"
#include "tests/simtest/coverage.hpp"
#include "tests/simtest/naive_book.hpp"
#include "tests/simtest/nemesis.hpp"
#include "tests/simtest/network.hpp"
#include "tests/simtest/venue_side.hpp"

namespace gimbal::simtest {

struct Violation {
  std::string invariant;  // empty: none
  std::string text;
};

// What one boot of the bot shows of itself.
struct BootView {
  const EngineCore* core{nullptr};
  std::vector<sim::InstrumentIndex> index_of;  // by InstrumentId
  std::vector<std::string> names;
  InstrumentId hedge{};
  std::uint32_t epoch{0};
};

class Checker {
 public:
  Checker(VenueSide& venue, const Nemesis& nemesis, const Network& network)
      : venue_{venue}, nemesis_{nemesis}, network_{network} {}

  void set_now(RecvTime now) noexcept { now_ = now; }
  void begin_boot(BootView view);
  void end_boot() noexcept { boot_.core = nullptr; }
  // What a boot holds of the orders of the one before.
  void carried(const OrderLog& log);
  // Around each step. `requests` is how many new or changed orders the strategies asked for.
  void before(const Event& event);
  void after(const Event& event, const Commands& out, std::uint64_t requests,
             std::uint64_t allocations);
  // The placings that a strategy asked for in the step that `after` is called for next.
  void wanted(std::span<const OrderRequest> placings);
  // Every text the bot writes, before anything can happen to it.
  void sent(Lane lane, std::string_view text);
  // The same of the query session.
  void asked(std::string_view body);
  // The hedge instrument in a list that has reached the bot.
  void listed(const Instrument& terms) noexcept { terms_ = terms; }
  // The next instrument of this boot.
  void listed_too(const std::string& name);
  // At rest: nothing in flight, faults long over. Says what is missing, empty when all is well.
  [[nodiscard]] std::string unrest() const;
  // What the bot keeps over a restart, until an arm of that scope is accepted.
  void latched(Scope scope, Mode mode) { latches_[key_of(scope)] = {mode, name_of(scope)}; }
  // The last gate closed by itself (ring full, journal lost).
  void closed(Scope scope, Mode mode) { tighten(scope, mode); }
  // At the end of a run: every trade of this boot was delivered, to the integer.
  void settle_accounts();
  void fail(std::string_view invariant, std::string text);

  [[nodiscard]] const Violation& violation() const noexcept { return violation_; }
  [[nodiscard]] const Coverage& coverage() const noexcept { return coverage_; }
  [[nodiscard]] std::uint64_t events() const noexcept { return events_; }
  [[nodiscard]] std::uint64_t orders_sent() const noexcept { return orders_sent_; }
  [[nodiscard]] std::uint64_t fills() const noexcept { return fills_; }

 private:
  struct Note {  // one order of this boot
    InstrumentId instrument{};
    Side side{Side::buy};
    std::int64_t approved{0};  // largest amount that the gate let through
    std::int64_t filled{0};    // sum of distinct trades delivered
    std::int64_t worst{0};     // largest amount that the core counts on
    std::uint64_t intent{0};   // as its strategy said
    StrategyId strategy{};
    OrderState state{OrderState::pending_new};
    bool written{false};
  };
  struct Data {            // of an instrument
    bool valid{false};     // since its last complete picture
    bool building{false};  // a picture has begun
    RecvTime at{};
    std::uint64_t change_id{0};
  };

  // checker.cpp
  void note_modes(const Event& event, const Commands& out);
  using Modes = std::map<std::pair<int, int>, Mode>;  // scope -> mode; missing: active
  struct Latch {
    Mode mode{Mode::halt};
    std::string name;  // of an instrument
  };
  [[nodiscard]] std::string name_of(Scope scope) const {
    return scope.level == ScopeLevel::instrument ? boot_.names.at(scope.id) : std::string{};
  }
  static std::pair<int, int> key_of(Scope s) { return {static_cast<int>(s.level), s.id}; }
  [[nodiscard]] Mode mode_of(StrategyId strategy, InstrumentId id) const;
  void check_latches();
  void carry_latches();
  void tighten(Scope scope, Mode mode);
  void note_commands(const Event& event, const Commands& out);
  void note_asked(const Event& event, OrderId id, OrderState was, OrderEvent what);
  [[nodiscard]] bool may_move(const Event& event, OrderId id) const;
  void check_decision(const PlaceOrder& order);
  void check_orders(const Event& event);
  void check_ended(OrderId id, const Note& note, OrderState state);
  void check_worst(const Order& order, Note& note);
  [[nodiscard]] bool may_live(std::string_view label) const;
  [[nodiscard]] std::string label_of(OrderId id) const;

  // checker_fills.cpp
  void learn_trades();
  void note_fill(const Event& event);
  void check_against_trade(const Fill& fill, InstrumentId id);
  void note_reports(const Event& event);
  void check_positions(const Event& event);
  void check_profits();
  [[nodiscard]] std::uint64_t cash_back() const;
  [[nodiscard]] std::string untold_trade() const;  // empty: every trade of this boot was told

  // checker_market.cpp
  void note_market(const Event& event);
  void check_book();
  void check_truth(InstrumentId id);
  [[nodiscard]] bool both_sides(sim::InstrumentIndex index);

  // checker_session.cpp
  struct Session {  // the private one, as the core was told of it
    std::uint64_t generation{0};
    bool ready{false};
    bool settled{false};  // by a picture of its own
  };
  void check_session(const Event& event, const Commands& out);
  void note_session(const Event& event);
  [[nodiscard]] bool picture_fits() const;
  void check_growth(OrderId id);
  void check_cause(const Trip& trip);
  void check_stops();

  // checker_wire.cpp
  void check_order_text(std::string_view text, Ask ask);
  void check_place_text(std::string_view text, std::string_view label, std::int64_t amount);
  void check_open_value(std::string_view text);
  void check_change_text(std::string_view text, std::int64_t amount);
  void check_earlier_boots();
  void check_secrets(std::string_view text);
  void check_carried();

  // checker_terms.cpp
  void note_placing(const PlaceOrder& order);
  void note_change(const Event& event, const ReplaceOrder& change);
  [[nodiscard]] std::uint64_t intent_of(const PlaceOrder& order);
  [[nodiscard]] OrderId changed_by(std::string_view text) const;
  void check_terms(std::string_view text, const PlaceOrder& approved, Ask ask);

  VenueSide& venue_;
  const Nemesis& nemesis_;
  const Network& network_;
  RecvTime now_{};
  BootView boot_;
  Violation violation_;
  Coverage coverage_;
  std::uint64_t events_{0};
  std::uint64_t orders_sent_{0};
  std::uint64_t fills_{0};

  std::map<std::uint64_t, Note> orders_;
  std::vector<OrderId> carried_;  // from the journal of the boot before, not ended yet
  std::vector<OrderId> earlier_;  // of boots before: written, and may live when this one began
  Modes modes_;
  std::map<std::pair<int, int>, Latch> latches_;  // under the numbers of this boot
  Modes earlier_latches_;                         // of boots before, not armed since
  std::uint64_t operator_seq_{0};
  RecvTime reconciled_at_{};  // last complete picture of this private session
  GatewayState gateway_{GatewayState::down};
  Session session_;
  std::uint64_t refused_before_{0};
  bool armed_once_{false};  // in this boot
  bool fill_complete_{false};
  bool operator_complete_{false};

  std::map<TradeId, std::size_t> truth_;  // trade -> row at the exchange
  std::size_t truth_rows_{0};
  std::set<TradeId> trades_;      // delivered in this boot
  std::size_t boot_row_{0};       // first row of this boot
  std::uint64_t back_before_{0};  // cash_back() when this boot began
  std::uint64_t ends_before_{0};  // the venue's held_ends() then
  PartsBuffer<Fill> fill_parts_;
  PartsBuffer<OperatorCommand> operator_parts_;
  std::vector<std::int64_t> position_;
  std::vector<std::int64_t> reported_;

  // Not in the notes, which are all read after each event.
  std::map<std::uint64_t, PlaceOrder> placings_;  // of this boot, as approved
  std::map<std::uint64_t, PlaceOrder> changes_;   // of orders: approved, and not written yet
  std::vector<OrderRequest> wanted_;              // in this step, not placed yet
  std::vector<Data> data_;
  std::vector<sim::Level> true_levels_;  // of one side, kept for its room
  std::uint64_t packets_{0};             // of books
  NaiveBook book_;
  Instrument terms_;  // that the bot was told last

  std::set<std::string, std::less<>> labels_;  // of all boots
  std::set<std::string, std::less<>> nonces_;  // of all sessions of all boots
  std::uint64_t rate_errors_{0};
};

}  // namespace gimbal::simtest
