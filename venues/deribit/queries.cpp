// Query texts and reply parsers: see queries.hpp. Cold: allocates.
#include "venues/deribit/queries.hpp"

#include <array>
#include <utility>

#include "venues/deribit/errors.hpp"
#include "venues/deribit/json_writer.hpp"
#include "venues/deribit/labels.hpp"
#include "venues/deribit/private_reader.hpp"
#include "venues/deribit/reports.hpp"

namespace gimbal::deribit {

static_assert(open_orders_reply_max == PrivateReader::rows_max);

// --- texts
// ----------------------------------------------------------------------------------------

namespace {

class Request {
 public:
  Request(std::int64_t id, std::string_view method, std::string_view token) : writer_{text_} {
    writer_.raw(R"({"jsonrpc":"2.0","id":)").integer(id).raw(R"(,"method":")").raw(method);
    writer_.raw(R"(","params":{)");
    if (!token.empty()) text("access_token", token);
  }
  Request& text(std::string_view key, std::string_view value) {
    name(key).raw("\"").plain(value).raw("\"");
    return *this;
  }
  Request& integer(std::string_view key, std::int64_t value) {
    name(key).integer(value);
    return *this;
  }
  Request& flag(std::string_view key, bool value) {
    name(key).raw(value ? "true" : "false");
    return *this;
  }
  [[nodiscard]] std::string done() { return std::string{writer_.raw("}}").view()}; }

 private:
  JsonWriter& name(std::string_view key) {
    if (!first_) writer_.raw(",");
    first_ = false;
    return writer_.raw("\"").raw(key).raw("\":");
  }
  std::array<char, 4096> text_{};
  JsonWriter writer_;
  bool first_{true};
};

}  // namespace

std::string QueryTexts::get_time(std::int64_t id) const {
  return Request{id, "public/get_time", {}}.done();
}
std::string QueryTexts::get_instruments(std::int64_t id, std::string_view currency) const {
  return Request{id, "public/get_instruments", {}}
      .text("currency", currency)
      .flag("expired", false)
      .done();
}
std::string QueryTexts::get_instrument(std::int64_t id, std::string_view name) const {
  return Request{id, "public/get_instrument", {}}.text("instrument_name", name).done();
}
std::string QueryTexts::get_open_orders(std::int64_t id) const {
  return Request{id, "private/get_open_orders", access_token}.done();
}
std::string QueryTexts::get_positions(std::int64_t id) const {
  return Request{id, "private/get_positions", access_token}.text("currency", "any").done();
}
std::string QueryTexts::get_account_summary(std::int64_t id, std::string_view currency) const {
  return Request{id, "private/get_account_summary", access_token}
      .text("currency", currency)
      .flag("extended", true)
      .done();
}
std::string QueryTexts::get_account_summaries(std::int64_t id) const {
  return Request{id, "private/get_account_summaries", access_token}.flag("extended", true).done();
}
std::string QueryTexts::get_user_trades_by_time(std::int64_t id, std::string_view currency,
                                                std::int64_t start_ms, std::int64_t end_ms,
                                                unsigned count) const {
  return Request{id, "private/get_user_trades_by_currency_and_time", access_token}
      .text("currency", currency)
      .integer("start_timestamp", start_ms)
      .integer("end_timestamp", end_ms)
      .integer("count", count)
      .text("sorting", "asc")
      .done();
}
std::string QueryTexts::get_user_trades_back(std::int64_t id, std::string_view currency,
                                             std::int64_t start_ms, std::int64_t end_ms,
                                             unsigned count, Records records) const {
  Request request{id, "private/get_user_trades_by_currency_and_time", access_token};
  request.text("currency", currency)
      .integer("start_timestamp", start_ms)
      .integer("end_timestamp", end_ms)
      .integer("count", count)
      .text("sorting", "desc");
  if (records == Records::historical) request.flag("historical", true);
  return request.done();
}
std::string QueryTexts::get_user_trades_from(std::int64_t id, std::string_view currency,
                                             std::string_view start_id, unsigned count) const {
  return Request{id, "private/get_user_trades_by_currency", access_token}
      .text("currency", currency)
      .text("start_id", start_id)
      .integer("count", count)
      .text("sorting", "asc")
      .done();
}
std::string QueryTexts::get_order_state_by_label(std::int64_t id, std::string_view currency,
                                                 std::string_view label) const {
  return Request{id, "private/get_order_state_by_label", access_token}
      .text("currency", currency)
      .text("label", label)
      .done();
}
std::string QueryTexts::get_order_history(std::int64_t id, std::string_view currency,
                                          unsigned count, std::size_t offset,
                                          Records records) const {
  Request request{id, "private/get_order_history_by_currency", access_token};
  request.text("currency", currency)
      .integer("count", count)
      .flag("include_old", true)
      .flag("include_unfilled", true);
  if (offset > 0) request.integer("offset", static_cast<std::int64_t>(offset));
  if (records == Records::historical) request.flag("historical", true);
  return request.done();
}
std::string QueryTexts::get_cancel_on_disconnect(std::int64_t id) const {
  return Request{id, "private/get_cancel_on_disconnect", access_token}.done();
}

// --- replies
// --------------------------------------------------------------------------------------

struct QueryParser::State {
  QueryContext context;
  PrivateReader reader;

