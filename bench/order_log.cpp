#include "bench/order_log.hpp"

#include <span>
#include <stdexcept>
#include <string_view>

#include "engine/runtime/journal.hpp"
#include "engine/runtime/journal_files.hpp"

namespace gimbal::bench {
namespace {

bool is_order(std::string_view text) {
  for (const std::string_view method : {"\"private/buy\"", "\"private/sell\"", "\"private/edit"}) {
    if (text.find(method) != std::string_view::npos) return true;
  }
  return false;
}

}  // namespace

OrderLog read_order_log(const std::filesystem::path& journal) {
  std::vector<std::vector<std::byte>> segments;
  std::vector<std::string> paths;
  Outcome loaded = find_segments(journal.string(), frame_stream, 0, paths);
  for (std::size_t n = 0; n < paths.size() && loaded; ++n) {
    loaded = read_segment(paths[n], segments.emplace_back());
  }
  if (!loaded) throw std::runtime_error{std::string{loaded.error()}};
  const std::vector<std::span<const std::byte>> spans(segments.begin(), segments.end());
  JournalReader reader{spans, frame_stream};
  JournalRecord record;
  OrderLog log;
  while (reader.next(record) == JournalStatus::record) {
    if (record.type == RecordType::gap) ++log.holes;
    if (record.type != RecordType::frame || record.frame.kind != FrameKind::text_out) continue;
    const std::string_view text{reinterpret_cast<const char*>(record.bytes.data()),
                                record.bytes.size()};
    if (is_order(text)) log.sent_ns.push_back(record.frame.recv_mono_ns);
  }
  return log;
}

}  // namespace gimbal::bench
