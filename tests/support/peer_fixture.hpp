// Visits to scripted peers, under a private authority.
#pragma once

#include <gtest/gtest.h>

#include "engine/wire/http.hpp"
#include "engine/wire/link.hpp"
#include "tests/wire/test_servers.hpp"

namespace gimbal::test {

inline const Identity& root() {
  static const Identity made = test::make_authority();
  return made;
}

inline std::shared_ptr<TlsContext> trusting(const Identity& authority,
                                            std::vector<SpkiPin> pins = {}) {
  std::string error;
  auto made = TlsContext::make({test::write_pem({authority}), std::move(pins)}, error);
  EXPECT_TRUE(made) << error;
  return made;
}

inline Endpoint endpoint(std::uint16_t port, const std::string& host = "venue.test") {
  Endpoint e;
  e.host = host;
  e.address = "127.0.0.1";
  e.port = port;
  return e;
}

inline CertSpec good_spec() {
  CertSpec spec;
  spec.dns = {"venue.test"};
  return spec;
}

struct Verdict {
  bool connected{false};
  ConnectFailure failure;
};

inline Verdict visit(const ScriptedPeer::Setup& setup, const std::string& host = "venue.test",
                     std::shared_ptr<TlsContext> context = trusting(root())) {
  ScriptedPeer peer{setup, [](SSL* ssl, int) {
                      if (test::accept_upgrade(ssl)) (void)test::read_head(ssl);
                    }};
  Verdict verdict;
  verdict.connected =
      Connector{std::move(context)}.connect(endpoint(peer.port(), host), std::chrono::seconds{3},
                                            verdict.failure) != nullptr;
  return verdict;
}

inline Verdict visit_with(const CertSpec& spec, const std::string& host = "venue.test") {
  const Identity leaf = test::make_identity(spec, &root());
  return visit([&](SSL_CTX* c) { test::present(c, leaf); }, host);
}

inline void expect_refused(const Verdict& verdict, const char* says) {
  EXPECT_FALSE(verdict.connected);
  EXPECT_EQ(verdict.failure.stage, ConnectStage::tls);
  EXPECT_NE(verdict.failure.text.find(says), std::string::npos) << verdict.failure.text;
}

}  // namespace gimbal::test
