// DeribitGateway: the session's set-up, answers and notifications. See gateway.hpp.
#include "venues/deribit/gateway.hpp"

#include <algorithm>
#include <utility>

#include "venues/deribit/errors.hpp"
#include "venues/deribit/gateway_state.hpp"
#include "venues/deribit/json_writer.hpp"

namespace gimbal::deribit {

namespace {

// Ids of the set-up's requests, counted from the session's first id.
constexpr std::int64_t id_heartbeat = 0;
constexpr std::int64_t id_cod_on = 1;
constexpr std::int64_t id_cod_read = 2;
constexpr std::int64_t id_channels = 3;
constexpr std::int64_t id_test = 4;

constexpr std::array<std::string_view, 3> channels{"user.orders.any.any.raw",
                                                   "user.trades.any.any.raw", "user.portfolio.any"};

// From a failed step, or one without its answer, until the connection is given up.
constexpr Nanos set_up_patience = seconds(10);

constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// The venue echoes some channel names in another case.
bool same_name(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return lower(x) == lower(y); });
}

void push(Outbox& outbox, std::int64_t id, std::string_view rest) noexcept {
  std::array<char, 512> text{};
  JsonWriter w{text};
  w.raw(R"({"jsonrpc":"2.0","id":)").integer(id).raw(rest);
  (void)outbox.push(w.view());  // a full outbox shows as a set-up that times out
}

void last_in_packet(EventBatch& batch, std::size_t staged_before) noexcept {
  if (batch.staged() > staged_before) {
    Event* event = batch.extend(0);
    std::size_t parts = event[-1].part_count();
    while (parts-- > 0) (--event)->add_flag(event_flag::last_in_packet);
  }
  batch.commit();
}

}  // namespace

DeribitGateway::State::State(GatewayConfig settings, const SymbolTable& names,
                             const InstrumentTable& table, const UnderlyingNames& coins,
                             RateBudget& rates)
    : config{std::move(settings)},
      symbols{&names},
      instruments{&table},
      underlyings{&coins},
      budget{&rates},
      login{std::move(config.login)},
      reader{config.frame_max} {}

// --- set-up
// ---------------------------------------------------------------------------------------

void DeribitGateway::State::status(GatewayState state, std::int32_t code, RecvTime now,
                                   EventBatch& batch) noexcept {
  GatewayStatus s;
  s.state = state;
  s.cancel_on_disconnect = (done_steps & step_cod_read) != 0 ? 1 : 0;
  s.venue_code = code;
  s.generation = generation;
  (void)batch.push(make_event(EventKind::gateway_status, config.venue, {}, now, {}, s));
}

void DeribitGateway::State::set_up(RecvTime now, Outbox& outbox) noexcept {
  set_up_by = now + config.answer_timeout;
  std::array<char, 128> text{};
  JsonWriter w{text};
  w.raw(R"(,"method":"public/set_heartbeat","params":{"interval":)");
  w.integer(config.heartbeat_s).raw("}}");
  push(outbox, session_id(id_heartbeat), w.view());
  push(outbox, session_id(id_cod_on),
       R"(,"method":"private/enable_cancel_on_disconnect","params":{"scope":"connection"}})");
  std::array<char, 256> list{};
  JsonWriter l{list};
  l.raw(R"(,"method":"private/subscribe","params":{"channels":[)");
  for (std::size_t i = 0; i < channels.size(); ++i) {
    l.raw(i == 0 ? "\"" : ",\"").raw(channels[i]).raw("\"");
  }
  l.raw("]}}");
  push(outbox, session_id(id_channels), l.view());
  trouble = "answers to the session's set-up";
}

void DeribitGateway::State::step_done(Step step, RecvTime now, EventBatch& batch) noexcept {
  const bool was_ready = ready();
  done_steps |= step;
  if (late && done_steps == all_steps) failed = late = false;
  if (was_ready || !ready()) return;
  trouble = {};
  status(GatewayState::ready, 0, now, batch);
}

