// Certificates made on the spot for TLS tests: a private authority and leaves, good or broken in
// one chosen way each.
#pragma once

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

namespace gimbal::test {

struct Identity {
  std::shared_ptr<X509> cert;
  std::shared_ptr<EVP_PKEY> key;
};

struct CertSpec {
  std::string name{"venue.test"};  // common name
  std::vector<std::string> dns{};  // subject alternative names; may hold a NUL
  std::vector<std::string> ips{};
  long from_s{-3600};  // validity, relative to now
  long until_s{86400};
  bool authority{false};
  const char* extended_usage{"serverAuth"};
  const char* name_constraints{nullptr};
  int rsa_bits{0};  // 0: P-256
  const EVP_MD* digest{EVP_sha256()};
};

// Self-signed when `issuer` is null.
Identity make_identity(const CertSpec& spec, const Identity* issuer = nullptr);
Identity make_authority(const std::string& name = "Test root");
// Writes PEM to a file of its own below the test's temporary folder and returns the path.
std::string write_pem(const std::vector<Identity>& certificates);
// The staple a server would send: `leaf` is revoked, or good, says `issuer`.
std::string make_staple(const Identity& leaf, const Identity& issuer, bool revoked);

}  // namespace gimbal::test
