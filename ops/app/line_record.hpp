// A file of JSON lines that outlives its writer: appended, never rewritten in place. Each line ends
// with the CRC-32C of the bytes before it, so that a torn or damaged line is told from a sound one.
// Room: ops/app. Cold thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "engine/runtime/outcome.hpp"

namespace gimbal {

class LineRecord {
 public:
  static constexpr std::size_t pending_bytes_max = 4u << 20;  // kept while the disk refuses

  LineRecord() noexcept = default;
  ~LineRecord();
  LineRecord(const LineRecord&) = delete;
  LineRecord& operator=(const LineRecord&) = delete;

  // Calls `line` for each sound line of the file (none when it is not there yet), then opens it for
  // appending, mode 0600. `damaged` gets the number of other lines.
  Outcome open(const std::string& path, const std::function<void(std::string_view)>& line,
               std::uint64_t& damaged);
  // `object`: a JSON object without the closing brace. Written at the next commit(). False when
  // too much waits already: the line is lost.
  bool append(std::string object, bool durable);
  // Writes what waits; one fdatasync when a durable line is among it. On an error everything that
  // was not written stays, and the next call tries again.
  Outcome commit();
  // Moves the file to PATH.1 (replacing that) and begins a new one. What waits is written first.
  Outcome begin_anew();

  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] bool waiting() const noexcept { return !pending_.empty(); }

 private:
  Outcome open_file(int flags);

  std::string path_;
  int fd_{-1};
  std::uint64_t bytes_{0};
  std::string pending_;
  bool durable_{false};
};

// Members of a line that append() made; text as it was given, `missing` when absent.
[[nodiscard]] std::string line_text(std::string_view line, std::string_view key);
[[nodiscard]] std::int64_t line_integer(std::string_view line, std::string_view key,
                                        std::int64_t missing = 0);

}  // namespace gimbal
