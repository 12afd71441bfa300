// The venue's end of a connection inside this process: it sends heartbeats and answers what a test
// tells it to, and never a close frame.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <memory>
#include <string>

#include "engine/wire/loopback.hpp"

namespace gimbal::test {

class DeafPeer {
 public:
  // The client's end, for Link::adopt.
  std::unique_ptr<Established> connect() {
    std::string error;
    LoopbackPair pair = make_loopback_pair(error);
    EXPECT_TRUE(pair.client) << error;
    server_ = std::move(pair.server);
    return std::move(pair.client);
  }
  void heartbeat() { say(R"({"jsonrpc":"2.0","method":"heartbeat","params":{"type":"hb"}})"); }
  void say(std::string text) {
    text.resize(std::max<std::size_t>(text.size(), 126), ' ');  // one form of header
    std::string frame{"\x81\x7e", 2};
    frame += {static_cast<char>(text.size() >> 8), static_cast<char>(text.size() & 0xFF)};
    frame += text;
    Channel& channel = *server_->channel;
    ASSERT_TRUE(channel.write({frame.data(), frame.size()}));
    const auto out = channel.out();
    const ssize_t sent = ::send(server_->fd, out.data(), out.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) channel.sent(static_cast<std::size_t>(sent));
  }
  // The texts that came since the last call, one a line.
  std::string heard() {
    std::array<char, 1 << 16> wire;
    const ssize_t n = ::recv(server_->fd, wire.data(), wire.size(), MSG_DONTWAIT);
    if (n > 0) server_->channel->feed({wire.data(), static_cast<std::size_t>(n)});
    std::string plain;
    std::array<char, 1 << 16> room;
    for (std::size_t got = 0; n > 0 && server_->channel->read(room, got) == ChannelStatus::ok;) {
      plain.append(room.data(), got);
    }
    return unmasked(plain);
  }

 private:
  static std::string unmasked(const std::string& plain) {
    std::string texts;
    for (std::size_t at = 0; at + 6 <= plain.size();) {
      std::size_t size = static_cast<unsigned char>(plain[at + 1]) & 0x7Fu;
      const bool is_text = (static_cast<unsigned char>(plain[at]) & 0x0Fu) == 1;
      at += 2;
      if (size == 126) {
        size = static_cast<std::size_t>(static_cast<unsigned char>(plain[at])) << 8 |
               static_cast<unsigned char>(plain[at + 1]);
        at += 2;
      }
      const std::string key = plain.substr(at, 4);
      at += 4;
      for (std::size_t i = 0; is_text && i < size && at + i < plain.size(); ++i) {
        texts += static_cast<char>(plain[at + i] ^ key[i & 3]);
      }
      if (is_text) texts += '\n';
      at += size;
    }
    return texts;
  }

  std::unique_ptr<Established> server_;
};

}  // namespace gimbal::test
