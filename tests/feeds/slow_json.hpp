// A small, slow, obvious JSON reader: the reference that the fast decoders are compared with.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace gimbal::test {

struct SlowJson {
  enum class Type { null, boolean, number, text, array, object };
  Type type{Type::null};
  std::string text;  // of numbers and texts
  std::vector<SlowJson> items;
  std::map<std::string, SlowJson> members;

  [[nodiscard]] bool has(const std::string& key) const { return members.count(key) != 0; }
  [[nodiscard]] const SlowJson& operator[](const std::string& key) const {
    static const SlowJson none;
    const auto found = members.find(key);
    return found == members.end() ? none : found->second;
  }
  // Nearest multiple of 1e-9, through a long double: another way than the decoder's.
  [[nodiscard]] std::int64_t nano() const {
    return std::llroundl(std::strtold(text.c_str(), nullptr) * 1e9L);
  }
  [[nodiscard]] std::uint64_t whole() const { return std::strtoull(text.c_str(), nullptr, 10); }
};

class SlowParser {
 public:
  explicit SlowParser(std::string_view text) : text_{text} {}
  SlowJson parse() {
    SlowJson out = value();
    blank();
    if (at_ != text_.size()) throw std::runtime_error{"text after the document"};
    return out;
  }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void blank() {
    while (std::string_view{" \t\r\n"}.find(peek()) != std::string_view::npos && peek() != '\0')
      ++at_;
  }
  void expect(char c) {
    blank();
    if (peek() != c) throw std::runtime_error{std::string{"expected "} + c};
    ++at_;
  }
  std::string string() {
    expect('"');
    std::string out;
    while (peek() != '"') {
      if (at_ >= text_.size()) throw std::runtime_error{"text without an end"};
      if (peek() == '\\') ++at_;
      out += text_[at_++];
    }
    ++at_;
    return out;
  }
  SlowJson value() {
    blank();
    SlowJson out;
    if (peek() == '{') {
      out.type = SlowJson::Type::object;
      ++at_;
      for (blank(); peek() != '}'; blank()) {
        if (!out.members.empty()) expect(',');
        blank();
        const std::string key = string();
        expect(':');
        out.members[key] = value();
      }
      ++at_;
    } else if (peek() == '[') {
      out.type = SlowJson::Type::array;
      ++at_;
      for (blank(); peek() != ']'; blank()) {
        if (!out.items.empty()) expect(',');
        out.items.push_back(value());
      }
      ++at_;
    } else if (peek() == '"') {
      out.type = SlowJson::Type::text;
      out.text = string();
    } else {
      while (std::string_view{",]} \t\r\n"}.find(peek()) == std::string_view::npos) {
        if (at_ >= text_.size()) break;
        out.text += text_[at_++];
      }
      out.type = out.text == "null"                          ? SlowJson::Type::null
                 : out.text == "true" || out.text == "false" ? SlowJson::Type::boolean
                                                             : SlowJson::Type::number;
    }
    return out;
  }

  std::string_view text_;
  std::size_t at_{0};
};

}  // namespace gimbal::test
