// What a run says at its end, as text and as JSON. Room: ops/app. Cold.
#include <fmt/format.h>

#include <cstdio>
#include <fstream>

#include "ops/app/bot.hpp"
#include "ops/app/commands.hpp"
#include "ops/app/hash.hpp"

namespace gimbal {
namespace {

double us(std::uint64_t ns) { return static_cast<double>(ns) * 1e-3; }

std::string json_latency(const Histogram& h) {
  return fmt::format(R"({{"count":{},"p50_us":{:.3f},"p99_us":{:.3f},"p999_us":{:.3f},"max_us":{:.3f}}})",
                     h.count(), us(h.p50()), us(h.p99()), us(h.p999()), us(h.max()));
}

}  // namespace

void Bot::closing_report(int exit_code) {
  const EngineStatus& s = snapshot_->engine;
  const deribit::FeedCounters feeds = feed_counters();
  const OrderSessionCounters& c = orders().counters();
  const Histogram& t = hops_->tick_to_order();
  const std::uint64_t rejected = s.orders.rejected;
  std::string text = "\nclosing report\n";
  const auto line = [&text](const char* name, const std::string& value) {
    text += fmt::format("  {:<28} {}\n", name, value);
  };
  line("ticks decoded", fmt::format("{} frames, {} events, {} gaps, {} malformed", feeds.frames,
                                    feeds.events, feeds.gaps, feeds.malformed));
  line("orders sent", std::to_string(c.placed.load()));
  line("orders filled", std::to_string(s.orders.filled));
  line("orders cancelled", std::to_string(s.orders.cancelled));
  line("orders rejected", fmt::format("{} by the venue, {} at the last gate, {} refused locally",
                                      rejected - std::min(rejected, c.last_gate.load() + c.refused.load()),
                                      c.last_gate.load(), c.refused.load()));
  line("orders open / unknown", fmt::format("{} / {}", s.open_orders, s.unknown_orders));
  std::string underlyings;
  for (std::size_t u = 0; u < underlyings_max; ++u) {
    if (!s.underlyings[u].used) continue;
    const auto name = universe_.underlyings().name(UnderlyingId{static_cast<std::uint8_t>(u)});
    const HedgeState& h = snapshot_->hedge[u];
    const double worst_ms = static_cast<double>(h.outside_longest.count) * 1e-6;
    line("residual delta", fmt::format("{} {:+.5f} coins, band {:.5f}, {}", name,
                                       s.underlyings[u].residual, h.band,
                                       h.outside ? "OUTSIDE" : "inside"));
    line("worst time outside band", fmt::format("{} {:.1f} ms", name, worst_ms));
    underlyings += fmt::format(
        R"({}{{"underlying":"{}","residual":{:.9f},"band":{:.9f},"outside":{},"worst_outside_ms":{:.3f},"gamma":{:.12g},"orders":{},"stopped":{}}})",
        underlyings.empty() ? "" : ",", name, s.underlyings[u].residual, h.band, h.outside,
        worst_ms, s.underlyings[u].gamma, h.orders, h.stopped);
  }
  line("tick-to-order", fmt::format("p50 {:.1f} us, p99 {:.1f} us, p99.9 {:.1f} us, max {:.1f} us, n {}",
                                    us(t.p50()), us(t.p99()), us(t.p999()), us(t.max()), t.count()));
  std::string margins;
  for (std::size_t i = 0; i < margins_shown_max; ++i) {
    const MarginReport& m = snapshot_->margin[i];
    if (m.settlement.text().empty()) continue;
    line("P&L", fmt::format("{:+.8f} {} (equity {:.8f})", equity_change(i), m.settlement.text(),
                            to_double(m.equity)));
    margins += fmt::format(R"({}{{"currency":"{}","pnl":{:.9f},"equity":{:.9f}}})",
                           margins.empty() ? "" : ",", m.settlement.text(), equity_change(i),
                           to_double(m.equity));
  }
  std::string costs;
  for (const auto& [name, cost] : ledger_->lines()) {
    const double total = to_double(cost.fees) + to_double(cost.against_mark);
    line("fees", fmt::format("{:.8f} {}", to_double(cost.fees), name));
    line("hedge cost", fmt::format("{:.8f} {} (fees + distance from mark), {} fills, {:.0f} USD traded",
                                   total, name, cost.fills, cost.traded_usd));
    costs += fmt::format(R"({}{{"currency":"{}","fees":{:.9f},"hedge_cost":{:.9f},"fills":{},"traded_usd":{:.2f}}})",
                         costs.empty() ? "" : ",", name, to_double(cost.fees), total, cost.fills,
                         cost.traded_usd);
  }
  line("hot-thread allocations", std::to_string(hot_allocations_.load()));
  line("journal", fmt::format("{} events, digest {:016x} over {} commands", s.seq, snapshot_->digest,
                              snapshot_->digest_commands));
  if (options_.live_line) {
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
  }
  if (options_.report_file.empty()) return;
  std::ofstream out{options_.report_file};
  out << fmt::format(
      R"({{"exit_code":{},"build_hash":"{}","config_hash":"{}","frames":{},"events":{},"gaps":{},"malformed":{},)"
      R"("orders_sent":{},"orders_filled":{},"orders_cancelled":{},"orders_rejected":{},"last_gate":{},"local_refusals":{},)"
      R"("orders_open":{},"orders_unknown":{},"underlyings":[{}],"tick_to_order":{},"margins":[{}],"costs":[{}],)"
      R"("hot_allocations":{},"journal_seq":{},"digest":"{:016x}"}})"
      "\n",
      exit_code, to_hex(build_hash()), loaded_->hash_hex(), feeds.frames, feeds.events, feeds.gaps,
      feeds.malformed, c.placed.load(), s.orders.filled, s.orders.cancelled, rejected,
      c.last_gate.load(), c.refused.load(), s.open_orders, s.unknown_orders, underlyings,
      json_latency(t), margins, costs, hot_allocations_.load(), s.seq, snapshot_->digest);
}

}  // namespace gimbal
