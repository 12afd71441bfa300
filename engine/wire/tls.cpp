#include "engine/wire/tls.hpp"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "engine/wire/ocsp.hpp"
#include "engine/wire/openssl_memory.hpp"

namespace gimbal {
namespace {

constexpr std::size_t record_plain_max = 16 * 1024;
constexpr std::size_t record_overhead_max = 64;  // header, nonce, tag, type: 29 in fact
constexpr const char* tls13_suites =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* tls12_suites =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr int security_level = 2;  // 112 bits: no SHA-1 signatures, RSA and DH from 2048 bits

int bio_read(BIO* bio, char* into, int size) {
  auto* channel = static_cast<Channel*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const std::size_t got = channel->take_in({into, static_cast<std::size_t>(std::max(size, 0))});
  if (got > 0) return static_cast<int>(got);
  BIO_set_retry_read(bio);
  return -1;
}

int bio_write(BIO* bio, const char* from, int size) {
  auto* channel = static_cast<Channel*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const std::size_t put = channel->put_out({from, static_cast<std::size_t>(std::max(size, 0))});
  if (put > 0) return static_cast<int>(put);
  BIO_set_retry_write(bio);
  return -1;
}

long bio_control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

int bio_create(BIO* bio) {
  BIO_set_init(bio, 1);
  return 1;
}

BIO_METHOD* channel_bio() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "gimbal channel");
    if (made == nullptr) return made;
    BIO_meth_set_read(made, bio_read);
    BIO_meth_set_write(made, bio_write);
    BIO_meth_set_ctrl(made, bio_control);
    BIO_meth_set_create(made, bio_create);
    return made;
  }();
  return method;
}

std::string reason_text(unsigned long code) {
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "error " + std::to_string(code);
}

bool is_ip(const std::string& host) {
  in6_addr buffer{};
  return inet_pton(AF_INET, host.c_str(), &buffer) == 1 ||
         inet_pton(AF_INET6, host.c_str(), &buffer) == 1;
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
    error = "cannot load the system's CA certificates: " + reason_text(ERR_peek_last_error());
    return false;
  }
  if (SSL_CTX_load_verify_file(context, file.c_str()) == 1) return true;
  error = "cannot load CA certificates from " + file + ": " + reason_text(ERR_peek_last_error());
  return false;
}

