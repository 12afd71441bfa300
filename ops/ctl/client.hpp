// One request over the control socket, every wait bounded. Room: ops/ctl. Cold path.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "engine/runtime/outcome.hpp"
#include "ops/app/control_protocol.hpp"

namespace gimbal::ctl {

// Sends `request` and calls `line` with each answer line, until one holds "final":true, the peer
// closes, or `patience` passes without a line. A failure means that the bot did not answer.
Outcome ask(const std::string& socket_path, const ControlRequest& request,
            std::chrono::milliseconds patience,
            const std::function<bool(const std::string&)>& line);

}  // namespace gimbal::ctl
