#include "ops/app/surface_csv.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>

#include "engine/core/math.hpp"
#include "engine/quant/surface/quote_choice.hpp"
#include "engine/quant/surface/vol_surface.hpp"
#include "ops/app/chain_csv.hpp"

namespace gimbal {

namespace {

using quant::SliceFit;
using quant::VolQuote;
using quant::VolSource;
using quant::VolSurface;

constexpr double points = 100;  // per unit of volatility

struct Expiry {
  std::string name{};
  double years{0};
  double forward{0};
  std::size_t rows{0};
  bool from_book{false};  // else from marks
  std::vector<VolQuote> quotes{};
};

// The rows of one expiry.
Expiry gather(const std::vector<const ChainRow*>& rows, std::size_t strikes_min) {
  Expiry e;
  std::vector<double> years;
  std::vector<double> forwards;
  std::vector<quant::OptionVols> options;
  for (const ChainRow* r : rows) {
    years.push_back(r->years);
    forwards.push_back(r->forward);
    options.push_back({r->strike, r->forward, r->out_of_the_money(), r->mark, r->bid, r->ask});
  }
  const auto middle = [](std::vector<double>& v) {
    std::nth_element(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2), v.end());
    return v[v.size() / 2];
  };
  e.name = rows.front()->expiry;
  e.rows = rows.size();
  e.years = middle(years);
  e.forward = middle(forwards);
  quant::QuoteChoice chosen = quant::choose_quotes(options, e.years, strikes_min);
  e.quotes = std::move(chosen.quotes);
  e.from_book = chosen.firm;
  return e;
}

struct OfUnderlying {
  std::vector<Expiry> expiries{};  // by rising years
  VolSurface surface{};
};
using Surfaces = std::map<std::string, OfUnderlying, std::less<>>;

std::map<std::string, std::vector<Expiry>> expiries_of(const std::vector<ChainRow>& rows,
                                                       std::size_t strikes_min) {
  std::map<std::string_view, std::vector<const ChainRow*>> by_name;
  for (const ChainRow& r : rows) {
    if (r.years > 0) by_name[r.expiry].push_back(&r);
  }
  std::map<std::string, std::vector<Expiry>> out;
  for (const auto& [name, of_name] : by_name) {
    out[of_name.front()->underlying].push_back(gather(of_name, strikes_min));
  }
  for (auto& [underlying, expiries] : out) {
    std::sort(expiries.begin(), expiries.end(),
              [](const Expiry& x, const Expiry& y) { return x.years < y.years; });
  }
  return out;
}

// Numbers for expiry names, the same in two surfaces.
class Names {
 public:
  std::int64_t number(std::string_view name) {
    return numbers_.try_emplace(std::string{name}, static_cast<std::int64_t>(numbers_.size()))
        .first->second;
  }

 private:
  std::map<std::string, std::int64_t> numbers_{};
};

constexpr std::array<std::string_view, 8> previous_names{"expiry", "T",   "model", "a",
                                                         "b",      "rho", "m",     "sigma"};

constexpr double age_unknown_s = 1e12;

// The curves of an earlier call's CSV.
class Previous {
 public:
  Previous(Names& names, double age_s, CsvOutcome& out)
      : names_{names}, age_s_{age_s}, in_{previous_names, previous_names.size(), out} {}
  bool read_header(const CsvRecord& r) { return in_.read_header(r); }
  void read_row(const CsvRecord& r) {
    if (!in_.complete(r)) return;
    const std::string_view model = in_.cell(r, 2);
    if (model == "none") return;
    std::array<std::optional<double>, previous_names.size()> v;
    bool good = in_.positive(r, 1, v[1]);
    for (std::size_t i = 3; i < v.size(); ++i) good = in_.number(r, i, v[i]) && good;
    if (!good) return;
    VolSurface::Slice s;
    s.expiry = names_.number(in_.cell(r, 0));
    s.years = *v[1];
    s.svi = {*v[3], *v[4], *v[5], *v[6], *v[7]};
    s.source = model == "ssvi" ? VolSource::ssvi : VolSource::svi;
    // How old a kept curve is, its row does not say: good to start from, too old to keep again.
    s.fitted_at = model == "kept" ? -age_unknown_s : -age_s_;
    if (!quant::well_formed(s.svi)) {
      in_.refuse(r.line, "is no SVI curve: b >= 0, |rho| < 1, sigma > 0, least variance above 0");
      return;
    }
    slices_.push_back(s);
  }
  void write() {}
  [[nodiscard]] VolSurface surface() {
    VolSurface out;
    out.restore(std::move(slices_));
    return out;
  }

