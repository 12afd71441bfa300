#include "ops/app/venue_queries.hpp"

#include <algorithm>
#include <utility>

#include "engine/core/payload.hpp"

namespace gimbal {
namespace {

constexpr unsigned trades_page = 1000;
constexpr int pages_max = 100;
constexpr int pictures_max = 5;
constexpr std::int64_t trades_ahead_ms = 60 * 1000;  // behind the newest stamp of the venue
// How far before the last reconciliation trades are asked for again: the overlap is dropped by
// exact trade id, a hole would be a missed fill.
constexpr std::int64_t hour_ns = 3'600'000'000'000;
constexpr std::int64_t trades_overlap_ms = 10 * 60 * 1000;

std::string named(const char* what, const std::string& why) {
  return std::string{what} + ": " + why;
}

// Splits a batch into whole units and pushes each.
bool push_batch(EventBatch& batch, const PushUnits& push) {
  std::span<Event> all = batch.committed();
  std::size_t at = 0;
  while (at < all.size()) {
    const std::size_t parts = all[at].part_count();
    if (parts == 0 || at + parts > all.size()) return false;
    if (!push(all.subspan(at, parts))) return false;
    at += parts;
  }
  return true;
}

}  // namespace

struct VenueQueries::Picture {
  explicit Picture(std::size_t events) : trades{events}, orders{events}, positions{events} {}

