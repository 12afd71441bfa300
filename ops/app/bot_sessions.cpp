// Builds a bot's sessions: what each connection subscribes, the order session, and the topology
// that joins them. Room: ops/app (wiring). Cold.
#include <fmt/format.h>

#include "ops/app/bot.hpp"
#include "ops/app/desk.hpp"
#include "ops/app/session_setup.hpp"
#include "ops/app/venue_address.hpp"

namespace gimbal {
namespace {

constexpr Nanos token_refresh = seconds(600);
std::chrono::milliseconds to_ms(Nanos n) { return std::chrono::milliseconds{n.count / 1'000'000}; }

}  // namespace

template <class Events>
std::unique_ptr<FeedSession<BotVenue, Events>> Bot::make_feed(Events& events, TscProbe& probe,
                                                              std::uint16_t slot) {
  deribit::DeribitFeed feed = feed_decoder(loaded_->config, universe_, venue_, slot);
  deribit::DeribitLogin login{login_config(feed_login_first_id(slot), "")};
  using Joined = typename FeedSession<BotVenue, Events>::Feed;
  auto session = std::make_unique<FeedSession<BotVenue, Events>>(
      Joined{std::move(feed), std::move(login)}, books_of(universe_, slot), events, probe, clock_,
      slot, slot == hedge_slot ? Priority::first : Priority::normal, LinkConfig{});
  session->session().set_silence_max(loaded_->config.venues[0].silence_max);
  session->set_data_silence_max(loaded_->config.venues[0].data_silence_max);
  return session;
}

std::unique_ptr<OrderSession<BotVenue>> Bot::make_orders(TscProbe& probe) {
  const VenueConfig& venue = loaded_->config.venues[0];
  deribit::GatewayConfig config = gateway_config(*loaded_, venue_, epoch_,
                                                 login_config(order_login_first_id,
                                                              "trade:read_write "
                                                              "account:read_write"));
  config.tags = &gate_.layout().tags;
  order_table_ = universe_.table();
  const int sender = gate_.register_sender();
  deribit::DeribitGateway gateway{std::move(config), universe_.symbols(), order_table_,
                                  universe_.underlyings(), *budget_};
  auto session = std::make_unique<OrderSession<BotVenue>>(
      std::move(gateway), from_orders_, fills_, gate_, SenderGate{gate_, stop_page_, sender},
      order_table_, order_terms_, probe, clock_, order_slot, venue_, LinkConfig{});
  session->session().set_silence_max(venue.silence_max);
  return session;
}

// One tape for each thread that owns sessions.
void Bot::attach_tapes() {
  const auto attach = [this](auto& session, FrameTape* tape, const Seq* seq) {
    session.session().tape().attach(tape, session.session().slot(), seq);
    session.follow_names(universe_.symbols());
  };
  FrameTape* tape = new_tape();
  if (fused_ != nullptr) {
    const Seq* seq = &fused_->sequencer().last_seq();
    attach(fused_->orders(), tape, seq);
    for (auto& feed : fused_->feeds()) attach(*feed, tape, seq);
    return;
  }
  attach(order_stage_->orders(), tape, nullptr);
  tape = new_tape();
  for (auto& feed : feed_stage_->feeds()) attach(*feed, tape, nullptr);
}

// Knows the clock, the kind of poller and a directory: nothing that leads to the venue.
void Bot::make_rehearsal() {
  const RuntimeConfig& r = loaded_->config.runtime;
  if (fused_ == nullptr || r.keep_warm.count == 0) return;
  RehearsalConfig config;
  config.interval = r.keep_warm;
  config.poller.kind = r.poller;
  config.poller.kernel_stamps = r.kernel_time;
  config.scratch_dir = r.runtime_dir;
  rehearsal_ = std::make_unique<Rehearsal>(config, clock_);
}

std::string Bot::make_hot() {
  const VenueConfig& venue = loaded_->config.venues[0];
  budget_ = std::make_unique<deribit::RateBudget>(rate_limits(venue));
  if (!budget_->set_quota(0, 1000)) return "rate budget: the session's quota is refused";

  PollerConfig poller;
  poller.kind = loaded_->config.runtime.poller;
  poller.kernel_stamps = loaded_->config.runtime.kernel_time;
  poller_ = Poller::open(poller, poller_choice_);
  if (poller_ == nullptr) return "poller: " + poller_choice_.reason;
  say(fmt::format("poller: {} ({})", name_of(poller_choice_.kind), poller_choice_.reason));

  HotParts parts{&clock_,       engine_.get(),  journal_.get(), blocks_.get(),  closer_.get(),
                 &query_tasks_, &from_queries_, &from_control_, &from_orders_,  &snapshot_port_,
                 &probe_,       &counters_,     &alerts_,       surface_ring(), scenario_ring()};
  connects_ = std::make_unique<ConnectLoop>(
      tls_, endpoint_of(venue, venue.path), to_ms(venue.connect_timeout),
      ReconnectConfig{venue.reconnect_min, venue.reconnect_max, seconds(10),
                      venue.reconnects_per_minute},
      clock_, [this](const std::string& text) { say(text); });
  const Acknowledge acks = venue.late_acks ? Acknowledge::late : Acknowledge::soon;
  if (loaded_->config.runtime.topology == Topology::fused) {
    fused_ = std::make_unique<FusedHot>(parts, *poller_);
    fused_->set_orders(make_orders(probe_));
    for (const std::uint16_t slot : {hedge_slot, option_slot}) {
      fused_->add_feed(make_feed(fused_->direct(), probe_, slot));
    }
    connects_->add("orders", fused_->orders().session().port());
    connects_->add("hedge feed", fused_->feeds()[0]->session().port(), acks);
    connects_->add("option feed", fused_->feeds()[1]->session().port(), acks);
  } else {
    PollerChoice second;
    order_poller_ = Poller::open(poller, second);
    if (order_poller_ == nullptr) return "poller: " + second.reason;
    market_ = std::make_unique<EventRing>(market_ring_records);
    commands_ = std::make_unique<SpscRing<Command>>(command_ring_slots);
    hop_ring_ = std::make_unique<HopRing>(hop_ring_slots);
    feed_hops_ = std::make_unique<FeedHops>();
    resyncs_ = std::make_unique<ResyncRing>(256);
    feed_stage_ = std::make_unique<FeedStage>(*poller_, *market_, *resyncs_, clock_, feed_probe_,
                                              *feed_hops_, universe_.table().capacity());
    order_stage_ =
        std::make_unique<OrderStage>(*order_poller_, *commands_, *hop_ring_, clock_, order_probe_);
    core_stage_ = std::make_unique<CoreStage>(parts, *market_, *commands_, *hop_ring_, *feed_hops_,
                                              *resyncs_);
    order_stage_->set_orders(make_orders(order_probe_));
    for (const std::uint16_t slot : {hedge_slot, option_slot}) {
      feed_stage_->add_feed(make_feed(feed_stage_->sink(slot), feed_probe_, slot));
    }
    connects_->add("orders", order_stage_->orders().session().port());
    connects_->add("hedge feed", feed_stage_->feeds()[0]->session().port(), acks);
    connects_->add("option feed", feed_stage_->feeds()[1]->session().port(), acks);
  }
  attach_tapes();
  make_rehearsal();
  query_loop_ =
      std::make_unique<QueryLoop>(*queries_, query_tasks_, from_queries_, gate_, clock_, venue_,
                                  token_refresh, [this](const std::string& text) { say(text); });
  query_loop_->refresh_instruments(currencies(), venue.instrument_refresh);
  desk_ = std::make_unique<Desk>(*this);
  return desk_->open();
}

}  // namespace gimbal
