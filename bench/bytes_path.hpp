// The bytes door: decode, sequence, journal, book, mark, decide, gate and encode in one object,
// from one decrypted tick to one order's text; no sockets, TLS or threads. Ten options are held.
#pragma once

#include <array>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "bench/fixture.hpp"
#include "bench/messages.hpp"
#include "ops/app/hot.hpp"

namespace gimbal::bench {

inline constexpr VenueId venue{0};
inline constexpr UnderlyingId coin{0};
inline constexpr std::uint64_t config_hash = 77;
inline constexpr std::int64_t center_usd = 100'000;
inline constexpr std::int64_t jump_usd = 25;
inline constexpr int options = 200;  // unless told otherwise
inline constexpr int first_held = 100;
inline constexpr int options_held = 10;
inline constexpr int strikes_of_all = 25;
inline constexpr std::int64_t clock_offset = 1'700'000'000'000'000'000;
inline constexpr std::uint64_t first_id = 7'000'000'000;

// Time moves with the ticks only: the same instructions in every run.
struct StillClock {
  RecvTime at{seconds(1000).count};
  RecvTime now() const noexcept { return at; }
};

inline std::string tick_text(bool up) {
  const auto mid = [](bool high) { return center_usd + (high ? jump_usd : -jump_usd); };
  const auto level = [](const char* action, std::int64_t price, int amount) {
    return "[\"" + std::string{action} + "\"," + std::to_string(price) + ".0," +
           std::to_string(amount) + ".0]";
  };
  return R"({"jsonrpc":"2.0","method":"subscription","params":{"channel":"book.BTC-PERPETUAL.raw",)"
         R"("data":{"timestamp":1789344931639,"type":"change","change_id":7000000001,)"
         R"("instrument_name":"BTC-PERPETUAL","bids":[)" +
         level("delete", mid(!up) - 1, 0) + "," + level("new", mid(up) - 1, 60000) +
         R"(],"asks":[)" + level("delete", mid(!up) + 1, 0) + "," +
         level("new", mid(up) + 1, 60000) + R"(],"prev_change_id":7000000000}}})";
}

class BytesPath {
 public:
  using E = Engine<NullProbe, StrategySet>;

  // `listed` is `options_held` or, of more, at least first_held + options_held.
  explicit BytesPath(int listed = options) : listed_{listed} {
    Instrument perp = instrument(InstrumentKind::inverse_perpetual);
    perp.underlying = names_.id("BTC");
    hedge_ = table_.add(perp);
    (void)symbols_.add("BTC-PERPETUAL", hedge_);
    const int first = listed > options_held ? 0 : first_held;
    for (int i = first; i < first + listed; ++i) add_option(i);
    make_engine();
    make_sessions();
    open();
  }

  // The next tick's text; not counted.
  void prepare() {
    clock_.at = clock_.at + microseconds(50);
    up_ = !up_;
    Text& text = up_ ? up_text_ : down_text_;
    text.number("\"prev_change_id\":", id_);
    text.number("\"change_id\":", ++id_);
    frame_ = text.frame();
  }
  // One tick; the last order's text is in `out`. Not inlined: callgrind counts from here.
  [[gnu::noinline]] void tick() {
    events_.clear();
    (void)feed_->on_frame(frame_, clock_.at, events_, outbox_);
    submit(events_.committed());
  }
  // The fill of the last order, outside of what is counted.
  void settle() {
    if (!asked_) return;
    asked_ = false;
    OrderAck ack;
    ack.order = last_.order;
    ack.price = last_.price;
    ack.amount = last_.amount;
    send(EventKind::order_ack, ack, hedge_);
    Fill fill;
    fill.order = last_.order;
    fill.trade = TradeId{1, ++trade_};
    fill.price = last_.price;
    fill.amount = last_.amount;
    fill.side = last_.side;
    send(EventKind::fill, fill, hedge_);
    journal_->discard();
  }
  [[nodiscard]] std::uint64_t orders() const noexcept { return orders_; }
  // --- the sequencer's core and sink
  void step(const Event& event, Commands& out) noexcept { engine_->step(event, out); }
  void command(Command&& c) noexcept {
    if (c.kind() != CommandKind::place) return;
    const Encoded text = gateway_->encode(c.place(), clock_.at, out_);
    if (!text.ok()) return;
    last_ = *c.place();
    asked_ = true;
    ++orders_;
  }
  void fault(SequencerFault) noexcept { std::abort(); }

