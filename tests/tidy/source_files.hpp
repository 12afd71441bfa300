// The repository's own files, for the tests that read them.
#pragma once

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace gimbal::tidy {

namespace fs = std::filesystem;

struct SourceFile {
  std::string path;  // from the repository root
  std::string text;
  std::vector<std::string> lines;
  std::vector<std::string> code;  // the lines with comments and the inside of literals blanked
};

// Blanks comments and the inside of string and character literals; line structure is kept.
inline std::string code_of(const std::string& text) {
  enum class In { code, line_comment, block_comment, string, character, raw };
  std::string out = text;
  In in = In::code;
  std::string raw_end;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    const bool digit_before = i > 0 && std::isalnum(static_cast<unsigned char>(text[i - 1])) != 0;
    switch (in) {
      case In::code:
        if (c == '/' && next == '/')
          in = In::line_comment;
        else if (c == '/' && next == '*')
          in = In::block_comment;
        else if (c == '"' && i > 0 && text[i - 1] == 'R') {
          raw_end = ")" + text.substr(i + 1, text.find('(', i) - i - 1) + "\"";
          in = In::raw;
        } else if (c == '"')
          in = In::string;
        else if (c == '\'' && !digit_before)
          in = In::character;
        if (in == In::line_comment || in == In::block_comment) out[i] = ' ';
        break;
      case In::line_comment:
        if (c == '\n')
          in = In::code;
        else
          out[i] = ' ';
        break;
      case In::block_comment:
        if (c == '/' && text[i - 1] == '*') in = In::code;
        if (c != '\n') out[i] = ' ';
        break;
      case In::string:
      case In::character:
        if (c == '\\') {
          out[i] = ' ';
          if (next != '\n') out[++i] = ' ';
        } else if (c == (in == In::string ? '"' : '\'')) {
          in = In::code;
        } else {
          out[i] = ' ';
        }
        break;
      case In::raw:
        if (text.compare(i, raw_end.size(), raw_end) == 0) {
          i += raw_end.size() - 1;
          in = In::code;
        } else if (c != '\n') {
          out[i] = ' ';
        }
        break;
    }
  }
  return out;
}

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

inline std::string slurp(const fs::path& path) {
  std::ifstream file{path, std::ios::binary};
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Files of the given extensions below a folder of the repository; fixtures and build are left out.
inline std::vector<SourceFile> files_under(const std::string& folder,
                                           const std::vector<std::string>& extensions) {
  const fs::path root{GIMBAL_SOURCE_DIR};
  std::vector<SourceFile> files;
  if (!fs::exists(root / folder)) return files;
  for (auto it = fs::recursive_directory_iterator{root / folder};
       it != fs::recursive_directory_iterator{}; ++it) {
    const auto name = it->path().filename().string();
    if (it->is_directory() &&
        (name == "build" || name == ".git" || name == "fixtures" || name == "corpus")) {
      it.disable_recursion_pending();
      continue;
    }
    const auto extension = it->path().extension().string();
    if (!it->is_regular_file() ||
        std::find(extensions.begin(), extensions.end(), extension) == extensions.end()) {
      continue;
    }
    SourceFile file;
    file.path = fs::relative(it->path(), root).string();
    file.text = slurp(it->path());
    file.lines = lines_of(file.text);
    file.code = lines_of(code_of(file.text));
    files.push_back(std::move(file));
  }
  std::sort(files.begin(), files.end(),
            [](const auto& a, const auto& b) { return a.path < b.path; });
  return files;
}

inline std::vector<SourceFile> sources_under(const std::string& folder) {
  return files_under(folder, {".hpp", ".cpp"});
}

inline std::vector<SourceFile> all_sources() {
  std::vector<SourceFile> all;
  for (const auto* folder : {"engine", "feeds", "venues", "strategies", "ops", "tests", "bench"}) {
    for (auto& file : sources_under(folder)) all.push_back(std::move(file));
  }
  return all;
}

inline bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

// The path of an #include line without its delimiters; empty for other lines. `angled` tells <>
// from "".
inline std::string include_of(const std::string& line, bool& angled) {
  const auto hash = line.find_first_not_of(" \t");
  if (hash == std::string::npos || line[hash] != '#') return {};
  const auto word = line.find("include", hash);
  if (word == std::string::npos) return {};
  const auto open = line.find_first_of("<\"", word);
  if (open == std::string::npos) return {};
  angled = line[open] == '<';
  const auto close = line.find(angled ? '>' : '"', open + 1);
  return close == std::string::npos ? std::string{} : line.substr(open + 1, close - open - 1);
}

}  // namespace gimbal::tidy
