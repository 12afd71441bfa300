// Peers that must not be trusted: one row each, rebuilt offline with a private authority.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>

#include "engine/wire/http.hpp"
#include "engine/wire/link.hpp"
#include "tests/support/peer_fixture.hpp"
#include "tests/wire/test_servers.hpp"

namespace gimbal {
namespace {

using namespace std::chrono_literals;
using test::CertSpec;
using test::endpoint;
using test::expect_refused;
using test::good_spec;
using test::Identity;
using test::root;
using test::ScriptedPeer;
using test::trusting;
using test::Verdict;
using test::visit;
using test::visit_with;

TEST(GoodPeer, IsAcceptedByNameWildcardAndAddress) {
  EXPECT_TRUE(visit_with(good_spec()).connected);
  CertSpec wildcard;
  wildcard.dns = {"*.venue.test"};
  EXPECT_TRUE(visit_with(wildcard, "www.venue.test").connected);
  CertSpec address;
  address.ips = {"127.0.0.1"};
  EXPECT_TRUE(visit_with(address, "127.0.0.1").connected);
}

TEST(GoodPeer, IsAcceptedThroughAnIntermediateAndOverTls12WithAead) {
  CertSpec middle;
  middle.authority = true;
  middle.name = "Test intermediate";
  const Identity intermediate = test::make_identity(middle, &root());
  const Identity leaf = test::make_identity(good_spec(), &intermediate);
  const auto verdict = visit([&](SSL_CTX* c) {
    test::present(c, leaf, {intermediate});
    SSL_CTX_set_max_proto_version(c, TLS1_2_VERSION);
  });
  EXPECT_TRUE(verdict.connected) << verdict.failure.text;
}

struct BadCertificate {
  const char* name;
  CertSpec spec;
  const char* host;
  const char* says;
};
class BadPeer : public testing::TestWithParam<BadCertificate> {};
TEST_P(BadPeer, IsRefusedBeforeAnyByteOfOurs) {
  expect_refused(visit_with(GetParam().spec, GetParam().host), GetParam().says);
}

CertSpec changed(void (*change)(CertSpec&)) {
  CertSpec spec = good_spec();
  change(spec);
  return spec;
}

INSTANTIATE_TEST_SUITE_P(
    Certificates, BadPeer,
    testing::Values(
        BadCertificate{"expired", changed([](CertSpec& s) { s.until_s = -60; }), "venue.test",
                       "expired"},
        BadCertificate{"not_yet_valid", changed([](CertSpec& s) { s.from_s = 3600; }), "venue.test",
                       "not yet valid"},
        BadCertificate{"wrong_host", changed([](CertSpec& s) { s.dns = {"other.test"}; }),
                       "venue.test", "hostname mismatch"},
        BadCertificate{"wrong_usage", changed([](CertSpec& s) { s.extended_usage = "clientAuth"; }),
                       "venue.test", "purpose"},
        BadCertificate{"wildcard_depth", changed([](CertSpec& s) { s.dns = {"*.venue.test"}; }),
                       "a.b.venue.test", "hostname mismatch"},
        BadCertificate{"wildcard_partial", changed([](CertSpec& s) { s.dns = {"w*.venue.test"}; }),
                       "www.venue.test", "hostname mismatch"},
        BadCertificate{"nul_in_name", changed([](CertSpec& s) {
                         s.dns = {std::string{"venue.test\0.evil.test", 21}};
                       }),
                       "venue.test", "hostname mismatch"},
        BadCertificate{"common_name_only", changed([](CertSpec& s) { s.dns.clear(); }),
                       "venue.test", "hostname mismatch"},
        BadCertificate{"address_mismatch", changed([](CertSpec& s) {
                         s.dns.clear();
                         s.ips = {"127.0.0.2"};
                       }),
                       "127.0.0.1", "IP address mismatch"},
        BadCertificate{"address_as_dns_name", changed([](CertSpec& s) { s.dns = {"127.0.0.1"}; }),
                       "127.0.0.1", "IP address mismatch"},
        BadCertificate{"sha1_signature", changed([](CertSpec& s) { s.digest = EVP_sha1(); }),
                       "venue.test", "too weak"},
        BadCertificate{"rsa_1024", changed([](CertSpec& s) { s.rsa_bits = 1024; }), "venue.test",
                       "too weak"}),
    [](const auto& p) { return std::string{p.param.name}; });

TEST(BadPeer, SelfSignedIsRefused) {
  const Identity self = test::make_identity(good_spec());
  expect_refused(visit([&](SSL_CTX* c) { test::present(c, self); }), "self-signed");
}

TEST(BadPeer, UnknownRootIsRefused) {
  const Identity stranger = test::make_authority("Somebody else's root");
  const Identity leaf = test::make_identity(good_spec(), &stranger);
  expect_refused(visit([&](SSL_CTX* c) { test::present(c, leaf, {stranger}); }),
                 "self-signed certificate in");
}

TEST(BadPeer, SameNamedButDifferentRootIsRefused) {
  const Identity twin = test::make_authority();
  const Identity leaf = test::make_identity(good_spec(), &twin);
  expect_refused(visit([&](SSL_CTX* c) { test::present(c, leaf); }), "refused");
}

TEST(BadPeer, MissingExpiredOrUnfitIntermediateIsRefused) {
  CertSpec spec;
  spec.name = "Test intermediate";
  spec.authority = true;
  const Identity sound = test::make_identity(spec, &root());
  Identity leaf = test::make_identity(good_spec(), &sound);
  expect_refused(visit([&](SSL_CTX* c) { test::present(c, leaf); }), "unable to get local issuer");
  spec.until_s = -60;
  const Identity expired = test::make_identity(spec, &root());
  leaf = test::make_identity(good_spec(), &expired);
  expect_refused(visit([&](SSL_CTX* c) { test::present(c, leaf, {expired}); }), "expired");
  const Identity no_authority = test::make_identity(good_spec(), &root());
  leaf = test::make_identity(good_spec(), &no_authority);
  expect_refused(visit([&](SSL_CTX* c) { test::present(c, leaf, {no_authority}); }), "refused");
}

TEST(BadPeer, NameConstraintBreakIsRefused) {
  CertSpec spec;
  spec.name = "Constrained";
  spec.authority = true;
  spec.name_constraints = "critical,permitted;DNS:elsewhere.test";
  const Identity constrained = test::make_identity(spec, &root());
  const Identity leaf = test::make_identity(good_spec(), &constrained);
  expect_refused(visit([&](SSL_CTX* c) { test::present(c, leaf, {constrained}); }),
                 "permitted subtree");
}

int staple_callback(SSL* ssl, void* argument) {
  const auto* der = static_cast<const std::string*>(argument);
  auto* copy = static_cast<unsigned char*>(OPENSSL_memdup(der->data(), der->size()));
  SSL_set_tlsext_status_ocsp_resp(ssl, copy, static_cast<long>(der->size()));
  return SSL_TLSEXT_ERR_OK;
}

TEST(BadPeer, RevokedOrForgedStapleIsRefusedAndAGoodOneAccepted) {
  const Identity leaf = test::make_identity(good_spec(), &root());
  const auto with_staple = [&](std::string staple) {
    return visit([&](SSL_CTX* c) {
      test::present(c, leaf);
      SSL_CTX_set_tlsext_status_cb(c, staple_callback);
      SSL_CTX_set_tlsext_status_arg(c, &staple);
    });
  };
  EXPECT_TRUE(with_staple(test::make_staple(leaf, root(), false)).connected);
  expect_refused(with_staple(test::make_staple(leaf, root(), true)), "status");
  const Identity forger = test::make_authority();
  expect_refused(with_staple(test::make_staple(leaf, forger, false)), "status");
  expect_refused(with_staple("not a staple"), "status");
}

TEST(BadPeer, PinMismatchIsRefusedAndABackupPinAccepted) {
  const Identity leaf = test::make_identity(good_spec(), &root());
  const auto setup = [&](SSL_CTX* c) { test::present(c, leaf); };
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf.cert.get()), &der);
  SpkiPin right{};
  EVP_Digest(der, static_cast<std::size_t>(size), right.data(), nullptr, EVP_sha256(), nullptr);
  OPENSSL_free(der);
  SpkiPin wrong{};
  expect_refused(visit(setup, "venue.test", trusting(root(), {wrong, wrong})), "matches no pin");
  EXPECT_TRUE(visit(setup, "venue.test", trusting(root(), {wrong, right})).connected);
}

