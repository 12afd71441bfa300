#include "ops/app/report_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "feeds/decimal.hpp"
#include "ops/app/profit_text.hpp"
#include "ops/app/report_style.hpp"
#include "ops/app/svg_plot.hpp"

namespace gimbal {
namespace {

constexpr std::size_t rows_max = 400;  // of the table of fills

std::string decimal(std::int64_t nano) {
  if (nano == 0) return "-";
  std::array<char, decimal_text_max> digits{};
  return {digits.data(), write_nano(nano, digits)};
}

const char* sign_style(double v) { return v > 0 ? "good" : v < 0 ? "bad" : ""; }

std::string card(const std::string& name, const std::string& value, const std::string& more,
                 const char* style = "") {
  return fmt::format(
      "<div class=\"card\"><span>{}</span><b class=\"{}\">{}</b><span>{}</span></div>",
      html_text(name), style, html_text(value), html_text(more));
}

std::string micros(std::uint64_t ns) {
  return fmt::format("{:.1f} us", static_cast<double>(ns) * 1e-3);
}

double basis_points(Money cost, Money traded) {
  return traded.nano > 0 ? to_double(cost) / to_double(traded) * 1e4 : 0;
}

std::string cards(const RunPicture& h) {
  std::string out = "<div class=\"cards\">";
  for (const UnderlyingHistory& u : h.underlyings) {
    if (u.samples.empty()) continue;
    const HistorySample& last = u.samples.back();
    out += card("P&L, " + u.name, fmt::format("{:+.6f} {}", last.pnl, u.unit),
                fmt::format("{:+.6f} explained", last.explained()), sign_style(last.pnl));
    const double armed = u.inside_s + u.outside_s;
    out += card("Inside the band, " + u.name,
                armed > 0 ? fmt::format("{:.1f} %", 100 * u.inside_s / armed) : "-",
                fmt::format("of {:.0f} s armed", armed));
  }
  const GapTotals& gap = h.all_gaps;
  out += card("Orders", fmt::format("{}", h.placed),
              fmt::format("{} fills, {:.0f} USD traded", gap.fills, to_double(gap.traded_usd)));
  out +=
      card("Shortfall", fmt::format("{:+.2f} bp", basis_points(gap.shortfall_usd, gap.traded_usd)),
           fmt::format("{:+.2f} USD, fees {:.2f}", to_double(gap.shortfall_usd),
                       to_double(gap.fees_usd)),
           sign_style(-to_double(gap.shortfall_usd)));
  out += card(
      "Tick to order", micros(h.tick_to_order.p50()),
      fmt::format("p99 {}, {} orders", micros(h.tick_to_order.p99()), h.tick_to_order.count()));
  const auto bad =
      std::count_if(h.marks.begin(), h.marks.end(), [](const HistoryMark& m) { return m.bad; });
  return out + card("Stops and critical trips", fmt::format("{}", bad), "marked in the plots") +
         "</div>\n";
}

void moments(SvgPlot& plot, const RunPicture& h) {
  for (std::size_t b = 1; b < h.boots.size(); ++b) {
    plot.gap(h.boots[b - 1].to, h.boots[b].from,
             fmt::format("no boot ran from {} to {}", clock_text(h.boots[b - 1].to),
                         clock_text(h.boots[b].from)));
  }
  for (const HistoryMark& m : h.marks) plot.moment(m.t, m.text, m.bad);
}

template <class Value>
std::vector<PlotPoint> over_time(const UnderlyingHistory& u, Value value) {
  std::vector<PlotPoint> out;
  out.reserve(u.samples.size());
  for (const HistorySample& s : u.samples) out.push_back({s.t, value(s)});
  return out;
}

std::string profit(const UnderlyingHistory& u, const RunPicture& h) {
  SvgPlot plot{h.day.empty() ? "P&L of the account since the start"
                             : "P&L of the account since the day's first report",
               u.unit};
  plot.line("account", "c1", over_time(u, [](const HistorySample& s) { return s.pnl; }));
  plot.line("explained", "c2", over_time(u, [](const HistorySample& s) { return s.explained(); }));
  plot.include(0);
  moments(plot, h);
  if (u.samples.empty()) return plot.figure();
  const HistorySample& last = u.samples.back();
  const auto bar = [&u](const char* name, double v) {
    return Bar{name, v, fmt::format("{:+.7f} {}", v, u.unit), v < 0 ? "bad" : "good"};
  };
  const double rest = std::isfinite(last.pnl) ? last.pnl - last.explained() : 0;
  return plot.figure() +
         bar_figure("Where it came from",
                    {bar("options, delta", last.options), bar("options, gamma", last.gamma),
                     bar("options, theta", last.theta), bar("hedge", last.hedge),
                     bar("execution against decision", last.execution), bar("fees", last.fees),
                     bar("volatility, marks, rest", rest)}) +
         "<p class=\"soft\">Delta, gamma and theta at every sample times what the price and the "
         "clock then did; the rest is what moved without them, foremost implied "
         "volatility.</p>\n";
}

std::string delta_path(const UnderlyingHistory& u, const RunPicture& h) {
  SvgPlot plot{"Delta against its band", "coins", 280};
  plot.band("band", "c4", over_time(u, [](const HistorySample& s) { return s.band; }));
  plot.line("residual delta", "c1",
            over_time(u, [](const HistorySample& s) { return s.residual; }));
  plot.include(0);
  moments(plot, h);
  return plot.figure();
}

std::string price_and_fills(const UnderlyingHistory& u, const RunPicture& h) {
  SvgPlot plot{"Price and fills of the hedge", "hedge's mid"};
  plot.line("mid", "c1", over_time(u, [](const HistorySample& s) { return s.mid; }));
  const std::size_t from = h.fills.size() > 3000 ? h.fills.size() - 3000 : 0;
  for (std::size_t i = from; i < h.fills.size(); ++i) {
    const FillGap& g = h.fills[i].gap;
    if (h.fills[i].instrument != u.hedge_name) continue;
    plot.dot(h.fills[i].t, to_double(g.price), g.side == Side::buy ? "good" : "bad",
             fmt::format("{} {} {} at {}", g.side == Side::buy ? "bought" : "sold",
                         decimal(g.amount.nano), h.fills[i].instrument, decimal(g.price.nano)));
  }
  moments(plot, h);
  return plot.figure();
}

// --- execution --------------------------------------------------------------------------------

std::string gap_plots(const RunPicture& h) {
  SvgPlot plot{"Shortfall of every fill against its decision", "USD, above zero is a cost", 200};
  const std::size_t from = h.fills.size() > 3000 ? h.fills.size() - 3000 : 0;
  for (std::size_t i = from; i < h.fills.size(); ++i) {
    const FillGap& g = h.fills[i].gap;
    if (!g.priced) continue;
    const double usd = to_double(g.shortfall_usd);
    plot.dot(h.fills[i].t, usd, usd > 0 ? "bad" : "good",
             fmt::format("order {:016x}: {:+.4f} USD", g.order.value, usd));
  }
  plot.include(0);
  moments(plot, h);
  const GapTotals& t = h.all_gaps;
  const auto bar = [&t](const char* name, Money m, bool cost) {
    const double v = basis_points(m, t.traded_usd);
    const bool good = cost ? v <= 0 : v >= 0;
    return Bar{name, v, fmt::format("{:+.3f} bp  {:+.2f} USD", v, to_double(m)),
               good ? "good" : "bad"};
  };
  return plot.figure() +
         bar_figure("The execution gap, all fills",
                    {bar("decision until it left", t.delay_usd, true),
                     bar("decision until the fill", t.shortfall_usd, true),
                     bar("fill against theory", t.theory_usd, true), bar("fees", t.fees_usd, true),
                     bar("gain 1 s after the fill", t.after_usd[0], false),
                     bar("gain 60 s after the fill", t.after_usd[1], false)});
}

std::string gap_row(const std::string& of, const GapTotals& t) {
  return fmt::format(
      "<tr><td>{}</td><td>{}</td><td>{:.0f}</td><td class=\"{}\">{:+.2f}</td><td>{:+.2f}</td>"
      "<td>{:+.2f}</td><td>{:+.2f}</td><td>{:.2f}</td><td>{:+.2f} ({})</td><td>{:+.2f} ({})</td>"
      "</tr>",
      html_text(of), t.fills, to_double(t.traded_usd), sign_style(-to_double(t.shortfall_usd)),
      to_double(t.shortfall_usd), basis_points(t.shortfall_usd, t.traded_usd),
      to_double(t.delay_usd), to_double(t.theory_usd), to_double(t.fees_usd),
      to_double(t.after_usd[0]), t.marked[0], to_double(t.after_usd[1]), t.marked[1]);
}

// A death or a stop takes the marks of the last fills with it: the next boot does not know them.
std::string unmarked(const GapTotals& t) {
  if (t.marked[0] >= t.fills && t.marked[1] >= t.fills) return {};
  return fmt::format(
      "<p class=\"soft\">{} of {} fills are without a price 1 s after, {} without a price 60 s "
      "after: the journal ends before, or nothing was quoted then. They count as nothing in these "
      "columns.</p>\n",
      t.fills - t.marked[0], t.fills, t.fills - t.marked[1]);
}

std::string gap_table(const RunPicture& h) {
  std::string rows;
  for (const GapLine& line : h.gaps) rows += gap_row(line.of, line.totals);
  if (h.all_gaps.fills == 0) return {};
  return "<div class=\"scroll\"><table><tr><th>of</th><th>fills</th><th>traded USD</th>"
         "<th>shortfall USD</th><th>bp</th><th>delay USD</th><th>against theory</th>"
         "<th>fees USD</th><th>1 s after (marked)</th><th>60 s after (marked)</th></tr>" +
         rows + "</table></div>\n" + unmarked(h.all_gaps);
}

std::string fill_table(const RunPicture& h) {
  if (h.fills.empty()) return {};
  std::string rows;
  const std::size_t from = h.fills.size() > rows_max ? h.fills.size() - rows_max : 0;
  for (std::size_t i = from; i < h.fills.size(); ++i) {
    const FillGap& g = h.fills[i].gap;
    rows += fmt::format(
        "<tr><td>{}</td><td><code>{:016x}</code></td><td>{}</td><td>{}</td><td>{}</td><td>{}</td>"
        "<td>{}</td><td>{}</td><td class=\"{}\">{:+.4f}</td><td>{:+.4f}</td><td>{:+.4f}</td></tr>",
        clock_text(h.fills[i].t), g.order.value, html_text(h.fills[i].instrument),
        g.side == Side::buy ? "buy" : "sell", decimal(g.amount.nano), decimal(g.decision.nano),
        decimal(g.arrival.nano), decimal(g.price.nano), sign_style(-to_double(g.shortfall_usd)),
        to_double(g.shortfall_usd), to_double(g.after_usd[0]), to_double(g.after_usd[1]));
  }
  return fmt::format(
      "<details><summary>{} of {} fills</summary><div class=\"scroll\"><table><tr><th>time</th>"
      "<th>order</th><th>instrument</th><th>side</th><th>amount</th><th>decision</th>"
      "<th>arrival</th><th>fill</th><th>shortfall USD</th><th>1 s after</th><th>60 s after</th>"
      "</tr>{}</table></div></details>\n",
      h.fills.size() - from, h.fills.size(), rows);
}

// --- the machine ------------------------------------------------------------------------------

std::string latency(const std::string& title, const Histogram& h) {
  std::vector<Bar> bins;
  constexpr int per_decade = 8;
  const auto edge = [](int n) { return std::pow(10.0, static_cast<double>(n) / per_decade); };
  int first = 0, last = 0;
  if (h.count() > 0) {
    first = static_cast<int>(
        std::floor(std::log10(std::max<double>(1, static_cast<double>(h.min()))) * per_decade));
    last = static_cast<int>(std::floor(
               std::log10(std::max<double>(1, static_cast<double>(h.max()))) * per_decade)) +
           1;
  }
  for (int n = first; n < last; ++n) {
    const auto upto = static_cast<std::uint64_t>(edge(n + 1));
    const std::uint64_t count =
        h.count_at_most(n + 1 == last ? UINT64_MAX : upto) -
        (n == first ? 0 : h.count_at_most(static_cast<std::uint64_t>(edge(n))));
    const double us = edge(n) * 1e-3;
    bins.push_back({n % per_decade == 0 ? fmt::format("{:g} us", us) : "",
                    static_cast<double>(count),
                    fmt::format("{:.3g} to {:.3g} us: {}", us, edge(n + 1) * 1e-3, count), "c1"});
  }
  return histogram_figure(
      title,
      fmt::format("p50 {}, p99 {}, p99.9 {}, max {}, n {}", micros(h.p50()), micros(h.p99()),
                  micros(h.p999()), micros(h.max()), h.count()),
      bins);
}

std::string limits(const RunPicture& h) {
  std::vector<Bar> bars;
  for (const LimitUse& u : h.limits) {
    if (u.limit == 0) continue;
    const double share = 100 * u.used / u.limit;
    bars.push_back({fmt::format("{} ({})", u.name, u.unit), share,
                    fmt::format("{:.1f} %  of {:.0f}", share, u.limit),
                    share > 80   ? "bad"
                    : share > 50 ? "c2"
                                 : "c4"});
  }
  return bar_figure("The most of each limit that an order would have used", bars, 100);
}

std::string trips(const RunPicture& h) {
  std::string rows;
  for (const HistoryMark& m : h.marks) {
    rows += fmt::format("<tr><td>{}</td><td class=\"l {}\">{}</td></tr>", clock_text(m.t),
                        m.bad ? "bad" : "", html_text(m.text));
  }
  std::string out = "<div class=\"scroll\"><table><tr><th>time</th><th>what</th></tr>" + rows +
                    "</table></div>\n";
  std::vector<Bar> bars;
  for (const auto& [name, count] : h.refusals) {
    bars.push_back({name, static_cast<double>(count), fmt::format("{}", count), "c2"});
  }
  if (!bars.empty()) out += bar_figure("Orders that the gate refused", bars);
  return out;
}

const char* verdict_text(const BootLine& b) {
  return b.verdict == ReplayVerdict::same        ? "replays to the same commands"
         : b.verdict == ReplayVerdict::unchecked ? "carries no digest to compare"
                                                 : "DOES NOT REPLAY TO THE SAME COMMANDS";
}

std::string head_of(const std::string& title) {
  return fmt::format(
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
      "<title>{0}</title><style>{1}</style></head><body><main>\n<h1>{0}</h1>",
      html_text(title), report_style);
}

std::string run_head(const RunPicture& h) {
  const BootLine& b = h.boots.front();
  return head_of(fmt::format("gimbal run {}", b.boot.epoch)) +
         fmt::format(
             "<p class=\"soft\">{} at {} ({}), {}; journal {} events, {}. "
             "Build <code>{:016x}</code>, config <code>{}</code>.</p>\n",
             html_text(h.account), html_text(h.venue), h.environment, clock_text(h.seconds),
             b.events, verdict_text(b), b.boot.build_hash, b.config.substr(0, 16));
}

std::string day_head(const RunPicture& h) {
  std::string rows;
  for (const BootLine& b : h.boots) {
    rows += fmt::format(
        "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td class=\"l\">{}</td>"
        "<td><code>{:016x}</code></td><td><code>{}</code></td></tr>",
        b.boot.epoch, clock_text(b.from), clock_text(b.to), b.events, b.fills, verdict_text(b),
        b.boot.build_hash, b.config.substr(0, 16));
  }
  return head_of("gimbal day " + h.day) +
         fmt::format(
             "<p class=\"soft\">{} at {} ({}); {}. {} boots ran {} of it; where none ran the plots "
             "are shaded.</p>\n<div class=\"scroll\"><table><tr><th>boot</th><th>from</th>"
             "<th>to</th><th>events</th><th>fills</th><th>journal</th><th>build</th>"
             "<th>config</th></tr>{}</table></div>\n",
             html_text(h.account), html_text(h.venue), h.environment, html_text(h.day_note),
             h.boots.size(), clock_text(h.seconds), rows);
}

}  // namespace

std::string report_page(const RunPicture& h) {
  const bool day = !h.day.empty();
  std::string out = (day ? day_head(h) : run_head(h)) + cards(h);
  for (const UnderlyingHistory& u : h.underlyings) {
    out += "<h2>" + html_text(u.name) + "</h2>\n";
    out += profit(u, h) + delta_path(u, h) + price_and_fills(u, h);
  }
  const std::string explained = day ? profit_tables(h.profit, "boot", "the day")
                                    : profit_tables(h.profit, "day, UTC", "the run");
  if (!explained.empty()) {
    out += fmt::format("<h2>P&amp;L explained, by {}</h2>\n{}", day ? "boot" : "day", explained);
  }
  out += "<h2>Execution</h2>\n" + gap_plots(h) + gap_table(h) + fill_table(h);
  out +=
      "<h2>Speed</h2>\n" + latency("Tick received until the order's bytes left", h.tick_to_order);
  out += latency("Order's bytes left until the venue's first answer", h.order_to_ack);
  out += latency("Market data received until stepped", h.waited);
  out += "<h2>Limits</h2>\n" + limits(h);
  out += "<h2>Stops, trips, refusals</h2>\n" + trips(h);
  return out + "</main></body></html>\n";
}

}  // namespace gimbal
