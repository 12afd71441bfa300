// Contexts: what a peer must prove, which protocols and suites are offered.
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>

#include "engine/wire/ocsp.hpp"
#include "engine/wire/openssl_text.hpp"
#include "engine/wire/tls.hpp"

namespace gimbal {
namespace {

constexpr const char* tls13_suites =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* tls12_suites =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr int security_level = 2;  // 112 bits: no SHA-1 signatures, RSA and DH from 2048 bits

void on_key_line(const SSL* ssl, const char* line) {
  auto* channel = static_cast<Channel*>(SSL_get_app_data(ssl));
  if (channel != nullptr) channel->take_secret(line);
}

// Exactly the records of the handshake are read, so that what follows is untouched.
void hand_over_after_handshake(SSL_CTX* context) {
  SSL_CTX_set_read_ahead(context, 0);
  SSL_CTX_set_keylog_callback(context, on_key_line);
}

// Owned by the caller; nullptr when the text is not one.
X509* certificate_of(const std::string& pem) {
  BIO* text = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  X509* certificate =
      text != nullptr ? PEM_read_bio_X509(text, nullptr, nullptr, nullptr) : nullptr;
  BIO_free(text);
  return certificate;
}

bool trust_text(SSL_CTX* context, const std::string& pem, std::string& error) {
  X509* root = certificate_of(pem);
  const bool trusted =
      root != nullptr && X509_STORE_add_cert(SSL_CTX_get_cert_store(context), root) == 1;
  X509_free(root);
  if (!trusted) error = "the given CA text is not a PEM certificate";
  return trusted;
}

bool use_identity(SSL_CTX* context, const std::string& certificate_pem,
                  const std::string& key_pem) {
  X509* certificate = certificate_of(certificate_pem);
  BIO* text = BIO_new_mem_buf(key_pem.data(), static_cast<int>(key_pem.size()));
  EVP_PKEY* key =
      text != nullptr ? PEM_read_bio_PrivateKey(text, nullptr, nullptr, nullptr) : nullptr;
  const bool used = certificate != nullptr && key != nullptr &&
                    SSL_CTX_use_certificate(context, certificate) == 1 &&
                    SSL_CTX_use_PrivateKey(context, key) == 1;
  EVP_PKEY_free(key);
  BIO_free(text);
  X509_free(certificate);
  return used;
}

bool load_roots(SSL_CTX* context, const std::string& file, std::string& error) {
  ERR_clear_error();
  if (file.empty()) {
    if (SSL_CTX_set_default_verify_paths(context) == 1) return true;
    error = "cannot load the system's CA certificates: " + openssl_reason(ERR_peek_last_error());
    return false;
  }
  if (SSL_CTX_load_verify_file(context, file.c_str()) == 1) return true;
  error = "cannot load CA certificates from " + file + ": " + openssl_reason(ERR_peek_last_error());
  return false;
}

bool set_protocol(SSL_CTX* context) {
  SSL_CTX_set_security_level(context, security_level);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  hand_over_after_handshake(context);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
         SSL_CTX_set_ciphersuites(context, tls13_suites) == 1 &&
         SSL_CTX_set_cipher_list(context, tls12_suites) == 1 &&
         SSL_CTX_set_tlsext_status_type(context, TLSEXT_STATUSTYPE_ocsp) == 1 &&
         SSL_CTX_set_tlsext_status_cb(context, check_stapled_ocsp) == 1;
}

}  // namespace

bool parse_pin(std::string_view text, SpkiPin& out) {
  constexpr std::string_view prefix = "sha256/";
  if (text.substr(0, prefix.size()) == prefix) {
    text.remove_prefix(prefix.size());
    std::array<unsigned char, 33> raw{};  // 44 base64 characters decode to 33 with the pad
    if (text.size() != 44 || text[43] != '=' || text[42] == '=') return false;
    const auto* from = reinterpret_cast<const unsigned char*>(text.data());
    if (EVP_DecodeBlock(raw.data(), from, 44) != 33) return false;
    std::copy_n(raw.begin(), out.size(), out.begin());
    return true;
  }
  if (text.size() != 2 * out.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int digit = OPENSSL_hexchar2int(static_cast<unsigned char>(text[i]));
    if (digit < 0) return false;
    out[i / 2] = static_cast<std::uint8_t>((i % 2 == 0 ? 0 : out[i / 2] << 4) | digit);
  }
  return true;
}

std::shared_ptr<TlsContext> TlsContext::make(const TlsConfig& config, std::string& error) {
  if (config.pins.size() == 1) {
    error = "one key pin given; a pin needs a backup pin beside it";
    return nullptr;
  }
  std::shared_ptr<TlsContext> made{new TlsContext};
  made->pins_ = config.pins;
  made->context_ = SSL_CTX_new(TLS_client_method());
  if (made->context_ == nullptr || !set_protocol(made->context_)) {
    error = "OpenSSL refuses the TLS settings: " + openssl_reason(ERR_peek_last_error());
    return nullptr;
  }
  const bool loaded = config.ca_pem.empty() ? load_roots(made->context_, config.ca_file, error)
                                            : trust_text(made->context_, config.ca_pem, error);
  return loaded ? made : nullptr;
}

std::shared_ptr<TlsContext> TlsContext::make_server(const std::string& certificate_pem,
                                                    const std::string& key_pem,
                                                    std::string& error) {
  std::shared_ptr<TlsContext> made{new TlsContext};
  made->context_ = SSL_CTX_new(TLS_server_method());
  if (made->context_ == nullptr ||
      SSL_CTX_set_min_proto_version(made->context_, TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_ciphersuites(made->context_, tls13_suites) != 1 ||
      SSL_CTX_set_num_tickets(made->context_, 0) != 1 ||
      !use_identity(made->context_, certificate_pem, key_pem)) {
    error = "OpenSSL refuses the server's TLS settings: " + openssl_reason(ERR_peek_last_error());
    return nullptr;
  }
  SSL_CTX_set_session_cache_mode(made->context_, SSL_SESS_CACHE_OFF);
  hand_over_after_handshake(made->context_);
  return made;
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }
}  // namespace gimbal
