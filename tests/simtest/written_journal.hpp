// A journal as a dead process leaves it: written by the product's segment writer and not closed, as
// bytes, with the place of every record.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/core/event.hpp"
#include "engine/core/payload.hpp"

namespace gimbal::simtest {

struct WrittenRecord {
  std::size_t begin{0};
  std::size_t end{0};
  std::size_t events{0};  // behind the snapshot, up to and with it
};

struct WrittenSegment {
  std::string path;
  std::string bytes;                   // all of it, as it is read
  std::vector<WrittenRecord> records;  // the header is the first of them
  [[nodiscard]] std::size_t written() const { return records.back().end; }
};

class WrittenJournal {
 public:
  // Behind event `after` of boot `epoch`, which a snapshot has, as the `before` events up to it.
  WrittenJournal(std::uint32_t epoch, Seq after, std::size_t before)
      : epoch_{epoch}, after_{after}, before_{before} {}

  // `tail`: whole units. What went wrong; empty: nothing.
  [[nodiscard]] std::string write(const std::string& directory, std::uint64_t segment_bytes,
                                  const std::vector<Event>& tail);
  [[nodiscard]] std::vector<WrittenSegment>& segments() noexcept { return segments_; }
  // Of the first event that the snapshot does not have, in the first segment.
  [[nodiscard]] std::size_t place() const noexcept;

 private:
  [[nodiscard]] std::size_t load(const std::string& directory);

  std::uint32_t epoch_;
  Seq after_;
  std::size_t before_;
  std::vector<WrittenSegment> segments_;
};

}  // namespace gimbal::simtest
