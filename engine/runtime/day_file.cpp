#include "engine/runtime/day_file.hpp"

#include <string_view>

#include "engine/core/units.hpp"
#include "engine/runtime/crc32c.hpp"
#include "engine/runtime/latch.hpp"
#include "engine/runtime/packed_bytes.hpp"

namespace gimbal {
namespace {

constexpr std::uint64_t day_magic = 0x313059414442474DULL;  // "MGBDAY01"

void put_name(std::string& out, const std::string& name) {
  const std::string kept = name.substr(0, day_name_max);
  put_bytes(out, static_cast<std::uint8_t>(kept.size()));
  out += kept;
}

bool get_name(std::string_view& in, std::string& name) {
  std::uint8_t bytes = 0;
  if (!get_bytes(in, bytes) || bytes > day_name_max || bytes > in.size()) return false;
  name.assign(in.substr(0, bytes));
  in.remove_prefix(bytes);
  return true;
}

template <class Line>
void put_count(std::string& out, const std::vector<Line>& lines) {
  put_bytes(out, static_cast<std::uint32_t>(lines.size()));
}

// Reads a list by `get_line`; false when it makes no sense.
template <class Line, class Get>
bool get_lines(std::string_view& in, std::vector<Line>& lines, Get get_line) {
  std::uint32_t count = 0;
  if (!get_bytes(in, count) || count > day_lines_max) return false;
  for (std::uint32_t n = 0; n < count; ++n) {
    Line line;
    if (!get_line(line)) return false;
    lines.push_back(std::move(line));
  }
  return true;
}

bool get_record(std::string_view& in, DayRecord& r) {
  if (!get_name(in, r.account) || !get_bytes(in, r.epoch) || !get_bytes(in, r.began.unix_ns) ||
      !get_bytes(in, r.booked_until.unix_ns) || !get_bytes(in, r.peak.nano)) {
    return false;
  }
  const bool owners = get_lines(in, r.owners, [&](DayRecord::Owner& o) {
    return get_name(in, o.name) && get_bytes(in, o.profit.nano);
  });
  const bool ratios = owners && get_lines(in, r.ratios, [&](DayRecord::Ratio& ratio) {
                        return get_name(in, ratio.underlying) && get_bytes(in, ratio.group) &&
                               get_bytes(in, ratio.count.changes) &&
                               get_bytes(in, ratio.count.maker_nano);
                      });
  return ratios && get_lines(in, r.holdings, [&](DayRecord::Holding& h) {
           return get_name(in, h.instrument) && get_name(in, h.owner) &&
                  get_bytes(in, h.amount.nano) && get_bytes(in, h.mark.nano);
         });
}

DayFileContent unusable(std::string why) {
  return DayFileContent{DayFileKind::unusable, {}, std::move(why)};
}

}  // namespace

Money DayRecord::profit() const noexcept {
  i128 sum = 0;
  for (const Owner& o : owners) sum += o.profit.nano;
  return Money{fits_int64(sum) ? static_cast<std::int64_t>(sum) : sum < 0 ? -INT64_MAX : INT64_MAX};
}

std::string encode_day(const DayRecord& r) {
  std::string out;
  put_bytes(out, day_magic);
  put_bytes(out, day_file_version);
  put_name(out, r.account);
  put_bytes(out, r.epoch);
  put_bytes(out, r.began.unix_ns);
  put_bytes(out, r.booked_until.unix_ns);
  put_bytes(out, r.peak.nano);
  put_count(out, r.owners);
  for (const DayRecord::Owner& o : r.owners) {
    put_name(out, o.name);
    put_bytes(out, o.profit.nano);
  }
  put_count(out, r.ratios);
  for (const DayRecord::Ratio& ratio : r.ratios) {
    put_name(out, ratio.underlying);
    put_bytes(out, ratio.group);
    put_bytes(out, ratio.count.changes);
    put_bytes(out, ratio.count.maker_nano);
  }
  put_count(out, r.holdings);
  for (const DayRecord::Holding& h : r.holdings) {
    put_name(out, h.instrument);
    put_name(out, h.owner);
    put_bytes(out, h.amount.nano);
    put_bytes(out, h.mark.nano);
  }
  put_bytes(out, crc32c(out.data(), out.size()));
  return out;
}

DayFileContent parse_day(const std::string& bytes) {
  std::uint64_t magic = 0;
  std::uint32_t version = 0, crc = 0;
  if (bytes.size() < sizeof magic + sizeof version + sizeof crc) return unusable("it is cut");
  const std::size_t body = bytes.size() - sizeof crc;
  std::string_view tail = std::string_view{bytes}.substr(body);
  if (!get_bytes(tail, crc) || crc != crc32c(bytes.data(), body)) {
    return unusable("its checksum differs");
  }
  std::string_view in = std::string_view{bytes}.substr(0, body);
  if (!get_bytes(in, magic) || magic != day_magic) return unusable("it holds something else");
  if (!get_bytes(in, version) || version != day_file_version) {
    return unusable("its format version is " + std::to_string(version) + ", this build reads " +
                    std::to_string(day_file_version));
  }
  DayFileContent content;
  content.kind = DayFileKind::sound;
  if (!get_record(in, content.record)) return unusable("its content makes no sense");
  if (!in.empty()) return unusable("it has bytes too many");
  return content;
}

DayFileContent load_day(const std::string& path) {
  std::string bytes;
  bool missing = false;
  if (const Outcome read = read_small_file(path, bytes, missing); !read) {
    return missing ? DayFileContent{} : unusable(read.error());
  }
  DayFileContent content = parse_day(bytes);
  if (content.kind == DayFileKind::unusable) content.error = path + ": " + content.error;
  return content;
}

}  // namespace gimbal