 private:
  Names& names_;
  double age_s_;
  CsvInputs in_;
  std::vector<VolSurface::Slice> slices_{};
};

// One column of the table of expiries.
struct Column {
  enum class Kind { text, number, whole };
  std::string_view name;
  Kind kind{Kind::number};
  std::string text{};
  double number{0};
};
Column said(std::string_view name, std::string_view text) {
  return {name, Column::Kind::text, std::string{text}, 0};
}
Column whole(std::string_view name, std::size_t n) {
  return {name, Column::Kind::whole, std::to_string(n), 0};
}
Column real(std::string_view name, double v) { return {name, Column::Kind::number, {}, v}; }

std::string_view calendar_word(const SliceFit& fit, bool alone) {
  if (fit.fault != quant::SliceFault::none) return "none";
  return alone ? "alone" : fit.calendar.free() ? "free" : "crossing";
}

std::vector<Column> columns_of(const Expiry& e, const VolSurface::Slice& s) {
  constexpr double nothing = std::numeric_limits<double>::quiet_NaN();
  const SliceFit& fit = s.fit;
  const bool fitted = fit.fault == quant::SliceFault::none;
  const quant::Svi& p = s.source == VolSource::kept ? s.svi : fit.svi;
  const auto known = [&](double v) { return fitted ? v : nothing; };
  const bool alone = std::isinf(fit.calendar.min_gap);
  const bool curve = fitted || s.source == VolSource::kept;
  const auto shape = [&](double v) { return curve ? v : nothing; };
  return {said("expiry", e.name),
          real("T", e.years),
          real("F", e.forward),
          whole("rows", e.rows),
          whole("strikes", e.quotes.size()),
          said("quotes", e.from_book ? "book" : "mark"),
          said("model", quant::to_string(s.source)),
          said("verdict", fitted ? to_string(fit.verdict) : to_string(fit.fault)),
          real("a", shape(p.a)),
          real("b", shape(p.b)),
          real("rho", shape(p.rho)),
          real("m", shape(p.m)),
          real("sigma", shape(p.s)),
          real("rms_points", known(points * fit.error.rms)),
          real("max_points", known(points * fit.error.max)),
          real("bar_points", known(points * fit.error.bar)),
          real("inside_share", known(fit.error.inside)),
          said("butterfly", !fitted                ? "none"
                            : fit.butterfly.free() ? "free"
                                                   : "arbitrage"),
          real("min_g", known(fit.butterfly.min_g)),
          real("min_g_k", known(fit.butterfly.k)),
          said("calendar", calendar_word(fit, alone)),
          real("min_gap", known(alone ? nothing : fit.calendar.min_gap)),
          real("min_gap_k", known(alone ? nothing : fit.calendar.k)),
          said("repaired", fit.repaired ? "yes" : "no")};
}

void write_expiry(const std::vector<Column>& columns, CsvFormat format, bool with_header,
                  CsvOutcome& out) {
  std::string& o = out.output;
  if (format == CsvFormat::json_lines) {
    for (const Column& c : columns) {
      o += c.name == columns.front().name ? '{' : ',';
      o += csv_json_string(c.name) + ':';
      if (c.kind == Column::Kind::text) {
        o += csv_json_string(c.text);
      } else if (c.kind == Column::Kind::whole) {
        o += c.text;
      } else {
        o += std::isfinite(c.number) ? csv_number(c.number) : "null";
      }
    }
    o += "}\n";
  } else {
    const auto line = [&](auto cell) {
      for (std::size_t i = 0; i < columns.size(); ++i) {
        if (i > 0) o += ',';
        o += cell(columns[i]);
      }
      o += '\n';
    };
    if (with_header) line([](const Column& c) { return std::string{c.name}; });
    line([](const Column& c) {
      return c.kind == Column::Kind::number ? csv_number(c.number) : csv_text(c.text);
    });
  }
  ++out.rows;
}

void write_expiries(const Surfaces& surfaces, CsvFormat format, CsvOutcome& out) {
  for (const auto& [underlying, of] : surfaces) {
    for (std::size_t i = 0; i < of.expiries.size(); ++i) {
      write_expiry(columns_of(of.expiries[i], of.surface.slices()[i]), format, out.rows == 0, out);
    }
  }
}

VolSurface::Answer answer(const ChainRow& r, const Surfaces& surfaces,
                          const SurfaceRequest& request) {
  quant::VolLadder ladder{nullptr, request.age_max_s, request.flat};
  double years = r.years;
  const auto of = surfaces.find(r.underlying);
  if (of != surfaces.end()) {
    ladder.surface = &of->second.surface;
    for (const Expiry& e : of->second.expiries) {
      if (e.name == r.expiry) years = e.years;
    }
  }
  return quant::volatility(ladder, 0, math::log_ratio(r.strike, r.forward), years, r.mark);
}

void write_rows(ChainReader& chain, const Surfaces& surfaces, const SurfaceRequest& request) {
  constexpr std::array<std::string_view, 3> names{"sigma", "dsigma_dk", "source"};
  if (request.format == CsvFormat::csv) chain.inputs().write_header(names);
  constexpr double nothing = std::numeric_limits<double>::quiet_NaN();
  for (const ChainRow& r : chain.rows()) {
    const VolSurface::Answer a = answer(r, surfaces, request);
    const bool any = a.source != VolSource::none;
    const std::array<CsvResult, 3> results{
        CsvResult{names[0], any ? a.sigma : nothing}, CsvResult{names[1], any ? a.slope : nothing},
        CsvResult{names[2], 0, std::string{quant::to_string(a.source)}, CsvResult::Kind::text}};
    chain.inputs().write_row(request.format, r.record, results);
  }
}

// Reads the chain and fits it; false, with `out.usable` false, when there is nothing to show.
bool fit_chain(std::string_view input, const SurfaceRequest& request, ChainReader& chain,
               Surfaces& surfaces, CsvOutcome& out) {
  Names names;
  CsvOutcome earlier;
  Previous previous{names, request.previous_age_s, earlier};
  if (!request.previous.empty()) {
    run_csv_table(request.previous, previous, earlier);
    for (CsvProblem& p : earlier.problems) {
      out.problems.push_back({p.line, p.column, p.name, "of the previous surface: " + p.text});
    }
    if (!out.problems.empty()) return false;
  }
  const VolSurface last = previous.surface();
  run_csv_table(input, chain, out);
  if (!out.usable) return false;
  for (auto& [underlying, expiries] : expiries_of(chain.rows(), request.limits.strikes_min)) {
    std::vector<quant::ExpiryQuotes> quotes;
    for (const Expiry& e : expiries) {
      quotes.push_back({names.number(e.name), {e.years, e.quotes, e.from_book}});
    }
    OfUnderlying& of = surfaces[underlying];
    out.usable = of.surface.fit(quotes, 0, request.limits, &last, request.age_max_s);
    if (!out.usable) {
      out.problems.push_back({1, 0, {}, "two expiries have one time to expiry"});
      return false;
    }
    of.expiries = std::move(expiries);
  }
  if (surfaces.empty()) {
    out.usable = false;
    out.problems.push_back({1, 0, {}, "no option with time to its expiry"});
  }
  return out.usable;
}

}  // namespace

CsvOutcome surface_table(std::string_view input, const SurfaceRequest& request) {
  CsvOutcome out;
  ChainReader chain{out};
  Surfaces surfaces;
  if (!fit_chain(input, request, chain, surfaces, out)) return out;
  request.each ? write_rows(chain, surfaces, request)
               : write_expiries(surfaces, request.format, out);
  return out;
}

std::vector<SurfaceExpiry> surface_expiries(std::string_view input, const SurfaceRequest& request,
                                            CsvOutcome& out) {
  ChainReader chain{out};
  Surfaces surfaces;
  std::vector<SurfaceExpiry> all;
  if (!fit_chain(input, request, chain, surfaces, out)) return all;
  for (auto& [underlying, of] : surfaces) {
    for (std::size_t i = 0; i < of.expiries.size(); ++i) {
      Expiry& e = of.expiries[i];
      all.push_back({underlying, e.name, e.years, e.forward, e.from_book, std::move(e.quotes),
                     of.surface.slices()[i]});
    }
  }
  out.rows = all.size();
  return all;
}

}  // namespace gimbal
