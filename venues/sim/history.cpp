#include "venues/sim/history.hpp"

#include <algorithm>

namespace gimbal::sim {
namespace {

constexpr Nanos minute = seconds(60);
constexpr Nanos hour = seconds(3600);

ExchTime floor_to(ExchTime t, Nanos width) noexcept {
  return {t.unix_ns - t.unix_ns % width.count};
}

void take(Candle& into, const Candle& c) noexcept {
  into.high = std::max(into.high, c.high);
  into.low = std::min(into.low, c.low);
  into.close = c.close;
  into.volume += c.volume;
  into.cost += c.cost;
}

}  // namespace

void CandleSeries::add(ExchTime time, Price price, double coins, double usd) {
  const ExchTime start = floor_to(time, minute);
  const Candle one{start, price, price, price, price, coins, usd};
  if (!minutes_.empty() && minutes_.back().start == start) return take(minutes_.back(), one);
  minutes_.push_back(one);
  if (minutes_.size() > kept_max) minutes_.pop_front();
}

std::vector<Candle> CandleSeries::collect(ExchTime from, ExchTime to, Nanos width,
                                          std::size_t count_max) const {
  std::vector<Candle> out;
  if (minutes_.empty() || to < from) return out;
  ExchTime at = std::max(floor_to(minutes_.front().start, width), floor_to(from, width));
  if (at < from) at = at + width;
  const auto span =
      static_cast<std::size_t>(std::max<std::int64_t>((to - at).count, 0) / width.count);
  if (span >= count_max) at = at + width * static_cast<std::int64_t>(span + 1 - count_max);
  auto next = minutes_.begin();
  Candle last{};
  bool known = false;
  for (; next != minutes_.end() && next->start < at; ++next) {
    last = *next;
    known = true;
  }
  for (; at <= to; at = at + width) {
    Candle c{at, last.close, last.close, last.close, last.close, 0, 0};
    for (; next != minutes_.end() && next->start < at + width; ++next) {
      if (c.volume == 0) {
        const ExchTime start = c.start;
        c = *next;
        c.start = start;
      } else {
        take(c, *next);
      }
      last = *next;
      known = true;
    }
    if (known) out.push_back(c);
  }
  return out;
}

void FundingSeries::add(ExchTime time, double paid, double rate_8h, Price index) {
  total_ += paid;
  if (minutes_.empty()) {
    minutes_.push_back({time, total_});
    hour_began_at_ = total_;
    hour_index_ = index;
  } else if (floor_to(time, minute) != floor_to(last_, minute)) {
    minutes_.push_back({time, total_});
    if (minutes_.size() > minutes_max) minutes_.pop_front();
  }
  if (last_.unix_ns != 0 && floor_to(time, hour) != floor_to(last_, hour)) {
    hours_.push_back({floor_to(time, hour), index, hour_index_, rate_8h, total_ - hour_began_at_});
    if (hours_.size() > kept_max) hours_.pop_front();
    hour_began_at_ = total_;
    hour_index_ = index;
  }
  last_ = time;
}

double FundingSeries::paid(ExchTime from, ExchTime to) const {
  if (minutes_.empty() || to < from) return 0;
  const auto total_at = [this](ExchTime t) {
    if (t >= last_) return total_;
    const auto after = std::upper_bound(minutes_.begin(), minutes_.end(), t,
                                        [](ExchTime v, const Minute& m) { return v < m.end; });
    return after == minutes_.begin() ? minutes_.front().total : std::prev(after)->total;
  };
  return total_at(to) - total_at(from);
}

}  // namespace gimbal::sim