void DeribitGateway::State::step_failed(std::string_view why, std::int32_t code, RecvTime now,
                                        EventBatch& batch) noexcept {
  if (!failed) failed_at = now;
  failed = true;
  late = false;
  trouble = why;
  const bool in = (done_steps & step_login) != 0;
  status(in ? GatewayState::authenticated : GatewayState::connecting, code, now, batch);
}

bool DeribitGateway::State::channels_accepted(const PrivateFrame& frame) const noexcept {
  return std::all_of(channels.begin(), channels.end(), [&](std::string_view wanted) {
    return std::any_of(frame.names.begin(), frame.names.end(),
                       [&](std::string_view name) { return same_name(name, wanted); });
  });
}

bool DeribitGateway::State::on_set_up_answer(const PrivateFrame& frame, RecvTime now,
                                             EventBatch& batch, Outbox& outbox) noexcept {
  const std::int64_t which = frame.id - config.first_request_id;
  if (which < 0 || which >= ids_of_session) return false;
  if (which == id_test) return true;
  if (frame.shape == PrivateShape::error) {
    step_failed(which == id_channels    ? "private/subscribe was refused"
                : which == id_heartbeat ? "public/set_heartbeat was refused"
                                        : "cancel on disconnect was refused",
                frame.error_code, now, batch);
    return true;
  }
  switch (which) {
    case id_heartbeat: step_done(step_heartbeat, now, batch); break;
    case id_cod_on:
      step_done(step_cod_on, now, batch);
      // Believed only when it is read back.
      push(outbox, session_id(id_cod_read),
           R"(,"method":"private/get_cancel_on_disconnect","params":{"scope":"connection"}})");
      break;
    case id_cod_read:
      if (frame.enabled_said && frame.enabled) {
        step_done(step_cod_read, now, batch);
      } else {
        step_failed("cancel on disconnect reads as off", 0, now, batch);
      }
      break;
    case id_channels:
      if (channels_accepted(frame)) {
        step_done(step_channels, now, batch);
      } else {
        step_failed("a private channel is missing from the subscription answer", 0, now, batch);
      }
      break;
    default: break;
  }
  return true;
}

// --- rows -> events
// -------------------------------------------------------------------------------

void DeribitGateway::State::count(Reported reported) noexcept {
  if (reported == Reported::combo) ++counters.combo_rows;
  if (reported == Reported::unknown_instrument) ++counters.unknown_instruments;
}

void DeribitGateway::State::remember(const OrderRow& row) noexcept {
  const OrderId order = parse_label(config.label_tag, row.label).order;
  if (!order.valid()) {
    ++counters.foreign_orders;
  } else if (row.state == OrderState::open || row.state == OrderState::untriggered) {
    refs.put(order, row.order_id);
  } else if (row.state != OrderState::unknown) {
    refs.erase(order);
  }
}

void DeribitGateway::State::order_row(const ReportContext& c, const OrderRow& row,
                                      OrderAction action) noexcept {
  remember(row);
  if (row.state == OrderState::unknown) ++counters.unknown_enums;
  count(report_state(c, row, action));
}

void DeribitGateway::State::reject(OrderId order, InstrumentId instrument, OrderAction action,
                                   RejectReason reason, std::int32_t code, RecvTime now,
                                   EventBatch& batch) noexcept {
  OrderReject r;
  r.order = order;
  r.venue_code = code;
  r.reason = reason;
  r.action = action;
  (void)batch.push(make_event(EventKind::order_reject, config.venue, instrument, now, {}, r));
}

DecodeStatus DeribitGateway::State::on_rows(const PrivateFrame& frame, RecvTime now,
                                            EventBatch& batch) noexcept {
  const ReportContext c = context(now, batch);
  // Fills before the states that they led to: an order is never done before its last fill.
  for (const UserTradeRow& row : frame.trades) {
    if (!row.liquidity_known) ++counters.unknown_enums;
    count(report_trade(c, row));
  }
  for (const OrderRow& row : frame.orders) order_row(c, row, OrderAction::place);
  for (const PositionRow& row : frame.positions) count(report_position(c, row));
  for (const MarginRow& row : frame.margins) count(report_margin(c, row));
  return DecodeStatus::ok;
}

