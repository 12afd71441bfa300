// The frame stream of a journal, read, unpacked and checked by a thread of its own, ahead of the
// decoders: a fourth of what a replay did on theirs. What it gives comes record by record, as from
// the JournalReader itself, and so does what is wrong. Room: ops/app. Cold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "engine/runtime/journal.hpp"
#include "ops/app/batch_queue.hpp"

namespace gimbal {

class FramesAhead {
 public:
  explicit FramesAhead(const JournalSegments& segments) : reader_{segments, frame_stream} {}
  ~FramesAhead();
  FramesAhead(const FramesAhead&) = delete;
  FramesAhead& operator=(const FramesAhead&) = delete;

  // See JournalReader. Before the first next().
  void chain_by(ChainHasher& hasher) noexcept { reader_.chain_by(hasher); }
  // See JournalReader; of a record its type, frame, gap and bytes, behind which frame_padding more
  // can be read. Throws what the reading thread threw.
  [[nodiscard]] JournalStatus next(JournalRecord& out);
  // Once next() has given anything but a record.
  [[nodiscard]] std::string place_of_error() const { return reader_.place_of_error(); }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return reader_.bytes(); }

 private:
  struct Kept {
    RecordType type{RecordType::none};
    FrameRecord frame{};
    GapRecord gap{};
    std::size_t begin{0};  // of its text
    std::size_t bytes{0};
  };
  struct Batch {
    std::vector<Kept> records;
    std::vector<std::byte> texts;
    JournalStatus status{JournalStatus::record};  // behind the records
    std::exception_ptr thrown{};
  };
  static constexpr std::size_t batch_records = 1024;
  static constexpr std::size_t batch_bytes = 256u << 10;  // but for the text that passes it
  static constexpr std::size_t batches_max = 8;           // ahead

  void work();
  void fill(Batch& batch);

  JournalReader reader_;  // the worker's, until the end
  std::unique_ptr<Batch> at_;
  std::size_t taken_{0};
  BatchQueue<Batch> queue_{batches_max};
  std::thread worker_;
};

}  // namespace gimbal