 private:
  void add_option(int i) {
    Instrument o = instrument(InstrumentKind::inverse_option);
    o.underlying = coin;
    o.option = i % 2 == 0 ? OptionType::call : OptionType::put;
    const int strike = i / 8 % strikes_of_all;
    const int days = 10 + 30 * (i % 4) + i / options;
    o.strike = Price{(center_usd - 12'500 + 1000 * strike) * nano_per_unit};
    o.expiry = ExchTime{clock_offset} + seconds(days * std::int64_t{86'400});
    o.ticks.base = Price{nano_per_unit / 10'000};
    o.lot = o.amount_min = Qty{nano_per_unit / 10};
    o.contract_size = Qty{nano_per_unit};
    const InstrumentId id = table_.add(o);
    options_.push_back(id);
    if (i >= first_held && i < first_held + options_held) held_.push_back(id);
  }
  void make_engine() {
    EngineSetup setup;
    setup.limits = wide_limits();
    setup.limits.max_gamma_usd = setup.limits.max_vega_usd = Money{};
    setup.limits.duplicate_window = Nanos{};
    setup.engine.delta_one_books = 1;
    setup.engine.option_books = static_cast<std::size_t>(listed_);
    setup.engine.option_levels = 16;
    setup.engine.orders.ack_timeout = seconds(3600);
    setup.portfolio.volatility_age_max = setup.portfolio.forward_age_max = seconds(3600);
    setup.underlyings[coin.value] = {hedge_, Numeraire::coin, currency("BTC"), venue};
    setup.own_account[0] = setup.venue_used[0] = true;
    DeltaHedgeConfig hedge;
    hedge.numeraire = Numeraire::coin;
    hedge.target = HedgeTarget::zero;
    hedge.band = 0.001;
    hedge.interval_min = Nanos{};
    hedge.attempts_max = UINT32_MAX;
    hedge.usd_per_second_max = Money{9'000'000'000 * nano_per_unit};
    hedge.data_age_max = seconds(3600);
    StrategySet strategies = make_strategies();
    if (!std::get<DeltaHedge>(strategies).add(hedge, coin, hedge_).empty()) std::abort();
    engine_ = std::make_unique<E>(setup, table_, strategies);
    journal_ = std::make_unique<JournalWriter>(JournalConfig{}, JournalIdentity{}, nullptr);
    sequencer_ = std::make_unique<Sequencer<BytesPath, BytesPath, JournalWriter, StillClock>>(
        SequencerConfig{}, *this, *this, *journal_, clock_, counters_, nullptr);
  }
  void make_sessions() {
    feed_ = std::make_unique<deribit::DeribitFeed>(deribit::FeedConfig{}, symbols_);
    (void)feed_->want_book(hedge_, deribit::Interval::raw);
    (void)budget_.set_quota(0, 1000);
    gateway_ = std::make_unique<deribit::DeribitGateway>(gateway_config(), symbols_, table_, names_,
                                                         budget_);
  }
  void open() {
    Boot boot;
    boot.config_hash = config_hash;
    boot.epoch = 1;
    send(EventKind::boot, boot, {});
    gateway_->on_open(clock_.at, 1, events_, outbox_);
    log_in(std::string{outbox_[0]}, [this](const std::string& message) {
      Text text{message};
      events_.clear();
      (void)gateway_->on_frame(text.frame(), clock_.at, events_, outbox_);
      submit(events_.committed());
    });
    outbox_.clear();
    feed_->on_open(clock_.at, outbox_);
    outbox_.clear();
    take(R"({"jsonrpc":"2.0","id":16,"result":["book.BTC-PERPETUAL.raw"]})");
    take(R"({"jsonrpc":"2.0","method":"subscription","params":{"channel":"book.BTC-PERPETUAL.raw",)"
         R"("data":{"timestamp":1789344931639,"type":"snapshot","change_id":7000000000,)"
         R"("instrument_name":"BTC-PERPETUAL","bids":[["new",99974.0,60000.0]],)"
         R"("asks":[["new",99976.0,60000.0]]}}})");
    account();
  }
  void take(const std::string& message) {
    Text text{message};
    events_.clear();
    (void)feed_->on_frame(text.frame(), clock_.at, events_, outbox_);
    submit(events_.committed());
  }
  void account() {
    VenueClock offset;
    offset.offset_ns = clock_offset;
    send(EventKind::venue_clock, offset, {});
    Ticker t;
    t.mark = t.index = Price{center_usd * nano_per_unit};
    send(EventKind::ticker, t, hedge_);
    t.mark = Price{nano_per_unit / 20};
    t.underlying = t.index;
    t.mark_iv_nano = 600'000'000;
    for (const InstrumentId id : options_) send(EventKind::ticker, t, id);
    ReconcileMark mark;
    mark.generation = 1;
    mark.as_of = ExchTime{clock_offset + clock_.at.mono_ns};
    send(EventKind::reconcile_mark, mark, {});
    PositionReport held;
    held.amount = Qty{-5 * nano_per_unit};
    for (const InstrumentId id : held_) send(EventKind::position_report, held, id);
    mark.phase = ReconcilePhase::complete;
    send(EventKind::reconcile_mark, mark, {});
    OperatorCommand arm;
    arm.command_id = 1;
    arm.config_hash = config_hash;
    arm.action = OperatorAction::arm;
    arm.mode = Mode::active;
    send(EventKind::operator_command, arm, {});
    settle();
  }
  void submit(std::span<Event> all) {
    for (std::size_t at = 0; at < all.size();) {
      const std::size_t parts = all[at].part_count();
      sequencer_->submit(&all[at], parts);
      at += parts;
    }
  }
  template <class Payload>
  void send(EventKind kind, const Payload& payload, InstrumentId id) {
    std::array<Event, event_parts_max> parts;
    const Event head = make_event(kind, venue, id, clock_.at,
                                  ExchTime{clock_offset + clock_.at.mono_ns}, Payload{});
    const std::size_t n = write_parts(head, payload, parts.data());
    parts[n - 1].add_flag(event_flag::last_in_packet);
    sequencer_->submit(parts.data(), n);
  }

  const int listed_;
  StillClock clock_;
  InstrumentTable table_{static_cast<std::size_t>(listed_) + 56};
  deribit::SymbolTable symbols_{static_cast<std::size_t>(listed_) + 56};
  deribit::UnderlyingNames names_;
  deribit::RateBudget budget_{{1'000'000, 1'000'000, 1000, 1}};
  InstrumentId hedge_{};
  std::vector<InstrumentId> options_;
  std::vector<InstrumentId> held_;
  Counters counters_{"bench"};
  EventBatch events_{4096};
  Outbox outbox_;
  std::unique_ptr<E> engine_;
  std::unique_ptr<JournalWriter> journal_;
  std::unique_ptr<Sequencer<BytesPath, BytesPath, JournalWriter, StillClock>> sequencer_;
  std::unique_ptr<deribit::DeribitFeed> feed_;
  std::unique_ptr<deribit::DeribitGateway> gateway_;
  Text up_text_{tick_text(true)};
  Text down_text_{tick_text(false)};
  Frame frame_{};
  std::array<char, encoded_order_max> out_{};
  PlaceOrder last_{};
  std::uint64_t id_{first_id};
  std::uint64_t trade_{0};
  std::uint64_t orders_{0};
  bool asked_{false};
  bool up_{false};
};

}  // namespace gimbal::bench
