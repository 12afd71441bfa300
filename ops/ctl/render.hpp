// Answers of the bot as text for people. Room: ops/ctl. Cold path.
#pragma once

#include <string>

namespace gimbal::ctl {

// Each takes one JSON line of the bot (ops/app/status.hpp) and gives text ending in a newline. A
// line of an unexpected shape is given back as it is: an answer is never hidden.
std::string status_text(const std::string& json);
std::string positions_text(const std::string& json);
std::string orders_text(const std::string& json);
std::string latency_text(const std::string& json);
std::string flatten_text(const std::string& json);
std::string reload_text(const std::string& json);
std::string kill_text(const std::string& json);
std::string plain_text(const std::string& json);

struct AnswerHead {
  bool is_final{false};
  int code{1};
  std::string error;  // empty when there is none
};
// False when the line is not an answer.
bool read_head(const std::string& json, AnswerHead& out);

}  // namespace gimbal::ctl
