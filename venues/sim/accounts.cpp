// Accounts, deposits, endowments, connections with their cancel-on-disconnect, and credits.
#include <algorithm>

#include "venues/sim/state.hpp"

namespace gimbal::sim {

AccountId SimExchange::add_account(std::string_view client_id, std::string_view secret) {
  State& s = *state_;
  if (const auto it = s.clients.find(client_id); it != s.clients.end()) return it->second;
  const auto id = static_cast<AccountId>(s.accounts.size());
  s.accounts.emplace_back();
  Account& a = s.accounts.back();
  a.credential = {std::string{client_id}, std::string{secret}, id};
  a.cash.resize(s.currencies.size());
  a.liquidating_in.resize(s.currencies.size());
  const RateConfig& r = s.config.rates;
  a.buckets = {CreditBucket{r.matching_per_s, r.matching_burst},
               CreditBucket{r.cancel_all_per_s, r.cancel_all_burst},
               CreditBucket{r.general_per_s, r.general_burst},
               CreditBucket{r.subscribe_per_s, r.subscribe_burst}};
  for (CreditBucket& b : a.buckets) b.start(s.now);
  s.clients.emplace(std::string{client_id}, id);
  return id;
}

const Credential* SimExchange::credential(std::string_view client_id) const noexcept {
  const auto it = state_->clients.find(client_id);
  return it == state_->clients.end() ? nullptr : &state_->accounts[it->second].credential;
}

std::size_t SimExchange::account_count() const noexcept { return state_->accounts.size(); }

void SimExchange::deposit(AccountId account, Currency currency, Money amount) {
  const std::size_t c = state_->currency_index(currency);
  if (account >= state_->accounts.size() || c == state_->currencies.size()) return;
  state_->accounts[account].cash[c].balance += amount.nano;
  state_->ledgers[c].deposits += amount.nano;
}

void SimExchange::endow(AccountId account, std::span<const InitialPosition> positions) {
  State& s = *state_;
  if (account < first_user || account >= s.accounts.size()) return;
  for (const InitialPosition& p : positions) {
    if (p.instrument >= s.listings.size()) continue;
    const Instrument& def = s.listings[p.instrument].def;
    Market& m = s.markets[p.instrument];
    const Price price = p.price.nano > 0 ? p.price : m.mark;
    for (const auto& [who, amount] :
         {std::pair{account, p.size.nano}, std::pair{house_maker, -p.size.nano}}) {
      s.book_funding(who, p.instrument);
      Holding& h = s.holding(who, p.instrument);
      const std::int64_t before = h.size < 0 ? -h.size : h.size;
      const i128 result = h.apply(def, amount, price.nano);
      if (!is_option(def.kind)) {
        s.accounts[who].cash[s.currency_of(p.instrument)].session_rpl += result;
      }
      m.gross += (h.size < 0 ? -h.size : h.size) - before;
    }
  }
}

ConnectionId SimExchange::open_connection() {
  state_->connections.emplace_back();
  return state_->connections.size();
}

bool SimExchange::bind(ConnectionId connection, AccountId account) {
  State& s = *state_;
  if (connection == 0 || connection > s.connections.size()) return false;
  if (account < first_user || account >= s.accounts.size()) return false;
  Connection& c = s.connections[connection - 1];
  if (!c.open) return false;
  if (c.account != account) c.cod = s.accounts[account].cod_by_default;
  if (c.cod) c.scope = CodScope::account;
  c.account = account;
  return true;
}

void SimExchange::close_connection(ConnectionId connection, bool logout, Observer& out) {
  State& s = *state_;
  if (connection == 0 || connection > s.connections.size()) return;
  Connection& c = s.connections[connection - 1];
  if (!c.open) return;
  c.open = false;
  if (logout || !c.cod || c.account == no_account) return;
  const auto& set = s.accounts[c.account].open;
  const std::vector<OrderNo> open(set.begin(), set.end());
  for (const OrderNo n : open) {
    if (s.orders[n - 1].info.connection != connection) continue;
    s.cancel_one(n, CancelReason::cancel_on_disconnect, out);
  }
}

int SimExchange::set_cod(ConnectionId connection, CodScope scope, bool enabled) {
  State& s = *state_;
  if (connection == 0 || connection > s.connections.size()) return code::unauthorized;
  Connection& c = s.connections[connection - 1];
  if (!c.open || c.account == no_account) return code::unauthorized;
  c.cod = enabled;
  c.scope = scope;
  if (scope == CodScope::account) s.accounts[c.account].cod_by_default = enabled;
  return code::ok;
}

bool SimExchange::cod_enabled(ConnectionId connection) const noexcept {
  const auto& list = state_->connections;
  return connection > 0 && connection <= list.size() && list[connection - 1].cod;
}

CodScope SimExchange::cod_scope(ConnectionId connection) const noexcept {
  const auto& list = state_->connections;
  return connection > 0 && connection <= list.size() ? list[connection - 1].scope
                                                     : CodScope::connection;
}

bool SimExchange::take_credit(AccountId account, RequestClass kind) {
  State& s = *state_;
  if (account < first_user || account >= s.accounts.size() || !s.config.enforce_rates) return true;
  return s.accounts[account].buckets[static_cast<std::size_t>(kind)].take(s.now);
}

}  // namespace gimbal::sim
