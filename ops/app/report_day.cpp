#include "ops/app/report_day.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <utility>
#include <vector>

#include "engine/runtime/journal_files.hpp"
#include "ops/app/run_history.hpp"
#include "ops/app/svg_plot.hpp"

namespace gimbal {
namespace {

struct KeptBoot {
  std::uint32_t epoch{0};
  JournalSegments segments;
  SegmentHeader header{};
};

// Oldest first. A boot whose first segment cannot be read has an empty header.
std::vector<KeptBoot> boots_in(const std::string& directory) {
  std::vector<KeptBoot> boots;
  for (const SegmentFile& file : list_segments(directory, journal_stream)) {
    if (!boots.empty() && boots.back().epoch == file.epoch) continue;
    KeptBoot boot;
    boot.epoch = file.epoch;
    if (JournalSegments::find(directory, journal_stream, file.epoch, boot.segments)) {
      boot.header = first_header(boot.segments, journal_stream);
    }
    boots.push_back(std::move(boot));
  }
  return boots;
}

// Began before the day was over, and the next boot did not begin before the day did: one account
// has one bot at a time.
bool may_be_of(const std::vector<KeptBoot>& boots, std::size_t n, const TradingDay& day) {
  if (ExchTime{boots[n].header.created_unix_ns} >= day.end()) return false;
  return n + 1 == boots.size() || boots[n + 1].header.epoch == 0 ||
         ExchTime{boots[n + 1].header.created_unix_ns} > day.begin();
}

std::string step_boot(const KeptBoot& boot, const TradingDay& day, RunPicture& out) {
  JournalOrigin origin;
  read_origin(boot.segments, origin);
  if (!origin.error.empty()) return origin.error;
  std::string error;
  CoreReplay core{origin, boot.segments, ReplayOptions{}, false, error};
  if (!error.empty()) return error;
  const DayView view{day, boot.header.created_unix_ns - boot.header.created_mono_ns};
  RunHistory history{origin, core, &view};
  while (!history.past() && core.next()) {}
  out = history.finish();
  return {};
}

// The newest boot whose config can be read says when its days begin.
Nanos day_start_of(const std::vector<KeptBoot>& boots) {
  for (std::size_t n = boots.size(); n-- > 0;) {
    JournalOrigin origin;
    read_origin(boots[n].segments, origin);
    if (origin.loaded != nullptr) return origin.loaded->config.risk.day_start;
  }
  return {};
}

std::string nothing_of(const std::string& directory, const std::string& day,
                       const std::vector<KeptBoot>& boots, Nanos start) {
  std::vector<std::string> begun;
  for (const KeptBoot& b : boots) {
    if (b.header.epoch == 0) continue;
    const std::string on = day_text((b.header.created_unix_ns - start.count) / trading_day.count);
    if (begun.empty() || begun.back() != on) begun.push_back(on);
  }
  std::string text = directory + " has no records of " + day;
  if (begun.empty()) return text;
  text += "; boots began on " + begun.front();
  return begun.size() == 1 ? text : text + " to " + begun.back();
}

}  // namespace

std::string read_day(const std::string& directory, const std::string& day, RunPicture& out) {
  const std::optional<std::int64_t> number = parse_day(day);
  if (!number) return "--day wants a date, as in 2026-11-29: " + day;
  std::error_code unreadable;
  if (!std::filesystem::is_directory(directory, unreadable)) {
    return directory + ": --day wants the journal's directory";
  }
  const std::vector<KeptBoot> boots = boots_in(directory);
  if (boots.empty()) return directory + " holds no journal";
  const TradingDay span{*number, day_start_of(boots)};
  for (std::size_t n = 0; n < boots.size(); ++n) {
    if (!may_be_of(boots, n, span)) continue;
    RunPicture boot;
    const std::string error = step_boot(boots[n], span, boot);
    if (!error.empty()) return fmt::format("{}: boot {}: {}", directory, boots[n].epoch, error);
    if (boot.boots.empty()) continue;
    out.boots.empty() ? void(out = std::move(boot)) : join(out, std::move(boot));
  }
  if (out.boots.empty()) return nothing_of(directory, day, boots, span.start);
  const double start_s = static_cast<double>(span.start.count) * 1e-9;
  out.day = day;
  out.day_note = fmt::format("the trading day from {} on, times are since midnight UTC of {}",
                             clock_text(start_s), day);
  return {};
}

}  // namespace gimbal
