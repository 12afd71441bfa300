#include "tests/simtest/damaged_files.hpp"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include "engine/runtime/crc32c.hpp"
#include "engine/runtime/journal_format.hpp"
#include "ops/app/left_orders.hpp"
#include "tests/simtest/random.hpp"
#include "tests/simtest/written_journal.hpp"

namespace gimbal::simtest {
namespace {

constexpr std::uint64_t one_segment = 256 * 1024;
constexpr std::uint64_t small_segment = 8 * 1024;  // a tail has several
constexpr std::size_t before_max = 40;             // events before the snapshot
constexpr std::size_t torn_sector = 512;           // bytes of garbage
constexpr std::size_t page_bytes = 4096;
constexpr std::size_t crc_bytes = sizeof(RecordHead::crc);
constexpr std::size_t telling_bytes = 12;  // of a head: zeros there mean that nothing follows

class DamagedFiles {
 public:
  DamagedFiles(std::string directory, OrdersRecord orders, const std::vector<Event>& tail,
               const FileDamage& damage, Plant plant)
      : directory_{std::move(directory)},
        orders_{std::move(orders)},
        tail_{tail},
        damage_{damage.damage},
        random_{damage.seed, 0},
        plant_{plant},
        segment_bytes_{random_.chance(0.5) ? one_segment : small_segment},
        journal_{orders_.epoch, orders_.seq,
                 random_.below(std::min(before_max, orders_.seq.value))},
        segments_{journal_.segments()} {}

  FilesRead read() {
    std::filesystem::create_directories(directory_);
    if (const std::string why = journal_.write(directory_, segment_bytes_, tail_); !why.empty()) {
      wrong(why);
    } else {
      if (random_.chance(0.5)) orders_.place = {0, journal_.place()};
      damage();
      judge();
    }
    std::filesystem::remove_all(directory_);
    return std::move(result_);
  }

 private:
  [[nodiscard]] std::string orders_path() const { return directory_ + "/orders"; }
  void wrong(std::string why) {
    if (result_.wrong.empty()) result_.wrong = "damaged files: " + std::move(why) + place_;
  }

  // --- what became of it

  void damage() {
    std::string orders = encode_orders(orders_);
    if (damage_ == Damage::torn || (damage_ == Damage::unsynced && random_.chance(0.5))) {
      tear();
    } else if (damage_ == Damage::unsynced) {
      lose_pages();
    } else if (damage_ == Damage::flipped && random_.chance(0.3)) {
      flip(orders, random_.below(orders.size()));
      if (plant_ == Plant::forge_checksum) forge(orders.data(), orders.size() - crc_bytes);
      result_.orders = false;
    } else if (damage_ == Damage::flipped) {
      flip_journal();
    }
    std::ofstream{orders_path(), std::ios::binary} << orders;
  }

  void flip(std::string& bytes, std::size_t at) {
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << random_.below(8)));
  }

  // As the last of the bytes says that the others are whole.
  static void forge(char* bytes, std::size_t size) {
    const std::uint32_t crc = crc32c(bytes, size);
    std::memcpy(bytes + size, &crc, sizeof crc);
  }

  // Of the last records as often as of any.
  void flip_journal() {
    WrittenSegment& s = any_segment();
    std::size_t first = 0;
    if (random_.chance(0.5)) first = s.records.size() - std::min<std::size_t>(3, s.records.size());
    const WrittenRecord& r = s.records[first + random_.below(s.records.size() - first)];
    const std::size_t at = r.begin + random_.below(r.end - r.begin);
    flip(s.bytes, at);
    note_place("flipped", s, at);
    passed_ = &s == &segments_.front() && at >= sizeof(SegmentHeader) && at < journal_.place();
    if (!passed_) expected_ = events_before(s, at);
    must_tell_ = !passed_;
    if (plant_ == Plant::forge_checksum) forge_record(s, r);
    std::ofstream{s.path, std::ios::binary} << s.bytes;
  }

  static void forge_record(WrittenSegment& s, const WrittenRecord& r) {
    if (r.begin == 0) return forge(s.bytes.data(), sizeof(SegmentHeader) - crc_bytes);
    std::uint32_t salt = 0;
    std::memcpy(&salt, s.bytes.data() + sizeof(SegmentHeader) - crc_bytes, sizeof salt);
    char* const at = s.bytes.data() + r.begin;
    const std::uint32_t crc = crc32c(at + crc_bytes, r.end - r.begin - crc_bytes, salt);
    std::memcpy(at, &crc, sizeof crc);
  }

  // Nothing was written behind it.
  void tear() {
    WrittenSegment& s = any_segment();
    for (const WrittenSegment* later = &s + 1; later <= &segments_.back(); ++later) {
      std::filesystem::remove(later->path);
    }
    const std::string whole = s.bytes;
    std::size_t at = random_.below(s.written());
    const std::uint64_t rest = random_.below(3);
    note_place(rest == 0 ? "cut" : rest == 1 ? "zeros from" : "garbage from", s, at);
    s.bytes.resize(at);
    if (rest != 0) s.bytes.resize(whole.size());
    const bool garbage = rest == 2;
    for (std::size_t i = at; garbage && i < std::min(at + torn_sector, s.bytes.size()); ++i) {
      s.bytes[i] = static_cast<char>(random_.below(256));
    }
    // What was lost may have been zeros: the file differs from here on.
    while (at < s.bytes.size() && at < s.written() && s.bytes[at] == whole[at]) ++at;
    expected_ = events_before(s, at);
    // Zeros at the place look as if nothing had followed there, where the place is known or can be
    // told by the number of the event before it, which is only walked over.
    const bool before = &s == &segments_.front() && at < journal_.place();
    const bool found = orders_.place.known() || at >= last_before_place(s);
    must_tell_ = before ? rest == 0 || (garbage && !orders_.place.known()) || !found
                        : garbage || begun(s, at);
    std::ofstream{s.path, std::ios::binary} << s.bytes;
  }

