#include "ops/risk/positions_json.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include "engine/quant/implied_vol.hpp"
#include "ops/app/csv_table.hpp"

namespace gimbal::risk {

namespace {

constexpr double seconds_per_year = 31'536'000.0;
constexpr std::array<std::string_view, 12> months{"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                                  "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};

bool read_decimal(std::string_view text, double& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

// Days since 1970 of a Gregorian date, by counting from March.
std::int64_t days_of(int year, int month, int day) {
  const int y = month <= 2 ? year - 1 : year;
  const int m = (month + 9) % 12;
  const std::int64_t era_days = std::int64_t{365} * y + y / 4 - y / 100 + y / 400;
  return era_days + (m * 306 + 5) / 10 + day - 1 - 719468;
}

// 25DEC26 or 5DEC26, 08:00 UTC.
bool read_expiry(std::string_view text, std::int64_t& seconds) {
  if (text.size() != 6 && text.size() != 7) return false;
  const std::size_t digits = text.size() - 5;
  double day = 0;
  double year = 0;
  const auto month = std::find(months.begin(), months.end(), text.substr(digits, 3));
  if (month == months.end() || !read_decimal(text.substr(0, digits), day) ||
      !read_decimal(text.substr(digits + 3), year) || day < 1 || day > 31) {
    return false;
  }
  const int number = static_cast<int>(month - months.begin()) + 1;
  seconds =
      days_of(2000 + static_cast<int>(year), number, static_cast<int>(day)) * 86400 + 8 * 3600;
  return true;
}

// A number that the status writes as a decimal string; NaN when it is null or absent.
double decimal(const Json& line, const char* key) {
  double v = 0;
  const auto at = line.find(key);
  if (at != line.end() && at->is_string() && read_decimal(at->get_ref<const std::string&>(), v)) {
    return v;
  }
  return at != line.end() && at->is_number() ? at->get<double>()
                                             : std::numeric_limits<double>::quiet_NaN();
}

struct Position {
  std::string instrument;
  InstrumentName name;
  double amount{0};
  double mark{0};
};

class PositionsReader {
 public:
  PositionsReader(const Json& answer, const PortfolioOptions& options, StressInput& out,
                  std::string& fault)
      : answer_{answer}, options_{options}, out_{out}, fault_{fault} {}

  void read() {
    out_.portfolio.name = "positions of a running bot";
    read_underlyings();
    read_lines();
    for (const Position& p : positions_) {
      if (fault_.empty()) place(p);
    }
    read_equity();
    finish_sigmas();
    if (fault_.empty() && out_.portfolio.accounts.empty()) fault_ = "there are no positions";
  }

 private:
  const Json& list(const char* key) const {
    static const Json empty = Json::array();
    const auto at = answer_.find(key);
    return at != answer_.end() && at->is_array() ? *at : empty;
  }

  void read_underlyings() {
    for (const Json& u : list("underlyings")) {
      const double index = u.is_object() ? decimal(u, "index") : 0;
      if (!(index > 0) || !u.contains("underlying") || !u["underlying"].is_string()) continue;
      out_.portfolio.underlyings.push_back({u["underlying"].get<std::string>(), index, 0});
    }
  }

  void read_lines() {
    const Json& lines = list("positions");
    for (std::size_t i = 0; i < lines.size() && fault_.empty(); ++i) {
      const std::string path = "positions[" + std::to_string(i) + "]";
      if (!lines[i].is_object() || !lines[i].contains("instrument") ||
          !lines[i]["instrument"].is_string()) {
        fault_ = path + ".instrument is missing";
        return;
      }
      Position p;
      p.instrument = lines[i]["instrument"].get<std::string>();
      p.amount = decimal(lines[i], "amount");
      p.mark = decimal(lines[i], "mark");
      if (p.amount == 0) continue;
      if (!parse_instrument_name(p.instrument, p.name)) {
        fault_ = path + ": " + csv_shown(p.instrument) + " is not a future, perpetual or option";
      } else if (!std::isfinite(p.amount)) {
        fault_ = path + ".amount is missing";
      } else if (!(p.mark > 0) || !std::isfinite(p.mark)) {
        fault_ = path + ": " + p.instrument + " has no mark";
      }
      positions_.push_back(std::move(p));
    }
  }

  std::size_t underlying_of(const Position& p) {
    auto& all = out_.portfolio.underlyings;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all[i].name == p.name.coin) return i;
    }
    fault_ = p.instrument + ": the answer has no index of " + p.name.coin;
    return 0;
  }

  quant::Account& account_of(const Position& p, std::size_t underlying) {
    const auto settlement = p.name.linear ? quant::Settlement::quote : quant::Settlement::coin;
    auto& all = out_.portfolio.accounts;
    for (quant::Account& a : all) {
      if (a.underlying == underlying && a.book.settlement == settlement) return a;
    }
    quant::Account a;
    a.name = p.name.coin + (p.name.linear ? " linear" : " inverse");
    a.underlying = underlying;
    a.book.settlement = settlement;
    a.book.index = out_.portfolio.underlyings[underlying].index;
    all.push_back(std::move(a));
    return all.back();
  }

