#include "venues/sim/tls_authority.hpp"

#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <system_error>

namespace gimbal::sim {
namespace {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* p) const noexcept {
    Free(p);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>>;
using Memory = std::unique_ptr<BIO, Deleter<BIO_free_all>>;

constexpr long day_seconds = 86'400;

bool add_extension(X509* subject, X509* issuer, int nid, const char* value) {
  X509V3_CTX context{};
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, subject, nullptr, nullptr, 0);
  const Extension extension{X509V3_EXT_conf_nid(nullptr, &context, nid, value)};
  return extension && X509_add_ext(subject, extension.get(), -1) == 1;
}

// A certificate with a random serial number, valid from a minute ago for `days`.
Certificate blank_certificate(EVP_PKEY* key, const char* common_name, long days) {
  Certificate cert{X509_new()};
  if (!cert || X509_set_version(cert.get(), 2) != 1) return nullptr;
  std::array<unsigned char, 8> serial{};
  if (RAND_bytes(serial.data(), static_cast<int>(serial.size())) != 1) return nullptr;
  std::uint64_t number = 0;
  for (const unsigned char byte : serial) number = (number << 8) | byte;
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert.get()), number >> 1);
  X509_gmtime_adj(X509_getm_notBefore(cert.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(cert.get()), days * day_seconds);
  X509_NAME* name = X509_get_subject_name(cert.get());
  const auto* text = reinterpret_cast<const unsigned char*>(common_name);
  if (X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0) != 1) return nullptr;
  if (X509_set_pubkey(cert.get(), key) != 1) return nullptr;
  return cert;
}

Certificate make_authority(EVP_PKEY* key) {
  Certificate cert = blank_certificate(key, "gimbal-sim authority", 8);
  if (!cert) return nullptr;
  X509_set_issuer_name(cert.get(), X509_get_subject_name(cert.get()));
  const bool done =
      add_extension(cert.get(), cert.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
      add_extension(cert.get(), cert.get(), NID_key_usage, "critical,keyCertSign,cRLSign") &&
      add_extension(cert.get(), cert.get(), NID_subject_key_identifier, "hash") &&
      X509_sign(cert.get(), key, EVP_sha256()) != 0;
  return done ? std::move(cert) : nullptr;
}

Certificate make_leaf(EVP_PKEY* key, X509* authority, EVP_PKEY* authority_key) {
  Certificate cert = blank_certificate(key, "localhost", 7);
  if (!cert) return nullptr;
  X509_set_issuer_name(cert.get(), X509_get_subject_name(authority));
  const bool done =
      add_extension(cert.get(), authority, NID_basic_constraints, "critical,CA:FALSE") &&
      add_extension(cert.get(), authority, NID_key_usage, "critical,digitalSignature") &&
      add_extension(cert.get(), authority, NID_ext_key_usage, "serverAuth") &&
      add_extension(cert.get(), authority, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1") &&
      add_extension(cert.get(), authority, NID_subject_key_identifier, "hash") &&
      add_extension(cert.get(), authority, NID_authority_key_identifier, "keyid") &&
      X509_sign(cert.get(), authority_key, EVP_sha256()) != 0;
  return done ? std::move(cert) : nullptr;
}

std::string drain(BIO* memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string{};
}

std::string pem_of(X509* cert) {
  const Memory memory{BIO_new(BIO_s_mem())};
  if (!memory || PEM_write_bio_X509(memory.get(), cert) != 1) return {};
  return drain(memory.get());
}

std::string pem_of(EVP_PKEY* key) {
  const Memory memory{BIO_new(BIO_s_mem())};
  if (!memory ||
      PEM_write_bio_PrivateKey(memory.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return {};
  }
  return drain(memory.get());
}

// Written beside and renamed, so that a reader never sees half a file.
bool write_file(const std::filesystem::path& path, const std::string& text, ::mode_t mode,
                std::string& error) {
  const std::filesystem::path fresh{path.string() + ".new"};
  ::unlink(fresh.c_str());
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  const bool written =
      fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<::ssize_t>(text.size());
  if (fd >= 0) ::close(fd);
  if (text.empty() || !written || ::rename(fresh.c_str(), path.c_str()) != 0) {
    error = "cannot write " + path.string();
    return false;
  }
  return true;
}

}  // namespace

bool make_tls_files(const std::filesystem::path& directory, TlsFiles& files, std::string& error) {
  std::error_code failed;
  std::filesystem::create_directories(directory, failed);
  if (failed) {
    error = "cannot make directory " + directory.string() + ": " + failed.message();
    return false;
  }
  const Key authority_key{EVP_EC_gen("P-256")};
  const Key leaf_key{EVP_EC_gen("P-256")};
  if (!authority_key || !leaf_key) {
    error = "OpenSSL could not make a P-256 key";
    return false;
  }
  const Certificate authority = make_authority(authority_key.get());
  const Certificate leaf =
      authority ? make_leaf(leaf_key.get(), authority.get(), authority_key.get()) : nullptr;
  if (!leaf) {
    error = "OpenSSL could not sign the simulator's certificates";
    return false;
  }
  files = {directory / "ca.pem", directory / "server.pem", directory / "server.key"};
  return write_file(files.key, pem_of(leaf_key.get()), 0600, error) &&
         write_file(files.leaf, pem_of(leaf.get()) + pem_of(authority.get()), 0644, error) &&
         write_file(files.ca, pem_of(authority.get()), 0644, error);
}

}  // namespace gimbal::sim
