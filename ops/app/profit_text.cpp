#include "ops/app/profit_text.hpp"

#include <fmt/format.h>

#include "ops/app/svg_plot.hpp"

namespace gimbal {
namespace {

std::string row_of(const std::string& when, const ExplainedProfit& p) {
  std::string cells = fmt::format("<td>{}</td><td>{:+.8f}</td>", html_text(when), p.profit);
  for (const double part : p.parts) cells += fmt::format("<td>{:+.8f}</td>", part);
  const double share = 100 * p.share();
  return fmt::format("<tr>{}<td>{:+.8f}</td><td class=\"{}\">{:.2f} %</td><td>{}</td></tr>", cells,
                     p.unexplained(), share > 5 ? "bad" : "good", share, p.adopted);
}

void write_one(JsonWriter& json, const ExplainedProfit& p) {
  json.number("profit", p.profit);
  for (std::size_t n = 0; n < profit_parts; ++n) {
    json.number(name_of(static_cast<ProfitPart>(n)), p.parts[n]);
  }
  json.number("unexplained", p.unexplained())
      .number("unexplained_share", p.share())
      .number("seconds", p.seconds)
      .integer("fills", p.fills)
      .integer("positions_adopted", p.adopted);
}

}  // namespace

ExplainedProfit ProfitAccount::whole() const noexcept {
  ExplainedProfit sum;
  for (const ProfitRow& r : rows) sum += r.profit;
  return sum;
}

std::string profit_tables(const std::vector<ProfitAccount>& accounts, const std::string& each,
                          const std::string& sum) {
  std::string out;
  for (const ProfitAccount& a : accounts) {
    std::string head = fmt::format("<th>{}</th><th>P&amp;L</th>", html_text(each));
    for (std::size_t n = 0; n < profit_parts; ++n) {
      head += fmt::format("<th>{}</th>", name_of(static_cast<ProfitPart>(n)));
    }
    std::string rows;
    for (const ProfitRow& r : a.rows) rows += row_of(r.name, r.profit);
    rows += row_of(sum, a.whole());
    out += fmt::format(
        "<h3>{}</h3><div class=\"scroll\"><table><tr>{}<th>unexplained</th><th>share</th>"
        "<th>adopted</th></tr>{}</table></div>\n",
        html_text(std::string{a.settlement.text()}), head, rows);
  }
  if (out.empty()) return out;
  return out +
         "<p class=\"soft\">P&amp;L is the change of the venue's equity from the first margin "
         "report to the last. Share: the unexplained part over the sum of the parts' absolute "
         "values. Funding is estimated from the rate over 8 hours; adopted counts positions that "
         "changed without a fill.</p>\n";
}

void write_profit(JsonWriter& json, const std::vector<ProfitAccount>& accounts, const char* sum,
                  const char* rows, const char* each) {
  json.begin_array("accounts");
  for (const ProfitAccount& a : accounts) {
    json.begin_object()
        .integer("venue", static_cast<unsigned>(a.venue.value))
        .text("currency", a.settlement.text());
    json.begin_object(sum);
    write_one(json, a.whole());
    json.end_object().begin_array(rows);
    for (const ProfitRow& r : a.rows) {
      json.begin_object().text(each, r.name);
      write_one(json, r.profit);
      json.end_object();
    }
    json.end_array().end_object();
  }
  json.end_array();
}

}  // namespace gimbal
