// The exchange's dialect asked over HTTP as a stock client does, and what its JSON texts hold.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <set>
#include <string>

#include "tests/sim/support.hpp"
#include "venues/sim/dialect_deribit.hpp"

namespace gimbal::sim {

// Keys of every object at the given depth of a JSON text; depth 1 is the outermost object.
inline std::set<std::string> keys_at(const std::string& json, int depth) {
  std::set<std::string> keys;
  int level = 0;
  for (std::size_t i = 0; i < json.size(); ++i) {
    if (json[i] == '{') ++level;
    if (json[i] == '}') --level;
    if (json[i] != '"') continue;
    const std::size_t end = json.find('"', i + 1);
    if (end + 1 < json.size() && json[end + 1] == ':' && level == depth) {
      keys.insert(json.substr(i + 1, end - i - 1));
    }
    i = end;
  }
  return keys;
}

inline std::size_t count_of(const std::string& json, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = json.find(part); at != std::string::npos; at = json.find(part, at + 1)) ++n;
  return n;
}

inline double number_after(const std::string& json, const std::string& key, std::size_t from = 0) {
  const std::size_t at = json.find('"' + key + "\":", from);
  return at == std::string::npos ? -1e300
                                 : std::strtod(json.c_str() + at + key.size() + 3, nullptr);
}

struct Summaries : testing::Test {
  SimExchange exchange{small_market(3)};
  AccountId account = exchange.add_account("id", "secret");
  DeribitDialect venue{exchange, [] {
                         DialectConfig c;
                         c.vary = false;
                         return c;
                       }()};

  void run(Nanos d) { venue.advance(venue.now() + d); }
  std::string ask(const std::string& method_and_query, int status = 200) {
    const std::string target = "/api/v2/" + method_and_query;
    HttpCall call;
    call.verb = "GET";
    call.target = target;
    const std::string basic = "Basic aWQ6c2VjcmV0";  // id:secret
    if (method_and_query.rfind("private", 0) == 0) call.authorization = basic;
    const HttpAnswer answer = venue.http(call);
    EXPECT_EQ(answer.status, status) << answer.body;
    return answer.body;
  }
  std::string span(Nanos back) const {
    const std::int64_t now_ms = to_unix_ms(venue.now());
    return "&start_timestamp=" + std::to_string(now_ms - back.count / 1'000'000) +
           "&end_timestamp=" + std::to_string(now_ms);
  }
};

// A query string has no types: an order id or a label of digits alone is one all the same.

}  // namespace gimbal::sim
