#include "engine/wire/tls_records.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstring>

namespace gimbal {
namespace {

constexpr unsigned char message_ticket = 4;
constexpr unsigned char message_key_update = 24;
constexpr std::size_t ticket_max = 128 * 1024;  // its fields allow little more than 64 KiB
// A peer that sends nothing but tickets, key updates and empty records is not served for ever.
constexpr std::uint32_t without_data_max = 32;
constexpr unsigned char alert_warning = 1;
constexpr unsigned char alert_close_notify = 0;
constexpr unsigned char alert_user_canceled = 90;

unsigned char byte_of(char c) noexcept { return static_cast<unsigned char>(c); }

}  // namespace

TlsRecords::TlsRecords() : held_(record::head_bytes + record::body_max), plain_(record::body_max) {}

std::unique_ptr<TlsRecords> TlsRecords::make(std::string_view suite, const TrafficSecret& reads,
                                             const TrafficSecret& writes) {
  std::unique_ptr<TlsRecords> made{new TlsRecords};
  made->reads_ = RecordKeys::make(suite, reads, RecordKeys::Direction::opens);
  made->writes_ = RecordKeys::make(suite, writes, RecordKeys::Direction::seals);
  return made->reads_ != nullptr && made->writes_ != nullptr ? std::move(made) : nullptr;
}

ChannelStatus TlsRecords::fail(const char* why) noexcept {
  failure_ = why;
  ERR_clear_error();  // of the cipher, on this thread
  return ChannelStatus::failed;
}

// --- receiving
ChannelStatus TlsRecords::read(std::span<const char>& in, std::span<char> out,
                               std::size_t& got) noexcept {
  got = 0;
  if (plain_left_ > 0) return serve(out, got);
  for (;;) {
    if (failure_ != nullptr) return ChannelStatus::failed;
    if (peer_closed_) return ChannelStatus::closed;
    std::size_t body = 0;
    const char* record = whole_record(in, body);
    if (record == nullptr) {
      return failure_ != nullptr ? ChannelStatus::failed : ChannelStatus::need_more;
    }
    const ChannelStatus status = open(record, body, out, got);
    if (status != ChannelStatus::need_more) return status;
  }
}

// The length of the body; 0 when no such record may come.
std::size_t TlsRecords::body_of(const char* head) noexcept {
  const std::size_t body = std::size_t{byte_of(head[3])} << 8 | byte_of(head[4]);
  if (byte_of(head[0]) != record::application_data) {
    fail("a record that is not encrypted");
  } else if (head[1] != 3 || head[2] != 3) {
    fail("a record of another version");
  } else if (body > record::body_max || body < record::tag_bytes + 1) {
    fail("a record of a length that cannot be");
  } else {
    return body;
  }
  return 0;
}

// Moves bytes until `wanted` are held; false when there are not as many yet.
bool TlsRecords::hold(std::span<const char>& in, std::size_t wanted) noexcept {
  const std::size_t size = std::min(in.size(), wanted - std::min(wanted, held_size_));
  if (size > 0) std::memcpy(held_.data() + held_size_, in.data(), size);
  held_size_ += size;
  in = in.subspan(size);
  return held_size_ >= wanted;
}

const char* TlsRecords::whole_record(std::span<const char>& in, std::size_t& body) noexcept {
  if (held_size_ == 0 && in.size() >= record::head_bytes) {
    body = body_of(in.data());
    if (body == 0) return nullptr;
    if (in.size() - record::head_bytes >= body) {
      const char* record = in.data();
      in = in.subspan(record::head_bytes + body);
      return record;
    }
  }
  if (!hold(in, record::head_bytes)) return nullptr;
  body = body_of(held_.data());
  if (body == 0 || !hold(in, record::head_bytes + body)) return nullptr;
  held_size_ = 0;
  return held_.data();
}

ChannelStatus TlsRecords::open(const char* record, std::size_t body, std::span<char> out,
                               std::size_t& got) noexcept {
  std::size_t size = body - record::tag_bytes;
  if (size > record::content_max + 1) return fail("a record with too much content");
  const bool fits = out.size() >= size;
  char* to = fits ? out.data() : plain_.data();
  if (!reads_->open(record, body, to)) return fail("a record that is not authentic");
  while (size > 0 && to[size - 1] == 0) --size;  // padding
  if (size == 0) return fail("a record without a type");
  const unsigned char type = byte_of(to[--size]);
  if (message_head_size_ > 0 && type != record::handshake) {
    return fail("a record inside a handshake message");
  }
  if (type == record::application_data && size > 0) {
    without_data_ = 0;
    if (fits) {
      got = size;
      return ChannelStatus::ok;
    }
    plain_begin_ = 0;
    plain_left_ = size;
    return serve(out, got);
  }
  if (++without_data_ > without_data_max) return fail("too many records without data");
  if (type == record::alert) return alert({to, size});
  if (type == record::handshake && size > 0) return messages({to, size});
  if (type == record::application_data) return ChannelStatus::need_more;
  return fail("a record of an unexpected type");
}

ChannelStatus TlsRecords::serve(std::span<char> out, std::size_t& got) noexcept {
  got = std::min(out.size(), plain_left_);
  std::memcpy(out.data(), plain_.data() + plain_begin_, got);
  plain_begin_ += got;
  plain_left_ -= got;
  return ChannelStatus::ok;
}

ChannelStatus TlsRecords::alert(std::span<const char> content) noexcept {
  if (content.size() != 2) return fail("an alert of another size");
  const unsigned char what = byte_of(content[1]);
  if (what == alert_user_canceled) return ChannelStatus::need_more;  // close_notify follows
  if (what != alert_close_notify) return fail(SSL_alert_desc_string_long(what));
  peer_closed_ = true;
  return ChannelStatus::closed;
}

// Tickets are passed over, also where they come in pieces; a key update is whole.
ChannelStatus TlsRecords::messages(std::span<const char> content) noexcept {
  std::size_t at = 0;
  while (at < content.size()) {
    if (message_head_size_ < message_head_.size()) {
      message_head_[message_head_size_++] = byte_of(content[at++]);
      if (message_head_size_ == message_head_.size() && !begin_message()) {
        return fail("an unexpected handshake message");
      }
    } else if (message_head_[0] == message_key_update) {
      const unsigned char request = byte_of(content[at++]);
      return key_update(request, at == content.size());
    } else {
      const std::size_t skipped = std::min(message_left_, content.size() - at);
      at += skipped;
      message_left_ -= skipped;
      if (message_left_ == 0) message_head_size_ = 0;
    }
  }
  return ChannelStatus::need_more;
}

bool TlsRecords::begin_message() noexcept {
  message_left_ =
      std::size_t{message_head_[1]} << 16 | std::size_t{message_head_[2]} << 8 | message_head_[3];
  if (message_head_[0] == message_key_update) return message_left_ == 1;
  return message_head_[0] == message_ticket && message_left_ > 0 && message_left_ <= ticket_max;
}

ChannelStatus TlsRecords::key_update(unsigned char request, bool last) noexcept {
  message_head_size_ = 0;
  if (request > 1 || !last) return fail("a malformed key update");
  if (!reads_->renew()) return fail("no new keys");
  owes_update_ = owes_update_ || request == 1;
  return ChannelStatus::need_more;
}

// --- sending
std::size_t TlsRecords::sealed_bytes(std::size_t plain) noexcept {
  const std::size_t records = plain / record::content_max + 1;
  constexpr std::size_t update = record::overhead + 5;
  return plain + records * record::overhead + update;
}

bool TlsRecords::put(std::span<const char> content, record::Type type, std::span<char>& out,
                     std::size_t& written) noexcept {
  if (!writes_->seal(content, type, out.data())) {
    fail("a record could not be sealed");
    return false;
  }
  out = out.subspan(content.size() + record::overhead);
  written += content.size() + record::overhead;
  return true;
}

std::size_t TlsRecords::seal(std::span<const char> plain, std::span<char> out) noexcept {
  if (failure_ != nullptr || closed_ || out.size() < sealed_bytes(plain.size())) return 0;
  std::size_t written = 0;
  if (owes_update_) {
    constexpr std::array<char, 5> not_requested{message_key_update, 0, 0, 1, 0};
    if (!put(not_requested, record::handshake, out, written)) return 0;
    if (!writes_->renew()) {
      fail("no new keys");
      return 0;
    }
    owes_update_ = false;
  }
  while (!plain.empty()) {
    const auto content = plain.first(std::min(plain.size(), record::content_max));
    plain = plain.subspan(content.size());
    if (!put(content, record::application_data, out, written)) return 0;
  }
  return written;
}

std::size_t TlsRecords::seal_close(std::span<char> out) noexcept {
  constexpr std::array<char, 2> close_notify{alert_warning, alert_close_notify};
  if (failure_ != nullptr || closed_ || out.size() < close_notify.size() + record::overhead) {
    return 0;
  }
  closed_ = true;
  std::size_t written = 0;
  return put(close_notify, record::alert, out, written) ? written : 0;
}

}  // namespace gimbal
