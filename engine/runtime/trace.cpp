#include "engine/runtime/trace.hpp"

#include <array>
#include <cinttypes>
#include <cstdio>

namespace gimbal {
namespace {

constexpr std::array<std::string_view, 36> trace_names{"none",
                                                       "order_requested",
                                                       "order_refused",
                                                       "order_state",
                                                       "order_unknown",
                                                       "order_fault",
                                                       "fill_applied",
                                                       "fill_duplicate",
                                                       "fill_late",
                                                       "fill_overflow",
                                                       "book_invalid",
                                                       "book_valid",
                                                       "mode_changed",
                                                       "operator_answer",
                                                       "cancel_round",
                                                       "cancel_confirmed",
                                                       "reconcile_begin",
                                                       "reconcile_done",
                                                       "position_corrected",
                                                       "position_drift",
                                                       "foreign_order",
                                                       "foreign_fill",
                                                       "delta_mismatch",
                                                       "instrument_changed",
                                                       "hedge_decided",
                                                       "hedge_waits",
                                                       "hedge_stopped",
                                                       "rebalance_fired",
                                                       "gateway",
                                                       "query_sent",
                                                       "guardian",
                                                       "flatten",
                                                       "liquidation_decided",
                                                       "margin_state",
                                                       "module_seen",
                                                       "unknown"};

template <class... Values>
void append(std::string& out, const char* format, Values... values) {
  char text[128];
  const int n = std::snprintf(text, sizeof text, format, values...);
  if (n > 0)
    out.append(text, static_cast<std::size_t>(n) < sizeof text ? static_cast<std::size_t>(n)
                                                               : sizeof text - 1);
}

}  // namespace

std::string_view name_of(TraceId id) noexcept {
  const auto at = static_cast<std::size_t>(id);
  return at < trace_names.size() ? trace_names[at] : trace_names.back();
}

std::string to_json(const TraceRecord& record) {
  std::string out;
  append(out, "{\"t\":\"%" PRId64 ".%09" PRId64 "\",\"seq\":%" PRIu64 ",\"trace\":\"",
         record.at.mono_ns / 1'000'000'000, record.at.mono_ns % 1'000'000'000, record.seq);
  out += name_of(record.id);
  append(out, "\",\"venue\":%u", static_cast<unsigned>(record.venue.value));
  if (record.instrument.valid()) {
    append(out, ",\"instrument\":%u", static_cast<unsigned>(record.instrument.value));
  }
  if (record.strategy.value != 0xFF) {
    append(out, ",\"strategy\":%u", static_cast<unsigned>(record.strategy.value));
  }
  if (record.underlying != 0xFF) {
    append(out, ",\"underlying\":%u", static_cast<unsigned>(record.underlying));
  }
  append(out, ",\"a\":%" PRId64 ",\"b\":%" PRId64 ",\"c\":%" PRId64 ",\"d\":%" PRId64 "}", record.a,
         record.b, record.c, record.d);
  return out;
}

}  // namespace gimbal
