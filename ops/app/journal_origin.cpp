#include "ops/app/journal_origin.hpp"

#include <string_view>

#include "engine/runtime/journal.hpp"

namespace gimbal {

SegmentHeader first_header(const JournalSegments& segments, const StreamName& stream) {
  SegmentHeader header;
  SegmentWindow window;
  if (segments.empty() || !window.open(segments, 0)) return {};
  const auto bytes = window.at(0, sizeof header);
  return read_header(bytes, stream.magic, header) == nullptr ? header : SegmentHeader{};
}

void learn_names(std::span<const std::byte> block, JournalOrigin& origin) {
  std::vector<std::string> names;
  Universe::read_names(block, names);
  for (std::size_t n = 0; n < names.size(); ++n) {
    (void)origin.universe.symbols().add(names[n], InstrumentId{static_cast<std::uint16_t>(n)});
  }
}

void read_origin(const JournalSegments& segments, JournalOrigin& origin) {
  JournalReader reader{segments};
  JournalRecord record;
  JournalStatus status = JournalStatus::record;
  while ((status = reader.next(record)) == JournalStatus::record) {
    if (record.type != RecordType::side_block) {
      if (record.type == RecordType::event && record.event.kind() != EventKind::boot &&
          record.event.kind() != EventKind::side_block) {
        break;
      }
      continue;
    }
    if (record.block.kind == SideBlockKind::config) {
      std::vector<ConfigProblem> problems;
      const std::string_view text{reinterpret_cast<const char*>(record.bytes.data()),
                                  record.bytes.size()};
      origin.loaded = parse_config(text, "the journal's config", problems);
      if (origin.loaded == nullptr) origin.error = to_text(problems.front());
    } else if (record.block.kind == SideBlockKind::instrument) {
      if (!origin.universe.restore(record.bytes, origin.error)) return;
    }
  }
  if (origin.loaded == nullptr && origin.error.empty()) {
    origin.error =
        "no start of a journal can be read: it is empty, cut or damaged at its beginning, or was "
        "not written by gimbal run";
    if (status != JournalStatus::record) origin.error += ": " + reader.place_of_error();
  }
  if (origin.error.empty()) origin.error = origin.universe.rebind(origin.loaded->config);
}

}  // namespace gimbal
