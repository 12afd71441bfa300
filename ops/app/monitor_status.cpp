#include "ops/app/monitor_status.hpp"

#include "ops/app/json_writer.hpp"

namespace gimbal {

void put(JsonWriter& w, const AlertStatus& a) {
  w.begin_object().integer("id", a.id).text("severity", a.severity).text("text", a.text);
  w.integer("age_ns", a.age_ns).boolean("acknowledged", a.acknowledged).text("code", a.code);
  w.text("row", a.row).text("owner", a.owner).text("scope", a.scope).text("tightened_to", a.mode);
  w.boolean("latched", a.latched).integer("count", a.count).integer("limit", a.limit);
  w.integer("actual", a.actual).integer("evidence", a.evidence).integer("seq", a.seq);
  w.text("acknowledged_by", a.acknowledged_by).end_object();
}

namespace {

void put_checks(JsonWriter& w, const HealthStatus& health) {
  w.boolean("ok", health.ok).begin_array("checks");
  for (const HealthLine& line : health.checks) {
    w.begin_object().text("check", line.check).boolean("ok", line.ok).text("cause", line.cause);
    w.end_object();
  }
  w.end_array();
}

}  // namespace

void put_health(JsonWriter& w, const HealthStatus& health) {
  w.begin_object("health");
  put_checks(w, health);
  w.end_object();
}

std::string health_json(const HealthStatus& health) {
  JsonWriter w;
  w.begin_object();
  put_checks(w, health);
  return w.end_object().take();
}

void put_journal(JsonWriter& w, const JournalStatusLine& j) {
  w.begin_object("journal").integer("written", j.written).integer("durable", j.durable);
  w.integer("backlog", j.backlog).integer("bytes", j.bytes).integer("lost", j.lost);
  w.boolean("failed", j.failed).end_object();
}

}  // namespace gimbal
