#include "ops/app/session_setup.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "ops/app/feed_interval.hpp"
#include "ops/app/listing_tasks.hpp"
#include "ops/app/venue_address.hpp"

namespace gimbal {
namespace {

void subscribe_hedges(const VenueConfig& venue, const Universe& universe,
                      deribit::DeribitFeed& feed) {
  for (const Universe::Member& m : universe.members()) {
    feed.want_book(m.hedge, interval_of(venue.book_interval));
    feed.want_ticker(m.hedge, interval_of(venue.ticker_interval));
    feed.want_trades(m.hedge, interval_of(venue.trades_interval));
  }
}

void subscribe_rest(const Config& config, const Universe& universe, deribit::DeribitFeed& feed) {
  const VenueConfig& venue = config.venues[0];
  for (std::size_t i = 0; i < universe.members().size(); ++i) {
    const Universe::Member& m = universe.members()[i];
    const UnderlyingConfig& u = config.underlyings[i];
    feed.want_price_index(u.index, m.id);
    for (const InstrumentId id : m.futures) {
      if (id == m.hedge) continue;
      feed.want_book(id, interval_of(venue.option_book_interval));
      feed.want_ticker(id, interval_of(venue.ticker_interval));
    }
    for (const InstrumentId id : m.options) {
      feed.want_book(id, interval_of(venue.option_book_interval));
      feed.want_ticker(id, interval_of(venue.ticker_interval));
    }
    feed.want_instrument_state("any", u.currency);
  }
  feed.want_platform_state();
}

std::uint32_t heartbeat_s(const VenueConfig& venue) {
  return static_cast<std::uint32_t>(venue.heartbeat.count / 1'000'000'000);
}

}  // namespace

deribit::DeribitFeed feed_decoder(const Config& config, const Universe& universe, VenueId venue,
                                  std::uint16_t slot) {
  deribit::FeedConfig settings;
  settings.venue = venue;
  settings.channels_max = 3 * universe.table().size() + 64 + 2 * listings_max;
  settings.heartbeat_s = heartbeat_s(config.venues[0]);
  settings.private_subscribe = true;
  deribit::DeribitFeed feed{settings, universe.symbols()};
  slot == hedge_slot ? subscribe_hedges(config.venues[0], universe, feed)
                     : subscribe_rest(config, universe, feed);
  return feed;
}

std::vector<InstrumentId> books_of(const Universe& universe, std::uint16_t slot) {
  std::vector<InstrumentId> books;
  for (const Universe::Member& m : universe.members()) {
    if (slot == hedge_slot) {
      books.push_back(m.hedge);
      continue;
    }
    std::copy_if(m.futures.begin(), m.futures.end(), std::back_inserter(books),
                 [&](InstrumentId id) { return id != m.hedge; });
    books.insert(books.end(), m.options.begin(), m.options.end());
  }
  return books;
}

deribit::GatewayConfig gateway_config(const LoadedConfig& loaded, VenueId venue,
                                      std::uint32_t epoch, deribit::LoginConfig login) {
  const VenueConfig& account = loaded.config.venues[0];
  deribit::GatewayConfig config;
  config.venue = venue;
  config.label_tag = tag_of(account.account);
  config.config_hash = static_cast<std::uint32_t>(loaded.short_hash() >> 32);
  config.boot_epoch = epoch;
  config.own_account = account.own_account;
  config.heartbeat_s = heartbeat_s(account);
  config.login = std::move(login);
  return config;
}

deribit::RateLimits rate_limits(const VenueConfig& venue) {
  deribit::RateLimits limits;
  limits.rate_per_s = static_cast<std::uint32_t>(venue.matching_rate);
  limits.burst = static_cast<std::uint32_t>(venue.matching_burst);
  limits.usable_permille = static_cast<std::uint32_t>(venue.rate_use * 1000);
  limits.reserve_permille = static_cast<std::uint32_t>(venue.cancel_reserve * 1000);
  return limits;
}

}  // namespace gimbal
