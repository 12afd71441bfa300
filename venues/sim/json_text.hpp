// Appends JSON text to a string, without a document tree: the simulator's output writer.
//
// Cold relative to the bot (it runs in the exchange's process), but meant for tens of thousands of
// messages a second: no allocation once the string has grown. Commas are placed from the last
// character written, so there is no state to get out of step.
// Numbers come in the three spellings met on the wire: `shortest` (exponent form where it is
// shorter: 1.0002e6), `fixed` (always a fraction: 40.0) and `trimmed` (40).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace gimbal::sim {

enum class NumberStyle : std::uint8_t { shortest, fixed, trimmed };

class JsonText {
 public:
  explicit JsonText(std::string& out, NumberStyle style = NumberStyle::fixed)
      : out_{out}, style_{style} {}

  void style(NumberStyle s) noexcept { style_ = s; }
  [[nodiscard]] NumberStyle style() const noexcept { return style_; }
  [[nodiscard]] std::string& out() noexcept { return out_; }
  [[nodiscard]] std::size_t size() const noexcept { return out_.size(); }

  void open_object() {
    value_begins();
    out_ += '{';
  }
  void close_object() { out_ += '}'; }
  void open_array() {
    value_begins();
    out_ += '[';
  }
  void close_array() { out_ += ']'; }

  // Member name; the value follows. Names are ours: plain ASCII, not escaped.
  JsonText& key(std::string_view name);
  void text(std::string_view value);  // escaped and quoted
  void raw(std::string_view json) {
    value_begins();
    out_ += json;
  }
  void integer(std::int64_t value);
  void nano(std::int64_t value);              // a decimal at 1e-9
  void real(double value, int decimals = 9);  // rounded half away from zero; NaN becomes null
  void boolean(bool value) { raw(value ? "true" : "false"); }
  void null() { raw("null"); }

  void member(std::string_view name, std::string_view value) { key(name).text(value); }
  void member_int(std::string_view name, std::int64_t value) { key(name).integer(value); }
  void member_nano(std::string_view name, std::int64_t value) { key(name).nano(value); }
  void member_real(std::string_view name, double value, int decimals = 9) {
    key(name).real(value, decimals);
  }
  void member_bool(std::string_view name, bool value) { key(name).boolean(value); }
  void member_null(std::string_view name) { key(name).null(); }

 private:
  void value_begins();

  std::string& out_;
  NumberStyle style_;
};

// Turns the members of an object that has just been written so that the one that began at `split`
// comes first: the venue's member order is not stable, so neither is ours. `begin` is the position
// after '{', `split` that of a member's opening quote, and the object must not be closed yet.
void rotate_members(std::string& out, std::size_t begin, std::size_t split);

// Remembers where the members of one object begin, to rotate it by a chosen number of members.
class MemberMarks {
 public:
  explicit MemberMarks(JsonText& json) : json_{json}, begin_{json.size()} {}
  JsonText& key(std::string_view name);
  // Puts member number `by % count` first; 0 leaves the order as written.
  void rotate(std::size_t by);

 private:
  static constexpr std::size_t marks_max = 96;
  JsonText& json_;
  std::size_t begin_;
  std::size_t count_{0};
  std::array<std::uint32_t, marks_max> marks_{};
};

}  // namespace gimbal::sim
