// The segments of one stream of one boot, and a window over one of them: a journal is read a
// quarter of a MiB at a time, packed or not, so that a day of it fits. Cold, one thread a window.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/runtime/outcome.hpp"
#include "engine/runtime/segment_writer.hpp"

namespace gimbal {

// Cheap to copy.
class JournalSegments {
 public:
  JournalSegments() = default;
  // In memory: each span must stay alive and unchanged. Not explicit: a list of spans is segments.
  JournalSegments(const std::vector<std::span<const std::byte>>& in_memory);
  [[nodiscard]] static JournalSegments of_file(std::string path);
  // Those of the newest epoch (or of `epoch`) of a stream in a directory; or, for a file, that one
  // and those of the same boot that follow it. Nothing is read yet.
  static Outcome find(const std::string& path, const StreamName& stream, std::uint32_t epoch,
                      JournalSegments& out);

  [[nodiscard]] std::size_t size() const noexcept { return all_ == nullptr ? 0 : all_->size(); }
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }
  // Where a segment is; empty for one in memory.
  [[nodiscard]] const std::string& path(std::size_t n) const { return (*all_)[n].path; }
  [[nodiscard]] std::span<const std::byte> memory(std::size_t n) const { return (*all_)[n].bytes; }

 private:
  struct One {
    std::span<const std::byte> bytes{};
    std::string path{};
  };
  std::shared_ptr<const std::vector<One>> all_;
};

class SegmentWindow {
 public:
  // Read at once when more is wanted; the window is no larger unless a record is.
  static constexpr std::size_t chunk_bytes = 256u << 10;

  // `chunk` is less where a few bytes are all that is wanted of a segment.
  explicit SegmentWindow(std::uint64_t chunk = chunk_bytes);
  ~SegmentWindow();
  SegmentWindow(const SegmentWindow&) = delete;
  SegmentWindow& operator=(const SegmentWindow&) = delete;

  Outcome open(const JournalSegments& segments, std::size_t n);
  // Of the segment, unpacked, as it was when it was opened.
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  // Whether what is before an offset has to be unpacked to come to it.
  [[nodiscard]] bool packed() const noexcept;
  // Whether these bytes can be had without a read, which moves what at() gave before.
  [[nodiscard]] bool holds(std::uint64_t offset, std::uint64_t bytes) const noexcept {
    return offset >= begin_ && offset + bytes <= begin_ + held_;
  }
  // Fewer than asked for where the segment ends, or where it cannot be read: then error() says why.
  // Going back is allowed, and costs a packed segment a new beginning.
  [[nodiscard]] std::span<const std::byte> at(std::uint64_t offset, std::uint64_t bytes) {
    if (!holds(offset, bytes)) fill(offset, bytes);
    if (offset < begin_ || offset > begin_ + held_) return {};
    return {data_ + (offset - begin_), std::min(bytes, begin_ + held_ - offset)};
  }
  // Keeps what at() gave for as long as it is held, also when the window has moved on.
  [[nodiscard]] std::shared_ptr<const std::byte[]> hold() {
    held_elsewhere_ = true;
    return buffer_;
  }
  [[nodiscard]] const std::string& error() const noexcept { return error_; }
  // Whether nothing but zeros follows.
  [[nodiscard]] bool zeros_from(std::uint64_t offset);

 private:
  class File;
  void fill(std::uint64_t offset, std::uint64_t bytes);
  void keep_from(std::uint64_t offset, std::size_t room);

  std::uint64_t chunk_;
  const std::byte* data_{nullptr};
  std::uint64_t begin_{0};
  std::uint64_t held_{0};
  std::uint64_t size_{0};
  std::shared_ptr<std::byte[]> buffer_;
  std::size_t room_{0};
  bool held_elsewhere_{false};
  std::unique_ptr<File> file_;
  std::string error_;
};

}  // namespace gimbal