DecodeStatus DeribitGateway::State::on_reply(const PrivateFrame& frame, RecvTime now,
                                             EventBatch& batch) noexcept {
  RequestTable::Entry asked;
  if (!requests.take(frame.id, asked)) {
    ++counters.unknown_replies;
    return DecodeStatus::ignored;
  }
  if (asked.mass) return on_rows(frame, now, batch);
  const ReportContext c = context(now, batch);
  bool answered = false;
  for (const OrderRow& row : frame.orders) {
    answered = answered || parse_label(config.label_tag, row.label).order == asked.order;
    // A reply to a placement is first of all the acknowledgement.
    const bool terminal = row.state == OrderState::filled || row.state == OrderState::cancelled;
    if (asked.action != OrderAction::cancel && terminal) count(report_ack(c, row));
  }
  for (const UserTradeRow& row : frame.trades) count(report_trade(c, row));
  for (const OrderRow& row : frame.orders) order_row(c, row, asked.action);
  if (answered) return DecodeStatus::ok;
  if (asked.action == OrderAction::cancel && frame.result_is_number) {
    // By label: the orders themselves come as notifications; none means that none was open.
    if (frame.result_number != 0) return DecodeStatus::ok;
    reject(asked.order, asked.instrument, asked.action, RejectReason::venue, error_not_open_order,
           now, batch);
    return DecodeStatus::ok;
  }
  reject(asked.order, asked.instrument, asked.action, RejectReason::unclear, 0, now, batch);
  return DecodeStatus::ok;
}

DecodeStatus DeribitGateway::State::on_error(const PrivateFrame& frame, RecvTime now,
                                             EventBatch& batch) noexcept {
  if (frame.error_code == error_too_many_requests) budget->drained(now);
  RequestTable::Entry asked;
  if (!requests.take(frame.id, asked)) {
    ++counters.unknown_replies;
    return DecodeStatus::ignored;
  }
  // Only what this session asked: the code also refuses a login that another one overtook.
  if (frame.error_code == error_unauthorized) {
    step_failed("the venue no longer takes the session's token", frame.error_code, now, batch);
  }
  if (asked.mass) {
    // Nothing says which orders survived: the kill's own look at the open orders decides.
    reject({}, {}, OrderAction::cancel, RejectReason::unclear, frame.error_code, now, batch);
    return DecodeStatus::ok;
  }
  reject(asked.order, asked.instrument, asked.action, reject_reason(frame.error_code, asked.action),
         frame.error_code, now, batch);
  return DecodeStatus::ok;
}

DecodeStatus DeribitGateway::State::malformed(const PrivateFrame& frame, RecvTime now,
                                              EventBatch& batch) noexcept {
  ++counters.malformed;
  batch.rollback();
  RequestTable::Entry asked;
  const bool known = requests.take(frame.id, asked);
  // Without an order it says: something about this account was lost, reconcile.
  reject(known ? asked.order : OrderId{}, known ? asked.instrument : InstrumentId{},
         known ? asked.action : OrderAction::place, RejectReason::unclear, 0, now, batch);
  return DecodeStatus::malformed;
}

DecodeStatus DeribitGateway::State::decode(const PrivateFrame& frame, RecvTime now,
                                           EventBatch& batch, Outbox& outbox) noexcept {
  switch (frame.shape) {
    case PrivateShape::malformed: return malformed(frame, now, batch);
    case PrivateShape::test_request:
      push(outbox, session_id(id_test), R"(,"method":"public/test","params":{}})");
      return DecodeStatus::ignored;
    case PrivateShape::heartbeat:
    case PrivateShape::other: return DecodeStatus::ignored;
    case PrivateShape::subscription:
      if (frame.channel == PrivateChannel::other) return DecodeStatus::ignored;
      return on_rows(frame, now, batch);
    case PrivateShape::reply:
    case PrivateShape::error: break;
  }
  if (on_set_up_answer(frame, now, batch, outbox)) return DecodeStatus::ok;
  return frame.shape == PrivateShape::error ? on_error(frame, now, batch)
                                            : on_reply(frame, now, batch);
}

// --- the public face
// ------------------------------------------------------------------------------

