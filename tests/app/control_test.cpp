// The control socket: who may do what, and hostile or slow peers.
#include <sys/stat.h>

#include <fstream>

#include "tests/app/control_fixture.hpp"

namespace gimbal {
namespace {

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

TEST_F(ControlTest, SomebodyIsWaitedForFromTheRequestToItsLastAnswerAlone) {
  start();
  handler.proof.venues.push_back({"main", 2, 1, 1, 1000, 1000, 1, 0, 1, 0, "on"});
  RawClient client{options.path};
  poll_for(std::chrono::milliseconds{5});
  EXPECT_FALSE(server->waited_for()) << "connected, and nothing asked";
  ASSERT_TRUE(client.send("kill\n"));
  EXPECT_TRUE(holds(answer(client), "\"final\":false"));
  EXPECT_TRUE(server->waited_for());
  handler.proof.venues[0].unknown = 0;
  EXPECT_TRUE(holds(answer(client), "\"final\":true"));
  EXPECT_FALSE(server->waited_for());
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

TEST_F(ControlTest, AVerbThatTheBotRefusesIsAnsweredWithItsReason) {
  start();
  const auto line = ask("stress");
  EXPECT_TRUE(holds(line, "\"code\":3") && holds(line, "stress is not part of this version"))
      << line;
}

TEST_F(ControlTest, AFlattenNeedsAReasonAndALossLimitAndTakesWhatItIsTold) {
  start();
  for (const auto* bad :
       {"flatten max_loss=100", "flatten reason=x", "flatten reason=x max_loss=-1",
        "flatten reason=x max_loss=much", "flatten reason=x max_loss=1 scope=account:other",
        "flatten reason=x max_loss=1 options=true hedge_only=true",
        "flatten reason=x max_loss=1 wait_ms=600001", "flatten reason=x max_loss=1 mode=cancel"}) {
    const auto line = ask(bad);
    EXPECT_TRUE(holds(line, "\"code\":2") || holds(line, "\"code\":3")) << bad << ": " << line;
  }
  EXPECT_TRUE(handler.flattens.empty());
  EXPECT_TRUE(holds(ask("flatten reason=x max_loss=2500.5 scope=account:main options=true"),
                    "\"plan\":true"));
  ASSERT_EQ(handler.flattens.size(), 1u);
  const FlattenRequest& taken = handler.flattens[0];
  EXPECT_EQ(taken.scope, (Scope{ScopeLevel::account, 3}));
  EXPECT_EQ(taken.max_loss.nano, 2'500'500'000'000);
  EXPECT_TRUE(taken.options && !taken.hedge_only && !taken.stop && taken.token.empty());
  EXPECT_TRUE(holds(ask("flatten reason=x stop=true"), "\"code\":0"));
  EXPECT_TRUE(handler.flattens[1].stop);
}

}  // namespace
}  // namespace gimbal