TEST(BadPeer, CbcSuiteOverTls12IsRefused) {
  CertSpec spec = good_spec();
  spec.rsa_bits = 2048;
  const Identity leaf = test::make_identity(spec, &root());
  const auto verdict = visit([&](SSL_CTX* c) {
    test::present(c, leaf);
    SSL_CTX_set_max_proto_version(c, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(c, "ECDHE-RSA-AES128-SHA:AES128-SHA:@SECLEVEL=0");
  });
  EXPECT_FALSE(verdict.connected);
  EXPECT_EQ(verdict.failure.stage, ConnectStage::tls);
}

// A ServerHello written by hand: picks a protocol version and a suite whatever was offered.
struct Downgrade {
  const char* name;
  unsigned char minor;  // 1: TLS 1.0, 2: TLS 1.1, 3: TLS 1.2
  unsigned suite;
};
class DowngradingPeer : public testing::TestWithParam<Downgrade> {};
TEST_P(DowngradingPeer, IsRefused) {
  const Downgrade& d = GetParam();
  ScriptedPeer peer{
      nullptr, [&](SSL*, int fd) {
        std::array<char, 2048> hello{};
        if (::recv(fd, hello.data(), hello.size(), 0) <= 0) return;
        std::string body{'\x03', static_cast<char>(d.minor)};
        body += std::string(32, 'r');
        body += '\0';  // no session
        body += {static_cast<char>(d.suite >> 8), static_cast<char>(d.suite & 0xFF), '\0'};
        std::string message{'\x02', '\0', '\0', static_cast<char>(body.size())};
        message += body;
        std::string record{'\x16', '\x03', static_cast<char>(d.minor), '\0',
                           static_cast<char>(message.size())};
        record += message;
        (void)::send(fd, record.data(), record.size(), MSG_NOSIGNAL);
        (void)::recv(fd, hello.data(), hello.size(), 0);
      }};
  Verdict verdict;
  verdict.connected =
      Connector{trusting(root())}.connect(endpoint(peer.port()), 2s, verdict.failure) != nullptr;
  EXPECT_FALSE(verdict.connected);
  EXPECT_EQ(verdict.failure.stage, ConnectStage::tls);
  const bool version = d.minor < 3;
  EXPECT_NE(verdict.failure.text.find(version ? "unsupported protocol" : "cipher returned"),
            std::string::npos)
      << verdict.failure.text;
}
INSTANTIATE_TEST_SUITE_P(
    Hellos, DowngradingPeer,
    testing::Values(Downgrade{"tls_1_0", 1, 0xC013}, Downgrade{"tls_1_1", 2, 0xC013},
                    Downgrade{"null_cipher", 3, 0x003B}, Downgrade{"rc4", 3, 0x0005},
                    Downgrade{"triple_des", 3, 0x000A}, Downgrade{"dhe_export", 3, 0x0011},
                    Downgrade{"dhe_group_choice", 3, 0x009E}),
    [](const auto& p) { return std::string{p.param.name}; });

TEST(BadPeer, TruncatedCloseIsNotTakenForAnEnd) {
  const Identity leaf = test::make_identity(good_spec(), &root());
  for (const bool truncated : {true, false}) {
    ScriptedPeer peer{[&](SSL_CTX* c) { test::present(c, leaf); },
                      [&](SSL* ssl, int) {
                        (void)test::read_head(ssl);
                        test::write_text(
                            ssl, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"amount\":1");
                        if (!truncated) SSL_shutdown(ssl);
                      }};
    HttpsClient client{trusting(root()), endpoint(peer.port())};
    const auto answer = client.call({}, 2s);
    EXPECT_EQ(answer.ok(), !truncated) << answer.error;
  }
}

}  // namespace
}  // namespace gimbal
