// The lines of the control socket: pieces, floods and garbage; the text of its protocol.
#include <random>

#include "tests/app/control_fixture.hpp"

namespace gimbal {
namespace {

using std::chrono::milliseconds;

TEST_F(ControlTest, ManyRequestsOnOneConnectionAreAnsweredInOrder) {
  start();
  RawClient client{options.path};
  ASSERT_TRUE(client.send("ping\nstatus\nping\r\n{\"verb\":\"orders\"}\n"));
  EXPECT_TRUE(holds(answer(client), "pong"));
  EXPECT_TRUE(holds(answer(client), "\"gateways\""));
  EXPECT_TRUE(holds(answer(client), "pong"));
  EXPECT_TRUE(holds(answer(client), "\"orders\""));
}

TEST_F(ControlTest, ALineInPiecesIsPutTogetherAndAHalfLineTimesOut) {
  start();
  RawClient slow{options.path};
  ASSERT_TRUE(slow.send("pi"));
  poll_for(milliseconds{20});
  ASSERT_TRUE(slow.send("ng\n"));
  EXPECT_TRUE(holds(answer(slow), "pong"));

  ASSERT_TRUE(slow.send("kil"));
  EXPECT_TRUE(holds(answer(slow), "not complete in time"));
  poll_for(milliseconds{5});
  EXPECT_TRUE(slow.closed());
  EXPECT_EQ(server->counters().timed_out, 1u);
  EXPECT_TRUE(handler.kills.empty());
}

TEST_F(ControlTest, AByteEveryFiftyMillisecondsDoesNotKeepALineAlive) {
  start();
  RawClient drip{options.path};
  for (int i = 0; i < 4; ++i) {
    (void)drip.send("p");
    poll_for(milliseconds{50});
  }
  EXPECT_EQ(server->counters().timed_out, 1u);
}

TEST_F(ControlTest, AnOversizeLineIsRefusedAndTheConnectionClosed) {
  start();
  RawClient client{options.path};
  ASSERT_TRUE(client.send("kill reason=" + std::string(control_line_max, 'x') + "\n"));
  EXPECT_TRUE(holds(answer(client), "over 4096 bytes"));
  poll_for(milliseconds{5});
  EXPECT_TRUE(client.closed());
  EXPECT_TRUE(handler.kills.empty());
}

TEST_F(ControlTest, TheLongestLineIsStillRead) {
  start();
  std::string line = "kill reason=";
  line += std::string(control_line_max - line.size(), 'x');
  EXPECT_TRUE(holds(ask(line), "\"code\":0"));
  ASSERT_EQ(handler.kills.size(), 1u);
}

TEST_F(ControlTest, AClientThatClosesItsWritingSideStillGetsItsAnswer) {
  start();
  RawClient client{options.path};
  ASSERT_TRUE(client.send("ping\n"));
  client.finish_writing();
  EXPECT_TRUE(holds(answer(client), "pong"));
}

TEST_F(ControlTest, AFloodOfIdleClientsDoesNotBlockAKill) {
  start();
  std::vector<RawClient> crowd;
  for (int i = 0; i < 8; ++i) crowd.emplace_back(options.path);
  poll_for(milliseconds{5});
  for (int i = 0; i < 50; ++i) {
    crowd.emplace_back(options.path);
    server->poll_once(milliseconds{0});
  }
  const auto began = std::chrono::steady_clock::now();
  EXPECT_TRUE(holds(ask("kill"), "\"code\":0"));
  EXPECT_LT(std::chrono::steady_clock::now() - began, milliseconds{100});
  EXPECT_EQ(handler.kills.size(), 1u);
  EXPECT_GT(server->counters().evicted, 0u);
  EXPECT_LE(server->clients(), 8u + 16u);
}

TEST_F(ControlTest, AKillInTheMiddleOfAFloodIsNotPushedOut) {
  start();
  handler.proof.venues.push_back({"main", 1, 0, 1, 1000, 1000, 0, 1, 0, 0, "on"});
  std::vector<RawClient> crowd;
  for (int i = 0; i < 30; ++i) crowd.emplace_back(options.path);
  RawClient killer{options.path};
  ASSERT_TRUE(killer.send("kill wait_ms=1000\n"));
  for (int i = 0; i < 30; ++i) crowd.emplace_back(options.path);
  poll_for(milliseconds{20});
  ASSERT_EQ(handler.kills.size(), 1u);
  handler.proof.venues[0].still_open = 0;
  EXPECT_TRUE(holds(answer(killer), "\"code\":0"));
}

TEST_F(ControlTest, BeyondEightClientsOnlyKillIsTaken) {
  start();
  std::vector<RawClient> crowd;
  for (int i = 0; i < 8; ++i) crowd.emplace_back(options.path);
  poll_for(milliseconds{5});
  EXPECT_TRUE(holds(ask("status"), "only kill is taken"));
  EXPECT_TRUE(holds(ask("kill"), "\"code\":0"));
  EXPECT_TRUE(crowd[0].send("ping\n"));
  EXPECT_TRUE(holds(answer(crowd[0]), "pong"));
}

TEST_F(ControlTest, GarbageNeverReachesTheHandler) {
  start();
  std::mt19937 random{20240901};
  std::size_t answered = 0;
  for (int i = 0; i < 300; ++i) {
    std::string line(random() % 200, '\0');
    for (char& c : line) c = static_cast<char>(random());
    std::replace(line.begin(), line.end(), '\n', 'n');
    answered += holds(ask(line), "\"code\":2") ? 1u : 0u;
  }
  EXPECT_EQ(answered, 300u);
  EXPECT_TRUE(handler.kills.empty() && handler.arms.empty() && handler.others.empty());
}

TEST_F(ControlTest, TheSocketIsRemovedAtTheEnd) {
  start();
  server.reset();
  EXPECT_FALSE(std::filesystem::exists(options.path));
}

// --- the protocol's text, without sockets -------------------------------------------------------

std::optional<ControlRequest> parsed(std::string_view line) {
  std::string error;
  auto request = parse_request(line, error);
  EXPECT_EQ(request.has_value(), error.empty()) << line << ": " << error;
  return request;
}

TEST(ControlProtocol, PlainAndJsonFormsSayTheSame) {
  const auto plain =
      parsed(R"(kill scope=account:main mode=lock reason="the \"fat\" finger" wait_ms=500)");
  const auto json = parsed(R"( {"verb":"kill", "scope":"account:main","mode":"lock",)"
                           R"("reason":"the \"fat\" finger","wait_ms":500} )");
  ASSERT_TRUE(plain && json);
  EXPECT_EQ(plain->verb, ControlVerb::kill);
  EXPECT_EQ(plain->arguments, json->arguments);
  EXPECT_EQ(*plain->find("reason"), "the \"fat\" finger");
}

TEST(ControlProtocol, AFormattedRequestReadsBackTheSame) {
  ControlRequest request{ControlVerb::arm, {{"reason", R"(quote " and \ back)"}, {"yes", "true"}}};
  auto line = format_request(request);
  line.pop_back();
  EXPECT_EQ(parsed(line)->arguments, request.arguments);
}

TEST(ControlProtocol, MalformedLinesAreRefused) {
  for (const auto* line : {"",
                           " ",
                           "explode",
                           "kill mode",
                           "kill =x",
                           "kill mode=",
                           "kill mode=halt mode=halt",
                           "kill armed=true",
                           "kill mode=\"halt",
                           "kill reason=\"a\"b",
                           "kill reason=a\"b",
                           "KILL",
                           "kill\tmode=halt\x01",
                           "{",
                           "{}",
                           "[]",
                           "{\"verb\":\"kill\"",
                           "{\"verb\":\"kill\"}x",
                           "{\"verb\":\"kill\",}",
                           "{\"verb\":\"kill\",\"verb\":\"arm\"}",
                           "{\"verb\":[]}",
                           "{\"verb\":\"kill\",\"mode\":null}",
                           "{\"verb\":\"kill\",\"mode\":{\"a\":1}}",
                           "{\"verb\":\"kill\",\"wait_ms\":1.5}",
                           "{\"verb\":\"kill\",\"wait_ms\":-1}",
                           "{verb:\"kill\"}",
                           "{\"verb\":\"kill\" \"mode\":\"halt\"}",
                           "{\"mode\":\"halt\"}",
                           "{\"verb\":\"kill\",\"mode\":\"h\\u0061lt\"}"}) {
    EXPECT_FALSE(parsed(line).has_value()) << line;
  }
}

TEST(ControlProtocol, NoMutationOfAKillBecomesAnArm) {
  const std::string base = R"(kill scope="account:main" mode="halt" reason="x" wait_ms="500")";
  std::mt19937 random{7};
  for (int i = 0; i < 200'000; ++i) {
    std::string line = base;
    for (auto edits = 1 + random() % 3; edits > 0; --edits) {
      line[random() % line.size()] = static_cast<char>(0x20 + random() % 95);
    }
    std::string error;
    const auto request = parse_request(line, error);
    if (request) { EXPECT_NE(request->verb, ControlVerb::arm) << line; }
  }
}

TEST(ControlProtocol, ModesThatLoosenAreNotKillModes) {
  EXPECT_FALSE(parse_kill_mode("active").has_value());
  EXPECT_EQ(*parse_kill_mode("reduce"), Mode::reduce);
  EXPECT_EQ(*parse_kill_mode("lock"), Mode::lock);
  EXPECT_FALSE(parse_kill_mode("").has_value());
}

}  // namespace
}  // namespace gimbal