bool set_protocol(SSL_CTX* context) {
  SSL_CTX_set_security_level(context, security_level);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_read_ahead(context, 1);
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
    error = "OpenSSL refuses the TLS settings: " + reason_text(ERR_peek_last_error());
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
    error = "OpenSSL refuses the server's TLS settings: " + reason_text(ERR_peek_last_error());
    return nullptr;
  }
  SSL_CTX_set_session_cache_mode(made->context_, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_read_ahead(made->context_, 1);
  return made;
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

Channel::~Channel() { SSL_free(ssl_); }

void Channel::prepare_thread() noexcept {
  keep_openssl_blocks();
  ERR_clear_error();
}

std::unique_ptr<Channel> Channel::plaintext(std::size_t out_bytes) {
  return std::unique_ptr<Channel>{new Channel(out_bytes)};
}

std::unique_ptr<Channel> Channel::over(std::shared_ptr<TlsContext> context, std::size_t out_bytes,
                                       std::string& error) {
  if (!context) {
    error = "no TLS context";
    return nullptr;
  }
  std::unique_ptr<Channel> made{new Channel(out_bytes)};
  made->context_ = std::move(context);
  made->ssl_ = SSL_new(made->context_->native());
  BIO* bio = channel_bio() != nullptr ? BIO_new(channel_bio()) : nullptr;
  if (made->ssl_ == nullptr || bio == nullptr) {
    BIO_free(bio);
    error = "OpenSSL cannot make a connection object";
    return nullptr;
  }
  BIO_set_data(bio, made.get());
  SSL_set_bio(made->ssl_, bio, bio);  // takes the one reference for both directions
  return made;
}

std::unique_ptr<Channel> Channel::tls_client(std::shared_ptr<TlsContext> context,
                                             const std::string& host, std::string& error,
                                             std::size_t out_bytes) {
  std::unique_ptr<Channel> made = over(std::move(context), out_bytes, error);
  if (made == nullptr) return nullptr;
  made->host_ = host;
  SSL_set_connect_state(made->ssl_);
  if (!made->name_peer(host, error)) return nullptr;
  return made;
}

std::unique_ptr<Channel> Channel::tls_server(std::shared_ptr<TlsContext> context,
                                             std::string& error, std::size_t out_bytes) {
  std::unique_ptr<Channel> made = over(std::move(context), out_bytes, error);
  if (made != nullptr) SSL_set_accept_state(made->ssl_);
  return made;
}

// The name that the certificate must carry, and SNI (a DNS name only).
bool Channel::name_peer(const std::string& host, std::string& error) {
  X509_VERIFY_PARAM* verify = SSL_get0_param(ssl_);
  X509_VERIFY_PARAM_set_hostflags(
      verify, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  const bool has_nul = host.find('\0') != std::string::npos;
  bool named = false;
  if (!host.empty() && !has_nul) {
    named = is_ip(host) ? X509_VERIFY_PARAM_set1_ip_asc(verify, host.c_str()) == 1
                        : SSL_set1_host(ssl_, host.c_str()) == 1 &&
                              SSL_set_tlsext_host_name(ssl_, host.c_str()) == 1;
  }
  if (!named) error = "host name '" + host + "' cannot be verified";
  return named;
}

bool Channel::pin_matches() const {
  const auto& pins = context_->pins();
  if (pins.empty()) return true;
  X509* leaf = SSL_get0_peer_certificate(ssl_);
  if (leaf == nullptr) return false;
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &der);
  if (size <= 0) return false;
  SpkiPin seen{};
  const bool hashed = EVP_Digest(der, static_cast<std::size_t>(size), seen.data(), nullptr,
                                 EVP_sha256(), nullptr) == 1;
  OPENSSL_free(der);
  return hashed && std::find(pins.begin(), pins.end(), seen) != pins.end();
}

ChannelStatus Channel::handshake() {
  if (ssl_ == nullptr) return ChannelStatus::ok;
  ERR_clear_error();
  if (SSL_do_handshake(ssl_) != 1) return classify();
  if (SSL_get_verify_result(ssl_) == X509_V_OK && pin_matches()) return ChannelStatus::ok;
  pin_refused_ = SSL_get_verify_result(ssl_) == X509_V_OK;
  return ChannelStatus::failed;
}

// SSL_want() tells "give me more" without a look at the thread's error queue, in which an
// unrelated call may have left something.
ChannelStatus Channel::classify() noexcept {
  if (SSL_want(ssl_) == SSL_READING || SSL_want(ssl_) == SSL_WRITING) {
    return ChannelStatus::need_more;
  }
  error_code_ = ERR_peek_last_error();
  if ((SSL_get_shutdown(ssl_) & SSL_RECEIVED_SHUTDOWN) != 0 && error_code_ == 0) {
    return ChannelStatus::closed;  // a fatal alert sets the same flag, with an error beside it
  }
  ERR_clear_error();
  return ChannelStatus::failed;
}

std::size_t Channel::take_in(std::span<char> into) noexcept {
  const std::size_t size = std::min(into.size(), in_left_);
  if (size == 0) return 0;
  std::memcpy(into.data(), in_, size);
  in_ += size;
  in_left_ -= size;
  return size;
}

std::size_t Channel::put_out(std::span<const char> from) noexcept {
  const std::size_t size = std::min(from.size(), out_.size() - out_end_);
  if (size == 0) return 0;
  std::memcpy(out_.data() + out_end_, from.data(), size);
  out_end_ += size;
  return size;
}

ChannelStatus Channel::read(std::span<char> out, std::size_t& got) noexcept {
  got = 0;
  if (ssl_ == nullptr) {
    got = take_in(out);
    return got > 0 ? ChannelStatus::ok : ChannelStatus::need_more;
  }
  return SSL_read_ex(ssl_, out.data(), out.size(), &got) == 1 ? ChannelStatus::ok : classify();
}

bool Channel::has_room(std::size_t plain) noexcept {
  const std::size_t records = plain / record_plain_max + 1;
  const std::size_t needed = ssl_ == nullptr ? plain : plain + records * record_overhead_max;
  if (out_.size() - out_end_ >= needed) return true;
  if (out_begin_ == 0) return false;
  std::memmove(out_.data(), out_.data() + out_begin_, out_end_ - out_begin_);
  out_end_ -= out_begin_;
  out_begin_ = 0;
  return out_.size() - out_end_ >= needed;
}

bool Channel::write(std::span<const char> plain) noexcept {
  if (plain.empty()) return true;
  if (!has_room(plain.size())) return false;
  if (ssl_ == nullptr) return put_out(plain) == plain.size();
  std::size_t written = 0;
  if (SSL_write_ex(ssl_, plain.data(), plain.size(), &written) == 1) return true;
  (void)classify();
  return false;
}

void Channel::write_close() noexcept {
  if (ssl_ == nullptr || !has_room(0)) return;
  if (SSL_is_init_finished(ssl_) == 1) (void)SSL_shutdown(ssl_);
}

void Channel::sent(std::size_t bytes) noexcept {
  out_begin_ += std::min(bytes, out_end_ - out_begin_);
  if (out_begin_ == out_end_) out_begin_ = out_end_ = 0;
}

std::string Channel::describe() const {
  if (ssl_ == nullptr) return "plaintext";
  return std::string{SSL_get_version(ssl_)} + " " + SSL_get_cipher_name(ssl_);
}

std::string Channel::last_error() const {
  if (ssl_ == nullptr) return "plaintext";
  if (pin_refused_) return "the key of " + host_ + " matches no pin";
  const long verdict = SSL_get_verify_result(ssl_);
  if (verdict != X509_V_OK) {
    return "certificate of " + host_ + " refused: " + X509_verify_cert_error_string(verdict);
  }
  return error_code_ != 0 ? reason_text(error_code_) : "the peer ended the connection";
}

}  // namespace gimbal
