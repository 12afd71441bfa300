// `gimbal decode`: recorded or piped venue messages as normalised JSON lines. Cold.
//
// One message per line; a line may also be a reply, a request, an error, a heartbeat or a bare
// result. Instruments are learnt from the names in the data. Private messages (user.*) are read by
// the gateway's decoder. Nothing is skipped without being counted on stderr. Files are separate
// recordings: no change_id chain runs from one into the next.
#include <fstream>
#include <iostream>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "feeds/deribit/decoder.hpp"
#include "ops/app/commands.hpp"
#include "ops/app/decode_lines.hpp"
#include "ops/cli/command_line.hpp"
#include "venues/deribit/private_reader.hpp"
#include "venues/deribit/reports.hpp"

namespace gimbal {
namespace {

constexpr std::size_t line_max = std::size_t{16} << 20;

struct DecodeCommand {
  std::string venue{"deribit"};
  std::vector<std::string> files;
  std::string label_tag;
  bool top{false};
  bool strict{false};
};

struct Summary {
  std::uint64_t messages{0};
  std::uint64_t events{0};
  std::uint64_t private_messages{0};
  std::uint64_t private_other{0};
  std::uint64_t malformed{0};
  std::uint64_t gaps{0};
  std::uint64_t combo_rows{0};
};

class Decoder {
 public:
  explicit Decoder(const DecodeCommand& command)
      : command_{command}, feed_{config(command), symbols_}, private_{line_max}, batch_{65536} {
    feed_.set_learner(&Decoder::learn, this);
  }

  void begin_file(const std::string& name) {
    file_ = name;
    line_ = 0;
    books_.clear();
    batch_.clear();
    feed_.on_close({}, batch_);
    batch_.clear();
  }
  // `whole`: false when the line went on beyond line_max.
  void message(std::string_view text, bool whole);
  void end_file() {
    if (command_.strict && line_ == 0) {
      ++summary_.messages;
      refuse("an empty file holds no document");
    }
  }
  void print_summary() const;
  [[nodiscard]] bool clean() const { return summary_.malformed == 0; }

 private:
  static deribit::FeedConfig config(const DecodeCommand& command) {
    deribit::FeedConfig c;
    c.frame_max = line_max;
    c.channels_max = 65536;
    c.learn = true;
    c.strict = command.strict;
    c.heartbeat_s = 0;
    return c;
  }
  // An id for every name; what kind it is follows from the name.
  static InstrumentId learn(void* self, std::string_view name) {
    auto& symbols = static_cast<Decoder*>(self)->symbols_;
    const InstrumentId id{static_cast<std::uint16_t>(symbols.size())};
    return symbols.add(name, id) ? id : InstrumentId{};
  }
  InstrumentId known(std::string_view name) {
    const InstrumentId id = symbols_.find(name);
    return id.valid() ? id : learn(this, name);
  }
  void private_message(const Frame& frame);
  void complain(std::string_view what) {
    std::cerr << file_ << ':' << line_ << ": " << what << '\n';
  }
  void refuse(std::string_view why) {
    ++summary_.malformed;
    complain("malformed: " + std::string{why});
  }
  void emit();