  EventBatch trades;
  EventBatch orders;
  EventBatch positions;
  EventBatch account{1024};
  std::size_t trade_rows{0};
  std::size_t order_rows{0};
  std::size_t position_rows{0};
  ExchTime as_of{};
  std::int64_t trades_to_ms{0};  // venue time that the trades were asked for up to
};

VenueQueries::VenueQueries(QuerySetup setup)
    : setup_{std::move(setup)},
      login_{setup_.login},
      parser_{deribit::QueryContext{setup_.venue, setup_.label_tag, setup_.symbols}},
      credits_{setup_.burst} {}

// The venue ends sessions that overrun its limit: this side waits instead.
void VenueQueries::wait_for_credit() {
  for (;;) {
    const RecvTime at = now();
    if (credits_at_.mono_ns != 0) {
      const double grown = static_cast<double>((at - credits_at_).count) * 1e-9 * setup_.rate_per_s;
      credits_ = std::min(setup_.burst, credits_ + grown);
    }
    credits_at_ = at;
    if (credits_ >= 1) break;
    setup_.transport->pause(std::chrono::milliseconds{5});
  }
  credits_ -= 1;
}

VenueQueries::Reply VenueQueries::call(const std::string& request) {
  wait_for_credit();
  Reply reply;
  HttpRequest http;
  http.method = "POST";
  http.target = setup_.target;
  http.headers = {{"Content-Type", "application/json"}};
  http.body = request;
  reply.sent = now();
  const HttpResponse answer = setup_.transport->call(http, setup_.limit);
  reply.received = now();
  if (answer.status == 0) {
    reply.error = named("query session", answer.error);
    return reply;
  }
  if (answer.body.empty()) {
    reply.error = "query session: HTTP status " + std::to_string(answer.status) + " and no body";
    return reply;
  }
  reply.bytes.assign(answer.body.begin(), answer.body.end());
  reply.bytes.resize(answer.body.size() + frame_padding);
  reply.frame = Frame{reply.bytes.data(), answer.body.size(), reply.bytes.size()};
  return reply;
}

std::string VenueQueries::login() {
  outbox_.clear();
  login_.on_open(now(), outbox_);
  if (outbox_.empty()) return "login: nothing to send";
  const std::string request{outbox_[0]};
  outbox_.clear();
  const Reply reply = call(request);
  if (!reply.error.empty()) return named("login", reply.error);
  const LoginStep step = login_.on_frame(reply.frame, reply.received, outbox_);
  outbox_.clear();
  if (step != LoginStep::accepted) { return named("login refused", std::string{login_.refusal()}); }
  texts_.access_token = std::string{login_.access_token()};
  return {};
}

std::string VenueQueries::instruments(const std::string& currency, deribit::InstrumentList& out) {
  const Reply reply = call(texts_.get_instruments(next_id_++, currency));
  if (!reply.error.empty()) return named("get_instruments", reply.error);
  out = deribit::parse_instruments(reply.frame);
  return out.error.empty() ? std::string{} : named("get_instruments", out.error);
}

std::string VenueQueries::instrument(const std::string& name, deribit::InstrumentList& out) {
  const Reply reply = call(texts_.get_instrument(next_id_++, name));
  if (!reply.error.empty()) return named("get_instrument", reply.error);
  out = deribit::parse_instruments(reply.frame);
  return out.error.empty() ? std::string{} : named("get_instrument", out.error);
}

std::string VenueQueries::venue_clock(int samples, VenueClock& out) {
  Nanos best{INT64_MAX};
  std::string error = "get_time: no answer";
  for (int i = 0; i < samples; ++i) {
    const Reply reply = call(texts_.get_time(next_id_++));
    if (!reply.error.empty()) return named("get_time", reply.error);
    ExchTime venue{};
    const deribit::QueryResult result = noted(parser_.time(reply.frame, venue), reply);
    if (!result.ok) return named("get_time", result.error);
    // The envelope's microseconds when they are there; the result counts milliseconds only.
    const ExchTime stamp = result.venue_time.unix_ns > 0 ? result.venue_time : venue;
    note_stamp(stamp, reply.received);  // not every venue stamps its envelopes
    const Nanos trip = reply.received - reply.sent;
    if (!(trip < best)) continue;
    best = trip;
    const std::int64_t middle = reply.sent.mono_ns + trip.count / 2;
    out.offset_ns = stamp.unix_ns - middle;
    out.uncertainty_ns = trip.count / 2 + 1000;
    const ExchTime wall_middle = wall() - (now() - RecvTime{middle});
    out.wall_gap_ns = (wall_middle - stamp).count;
    const bool own_date = out.wall_gap_ns > hour_ns || out.wall_gap_ns < -hour_ns;
    if (setup_.simulated && own_date) out.wall_gap_ns = 0;
    error.clear();
  }
  return error;
}

void VenueQueries::note_stamp(ExchTime stamp, RecvTime received) {
  if (stamp.unix_ns > 0) newest_reply_ = Stamp{stamp, received};
}

std::string VenueQueries::venue_now(ExchTime& out) {
  if (newest_reply_.venue.unix_ns == 0) {
    VenueClock clock;
    const std::string error = venue_clock(1, clock);
    if (newest_reply_.venue.unix_ns == 0) return error;
  }
  out = newest_reply_.venue + (now() - newest_reply_.received);
  return {};
}

std::string VenueQueries::fetch_trades(EventBatch& batch, std::size_t& rows, std::int64_t& end_ms) {
  rows = 0;
  ExchTime venue{};
  if (std::string e = venue_now(venue); !e.empty()) return e;
  if (trades_from_ms_ == 0) trades_from_ms_ = to_unix_ms(venue) - trades_overlap_ms;
  end_ms = to_unix_ms(venue) + trades_ahead_ms;
  for (const std::string& currency : setup_.currencies) {
    std::int64_t start_ms = trades_from_ms_;
    for (int page = 0; page < pages_max; ++page) {
      const Reply reply =
          call(texts_.get_user_trades_by_time(next_id_++, currency, start_ms, end_ms, trades_page));
      if (!reply.error.empty()) return named("get_user_trades", reply.error);
      const deribit::QueryResult result =
          noted(parser_.user_trades(reply.frame, now(), batch), reply);
      if (!result.ok) return named("get_user_trades", result.error);
      rows += result.rows;
      if (!result.has_more) break;
      if (result.last_timestamp_ms <= start_ms && page > 0) {
        return "get_user_trades: the venue's pages do not move on";
      }
      start_ms = result.last_timestamp_ms;
    }
  }
  return {};
}

deribit::QueryResult VenueQueries::noted(deribit::QueryResult result, const Reply& reply) {
  note_stamp(result.venue_time, reply.received);
  // Says nothing about any order, and is no passing trouble: the monitor makes an alert of it.
  if (result.too_many_orders) lists_unread_.fetch_add(1, std::memory_order_relaxed);
  return result;
}

std::string VenueQueries::fetch_picture(Picture& picture) {
  if (std::string e = fetch_trades(picture.trades, picture.trade_rows, picture.trades_to_ms);
      !e.empty()) {
    return e;
  }
  Reply reply = call(texts_.get_open_orders(next_id_++));
  if (!reply.error.empty()) return named("get_open_orders", reply.error);
  deribit::QueryResult result =
      noted(parser_.open_orders(reply.frame, now(), picture.orders), reply);
  if (!result.ok) return named("get_open_orders", result.error);
  picture.order_rows = result.rows;
  note_shown(picture.orders.committed());
  reply = call(texts_.get_positions(next_id_++));
  if (!reply.error.empty()) return named("get_positions", reply.error);
  result = noted(parser_.positions(reply.frame, now(), picture.positions), reply);
  if (!result.ok) return named("get_positions", result.error);
  picture.position_rows = result.rows;
  picture.as_of = result.venue_time;
  reply = call(texts_.get_account_summaries(next_id_++));
  if (!reply.error.empty()) return named("get_account_summaries", reply.error);
  result = noted(parser_.account(reply.frame, now(), picture.account), reply);
  if (!result.ok) return named("get_account_summaries", result.error);
  if (result.account_id != 0) account_id_.store(result.account_id, std::memory_order_release);
  // A trade that happened while the picture was taken would be in one answer and not in another.
  EventBatch again{setup_.batch_events};
  std::size_t rows = 0;
  std::int64_t end_ms = 0;
  if (std::string e = fetch_trades(again, rows, end_ms); !e.empty()) return e;
  return rows == picture.trade_rows ? std::string{} : "trades arrived while the picture was taken";
}

void VenueQueries::mark(const Reconcile& command, ReconcilePhase phase, const Picture* picture,
                        const PushUnits& push) {
  ReconcileMark payload;
  payload.phase = phase;
  payload.generation = command.generation;
  if (picture != nullptr) {
    payload.open_orders = static_cast<std::uint32_t>(picture->order_rows);
    payload.positions = static_cast<std::uint32_t>(picture->position_rows);
    payload.trades = static_cast<std::uint32_t>(picture->trade_rows);
    payload.as_of = picture->as_of;
  }
  Event e = make_event(EventKind::reconcile_mark, command.venue, InstrumentId{}, now(),
                       picture != nullptr ? picture->as_of : ExchTime{}, payload);
  e.add_flag(event_flag::last_in_packet);
  (void)push(std::span<const Event>{&e, 1});
}

std::string VenueQueries::reconcile(const Reconcile& command, const PushUnits& push) {
  mark(command, ReconcilePhase::begin, nullptr, push);
  std::string error;
  for (int attempt = 0; attempt < pictures_max; ++attempt) {
    Picture picture{setup_.batch_events};
    error = fetch_picture(picture);
    if (!error.empty()) continue;
    const bool pushed = push_batch(picture.trades, push) && push_batch(picture.orders, push) &&
                        push_batch(picture.positions, push) && push_batch(picture.account, push);
    if (!pushed) {
      error = "reconcile: the event ring is full";
      break;
    }
    mark(command, ReconcilePhase::complete, &picture, push);
    // One reply that is stamped far ahead moves the span no further than it was asked for.
    const std::int64_t as_of_ms = std::min(to_unix_ms(picture.as_of), picture.trades_to_ms);
    trades_from_ms_ = std::max(trades_from_ms_, as_of_ms - trades_overlap_ms);
    return {};
  }
  mark(command, ReconcilePhase::failed, nullptr, push);
  return named("reconcile", error);
}

std::string VenueQueries::count_open(OpenCount& out) {
  const Reply reply = call(texts_.get_open_orders(next_id_++));
  if (!reply.error.empty()) return named("get_open_orders", reply.error);
  EventBatch batch{setup_.batch_events};
  const deribit::QueryResult result = noted(parser_.open_orders(reply.frame, now(), batch), reply);
  if (!result.ok) return named("get_open_orders", result.error);
  // Rows of combos and of what is not subscribed make no report, and rest all the same.
  out.all += result.skipped;
  out.ours += result.skipped_ours;
  PartsBuffer<OpenOrderReport> report;
  for (const Event& e : batch.committed()) {
    if (e.kind() != EventKind::open_order_report || !report.add(e)) continue;
    ++out.all;
    if (report.value().order.valid()) ++out.ours;
  }
  return {};
}

}  // namespace gimbal
