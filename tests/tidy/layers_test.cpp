// Who may include whom: the table of ops/docs/architecture.md, executed. CMake cannot do it, for
// every room sees the whole tree.
#include <gtest/gtest.h>

#include "tests/tidy/source_files.hpp"

namespace gimbal::tidy {
namespace {

struct Room {
  std::string folder;                    // the longest match wins
  std::vector<std::string> may_include;  // folders of the project
  std::vector<std::string> third_party;  // header prefixes
};

const std::vector<std::string> everything{"engine/", "feeds/", "venues/", "strategies/",
                                          "ops/",    "tests/", "bench/"};

const std::vector<Room>& rooms() {
  static const std::vector<Room> table{
      {"engine/core/", {"engine/core/"}, {}},
      {"engine/quant/", {"engine/core/", "engine/quant/"}, {"hwy/"}},
      {"engine/runtime/", {"engine/core/", "engine/runtime/"}, {}},
      {"engine/wire/",
       {"engine/core/", "engine/runtime/", "engine/wire/"},
       {"liburing.h", "openssl/", "boost/"}},
      {"feeds/", {"engine/core/", "feeds/"}, {"simdjson.h"}},
      {"venues/", {"engine/core/", "feeds/", "venues/"}, {"simdjson.h"}},
      {"venues/sim/", {"engine/core/", "feeds/", "venues/"}, {"simdjson.h", "boost/", "openssl/"}},
      {"strategies/", {"engine/core/", "strategies/"}, {}},
      {"ops/app/", {"engine/", "feeds/", "venues/", "strategies/", "ops/"}, {"fmt/"}},
      {"ops/", {"engine/", "feeds/", "venues/", "strategies/", "ops/"}, {"fmt/", "nlohmann/"}},
      {"tests/",
       everything,
       {"gtest/", "gmock/", "openssl/", "boost/", "nlohmann/", "simdjson.h", "hwy/", "liburing.h"}},
      {"bench/",
       everything,
       {"benchmark/", "openssl/", "boost/", "ql/", "nlohmann/", "rapidjson/", "simdjson.h",
        "fmt/"}},
  };
  return table;
}

// Files that may include one thing more than their room.
struct Exception {
  std::string file;
  std::string header;
};
const std::vector<Exception>& exceptions() {
  static const std::vector<Exception> table{
      {"ops/app/toml_file.cpp", "toml++/"},       // the one reader of TOML
      {"ops/cli/command_line.cpp", "CLI/"},       // the one reader of command lines
      {"ops/app/hash.cpp", "openssl/evp.h"},      // SHA-256 of config and binary
      {"ops/app/off_host_beat.cpp", "openssl/"},  // MAC of the off-host heartbeats
      {"venues/deribit/sign.cpp", "openssl/"},    // request signatures
      {"engine/runtime/sha256.cpp", "openssl/evp.h"},
      {"engine/runtime/journal_files.cpp", "zstd.h"},  // closed journal segments
      {"engine/runtime/journal_segments.cpp", "zstd.h"},
  };
  return table;
}

const Room* room_of(const std::string& path) {
  const Room* best = nullptr;
  for (const auto& room : rooms()) {
    if (starts_with(path, room.folder) &&
        (best == nullptr || room.folder.size() > best->folder.size()))
      best = &room;
  }
  return best;
}

bool any_prefix(const std::string& text, const std::vector<std::string>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](const auto& p) { return starts_with(text, p); });
}

// A system or C++ library header: no folder but the kernel's and libc's own.
bool is_system(const std::string& header) {
  static const std::vector<std::string> folders{"sys/", "linux/", "netinet/", "arpa/",
                                                "net/", "asm/",   "bits/"};
  const bool plain = header.find('/') == std::string::npos;
  return (plain && header != "simdjson.h" && header != "liburing.h" && header != "zstd.h") ||
         any_prefix(header, folders);
}

bool excepted(const std::string& file, const std::string& header) {
  return std::any_of(exceptions().begin(), exceptions().end(), [&](const Exception& e) {
    return file == e.file && starts_with(header, e.header);
  });
}

TEST(Layers, EveryProjectIncludeFollowsTheArrows) {
  for (const auto& file : all_sources()) {
    const auto* room = room_of(file.path);
    ASSERT_NE(room, nullptr) << file.path << " is in no room";
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      bool angled = false;
      const auto header = include_of(file.lines[i], angled);
      if (header.empty() || angled) continue;
      EXPECT_TRUE(any_prefix(header, room->may_include))
          << file.path << ":" << i + 1 << ": " << room->folder << " may not include " << header;
      EXPECT_TRUE(fs::exists(fs::path{GIMBAL_SOURCE_DIR} / header))
          << file.path << ":" << i + 1 << ": " << header
          << " is not a path from the repository root";
    }
  }
}

TEST(Layers, ThirdPartyHeadersStayInTheirRooms) {
  for (const auto& file : all_sources()) {
    const auto* room = room_of(file.path);
    ASSERT_NE(room, nullptr) << file.path;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      bool angled = false;
      const auto header = include_of(file.lines[i], angled);
      if (header.empty() || !angled || is_system(header)) continue;
      EXPECT_TRUE(any_prefix(header, room->third_party) || excepted(file.path, header))
          << file.path << ":" << i + 1 << ": <" << header << "> does not belong in "
          << room->folder;
    }
  }
}

// What every build of a room would otherwise drag along.
TEST(Layers, ParsersAndTlsStayOutOfHeadersOfFeedsAndVenues) {
  for (const auto* folder : {"feeds", "venues/deribit"}) {
    for (const auto& file : files_under(folder, {".hpp"})) {
      for (const auto& line : file.lines) {
        bool angled = false;
        const auto header = include_of(line, angled);
        EXPECT_FALSE(starts_with(header, "openssl/")) << file.path << " includes " << header;
      }
    }
  }
}

TEST(Layers, EveryHeaderIsGuardedOnce) {
  for (const auto& file : all_sources()) {
    if (file.path.substr(file.path.size() - 4) != ".hpp") continue;
    EXPECT_NE(file.text.find("#pragma once\n"), std::string::npos) << file.path;
  }
}

// The machinery above must itself see what it is meant to see.
TEST(Layers, TheReaderUnderstandsIncludes) {
  bool angled = false;
  EXPECT_EQ(include_of("#include <vector>", angled), "vector");
  EXPECT_TRUE(angled);
  EXPECT_EQ(include_of("  #  include \"engine/core/ids.hpp\"  // why", angled),
            "engine/core/ids.hpp");
  EXPECT_FALSE(angled);
  EXPECT_EQ(include_of("// #include <vector>", angled), "");
  EXPECT_EQ(room_of("venues/sim/server.cpp")->folder, "venues/sim/");
  EXPECT_EQ(room_of("venues/deribit/sign.cpp")->folder, "venues/");
  EXPECT_FALSE(is_system("openssl/ssl.h"));
  EXPECT_TRUE(is_system("sys/socket.h"));
}

}  // namespace
}  // namespace gimbal::tidy
