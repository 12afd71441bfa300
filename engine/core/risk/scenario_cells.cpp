#include "engine/core/risk/scenario_cells.hpp"

#include <algorithm>
#include <limits>

#include "engine/core/math.hpp"

namespace gimbal {
namespace {

static_assert(ScenarioCells::padded == 40 &&
              ScenarioBook::cells == ScenarioCells::padded);  // what worst_loss folds
constexpr double larger(double a, double b) noexcept { return a > b ? a : b; }

}  // namespace

ScenarioCells::ScenarioCells(const ScenarioConfig& config, std::size_t instruments)
    : config_{config}, table_{config} {
  if (!config_.used()) return;
  for (std::size_t n = 0; n < cell_count; ++n) {
    const ScenarioTable::Scenario& s = table_[n];
    const double edge = table_.edge(n);
    future_[0][n] = s.weight * (ScenarioTable::far(n) ? s.move / edge : s.move / (1.0 + s.move));
    future_[1][n] = s.weight * s.move;
    relief_[0][n] = std::max(s.relief_usd / edge, 0.0);
    relief_[1][n] = std::max(s.relief_usd, 0.0);
  }
  polynomials_.resize(instruments);
  rows_.resize(instruments);
  books_.resize(books);
}

const ScenarioCells::Book& ScenarioCells::book(const Instrument& i) const noexcept {
  return books_[place(i.underlying, is_inverse(i.kind))];
}
ScenarioCells::Book& ScenarioCells::book(const Instrument& i) noexcept {
  return books_[place(i.underlying, is_inverse(i.kind))];
}

void ScenarioCells::follow(UnderlyingId u, double spot) noexcept {
  if (!used() || u.value >= underlyings_max || !(spot > 0)) return;
  for (const bool inverse : {true, false}) {
    Book& b = books_[place(u, inverse)];
    if (near(b, spot)) continue;
    b.anchor = spot;
    ++b.generation;
    b.counted = 0;
    b.sums = Polynomial{};
  }
}

void ScenarioCells::find_oldest(const Instrument& i, std::span<const InstrumentId> held) noexcept {
  if (!used() || !has_place(i)) return;
  const std::size_t mine = place(i.underlying, is_inverse(i.kind));
  RecvTime oldest{std::numeric_limits<std::int64_t>::max()};
  for (const InstrumentId id : held) {
    const Row& r = rows_[id.value];
    if (r.place == mine) oldest = std::min(oldest, r.at);
  }
  books_[mine].oldest = oldest;
}

bool ScenarioCells::near(const Book& b, double spot) noexcept {
  return b.anchor > 0 && math::abs(spot / b.anchor - 1.0) <= move_max;
}

bool ScenarioCells::fresh(const Instrument& i, double spot, RecvTime now) const noexcept {
  if (!used() || !has_place(i)) return false;
  const Row& r = rows_[i.id.value];
  const Book& b = book(i);
  return r.generation == b.generation && near(b, spot) && now - r.at <= config_.row_age_max;
}

void ScenarioCells::add(Book& b, const Polynomial& row, double amount) noexcept {
  for (std::size_t n = 0; n < padded; ++n) {
    b.sums.value[n] = math::fma(amount, row.value[n], b.sums.value[n]);
    b.sums.slope[n] = math::fma(amount, row.slope[n], b.sums.slope[n]);
    b.sums.half_curve[n] = math::fma(amount, row.half_curve[n], b.sums.half_curve[n]);
  }
}

ScenarioCells::Taken ScenarioCells::take(const ScenarioRows& rows, const InstrumentTable& table,
                                         RecvTime now) noexcept {
  const ScenarioRowsHead& head = rows.head();
  if (!used() || !rows.sound() || head.table != table_.number() || head.at > now) {
    return Taken::refused;
  }
  const bool inverse = head.inverse != 0;
  const Book& b = books_[place(head.underlying, inverse)];
  if (head.generation != b.generation || head.anchor != b.anchor) return Taken::late;
  for (std::size_t n = 0; n < head.rows; ++n) {
    const InstrumentId id = head.instruments[n];
    if (!table.contains(id)) return Taken::refused;
    const Instrument& i = table[id];
    if (!has_place(i) || i.underlying != head.underlying || is_inverse(i.kind) != inverse) {
      return Taken::refused;
    }
  }
  for (std::size_t n = 0; n < head.rows; ++n) adopt(table[head.instruments[n]], rows, n);
  return Taken::all;
}

void ScenarioCells::adopt(const Instrument& i, const ScenarioRows& rows, std::size_t n) noexcept {
  Book& b = book(i);
  Row& r = rows_[i.id.value];
  const bool present = r.generation == b.generation;
  if (present && rows.head().at < r.at) return;  // asked twice, and the older answer came last
  Polynomial& row = polynomials_[i.id.value];
  const bool counted = r.held != 0 && present;
  if (counted) add(b, row, -r.held);
  rows.row(n, row);
  r.generation = b.generation;
  r.at = rows.head().at;
  if (r.held == 0) return;
  add(b, row, r.held);
  if (!counted) ++b.counted;
}

void ScenarioCells::hold(const Instrument& i, Qty amount) noexcept {
  if (!used() || !has_place(i)) return;
  Row& r = rows_[i.id.value];
  Book& b = book(i);
  r.place = static_cast<std::uint8_t>(place(i.underlying, is_inverse(i.kind)));
  const double held = to_double(amount);
  const bool now_held = held != 0;
  const bool was_held = r.held != 0;
  const auto count = [&](std::uint32_t& rows) noexcept {
    if (now_held == was_held) return;
    now_held ? ++rows : --rows;
  };
  count(b.held);
  if (r.generation == b.generation) {
    add(b, polynomials_[i.id.value], held - r.held);
    count(b.counted);
  }
  r.held = held;
}

bool ScenarioCells::complete(UnderlyingId u, bool inverse, double spot) const noexcept {
  if (!used() || u.value >= underlyings_max || !(spot > 0)) return false;
  const Book& b = books_[place(u, inverse)];
  if (b.held == 0) return true;
  return b.counted == b.held && near(b, spot);
}

ScenarioCells::Cells ScenarioCells::cells(UnderlyingId u, bool inverse,
                                          const Position& p) const noexcept {
  const Book& b = books_[place(u, inverse)];
  const Cells& future = future_[inverse ? 0 : 1];
  const double z = b.anchor > 0 ? p.spot / b.anchor - 1.0 : 0.0;
  const double unit = inverse ? 1.0 : p.spot;
  const double held = unit * p.coins;
  const double buy = unit * p.open_buy;
  const double sell = -unit * p.open_sell;
  Cells out;
  for (std::size_t n = 0; n < padded; ++n) {
    const double f = future[n];
    double v = math::fma(z, math::fma(z, b.sums.half_curve[n], b.sums.slope[n]), b.sums.value[n]);
    v = math::fma(held, f, v);
    v += std::min(buy * f, 0.0);
    v += std::min(sell * f, 0.0);
    out[n] = v;
  }
  return out;
}

void ScenarioCells::add_worst(Cells& cells, const Instrument& option, double amount,
                              double spot) const noexcept {
  const Polynomial& row = polynomials_[option.id.value];
  const double z = spot / book(option).anchor - 1.0;
  for (std::size_t n = 0; n < padded; ++n) {
    const double v = math::fma(z, math::fma(z, row.half_curve[n], row.slope[n]), row.value[n]);
    cells[n] += std::min(amount * v, 0.0);
  }
}

void ScenarioCells::add_option(Cells& cells, const Instrument& option, double amount,
                               double spot) const noexcept {
  const Polynomial& row = polynomials_[option.id.value];
  const double z = spot / book(option).anchor - 1.0;
  for (std::size_t n = 0; n < padded; ++n) {
    const double v = math::fma(z, math::fma(z, row.half_curve[n], row.slope[n]), row.value[n]);
    cells[n] = math::fma(amount, v, cells[n]);
  }
}

void ScenarioCells::add_future(Cells& cells, bool inverse, double coins,
                               double spot) const noexcept {
  const Cells& future = future_[inverse ? 0 : 1];
  const double amount = inverse ? coins : coins * spot;
  for (std::size_t n = 0; n < padded; ++n) cells[n] = math::fma(amount, future[n], cells[n]);
}

// Folded in halves, so that every step is a whole vector. Besides the largest, the sum of all: one
// cell that is no number is enough to spoil it.
double ScenarioCells::worst_loss(const Cells& cells, bool inverse, double index) const noexcept {
  const Cells& relief = relief_[inverse ? 0 : 1];
  const double unit = inverse ? 1.0 / index : 1.0;
  Cells loss;
  for (std::size_t n = 0; n < padded; ++n) loss[n] = -cells[n] - unit * relief[n];
  alignas(32) std::array<double, 16> worst;
  alignas(32) std::array<double, 16> sum;
  for (std::size_t n = 0; n < 16; ++n) {
    worst[n] = larger(loss[n], loss[n + 16]);
    sum[n] = loss[n] + loss[n + 16];
  }
  for (std::size_t n = 0; n < 8; ++n) {
    worst[n] = larger(larger(worst[n], worst[n + 8]), loss[n + 32]);
    sum[n] = sum[n] + sum[n + 8] + loss[n + 32];
  }
  for (std::size_t n = 0; n < 4; ++n) {
    worst[n] = larger(worst[n], worst[n + 4]);
    sum[n] += sum[n + 4];
  }
  const double all = (sum[0] + sum[2]) + (sum[1] + sum[3]);
  if (!math::finite(all)) return std::numeric_limits<double>::quiet_NaN();
  return larger(larger(larger(worst[0], worst[2]), larger(worst[1], worst[3])), 0.0);
}

}  // namespace gimbal
