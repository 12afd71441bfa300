// The far end of a Channel, by OpenSSL alone and in memory: it shares no record code with what it
// tests.
#pragma once

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <array>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/wire/tls.hpp"
#include "tests/support/peer_fixture.hpp"

namespace gimbal::test {

class OpensslPeer {
 public:
  using Setup = std::function<void(SSL_CTX*)>;

  // `shakes`: false leaves the handshake to the test.
  explicit OpensslPeer(const Setup& setup = {}, bool shakes = true,
                       std::vector<SpkiPin> pins = {}) {
    static const Identity leaf = make_identity(good_spec(), &root());
    context_.reset(SSL_CTX_new(TLS_server_method()));
    present(context_.get(), leaf);
    if (setup) setup(context_.get());
    ssl_.reset(SSL_new(context_.get()));
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl_.get(), in_, out_);
    SSL_set_accept_state(ssl_.get());
    std::string error;
    channel = Channel::tls_client(trusting(root(), std::move(pins)), "venue.test", error);
    EXPECT_NE(channel, nullptr) << error;
    if (shakes) shake_hands();
  }

  void shake_hands() {
    for (int round = 0; round < 8 && !connected; ++round) {
      const ChannelStatus status = channel->handshake();
      deliver();
      const bool accepted = SSL_do_handshake(ssl()) == 1;
      connected = status == ChannelStatus::ok && accepted;
      flight_ = wire();
      if (!flight_.empty()) channel->feed(flight_);
    }
    EXPECT_TRUE(connected) << channel->last_error();
  }
  // Everything that the channel has to send.
  void deliver() {
    const auto out = channel->out();
    if (!out.empty()) BIO_write(in_, out.data(), static_cast<int>(out.size()));
    channel->sent(out.size());
  }
  // The same, read by OpenSSL; "" when there is nothing or it broke.
  std::string hear() {
    deliver();
    std::string all;
    std::array<char, 40'000> text{};
    for (std::size_t got = 0; SSL_read_ex(ssl(), text.data(), text.size(), &got) == 1;) {
      all.append(text.data(), got);
    }
    return all;
  }
  void say(const std::string& text) {
    std::size_t written = 0;
    ASSERT_EQ(SSL_write_ex(ssl(), text.data(), text.size(), &written), 1);
  }
  // What OpenSSL has sealed since the last call.
  std::string wire() {
    std::string bytes(BIO_ctrl_pending(out_), '\0');
    if (!bytes.empty()) BIO_read(out_, bytes.data(), static_cast<int>(bytes.size()));
    return bytes;
  }
  // Everything that the channel reads of `bytes`, fed in pieces; `status` is the last one.
  std::string read(const std::string& bytes, ChannelStatus& status, std::size_t piece = 1 << 20,
                   std::size_t room = 32'768) {
    std::string all;
    status = ChannelStatus::need_more;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      channel->feed(std::span{bytes}.subspan(at, std::min(piece, bytes.size() - at)));
      std::string text(room, '\0');
      for (std::size_t got = 0; (status = channel->read(text, got)) == ChannelStatus::ok;) {
        all.append(text, 0, got);
      }
      if (status != ChannelStatus::need_more) break;
    }
    return all;
  }
  [[nodiscard]] SSL* ssl() const { return ssl_.get(); }

  std::unique_ptr<Channel> channel;
  bool connected{false};

 private:
  struct Free {
    void operator()(SSL* p) const { SSL_free(p); }
    void operator()(SSL_CTX* p) const { SSL_CTX_free(p); }
  };

  std::unique_ptr<SSL_CTX, Free> context_;
  std::unique_ptr<SSL, Free> ssl_;
  BIO* in_{nullptr};
  BIO* out_{nullptr};
  std::string flight_;  // what the channel was last fed
};

}  // namespace gimbal::test
