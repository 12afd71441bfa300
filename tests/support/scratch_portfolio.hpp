// The naive twin of Portfolio: remembers what it was told and recomputes everything when asked, one
// option at a time, from the formulas. Also gives the error that expanding in place may make.
#pragma once

#include <cmath>
#include <map>

#include "engine/core/portfolio.hpp"

namespace gimbal::test {

class ScratchPortfolio {
 public:
  explicit ScratchPortfolio(const InstrumentTable& table, const PortfolioConfig& config = {})
      : table_{table}, config_{config} {}

  void list(InstrumentId) {}
  void settle(InstrumentId id, Price) {
    positions_.erase(id);
    sigma_.erase(id);
    future_.erase(id);
  }
  void set_position(InstrumentId id, Qty amount) { positions_[id] = amount; }
  void apply_fill(InstrumentId id, Qty signed_amount) { positions_[id] += signed_amount; }
  Qty position(InstrumentId id) const {
    const auto it = positions_.find(id);
    return it == positions_.end() ? Qty{} : it->second;
  }
  void on_option_ticker(InstrumentId id, std::int64_t iv, Price underlying, Price, ExchTime,
                        RecvTime) {
    if (iv > 0) sigma_[id] = static_cast<double>(iv) * 1e-9;
    if (underlying.nano > 0) {
      const Instrument& i = table_[id];
      said_[key(i)] = {to_double(underlying), mid_[i.underlying]};
    }
  }
  void on_perpetual_mid(UnderlyingId u, Price mid, ExchTime, RecvTime) {
    mid_[u] = to_double(mid);
    for (auto& [k, said] : said_) {
      if (std::get<0>(k) == u && said.mid == 0) said.mid = mid_[u];
    }
  }
  void on_future_mid(InstrumentId id, Price mid, ExchTime, RecvTime) {
    future_[id] = to_double(mid);
  }
  void on_clock(RecvTime, ExchTime venue_now) { venue_now_ = venue_now; }

  RiskNumbers risk(UnderlyingId u) const {
    return sum([&](const Instrument& i) { return i.underlying == u; });
  }
  RiskNumbers risk(ExpiryId e) const {
    return sum([&](const Instrument& i) { return i.expiry_id == e; });
  }
  double forward(const Instrument& i) const {
    const auto it = said_.find(key(i));
    if (it == said_.end()) return 0;
    const double now = mid_.count(i.underlying) != 0 ? mid_.at(i.underlying) : 0;
    return it->second.mid > 0 && now > 0 ? it->second.underlying * now / it->second.mid
                                         : it->second.underlying;
  }
  OptionTerms terms(const Instrument& i) const {
    return {i.option,
            forward(i),
            to_double(i.strike),
            years(i.expiry - venue_now_),
            sigma_.count(i.id) != 0 ? sigma_.at(i.id) : 0.0,
            0,
            1};
  }

 private:
  struct Said {
    double underlying{0}, mid{0};
  };
  using Key = std::tuple<UnderlyingId, ExchTime, bool>;
  static Key key(const Instrument& i) { return {i.underlying, i.expiry, is_inverse(i.kind)}; }

  template <class Chosen>
  RiskNumbers sum(Chosen chosen) const {
    RiskNumbers out;
    for (const auto& [id, amount] : positions_) {
      const Instrument& i = table_[id];
      if (!chosen(i) || amount == Qty{}) continue;
      if (is_option(i.kind)) {
        add_option(i, to_double(amount), out);
      } else {
        add_delta_one(i, amount, out);
      }
    }
    out.delta_bs.value = out.options_delta.value + out.delta_one;
    out.delta_net.value += out.delta_one;
    return out;
  }
  void add_option(const Instrument& i, double amount, RiskNumbers& out) const {
    const OptionTerms t = terms(i);
    if (!(t.sigma > 0) || !(t.forward > 0)) {
      out.complete = false;
      return;
    }
    const LinearGreeks g = price_linear(t);
    const InverseGreeks c = price_inverse(t);
    const bool inverse = is_inverse(i.kind);
    out.options_delta.value += amount * g.delta;
    out.gamma.value += amount * g.gamma;
    out.vega.value += amount * g.vega;
    out.theta.value += amount * g.theta;
    out.delta_net.value += amount * (inverse ? c.delta_net : g.delta);
    out.gamma_net.value += amount * (inverse ? c.gamma_net : g.gamma);
    (inverse ? out.options_value : out.linear_value) += amount * (inverse ? c.value : g.price);
  }
  void add_delta_one(const Instrument& i, Qty amount, RiskNumbers& out) const {
    double price = 0;
    if (is_perpetual(i.kind)) {
      price = mid_.count(i.underlying) != 0 ? mid_.at(i.underlying) : 0;
    } else {
      price = future_.count(i.id) != 0 ? future_.at(i.id) : forward(i);
    }
    if (is_inverse(i.kind) && !(price > 0)) {
      out.complete = false;
      return;
    }
    const double coins = i.coins(amount, price);
    out.delta_one += coins;
    if (is_inverse(i.kind)) out.gamma_net.value -= coins / price;
  }

  const InstrumentTable& table_;
  PortfolioConfig config_;
  ExchTime venue_now_{};
  std::map<InstrumentId, Qty> positions_;
  std::map<InstrumentId, double> sigma_;
  std::map<InstrumentId, double> future_;
  std::map<UnderlyingId, double> mid_;
  std::map<Key, Said> said_;
};

}  // namespace gimbal::test
