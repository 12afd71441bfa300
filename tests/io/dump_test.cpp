// `gimbal journal dump` of a real run, as JSON lines and as CSV: the same records, field by field.
#include <signal.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/io/rig.hpp"

namespace gimbal::test {
namespace {

using Fields = std::map<std::string, std::string>;

// Text between quotes that begins at `at`, its escapes undone; `at` is behind it then.
std::string quoted(const std::string& text, std::size_t& at, bool backslashes) {
  std::string out;
  for (++at; at < text.size(); ++at) {
    const bool doubled = !backslashes && text.compare(at, 2, "\"\"") == 0;
    if (text[at] == '"' && !doubled) break;
    if (doubled || (backslashes && text[at] == '\\')) ++at;
    out += text.at(at);
  }
  ++at;
  return out;
}

// A flat JSON object; numbers, true, false and null as they are written.
Fields json_fields(const std::string& line) {
  Fields out;
  std::size_t at = 1;
  while (at < line.size() && line[at] == '"') {
    const std::string key = quoted(line, at, true);
    EXPECT_EQ(line.at(at), ':') << line;
    ++at;
    std::string value;
    if (line.at(at) == '"') {
      value = quoted(line, at, true);
    } else {
      const std::size_t end = line.find_first_of(",}", at);
      value = line.substr(at, end - at);
      at = end;
    }
    EXPECT_TRUE(out.emplace(key, value).second) << "twice: " << key << " in " << line;
    if (line.at(at) == '}') break;
    ++at;
  }
  EXPECT_EQ(at, line.size() - 1) << line;
  return out;
}

std::vector<std::string> csv_cells(const std::string& line) {
  std::vector<std::string> cells(1);
  for (std::size_t at = 0; at < line.size();) {
    if (line[at] == '"') {
      cells.back() = quoted(line, at, false);
    } else if (line[at] == ',') {
      cells.emplace_back();
      ++at;
    } else {
      cells.back() += line[at++];
    }
  }
  return cells;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end == std::string::npos ? text.size() : end + 1;
  }
  return lines;
}

// The row as fields again: its named cells, and what `detail` holds.
Fields row_fields(const std::vector<std::string>& header, const std::vector<std::string>& cells) {
  Fields out;
  for (std::size_t i = 0; i + 1 < header.size(); ++i) {
    if (!cells[i].empty()) out[header[i]] = cells[i];
  }
  for (const auto& [key, value] : json_fields(cells.back())) {
    EXPECT_TRUE(out.emplace(key, value).second) << key << " stands in two places";
  }
  return out;
}

// What a CSV row cannot tell from a field that is not there.
Fields without_empty(Fields fields) {
  std::erase_if(fields, [](const auto& f) { return f.second.empty() || f.second == "null"; });
  return fields;
}

class JournalDump : public Rig {
 protected:
  [[nodiscard]] std::string dump(const std::vector<std::string>& more) {
    std::vector<std::string> argv{program(), "journal", "dump", file("journal")};
    argv.insert(argv.end(), more.begin(), more.end());
    const Finished ran = run_program(argv, dir_.path(), Patience{60000 * patience_factor});
    EXPECT_EQ(ran.code, 0) << ran.err;
    return ran.out;
  }
};

TEST_F(JournalDump, CsvAndJsonLinesHoldTheSameRecordsFieldByField) {
  ASSERT_NO_FATAL_FAILURE(start_sim());
  ASSERT_NO_FATAL_FAILURE(start_bot());
  ASSERT_NO_FATAL_FAILURE(arm_or_fail());
  ASSERT_TRUE(wait_for_orders(3)) << status();
  ASSERT_EQ(kill().code, 0);
  ASSERT_EQ(bot_.stop(SIGTERM, Patience{20000 * patience_factor}), 0) << bot_says();
  const std::vector<std::string> json = lines_of(dump({}));
  const std::vector<std::string> csv = lines_of(dump({"--csv"}));
  ASSERT_EQ(csv.size(), json.size() + 1);
  const std::vector<std::string> header = csv_cells(csv[0]);
  ASSERT_EQ(header.back(), "detail");
  std::set<std::string> kinds;
  for (std::size_t i = 0; i < json.size() && !HasFailure(); ++i) {
    const std::vector<std::string> cells = csv_cells(csv[i + 1]);
    ASSERT_EQ(cells.size(), header.size()) << csv[i + 1];
    Fields record = json_fields(json[i]);
    if (auto other = record.extract("record"); !other.empty()) {
      other.key() = "event";
      record.insert(std::move(other));
    }
    kinds.insert(record["event"]);
    EXPECT_EQ(without_empty(row_fields(header, cells)), without_empty(record)) << json[i];
  }
  for (const char* kind : {"boot", "side_block", "digest", "trade", "ticker", "order_sent",
                           "order_ack", "fill", "operator_command"}) {
    EXPECT_TRUE(kinds.contains(kind)) << kind;
  }
  std::printf("%zu records of %zu kinds\n", json.size(), kinds.size());
}

}  // namespace
}  // namespace gimbal::test
