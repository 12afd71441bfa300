// Records of TLS 1.3 as gimbal seals and opens them, against OpenSSL at the other end.
#include "engine/wire/tls_records.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/wire/openssl_peer.hpp"

namespace gimbal {
namespace {

using namespace std::string_view_literals;
using test::OpensslPeer;

std::string text_of(std::size_t size, int salt = 0) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) {
    text[i] = static_cast<char>('a' + (i * 7 + static_cast<std::size_t>(salt)) % 26);
  }
  return text;
}

OpensslPeer::Setup suite(const char* name) {
  return [name](SSL_CTX* c) { SSL_CTX_set_ciphersuites(c, name); };
}

class TlsSuite : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Every, TlsSuite,
                         testing::Values("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                                         "TLS_CHACHA20_POLY1305_SHA256"));

TEST_P(TlsSuite, WhatEitherEndSealsTheOtherOpens) {
  OpensslPeer peer{suite(GetParam())};
  EXPECT_EQ(peer.channel->describe(), std::string{"TLSv1.3 "} + GetParam());
  ChannelStatus status{};
  for (const std::size_t size :
       {1UL, 2UL, 15UL, 16UL, 17UL, 280UL, 16'383UL, 16'384UL, 16'385UL, 50'000UL}) {
    const std::string text = text_of(size);
    ASSERT_TRUE(peer.channel->write(text)) << size;
    EXPECT_EQ(peer.hear(), text);
    peer.say(text);
    EXPECT_EQ(peer.read(peer.wire(), status), text) << size;
    EXPECT_EQ(status, ChannelStatus::need_more);
  }
}

// The same plain texts to two ends with the same keys would need the same handshake: here every
// record is judged by the peer, which knows one nonce for each.
TEST_P(TlsSuite, LookingOverTheKeysChangesNoRecord) {
  OpensslPeer peer{suite(GetParam())};
  ChannelStatus status{};
  for (int n = 0; n < 20; ++n) {
    for (int looks = 0; looks < n % 4; ++looks) peer.channel->look_over();
    EXPECT_TRUE(peer.channel->out().empty()) << "nothing comes out of a look";
    const std::string text = text_of(300, n);
    ASSERT_TRUE(peer.channel->write(text));
    peer.channel->look_over();
    EXPECT_EQ(peer.hear(), text) << n;
    peer.say(text);
    EXPECT_EQ(peer.read(peer.wire(), status), text) << n;
  }
  ASSERT_EQ(SSL_key_update(peer.ssl(), SSL_KEY_UPDATE_REQUESTED), 1);
  peer.say("new keys");
  EXPECT_EQ(peer.read(peer.wire(), status), "new keys");
  peer.channel->look_over();
  ASSERT_TRUE(peer.channel->write("under them"sv));
  EXPECT_EQ(peer.hear(), "under them");
}

TEST_P(TlsSuite, KeysAreRenewedInBothDirectionsAsOftenAsThePeerAsks) {
  OpensslPeer peer{suite(GetParam())};
  ChannelStatus status{};
  for (int round = 0; round < 5; ++round) {
    ASSERT_EQ(SSL_key_update(peer.ssl(), SSL_KEY_UPDATE_REQUESTED), 1);
    const std::string text = text_of(100, round);
    peer.say(text);  // behind the key update, under the new keys
    EXPECT_EQ(peer.read(peer.wire(), status), text);
    ASSERT_TRUE(peer.channel->write(text));
    EXPECT_EQ(peer.hear(), text) << "our answer to the update comes before our data";
  }
  ASSERT_EQ(SSL_key_update(peer.ssl(), SSL_KEY_UPDATE_NOT_REQUESTED), 1);
  peer.say("one way");
  EXPECT_EQ(peer.read(peer.wire(), status), "one way");
  ASSERT_TRUE(peer.channel->write("still the old keys"sv));
  EXPECT_EQ(peer.hear(), "still the old keys");
}

TEST(TlsRecords, ARecordMayArriveInPiecesOfAnySizeAndBeReadIntoAnyRoom) {
  const std::string text = text_of(3000);
  for (const std::size_t piece : {1UL, 3UL, 4UL, 5UL, 6UL, 64UL, 1000UL, 1'000'000UL}) {
    for (const std::size_t room : {1UL, 100UL, 3000UL, 3001UL, 32'768UL}) {
      OpensslPeer peer;
      peer.say(text);
      peer.say("second");
      ChannelStatus status{};
      EXPECT_EQ(peer.read(peer.wire(), status, piece, room), text + "second")
          << piece << ' ' << room;
      EXPECT_EQ(status, ChannelStatus::need_more);
    }
  }
}

TEST(TlsRecords, WhatIsFedBehindUnreadBytesIsReadBehindThem) {
  OpensslPeer peer;
  peer.say("first");
  const std::string first = peer.wire();
  peer.say("second");
  const std::string second = peer.wire();
  peer.channel->feed(first);
  peer.channel->feed(second);
  std::string text(100, '\0');
  std::size_t got = 0;
  ASSERT_EQ(peer.channel->read(text, got), ChannelStatus::ok);
  EXPECT_EQ(text.substr(0, got), "first");
  ASSERT_EQ(peer.channel->read(text, got), ChannelStatus::ok);
  EXPECT_EQ(text.substr(0, got), "second");
  EXPECT_EQ(peer.channel->read(text, got), ChannelStatus::need_more);
}

TEST(TlsRecords, PaddingIsTakenOff) {
  OpensslPeer peer{[](SSL_CTX* c) { SSL_CTX_set_block_padding(c, 512); }};
  ChannelStatus status{};
  peer.say("padded");
  const std::string wire = peer.wire();
  EXPECT_GT(wire.size(), 512U);
  EXPECT_EQ(peer.read(wire, status), "padded");
}

TEST(TlsRecords, SessionTicketsArePassedOver) {
  OpensslPeer peer{[](SSL_CTX* c) { SSL_CTX_set_num_tickets(c, 4); }};
  ChannelStatus status{};
  peer.say("behind the tickets");
  EXPECT_EQ(peer.read(peer.wire(), status), "behind the tickets");
  for (int n = 0; n < 3; ++n) {
    ASSERT_EQ(SSL_new_session_ticket(peer.ssl()), 1);
    peer.say("and later ones");
    EXPECT_EQ(peer.read(peer.wire(), status, 7), "and later ones");
  }
}

TEST(TlsRecords, CloseNotifyIsToldApartFromACutInBothDirections) {
  OpensslPeer peer;
  ChannelStatus status{};
  peer.say("last words");
  ASSERT_GE(SSL_shutdown(peer.ssl()), 0);
  EXPECT_EQ(peer.read(peer.wire(), status), "last words");
  EXPECT_EQ(status, ChannelStatus::closed);
  peer.channel->write_close();
  EXPECT_FALSE(peer.channel->write("too late"sv));
  EXPECT_EQ(peer.hear(), "");
  EXPECT_EQ(SSL_get_shutdown(peer.ssl()) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
  peer.channel->write_close();
  EXPECT_TRUE(peer.channel->out().empty()) << "said once";
}

TEST(TlsRecords, AFatalAlertSaysWhy) {
  OpensslPeer peer;
  ASSERT_TRUE(peer.channel->write("hello"sv));
  std::string broken{peer.channel->out().data(), peer.channel->out().size()};
  broken.back() = static_cast<char>(broken.back() ^ 1);
  peer.channel->sent(broken.size());
  BIO_write(SSL_get_rbio(peer.ssl()), broken.data(), static_cast<int>(broken.size()));
  EXPECT_EQ(peer.hear(), "");  // OpenSSL finds it and says so
  ChannelStatus status{};
  EXPECT_EQ(peer.read(peer.wire(), status), "");
  EXPECT_EQ(status, ChannelStatus::failed);
  EXPECT_EQ(peer.channel->last_error(), "bad record mac");
}

TEST(TlsRecords, AnyChangedBitOfARecordEndsTheConnectionAndGivesNothing) {
  const std::string text = "an order that nobody sent";
  for (std::size_t bit = 0;; bit += 5) {
    OpensslPeer peer;
    peer.say(text);
    std::string wire = peer.wire();
    if (bit >= wire.size() * 8) break;
    wire[bit / 8] = static_cast<char>(wire[bit / 8] ^ (1 << bit % 8));
    wire += std::string(17'000, 'x');  // so that a longer length finds its bytes
    ChannelStatus status{};
    EXPECT_EQ(peer.read(wire, status), "") << bit;
    EXPECT_EQ(status, ChannelStatus::failed) << bit;
    EXPECT_NE(peer.channel->last_error(), "");
    EXPECT_FALSE(peer.channel->write("more"sv));
    std::size_t got = 0;
    std::string room(100, '\0');
    EXPECT_EQ(peer.channel->read(room, got), ChannelStatus::failed) << "for good";
  }
}

TEST(TlsRecords, ARecordThatIsRepeatedLeftOutOrSwappedIsRefused) {
  for (const int what : {0, 1, 2}) {
    OpensslPeer peer;
    peer.say("one");
    const std::string one = peer.wire();
    peer.say("two");
    const std::string two = peer.wire();
    ChannelStatus status{};
    const std::string wire = what == 0 ? one + one : what == 1 ? two : two + one;
    EXPECT_EQ(peer.read(wire, status), what == 0 ? "one" : "");
    EXPECT_EQ(status, ChannelStatus::failed);
    EXPECT_EQ(peer.channel->last_error(), "a record that is not authentic");
  }
}

TEST(TlsRecords, ARecordInTheClearBehindTheHandshakeIsRefused) {
  OpensslPeer peer;
  ChannelStatus status{};
  const std::string alert{"\x15\x03\x03\x00\x02\x01\x00", 7};
  EXPECT_EQ(peer.read(alert, status), "");
  EXPECT_EQ(status, ChannelStatus::failed);
  EXPECT_EQ(peer.channel->last_error(), "a record that is not encrypted");
}

TEST(TlsRecords, Tls12StaysWithOpenssl) {
  OpensslPeer peer{[](SSL_CTX* c) { SSL_CTX_set_max_proto_version(c, TLS1_2_VERSION); }};
  ChannelStatus status{};
  const std::string text = text_of(40'000);
  ASSERT_TRUE(peer.channel->write(text));
  EXPECT_EQ(peer.hear(), text);
  peer.say(text);
  EXPECT_EQ(peer.read(peer.wire(), status, 1000), text);
  EXPECT_EQ(status, ChannelStatus::need_more);
}

TEST(TlsRecords, AWriteThatDoesNotFitLeavesTheConnectionAsItWas) {
  OpensslPeer peer;
  const std::string large(Channel::out_bytes_default, 'x');
  EXPECT_FALSE(peer.channel->write(large));
  EXPECT_TRUE(peer.channel->out().empty());
  ASSERT_TRUE(peer.channel->write("small"sv));
  EXPECT_EQ(peer.hear(), "small");
}

// Data that the server sends behind its part of the handshake, in one flight with it.
TEST(TlsRecords, DataThatCameWithTheHandshakeIsReadBehindIt) {
  for (const std::size_t piece : {std::size_t{1}, std::size_t{100'000}}) {
    OpensslPeer peer{[](SSL_CTX*) {}, false};
    ASSERT_EQ(peer.channel->handshake(), ChannelStatus::need_more);
    peer.deliver();
    std::size_t size = 0;
    char none = 0;
    ASSERT_EQ(SSL_read_early_data(peer.ssl(), &none, 1, &size), SSL_READ_EARLY_DATA_FINISH);
    ASSERT_EQ(SSL_write_early_data(peer.ssl(), "early", 5, &size), 1);
    const std::string flight = peer.wire();
    ChannelStatus status = ChannelStatus::need_more;
    std::string text;
    for (std::size_t at = 0; at < flight.size(); at += piece) {
      peer.channel->feed(std::span{flight}.subspan(at, std::min(piece, flight.size() - at)));
      if (status == ChannelStatus::need_more) status = peer.channel->handshake();
      if (status != ChannelStatus::ok) continue;
      std::string room(100, '\0');
      for (std::size_t got = 0; peer.channel->read(room, got) == ChannelStatus::ok;) {
        text.append(room, 0, got);
      }
    }
    EXPECT_EQ(status, ChannelStatus::ok) << peer.channel->last_error();
    EXPECT_EQ(text, "early");
    peer.deliver();
    ASSERT_EQ(SSL_do_handshake(peer.ssl()), 1);
    ASSERT_TRUE(peer.channel->write("hello"sv));
    EXPECT_EQ(peer.hear(), "hello");
  }
}

TEST(TlsRecords, APeerThatAsksForAnotherGroupIsServed) {
  OpensslPeer peer{[](SSL_CTX* c) { SSL_CTX_set1_groups_list(c, "P-384"); }};
  ChannelStatus status{};
  ASSERT_TRUE(peer.channel->write("hello"sv));
  EXPECT_EQ(peer.hear(), "hello");
  peer.say("and back");
  EXPECT_EQ(peer.read(peer.wire(), status), "and back");
}

TEST(TlsRecords, NothingPassesAChannelBeforeItsHandshakeIsDone) {
  OpensslPeer peer{[](SSL_CTX*) {}, false};
  std::string room(100, '\0');
  std::size_t got = 0;
  const auto refuses = [&] {
    return !peer.channel->write("an order"sv) &&
           peer.channel->read(room, got) == ChannelStatus::failed;
  };
  EXPECT_TRUE(refuses());
  EXPECT_TRUE(peer.channel->out().empty()) << "not even a hello";
  ASSERT_EQ(peer.channel->handshake(), ChannelStatus::need_more);
  const std::size_t hello = peer.channel->out().size();
  EXPECT_TRUE(refuses());
  peer.channel->write_close();
  EXPECT_EQ(peer.channel->out().size(), hello);
  peer.shake_hands();
  EXPECT_FALSE(refuses());
}

TEST(TlsRecords, NothingEverPassesToAPeerWhoseKeyIsRefused) {
  OpensslPeer peer{[](SSL_CTX*) {}, false, {SpkiPin{1}, SpkiPin{2}}};
  ChannelStatus status = ChannelStatus::need_more;
  for (int round = 0; round < 4 && status == ChannelStatus::need_more; ++round) {
    status = peer.channel->handshake();
    peer.deliver();
    (void)SSL_do_handshake(peer.ssl());
    const std::string flight = peer.wire();
    if (status == ChannelStatus::need_more) peer.channel->feed(flight);
    if (status == ChannelStatus::need_more) status = peer.channel->handshake();
  }
  EXPECT_EQ(status, ChannelStatus::failed);
  EXPECT_NE(peer.channel->last_error().find("matches no pin"), std::string::npos);
  peer.channel->sent(peer.channel->out().size());
  EXPECT_FALSE(peer.channel->write("an order"sv));
  peer.channel->write_close();
  EXPECT_TRUE(peer.channel->out().empty());
  EXPECT_EQ(peer.channel->handshake(), ChannelStatus::failed) << "asking again opens nothing";
  EXPECT_FALSE(peer.channel->write("an order"sv));
}

// --- what OpenSSL would never send: sealed with the keys of both ends in hand
struct BothEnds {
  BothEnds() {
    TrafficSecret a;
    TrafficSecret b;
    EXPECT_TRUE(a.assign(std::string(64, 'a')));
    EXPECT_TRUE(b.assign(std::string(64, 'b')));
    reader = TlsRecords::make(name, a, b);
    peer = RecordKeys::make(name, a, RecordKeys::Direction::seals);
    peer_reads = RecordKeys::make(name, b, RecordKeys::Direction::opens);
  }
  std::string sealed(std::string_view content, int type) {
    std::string out(content.size() + record::overhead, '\0');
    EXPECT_TRUE(peer->seal(content, static_cast<record::Type>(type), out.data()));
    return out;
  }
  ChannelStatus read(const std::string& wire, std::string* text = nullptr) {
    std::span<const char> in{wire};
    std::string room(32'768, '\0');
    std::size_t got = 0;
    ChannelStatus status = ChannelStatus::ok;
    while ((status = reader->read(in, room, got)) == ChannelStatus::ok) {
      if (text != nullptr) text->append(room, 0, got);
    }
    return status;
  }
  static constexpr std::string_view name = "TLS_AES_128_GCM_SHA256";
  std::unique_ptr<TlsRecords> reader;
  std::unique_ptr<RecordKeys> peer;
  std::unique_ptr<RecordKeys> peer_reads;
};

constexpr int data = record::application_data;
const std::string update_requested{"\x18\0\0\1\1", 5};

TEST(TlsRecords, RefusesWhatTheProtocolForbidsAndSaysWhich) {
  struct Row {
    std::string content;
    int type;
    const char* says;
  };
  const std::string ticket{"\x04\0\0\4abcd", 8};
  for (const Row& row : {
           Row{"", 0, "a record without a type"},
           Row{"x", 20, "a record of an unexpected type"},
           Row{"x", record::alert, "an alert of another size"},
           Row{"", record::handshake, "a record of an unexpected type"},
           Row{std::string{"\x01\0\0\0", 4}, record::handshake, "an unexpected handshake message"},
           Row{std::string{"\x18\0\0\2\1\1", 6}, record::handshake,
               "an unexpected handshake message"},
           Row{std::string{"\x18\0\0\1\2", 5}, record::handshake, "a malformed key update"},
           Row{update_requested + ticket, record::handshake, "a malformed key update"},
           Row{std::string{"\x04\xff\0\0", 4}, record::handshake,
               "an unexpected handshake message"},
           Row{std::string{"\x02\x28", 2}, record::alert, "handshake failure"},
       }) {
    BothEnds ends;
    EXPECT_EQ(ends.read(ends.sealed(row.content, row.type)), ChannelStatus::failed) << row.says;
    EXPECT_STREQ(ends.reader->failure(), row.says);
  }
}

TEST(TlsRecords, AnyOtherRecordInsideAHandshakeMessageIsRefused) {
  for (const auto& [content, type] :
       {std::pair{std::string{"x"}, data}, std::pair{std::string{}, data},
        std::pair{std::string{"\1\0", 2}, int{record::alert}}}) {
    BothEnds ends;
    EXPECT_EQ(ends.read(ends.sealed(std::string{"\x04\0\0\4ab", 6}, record::handshake)),
              ChannelStatus::need_more);
    EXPECT_EQ(ends.read(ends.sealed(content, type)), ChannelStatus::failed);
    EXPECT_STREQ(ends.reader->failure(), "a record inside a handshake message");
  }
}

TEST(TlsRecords, APeerThatNeverSendsDataIsNotServedForEver) {
  for (const auto& [content, type] :
       {std::pair{std::string{}, data}, std::pair{update_requested, int{record::handshake}}}) {
    BothEnds ends;
    for (int n = 0; n < 32; ++n) {
      ASSERT_EQ(ends.read(ends.sealed(content, type)), ChannelStatus::need_more) << n;
      EXPECT_TRUE(type == data || ends.peer->renew());
    }
    EXPECT_EQ(ends.read(ends.sealed(content, type)), ChannelStatus::failed);
    EXPECT_STREQ(ends.reader->failure(), "too many records without data");
  }
  BothEnds ends;
  std::string text;
  for (int n = 0; n < 100; ++n) {
    const std::string empty = ends.sealed("", data);
    ASSERT_EQ(ends.read(empty + ends.sealed("x", data), &text), ChannelStatus::need_more);
  }
  EXPECT_EQ(text, std::string(100, 'x'));
}

TEST(TlsRecords, SeveralRequestsForNewKeysAreAnsweredByOneUpdateBeforeTheNextData) {
  BothEnds ends;
  for (int n = 0; n < 3; ++n) {
    ASSERT_EQ(ends.read(ends.sealed(update_requested, record::handshake)),
              ChannelStatus::need_more);
    ASSERT_TRUE(ends.peer->renew());
  }
  std::string out(200, '\0');
  EXPECT_EQ(ends.reader->seal("x"sv, std::span{out}.first(10)), 0U) << "no room: owed on";
  const std::size_t size = ends.reader->seal("x"sv, out);
  ASSERT_EQ(size, 5 + 1 + 2 * record::overhead);
  std::string plain(200, '\0');
  ASSERT_TRUE(ends.peer_reads->open(out.data(), 5 + 1 + 16, plain.data()));
  EXPECT_EQ(plain.substr(0, 6), (std::string{"\x18\0\0\1\0\x16", 6}));
  ASSERT_TRUE(ends.peer_reads->renew());
  ASSERT_TRUE(ends.peer_reads->open(out.data() + 27, 1 + 1 + 16, plain.data()));
  EXPECT_EQ(plain.substr(0, 2), "x\x17");
  EXPECT_EQ(ends.reader->seal("x"sv, out), 1 + record::overhead) << "answered once";
}

// The largest record that may come, and one byte more.
TEST(TlsRecords, LengthsAreHeldToTheirBounds) {
  BothEnds ends;
  std::string text;
  EXPECT_EQ(ends.read(ends.sealed(std::string(record::content_max, 'x'), data), &text),
            ChannelStatus::need_more);
  EXPECT_EQ(text.size(), record::content_max);
  EXPECT_EQ(ends.read(ends.sealed(std::string(record::content_max + 1, 'x'), data)),
            ChannelStatus::failed);
  EXPECT_STREQ(ends.reader->failure(), "a record with too much content");
  for (const std::size_t body : {std::size_t{0}, record::tag_bytes, record::body_max + 1}) {
    BothEnds other;
    const std::string head{'\x17', 3, 3, static_cast<char>(body >> 8), static_cast<char>(body)};
    EXPECT_EQ(other.read(head), ChannelStatus::failed) << body;
    EXPECT_STREQ(other.reader->failure(), "a record of a length that cannot be");
  }
}

TEST(TlsRecords, SecretsThatDoNotFitTheirSuiteAreRefused) {
  TrafficSecret secret;
  EXPECT_FALSE(secret.assign(""));
  EXPECT_FALSE(secret.assign("abc"));
  EXPECT_FALSE(secret.assign("zz"));
  EXPECT_FALSE(secret.assign(std::string(98, 'a')));
  ASSERT_TRUE(secret.assign(std::string(64, 'a')));
  EXPECT_NE(RecordKeys::make("TLS_AES_128_GCM_SHA256", secret, RecordKeys::Direction::seals),
            nullptr);
  EXPECT_EQ(RecordKeys::make("TLS_AES_256_GCM_SHA384", secret, RecordKeys::Direction::seals),
            nullptr);
  EXPECT_EQ(RecordKeys::make("TLS_AES_128_CCM_SHA256", secret, RecordKeys::Direction::seals),
            nullptr);
}

}  // namespace
}  // namespace gimbal
