// The configuration of one gimbal process: which struct each TOML table is, and how a file becomes
// them. Room: ops/app. Cold path.
//
// Each table is an aggregate with defaults, declared beside its user; those that only the
// composition root uses are here. One list per struct (`fields`) loads, validates, prints,
// documents and decides what a reload may change. All problems of a file are reported at once as
// file:line:column. Secrets are never in the file: [[venue]] names a credential (secret.hpp).
// Relative paths are taken from the working directory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/field.hpp"
#include "engine/core/time.hpp"
#include "engine/core/units.hpp"
#include "engine/runtime/idle.hpp"
#include "engine/wire/poller.hpp"
#include "ops/app/config_core.hpp"
#include "ops/app/config_guardian.hpp"
#include "ops/app/config_module.hpp"
#include "ops/app/monitor_config.hpp"
#include "ops/app/surface_config.hpp"
#include "ops/app/toml_file.hpp"

namespace gimbal {

enum class Environment : std::uint8_t { sim, test, live };
enum class AuthMethod : std::uint8_t { client_credentials, client_signature };
enum class FeedInterval : std::uint8_t { raw, ms100, agg2 };
enum class Topology : std::uint8_t { fused, pipelined };
enum class LogLevel : std::uint8_t { debug, info, warning, error };

// [[venue]]: one account session at a venue. Its index in the file is its VenueId.
struct VenueConfig {
  std::string name;     // which dialect: "deribit"
  std::string account;  // our name for venue + account, unique
  Environment environment{Environment::sim};
  std::string host;
  std::uint16_t port{443};
  std::string path{"/ws/api/v2"};
  std::string ca_file;  // PEM; empty: the system's store
  std::vector<std::string> pins;
  bool own_account{false};
  std::string credential;
  std::string guardian_credential;  // of gimbal-guardian; never the trading key
  std::string off_host_credential;  // of gimbal-guardian --watch
  AuthMethod auth{AuthMethod::client_signature};
  FeedInterval book_interval{FeedInterval::raw};
  FeedInterval option_book_interval{FeedInterval::ms100};
  FeedInterval ticker_interval{FeedInterval::ms100};
  FeedInterval trades_interval{FeedInterval::raw};
  Nanos heartbeat{seconds(10)};
  bool late_acks{false};
  Nanos silence_max{seconds(15)};
  Nanos data_silence_max{seconds(5)};
  Nanos connect_timeout{seconds(5)};
  Nanos reconnect_min{milliseconds(50)};
  Nanos reconnect_max{seconds(4)};
  std::uint16_t reconnects_per_minute{20};
  double matching_rate{5};
  double matching_burst{20};
  double query_rate{20};
  double query_burst{100};
  Nanos instrument_refresh{seconds(60)};
  double rate_use{0.7};
  double cancel_reserve{0.2};
};

// [[underlying]]: a coin whose instruments of one venue account are subscribed, and its hedge.
struct UnderlyingConfig {
  std::string name;              // "BTC"
  std::string account;           // which [[venue]]
  std::string index;             // venue's index name: "btc_usd"
  std::string currency;          // settlement currency to list instruments by: "BTC", "USDC"
  std::string hedge_instrument;  // venue symbol: "BTC-PERPETUAL"
  bool options{true};
  bool futures{true};
  std::uint16_t option_instruments_max{2000};
  Nanos expiry_within{seconds(400 * 86'400)};
  std::int64_t order_to_trade_max{10'000};  // changes per coin of maker volume a day; 0: off
};

// [runtime]: threads, files and memory of this process.
struct RuntimeConfig {
  Topology topology{Topology::fused};
  PollerKind poller{PollerKind::automatic};
  IdleMode idle{IdleMode::pause};
  Nanos keep_warm{};  // 0: off
  int io_core{-1};    // -1: not pinned
  int core_core{-1};
  int order_core{-1};
  int cold_core{-1};
  bool realtime{false};
  bool lock_memory{true};
  bool huge_pages{true};
  bool kernel_time{false};
  std::string journal_dir{"/var/lib/gimbal/journal"};
  std::string state_dir{"/var/lib/gimbal"};
  std::string runtime_dir{"/run/gimbal"};
  std::string control_socket;  // empty: runtime_dir/control.sock
  std::uint32_t journal_segment_mib{256};
  Nanos journal_sync{milliseconds(100)};
  bool guardian_required{true};
};

enum class FrameKeeping : std::uint8_t { required, best_effort, off };

// [journal]: what is kept besides the events, and for how long.
struct JournalKeeping {
  FrameKeeping frames{FrameKeeping::required};
  std::uint32_t frames_buffer_mib{32};  // of each hot thread
  std::uint32_t reserve_mib{8};         // preallocated for a full disk, each stream
  bool pack{true};
  Nanos keep{seconds(90LL * 86'400)};
  std::uint32_t keep_gib{0};
};

// [log]
struct LogConfig {
  LogLevel level{LogLevel::info};
  std::string file;  // empty: standard error
  bool json{false};
  Nanos status_interval{seconds(10)};
};

struct Config : CoreConfig {
  std::vector<VenueConfig> venues;
  std::vector<UnderlyingConfig> underlyings;
  SurfaceConfig surface;
  RuntimeConfig runtime;
  JournalKeeping journal;
  GuardianConfig guardian;
  std::vector<ModuleConfig> modules;
  AlertConfig alerts;
  HealthConfig health;
  MetricsConfig metrics;
  LogConfig log;

  [[nodiscard]] std::string control_socket_path() const;
  [[nodiscard]] std::string module_directory(const ModuleConfig& module) const;
  [[nodiscard]] Environment environment() const;  // of all venues: they may not differ
};

struct ConfigProblem {
  std::string file;
  TomlPlace place;
  std::string text;  // "[risk] max_order_usd: is required and has no default (USD, ...)"
};
// "file:line:column: text"
[[nodiscard]] std::string to_text(const ConfigProblem& problem);

struct LoadedConfig {
  std::string path;
  std::array<std::uint8_t, 32> hash{};  // SHA-256 of the file's bytes
  Config config;

  [[nodiscard]] std::string hash_hex() const;      // 64 digits
  [[nodiscard]] std::uint64_t short_hash() const;  // first 8 bytes, big endian: Boot.config_hash
};

// Reads and validates. nullptr exactly when `problems` is not empty. Never throws on any content.
std::unique_ptr<LoadedConfig> load_config(const std::string& path,
                                          std::vector<ConfigProblem>& problems);
std::unique_ptr<LoadedConfig> parse_config(std::string_view text, const std::string& name,
                                           std::vector<ConfigProblem>& problems);

// The whole effective config, defaults included: TOML that loads to the same config, or JSON.
[[nodiscard]] std::string effective_toml(const Config& config);
[[nodiscard]] std::string effective_json(const LoadedConfig& loaded);
// The reference page, Markdown: every table and key with type, unit, default, range, reload class.
[[nodiscard]] std::string config_reference();
// Every key as "[table] key", for tests.
[[nodiscard]] std::vector<std::string> config_keys();

// What a reload would change. `allowed` says why not when a field may not change now.
struct ConfigChangeLine {
  std::string key;  // "[risk] max_order_usd"
  std::string before;
  std::string after;
  bool tightens{false};
  std::string refused;  // empty: may change; else the reason
};
// `halted`: loosening a limit is only allowed while halted. Tables added or removed are refused.
[[nodiscard]] std::vector<ConfigChangeLine> compare_configs(const Config& before,
                                                            const Config& after, bool halted);

}  // namespace gimbal