  double forward_of(const Position& option, double index) {
    for (const Position& p : positions_) {
      if (p.name.kind == quant::LegKind::future && !p.name.perpetual &&
          p.name.coin == option.name.coin &&
          p.name.expiry_unix_seconds == option.name.expiry_unix_seconds) {
        return p.mark;
      }
    }
    index_as_forward_ = true;
    return index;
  }

  void place(const Position& p) {
    const std::size_t u = underlying_of(p);
    if (!fault_.empty()) return;
    quant::Account& a = account_of(p, u);
    quant::Leg leg;
    leg.kind = p.name.kind;
    leg.type = p.name.type;
    leg.strike = p.name.strike;
    leg.amount = p.amount;
    leg.forward = p.mark;
    if (!p.name.perpetual) {
      leg.years = std::max<double>(0, static_cast<double>(p.name.expiry_unix_seconds -
                                                          options_.now_unix_seconds)) /
                  seconds_per_year;
    }
    if (leg.kind == quant::LegKind::option) {
      leg.forward = forward_of(p, a.book.index);
      imply(p, leg);
    }
    a.book.legs.push_back(leg);
  }

  void imply(const Position& p, quant::Leg& leg) {
    const double price = p.name.linear ? p.mark : p.mark * leg.forward;
    const quant::QuotedOption o{leg.type, leg.forward, leg.strike, leg.years, 1, price};
    if (quant::solvable(o)) {
      const quant::ImpliedVol v = quant::implied_vol(o);
      if (v.status == quant::VolStatus::ok && v.sigma < 20) {
        leg.sigma = v.sigma;
        auto& [weight, sum] = implied_[p.name.coin];
        weight += std::abs(leg.amount);
        sum += std::abs(leg.amount) * v.sigma;
        return;
      }
    }
    if (!options_.flat_sigma) {
      fault_ = p.instrument + ": its mark implies no volatility at forward " +
               csv_number(leg.forward) + "; give one for such options with --sigma";
      return;
    }
    leg.sigma = *options_.flat_sigma;
    out_.notes.push_back(p.instrument + " is priced at the flat volatility given");
  }

  // Equity in the settlement currency: the coin's for inverse accounts; a linear account's is not
  // told apart by underlying and is left out.
  void read_equity() {
    for (const Json& m : list("margins")) {
      if (!m.is_object() || !m.contains("currency") || !m["currency"].is_string()) continue;
      const double equity = decimal(m, "equity");
      for (quant::Account& a : out_.portfolio.accounts) {
        if (a.book.settlement != quant::Settlement::coin || !std::isfinite(equity)) continue;
        if (out_.portfolio.underlyings[a.underlying].name != m["currency"]) continue;
        a.book.equity = equity;
        a.has_equity = true;
      }
    }
  }

  void finish_sigmas() {
    for (quant::Underlying& u : out_.portfolio.underlyings) {
      const auto at = implied_.find(u.name);
      if (options_.flat_sigma) {
        u.sigma = *options_.flat_sigma;
      } else if (at != implied_.end() && at->second.first > 0) {
        u.sigma = at->second.second / at->second.first;
        out_.notes.push_back(u.name + ": volatility " + csv_number(u.sigma) +
                             " is the size-weighted mean of what the option marks imply");
      } else if (fault_.empty()) {
        fault_ = u.name + " has no option to imply a volatility from; give one with --sigma";
      }
    }
    if (index_as_forward_) {
      out_.notes.push_back("the index stands for forwards of expiries without a held future");
    }
  }

  const Json& answer_;
  const PortfolioOptions& options_;
  StressInput& out_;
  std::string& fault_;
  std::vector<Position> positions_;
  std::map<std::string, std::pair<double, double>> implied_;  // coin: weight, weighted sum
  bool index_as_forward_{false};
};

}  // namespace

bool parse_instrument_name(std::string_view name, InstrumentName& out) {
  std::vector<std::string_view> parts;
  for (std::size_t from = 0; from <= name.size();) {
    const std::size_t to = std::min(name.find('-', from), name.size());
    parts.push_back(name.substr(from, to - from));
    from = to + 1;
  }
  const std::size_t bar = parts[0].find('_');
  out.coin = std::string{parts[0].substr(0, bar)};
  out.linear = bar != std::string_view::npos;
  if (out.coin.empty() || (parts.size() != 2 && parts.size() != 4)) return false;
  out.perpetual = parts[1] == "PERPETUAL";
  if (out.perpetual) return parts.size() == 2;
  if (!read_expiry(parts[1], out.expiry_unix_seconds)) return false;
  if (parts.size() == 2) return true;
  std::string strike{parts[2]};
  std::replace(strike.begin(), strike.end(), 'd', '.');  // 0d55 is 0.55
  out.kind = quant::LegKind::option;
  out.type = parts[3] == "P" ? OptionType::put : OptionType::call;
  return (parts[3] == "C" || parts[3] == "P") && read_decimal(strike, out.strike) && out.strike > 0;
}

void read_positions(const Json& answer, const PortfolioOptions& options, StressInput& out,
                    std::string& fault) {
  PositionsReader{answer, options, out, fault}.read();
}

}  // namespace gimbal::risk
