// 16-byte canary keys through the real bot against the real exchange, then looked for in
// everything that outlives or leaks out of the process: 0 hits.
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/io/rig.hpp"

namespace gimbal::test {
namespace {

namespace fs = std::filesystem;
constexpr Patience end_patience{20000 * patience_factor};
constexpr const char* canary_id = "cAnArY-iD-51e2f0";      // 16 bytes
constexpr const char* canary_secret = "sEcReT-7f3a9c51e";  // 16 bytes

struct Region {
  std::uint64_t from{0};
  std::uint64_t until{0};
  bool kept_out{false};  // VmFlags "dd": in no core dump
  std::string name;
};

// Readable private mappings of a process, with whether a core dump would hold them.
std::vector<Region> regions_of(pid_t process) {
  std::vector<Region> all;
  std::stringstream lines{read_text("/proc/" + std::to_string(process) + "/smaps")};
  for (std::string line; std::getline(lines, line);) {
    Region r;
    char mode[5] = {};
    if (std::sscanf(line.c_str(), "%lx-%lx %4s", &r.from, &r.until, mode) == 3) {
      r.name = line;
      if (mode[0] == 'r') all.push_back(r);
    } else if (line.rfind("VmFlags:", 0) == 0 && !all.empty()) {
      all.back().kept_out = holds(line + " ", " dd ");
    }
  }
  return all;
}

std::size_t hits_in_memory(pid_t process, const std::string& wanted, bool kept_out) {
  std::ifstream memory{"/proc/" + std::to_string(process) + "/mem", std::ios::binary};
  std::size_t hits = 0;
  for (const Region& r : regions_of(process)) {
    if (r.kept_out != kept_out || r.until - r.from > (std::uint64_t{1} << 30)) continue;
    std::string bytes(r.until - r.from, '\0');
    memory.clear();
    memory.seekg(static_cast<std::streamoff>(r.from));
    memory.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(memory.gcount(), 0)));
    const std::size_t found = occurrences(bytes, wanted);
    if (found > 0 && !kept_out) std::printf("%zu hits in %s\n", found, r.name.c_str());
    hits += found;
  }
  return hits;
}

class Canary : public Rig {
 protected:
  void start() {
    ASSERT_EQ(std::string{canary_id}.size(), 16u);
    ASSERT_EQ(std::string{canary_secret}.size(), 16u);
    write_text(file("secret/credential"),
               std::string{"client_id="} + canary_id + "\nclient_secret=" + canary_secret + "\n");
    client_id_ = canary_id;
    client_secret_ = canary_secret;
    ASSERT_NO_FATAL_FAILURE(start_sim());
    BotSetup setup;
    setup.tables_extra = "\n[metrics]\nlisten = \"127.0.0.1:0\"\n";
    ASSERT_NO_FATAL_FAILURE(start_bot(setup));
    ASSERT_NO_FATAL_FAILURE(arm_or_fail());
    ASSERT_TRUE(wait_for_orders(2)) << status();
  }
};

TEST_F(Canary, KeysAreInNoLogJournalRecordOrPage) {
  ASSERT_NO_FATAL_FAILURE(start());
  const std::string shown = status();
  EXPECT_EQ(kill().code, 0);
  EXPECT_EQ(bot_.stop(SIGTERM, end_patience), 0) << bot_says();
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator{dir_.path()}) {
    if (!entry.is_regular_file() || entry.path().parent_path() == file("secret")) continue;
    if (entry.path().filename().string().rfind("sim.", 0) == 0) continue;  // the exchange's own
    ++files;
    const std::string bytes = read_text(entry.path());
    EXPECT_EQ(occurrences(bytes, canary_secret), 0u) << entry.path();
    EXPECT_EQ(occurrences(bytes, canary_id), 0u) << entry.path();
  }
  EXPECT_GT(files, 8u) << "log, report, journal, latch, alerts, pages and scopes are all looked at";
  EXPECT_EQ(occurrences(shown, canary_secret), 0u);
}

TEST_F(Canary, KeysAreInNeitherArgumentsNorEnvironmentAndTheProcessCannotDump) {
  ASSERT_NO_FATAL_FAILURE(start());
  const std::string process = "/proc/" + std::to_string(bot_.pid());
  for (const char* where : {"/cmdline", "/environ", "/maps", "/status"}) {
    const std::string text = read_text(process + where);
    EXPECT_FALSE(text.empty()) << where;
    EXPECT_EQ(occurrences(text, canary_secret), 0u) << where;
  }
  const std::string limits = read_text(process + "/limits");
  const auto at = limits.find("Max core file size");
  ASSERT_NE(at, std::string::npos);
  std::stringstream numbers{limits.substr(at + 18, limits.find('\n', at) - at - 18)};
  std::string soft, hard;
  numbers >> soft >> hard;
  EXPECT_EQ(soft, "0");
  EXPECT_EQ(hard, "0");
  // Not dumpable: /proc belongs to root and not to the user of the process.
  struct stat st {};
  ASSERT_EQ(::stat((process + "/mem").c_str(), &st), 0);
  EXPECT_EQ(st.st_uid, 0u);
}

// What a core dump could hold: every readable mapping that is not marked MADV_DONTDUMP. One such
// mapping holds the secret, which proves that the search sees the process's memory.
TEST_F(Canary, TheSecretIsOnlyInPagesThatNoDumpHolds) {
  ASSERT_NO_FATAL_FAILURE(start());
  EXPECT_GE(hits_in_memory(bot_.pid(), canary_secret, true), 1u) << "memory cannot be read";
  EXPECT_EQ(hits_in_memory(bot_.pid(), canary_secret, false), 0u);
}

TEST_F(Canary, AForcedCrashLeavesNoCoreFile) {
  ASSERT_NO_FATAL_FAILURE(start());
  bot_.signal(SIGABRT);
  EXPECT_NE(bot_.wait(end_patience), 0);
  for (const auto& entry : fs::recursive_directory_iterator{dir_.path()}) {
    EXPECT_EQ(entry.path().filename().string().rfind("core", 0), std::string::npos) << entry.path();
  }
  EXPECT_EQ(occurrences(bot_says(), canary_secret), 0u);
}

}  // namespace
}  // namespace gimbal::test
