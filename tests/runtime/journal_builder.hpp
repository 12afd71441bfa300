// Events and small journals for the tests of this folder.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/core/event.hpp"
#include "engine/core/payload.hpp"
#include "engine/runtime/journal.hpp"
#include "tests/runtime/temp_dir.hpp"
#include "tests/support/load_journal.hpp"

namespace gimbal::test {

inline Event boot_event(std::uint64_t seq = 1, std::uint32_t epoch = 3) {
  Boot boot;
  boot.epoch = epoch;
  boot.build_hash = 0xB;
  boot.config_hash = 0xC;
  Event e = make_event(EventKind::boot, VenueId{}, InstrumentId{}, RecvTime{1}, ExchTime{}, boot);
  e.set_seq(Seq{seq});
  return e;
}

inline Event trade_event(std::uint64_t seq, std::int64_t price) {
  Trade trade;
  trade.price = Price{price};
  Event e = make_event(EventKind::trade, VenueId{1}, InstrumentId{2}, RecvTime{100}, ExchTime{200},
                       trade);
  e.set_seq(Seq{seq});
  return e;
}

// Three records with consecutive sequence numbers.
inline std::vector<Event> ticker_unit(std::uint64_t seq, std::int64_t mark) {
  Ticker ticker;
  ticker.mark = Price{mark};
  Event head = make_event(EventKind::ticker, VenueId{1}, InstrumentId{2}, RecvTime{100},
                          ExchTime{200}, ticker);
  head.set_seq(Seq{seq});
  std::vector<Event> unit(3);
  write_parts(head, ticker, unit.data());
  for (std::size_t i = 0; i < unit.size(); ++i) unit[i].set_seq(Seq{seq + i});
  return unit;
}

inline std::vector<std::span<const std::byte>> views(
    const std::vector<std::vector<std::byte>>& segments) {
  std::vector<std::span<const std::byte>> out;
  for (const auto& s : segments) out.emplace_back(s);
  return out;
}

struct Reading {
  std::vector<JournalRecord> records;
  JournalStatus status{JournalStatus::record};
  std::string error;
  std::uint64_t offset{0};
};
inline Reading read_all(const std::vector<std::vector<std::byte>>& segments) {
  JournalReader reader{views(segments)};
  Reading reading;
  JournalRecord record;
  while ((reading.status = reader.next(record)) == JournalStatus::record) {
    reading.records.push_back(record);
  }
  reading.error = reader.error();
  reading.offset = reader.error_offset();
  return reading;
}

inline JournalConfig small_journal(const TempDir& dir) {
  JournalConfig config;
  config.directory = dir.path();
  config.ring_records = 1024;
  config.segment_bytes = 64 * 1024;
  config.sync_interval = Nanos{0};
  return config;
}

// Boot, two trades, a ticker in three parts, a trade; closed when `close`.
inline std::vector<std::vector<std::byte>> sample_journal(const TempDir& dir, bool close) {
  JournalWriter writer{small_journal(dir), {3, 0xB, 0xC}, nullptr};
  if (!writer.open()) return {};
  const Event boot = boot_event();
  const Event first = trade_event(2, 10), second = trade_event(3, 11), last = trade_event(7, 13);
  const auto unit = ticker_unit(4, 12);
  const bool ok = writer.append(&boot, 1) && writer.append(&first, 1) &&
                  writer.append(&second, 1) && writer.append(unit.data(), unit.size()) &&
                  writer.append(&last, 1);
  if (!ok) return {};
  writer.drain();
  if (close && !writer.close()) return {};
  std::vector<std::vector<std::byte>> segments;
  if (!load_journal(dir.path(), segments)) return {};
  return segments;
}

}  // namespace gimbal::test