  State(QueryContext c, std::size_t frame_max) : context{std::move(c)}, reader{frame_max} {}

  // Reads the envelope into a result; the frame when it is an answer, nullptr otherwise.
  const PrivateFrame* answer(const Frame& reply, ReplyMode mode, std::string_view what,
                             QueryResult& out) {
    const PrivateFrame& f = reader.read(reply, mode);
    out.venue_time = ExchTime{f.us_out > 0 && f.us_out < INT64_MAX / 1000 ? f.us_out * 1000 : 0};
    if (f.shape == PrivateShape::reply) return &f;
    out.error = std::string{what} + ": ";
    if (f.shape == PrivateShape::error) {
      out.error_code = f.error_code;
      out.error += "the venue answered with error " + std::to_string(f.error_code) + " (" +
                   std::string{error_info(f.error_code).name} + ")";
    } else if (f.shape == PrivateShape::malformed) {
      out.error += "the reply could not be read: " + std::string{f.reason};
      out.too_many_orders = f.too_many_orders;
    } else {
      out.error += "not a reply";
    }
    return nullptr;
  }
  [[nodiscard]] ReportContext reports(RecvTime now, EventBatch& batch) const {
    return {context.venue, context.label_tag, context.symbols, now, event_flag::historical, &batch};
  }
};

namespace {

// Pushes every row or none.
template <class Rows, class Report>
void report_rows(const Rows& rows, EventBatch& batch, QueryResult& out, Report&& report) {
  batch.rollback();
  for (const auto& row : rows) {
    switch (report(row)) {
      case Reported::pushed: ++out.rows; break;
      case Reported::combo:
      case Reported::unknown_instrument: ++out.skipped; break;
      case Reported::full:
        batch.rollback();
        out.rows = out.skipped = 0;
        out.error = "the reply has more rows than the event batch takes";
        return;
    }
  }
  batch.commit();
  out.ok = true;
}

}  // namespace

QueryParser::QueryParser(QueryContext context, std::size_t frame_max)
    : state_{std::make_unique<State>(std::move(context), frame_max)} {}
QueryParser::QueryParser(QueryParser&&) noexcept = default;
QueryParser& QueryParser::operator=(QueryParser&&) noexcept = default;
QueryParser::~QueryParser() = default;

std::string_view QueryParser::label_tag() const noexcept { return state_->context.label_tag; }

const PrivateFrame* QueryParser::orders(const Frame& reply, std::string_view what,
                                        QueryResult& out) {
  const PrivateFrame* f = state_->answer(reply, ReplyMode::orders, what, out);
  if (f == nullptr) return nullptr;
  if (!f->result_is_array || f->result_items != f->orders.size()) {
    out.error = std::string{what} + ": the result is no list of orders";
    return nullptr;
  }
  out.ok = true;
  return f;
}

const PrivateFrame* QueryParser::trades(const Frame& reply, QueryResult& out) {
  const PrivateFrame* f = state_->answer(reply, ReplyMode::orders, "user trades", out);
  if (f == nullptr) return nullptr;
  if (f->result_is_array || !f->trades_said || !f->has_more_said) {
    out.error = "user trades: the result lacks 'trades' or 'has_more'";
    return nullptr;
  }
  out.ok = true;
  return f;
}

QueryResult QueryParser::time(const Frame& reply, ExchTime& out) {
  QueryResult result;
  const PrivateFrame* f = state_->answer(reply, ReplyMode::orders, "get_time", result);
  if (f == nullptr) return result;
  if (!f->result_is_number || f->result_number <= 0 || f->result_number > 9'000'000'000'000) {
    result.error = "get_time: the result is no time in milliseconds";
    return result;
  }
  out = from_unix_ms(f->result_number);
  result.ok = true;
  return result;
}

QueryResult QueryParser::open_orders(const Frame& reply, RecvTime now, EventBatch& batch) {
  QueryResult result;
  const PrivateFrame* f = orders(reply, "open orders", result);
  if (f == nullptr) return result;
  result.ok = false;  // until every row is taken
  const ReportContext c = state_->reports(now, batch);
  report_rows(f->orders, batch, result,
              [&](const OrderRow& row) { return report_open_order(c, row); });
  for (const OrderRow& row : f->orders) {
    if (!c.symbols->find(row.instrument).valid() &&
        parse_label(c.label_tag, row.label).order.valid()) {
      ++result.skipped_ours;
    }
  }
  return result;
}

QueryResult QueryParser::positions(const Frame& reply, RecvTime now, EventBatch& batch) {
  QueryResult result;
  const PrivateFrame* f = state_->answer(reply, ReplyMode::positions, "positions", result);
  if (f == nullptr) return result;
  const ReportContext c = state_->reports(now, batch);
  report_rows(f->positions, batch, result,
              [&](const PositionRow& row) { return report_position(c, row); });
  return result;
}

QueryResult QueryParser::account(const Frame& reply, RecvTime now, EventBatch& batch,
                                 RateLimits* limits) {
  QueryResult result;
  const PrivateFrame* f = state_->answer(reply, ReplyMode::account, "account summary", result);
  if (f == nullptr) return result;
  const ReportContext c = state_->reports(now, batch);
  report_rows(f->margins, batch, result,
              [&](const MarginRow& row) { return report_margin(c, row); });
  result.account_id = f->account_id > 0 ? static_cast<std::uint64_t>(f->account_id) : 0;
  if (result.ok && limits != nullptr && f->limits_said && f->limits.rate_per_s > 0 &&
      f->limits.burst > 0) {
    limits->rate_per_s = f->limits.rate_per_s;
    limits->burst = f->limits.burst;
  }
  return result;
}

QueryResult QueryParser::user_trades(const Frame& reply, RecvTime now, EventBatch& batch) {
  QueryResult result;
  const PrivateFrame* f = trades(reply, result);
  if (f == nullptr) return result;
  result.ok = false;  // until every row is taken
  const ReportContext c = state_->reports(now, batch);
  report_rows(f->trades, batch, result,
              [&](const UserTradeRow& row) { return report_trade(c, row); });
  result.has_more = f->has_more;
  if (!f->trades.empty()) {
    result.last_trade_id = f->trades.back().trade_id;
    result.last_timestamp_ms = to_unix_ms(f->trades.back().time);
  }
  return result;
}

QueryResult QueryParser::cancel_on_disconnect(const Frame& reply, bool& enabled) {
  QueryResult result;
  const PrivateFrame* f = state_->answer(reply, ReplyMode::orders, "cancel on disconnect", result);
  if (f == nullptr) return result;
  if (!f->enabled_said) {
    result.error = "cancel on disconnect: the result lacks 'enabled'";
    return result;
  }
  enabled = f->enabled;
  result.ok = true;
  return result;
}

}  // namespace gimbal::deribit