  // Those behind them are on the disk.
  void lose_pages() {
    WrittenSegment& s = any_segment();
    const std::string whole = s.bytes;
    const std::size_t pages = (s.written() + page_bytes - 1) / page_bytes;
    const std::size_t first = random_.below(pages);
    std::size_t at = first * page_bytes;
    const std::size_t end =
        std::min(at + (1 + random_.below(3)) * page_bytes, std::min(s.written(), s.bytes.size()));
    note_place("no page at", s, at);
    std::fill(s.bytes.begin() + static_cast<std::ptrdiff_t>(at),
              s.bytes.begin() + static_cast<std::ptrdiff_t>(end), '\0');
    while (at < end && s.bytes[at] == whole[at]) ++at;
    std::ofstream{s.path, std::ios::binary} << s.bytes;
    if (at == end) return;
    passed_ = &s == &segments_.front() && at >= sizeof(SegmentHeader) && end <= journal_.place();
    if (passed_) return;
    expected_ = events_before(s, at);
    must_tell_ = (&s != &segments_.front() || at >= journal_.place()) && begun(s, at);
  }

  void note_place(const char* what, const WrittenSegment& s, std::size_t at) {
    place_ = std::string{", "} + what + " byte " + std::to_string(at) + " of " +
             std::to_string(s.written()) + " of segment " + std::to_string(&s - segments_.data()) +
             " of " + std::to_string(segments_.size());
  }

  [[nodiscard]] WrittenSegment& any_segment() {
    return random_.chance(0.7) ? segments_.back() : segments_[random_.below(segments_.size())];
  }

  static std::size_t events_before(const WrittenSegment& s, std::size_t at) {
    std::size_t events = s.records.front().events;
    for (const WrittenRecord& r : s.records) {
      if (r.end <= at) events = r.events;
    }
    return events;
  }

  // Where the record begins that ends at the place.
  [[nodiscard]] std::size_t last_before_place(const WrittenSegment& s) const {
    std::size_t begin = 0;
    for (const WrittenRecord& r : s.records) {
      if (r.end <= journal_.place()) begin = r.begin;
    }
    return begin;
  }

  // Whether a reader can see that a record was begun that ends behind `at`.
  static bool begun(const WrittenSegment& s, std::size_t at) {
    const auto r = std::find_if(s.records.begin(), s.records.end(),
                                [&](const WrittenRecord& one) { return at < one.end; });
    if (r == s.records.end()) return false;
    const std::size_t end = std::min({at, r->begin + telling_bytes, s.bytes.size()});
    for (std::size_t i = r->begin; i < end; ++i) {
      if (s.bytes[i] != 0) return true;
    }
    return false;
  }

  // --- what the next boot makes of it

  void judge() {
    const LeftPlaces places{orders_path(), orders_.account, directory_, orders_.epoch + 1};
    TailLimits limits;
    limits.time_max = limits.search_max = seconds(3600);
    const LeftOrders left = read_left_orders(places, limits);
    if (!result_.orders) {
      if (left.epoch != 0 || left.trouble.empty()) wrong("orders with a flipped bit were believed");
      return;
    }
    // One that is only walked over need not be looked at, and may end the reading.
    const bool may_end = !left.trouble.empty() || damage_ == Damage::unsynced;
    if (passed_ && left.events == 0 && may_end) expected_ = 0;
    result_.events = expected_;
    if (left.epoch != orders_.epoch) return wrong("the orders were not read: " + left.trouble);
    if (left.events != expected_) {
      return wrong(std::to_string(left.events) + " events of the journal in place of " +
                   std::to_string(expected_));
    }
    if (encode_orders(orders_of(left)) != encode_orders(folded())) {
      return wrong("other orders than were written");
    }
    if (must_tell_ && left.trouble.empty()) wrong("damage that was not told");
    if (damage_ == Damage::none && !left.trouble.empty()) wrong(left.trouble);
  }

  // What was written and is whole.
  [[nodiscard]] OrdersRecord folded() const {
    OrderLog log;
    log.restore(orders_.orders, orders_.seq, orders_.epoch, orders_.tag);
    for (std::size_t n = 0; n < expected_; ++n) log.take(tail_[n]);
    OrdersRecord r = orders_;
    r.orders.clear();
    for (const auto& [id, order] : log.orders()) r.orders.push_back(order);
    return r;
  }

  [[nodiscard]] OrdersRecord orders_of(const LeftOrders& left) const {
    OrdersRecord r = orders_;
    r.orders = left.orders;
    for (KeptOrder& o : r.orders) {
      const auto at = std::find(r.names.begin(), r.names.end(), left.names[o.instrument.value]);
      o.instrument.value = static_cast<std::uint16_t>(at - r.names.begin());
    }
    return r;
  }

  std::string directory_;
  OrdersRecord orders_;
  const std::vector<Event>& tail_;
  Damage damage_;
  Random random_;
  Plant plant_;
  std::uint64_t segment_bytes_;
  WrittenJournal journal_;
  std::vector<WrittenSegment>& segments_;
  std::size_t expected_{tail_.size()};  // events that are whole
  bool must_tell_{false};
  bool passed_{false};  // the damage is before the orders' place
  std::string place_;   // of the damage
  FilesRead result_;
};

}  // namespace

FilesRead read_damaged(const std::string& directory, OrdersRecord orders,
                       const std::vector<Event>& tail, const FileDamage& damage, Plant plant) {
  return DamagedFiles{directory, std::move(orders), tail, damage, plant}.read();
}

}  // namespace gimbal::simtest
