// Builds a bot: state directory, secrets, query session, instruments, engine, journal, sessions.
// Room: ops/app (wiring). Cold.
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <iterator>

#include "engine/core/payload.hpp"
#include "engine/runtime/journal_files.hpp"
#include "ops/app/bot.hpp"
#include "ops/app/control.hpp"
#include "ops/app/day_keeper.hpp"
#include "ops/app/desk.hpp"
#include "ops/app/hash.hpp"
#include "ops/app/held_scopes.hpp"
#include "ops/app/left_orders.hpp"
#include "ops/app/monitor.hpp"
#include "ops/app/order_keeper.hpp"
#include "ops/app/risk_module.hpp"
#include "ops/app/scenario_feed.hpp"
#include "ops/app/scope_names.hpp"
#include "ops/app/surface_feed.hpp"
#include "ops/app/venue_address.hpp"

namespace gimbal {
namespace {

std::int64_t wall_ms() { return to_unix_ms(wall_now()); }

}  // namespace

std::atomic<int> stop_signal{0};

Bot::Bot(std::unique_ptr<LoadedConfig> loaded, std::string config_text, BotOptions options)
    : loaded_{std::move(loaded)},
      config_text_{std::move(config_text)},
      options_{std::move(options)},
      snapshot_{std::make_unique<HotSnapshot>()} {
  hops_ = std::make_unique<HopTimes>(clock_.tsc_ghz());
}

Bot::~Bot() { stop_threads(); }

void Bot::say(const std::string& text) const {
  const double at = static_cast<double>((clock_.now() - started_).count) * 1e-9;
  std::FILE* to = log_ != nullptr ? log_.get() : stderr;
  if (loaded_->config.log.json) {
    std::string quoted;
    for (const char c : text) {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    std::fprintf(to, "{\"t\":%.6f,\"text\":\"%s\"}\n", at, quoted.c_str());
  } else {
    std::fprintf(to, "%12.6f  %s\n", at, text.c_str());
  }
  std::fflush(to);
}

std::string Bot::build() {
  started_ = clock_.now();
  const Config& config = loaded_->config;
  if (config.venues.size() != 1) {
    return "this version runs one [[venue]] account per process; the file has " +
           std::to_string(config.venues.size());
  }
  if (Outcome o = forbid_dumps(); !o) return o.error();
  if (!config.log.file.empty()) {
    log_.reset(std::fopen(config.log.file.c_str(), "a"));
    if (log_ == nullptr) return "[log] file: cannot open " + config.log.file + " for appending";
  }
  say(fmt::format("gimbal build {:016x} config {} ({})", short_hash(build_hash()),
                  loaded_->hash_hex().substr(0, 16), loaded_->path));
  say_guardian();
  say("clock: " + clock_.reason());
  for (auto step : {&Bot::claim_state, &Bot::read_secrets, &Bot::open_off_host,
                    &Bot::open_query_session, &Bot::load_market, &Bot::make_engine,
                    &Bot::open_modules, &Bot::make_hot, &Bot::make_monitor}) {
    if (std::string error = (this->*step)(); !error.empty()) return error;
  }
  boot_events();
  return {};
}

std::string Bot::claim_state() {
  const RuntimeConfig& r = loaded_->config.runtime;
  for (const std::string& dir : {r.state_dir, r.runtime_dir, r.journal_dir}) {
    if (Outcome o = make_private_directory(dir); !o) return o.error();
  }
  if (Outcome o = lock_.acquire(r.state_dir + "/lock"); !o) return o.error();
  if (Outcome o = next_boot_epoch(r.state_dir + "/epoch", epoch_after(r.journal_dir), epoch_); !o)
    return o.error();
  const std::string gate = r.runtime_dir + "/" + std::string{gate_page_file};
  if (Outcome o = gate_.create(gate, epoch_); !o) return o.error();
  life_.emplace(gate_.layout().life);
  if (!life_->held()) say("the kernel keeps no robust lock: a guardian sees a death later");
  const std::string stop = r.runtime_dir + "/" + std::string{stop_page_file};
  if (Outcome o = stop_page_.create(stop); !o) return o.error();
  const auto tag = static_cast<std::uint32_t>(loaded_->short_hash() >> 32);
  gate_.layout().header.config_hash.store(tag, std::memory_order_release);
  gate_.layout().header.account.store(0, std::memory_order_release);
  gate_.layout().tags.start(tag);
  guardian_ =
      std::make_unique<GuardianView>(gate_.layout(), epoch_, loaded_->config.guardian.beat_max);
  closer_ = std::make_unique<GateCloser>(gate_, clock_);
  latch_ = std::make_unique<LatchFile>(r.state_dir + "/latch");
  latched_ = latch_->load().entries;
  // Numbers of scopes are the earlier run's until the instruments are known (move_latches).
  take_over_pages();
  for (const LatchEntry& e : latched_) {
    say(fmt::format("latched: mode {} on scope {}/{} {}: {}", static_cast<int>(e.mode),
                    static_cast<int>(e.scope.level), e.scope.id, e.name, e.reason));
  }
  load_day();
  load_orders_kept();
  say(fmt::format("boot epoch {}; starting in HALT", epoch_));
  return {};
}

std::string Bot::read_secrets() {
  if (Outcome o = read_credentials(loaded_->config.venues[0].credential, credentials_); !o) {
    return o.error();
  }
  if (loaded_->config.runtime.lock_memory) {
    if (Outcome o = lock_memory(); !o) return o.error() + " (or set [runtime] lock_memory = false)";
  }
  return {};
}

deribit::LoginConfig Bot::login_config(std::int64_t first_id, const char* scope) const {
  deribit::LoginConfig login;
  login.client_id = std::string{credentials_.client_id.reveal()};
  login.client_secret = credentials_.client_secret.reveal();
  login.grant = loaded_->config.venues[0].auth == AuthMethod::client_credentials
                    ? deribit::GrantType::client_credentials
                    : deribit::GrantType::client_signature;
  login.required_scope = scope;
  login.first_request_id = first_id;
  login.unix_ms = &wall_ms;
  login.nonce_seed =
      static_cast<std::uint64_t>(wall_now().unix_ns) ^ (static_cast<std::uint64_t>(first_id) << 20);
  return login;
}

std::vector<std::string> Bot::currencies() const {
  std::vector<std::string> all;
  for (const UnderlyingConfig& u : loaded_->config.underlyings) {
    if (std::find(all.begin(), all.end(), u.currency) == all.end()) all.push_back(u.currency);
  }
  return all;
}

std::string Bot::open_query_session() {
  const VenueConfig& venue = loaded_->config.venues[0];
  TlsConfig tls;
  tls.ca_file = venue.ca_file;
  for (const std::string& text : venue.pins) {
    SpkiPin pin{};
    if (!parse_pin(text, pin)) return "[[venue]] pins: cannot read " + text;
    tls.pins.push_back(pin);
  }
  std::string error;
  tls_ = TlsContext::make(tls, error);
  if (tls_ == nullptr) return "TLS: " + error;
  QuerySetup setup;
  setup.venue = venue_;
  setup.transport =
      std::make_shared<HttpsTransport>(tls_, endpoint_of(venue, setup.target), clock_);
  setup.login = login_config(900'000'000, "trade:read_write account:read");
  setup.label_tag = tag_of(venue.account);
  setup.currencies = currencies();
  setup.symbols = &universe_.symbols();
  setup.rate_per_s = venue.query_rate * venue.rate_use;
  setup.burst = venue.query_burst * venue.rate_use;
  setup.simulated = venue.environment == Environment::sim;
  setup.label_hash = [this](OrderId order) { return label_hash(order); };
  queries_ = std::make_unique<VenueQueries>(std::move(setup));
  return queries_->login();
}

std::string Bot::load_market() {
  const Config& config = loaded_->config;
  for (const UnderlyingConfig& u : config.underlyings) {
    deribit::InstrumentList list;
    if (std::string error = queries_->instruments(u.currency, list); !error.empty()) return error;
    for (const std::string& refused : list.refused) say("instrument refused: " + refused);
    if (std::string error = universe_.add(u, venue_, wall_now(), list); !error.empty())
      return error;
    const Universe::Member& m = universe_.members().back();
    say(fmt::format("{}: {} futures, {} options, hedge {}", u.name, m.futures.size(),
                    m.options.size(), u.hedge_instrument));
  }
  move_latches();
  const Outcome written = write_names();
  return written ? std::string{} : written.error();
}

// A stop that never reached the latch (the bot died in between, or a person stopped while it
// booted) still stands in the pages, under the numbers of the run before.
void Bot::take_over_pages() {
  const std::vector<ScopeName> names = read_scope_names(loaded_->config.runtime.runtime_dir);
  const auto keep = [this](const LatchEntry& e) {
    if (Outcome o = latch_->tighten(e); !o) say("latch: " + o.error());
  };
  for (const LatchEntry& e : left_in_pages(gate_, stop_page_, names)) {
    if (raise_entry(latched_, e)) keep(e);
  }
  const std::vector<LatchEntry> lost = name_entries(latched_, names);
  for (const LatchEntry& e : latched_) {
    if (!e.name.empty() || !lost.empty()) keep(e);
  }
  for (const LatchEntry& e : lost) {
    say(fmt::format("latched: {} {} has no name; global HALT", name_of(e.scope.level), e.scope.id));
    (void)gate_.loosen(e.scope, Mode::active);
    (void)stop_page_.clear(e.scope);
    if (Outcome o = latch_->release(e.scope); !o) say("latch: " + o.error());
  }
}

// What was latched holds for the instrument of that name, whatever its number is in this run.
void Bot::move_latches() {
  take_over_pages();
  const std::vector<ScopeName> names = scope_names();
  move_to_names(latched_, names, gate_, stop_page_);
  store_numbers(names);
  for (const LatchEntry& e : latched_) {
    if (e.scope.id == latch_id_unknown) {
      say(fmt::format("latched: {} is not listed now; it is held when it is", e.name));
    }
  }
}

void Bot::store_numbers(const std::vector<ScopeName>& names) {
  const Outcome stored = latch_->renumber(
      [&](ScopeLevel level, std::string_view name) { return number_in(names, level, name); });
  if (!stored) say("latch: " + stored.error());
}

std::string Bot::scope_name(Scope s) const {
  const VenueConfig& venue = loaded_->config.venues[0];
  switch (s.level) {
    case ScopeLevel::global: return {};
    case ScopeLevel::venue: return s.id == 0 ? venue.name : std::string{};
    case ScopeLevel::account: return s.id == 0 ? venue.account : std::string{};
    case ScopeLevel::strategy:
      return s.id < Strategies::names.size() ? std::string{Strategies::names[s.id]} : std::string{};
    case ScopeLevel::underlying:
      if (s.id >= universe_.underlyings().size()) return {};
      return std::string{
          universe_.underlyings().name(UnderlyingId{static_cast<std::uint8_t>(s.id)})};
    case ScopeLevel::instrument: return std::string{universe_.symbols().name(InstrumentId{s.id})};
  }
  return {};
}

std::vector<ScopeName> Bot::scope_names() const {
  std::vector<ScopeName> names;
  const auto add = [&](ScopeLevel level, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const Scope scope{level, static_cast<std::uint16_t>(i)};
      names.push_back({scope, scope_name(scope)});
    }
  };
  add(ScopeLevel::venue, 1);
  add(ScopeLevel::account, 1);
  add(ScopeLevel::strategy, Strategies::names.size());
  add(ScopeLevel::underlying, universe_.underlyings().size());
  add(ScopeLevel::instrument, universe_.table().size());
  return names;
}

// For gimbalctl and the next boot: what each scope is called.
Outcome Bot::write_names() const {
  return write_scope_names(loaded_->config.runtime.runtime_dir, scope_names());
}

std::string Bot::make_engine() {
  blocks_ = std::make_unique<SideBlockPool>(side_block_slots, side_block_bytes);
  if (std::string e = make_engine_setup(loaded_->config, universe_, setup_, strategies_);
      !e.empty()) {
    return e;
  }
  setup_.blocks = SideBlocks{blocks_.get(), &SideBlockPool::find};
  setup_.trace = &trace_;
  make_scenario_desk();
  engine_ = std::make_unique<BotEngine>(setup_, universe_.table(), strategies_, ProbeRef{&probe_});
  const RuntimeConfig& r = loaded_->config.runtime;
  JournalConfig journal;
  journal.directory = r.journal_dir;
  journal.segment_bytes = static_cast<std::uint64_t>(r.journal_segment_mib) << 20;
  journal.sync_interval = r.journal_sync;
  journal.reserve_bytes = static_cast<std::uint64_t>(loaded_->config.journal.reserve_mib) << 20;
  journal_ = std::make_unique<JournalWriter>(
      journal, JournalIdentity{epoch_, short_hash(build_hash()), loaded_->short_hash()},
      blocks_.get());
  journal_->observe([this](const Event& e) { orders_kept_->take(e); });
  if (Outcome o = journal_->open(); !o) return o.error();
  if (std::string e = open_frames(); !e.empty()) return e;
  snapshot_port_.venue = venue_;
  std::size_t n = 0;
  for (const UnderlyingConfig& u : loaded_->config.underlyings) {
    const Currency c = currency(u.currency);
    auto& shown = snapshot_port_.currencies;
    if (n < margins_shown_max && std::find(shown.begin(), shown.end(), c) == shown.end()) {
      snapshot_port_.currencies[n++] = c;
    }
  }
  for (std::size_t u = 0; u < underlyings_max; ++u) {
    snapshot_port_.hedges[u] = setup_.underlyings[u].hedge;
  }
  ledger_ = std::make_unique<FillLedger>(universe_.table());
  return {};
}

std::string Bot::make_monitor() {
  monitor_ = std::make_unique<Monitor>(*this);
  return monitor_->open();
}

// Boot first, then what a replay needs to build the same engine: the config's text and the tables.
void Bot::boot_events() {
  const auto submit_all = [this](Event* unit, std::size_t count) {
    fused_ != nullptr ? fused_->sequencer().submit(unit, count)
                      : core_stage_->sequencer().submit(unit, count);
  };
  const auto submit = [&](Event e) { submit_all(&e, 1); };
  Boot boot;
  boot.build_hash = short_hash(build_hash());
  boot.config_hash = loaded_->short_hash();
  boot.epoch = epoch_;
  submit(make_event(EventKind::boot, venue_, InstrumentId{}, clock_.now(), wall_now(), boot));
  const auto block = [&](SideBlockKind kind, std::span<const std::byte> bytes) {
    const SideBlockRef ref = blocks_->publish(kind, bytes);
    submit(make_event(EventKind::side_block, venue_, InstrumentId{}, clock_.now(), {}, ref));
    while (journal_->drain() > 0) {}
  };
  block(SideBlockKind::config, std::as_bytes(std::span{config_text_}));
  for (const auto& bytes : universe_.dump(side_block_bytes))
    block(SideBlockKind::instrument, bytes);
  for (const Event& e : day_events()) submit(e);
  for (auto unit : order_events()) {
    submit_all(unit.data(), unit.size());
    if (!list_carried(gate_, engine_->core().orders(), unit)) {
      say("orders: one of an earlier boot found no slot in the guardian's list");
    }
  }
  // Latched scopes hold in the core too, in the mode they were left in, until each is armed again:
  // what a bot that died in mid-kill left resting is cancelled as soon as it is adopted.
  for (const LatchEntry& e : latched_) {
    if (e.scope.id == latch_id_unknown) continue;
    const OperatorCommand c = carried_on(e);
    std::array<Event, parts_of<OperatorCommand>> unit;
    const Event head = make_event(EventKind::operator_command, venue_, InstrumentId{}, clock_.now(),
                                  {}, OperatorCommand{});
    write_parts(head, c, unit.data());
    submit_all(unit.data(), unit.size());
  }
}

OrderSession<BotVenue>& Bot::orders() {
  return fused_ != nullptr ? fused_->orders() : order_stage_->orders();
}

}  // namespace gimbal
