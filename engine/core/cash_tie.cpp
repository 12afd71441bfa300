#include "engine/core/cash_tie.hpp"

#include <algorithm>

namespace gimbal {

void CashTie::Words::add(Money balance, Money unit) noexcept {
  if (meeting(balance, unit) != nullptr) return;
  put({balance.nano * atto_per_nano, 0, {}});
}

void CashTie::Words::put(const Cash& figure) noexcept {
  figures[next] = figure;
  next = (next + 1) % words_max;
  if (count < words_max) ++count;
}

void CashTie::Words::move(i128 atto) noexcept {
  for (std::size_t n = 0; n < count; ++n) {
    figures[n].atto += atto;
    ++figures[n].fills;
  }
}

CashTie::Cash* CashTie::Words::meeting(Money balance, Money unit) noexcept {
  for (std::size_t n = 1; n <= count; ++n) {
    Cash& c = figures[(next + words_max - n) % words_max];
    if (met(c, balance, unit)) return &c;
  }
  return nullptr;
}

void CashTie::anchor(Money balance) noexcept {
  now_ = {balance.nano * atto_per_nano, 0, {}};
  kept_ = 0;
  open_since_ = {};
  open_words_ = {};
  anchored_ = true;
}

bool CashTie::met(const Cash& own, Money balance, Money unit) noexcept {
  const i128 gap = balance.nano * atto_per_nano - own.atto;
  const i128 allowed = static_cast<i128>(own.fills) * unit.nano * atto_per_nano;
  return gap <= allowed && -gap <= allowed;
}

// `own` was the cash when the venue told `balance`; of what is kept the `newer` newest came later.
void CashTie::tie(const Cash& own, std::size_t newer, Money balance) noexcept {
  const Cash was = own;
  const i128 rounding = balance.nano * atto_per_nano - was.atto;
  absorbed_ = std::max(absorbed_, rounding < 0 ? -rounding : rounding);
  const auto shift = [&](Cash& c) {
    c.atto += rounding;
    c.fills -= was.fills;
  };
  shift(now_);
  kept_ = newer;
  for (std::size_t n = 1; n <= kept_; ++n) shift(before_[(next_ + kept_max - n) % kept_max]);
  open_since_ = {};
  open_words_ = {};
}

bool CashTie::met_before(Money balance, const Rule& rule, RecvTime now) noexcept {
  for (std::size_t n = 1; n <= kept_; ++n) {
    const Cash& c = before_[(next_ + kept_max - n) % kept_max];
    if (now - c.until >= rule.wait) return false;  // a report is not that late
    if (!met(c, balance, rule.unit)) continue;
    tie(c, n, balance);
    return true;
  }
  return false;
}

bool CashTie::met_stood(Money balance, Money unit) noexcept {
  Cash* stood = stood_words_.meeting(balance, unit);
  if (stood == nullptr) return false;
  now_ = *stood;
  tie(now_, 0, balance);
  *stood = now_;  // from here on without the rounding that this balance used up
  return true;
}

void CashTie::move(i128 atto, Money unit, RecvTime now, bool late) noexcept {
  if (!anchored_) return;
  before_[next_] = now_;
  before_[next_].until = now;
  next_ = (next_ + 1) % kept_max;
  if (kept_ < kept_max) ++kept_;
  const Cash without = now_;
  now_.atto += atto;
  ++now_.fills;
  open_words_.move(atto);
  stood_words_.move(atto);
  const bool may_be_absorbed = (atto < 0 ? -atto : atto) <= absorbed_;
  if (late && atto != 0 && may_be_absorbed && open_since_.mono_ns == 0) stood_words_.put(without);
  if (open_since_.mono_ns == 0) return;
  if (met(now_, told_, unit)) {
    tie(now_, 0, told_);
  } else if (late) {
    open_since_ = now;
  }
}

CashTie::Verdict CashTie::report(Money balance, const Rule& rule, RecvTime now) noexcept {
  if (!anchored_) {
    anchor(balance);
    anchored_at_ = now;
    return Verdict::none;
  }
  if (met(now_, balance, rule.unit)) {
    tie(now_, 0, balance);
    if (rule.anchor_asked && now - anchored_at_ >= rule.wait) {
      proven_ = true;
      stood_words_ = {};
    }
    return Verdict::tied;
  }
  if (met_before(balance, rule, now) || met_stood(balance, rule.unit)) return Verdict::tied;
  told_ = balance;
  open_words_.add(balance, rule.unit);
  if (open_since_.mono_ns == 0) open_since_ = now;
  if (now - open_since_ < rule.wait || !rule.asked) return Verdict::open;
  difference_ = {
      Money{static_cast<std::int64_t>(divide(now_.atto, atto_per_nano, Rounding::nearest))},
      balance, now_.fills};
  stood_words_ = open_words_;
  anchor(balance);
  anchored_at_ = now;
  if (proven_ || taken_anew_ == anchors_max) return Verdict::differs;
  ++taken_anew_;  // a fill was on its way when the anchor was taken
  return Verdict::none;
}

}  // namespace gimbal
