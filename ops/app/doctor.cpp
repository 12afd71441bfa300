// `gimbal doctor`: findings printed; exit 1 only when running is impossible.
#include "ops/app/doctor.hpp"

#include <algorithm>
#include <cstdio>
#include <memory>

#include "ops/app/commands.hpp"
#include "ops/app/json_writer.hpp"
#include "ops/cli/command_line.hpp"

namespace gimbal {
namespace {

const char* name_of(HostVerdict verdict) {
  switch (verdict) {
    case HostVerdict::ok: return "ok";
    case HostVerdict::warn: return "warn";
    case HostVerdict::fail: return "fail";
  }
  return "fail";
}

void print_json(const std::vector<Finding>& findings) {
  JsonWriter w;
  w.begin_object().begin_array("findings");
  for (const auto& f : findings) {
    w.begin_object()
        .text("topic", f.topic)
        .text("verdict", name_of(f.verdict))
        .text("found", f.found);
    w.text("fix", f.fix).end_object();
  }
  std::printf("%s\n", w.end_array().end_object().take().c_str());
}

void print_text(const std::vector<Finding>& findings) {
  std::size_t width = 0;
  for (const auto& f : findings) width = std::max(width, f.topic.size());
  for (const auto& f : findings) {
    std::printf("%-4s  %-*s  %s\n", name_of(f.verdict), static_cast<int>(width), f.topic.c_str(),
                f.found.c_str());
    if (!f.fix.empty())
      std::printf("      %-*s  fix: %s\n", static_cast<int>(width), "", f.fix.c_str());
  }
}

int doctor(bool json) {
  const auto findings = examine_host();
  if (json)
    print_json(findings);
  else
    print_text(findings);
  const auto count = [&](HostVerdict v) {
    return std::count_if(findings.begin(), findings.end(),
                         [v](const Finding& f) { return f.verdict == v; });
  };
  if (!json) {
    std::printf(
        "\n%d ok, %d warnings, %d failures: gimbal %s\n", static_cast<int>(count(HostVerdict::ok)),
        static_cast<int>(count(HostVerdict::warn)), static_cast<int>(count(HostVerdict::fail)),
        count(HostVerdict::fail) == 0 ? "can run here" : "cannot run here");
  }
  return count(HostVerdict::fail) == 0 ? exit_done : exit_failed;
}

}  // namespace

void add_doctor(cli::Command app, int& exit_code) {
  auto json = std::make_shared<bool>(false);
  auto command = app.add_subcommand("doctor", "Examine this host and say what to fix");
  command.add_flag("--json", *json, "JSON output");
  command.callback([json, &exit_code] { exit_code = doctor(*json); });
}

}  // namespace gimbal
