#include "ops/sim/options.hpp"
#include "ops/app/secret.hpp"
#include "ops/cli/command_line.hpp"

#include <charconv>
#include <cstdio>

namespace gimbal::sim {
namespace {

constexpr int exit_usage = 2;

void add_market(cli::Command app, SimOptions& o) {
  app.add_option("--seed", o.seed, "Seed of prices, flow, message variation and faults");
  app.add_option("--step", o.step_ms, "Milliseconds between price steps")
      .range(1.0, 1000.0)
      .group("Market");
  app.add_option("--speed", o.speed, "Exchange seconds per real second")
      .range(0.01, 1000.0)
      .group("Market");
  app.add_option("--walk-speed,--rate", o.walk_speed,
                 "Time of the price walk runs this many times faster (60: an hour's move a minute)")
      .range(0.0, 100000.0)
      .group("Market");
  app.add_option("--vol", o.vol, "Volatility per sqrt(year) of every coin, 0.6 = 60 %")
      .range(0.01, 5.0)
      .group("Market");
  app.add_option("--vol-of-vol", o.vol_of_vol, "Volatility of the volatility's log")
      .range(0.0, 10.0)
      .group("Market");
  app.add_option("--jump-rate", o.jump_rate, "Jumps per year of every coin")
      .range(0.0, 1e7)
      .group("Market");
  app.add_option("--taker-rate", o.taker_rate, "Noise market orders a second")
      .range(0.0, 10000.0)
      .group("Market");
  app.add_option("--btc-price", o.btc_price, "USD price of BTC at the start")
      .range(100.0, 5e6)
      .group("Market");
  app.add_option("--replay", o.replay,
                 "Recorded Deribit notifications (JSONL), merged on their own time stamps; the "
                 "perpetual follows the recorded index")
      .existing_file()
      .group("Market");
}

void add_accounts(cli::Command app, SimOptions& o) {
  const auto group = "Accounts";
  app.add_option("--client-id", o.client_id, "Key of the trading account").group(group);
  app.add_option("--client-secret", o.client_secret, "Its secret").group(group);
  app.add_option("--guardian-id", o.guardian_id, "Second key of the same account").group(group);
  app.add_option("--guardian-secret", o.guardian_secret, "Its secret").group(group);
  app.add_option("--credential", o.credential,
                 "File with client_id= and client_secret=, as the bot reads it: no secret on the "
                 "command line")
      .group(group);
  app.add_option("--guardian-credential", o.guardian_credential, "The same for the second key")
      .group(group);
  app.add_option("--accounts", o.accounts,
                 "Further accounts, one a line: CLIENT_ID SECRET CURRENCY=AMOUNT..; a line "
                 "'CLIENT_ID SECRET @OTHER_ID' is another key of a known account")
      .existing_file()
      .group(group);
  app.add_option("--book", o.book,
                 "What the trading account holds at the start, one a line: INSTRUMENT SIZE, or "
                 "CURRENCY=AMOUNT for cash")
      .existing_file()
      .group(group);
  app.add_flag("--demo-book", o.demo_book,
               "Short 50 near-the-money BTC options against 50 BTC (short gamma and vega)")
      .group(group);
  app.add_flag("--shadow", o.shadow,
               "A second account with the same start that never trades, for comparison")
      .group(group);
  app.add_flag("--portfolio-margin", o.portfolio_margin,
               "Accounts settled in coins are held against the worst of their scenarios")
      .group(group);
  app.add_option("--matching-rate", o.matching_rate, "Order credits a second")
      .range(0.1, 1e6)
      .group(group);
  app.add_option("--matching-burst", o.matching_burst, "Order credits at most")
      .range(1.0, 1e6)
      .group(group);
  app.add_option("--query-rate", o.query_rate, "Credits of other requests a second")
      .range(0.1, 1e6)
      .group(group);
  app.add_option("--query-burst", o.query_burst, "Credits of other requests at most")
      .range(1.0, 1e6)
      .group(group);
  app.add_option("--token-life", o.token_life_s, "expires_in of a login, seconds")
      .range(std::int64_t{1}, std::int64_t{31'536'000})
      .group(group);
}

void add_faults(cli::Command app, SimOptions& o) {
  const auto group = "Faults (probabilities per frame or order request)";
  const auto rate = [&](const char* name, double& into, const char* text) {
    app.add_option(name, into, text).range(0.0, 1.0).group(group);
  };
  app.add_option("--latency-us", o.latency_us, "Delay of every outgoing frame")
      .range(0.0, 1e7)
      .group(group);
  app.add_option("--delay", o.delay_us, "Random extra delay, up to so many microseconds")
      .range(0.0, 1e7)
      .group(group);
  rate("--drop", o.faults.drop, "A frame is not sent");
  rate("--gap", o.faults.gap, "A book change is swallowed: the chain breaks");
  rate("--duplicate", o.faults.duplicate, "A frame is sent twice");
  rate("--reorder", o.faults.reorder, "A frame waits behind its successor");
  rate("--malformed", o.faults.malformed, "A frame is cut short");
  rate("--disconnect", o.faults.disconnect, "The connection is cut instead");
  rate("--throttle", o.faults.throttle, "An order request is answered 10028 and the session ends");
  rate("--ack-lost", o.faults.ack_lost, "An order is taken, its reply is not sent");
  rate("--fill-lost", o.faults.fill_lost, "A fill's notification is not sent");
  app.add_option("--misbooked-fee", o.misbooked_fee,
                 "A fill costs this much more than its fee says, in its currency")
      .range(-1.0, 1.0)
      .group(group);
  app.add_option("--reject", o.reject, "CODE:RATE, order requests refused with a venue code")
      .group(group);
}

void add_schedule(cli::Command app, SimOptions& o) {
  const auto at = [&app](const char* name, double& seconds, const char* text) {
    app.add_option(name, seconds, text).range(0.0, 1e7).group("Schedule");
  };
  at("--list-in", o.list_in_s, "Exchange seconds until a new expiry is listed; 0: not");
  at("--settle-in", o.settle_in_s,
     "Until the nearest expiry that the trading account holds is settled and paid out, early");
  at("--silent-in", o.silent_in_s,
     "Until the connections of that moment bring no market data any more, only answers");
  at("--retick-in", o.retick_in_s, "Until the tick of every perpetual becomes 5 times as coarse");
}

void add_output(cli::Command app, SimOptions& o) {
  app.add_option("--port", o.port, "Port on 127.0.0.1; 0 takes a free one");
  app.add_option("--tls-dir", o.tls_dir, "Where ca.pem and the server's certificate are written");
  app.add_option("--ready-file", o.ready_file, "Also write the ready line to this file");
  app.add_option("--duration", o.duration_s, "Stop after so many real seconds; 0 runs on")
      .range(0.0, 1e9);
  app.add_option("--equity-csv", o.equity_csv, "Write each second's equity per account");
  app.add_flag("--json", o.json, "Print the closing figures as one JSON object");
  app.add_flag("--fail-if-resting", o.fail_if_resting,
               "Exit 1 when an order of an account rests at the end");
  app.add_flag("--constant-format", o.constant_format,
               "Keep member order and number spelling constant");
}

bool take_key(const std::filesystem::path& file, std::string& id, std::string& secret) {
  if (file.empty()) return true;
  Credentials key;
  const Outcome read = read_credentials(file.string(), key);
  if (!read) {
    std::fprintf(stderr, "gimbal-sim: %s\n", read.error().c_str());
    return false;
  }
  id = key.client_id.reveal();
  secret = key.client_secret.reveal();
  return true;
}

bool take_reject(SimOptions& o) {
  if (o.reject.empty()) return true;
  const std::size_t colon = o.reject.find(':');
  if (colon == std::string::npos) return false;
  const char* begin = o.reject.data();
  const char* end = begin + o.reject.size();
  const auto code = std::from_chars(begin, begin + colon, o.faults.reject_code);
  const auto rate = std::from_chars(begin + colon + 1, end, o.faults.reject);
  return code.ec == std::errc{} && code.ptr == begin + colon && rate.ec == std::errc{} &&
         rate.ptr == end && o.faults.reject >= 0 && o.faults.reject <= 1;
}

}  // namespace

bool parse_options(int argc, char** argv, SimOptions& options, int& exit_code) {
  cli::CommandLine line{
      "gimbal-sim: a seeded exchange that speaks Deribit's JSON-RPC over TLS on 127.0.0.1.\n"
      "WebSocket at wss://localhost:PORT/ws/api/v2, HTTPS at "
      "https://localhost:PORT/api/v2/METHOD.\n"
      "It makes its own certificate authority at every start; clients trust TLS_DIR/ca.pem.\n"
      "SIGINT and SIGTERM stop it; it then prints its closing figures.",
      "gimbal-sim"};
  add_output(line, options);
  add_market(line, options);
  add_accounts(line, options);
  add_faults(line, options);
  add_schedule(line, options);
  if (const auto ended = line.parse(argc, argv)) {
    exit_code = *ended;
    return false;
  }
  if (!take_key(options.credential, options.client_id, options.client_secret) ||
      !take_key(options.guardian_credential, options.guardian_id, options.guardian_secret)) {
    exit_code = exit_usage;
    return false;
  }
  if (!take_reject(options)) {
    std::fputs("gimbal-sim: --reject takes CODE:RATE, for example 10040:0.01\n", stderr);
    exit_code = exit_usage;
    return false;
  }
  options.faults.seed = options.seed;
  options.faults.latency = Nanos{static_cast<std::int64_t>(options.latency_us * 1000)};
  options.faults.jitter = Nanos{static_cast<std::int64_t>(options.delay_us * 1000)};
  return true;
}

}  // namespace gimbal::sim
