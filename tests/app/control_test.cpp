// The control socket: who may do what, and hostile or slow peers.
#include <sys/stat.h>

#include <fstream>
#include <random>

#include "tests/app/control_fixture.hpp"

namespace gimbal {
namespace {

using std::chrono::milliseconds;

constexpr const char* all_verbs[] = {
    "ping",      "status",   "watch",
    "positions", "orders",   "latency",
    "kill",      "ack id=1", "arm yes=true reason=x config_hash=0123456789abcdef",
    "reload",    "flatten",  "stress"};

TEST_F(ControlTest, TheSocketIsForOwnerAndGroupInAPrivateDirectory) {
  start();
  struct stat st {};
  ASSERT_EQ(::stat(options.path.c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777, 0660u);
  ASSERT_EQ(::stat(runtime_dir.c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777, 0750u);
}

TEST_F(ControlTest, ADirectoryOpenToEverybodyIsRefused) {
  std::filesystem::create_directory(runtime_dir);
  std::filesystem::permissions(runtime_dir, std::filesystem::perms{0755});
  ControlServer refused{options, handler};
  EXPECT_TRUE(holds(refused.open().error(), "chmod 0750"));
}

TEST_F(ControlTest, AStaleSocketIsReplacedAndALiveOneIsNot) {
  start();
  ControlServer second{options, handler};
  EXPECT_TRUE(holds(second.open().error(), "another bot listens"));
  const auto saved = runtime_dir + "/left-behind";
  std::filesystem::rename(options.path, saved);
  server.reset();
  std::filesystem::rename(saved, options.path);
  start();
  EXPECT_TRUE(holds(ask("ping"), "\"pong\":true"));
}

TEST_F(ControlTest, AFileInTheSocketsPlaceIsNotRemoved) {
  std::filesystem::create_directory(runtime_dir);
  std::filesystem::permissions(runtime_dir, std::filesystem::perms{0750});
  std::ofstream{options.path} << "precious";
  ControlServer refused{options, handler};
  EXPECT_TRUE(holds(refused.open().error(), "is not a socket"));
  EXPECT_TRUE(std::filesystem::exists(options.path));
}

TEST_F(ControlTest, TheRealPeerCredentialsOfThisProcessAreRead) {
  start();
  handler.proof.venues.push_back({"main", 2, 0, 1, 1000, 1000, 2, 0, 0, 0, "on"});
  EXPECT_TRUE(holds(ask("kill reason=\"end of test\""), "\"code\":0"));
  ASSERT_EQ(handler.kills.size(), 1u);
  EXPECT_EQ(handler.kills[0].peer.uid, ::geteuid());
  EXPECT_EQ(handler.kills[0].peer.gid, ::getegid());
  EXPECT_EQ(handler.kills[0].peer.pid, static_cast<std::uint32_t>(::getpid()));
  EXPECT_EQ(handler.kills[0].reason, "end of test");
  EXPECT_EQ(handler.kills[0].mode, Mode::cancel);
  EXPECT_EQ(handler.kills[0].scope, Scope{});
  EXPECT_FALSE(handler.kills[0].peer.exe.empty());
}

// Every verb for every kind of caller. Groups: 100 stop, 200 arm. Owner 1000.
TEST_F(ControlTest, EachVerbIsAllowedToExactlyItsCallers) {
  ControlPeer peer;
  options.policy = ControlPolicy{1000, 100, 200};
  options.read_peer = [&](int, ControlPeer& out) {
    out = peer;
    return true;
  };
  start();
  struct Caller {
    const char* name;
    ControlPeer ids;
    bool may_stop;
    bool may_arm;
  };
  const Caller callers[] = {
      {"owner", {1000, 1000, 1, {}, ""}, true, false},
      {"stop member", {1001, 100, 1, {}, ""}, true, false},
      {"stop member by supplementary group", {1001, 5, 1, {7, 100}, ""}, true, false},
      {"arm member", {1002, 200, 1, {}, ""}, true, true},
      {"root", {0, 0, 1, {}, ""}, true, false},
      {"stranger", {1003, 1003, 1, {4, 24}, ""}, false, false}};
  for (const auto& caller : callers) {
    peer = caller.ids;
    for (const std::string line : all_verbs) {
      const bool loosens =
          line.substr(0, 3) == "arm" || line == "reload" || line == "flatten" || line == "stress";
      const bool expected = loosens ? caller.may_arm : caller.may_stop;
      const bool refused = holds(ask(line), "may not");
      EXPECT_EQ(!refused, expected) << caller.name << ": " << line;
    }
  }
  EXPECT_EQ(handler.arms.size(), 1u);
}

TEST_F(ControlTest, WithoutGroupsTheOwnerArmsAndNobodyElse) {
  const ControlPolicy policy{1000, std::nullopt, std::nullopt};
  EXPECT_TRUE(policy.allows(ControlVerb::arm, {1000, 1, 1, {}, ""}));
  EXPECT_FALSE(policy.allows(ControlVerb::arm, {0, 0, 1, {}, ""}));
  EXPECT_FALSE(policy.allows(ControlVerb::kill, {1001, 1, 1, {}, ""}));
  EXPECT_TRUE(policy.allows(ControlVerb::kill, {0, 0, 1, {}, ""}));
}

TEST_F(ControlTest, AnUnreadablePeerIsTurnedAway) {
  options.read_peer = [](int, ControlPeer&) { return false; };
  start();
  EXPECT_EQ(ask("kill"), "");
  EXPECT_TRUE(handler.kills.empty());
}

TEST_F(ControlTest, AKillThatIsNotConfirmedInTimeSaysFive) {
  start();
  handler.proof.venues.push_back({"main", 2, 0, 1, 1000, 1000, 1, 1, 0, 0, "on"});
  const auto line = ask("kill wait_ms=50");
  EXPECT_TRUE(holds(line, "\"code\":5")) << line;
  EXPECT_TRUE(holds(line, "\"confirmed\":false")) << line;
}

TEST_F(ControlTest, TheProofComesAtConfirmationAndAgainWhenUnknownsAreResolved) {
  start();
  handler.proof.venues.push_back({"main", 2, 1, 1, 1000, 1000, 1, 0, 1, 0, "on"});
  RawClient client{options.path};
  ASSERT_TRUE(client.send("kill\n"));
  const auto first = answer(client);
  EXPECT_TRUE(holds(first, "\"final\":false") && holds(first, "\"confirmed\":true")) << first;
  handler.proof.venues[0].unknown = 0;
  const auto second = answer(client);
  EXPECT_TRUE(holds(second, "\"final\":true") && holds(second, "\"resolved\":true")) << second;
}

TEST_F(ControlTest, ArmingNeedsYesAReasonAndAHash) {
  start();
  EXPECT_TRUE(holds(ask("arm reason=x config_hash=01234567"), "needs yes=true"));
  EXPECT_TRUE(holds(ask("arm yes=true config_hash=01234567"), "needs a reason"));
  EXPECT_TRUE(holds(ask("arm yes=true reason=x"), "needs config_hash"));
  EXPECT_TRUE(holds(ask("arm yes=true reason=x config_hash=0123"), "needs config_hash"));
  EXPECT_TRUE(holds(ask("arm yes=true reason=x config_hash=XYZW0123"), "needs config_hash"));
  EXPECT_TRUE(handler.arms.empty());
  EXPECT_TRUE(holds(ask("arm yes=true reason=x config_hash=01234567"), "\"armed\":true"));
}

TEST_F(ControlTest, ScopesAreResolvedByNameAndNumber) {
  start();
  EXPECT_TRUE(holds(ask("kill scope=account:main"), "\"code\":0"));
  EXPECT_TRUE(holds(ask("kill scope=instrument:16383 mode=halt"), "\"code\":0"));
  ASSERT_EQ(handler.kills.size(), 2u);
  EXPECT_EQ(handler.kills[0].scope, (Scope{ScopeLevel::account, 3}));
  EXPECT_EQ(handler.kills[1].scope, (Scope{ScopeLevel::instrument, 16383}));
  EXPECT_EQ(handler.kills[1].mode, Mode::halt);
  for (const auto* bad :
       {"kill scope=account:other", "kill scope=instrument:16384", "kill scope=everything",
        "kill scope=account:", "kill mode=active", "kill mode=soft", "kill wait_ms=-1",
        "kill wait_ms=99999999", "kill id=5", "status scope=global"}) {
    EXPECT_TRUE(holds(ask(bad), "\"code\":2")) << bad;
  }
  EXPECT_EQ(handler.kills.size(), 2u);
}

TEST_F(ControlTest, AFlattenIsRefusedByTheBotWithAReason) {
  start();
  const auto line = ask("flatten");
  EXPECT_TRUE(holds(line, "\"code\":3") && holds(line, "flatten is not part of this version"))
      << line;
}

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
  const auto json = parsed(
      R"( {"verb":"kill", "scope":"account:main","mode":"lock","reason":"the \"fat\" finger","wait_ms":500} )");
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
