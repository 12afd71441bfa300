// The command line of gimbal-sim as plain values. Cold.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "venues/sim/faults.hpp"

namespace gimbal::sim {

struct SimOptions {
  std::uint16_t port{0};
  std::filesystem::path tls_dir{"."};
  std::filesystem::path ready_file;
  std::uint64_t seed{1};
  double duration_s{0};  // 0: until SIGTERM
  double speed{1};
  double walk_speed{1};
  double step_ms{5};
  double vol{0};            // 0: the default of each coin
  double vol_of_vol{-1};    // below 0: the default
  double jump_rate{-1};     // per year; below 0: the default
  double taker_rate{-1};    // noise orders a second; below 0: the default
  double btc_price{0};      // 0: the default
  double misbooked_fee{0};  // in the currency of each
  double matching_rate{0};  // credits of orders a second; 0: the default
  double matching_burst{0};
  double query_rate{0};  // credits of other requests a second; 0: the default
  double query_burst{0};
  std::int64_t token_life_s{31'536'000};
  double list_in_s{0};  // exchange seconds after the start; 0: never
  double settle_in_s{0};
  double retick_in_s{0};
  double silent_in_s{0};
  bool constant_format{false};  // no variation of member order and number spelling
  FaultConfig faults{};
  std::string reject;  // CODE:RATE
  double latency_us{0};
  double delay_us{0};
  std::string client_id{"trader"};
  std::string client_secret{"trader-secret"};
  std::string guardian_id{"guardian"};
  std::string guardian_secret{"guardian-secret"};
  // Files with both lines of a key, in place of the four above.
  std::filesystem::path credential;
  std::filesystem::path guardian_credential;
  std::filesystem::path accounts;
  std::filesystem::path book;
  bool demo_book{false};
  bool shadow{false};
  bool portfolio_margin{false};
  std::vector<std::filesystem::path> replay;
  std::filesystem::path equity_csv;
  bool json{false};
  bool fail_if_resting{false};
};

// Fills `options` from the command line. False when the program should end at once with `exit_code`
// (help was asked for, or the arguments are wrong; the text was printed).
[[nodiscard]] bool parse_options(int argc, char** argv, SimOptions& options, int& exit_code);

}  // namespace gimbal::sim
