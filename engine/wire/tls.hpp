// Room: engine/wire. TLS over OpenSSL without sockets: ciphertext in, plaintext out, and back, with
// fixed buffers of our own under the library (no memory BIO that grows).
//
// The peer's chain and host name (or IP address) are always verified; there is no switch for it.
// Accepted: TLS 1.3, and TLS 1.2 with AEAD suites only; TLS_AES_128_GCM_SHA256 is preferred. A
// stapled OCSP answer that says "revoked" refuses the peer. Plain text exists as a Channel of its
// own type for loopback tests and benches; only the Connector makes one, after looking at the peer
// address.
// OpenSSL does the handshake. A TLS 1.3 connection's records are ours from there on
// (tls_records.hpp); one of TLS 1.2 stays with OpenSSL.
// TlsContext and the handshake are cold. Channel::feed/read/write are hot and do not allocate in
// steady state (tests/wire proves it).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct ssl_st;
struct ssl_ctx_st;

namespace gimbal {

class TlsRecords;

using SpkiPin = std::array<std::uint8_t, 32>;  // SHA-256 of the SubjectPublicKeyInfo

struct TlsConfig {
  std::string ca_file;        // PEM bundle; empty: the system's default store
  std::vector<SpkiPin> pins;  // empty: no pinning; else the leaf must match one (list a backup)
  std::string ca_pem{};       // one PEM certificate as text, trusted in place of any file
};

// "sha256/BASE64" or 64 hex digits; false when neither.
[[nodiscard]] bool parse_pin(std::string_view text, SpkiPin& out);

class TlsContext {
 public:
  // nullptr with `error` set: unreadable CA file, no certificate in it, or a single pin (a pin
  // without a backup locks us out at the next key change).
  static std::shared_ptr<TlsContext> make(const TlsConfig& config, std::string& error);
  // The far side of a connection inside this process (loopback.hpp); gimbal serves nobody else.
  static std::shared_ptr<TlsContext> make_server(const std::string& certificate_pem,
                                                 const std::string& key_pem, std::string& error);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;
  [[nodiscard]] ssl_ctx_st* native() const noexcept { return context_; }
  [[nodiscard]] const std::vector<SpkiPin>& pins() const noexcept { return pins_; }

 private:
  TlsContext() = default;
  ssl_ctx_st* context_{nullptr};
  std::vector<SpkiPin> pins_;
};

enum class ChannelStatus : std::uint8_t {
  ok,
  need_more,  // all ciphertext given so far is consumed
  closed,     // close_notify received
  failed,     // broken record or alert: see last_error()
};

// One connection's encryption state. Not thread-safe; may be handed from thread to thread.
class Channel {
 public:
  static constexpr std::size_t out_bytes_default = 256 * 1024;

  // `host` is a DNS name or an IP literal; nullptr with `error` on allocation or name trouble.
  static std::unique_ptr<Channel> tls_client(std::shared_ptr<TlsContext> context,
                                             const std::string& host, std::string& error,
                                             std::size_t out_bytes = out_bytes_default);
  // `context` is one of TlsContext::make_server.
  static std::unique_ptr<Channel> tls_server(std::shared_ptr<TlsContext> context,
                                             std::string& error,
                                             std::size_t out_bytes = out_bytes_default);
  static std::unique_ptr<Channel> plaintext(std::size_t out_bytes = out_bytes_default);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // Once on each hot thread before its first adopt(): makes OpenSSL's per-thread error queue and a
  // store of small blocks there, so that reading and writing records never touches the heap.
  static void prepare_thread() noexcept;

  // Handshake step (cold): ok when done, need_more when out() must be sent or feed() called. Until
  // it said ok nothing is read or written, and after a refusal nothing ever.
  [[nodiscard]] ChannelStatus handshake();

  // Received bytes; read until need_more before the bytes go away. What is left unread of the bytes
  // before is kept by copying it (cold: a hot reader leaves nothing).
  void feed(std::span<const char> bytes) noexcept {
    if (in_left_ > 0) return feed_behind_rest(bytes);
    in_ = bytes.data();
    in_left_ = bytes.size();
  }
  [[nodiscard]] ChannelStatus read(std::span<char> out, std::size_t& got) noexcept;

  // Appends the encryption of all of `plain` to out(), or nothing: false when it does not fit or
  // the channel is broken.
  [[nodiscard]] bool write(std::span<const char> plain) noexcept;
  // What the next write() needs: bring_near.hpp.
  void look_over() noexcept;
  // Appends close_notify, so that the peer can tell our end from a cut.
  void write_close() noexcept;

  [[nodiscard]] std::span<const char> out() const noexcept {
    return {out_.data() + out_begin_, out_end_ - out_begin_};
  }
  void sent(std::size_t bytes) noexcept;

  [[nodiscard]] bool encrypted() const noexcept { return ssl_ != nullptr; }
  [[nodiscard]] std::string describe() const;  // "TLSv1.3 TLS_AES_128_GCM_SHA256" or "plaintext"
  // Cold: why the handshake or a read failed (certificate error, alert, broken record).
  [[nodiscard]] std::string last_error() const;

  // A line of OpenSSL's key log for this connection; only the traffic secrets are kept, until the
  // handshake ends. For the callback below OpenSSL only.
  void take_secret(std::string_view line) noexcept;
  // For the BIO below OpenSSL only.
  std::size_t take_in(std::span<char> into) noexcept;
  std::size_t put_out(std::span<const char> from) noexcept;

 private:
  struct Secrets;
  explicit Channel(std::size_t out_bytes);
  // A channel with its OpenSSL object; nullptr with `error` when that cannot be made.
  static std::unique_ptr<Channel> over(std::shared_ptr<TlsContext> context, std::size_t out_bytes,
                                       std::string& error);
  bool name_peer(const std::string& host, std::string& error);
  bool pin_matches() const;
  bool take_over_records();
  void feed_behind_rest(std::span<const char> bytes) noexcept;
  ChannelStatus classify() noexcept;
  [[nodiscard]] bool has_room(std::size_t plain) noexcept;

  std::shared_ptr<TlsContext> context_;
  ssl_st* ssl_{nullptr};
  std::unique_ptr<Secrets> secrets_;     // during the handshake
  std::unique_ptr<TlsRecords> records_;  // behind it; nullptr: OpenSSL's own records
  std::string host_;
  std::vector<char> rest_;  // received bytes that an earlier reader left
  const char* in_{nullptr};
  std::size_t in_left_{0};
  std::vector<char> out_;
  std::size_t out_begin_{0};
  std::size_t out_end_{0};
  bool pin_refused_{false};
  unsigned long error_code_{0};  // OpenSSL's, for last_error()
};

}  // namespace gimbal
