// One TLS connection over a non-blocking socket and memory BIOs, with the least WebSocket framing a
// latency measurement needs. Written apart from engine/wire on purpose: the floor must not share
// the code it is the floor of. Bench only: frames below 64 KiB, no fragmentation, no control
// frames.
#pragma once

#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>

namespace gimbal::bench {

class RawTls {
 public:
  RawTls(SSL_CTX* context, int fd, bool server) : fd_{fd}, server_{server} {
    ssl_ = SSL_new(context);
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(in_, -1);
    BIO_set_mem_eof_return(out_, -1);
    SSL_set_bio(ssl_, in_, out_);
    if (server) {
      SSL_set_accept_state(ssl_);
    } else {
      SSL_set_connect_state(ssl_);
    }
  }
  RawTls(const RawTls&) = delete;
  RawTls& operator=(const RawTls&) = delete;
  ~RawTls() {
    SSL_free(ssl_);
    ::close(fd_);
  }

  // Moves bytes from the socket into TLS; the number received, 0 for none, -1 for closed.
  long receive() {
    const long n = ::recv(fd_, wire_.data(), wire_.size(), MSG_DONTWAIT);
    if (n > 0) BIO_write(in_, wire_.data(), static_cast<int>(n));
    if (n == 0) return -1;
    if (n < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
    return n;
  }
  // Decrypts what is there into the plain buffer; false when the peer ended TLS.
  bool decrypt() {
    if (plain_begin_ > 0 && plain_.size() - plain_end_ < 32768) {
      std::memmove(plain_.data(), plain_.data() + plain_begin_, plain_end_ - plain_begin_);
      plain_end_ -= plain_begin_;
      plain_begin_ = 0;
    }
    for (;;) {
      const int n =
          SSL_read(ssl_, plain_.data() + plain_end_, static_cast<int>(plain_.size() - plain_end_));
      if (n > 0) {
        plain_end_ += static_cast<std::size_t>(n);
        continue;
      }
      const int error = SSL_get_error(ssl_, n);
      flush();
      return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
    }
  }
  bool handshake_done() {
    if (SSL_is_init_finished(ssl_)) return true;
    SSL_do_handshake(ssl_);
    flush();
    return SSL_is_init_finished(ssl_) != 0;
  }
  std::string_view plain() const {
    return {plain_.data() + plain_begin_, plain_end_ - plain_begin_};
  }
  void consume(std::size_t n) {
    plain_begin_ += n;
    if (plain_begin_ == plain_end_) plain_begin_ = plain_end_ = 0;
  }
  void send_plain(std::string_view bytes) {
    SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()));
    flush();
  }
  // Sends one text frame; a client masks with a constant key, which is all that a peer can ask for.
  void send_text(std::string_view text) {
    seal_text(text);
    send_sealed();
  }
  // The two halves of send_text: everything but the kernel, and the kernel.
  void send_sealed() { flush(); }
  void seal_text(std::string_view text) {
    ++texts_;
    std::size_t n = 0;
    frame_[n++] = static_cast<char>(0x81);
    const char mask_bit = server_ ? 0 : static_cast<char>(0x80);
    if (text.size() < 126) {
      frame_[n++] = static_cast<char>(mask_bit | static_cast<char>(text.size()));
    } else if (text.size() < 65536) {
      frame_[n++] = static_cast<char>(mask_bit | 126);
      frame_[n++] = static_cast<char>(text.size() >> 8);
      frame_[n++] = static_cast<char>(text.size() & 0xFF);
    } else {
      frame_[n++] = static_cast<char>(mask_bit | 127);
      for (int shift = 56; shift >= 0; shift -= 8) {
        frame_[n++] = static_cast<char>((text.size() >> shift) & 0xFF);
      }
    }
    if (n + 4 + text.size() > frame_.size()) throw std::runtime_error("frame too large");
    if (!server_) {
      static constexpr std::array<char, 4> key{0x11, 0x22, 0x33, 0x44};
      std::memcpy(frame_.data() + n, key.data(), 4);
      n += 4;
      for (std::size_t i = 0; i < text.size(); ++i) {
        frame_[n + i] = static_cast<char>(text[i] ^ key[i & 3]);
      }
    } else {
      std::memcpy(frame_.data() + n, text.data(), text.size());
    }
    SSL_write(ssl_, frame_.data(), static_cast<int>(n + text.size()));
  }
  // Takes one whole frame off the plain buffer, unmasked in place; false when none is complete.
  bool next_text(std::string_view& text, int& opcode) {
    auto* p = reinterpret_cast<unsigned char*>(plain_.data() + plain_begin_);
    const std::size_t have = plain_end_ - plain_begin_;
    if (have < 2) return false;
    opcode = p[0] & 0x0F;
    const bool masked = (p[1] & 0x80) != 0;
    std::size_t length = p[1] & 0x7F;
    std::size_t head = 2;
    if (length == 126) {
      if (have < 4) return false;
      length = static_cast<std::size_t>((p[2] << 8) | p[3]);
      head = 4;
    } else if (length == 127) {
      throw std::runtime_error("frame over 64 KiB");
    }
    if (masked) head += 4;
    if (have < head + length) return false;
    if (masked) {
      const unsigned char* key = p + head - 4;
      for (std::size_t i = 0; i < length; ++i) p[head + i] ^= key[i & 3];
    }
    text = {plain_.data() + plain_begin_ + head, length};
    consume(head + length);
    return true;
  }
  int fd() const { return fd_; }
  std::uint64_t texts() const { return texts_; }      // sealed so far
  std::uint64_t refused() const { return refused_; }  // sends that found the peer's buffer full

 private:
  void flush() {
    for (;;) {
      const int n = BIO_read(out_, wire_out_.data(), static_cast<int>(wire_out_.size()));
      if (n <= 0) return;
      std::size_t sent = 0;
      while (sent < static_cast<std::size_t>(n)) {
        const long w =
            ::send(fd_, wire_out_.data() + sent, static_cast<std::size_t>(n) - sent, MSG_NOSIGNAL);
        if (w > 0) sent += static_cast<std::size_t>(w);
        if (w < 0 && errno != EAGAIN && errno != EINTR) return;
        if (w < 0) ++refused_;
      }
    }
  }

  int fd_;
  bool server_;
  SSL* ssl_;
  BIO* in_;
  BIO* out_;
  std::array<char, 65536> wire_{};
  std::array<char, 65536> wire_out_{};
  std::array<char, 1 << 18> plain_{};
  std::array<char, 1 << 21> frame_{};
  std::size_t plain_begin_{0};
  std::size_t plain_end_{0};
  std::uint64_t texts_{0};
  std::uint64_t refused_{0};
};

}  // namespace gimbal::bench
