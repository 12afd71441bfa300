// The documents of tests/fixtures/json, expanded; the format is described there.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace gimbal::test {

enum class Verdict { accept, reject, either };

struct JsonCase {
  std::string name;  // file and name
  Verdict verdict;
  std::string document;
};

// "%41" is a byte, "%<3:ab>" a repetition.
inline std::string expand_document(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    if (text[0] != '%') {
      out += text[0];
      text.remove_prefix(1);
    } else if (text[1] == '<') {
      const std::size_t colon = text.find(':');
      const std::size_t end = text.find('>');
      const auto times = std::stoul(std::string{text.substr(2, colon - 2)});
      for (std::size_t i = 0; i < times; ++i) out += text.substr(colon + 1, end - colon - 1);
      text.remove_prefix(end + 1);
    } else {
      out += static_cast<char>(std::stoul(std::string{text.substr(1, 2)}, nullptr, 16));
      text.remove_prefix(3);
    }
  }
  return out;
}

inline std::vector<JsonCase> json_corpus() {
  std::vector<JsonCase> cases;
  std::vector<std::filesystem::path> files;
  for (const auto& entry :
       std::filesystem::directory_iterator{GIMBAL_SOURCE_DIR "/tests/fixtures/json"}) {
    if (entry.path().extension() == ".txt") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (const auto& path : files) {
    std::ifstream in{path, std::ios::binary};
    for (std::string line; std::getline(in, line);) {
      if (line.empty() || line[0] == '#') continue;
      const std::size_t first = line.find(' ');
      const std::size_t second = line.find(' ', first + 1);
      const std::string verdict = line.substr(0, first);
      const bool known = verdict == "accept" || verdict == "reject" || verdict == "either";
      EXPECT_TRUE(known && second != std::string::npos) << path << ": " << line.substr(0, 60);
      if (!known || second == std::string::npos) continue;
      cases.push_back({path.stem().string() + "/" + line.substr(first + 1, second - first - 1),
                       verdict == "accept"   ? Verdict::accept
                       : verdict == "reject" ? Verdict::reject
                                             : Verdict::either,
                       expand_document(line.substr(second + 1))});
    }
  }
  return cases;
}

}  // namespace gimbal::test
