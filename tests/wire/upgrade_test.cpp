#include <gtest/gtest.h>

#include "engine/wire/http.hpp"

namespace gimbal {
namespace {

constexpr const char* key = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr const char* accept_line = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

std::string answer(const std::string& lines,
                   const std::string& status = "101 Switching Protocols") {
  return "HTTP/1.1 " + status + "\r\n" + lines + "\r\n";
}
std::string good() {
  return answer(std::string{"upgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n"} +
                accept_line);
}

TEST(Upgrade, AcceptValueIsThatOfTheStandardsExample) {
  EXPECT_EQ(ws_accept_of(key), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(Upgrade, KeysAreSixteenRandomBytes) {
  const std::string a = ws_key();
  EXPECT_EQ(a.size(), 24U);
  EXPECT_NE(a, ws_key());
}

TEST(Upgrade, AcceptsAGoodAnswerAndLeavesTheFramesBehindIt) {
  const auto result = upgrade_answer(good() + "\x81\x02hi", key);
  EXPECT_EQ(result.status, UpgradeStatus::accepted) << result.error;
  EXPECT_EQ(result.consumed, good().size());
  EXPECT_EQ(result.http_status, 101);
}

TEST(Upgrade, WaitsForTheWholeHeaderAtEverySplit) {
  const std::string whole = good();
  for (std::size_t i = 0; i < whole.size(); ++i) {
    EXPECT_EQ(upgrade_answer(std::string_view{whole}.substr(0, i), key).status,
              UpgradeStatus::need_more);
  }
}

struct Refusal {
  const char* name;
  std::string text;
  const char* says;
};
class BadUpgrade : public testing::TestWithParam<Refusal> {};
TEST_P(BadUpgrade, IsRefusedAndSaysWhy) {
  const auto result = upgrade_answer(GetParam().text, key);
  EXPECT_EQ(result.status, UpgradeStatus::refused);
  EXPECT_NE(result.error.find(GetParam().says), std::string::npos) << result.error;
}
const std::string upgrade_lines = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
INSTANTIATE_TEST_SUITE_P(
    Answers, BadUpgrade,
    testing::Values(
        Refusal{"wrong_accept", answer(upgrade_lines + "Sec-WebSocket-Accept: AAAA\r\n"), "Accept"},
        Refusal{"no_accept", answer(upgrade_lines), "Accept"},
        Refusal{"two_accepts", answer(upgrade_lines + accept_line + accept_line), "Accept"},
        Refusal{"status_200", answer(upgrade_lines + accept_line, "200 OK"), "200"},
        Refusal{"status_403", answer("Content-Length: 0\r\n", "403 Forbidden"), "403 Forbidden"},
        Refusal{"status_429", answer("", "429 Too Many Requests"), "429"},
        Refusal{"status_503", answer("", "503 Busy"), "503"},
        Refusal{"redirect", answer("Location: https://elsewhere/\r\n", "302 Found"), "302"},
        Refusal{"no_upgrade", answer(std::string{"Connection: Upgrade\r\n"} + accept_line),
                "Upgrade"},
        Refusal{"upgrade_to_h2",
                answer(std::string{"Upgrade: h2c\r\nConnection: Upgrade\r\n"} + accept_line),
                "Upgrade"},
        Refusal{"no_connection", answer(std::string{"Upgrade: websocket\r\n"} + accept_line),
                "Connection"},
        Refusal{"extension",
                answer(upgrade_lines + accept_line +
                       "Sec-WebSocket-Extensions: permessage-deflate\r\n"),
                "extension"},
        Refusal{"subprotocol",
                answer(upgrade_lines + accept_line + "Sec-WebSocket-Protocol: chat\r\n"),
                "subprotocol"},
        Refusal{"not_http", std::string{"SSH-2.0-OpenSSH\r\n\r\n"}, "not an HTTP answer"},
        Refusal{"header_too_long", answer("X: " + std::string(http_header_max, 'x') + "\r\n"),
                "longer"},
        Refusal{"header_without_end", std::string(http_header_max, 'x'), "longer"}),
    [](const auto& p) { return std::string{p.param.name}; });

TEST(Upgrade, RequestRefusesHeadersAndPathsThatCouldSmuggleASecondRequest) {
  std::string out;
  std::string error;
  Endpoint endpoint{"venue.test", 443, "/ws/api/v2"};
  ASSERT_TRUE(upgrade_request(endpoint, key, out, error));
  EXPECT_NE(out.find("Host: venue.test\r\n"), std::string::npos);
  endpoint.port = 8443;
  ASSERT_TRUE(upgrade_request(endpoint, key, out, error));
  EXPECT_NE(out.find("Host: venue.test:8443\r\n"), std::string::npos);
  for (const char* path : {"", "ws", "/a b", "/a\r\nX: y", "/\x7F"}) {
    Endpoint bad = endpoint;
    bad.path = path;
    EXPECT_FALSE(upgrade_request(bad, key, out, error)) << path;
  }
  for (const auto& h : HttpHeaders{{"X", "a\r\nY: b"}, {"X Y", "a"}, {"", "a"}, {"X:", "a"}}) {
    Endpoint bad = endpoint;
    bad.headers = {h};
    EXPECT_FALSE(upgrade_request(bad, key, out, error)) << h.first;
  }
}

}  // namespace
}  // namespace gimbal
