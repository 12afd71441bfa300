#include "engine/wire/tls.hpp"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "engine/core/bring_near.hpp"
#include "engine/wire/openssl_memory.hpp"
#include "engine/wire/openssl_text.hpp"
#include "engine/wire/tls_records.hpp"

namespace gimbal {
namespace {

constexpr std::size_t record_plain_max = 16 * 1024;
constexpr std::size_t record_overhead_max = 64;  // header, nonce, tag, type: 29 in fact

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

bool is_ip(const std::string& host) {
  in6_addr buffer{};
  return inet_pton(AF_INET, host.c_str(), &buffer) == 1 ||
         inet_pton(AF_INET6, host.c_str(), &buffer) == 1;
}
}  // namespace

struct Channel::Secrets {
  TrafficSecret client;
  TrafficSecret server;
};

Channel::Channel(std::size_t out_bytes) : out_(out_bytes) {}

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
  made->secrets_ = std::make_unique<Secrets>();
  SSL_set_app_data(made->ssl_, made.get());
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
  if (ssl_ == nullptr || records_ != nullptr) return ChannelStatus::ok;
  ERR_clear_error();
  if (SSL_do_handshake(ssl_) != 1) return classify();
  if (SSL_get_verify_result(ssl_) == X509_V_OK && pin_matches()) {
    return take_over_records() ? ChannelStatus::ok : ChannelStatus::failed;
  }
  pin_refused_ = SSL_get_verify_result(ssl_) == X509_V_OK;
  return ChannelStatus::failed;
}

void Channel::take_secret(std::string_view line) noexcept {
  if (secrets_ == nullptr) return;
  TrafficSecret* secret = nullptr;
  if (line.substr(0, line.find(' ')) == "CLIENT_TRAFFIC_SECRET_0") secret = &secrets_->client;
  if (line.substr(0, line.find(' ')) == "SERVER_TRAFFIC_SECRET_0") secret = &secrets_->server;
  if (secret != nullptr) (void)secret->assign(line.substr(line.rfind(' ') + 1));
}

// OpenSSL has neither read nor written a record of application traffic: nothing passes this channel
// while it has secrets_, which it keeps when the peer is refused or this fails.
bool Channel::take_over_records() {
  if (SSL_version(ssl_) != TLS1_3_VERSION) {
    SSL_set_read_ahead(ssl_, 1);
    secrets_.reset();
    return true;
  }
  const TrafficSecret& ours = SSL_is_server(ssl_) == 1 ? secrets_->server : secrets_->client;
  const TrafficSecret& theirs = SSL_is_server(ssl_) == 1 ? secrets_->client : secrets_->server;
  if (SSL_has_pending(ssl_) == 0) {
    records_ = TlsRecords::make(SSL_get_cipher_name(ssl_), theirs, ours);
  }
  if (records_ == nullptr) {
    error_code_ = ERR_PACK(ERR_LIB_SSL, 0, ERR_R_INTERNAL_ERROR);
    return false;
  }
  secrets_.reset();
  return true;
}

void Channel::feed_behind_rest(std::span<const char> bytes) noexcept {
  std::vector<char> both(in_, in_ + in_left_);
  both.insert(both.end(), bytes.begin(), bytes.end());
  rest_.swap(both);
  in_ = rest_.data();
  in_left_ = rest_.size();
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
  if (records_ != nullptr) {
    std::span<const char> in{in_, in_left_};
    const ChannelStatus status = records_->read(in, out, got);
    in_ = in.data();
    in_left_ = in.size();
    return status;
  }
  if (secrets_ != nullptr) return ChannelStatus::failed;  // no handshake, or a refused peer
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
  if (records_ != nullptr) {
    written = records_->seal(plain, std::span{out_}.subspan(out_end_));
    out_end_ += written;
    return written > 0;
  }
  if (secrets_ != nullptr) return false;
  if (SSL_write_ex(ssl_, plain.data(), plain.size(), &written) == 1) return true;
  (void)classify();
  return false;
}

void Channel::look_over() noexcept {
  constexpr std::size_t record = 512;  // an order's
  bring_near(*this);
  bring_near(out_.data() + out_end_, std::min(record, out_.size() - out_end_));
  if (records_ != nullptr) records_->look_over();
}

void Channel::write_close() noexcept {
  if (ssl_ == nullptr || !has_room(0)) return;
  if (records_ != nullptr) {
    out_end_ += records_->seal_close(std::span{out_}.subspan(out_end_));
    return;
  }
  if (secrets_ == nullptr) (void)SSL_shutdown(ssl_);
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
  if (records_ != nullptr && records_->failure() != nullptr) return records_->failure();
  if (pin_refused_) return "the key of " + host_ + " matches no pin";
  const long verdict = SSL_get_verify_result(ssl_);
  if (verdict != X509_V_OK) {
    return "certificate of " + host_ + " refused: " + X509_verify_cert_error_string(verdict);
  }
  return error_code_ != 0 ? openssl_reason(error_code_) : "the peer ended the connection";
}

}  // namespace gimbal
