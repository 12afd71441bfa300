#include "ops/app/risk_module.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

#include "ops/app/control.hpp"

namespace gimbal {

static_assert(sizeof(gimbal_event) == sizeof(Event) && sizeof(gimbal_row) == sizeof(EnvelopeRow));
static_assert(sizeof(gimbal_events_head) == 4096 && sizeof(gimbal_name) == 64);
static_assert(offsetof(gimbal_events_head, claimed) == 128);
static_assert(offsetof(gimbal_envelope, epoch) == 24 && offsetof(gimbal_envelope, row) == 128);
static_assert(offsetof(gimbal_row, buy_max_nano) == offsetof(EnvelopeRow, buy_max));
static_assert(GIMBAL_ROWS_MAX == envelope_rows_max && GIMBAL_NAMES_MAX == instruments_max);
static_assert(GIMBAL_VETO_GROWTH == module_veto::growth && GIMBAL_VETO_BUY == module_veto::buy);
static_assert(GIMBAL_VETO_SELL == module_veto::sell && GIMBAL_NO_OPINION == no_opinion.nano);

namespace {

// Our clock is the TSC, held to the kernel's: a stamp of the kernel's may be that much ahead.
constexpr Nanos clock_slack = milliseconds(2);

}  // namespace

const char* text_of(EnvelopeFault fault) noexcept {
  switch (fault) {
    case EnvelopeFault::none: return "";
    case EnvelopeFault::size: return "not as long as its rows";
    case EnvelopeFault::form: return "of another version";
    case EnvelopeFault::made: return "made in the future, or not after the one before";
    case EnvelopeFault::ttl: return "its time to live is not positive";
    case EnvelopeFault::rows: return "too many rows";
    case EnvelopeFault::order: return "rows do not ascend by instrument";
    case EnvelopeFault::instrument: return "a row of an instrument that does not exist";
    case EnvelopeFault::veto: return "a veto bit that is not known";
    case EnvelopeFault::amount: return "a negative amount";
    case EnvelopeFault::reserved: return "a byte that must be zero is not";
  }
  return "not known";
}

RiskModule::~RiskModule() {
  if (envelope_fd_ >= 0) ::close(envelope_fd_);
}

Outcome RiskModule::open(Setup setup) {
  setup_ = std::move(setup);
  if (Outcome o = make_private_directory(setup_.directory); !o) return o;
  const std::string events = setup_.directory + "/events";
  if (Outcome o = events_.open(events, GIMBAL_EVENTS_BYTES, true, 0640, true); !o) return o;
  head_ = static_cast<gimbal_events_head*>(events_.data());
  names_ = reinterpret_cast<gimbal_name*>(head_ + 1);
  ring_ = reinterpret_cast<gimbal_event*>(names_ + GIMBAL_NAMES_MAX);
  begin_events();
  return open_envelope(setup_.directory + "/envelope");
}

// A module that has the page mapped sees the epoch change and begins anew.
void RiskModule::begin_events() noexcept {
  gimbal_store(&head_->magic, 0);
  gimbal_store(&head_->names, 0);
  gimbal_store(&head_->claimed, 0);
  gimbal_store(&head_->written, 0);
  head_->abi = GIMBAL_ABI;
  head_->slots = GIMBAL_SLOTS;
  head_->names_max = GIMBAL_NAMES_MAX;
  head_->epoch = setup_.epoch;
  head_->ttl_max_ns = setup_.ttl.count;
  std::memset(head_->module, 0, sizeof head_->module);
  std::memcpy(head_->module, setup_.name.data(),
              std::min(setup_.name.size(), sizeof head_->module - 1));
  gimbal_store(&head_->magic, GIMBAL_EVENTS_MAGIC);
}

Outcome RiskModule::open_envelope(const std::string& path) {
  envelope_fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0660);
  if (envelope_fd_ < 0) return Outcome::system("open", path);
  struct stat info {};
  if (::fstat(envelope_fd_, &info) != 0) return Outcome::system("examine", path);
  if (!S_ISREG(info.st_mode)) return Outcome::failure(path + ": not a regular file");
  if (info.st_uid != ::geteuid()) return Outcome::failure(path + ": belongs to another user");
  if (::fchmod(envelope_fd_, 0660) != 0) return Outcome::system("set the mode of", path);
  if (::ftruncate(envelope_fd_, static_cast<off_t>(sizeof page_)) != 0) {
    return Outcome::system("size", path);
  }
  return {};
}

