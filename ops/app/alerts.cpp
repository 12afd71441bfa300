#include "ops/app/alerts.hpp"

#include <algorithm>

#include "ops/app/json_writer.hpp"
#include "ops/app/trip_rows.hpp"

namespace gimbal {
namespace {

constexpr Nanos repeat_interval = seconds(1);  // lines of repeats of one alert, at most
constexpr const char* many_scopes = "many";

Severity severity_of(std::string_view name) {
  if (name == text_of(Severity::info)) return Severity::info;
  if (name == text_of(Severity::warning)) return Severity::warning;
  return Severity::critical;  // what is not known is the loud one
}

void put_numbers(JsonWriter& w, const AlertFacts& f) {
  w.integer("limit", f.limit).integer("actual", f.actual).integer("evidence", f.evidence);
  w.integer("seq", f.seq);
}

// The object stays open: the record closes it.
JsonWriter line_of(const char* what, std::uint64_t id, ExchTime at) {
  JsonWriter w;
  w.begin_object().text("t", what).integer("id", id).integer("at_unix_ns", at.unix_ns);
  return w;
}

}  // namespace

Outcome AlertBook::open(const std::string& path, RecvTime now) {
  return record_.open(
      path, [this, now](std::string_view line) { read_line(line, now); }, counters_.damaged_lines);
}

void AlertBook::read_line(std::string_view line, RecvTime now) {
  const std::string what = line_text(line, "t");
  const auto id = static_cast<std::uint64_t>(line_integer(line, "id"));
  const ExchTime at{line_integer(line, "at_unix_ns")};
  next_id_ = std::max(next_id_, id + 1);
  if (what == "raise") {
    Alert a;
    a.id = id;
    a.facts.code = line_text(line, "code");
    a.facts.row = line_text(line, "row");
    a.facts.owner = line_text(line, "owner");
    a.facts.severity = severity_of(line_text(line, "severity"));
    a.facts.latched = line_integer(line, "latched") != 0;
    a.facts.mode = line_text(line, "mode");
    a.facts.scope = line_text(line, "scope");
    a.facts.text = line_text(line, "text");
    a.first = ExchTime{line_integer(line, "first_unix_ns", at.unix_ns)};
    a.since = now;
    a.from_before = true;
    add(std::move(a));
  }
  Alert* alert = open_alert(id);
  if (alert == nullptr) return;
  if (what == "ack") {
    return close(static_cast<std::size_t>(alert - open_.data()), line_text(line, "by"));
  }
  if (what != "raise" && what != "repeat") return;
  alert->last = at;
  alert->count = static_cast<std::uint64_t>(line_integer(line, "count", 1));
  alert->facts.limit = line_integer(line, "limit");
  alert->facts.actual = line_integer(line, "actual");
  alert->facts.evidence = line_integer(line, "evidence");
  alert->facts.seq = static_cast<std::uint64_t>(line_integer(line, "seq"));
}

void AlertBook::add(Alert alert) {
  keys_[{alert.facts.code, alert.facts.scope}] = alert.id;
  open_.push_back(std::move(alert));
}

// The open alert that these facts repeat; 0: none. A full book coalesces by code alone.
std::uint64_t AlertBook::key_of(const AlertFacts& facts) const {
  if (const auto exact = keys_.find({facts.code, facts.scope}); exact != keys_.end())
    return exact->second;
  if (open_.size() < open_max) return 0;
  const auto many = keys_.find({facts.code, many_scopes});
  return many != keys_.end() ? many->second : 0;
}

std::uint64_t AlertBook::raise(const AlertFacts& facts, RecvTime now, ExchTime wall) {
  if (Alert* known = open_alert(key_of(facts)); known != nullptr) {
    return repeat(*known, facts, wall);
  }
  Alert alert;
  alert.id = next_id_++;
  alert.facts = facts;
  if (open_.size() >= open_max) alert.facts.scope = many_scopes;
  alert.first = wall;
  alert.last = wall;
  alert.since = now;
  ++counters_.raised;
  put_raise(alert);
  waiting_.push_back(facts.at);
  const std::uint64_t id = alert.id;
  add(std::move(alert));
  return id;
}

std::uint64_t AlertBook::repeat(Alert& alert, const AlertFacts& facts, ExchTime wall) {
  ++counters_.repeats;
  ++alert.count;
  alert.last = wall;
  alert.facts.limit = facts.limit;
  alert.facts.actual = facts.actual;
  alert.facts.evidence = facts.evidence;
  alert.facts.seq = facts.seq;
  alert.facts.latched = alert.facts.latched || facts.latched;
  if (!alert.repeat_waits) alert.repeat_at = facts.at;
  alert.repeat_waits = true;
  if (facts.severity <= alert.facts.severity) return alert.id;
  alert.facts.severity = facts.severity;  // the escalation counts from the worse news
  alert.since = facts.at;
  put_raise(alert);
  waiting_.push_back(facts.at);
  return alert.id;
}

AlertBook::Ack AlertBook::ack(std::uint64_t id, const std::string& who, const std::string& remark,
                              ExchTime wall) {
  Alert* alert = open_alert(id);
  if (alert == nullptr) {
    const auto same = [id](const Alert& a) { return a.id == id; };
    return std::any_of(recent_.begin(), recent_.end(), same) ? Ack::already : Ack::unknown;
  }
  JsonWriter w = line_of("ack", id, wall);
  w.integer("count", alert->count).text("by", who).text("remark", remark);
  put(w.take(), true);
  ++counters_.acknowledged;
  close(static_cast<std::size_t>(alert - open_.data()), who);
  return Ack::done;
}

void AlertBook::close(std::size_t index, const std::string& who) {
  Alert alert = std::move(open_[index]);
  open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(index));
  keys_.erase({alert.facts.code, alert.facts.scope});
  alert.acknowledged = true;
  alert.acknowledged_by = who;
  recent_.push_back(std::move(alert));
  if (recent_.size() > recent_max) recent_.pop_front();
}

