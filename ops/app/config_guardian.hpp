// [guardian]: what gimbal-guardian watches for, and how the bot judges its guardian. Both programs
// read it from the same file. Keys of accounts are in [[venue]] (guardian_credential,
// off_host_credential). Room: ops/app. Cold.
#pragma once

#include <string>

#include "engine/core/field.hpp"
#include "engine/core/time.hpp"

namespace gimbal {

struct GuardianConfig {
  Nanos miss{milliseconds(200)};
  Nanos cold_miss{seconds(2)};
  Nanos stop_wait{milliseconds(100)};
  Nanos stop_confirm{seconds(2)};
  bool realtime{true};
  int core{-1};
  std::string log_file;
  Nanos beat_max{milliseconds(500)};
  Nanos loss_wait{seconds(2)};
  std::string off_host;         // "HOST:PORT" that the bot sends heartbeats to; empty: nowhere
  std::string off_host_listen;  // "ADDRESS:PORT" of gimbal-guardian --watch
  std::string off_host_key;     // credential file with key=HEX, the same on both hosts
  Nanos off_host_interval{milliseconds(250)};
  Nanos off_host_miss{seconds(2)};
};

template <class Visitor>
void fields(Visitor&& visit, GuardianConfig& c) {
  visit("miss", c.miss,
        FieldInfo{.min = 0.005,
                  .max = 10,
                  .doc = "A hot thread without a beat for this long hangs: 0.02 colocated, 0.2 "
                         "elsewhere."});
  visit("cold_miss", c.cold_miss,
        FieldInfo{.min = 0.1, .max = 60, .doc = "The same for the bot's cold thread."});
  visit("stop_wait", c.stop_wait,
        FieldInfo{.min = 0.01,
                  .max = 10,
                  .doc = "Time the bot has to close its gate after a stop page says CANCEL."});
  visit("stop_confirm", c.stop_confirm,
        FieldInfo{.min = 0.1,
                  .max = 60,
                  .doc = "Time it then has until the venue shows nothing open in that scope."});
  visit("realtime", c.realtime, FieldInfo{.doc = "The guardian asks for SCHED_FIFO 50."});
  visit("core", c.core,
        FieldInfo{.min = -1,
                  .max = 4095,
                  .unit = "processor",
                  .doc = "The guardian's pinned processor; -1: not pinned."});
  visit("log_file", c.log_file,
        FieldInfo{.max = 4096,
                  .doc = "The guardian's JSON lines are appended here; empty: standard output."});
  visit("beat_max", c.beat_max,
        FieldInfo{.min = 0.05,
                  .max = 10,
                  .doc = "The bot takes a guardian without a beat for this long as lost."});
  visit("loss_wait", c.loss_wait,
        FieldInfo{.min = 0.1,
                  .max = 60,
                  .doc = "Armed and without a live guardian for this long: REDUCE on everything."});
  visit("off_host", c.off_host,
        FieldInfo{.max = 262,
                  .doc = "HOST:PORT of a guardian on another host; the bot sends it heartbeats."});
  visit("off_host_listen", c.off_host_listen,
        FieldInfo{.max = 262, .doc = "ADDRESS:PORT where gimbal-guardian --watch listens (UDP)."});
  visit("off_host_key", c.off_host_key,
        FieldInfo{.max = 4096,
                  .doc = "Credential file with key=HEX (32 bytes), the same on both hosts."});
  visit("off_host_interval", c.off_host_interval,
        FieldInfo{.min = 0.01, .max = 5, .doc = "Time between heartbeats to another host."});
  visit("off_host_miss", c.off_host_miss,
        FieldInfo{.min = 0.05,
                  .max = 60,
                  .doc = "The other host cancels after this long without a valid heartbeat."});
}

}  // namespace gimbal
