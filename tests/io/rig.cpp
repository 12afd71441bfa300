#include "tests/io/rig.hpp"

#include <signal.h>
#include <sys/stat.h>

#include <cstdlib>

#include "engine/wire/http.hpp"

namespace gimbal::test {
namespace {

constexpr Patience start_patience{20000 * patience_factor};

std::string config_text(const BotSetup& s, const std::string& dir, int port) {
  const auto line = [](const std::string& key, const std::string& value) {
    return key + " = \"" + value + "\"\n";
  };
  std::string t = "[engine]\n" + line("order_ttl", s.order_ttl) + s.engine_extra + "\n[risk]\n";
  t += line("max_order_usd", "2000000") + "max_order_lots = 200000\n";
  t += line("max_open_usd", "5000000") + line("max_venue_open_usd", "5000000");
  t += "max_position_lots = 5000000\n" + line("max_delta_usd", "20000000");
  t += s.risk_extra;
  t += line("max_gross_delta_usd", "200000000") + line("max_gamma_usd", "50000000");
  t += line("max_strategy_loss_usd", "50000000") + line("max_day_loss_usd", s.max_day_loss);
  t += line("max_drawdown_usd", "50000000");
  t += line("max_vega_usd", "50000000") + "price_drift_bps = 1000\n";
  t += "\n[[venue]]\n" + line("name", "deribit") + line("account", "demo");
  t += line("environment", "sim") + line("host", "127.0.0.1");
  t += "port = " + std::to_string(port) + "\n";
  t += line("ca_file", s.ca_file.empty() ? dir + "/tls/ca.pem" : s.ca_file);
  t += std::string{"own_account = "} + (s.own_account ? "true\n" : "false\n");
  t += line("credential", s.credential.empty() ? dir + "/secret/credential" : s.credential);
  t += line("auth", "client_signature") + line("heartbeat", s.heartbeat) + s.venue_extra;
  t += "\n[[underlying]]\n" + line("name", "BTC") + line("account", "demo");
  t += line("index", "btc_usd") + line("currency", "BTC");
  t += line("hedge_instrument", "BTC-PERPETUAL") + s.underlying_extra;
  t += "\n[[strategy.delta_hedge]]\n" + line("underlying", "BTC") + line("numeraire", "coin");
  t += line("execution", "ioc") + line("target", "edge") + "band = " + s.band + "\n";
  t += line("usd_per_second_max", "5000000") + "band_max = 1.0\ncollar_bps = 20\n" +
       s.strategy_extra;
  t += "\n[runtime]\n" + line("topology", s.topology) + line("poller", s.poller);
  t += line("idle", "yield") + "lock_memory = false\n";
  t += std::string{"guardian_required = "} + (s.guardian_required ? "true\n" : "false\n");
  if (s.topology == "fused") t += line("keep_warm", s.keep_warm);
  t += line("journal_dir", dir + "/journal") + line("state_dir", dir + "/state");
  t += line("runtime_dir", dir + "/run");
  t += s.runtime_extra + s.tables_extra;
  t += "\n[log]\n" + line("level", "info") + line("status_interval", "1s");
  return t;
}

// instrument -> number under `value`, from objects that hold both; the name comes first or last.
std::map<std::string, double> by_instrument(const std::string& json, const std::string& name,
                                            const std::string& value) {
  std::map<std::string, double> out;
  const std::string key = '"' + name + "\":";
  for (std::size_t at = json.find(key); at != std::string::npos; at = json.find(key, at + 1)) {
    const std::size_t begin = json.rfind('{', at);
    const std::string object = json.substr(begin, json.find('}', at) - begin);
    const double amount = number_in(object, value, 0);
    if (amount != 0) out[text_in(object, name)] = amount;
  }
  return out;
}

}  // namespace

Rig::Rig() {
  ::mkdir(file("secret").c_str(), 0700);
  ::mkdir(file("tls").c_str(), 0700);
  write_text(file("secret/credential"), "client_id=demo\nclient_secret=a-secret-of-the-demo\n");
}

Rig::~Rig() {
  if (!HasFailure()) return;
  const std::string said = bot_says();
  std::fprintf(stderr, "--- the bot said (end):\n%s\n",
               said.substr(said.size() > 4000 ? said.size() - 4000 : 0).c_str());
}

void Rig::start_sim(const std::vector<std::string>& options, bool demo_book) {
  std::vector<std::string> argv{
      GIMBAL_SIM,    "--port",      "0",        "--tls-dir",       file("tls"),    "--ready-file",
      file("ready"), "--client-id", client_id_, "--client-secret", client_secret_, "--json"};
  if (demo_book) argv.insert(argv.end(), {"--demo-book", "--seed", "7", "--walk-speed", "60"});
  argv.insert(argv.end(), options.begin(), options.end());
  ::unlink(file("ready").c_str());
  sim_ = Child{argv, file("sim.out"), file("sim.err")};
  ASSERT_TRUE(eventually(start_patience,
                         [&] { return !read_text(file("ready")).empty() || !sim_.running(); }));
  port_ = static_cast<int>(number_in(read_text(file("ready")), "port", 0));
  ASSERT_GT(port_, 0) << read_text(file("sim.err"));
}

std::string Rig::stop_sim() {
  EXPECT_EQ(sim_.stop(SIGTERM, start_patience), 0) << read_text(file("sim.err"));
  const std::string out = read_text(file("sim.out"));
  const std::size_t at = out.find("{\"connections\"");
  EXPECT_NE(at, std::string::npos) << out;
  return at == std::string::npos ? std::string{} : out.substr(at);
}

void Rig::write_config(const BotSetup& setup) {
  write_text(file("bot.toml"), config_text(setup, dir_.path(), port_));
}

void Rig::start_bot(const BotSetup& setup, bool await_ready) {
  write_config(setup);
  std::vector<std::string> argv = prefix_;
  argv.insert(argv.end(), {GIMBAL, "run", "-c", file("bot.toml"), "--report", file("report.json")});
  bot_ = Child{argv, file("bot.out"), file("bot.err")};
  if (!await_ready) return;
  ASSERT_TRUE(eventually(start_patience, [&] {
    return !bot_.running() || holds(status(), "\"reconciled\":true");
  })) << bot_says();
  ASSERT_TRUE(bot_.running()) << bot_says();
}

Finished Rig::ctl(const std::vector<std::string>& arguments, Patience limit) {
  std::vector<std::string> argv{GIMBALCTL, "--runtime-dir", file("run")};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return run_program(argv, dir_.path(), limit);
}

std::string Rig::status() { return ctl({"status", "--json"}).out; }

std::string Rig::config_hash() {
  const Finished check =
      run_program({GIMBAL, "check", "--hash", file("bot.toml")}, dir_.path(), start_patience);
  return check.out.substr(0, check.out.find_first_of(" \n"));
}

Finished Rig::arm() {
  return ctl({"arm", "--yes", "--reason", "test", "--config-hash", config_hash()});
}

// A session may have been lost and come back between two looks; arming is asked again then.
void Rig::arm_or_fail() {
  Finished armed;
  ASSERT_TRUE(eventually(start_patience,
                         [&] {
                           armed = arm();
                           return armed.code == 0 || !bot_.running();
                         }))
      << armed.out << armed.err;
  ASSERT_EQ(armed.code, 0) << armed.out << armed.err << bot_says();
}

Finished Rig::kill() { return ctl({"kill", "--json", "--reason", "test", "--wait", "10s"}); }

std::string Rig::program() { return GIMBAL; }

Finished Rig::replay() {
  return run_program({GIMBAL, "replay", file("journal"), "--json"}, dir_.path(),
                     Patience{60000 * patience_factor});
}

std::string Rig::exchange(const std::string& method_and_query) {
  TlsConfig tls;
  tls.ca_file = file("tls/ca.pem");
  std::string error;
  const auto context = TlsContext::make(tls, error);
  if (context == nullptr) return {};
  Endpoint endpoint;
  endpoint.host = "127.0.0.1";
  endpoint.port = static_cast<std::uint16_t>(port_);
  HttpsClient client{context, endpoint};
  HttpRequest login;
  login.target =
      "/api/v2/public/auth?grant_type=client_credentials&client_id=demo&client_secret="
      "a-secret-of-the-demo";
  const HttpResponse token = client.call(login, Patience{5000});
  HttpRequest request;
  request.target = "/api/v2/" + method_and_query;
  request.headers = {{"Authorization", "Bearer " + text_in(token.body, "access_token")}};
  const HttpResponse answer = client.call(request, Patience{5000});
  return answer.ok() ? answer.body : std::string{};
}

std::map<std::string, double> Rig::exchange_positions() {
  return by_instrument(exchange("private/get_positions?currency=BTC"), "instrument_name", "size");
}

std::map<std::string, double> Rig::bot_positions() {
  return by_instrument(ctl({"positions", "--json"}).out, "instrument", "amount");
}

bool Rig::wait_for_orders(double at_least, Patience limit) {
  return eventually(limit * patience_factor,
                    [&] { return number_in(status(), "orders_filled", 0) >= at_least; });
}

}  // namespace gimbal::test
