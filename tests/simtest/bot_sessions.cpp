// The bot's sessions: FeedSession, OrderSession, QueryLoop and ConnectLoop of ops/app in virtual
// time.
#include <algorithm>
#include <cstring>
#include <utility>

#include "ops/app/order_listing.hpp"
#include "ops/app/order_sent.hpp"
#include "tests/simtest/bot_lanes.hpp"
#include "tests/simtest/setup.hpp"

namespace gimbal::simtest {
namespace {

constexpr Nanos timer_interval = milliseconds(20);
constexpr Nanos silence_max = seconds(15);
constexpr Nanos clock_interval = seconds(10);
constexpr Nanos clock_retry = seconds(1);
constexpr Nanos login_retry = seconds(5);
constexpr Nanos token_refresh = seconds(600);
constexpr int clock_samples = 3;

deribit::DeribitFeed make_feed(Lane lane, const Universe& universe, bool lists_change) {
  deribit::FeedConfig config;
  config.channels_max = 3 * (universe.table().size() + (lists_change ? listings_room : 0)) + 64;
  config.private_subscribe = true;
  deribit::DeribitFeed feed{config, universe.symbols()};
  const Universe::Member& m = universe.members()[0];
  if (lane == Lane::hedge) {
    feed.want_book(m.hedge, deribit::Interval::raw);
    feed.want_ticker(m.hedge, deribit::Interval::ms100);
    feed.want_trades(m.hedge, deribit::Interval::ms100);
    return feed;
  }
  feed.want_price_index("btc_usd", m.id);
  for (const auto* list : {&m.futures, &m.options}) {
    for (const InstrumentId id : *list) {
      if (id == m.hedge) continue;
      feed.want_book(id, deribit::Interval::ms100);
      feed.want_ticker(id, deribit::Interval::ms100);
    }
  }
  if (lists_change) feed.want_instrument_state("any", "BTC");
  feed.want_platform_state();
  return feed;
}

}  // namespace

Bot::FeedLane::FeedLane(Lane which, const Universe& universe, bool lists_change,
                        deribit::LoginConfig login, std::uint64_t seed)
    : lane{which},
      feed{make_feed(which, universe, lists_change), deribit::DeribitLogin{std::move(login)}},
      policy{seed + static_cast<std::uint64_t>(which), ReconnectConfig{}} {
  const Universe::Member& m = universe.members()[0];
  if (which == Lane::hedge) {
    books.push_back(m.hedge);
    return;
  }
  for (const auto* list : {&m.futures, &m.options}) {
    std::copy_if(list->begin(), list->end(), std::back_inserter(books),
                 [&](InstrumentId id) { return id != m.hedge; });
  }
}

// --- connections
// ------------------------------------------------------------------------------------

void Bot::connect(Lane lane, ReconnectPolicy& policy, RecvTime& due) {
  const RecvTime now = clock_.now();
  if (due.mono_ns == 0) due = policy.next_attempt(now);
  if (now < due) return;
  due = RecvTime{};
  if (!host_.network->connect(lane)) return policy.failed();
  policy.connected(now);
}

void Bot::run_sessions() {
  const RecvTime now = clock_.now();
  run_orders(now);
  for (auto& feed : feeds_) run_feed(*feed, now);
  const RecvTime timer = plant_clock(Plant::wall_timer);
  if (timer >= timer_due_) timer_due_ = timer + timer_interval;
  follow_arms();
}

Frame Bot::frame_of(const std::string& text) {
  if (scratch_.size() < text.size() + frame_padding) scratch_.resize(text.size() + 4096);
  std::memcpy(scratch_.data(), text.data(), text.size());
  std::memset(scratch_.data() + text.size(), 0, frame_padding);
  return Frame{scratch_.data(), text.size(), scratch_.size()};
}

void Bot::send(Lane lane, Outbox& outbox) {
  if (dead_ && !carries_out_) return outbox.clear();
  for (std::size_t i = 0; i < outbox.size(); ++i) {
    host_.checker->sent(lane, outbox[i]);
    if (host_.story->on()) host_.story->add(clock_.now(), "  => " + std::string{outbox[i]});
    host_.network->send(lane, outbox[i]);
  }
  outbox.clear();
}

void Bot::run_feed(FeedLane& f, RecvTime now) {
  if (!host_.network->up(f.lane)) {
    connect(f.lane, f.policy, f.due);
    if (!host_.network->up(f.lane)) return;
    f.up = true;
    f.heard = plant_clock(Plant::wall_span);
    f.feed.on_open(now, f.outbox);
    send(f.lane, f.outbox);
  }
  std::string text;
  while (host_.network->pop(f.lane, text)) {
    f.heard = plant_clock(Plant::wall_span);
    if (plant_frame(f.lane, text)) continue;
    static_cast<void>(f.feed.on_frame(frame_of(text), now, f.batch, f.outbox));
    feed_events(f);
  }
  const bool silent = plant_clock(Plant::wall_span) - f.heard > silence_max;
  if (host_.network->ended(f.lane) || silent) {
    host_.network->close(f.lane);
    f.up = false;
    f.policy.lost(now);
    f.feed.on_close(now, f.batch);
    feed_events(f);
    return;
  }
  if (plant_clock(Plant::wall_timer) < timer_due_) return;
  f.feed.on_timer(now, f.outbox, f.batch);
  feed_events(f);
}

// What a connection says about its whole session concerns its own instruments only.
void Bot::pass_on(FeedLane& f) {
  const std::span<Event> all = f.batch.committed();
  std::size_t from = 0;
  for (std::size_t at = 0; at < all.size(); ++at) {
    if (all[at].kind() == EventKind::instrument_change) hear_listings(all[at]);
    if (all[at].kind() != EventKind::feed_status || all[at].instrument.valid()) continue;
    sequencer_->submit(all.data() + from, at - from);
    from = at + 1;
    Event one = all[at];
    for (const InstrumentId id : f.books) {
      one.instrument = id;
      sequencer_->submit(one);
    }
  }
  sequencer_->submit(all.data() + from, all.size() - from);
  f.batch.clear();
  const std::uint64_t listings = f.feed.feed().counters().listings;
  if (std::exchange(f.listings, listings) != listings) list_wanted_ = true;
}

void Bot::feed_events(FeedLane& f) {
  pass_on(f);
  std::vector<InstrumentId> wanted;
  wanted.swap(f.resyncs);
  for (const InstrumentId id : wanted) {
    f.feed.feed().resync(id, FeedReason::crossed, clock_.now(), f.batch, f.outbox);
    pass_on(f);
  }
  send(f.lane, f.outbox);
}

void Bot::resync(InstrumentId id) {
  for (auto& feed : feeds_) feed->resyncs.push_back(id);
}

// --- orders
// -----------------------------------------------------------------------------------------

void Bot::run_orders(RecvTime now) {
  Network& net = *host_.network;
  if (!net.up(Lane::orders)) {
    connect(Lane::orders, orders_policy_, orders_due_);
    if (!net.up(Lane::orders)) return;
    orders_heard_ = now;
    gateway_->on_open(now, ++generation_, order_batch_, order_outbox_);
    deliver_orders();
  }
  std::string text;
  while (net.pop(Lane::orders, text)) {
    orders_heard_ = now;
    if (host_.story->on()) host_.story->add(now, "<= " + text);
    static_cast<void>(gateway_->on_frame(frame_of(text), now, order_batch_, order_outbox_));
    deliver_orders();
  }
  if (net.ended(Lane::orders) || now - orders_heard_ > silence_max || gateway_->lost(now)) {
    net.close(Lane::orders);
    orders_policy_.lost(now);
    gateway_->on_close(now, order_batch_);
    return deliver_orders();
  }
  if (plant_clock(Plant::wall_timer) < timer_due_) return;
  gateway_->on_timer(now, order_batch_, order_outbox_);
  deliver_orders();
}

void Bot::hand_back(const Event* unit, std::size_t parts) {
  std::array<Event, event_parts_max> copy;
  if (host_.plant == Plant::wrong_fee && unit->kind() == EventKind::fill) {
    std::copy_n(unit, parts, copy.begin());
    copy[1].payload[8] ^= std::byte{1};  // the fee's lowest bit
    unit = copy.data();
  }
  if (host_.plant == Plant::hide_adl && unit->kind() == EventKind::fill) {
    PartsBuffer<Fill> fill;
    for (std::size_t n = 0; n < parts; ++n) static_cast<void>(fill.add(unit[n]));
    Fill plain = fill.value();
    plain.kind = FillKind::normal;
    const Event first = *unit;
    write_parts(first, plain, copy.data());
    unit = copy.data();
  }
  if (!from_orders_.push_unit(unit, parts)) host_.checker->fail("I17", "the order ring is full");
}

void Bot::deliver_orders() {
  const std::span<Event> all = order_batch_.committed();
  for (std::size_t at = 0; at < all.size();) {
    const std::size_t parts = all[at].part_count();
    unlist_ended(*host_.gate, all[at]);
    hand_back(&all[at], parts);
    at += parts;
  }
  order_batch_.clear();
  send(Lane::orders, order_outbox_);
}

void Bot::refuse(OrderId order, InstrumentId instrument, OrderAction action, RejectReason reason) {
  const Event e = refusal(Encoded{0, reason}, order, action, venue_, instrument, clock_.now());
  unlist_ended(*host_.gate, e);
  hand_back(&e, 1);
}

void Bot::write(std::string_view text) {
  std::string out{text};
  if (host_.plant != Plant::none) plant_order(out);
  host_.checker->sent(Lane::orders, out);
  if (host_.story->on()) host_.story->add(clock_.now(), "  => " + out);
  host_.network->send(Lane::orders, out);
  if (host_.plant != Plant::none) plant_text(text);
}

template <class Order>
void Bot::send_order(const Approved<Order>& approved, OrderAction action) {
  const Order& o = *approved;
  const RecvTime now = clock_.now();
  const Instrument& i = universe_.table()[o.instrument];
  const OrderScopes scopes{o.venue, o.order.strategy(), i.underlying, o.instrument};
  if (approved.expires() < now ||
      !gate_->enter(scopes, o.order, approved.gate_epoch(), (o.flags & order_flag::reduces) != 0)) {
    return refuse(o.order, o.instrument, action, RejectReason::last_gate);
  }
  std::array<char, encoded_order_max> text;
  const Encoded encoded = host_.network->up(Lane::orders) ? gateway_->encode(approved, now, text)
                                                          : Encoded{0, RejectReason::not_connected};
  gate_->leave();
  if (!encoded.ok()) { return refuse(o.order, o.instrument, action, encoded.refused); }
  write({text.data(), encoded.bytes});
  const Event told = order_sent(o, clock_.now());
  hand_back(&told, 1);
}

void Bot::execute(const Command& c) {
  const bool cancels = c.kind() == CommandKind::cancel || c.kind() == CommandKind::cancel_all;
  if (cancels && host_.plant == Plant::lose_cancels) return;
  if (c.kind() == CommandKind::place) {
    const PlaceOrder& o = *c.place();
    if (!host_.gate->list_new(o.order, o.venue, o.instrument)) {
      return refuse(o.order, o.instrument, OrderAction::place, RejectReason::last_gate);
    }
    if (host_.plant == Plant::leak_after_kill && hold_back(c.place())) return;
    return send_order(c.place(), OrderAction::place);
  }
  if (c.kind() == CommandKind::replace) return send_order(c.replace(), OrderAction::replace);
  if (c.kind() == CommandKind::cancel_all) {
    if (!gateway_->encode(c.cancel_all(), clock_.now(), order_outbox_)) {
      return order_outbox_.clear();
    }
    return send(Lane::orders, order_outbox_);
  }
  const CancelOrder& o = c.cancel();
  std::array<char, encoded_order_max> text;
  const Encoded encoded = host_.network->up(Lane::orders) ? gateway_->encode(o, clock_.now(), text)
                                                          : Encoded{0, RejectReason::not_connected};
  if (!encoded.ok()) { return refuse(o.order, o.instrument, OrderAction::cancel, encoded.refused); }
  write({text.data(), encoded.bytes});
  const Event told = order_sent(o, clock_.now());
  hand_back(&told, 1);
}

// --- the query thread
// -------------------------------------------------------------------------------

bool Bot::push_query(std::span<const Event> unit) {
  static_cast<void>(list_answered(*host_.gate, unit));
  if (from_queries_.push_unit(unit.data(), unit.size())) return true;
  host_.transport->pause(std::chrono::milliseconds{1});
  return from_queries_.push_unit(unit.data(), unit.size());
}

void Bot::reconcile_again() { reconciles_.push_back(last_reconcile_); }

bool Bot::serve_query() {
  const PushUnits out = [this](std::span<const Event> unit) { return push_query(unit); };
  if (serve_clock_and_login()) return true;
  carry_out_listings();
  if (!reconciles_.empty()) {
    last_reconcile_ = reconciles_.front();
    reconciles_.pop_front();
    static_cast<void>(queries_->reconcile(last_reconcile_, out));
    return true;
  }
  if (!look_ups_.empty()) {
    std::vector<QueryOrder> orders;
    for (; !look_ups_.empty(); look_ups_.pop_front()) {
      const OrderId id = look_ups_.front().order;
      const bool known = std::any_of(orders.begin(), orders.end(),
                                     [&](const QueryOrder& o) { return o.order == id; });
      if (!known) orders.push_back(look_ups_.front());
    }
    if (host_.plant == Plant::deaf_queries) return true;
    static_cast<void>(queries_->look_up(orders, out));
    return true;
  }
  return read_list();
}

// As QueryLoop::run: before what is asked for, since an order that cannot be proven is asked for
// without end. True: something was asked.
bool Bot::serve_clock_and_login() {
  const RecvTime now = clock_.now();
  if (plant_clock(Plant::wall_timer) >= clock_due_) {
    VenueClock payload;
    host_.measures_clock = true;
    const bool told = queries_->venue_clock(clock_samples, payload).empty();
    host_.measures_clock = false;
    clock_due_ = plant_clock(Plant::wall_timer) + (told ? clock_interval : clock_retry);
    if (!told) return true;
    Event e = make_event(EventKind::venue_clock, venue_, {}, clock_.now(), {}, payload);
    e.add_flag(event_flag::last_in_packet);
    return push_query(std::span<const Event>{&e, 1});
  }
  if (login_due_.mono_ns == 0) login_due_ = now + token_refresh;
  if (now < login_due_) return false;
  const bool done = queries_->login().empty();
  login_due_ = clock_.now() + (done ? token_refresh : login_retry);
  return true;
}

}  // namespace gimbal::simtest
