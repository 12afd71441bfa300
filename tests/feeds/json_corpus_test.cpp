// JSON documents with verdicts, against the decoders. A strict reader refuses all that RFC 8259
// forbids and accepts all that it allows. A lazy one may pass over what it does not use, but a
// document that it refuses changes nothing but the validity of the feed.
#include <gtest/gtest.h>

#include <memory>

#include "tests/feeds/deribit_rig.hpp"
#include "tests/support/json_corpus.hpp"

namespace gimbal {
namespace {

using test::JsonCase;
using test::Verdict;

// The document at the end of an allocation of exactly its size and padding: a reader that goes
// beyond is caught by AddressSanitizer.
struct ExactFrame {
  explicit ExactFrame(const std::string& text)
      : bytes{std::make_unique<char[]>(text.size() + frame_padding)}, size{text.size()} {
    std::copy(text.begin(), text.end(), bytes.get());
  }
  [[nodiscard]] Frame frame() const { return {bytes.get(), size, size + frame_padding}; }
  std::unique_ptr<char[]> bytes;
  std::size_t size;
};

struct Reading {
  DecodeStatus status;
  std::vector<Event> events;
};

struct BookRig : test::DeribitRig {
  explicit BookRig(bool strict) {
    config.strict = strict;
    make();
    EXPECT_TRUE(feed->want_book(perp, deribit::Interval::raw));
    open(R"("book.BTC-PERPETUAL.raw")");
    EXPECT_EQ(take(test::book_message("snapshot", 1, -1, R"(["new",100,1])", R"(["new",101,1])")),
              DecodeStatus::ok);
  }
  Reading read(const std::string& document) {
    batch.clear();
    outbox.clear();
    const ExactFrame exact{document};
    now = now + milliseconds(1);
    const DecodeStatus status = feed->on_frame(exact.frame(), now, batch, outbox);
    return {status, events()};
  }
};

TEST(JsonCorpus, HoldsEnoughOfEveryVerdict) {
  std::size_t accepts = 0, rejects = 0;
  for (const JsonCase& c : test::json_corpus()) {
    accepts += c.verdict == Verdict::accept ? 1 : 0;
    rejects += c.verdict == Verdict::reject ? 1 : 0;
  }
  EXPECT_GE(accepts, 80u);
  EXPECT_GE(rejects, 200u);
}

TEST(JsonCorpus, AStrictReaderGivesEveryVerdict) {
  for (const JsonCase& c : test::json_corpus()) {
    BookRig rig{true};
    const bool refused = rig.read(c.document).status == DecodeStatus::malformed;
    if (c.verdict != Verdict::either) {
      EXPECT_EQ(refused, c.verdict == Verdict::reject) << c.name << ": " << rig.feed->last().reason;
    }
    EXPECT_TRUE(!refused || !rig.feed->last().reason.empty()) << c.name;
  }
}

TEST(JsonCorpus, ALazyReaderRefusesWhatItLooksAtAndAcceptsEveryMessage) {
  for (const JsonCase& c : test::json_corpus()) {
    BookRig rig{false};
    const DecodeStatus status = rig.read(c.document).status;
    const bool message = c.name.starts_with("messages/");
    if (message && c.verdict == Verdict::accept) {
      EXPECT_NE(status, DecodeStatus::malformed) << c.name << ": " << rig.feed->last().reason;
    }
    const bool seen = c.name.starts_with("messages/book_") || c.name.starts_with("encoding/");
    if (seen) { EXPECT_EQ(status, DecodeStatus::malformed) << c.name; }
  }
}

// Nothing but "invalid", and then the very next snapshot is taken as if nothing had been there.
TEST(JsonCorpus, ARefusedDocumentChangesNothingButTheValidity) {
  for (const bool strict : {false, true}) {
    for (const JsonCase& c : test::json_corpus()) {
      BookRig rig{strict};
      const Reading reading = rig.read(c.document);
      if (reading.status != DecodeStatus::malformed) continue;
      for (const Event& e : reading.events) {
        ASSERT_EQ(e.kind(), EventKind::feed_status) << c.name;
        EXPECT_EQ(e.as<FeedStatus>().state, FeedState::invalid) << c.name;
        EXPECT_EQ(e.as<FeedStatus>().reason, FeedReason::malformed) << c.name;
      }
      EXPECT_LE(reading.events.size(), 1u) << c.name;
      EXPECT_FALSE(rig.feed->book_valid(rig.perp)) << c.name;
      // A change after it is not applied: the book waits for its snapshot.
      const auto change = rig.read(test::book_message("change", 2, 1, R"(["new",100,2])", ""));
      EXPECT_TRUE(change.events.empty()) << c.name;
    }
  }
}

TEST(JsonCorpus, EveryCutOfAMessageIsRefusedOrCompleteAndNeverApplied) {
  const std::string whole =
      test::book_message("change", 2, 1, R"(["change",1.0e2,2],["delete",99.5,0])", "");
  for (std::size_t size = 1; size < whole.size(); ++size) {
    BookRig rig{false};
    const Reading reading = rig.read(whole.substr(0, size));
    EXPECT_EQ(reading.status, DecodeStatus::malformed) << size;
    for (const Event& e : reading.events) EXPECT_EQ(e.kind(), EventKind::feed_status) << size;
  }
}

}  // namespace
}  // namespace gimbal
