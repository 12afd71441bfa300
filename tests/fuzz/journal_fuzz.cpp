// Journal reader on hostile bytes. The first byte chooses: raw segments, or a journal whose header
// and checksums are right so that the checks behind them are reached; never a crash, never a part
// of a unit as the last event, and the same answer twice.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

#include "engine/runtime/crc32c.hpp"
#include "engine/runtime/journal.hpp"

namespace {

using namespace gimbal;
using Segment = std::vector<std::byte>;

JournalStatus read_everything(const std::vector<Segment>& segments) {
  JournalReader reader{{segments.begin(), segments.end()}};
  JournalRecord record;
  bool in_unit = false;
  JournalStatus status;
  while ((status = reader.next(record)) == JournalStatus::record) {
    in_unit = record.type == RecordType::event && record.more;
    volatile std::byte sink{};
    if (!record.bytes.empty()) sink = record.bytes.back();
    (void)sink;
  }
  if (in_unit && status != JournalStatus::corrupt) std::abort();
  if (reader.next(record) != status) std::abort();
  return status;
}

Segment sealed_segment(std::span<const std::uint8_t> input, std::uint32_t number,
                       std::uint32_t previous_crc, std::uint64_t first_seq) {
  SegmentHeader header;
  header.segment = number;
  header.first_seq = first_seq;
  header.previous_crc = previous_crc;
  header.crc = crc32c(&header, sizeof header - sizeof header.crc);
  Segment out(sizeof header);
  std::memcpy(out.data(), &header, sizeof header);
  std::uint32_t ordinal = 0;
  while (input.size() >= 4) {
    RecordHead head;
    head.type = static_cast<RecordType>(input[0] % 7);
    head.flags = input[1] % 3;
    head.bytes = input[2] < 200 ? (head.type == RecordType::event ? 64u : input[2] % 48u)
                                : static_cast<std::uint32_t>(input[2]);
    head.ordinal = ++ordinal + (input[3] == 255 ? 1 : 0);
    const bool break_crc = input[3] == 254;
    input = input.subspan(4);
    const std::size_t at = out.size();
    out.resize(at + sizeof head + padded(head.bytes));
    const std::size_t take = input.size() < head.bytes ? input.size() : head.bytes;
    if (take != 0) std::memcpy(out.data() + at + sizeof head, input.data(), take);
    input = input.subspan(take);
    std::memcpy(out.data() + at, &head, sizeof head);
    head.crc = crc32c(out.data() + at + 4, out.size() - at - 4, header.crc) ^ (break_crc ? 1u : 0u);
    std::memcpy(out.data() + at, &head.crc, sizeof head.crc);
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::span<const std::uint8_t> input{data + 2, size - 2};
  const std::size_t cut = input.size() * data[1] / 256;
  const auto raw = [](std::span<const std::uint8_t> bytes) {
    const auto* begin = reinterpret_cast<const std::byte*>(bytes.data());
    return Segment(begin, begin + bytes.size());
  };
  std::vector<Segment> segments;
  switch (data[0] % 4) {
    case 0: segments = {raw(input)}; break;
    case 1: segments = {raw(input.first(cut)), raw(input.subspan(cut))}; break;
    case 2: segments = {sealed_segment(input, 0, 0, 1)}; break;
    default: {
      segments.push_back(sealed_segment(input.first(cut), 0, 0, 1));
      segments.push_back(sealed_segment(input.subspan(cut), 1, data[1], 2));
    }
  }
  read_everything(segments);
  return 0;
}