  DecodeCommand command_;
  deribit::SymbolTable symbols_;
  deribit::DeribitFeed feed_;
  deribit::PrivateReader private_;
  EventBatch batch_;
  Outbox outbox_;
  EventLines lines_{symbols_};
  TopBooks books_;
  std::vector<char> bytes_;
  std::string file_;
  std::size_t line_{0};
  Summary summary_{};
};

void Decoder::emit() {
  for (const Event& event : batch_.committed()) {
    const std::string line = lines_.line(event);
    if (line.empty()) continue;  // an event of several records is one line, at its last record
    ++summary_.events;
    if (!command_.top) std::cout << line << '\n';
  }
}

void Decoder::private_message(const Frame& frame) {
  const deribit::PrivateFrame& read = private_.read(frame);
  if (read.shape == deribit::PrivateShape::malformed) return refuse(read.reason);
  ++summary_.private_messages;
  if (read.channel == deribit::PrivateChannel::other) ++summary_.private_other;
  for (const auto& row : read.orders) {
    if (!deribit::is_combo_name(row.instrument)) (void)known(row.instrument);
  }
  for (const auto& row : read.trades) {
    if (!deribit::is_combo_name(row.instrument)) (void)known(row.instrument);
  }
  for (const auto& row : read.positions) {
    if (!deribit::is_combo_name(row.instrument)) (void)known(row.instrument);
  }
  batch_.clear();
  const deribit::ReportContext c{{}, command_.label_tag, &symbols_, {}, 0, &batch_};
  const auto count = [&](deribit::Reported r) {
    if (r == deribit::Reported::combo) ++summary_.combo_rows;
  };
  for (const auto& row : read.trades) count(deribit::report_fill(c, row));
  for (const auto& row : read.orders) count(deribit::report_state(c, row, OrderAction::place));
  for (const auto& row : read.positions) count(deribit::report_position(c, row));
  for (const auto& row : read.margins) count(deribit::report_margin(c, row));
  batch_.commit();
  emit();
}

void Decoder::message(std::string_view text, bool whole) {
  ++line_;
  const bool blank = text.find_first_not_of(" \t\r") == std::string_view::npos;
  if (blank && !command_.strict) return;
  ++summary_.messages;
  if (blank) return refuse("an empty line is no document");
  if (!whole) return refuse("the line is longer than " + std::to_string(line_max) + " bytes");
  bytes_.assign(text.begin(), text.end());
  bytes_.resize(text.size() + frame_padding, '\0');
  const Frame frame{bytes_.data(), text.size(), bytes_.size()};
  batch_.clear();
  outbox_.clear();
  const RecvTime now{static_cast<std::int64_t>(summary_.messages)};
  const DecodeStatus status = feed_.on_frame(frame, now, batch_, outbox_);
  const auto& last = feed_.last();
  if (last.ignored == deribit::Ignored::private_channel) return private_message(frame);
  if (status == DecodeStatus::malformed) refuse(last.reason);
  if (status == DecodeStatus::sequence_gap) {
    ++summary_.gaps;
    complain("gap in " + std::string{last.channel} + ": prev_change_id should be " +
             std::to_string(last.expected) + " but is " + std::to_string(last.found));
  }
  emit();
  const bool book =
      last.kind == deribit::ChannelKind::book || last.kind == deribit::ChannelKind::grouped_book;
  if (!book || last.channel.empty()) return;
  books_.apply(last.channel, batch_.committed());
  if (!command_.top) return;
  const std::string_view name = deribit_channel_instrument(last.channel);
  std::cout << books_.line(last.channel, name, last.change_id, last.book_valid) << '\n';
}

void Decoder::print_summary() const {
  std::cerr << "messages " << summary_.messages << ", events " << summary_.events << ", malformed "
            << summary_.malformed << ", gaps " << summary_.gaps << '\n';
  std::cerr << "ignored:";
  const auto& ignored = feed_.counters().ignored;
  bool any = false;
  for (std::size_t i = 1; i < ignored.size(); ++i) {
    const auto why = static_cast<deribit::Ignored>(i);
    if (ignored[i] == 0 || why == deribit::Ignored::private_channel) continue;
    std::cerr << (any ? ", " : " ") << deribit::text(why) << ' ' << ignored[i];
    any = true;
  }
  if (summary_.private_other > 0) {
    std::cerr << (any ? ", " : " ") << "private_other " << summary_.private_other;
    any = true;
  }
  if (summary_.combo_rows > 0) {
    std::cerr << (any ? ", " : " ") << "combo_rows " << summary_.combo_rows;
    any = true;
  }
  std::cerr << (any ? "\n" : " none\n");
  const auto bare = ignored[static_cast<std::size_t>(deribit::Ignored::bare_result)];
  if (bare > 1 && bare == summary_.messages) {
    std::cerr << "note: no message has the envelope of " << command_.venue
              << "; is it another venue's recording?\n";
  }
}

// Lines of a stream. Of an endless one only the first line_max bytes are kept.
class LineReader {
 public:
  LineReader() : buffer_(line_max + 1) {}
  // False at the end of the stream.
  bool next(std::istream& in, std::string_view& line, bool& whole) {
    in.getline(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
    const auto got = static_cast<std::size_t>(in.gcount());
    whole = true;
    if (in.fail()) {
      if (in.bad() || (in.eof() && got == 0)) return false;
      in.clear();  // the line did not fit
      whole = false;
      in.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
      line = {buffer_.data(), got};
      return true;
    }
    // The newline is counted and not stored; the last line may have none.
    line = {buffer_.data(), in.eof() ? got : got - 1};
    return true;
  }

 private:
  std::vector<char> buffer_;
};

bool decode_stream(std::istream& in, Decoder& decoder) {
  LineReader lines;
  std::string_view line;
  bool whole = true;
  while (lines.next(in, line, whole)) decoder.message(line, whole);
  decoder.end_file();
  return !in.bad();
}

int decode(const DecodeCommand& command) {
  if (command.venue != "deribit") {
    std::cerr << "gimbal decode: venue '" << command.venue << "' is unknown; known: deribit\n";
    return exit_usage;
  }
  std::ios::sync_with_stdio(false);
  auto decoder = std::make_unique<Decoder>(command);
  std::vector<std::string> files = command.files;
  if (files.empty()) files.emplace_back("-");
  for (const std::string& file : files) {
    const std::string shown = file == "-" ? "standard input" : file;
    decoder->begin_file(shown);
    if (file == "-") {
      (void)decode_stream(std::cin, *decoder);
      continue;
    }
    std::ifstream in{file, std::ios::binary};
    // A folder opens, but not a byte of it can be read.
    if (!in || (in.peek() == std::ifstream::traits_type::eof() && in.bad())) {
      std::cerr << "gimbal decode: " << shown
                << " cannot be read; give a file with one message per line, or -\n";
      return exit_usage;
    }
    in.clear();
    if (!decode_stream(in, *decoder)) {
      std::cerr << "gimbal decode: " << shown << ": reading stopped early\n";
      return exit_failed;
    }
  }
  std::cout.flush();
  decoder->print_summary();
  if (!std::cout) {
    std::cerr << "gimbal decode: the output could not be written\n";
    return exit_failed;
  }
  return decoder->clean() ? exit_done : exit_failed;
}

}  // namespace

void add_decode(cli::Command app, int& exit_code) {
  auto options = std::make_shared<DecodeCommand>();
  auto command = app.add_subcommand("decode", "Print recorded venue messages as events");
  command.add_option("--venue", options->venue, "Whose messages these are").shows_default();
  command.add_option("files", options->files,
                     "Files with one message per line; - or none: standard input");
  command.add_flag("--top", options->top,
                   "After each message that touches a book, its best bid and ask");
  command.add_flag("--strict", options->strict,
                   "Validate whole documents, members that are not used included");
  command.add_option("--label-tag", options->label_tag,
                     "Tag of our own order labels; other orders show order 0");
  command.footer(
      "Exit code: 0 every line was understood, 1 some line was malformed (named on stderr),\n"
      "2 bad usage. Gaps in a book's change ids are reported on stderr and are no failure.\n"
      "A line may have 16 MiB. With --strict an empty line or file is malformed too.\n\n"
      "Example:\n  gimbal decode --venue deribit --top recording.jsonl");
  command.callback([options, &exit_code] { exit_code = decode(*options); });
}

}  // namespace gimbal
