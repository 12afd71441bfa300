// Builds a guardian: credentials, directories, the venue session, the listener. Room: ops/guardian
// (wiring). Cold.
#include <sys/stat.h>

#include <chrono>

#include "engine/runtime/pin.hpp"
#include "ops/app/control.hpp"
#include "ops/app/hash.hpp"
#include "ops/app/venue_address.hpp"
#include "ops/guardian/guardian.hpp"

namespace gimbal::guardian {
namespace {

constexpr Nanos settle_margin = milliseconds(500);

std::int64_t wall_ms() { return to_unix_ms(wall_now()); }

}  // namespace

Guardian::Guardian(std::unique_ptr<LoadedConfig> loaded, Post post, Task task)
    : loaded_{std::move(loaded)}, post_{post}, task_{task} {}

Guardian::~Guardian() {
  stop_cold_.store(true, std::memory_order_release);
  if (connect_thread_.joinable()) connect_thread_.join();
}

std::string Guardian::build() {
  if (loaded_->config.venues.size() != 1) {
    return "this version guards one [[venue]] account per process; the file has " +
           std::to_string(loaded_->config.venues.size());
  }
  if (Outcome o = forbid_dumps(); !o) return o.error();
  for (auto step : {&Guardian::open_credentials, &Guardian::open_directories, &Guardian::open_venue,
                    &Guardian::open_listener}) {
    if (std::string error = (this->*step)(); !error.empty()) return error;
  }
  connect_thread_ = std::thread{[this] { connects_->run(stop_cold_); }};
  return {};
}

std::string Guardian::open_credentials() {
  const bool local = post_ == Post::local;
  const std::string& where = local ? venue().guardian_credential : venue().off_host_credential;
  const char* key = local ? "guardian_credential" : "off_host_credential";
  if (where.empty()) {
    return std::string{"[[venue]] "} + key + " is not set: the guardian needs a key of its own";
  }
  if (Outcome o = read_credentials(where, credentials_); !o) return o.error();
  if (!loaded_->config.runtime.lock_memory) return {};
  if (Outcome o = lock_memory(); !o) return o.error() + " (or set [runtime] lock_memory = false)";
  return {};
}

std::string Guardian::open_directories() {
  const Config& config = loaded_->config;
  if (post_ == Post::local) bot_ = std::make_unique<WatchedBot>(config.runtime.runtime_dir);
  if (task_ == Task::check) return {};  // a guardian at work keeps the lock and the log
  const std::string& state = config.runtime.state_dir;
  if (Outcome o = make_private_directory(state); !o) return o.error();
  const char* lock = post_ == Post::local ? "/guardian.lock" : "/off-host.lock";
  if (Outcome o = lock_.acquire(state + lock); !o) return o.error();
  clerk_ = std::make_unique<Clerk>(config.guardian.log_file, state, post_ == Post::local);
  Outcome o = clerk_->open();
  return o ? std::string{} : o.error();
}

std::string Guardian::open_venue() {
  const VenueConfig& v = venue();
  TlsConfig tls;
  tls.ca_file = v.ca_file;
  for (const std::string& text : v.pins) {
    SpkiPin pin{};
    if (!parse_pin(text, pin)) return "[[venue]] pins: cannot read " + text;
    tls.pins.push_back(pin);
  }
  std::string error;
  const auto context = TlsContext::make(tls, error);
  if (context == nullptr) return "TLS: " + error;
  deribit::LoginConfig login;
  login.client_id = std::string{credentials_.client_id.reveal()};
  login.client_secret = credentials_.client_secret.reveal();
  login.grant = v.auth == AuthMethod::client_credentials ? deribit::GrantType::client_credentials
                                                         : deribit::GrantType::client_signature;
  login.required_scope = "trade:read_write";
  login.first_request_id = 900'000'000;
  login.unix_ms = &wall_ms;
  login.nonce_seed = static_cast<std::uint64_t>(wall_now().unix_ns);
  session_ = std::make_unique<CancelSession>(std::move(login), clock_);
  PollerConfig poller;
  poller.kind = PollerKind::spin;  // the waiting is done beside it, with the bot's process handle
  PollerChoice choice;
  poller_ = Poller::open(poller, choice);
  if (poller_ == nullptr) return "poller: " + choice.reason;
  ReconnectConfig reconnect;
  reconnect.floor = v.reconnect_min;
  reconnect.ceiling = v.reconnect_max;
  reconnect.per_minute = v.reconnects_per_minute;
  connects_ = std::make_unique<ConnectLoop>(
      context, endpoint_of(v, v.path),
      std::chrono::milliseconds{v.connect_timeout.count / 1'000'000}, reconnect, clock_,
      [this](const std::string& text) { say("connection", text); });
  connects_->add("guardian session", session_->session().port());
  RunSetup run;
  run.own_account = v.own_account;
  run.label_tag = tag_of(v.account);
  run.settle = loaded_->config.engine.order_ttl + settle_margin;
  run.rate_per_s = v.matching_rate;
  run.burst = v.matching_burst;
  run_ = std::make_unique<CancelRun>(std::move(run));
  proof_.account = v.account;
  proof_.own_account = v.own_account;
  proof_.build = to_hex(build_hash());
  proof_.config = loaded_->hash_hex();
  return {};
}

std::string Guardian::open_listener() {
  if (post_ == Post::local) return {};
  const GuardianConfig& g = loaded_->config.guardian;
  if (g.off_host_listen.empty()) return "[guardian] off_host_listen is not set";
  Secret key;
  if (Outcome o = read_key(g.off_host_key, key); !o) return o.error();
  if (task_ == Task::check) return {};  // the port is a guardian's at work
  BeatListener::Setup setup;
  setup.listen = g.off_host_listen;
  setup.miss = g.off_host_miss;
  setup.account = account_number(account_text(venue()));
  listener_ = std::make_unique<BeatListener>(std::move(setup), std::move(key));
  Outcome o = listener_->open();
  return o ? std::string{} : o.error();
}

}  // namespace gimbal::guardian