void AlertBook::put(std::string object, bool durable) {
  if (record_.append(std::move(object), durable)) {
    ++counters_.records;
  } else {
    ++counters_.lost_lines;
  }
}

void AlertBook::put_raise(const Alert& alert) {
  const AlertFacts& f = alert.facts;
  JsonWriter w = line_of("raise", alert.id, alert.last);
  w.integer("first_unix_ns", alert.first.unix_ns).integer("count", alert.count);
  w.text("code", f.code).text("row", f.row).text("owner", f.owner);
  w.text("severity", text_of(f.severity)).text("scope", f.scope).text("mode", f.mode);
  w.integer("latched", f.latched ? 1 : 0).text("text", f.text);
  put_numbers(w, f);
  put(w.take(), f.severity == Severity::critical);
}

void AlertBook::put_repeats(RecvTime now) {
  for (Alert& alert : open_) {
    if (!alert.repeat_waits) continue;
    const bool first = alert.repeat_put.mono_ns == 0;
    if (!first && now - alert.repeat_put < repeat_interval) continue;
    JsonWriter w = line_of("repeat", alert.id, alert.last);
    w.integer("count", alert.count);
    put_numbers(w, alert.facts);
    put(w.take(), alert.facts.severity == Severity::critical);
    waiting_.push_back(alert.repeat_at);
    alert.repeat_waits = false;
    alert.repeat_put = now;
  }
}

void AlertBook::flush() noexcept {
  for (Alert& alert : open_) alert.repeat_put = RecvTime{};
}

bool AlertBook::commit(RecvTime now) {
  put_repeats(now);
  if (!record_.waiting()) return error_.empty();
  if (Outcome o = record_.commit(); !o) {
    ++counters_.write_failures;
    error_ = o.error();
    return false;
  }
  error_.clear();
  for (const RecvTime at : waiting_) {
    counters_.slowest_ns = std::max(counters_.slowest_ns, (now - at).count);
  }
  waiting_.clear();
  if (record_.bytes() > record_bytes_max) roll_over();
  return true;
}

// The old file keeps the history; the new one begins with what is still open.
void AlertBook::roll_over() {
  if (Outcome o = record_.begin_anew(); !o) {
    error_ = o.error();
    return;
  }
  for (const Alert& alert : open_) put_raise(alert);
  if (Outcome o = record_.commit(); !o) error_ = o.error();
}

bool AlertBook::wants_pause(RecvTime now) const noexcept {
  return std::any_of(open_.begin(), open_.end(), [&](const Alert& a) {
    return a.facts.severity == Severity::critical && now - a.since >= config_.pause_after;
  });
}

void AlertBook::note_pause(bool paused, ExchTime wall) {
  counters_.pauses += paused ? 1 : 0;
  put(line_of(paused ? "pause" : "resume", 0, wall).take(), true);
}

std::vector<std::uint64_t> AlertBook::due_announcements(RecvTime now) {
  std::vector<std::uint64_t> due;
  for (Alert& a : open_) {
    const bool said = a.announced.mono_ns != 0;
    const bool again =
        a.facts.severity == Severity::critical && now - a.announced >= config_.announce_every;
    if (said && !again) continue;
    a.announced = now;
    due.push_back(a.id);
  }
  return due;
}

Alert* AlertBook::open_alert(std::uint64_t id) noexcept {
  const auto at =
      std::find_if(open_.begin(), open_.end(), [id](const Alert& a) { return a.id == id; });
  return id == 0 || at == open_.end() ? nullptr : &*at;
}

const Alert* AlertBook::find(std::uint64_t id) const noexcept {
  const auto same = [id](const Alert& a) { return a.id == id; };
  if (const auto at = std::find_if(open_.begin(), open_.end(), same); at != open_.end())
    return &*at;
  const auto at = std::find_if(recent_.begin(), recent_.end(), same);
  return at == recent_.end() ? nullptr : &*at;
}

std::size_t AlertBook::unacknowledged(Severity severity) const noexcept {
  return static_cast<std::size_t>(
      std::count_if(open_.begin(), open_.end(),
                    [severity](const Alert& a) { return a.facts.severity == severity; }));
}

}  // namespace gimbal
