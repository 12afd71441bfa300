#include "tests/wire/test_pki.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <stdexcept>

namespace gimbal::test {
namespace {

void must(bool ok, const char* what) {
  if (!ok) throw std::runtime_error{what};
}

void add_extension(X509* cert, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, cert, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
  must(extension != nullptr, value);
  X509_add_ext(cert, extension, -1);
  X509_EXTENSION_free(extension);
}

void add_alternative_names(X509* cert, const CertSpec& spec) {
  if (spec.dns.empty() && spec.ips.empty()) return;
  GENERAL_NAMES* names = sk_GENERAL_NAME_new_null();
  for (const auto& dns : spec.dns) {
    ASN1_IA5STRING* text = ASN1_IA5STRING_new();
    ASN1_STRING_set(text, dns.data(), static_cast<int>(dns.size()));
    GENERAL_NAME* name = GENERAL_NAME_new();
    GENERAL_NAME_set0_value(name, GEN_DNS, text);
    sk_GENERAL_NAME_push(names, name);
  }
  for (const auto& ip : spec.ips) {
    std::array<unsigned char, 4> raw{};
    must(inet_pton(AF_INET, ip.c_str(), raw.data()) == 1, "IPv4 literal");
    ASN1_OCTET_STRING* text = ASN1_OCTET_STRING_new();
    ASN1_OCTET_STRING_set(text, raw.data(), 4);
    GENERAL_NAME* name = GENERAL_NAME_new();
    GENERAL_NAME_set0_value(name, GEN_IPADD, text);
    sk_GENERAL_NAME_push(names, name);
  }
  must(X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, 0) == 1, "alternative names");
  GENERAL_NAMES_free(names);
}

std::atomic<long> serial{1};

}  // namespace

Identity make_identity(const CertSpec& spec, const Identity* issuer) {
  Identity made;
  made.key = {
      spec.rsa_bits > 0 ? EVP_RSA_gen(static_cast<unsigned>(spec.rsa_bits)) : EVP_EC_gen("P-256"),
      EVP_PKEY_free};
  made.cert = {X509_new(), X509_free};
  X509* cert = made.cert.get();
  X509_set_version(cert, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(cert), serial++);
  X509_gmtime_adj(X509_getm_notBefore(cert), spec.from_s);
  X509_gmtime_adj(X509_getm_notAfter(cert), spec.until_s);
  X509_set_pubkey(cert, made.key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(spec.name.data()),
                             static_cast<int>(spec.name.size()), -1, 0);
  X509* parent = issuer != nullptr ? issuer->cert.get() : cert;
  X509_set_issuer_name(cert, X509_get_subject_name(parent));
  add_extension(cert, parent, NID_basic_constraints,
                spec.authority ? "critical,CA:TRUE" : "CA:FALSE");
  add_extension(cert, parent, NID_subject_key_identifier, "hash");
  if (spec.authority)
    add_extension(cert, parent, NID_key_usage, "critical,keyCertSign,cRLSign,digitalSignature");
  if (!spec.authority && spec.extended_usage != nullptr) {
    add_extension(cert, parent, NID_ext_key_usage, spec.extended_usage);
  }
  if (spec.name_constraints != nullptr) {
    add_extension(cert, parent, NID_name_constraints, spec.name_constraints);
  }
  add_alternative_names(cert, spec);
  EVP_PKEY* signer = issuer != nullptr ? issuer->key.get() : made.key.get();
  must(X509_sign(cert, signer, spec.digest) > 0, "signing");
  return made;
}

Identity make_authority(const std::string& name) {
  CertSpec spec;
  spec.name = name;
  spec.authority = true;
  return make_identity(spec);
}

std::string write_pem(const std::vector<Identity>& certificates) {
  static struct Written {
    std::vector<std::string> paths;
    ~Written() {
      for (const std::string& path : paths) std::remove(path.c_str());
    }
  } written;
  std::string path = testing::TempDir() + "gimbal_ca_XXXXXX";
  const int fd = mkstemp(path.data());
  must(fd >= 0, "temporary file");
  FILE* file = fdopen(fd, "w");
  for (const auto& identity : certificates) PEM_write_X509(file, identity.cert.get());
  fclose(file);
  written.paths.push_back(path);
  return path;
}

std::string make_staple(const Identity& leaf, const Identity& issuer, bool revoked) {
  OCSP_CERTID* id = OCSP_cert_to_id(nullptr, leaf.cert.get(), issuer.cert.get());
  OCSP_BASICRESP* basic = OCSP_BASICRESP_new();
  ASN1_TIME* from = X509_gmtime_adj(nullptr, -600);
  ASN1_TIME* until = X509_gmtime_adj(nullptr, 3600);
  OCSP_basic_add1_status(basic, id, revoked ? V_OCSP_CERTSTATUS_REVOKED : V_OCSP_CERTSTATUS_GOOD,
                         OCSP_REVOKED_STATUS_KEYCOMPROMISE, revoked ? from : nullptr, from, until);
  must(OCSP_basic_sign(basic, issuer.cert.get(), issuer.key.get(), EVP_sha256(), nullptr, 0) == 1,
       "staple");
  OCSP_RESPONSE* response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
  unsigned char* der = nullptr;
  const int size = i2d_OCSP_RESPONSE(response, &der);
  std::string out{reinterpret_cast<char*>(der), static_cast<std::size_t>(size)};
  OPENSSL_free(der);
  OCSP_RESPONSE_free(response);
  OCSP_BASICRESP_free(basic);
  OCSP_CERTID_free(id);
  ASN1_TIME_free(from);
  ASN1_TIME_free(until);
  return out;
}

}  // namespace gimbal::test
