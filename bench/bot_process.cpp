#include "bench/bot_process.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "bench/harness.hpp"

namespace gimbal::bench {
namespace {

constexpr double start_patience_s = 20;
constexpr double arm_patience_s = 20;
constexpr double end_patience_s = 15;

// As deployed, where the host lets us: a bot that may not lock its memory would not start. A child
// with no allowance can lock only by the capability, which knows no limit.
bool may_lock_memory() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY) return true;
  const pid_t pid = ::fork();
  if (pid == 0) {
    const rlimit none{};
    ::_exit(::setrlimit(RLIMIT_MEMLOCK, &none) == 0 && ::mlockall(MCL_CURRENT) == 0 ? 0 : 1);
  }
  int status = 1;
  return pid > 0 && ::waitpid(pid, &status, 0) == pid && status == 0;
}

std::string read_all(const std::filesystem::path& path) {
  std::ifstream in{path};
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

pid_t launch(const std::vector<std::string>& arguments, const std::filesystem::path& out,
             const std::filesystem::path& err) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  const int to = ::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  const int log = ::open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  ::dup2(to, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  for (int fd = 3; fd < 1024; ++fd) ::close(fd);
  cpu_set_t all;
  CPU_ZERO(&all);
  const long cores = ::sysconf(_SC_NPROCESSORS_CONF);
  for (long i = 0; i < cores; ++i) CPU_SET(static_cast<std::size_t>(i), &all);
  ::sched_setaffinity(0, sizeof all, &all);
  std::vector<char*> argv;
  for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

// No limit that a bench's rate of orders would touch; every check stays in place.
constexpr const char* config_text = R"([risk]
max_order_usd = "2000000"
max_order_lots = 200000
max_open_usd = "5000000"
max_venue_open_usd = "5000000"
max_position_lots = 5000000
max_delta_usd = "20000000"
max_gross_delta_usd = "9000000000"
max_strategy_loss_usd = "9000000000"
max_day_loss_usd = "9000000000"
max_drawdown_usd = "9000000000"
cycles_window = "0s"
max_gamma_usd = "9000000000"
max_vega_usd = "9000000000"
price_drift_bps = 1000000
denials_1s_max = 64
denials_60s_max = 64
greeks_age_max = "3600s"
collar_bps = 200
order_rate_per_s = 100000
order_burst = 100000
cancel_reserve = 20001
duplicate_window = "0s"
mark_age_max = "3600s"
quote_age_max = "3600s"
index_age_max = "3600s"

[[underlying]]
name = "BTC"
account = "bench"
index = "btc_usd"
currency = "BTC"
hedge_instrument = "BTC-PERPETUAL"
order_to_trade_max = 0

[[strategy.delta_hedge]]
underlying = "BTC"
numeraire = "coin"
execution = "ioc"
target = "zero"
band = 0.01
collar_bps = 20
interval_min = "0s"
attempts_max = 10000
usd_per_second_max = "9000000000"
data_age_max = "50s"

[log]
level = "info"
status_interval = "10s"
)";

}  // namespace

bool serve_until(const Serve& serve, const std::function<bool()>& done, double seconds) {
  const std::int64_t end = now_ns() + static_cast<std::int64_t>(seconds * 1e9);
  while (!done()) {
    if (now_ns() > end) return false;
    serve();
  }
  return true;
}