DeribitGateway::DeribitGateway(GatewayConfig config, const SymbolTable& symbols,
                               const InstrumentTable& instruments,
                               const UnderlyingNames& underlyings, RateBudget& budget)
    : state_{
          std::make_unique<State>(std::move(config), symbols, instruments, underlyings, budget)} {}
DeribitGateway::DeribitGateway(DeribitGateway&&) noexcept = default;
DeribitGateway& DeribitGateway::operator=(DeribitGateway&&) noexcept = default;
DeribitGateway::~DeribitGateway() = default;

void DeribitGateway::on_open(RecvTime now, std::uint64_t generation, EventBatch& batch,
                             Outbox& outbox) {
  State& s = *state_;
  const std::size_t staged_before = batch.staged();
  s.open = true;
  s.failed = s.late = false;
  s.done_steps = 0;
  s.generation = generation;
  s.set_up_by = now + s.config.answer_timeout;
  s.requests.clear();  // answers to what an older connection asked never come
  s.trouble = "the login";
  s.login.on_open(now, outbox);
  s.status(GatewayState::connecting, 0, now, batch);
  last_in_packet(batch, staged_before);
}

DecodeStatus DeribitGateway::on_frame(const Frame& frame, RecvTime recv, EventBatch& batch,
                                      Outbox& outbox) {
  State& s = *state_;
  ++s.counters.frames;
  batch.rollback();
  const std::size_t staged_before = batch.staged();
  DecodeStatus result = DecodeStatus::ok;
  switch (s.login.on_frame(frame, recv, outbox)) {
    case LoginStep::not_mine: result = s.decode(s.reader.read(frame), recv, batch, outbox); break;
    case LoginStep::accepted:
      if ((s.done_steps & State::step_login) == 0) {
        s.done_steps |= State::step_login;
        s.failed = s.late = false;  // the login had been late
        s.set_up_by = recv + s.config.answer_timeout;
        s.status(GatewayState::authenticated, 0, recv, batch);
        s.set_up(recv, outbox);
      }
      break;
    case LoginStep::waiting: result = DecodeStatus::ignored; break;
    case LoginStep::refused:
      s.step_failed("the login was refused", s.login.error_code(), recv, batch);
      break;
  }
  if (result == DecodeStatus::ignored) ++s.counters.ignored;
  last_in_packet(batch, staged_before);
  return result;
}

void DeribitGateway::on_close(RecvTime now, EventBatch& batch) {
  State& s = *state_;
  const std::size_t staged_before = batch.staged();
  s.open = false;
  s.done_steps = 0;
  s.trouble = "a connection";
  s.login.on_close();
  s.status(GatewayState::down, 0, now, batch);
  last_in_packet(batch, staged_before);
}

void DeribitGateway::on_timer(RecvTime now, EventBatch& batch, Outbox& outbox) {
  State& s = *state_;
  if (!s.open) return;
  s.login.on_timer(now, outbox);
  if (s.ready() || s.failed || now < s.set_up_by) return;
  const std::size_t staged_before = batch.staged();
  s.step_failed((s.done_steps & State::step_login) == 0
                    ? "the login was not answered in time"
                    : "a step of the session's set-up was not answered in time",
                0, now, batch);
  s.late = true;
  last_in_packet(batch, staged_before);
}

void DeribitGateway::know(std::size_t end) noexcept { state_->names_end = end; }

bool DeribitGateway::ready() const noexcept { return state_->ready(); }

bool DeribitGateway::lost(RecvTime now) const noexcept {
  const State& s = *state_;
  const bool in = (s.done_steps & State::step_login) != 0;  // a login has its own ways on
  return s.open && s.failed && in && now - s.failed_at > set_up_patience;
}

std::string_view DeribitGateway::waiting_for() const noexcept { return state_->trouble; }

const GatewayCounters& DeribitGateway::counters() const noexcept { return state_->counters; }

std::string_view DeribitGateway::access_token() const noexcept {
  return state_->login.access_token();
}

std::string_view DeribitGateway::venue_order_id(OrderId order) const noexcept {
  return state_->refs.find(order);
}

}  // namespace gimbal::deribit
