// What a run says at its end, as text and as JSON. Room: ops/app. Cold.
#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <fstream>

#include "ops/app/bot.hpp"
#include "ops/app/commands.hpp"
#include "ops/app/hash.hpp"

namespace gimbal {
namespace {

double us(std::uint64_t ns) { return static_cast<double>(ns) * 1e-3; }

std::string json_latency(const Histogram& h) {
  return fmt::format(
      R"({{"count":{},"p50_us":{:.3f},"p99_us":{:.3f},"p999_us":{:.3f},"max_us":{:.3f}}})",
      h.count(), us(h.p50()), us(h.p99()), us(h.p999()), us(h.max()));
}

// The report in both forms, built side by side so that they cannot disagree.
struct ReportText {
  std::string text{"\nclosing report\n"};
  std::string underlyings;
  std::string margins;
  std::string costs;
  void line(const char* name, const std::string& value) {
    text += fmt::format("  {:<28} {}\n", name, value);
  }
  static void append(std::string& list, const std::string& object) {
    list += (list.empty() ? "" : ",") + object;
  }
};

void add_underlying(ReportText& out, std::string_view name, const UnderlyingStatus& u,
                    const HedgeState& h) {
  const double worst_ms = static_cast<double>(h.outside_longest.count) * 1e-6;
  out.line("residual delta",
           fmt::format("{} {:+.5f} coins, band {:.5f}, {}", name, u.residual, h.band,
                       std::abs(u.residual) > h.band ? "outside" : "inside"));
  out.line("worst time outside band", fmt::format("{} {:.1f} ms", name, worst_ms));
  ReportText::append(
      out.underlyings,
      fmt::format(R"({{"underlying":"{}","residual":{:.9f},"band":{:.9f},"outside":{},)"
                  R"("worst_outside_ms":{:.3f},"gamma":{:.12g},"orders":{},"stopped":{}}})",
                  name, u.residual, h.band, h.outside, worst_ms, u.gamma, h.orders, h.stopped));
}

void add_margin(ReportText& out, const MarginReport& m, double change) {
  const double equity = to_double(m.equity);
  out.line("P&L", fmt::format("{:+.8f} {} (equity {:.8f})", change, m.settlement.text(), equity));
  ReportText::append(out.margins, fmt::format(R"({{"currency":"{}","pnl":{:.9f},"equity":{:.9f}}})",
                                              m.settlement.text(), change, equity));
}

void add_cost(ReportText& out, const std::string& currency, const CostLine& cost) {
  const double fees = to_double(cost.fees);
  const double total = fees + to_double(cost.against_mark);
  out.line("fees", fmt::format("{:.8f} {}", fees, currency));
  out.line("hedge cost",
           fmt::format("{:.8f} {} (fees + distance from mark), {} fills, {:.0f} USD traded", total,
                       currency, cost.fills, cost.traded_usd));
  ReportText::append(
      out.costs,
      fmt::format(
          R"({{"currency":"{}","fees":{:.9f},"hedge_cost":{:.9f},"fills":{},"traded_usd":{:.2f}}})",
          currency, fees, total, cost.fills, cost.traded_usd));
}

void add_orders(ReportText& out, const EngineStatus& s, const OrderSessionCounters& c) {
  const std::uint64_t ours = c.last_gate.load() + c.refused.load();
  const std::uint64_t venue = s.orders.rejected > ours ? s.orders.rejected - ours : 0;
  out.line("orders sent", std::to_string(c.placed.load()));
  out.line("orders filled", std::to_string(s.orders.filled));
  out.line("orders cancelled", std::to_string(s.orders.cancelled));
  out.line("orders rejected",
           fmt::format("{} by the venue, {} at the last gate, {} refused locally", venue,
                       c.last_gate.load(), c.refused.load()));
  out.line("orders open / unknown", fmt::format("{} / {}", s.open_orders, s.unknown_orders));
}

}  // namespace

void Bot::closing_report(int exit_code) {
  const EngineStatus& s = snapshot_->engine;
  const deribit::FeedCounters feeds = feed_counters();
  const OrderSessionCounters& c = orders().counters();
  const Histogram& t = hops_->tick_to_order();
  ReportText out;
  out.line("ticks decoded", fmt::format("{} frames, {} events, {} gaps, {} malformed", feeds.frames,
                                        feeds.events, feeds.gaps, feeds.malformed));
  add_orders(out, s, c);
  for (std::size_t u = 0; u < underlyings_max; ++u) {
    if (!s.underlyings[u].used) continue;
    const UnderlyingId id{static_cast<std::uint8_t>(u)};
    add_underlying(out, universe_.underlyings().name(id), s.underlyings[u], snapshot_->hedge[u]);
  }
  out.line("tick-to-order",
           fmt::format("p50 {:.1f} us, p99 {:.1f} us, p99.9 {:.1f} us, max {:.1f} us, n {}",
                       us(t.p50()), us(t.p99()), us(t.p999()), us(t.max()), t.count()));
  for (std::size_t i = 0; i < margins_shown_max; ++i) {
    const MarginReport& m = snapshot_->margin[i];
    if (!m.settlement.text().empty()) add_margin(out, m, equity_change(i));
  }
  for (const auto& [name, cost] : ledger_->lines()) add_cost(out, name, cost);
  const std::uint64_t allocations = hot_allocations_.load();
  const std::uint64_t while_armed = was_armed_ ? allocations - allocations_before_armed_ : 0;
  out.line("hot-thread allocations", fmt::format("{} before armed (connection set-up), {} after",
                                                 allocations - while_armed, while_armed));
  out.line("journal", fmt::format("{} events, digest {:016x} over {} commands", s.seq,
                                  snapshot_->digest, snapshot_->digest_commands));
  if (options_.live_line) {
    std::fputs(out.text.c_str(), stdout);
    std::fflush(stdout);
  }
  if (options_.report_file.empty()) return;
  std::ofstream file{options_.report_file};
  file << fmt::format(
      R"({{"exit_code":{},"build_hash":"{}","config_hash":"{}","frames":{},"events":{},"gaps":{},)"
      R"("malformed":{},"orders_sent":{},"orders_filled":{},"orders_cancelled":{},)"
      R"("orders_rejected":{},"last_gate":{},"local_refusals":{},"orders_open":{},)"
      R"("orders_unknown":{},"underlyings":[{}],"tick_to_order":{},"margins":[{}],"costs":[{}],)"
      R"("hot_allocations":{},"hot_allocations_armed":{},"journal_seq":{},"digest":"{:016x}"}})"
      "\n",
      exit_code, to_hex(build_hash()), loaded_->hash_hex(), feeds.frames, feeds.events, feeds.gaps,
      feeds.malformed, c.placed.load(), s.orders.filled, s.orders.cancelled, s.orders.rejected,
      c.last_gate.load(), c.refused.load(), s.open_orders, s.unknown_orders, out.underlyings,
      json_latency(t), out.margins, out.costs, allocations, while_armed, s.seq, snapshot_->digest);
}

}  // namespace gimbal