void RiskModule::list(std::string_view symbol, const Instrument& i) noexcept {
  if (listed_ >= GIMBAL_NAMES_MAX) return;
  gimbal_name& name = names_[listed_];
  std::memset(&name, 0, sizeof name);
  std::memcpy(name.text, symbol.data(), std::min(symbol.size(), sizeof name.text - 1));
  name.lot_nano = i.lot.nano;
  name.venue = i.venue.value;
  name.underlying = i.underlying.value;
  name.kind = static_cast<std::uint8_t>(i.kind);
  name.option = static_cast<std::uint8_t>(i.option);
  gimbal_store(&head_->names, ++listed_);
}

void RiskModule::put(const Event& event) noexcept {
  std::array<std::uint64_t, sizeof event / 8> words;
  std::memcpy(words.data(), &event, sizeof event);
  auto* slot = reinterpret_cast<std::uint64_t*>(&ring_[written_ % GIMBAL_SLOTS]);
  gimbal_store(&head_->claimed, written_ + 1);
  for (const std::uint64_t word : words) gimbal_store(slot++, word);
  gimbal_store(&head_->written, ++written_);
  newest_ = event.seq().value;
}

// A module holds a lock on its file for as long as it lives.
bool RiskModule::held() const noexcept {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return ::fcntl(envelope_fd_, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

bool RiskModule::read(void* to, std::size_t bytes, std::size_t offset) const noexcept {
  return ::pread(envelope_fd_, to, bytes, static_cast<off_t>(offset)) ==
         static_cast<ssize_t>(bytes);
}

bool RiskModule::sized() const noexcept {
  struct stat info {};
  return ::fstat(envelope_fd_, &info) == 0 && info.st_size == static_cast<off_t>(sizeof page_);
}

// A whole envelope that was not looked at yet is in page_, or its magic is 0: the file is not the
// size of one, which is made right for the next. What is being written is left alone: a module that
// dies over it is late.
bool RiskModule::fresh(RecvTime now) {
  if (now < due_) return false;
  std::uint64_t change = 0;
  std::uint64_t after = 0;
  const std::size_t at = offsetof(gimbal_envelope, change);
  const bool begun = read(&change, sizeof change, at);
  if (!sized()) {
    page_.magic = 0;
    (void)!::ftruncate(envelope_fd_, static_cast<off_t>(sizeof page_));
  } else if (!begun || change == seen_ || (change & 1u) != 0) {
    return false;
  } else if (!read(&page_, sizeof page_, 0) || !read(&after, sizeof after, at) || after != change ||
             page_.change != change) {
    return false;
  }
  seen_ = change;
  due_ = now + interval_min;
  return true;
}

// The newest event at this instant, for unseen().
void RiskModule::stamp(RecvTime now) noexcept {
  if (stamped_ > 0) {
    const Stamp& last = stamps_[(stamped_ - 1) % stamps_max];
    if (last.newest == newest_ || now - last.at < Nanos{setup_.ttl.count / 32}) return;
  }
  stamps_[stamped_++ % stamps_max] = {newest_, now};
}

// For how long the module could have seen an event after `as_of`, while its process was there. Zero
// when there is none: a quiet market makes nobody late.
Nanos RiskModule::unseen(std::uint64_t as_of, RecvTime now) const noexcept {
  const std::uint64_t first = stamped_ > stamps_max ? stamped_ - stamps_max : 0;
  for (std::uint64_t n = first; n < stamped_; ++n) {
    const Stamp& stamp = stamps_[n % stamps_max];
    if (stamp.newest > as_of) return now - std::max(stamp.at, held_since_);
  }
  return {};
}

// Empty when the core may have it; it is in block_ then.
std::string RiskModule::judge(RecvTime now) {
  if (page_.magic == 0) return "its file has another size or no envelope";
  if (page_.magic != GIMBAL_ENVELOPE_MAGIC || page_.abi != GIMBAL_ABI) {
    return "not an envelope of this version";
  }
  if (page_.rows > GIMBAL_ROWS_MAX) return text_of(EnvelopeFault::rows);
  if (page_.crc != gimbal_envelope_crc(&page_, page_.rows)) return "its checksum is wrong";
  if (page_.as_of > newest_) return "as of an event that has not happened";
  if (std::any_of(std::begin(page_.zero), std::end(page_.zero),
                  [](std::uint8_t byte) { return byte != 0; })) {
    return text_of(EnvelopeFault::reserved);
  }
  EnvelopeHead head;
  head.module = setup_.number;
  head.rows = static_cast<std::uint16_t>(page_.rows);
  head.as_of = page_.as_of;
  head.made = RecvTime{page_.made_ns};
  if (head.made > now && head.made - now <= clock_slack) head.made = now;
  head.ttl = Nanos{page_.ttl_ns};
  std::memcpy(static_cast<void*>(&head.others), &page_.others, sizeof head.others);
  std::array<EnvelopeRow, envelope_rows_max> rows;
  const std::size_t bytes = page_.rows * sizeof(EnvelopeRow);
  std::memcpy(static_cast<void*>(rows.data()), page_.row, bytes);
  const EnvelopeFault fault = fault_of(head, {rows.data(), page_.rows}, now, made_, listed_);
  if (fault != EnvelopeFault::none) return text_of(fault);
  if (unseen(head.as_of, now) >= std::min(head.ttl, setup_.ttl)) {
    return "its process publishes but has not looked at an event for its time to live";
  }
  std::memcpy(block_.data(), &head, sizeof head);
  std::memcpy(block_.data() + sizeof head, rows.data(), bytes);
  return {};
}

std::span<const std::byte> RiskModule::say(ModuleSight sight, std::size_t rows) {
  saying_ = sight;
  untold_ = sight == ModuleSight::live;
  if (sight != ModuleSight::live) {
    EnvelopeHead head;
    head.module = setup_.number;
    head.sight = sight;
    std::memcpy(block_.data(), &head, sizeof head);
  }
  return {block_.data(), sizeof(EnvelopeHead) + rows * sizeof(EnvelopeRow)};
}

std::span<const std::byte> RiskModule::look(RecvTime now) {
  stamp(now);
  if (!held()) {
    held_since_ = {};
    untold_ = false;
    // Not there, and not there before: nothing to tell. The core knows a required one's absence.
    if (told_ == ModuleSight::absent || told_ == ModuleSight::dead) return {};
    trouble_ = "its process has ended";
    return say(ModuleSight::dead, 0);
  }
  if (held_since_ == RecvTime{}) held_since_ = now;
  if (fresh(now) && (page_.magic != GIMBAL_ENVELOPE_MAGIC || page_.epoch == setup_.epoch)) {
    trouble_ = judge(now);
    if (trouble_.empty()) {
      ++envelopes_;
      lost_ = page_.lost;
      made_next_ = std::min(now, RecvTime{page_.made_ns});
      rows_next_ = page_.rows;
      return say(ModuleSight::live, rows_next_);
    }
    ++invalid_;
    saying_ = ModuleSight::invalid;
    untold_ = false;
  }
  if (untold_) return say(ModuleSight::live, rows_next_);
  if (saying_ == ModuleSight::invalid && told_ != ModuleSight::invalid) {
    return say(ModuleSight::invalid, 0);
  }
  return {};
}

void RiskModule::told() noexcept {
  told_ = saying_;
  if (untold_) made_ = made_next_;
  untold_ = false;
}

}  // namespace gimbal
