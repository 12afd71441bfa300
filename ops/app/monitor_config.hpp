// [alerts], [health] and [metrics]: when the bot complains about itself, and to whom. Room:
// ops/app.
#pragma once

#include <string>

#include "engine/core/field.hpp"
#include "engine/core/time.hpp"

namespace gimbal {

// [alerts]
struct AlertConfig {
  Nanos pause_after{seconds(60)};     // an unacknowledged critical alert pauses growth after this
  Nanos announce_every{seconds(60)};  // and is said again this often
};
template <class Visitor>
void fields(Visitor& visit, AlertConfig& c) {
  visit("pause_after", c.pause_after,
        FieldInfo{.min = 1,
                  .max = 3600,
                  .doc = "A critical alert that nobody acknowledges for this long pauses growth."});
  visit("announce_every", c.announce_every,
        FieldInfo{.min = 1, .max = 3600, .doc = "It is written to the log again this often."});
}

// [health]
struct HealthConfig {
  Nanos hot_stall_max{seconds(1)};
  Nanos cold_stall_max{seconds(90)};  // a connect may take connect_timeout, 60 s at most
  Nanos data_age_max{seconds(5)};
  Nanos journal_lag_max{seconds(2)};
};
template <class Visitor>
void fields(Visitor& visit, HealthConfig& c) {
  visit("hot_stall_max", c.hot_stall_max,
        FieldInfo{.min = 0.05,
                  .max = 60,
                  .doc = "A hot thread without a cycle, or the core without a picture."});
  visit("cold_stall_max", c.cold_stall_max,
        FieldInfo{.min = 1,
                  .max = 600,
                  .doc = "A cold thread without a cycle; it may wait for "
                         "the venue."});
  visit("data_age_max", c.data_age_max,
        FieldInfo{.min = 0.1, .max = 600, .doc = "Newest data of a hedge instrument."});
  visit("journal_lag_max", c.journal_lag_max,
        FieldInfo{.min = 0.1, .max = 60, .doc = "An event that is not yet on the disk."});
}

// [metrics]
struct MetricsConfig {
  std::string listen;       // "127.0.0.1:9464"; empty: off
  bool beyond_host{false};  // listen may be an address that other hosts reach
};
template <class Visitor>
void fields(Visitor& visit, MetricsConfig& c) {
  visit("listen", c.listen,
        FieldInfo{.max = 64,
                  .doc = "Address of /metrics and /health, such as \"127.0.0.1:9464\"; empty: off; "
                         "port 0: a free one."});
  visit("beyond_host", c.beyond_host,
        FieldInfo{.doc = "listen may be an address that other hosts reach; there is no "
                         "authentication and no encryption."});
}

}  // namespace gimbal