ScratchDirectory::ScratchDirectory() {
  std::string name = (std::filesystem::temp_directory_path() / "gimbal-bench-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
  path_ = name;
}
ScratchDirectory::~ScratchDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

BotProcess::BotProcess(BotSetup setup) : setup_{std::move(setup)} {}

BotProcess::~BotProcess() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void BotProcess::write_files() const {
  const auto& d = setup_.directory;
  std::filesystem::create_directories(d / "secret");
  std::filesystem::permissions(d / "secret", std::filesystem::perms::owner_all);
  const auto credential = d / "secret" / "credential";
  std::ofstream{credential} << "client_id=" << setup_.client_id
                            << "\nclient_secret=" << setup_.client_secret << '\n';
  std::filesystem::permissions(
      credential, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  std::ofstream out{d / "bot.toml"};
  out << config_text
      << "\n[[venue]]\nname = \"deribit\"\naccount = \"bench\"\nenvironment = \"sim\"\n"
      << "host = \"127.0.0.1\"\nport = " << setup_.port << "\nca_file = \""
      << setup_.authority.string() << "\"\nown_account = true\ncredential = \""
      << credential.string() << "\"\nsilence_max = \"110s\"\nmatching_rate = 10000\n"
      << "matching_burst = 10000\nlate_acks = true\nrate_use = 0.95\ncancel_reserve = 0.05\n"
      << "\n[runtime]\ntopology = \"fused\"\npoller = \"" << setup_.poller << "\"\nidle = \""
      << setup_.idle << "\"\n"
      << setup_.more << "keep_warm = \"" << setup_.keep_warm << "\"\n"
      << "lock_memory = " << (may_lock_memory() ? "true" : "false")
      << "\nkernel_time = false\nguardian_required = false\nio_core = " << setup_.hot_core
      << "\ncold_core = " << setup_.cold_core << "\njournal_dir = \"" << (d / "journal").string()
      << "\"\nstate_dir = \"" << (d / "state").string() << "\"\nruntime_dir = \""
      << (d / "run").string() << "\"\n";
}

std::string BotProcess::log_end() const {
  const std::string text = read_all(setup_.directory / "bot.err");
  return text.size() > 2000 ? text.substr(text.size() - 2000) : text;
}

std::string BotProcess::report() const { return read_all(setup_.directory / "report.json"); }

// What the bot asks for in its line "arm with: ... --config-hash H".
std::string BotProcess::confirmation() const {
  const std::string text = read_all(setup_.directory / "bot.err");
  const std::string key = "--config-hash ";
  const std::size_t at = text.find(key);
  if (at == std::string::npos) return {};
  const std::size_t end = text.find('\n', at);
  return end == std::string::npos ? std::string{}
                                  : text.substr(at + key.size(), end - at - key.size());
}

void BotProcess::start(const Serve& serve) {
  write_files();
  const auto& d = setup_.directory;
  pid_ = launch({setup_.gimbal, "run", "-c", (d / "bot.toml").string(), "--report",
                 (d / "report.json").string()},
                d / "bot.out", d / "bot.err");
  const auto ready = [&] {
    if (::waitpid(pid_, nullptr, WNOHANG) == pid_) {
      pid_ = 0;
      throw std::runtime_error("gimbal ended at start:\n" + log_end());
    }
    return !confirmation().empty();
  };
  if (!serve_until(serve, ready, start_patience_s)) {
    throw std::runtime_error("gimbal did not start:\n" + log_end());
  }
}

int BotProcess::call(const Serve& serve, const std::vector<std::string>& arguments) const {
  const pid_t pid = launch(arguments, setup_.directory / "ctl.out", setup_.directory / "ctl.err");
  int status = 0;
  const auto over = [&] { return ::waitpid(pid, &status, WNOHANG) == pid; };
  if (!serve_until(serve, over, arm_patience_s)) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, &status, 0);
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::string BotProcess::command(const Serve& serve, std::vector<std::string> words,
                                int& code) const {
  words.insert(words.begin(), setup_.gimbalctl);
  words.insert(words.end(), {"--runtime-dir", (setup_.directory / "run").string()});
  code = call(serve, words);
  return read_all(setup_.directory / "ctl.out");
}

std::string BotProcess::replay(int& code, std::vector<std::string> options) const {
  const auto& d = setup_.directory;
  int status = 0;
  options.insert(options.begin(), {setup_.gimbal, "replay", "--json"});
  options.push_back((d / "journal").string());
  const pid_t pid = launch(options, d / "replay.out", d / "replay.err");
  if (::waitpid(pid, &status, 0) != pid) status = -1;  // asleep: both cores are the replay's
  code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return read_all(d / "replay.out");
}

void BotProcess::arm(const Serve& serve, const std::string& scope) {
  const std::int64_t end = now_ns() + static_cast<std::int64_t>(arm_patience_s * 1e9);
  while (now_ns() < end) {
    int code = 0;
    (void)command(
        serve,
        {"arm", "--yes", "--reason", "bench", "--config-hash", confirmation(), "--scope", scope},
        code);
    if (code == 0) return;
    (void)serve_until(
        serve, [] { return false; }, 0.3);
  }
  throw std::runtime_error("gimbal cannot be armed: " + read_all(setup_.directory / "ctl.out") +
                           read_all(setup_.directory / "ctl.err") + '\n' + log_end());
}

void BotProcess::stop() const { ::kill(pid_, SIGSTOP); }
void BotProcess::resume() const { ::kill(pid_, SIGCONT); }

int BotProcess::end(const Serve& serve) {
  if (pid_ <= 0) return -1;
  resume();
  ::kill(pid_, SIGTERM);
  int status = 0;
  const auto over = [&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; };
  if (!serve_until(serve, over, end_patience_s)) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, &status, 0);
  }
  pid_ = 0;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

pid_t BotProcess::hot_thread() const {
  std::error_code ignored;
  for (const auto& task :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid_) + "/task", ignored)) {
    std::string name;
    std::ifstream{task.path() / "comm"} >> name;
    if (name == "gimbal-hot") return static_cast<pid_t>(std::stol(task.path().filename().string()));
  }
  return 0;
}

}  // namespace gimbal::bench
