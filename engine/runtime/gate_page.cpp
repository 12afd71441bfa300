#include "engine/runtime/gate_page.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <utility>

#include "engine/core/bring_near.hpp"

namespace gimbal {
namespace {

// Anything that moves a member changes the hash, and two builds that disagree refuse to share.
constexpr std::uint32_t layout_hash() noexcept {
  const std::size_t facts[] = {sizeof(GateLayout),
                               offsetof(GateLayout, closed),
                               offsetof(GateLayout, pass),
                               offsetof(GateLayout, tags),
                               offsetof(GateLayout, bot),
                               offsetof(GateLayout, guardian),
                               offsetof(GateLayout, fire),
                               offsetof(GateLayout, life),
                               offsetof(GateLayout, hot),
                               offsetof(GateLayout, senders),
                               offsetof(GateLayout, modes),
                               offsetof(GateLayout, orders),
                               sizeof(StopLayout),
                               offsetof(StopLayout, stops),
                               sizeof(ScopeWords),
                               venues_max,
                               strategies_max,
                               underlyings_max,
                               instruments_max,
                               static_cast<std::size_t>(Mode::lock)};
  std::uint32_t hash = 0x811C9DC5u;
  for (const std::size_t fact : facts) {
    hash = (hash ^ static_cast<std::uint32_t>(fact)) * 0x01000193u;
  }
  return hash;
}

Outcome check_header(const PageHeader& header, std::uint64_t magic, std::uint64_t bytes,
                     const std::string& path) {
  if (header.magic.load(std::memory_order_acquire) != magic) {
    return Outcome::failure(path + ": not a page of this kind (magic)");
  }
  if (header.version != page_version || header.layout_hash != layout_hash() ||
      header.bytes != bytes) {
    return Outcome::failure(path +
                            ": page of another build (layout); stop all processes and delete it");
  }
  return {};
}

void write_header(PageHeader& header, std::uint64_t bytes) noexcept {
  header.version = page_version;
  header.layout_hash = layout_hash();
  header.bytes = bytes;
}

bool raise(std::atomic<std::uint8_t>& word, std::uint8_t wanted) noexcept {
  std::uint8_t now = word.load(std::memory_order_seq_cst);
  while (now < wanted) {
    if (word.compare_exchange_weak(now, wanted, std::memory_order_seq_cst)) return true;
  }
  return false;
}

template <class Words>
auto* word_of(Words& words, Scope s) noexcept {
  using Word = decltype(&words.global.at[0]);
  if (s.id >= scope_count(s.level)) return Word{nullptr};
  switch (s.level) {
    case ScopeLevel::global: return &words.global.at[0];
    case ScopeLevel::venue: return &words.venue.at[s.id];
    case ScopeLevel::account: return &words.account.at[s.id];
    case ScopeLevel::strategy: return &words.strategy.at[s.id];
    case ScopeLevel::underlying: return &words.underlying.at[s.id];
    case ScopeLevel::instrument: return &words.instrument.at[s.id];
  }
  return Word{nullptr};
}

}  // namespace

std::atomic<std::uint8_t>* ScopeWords::word(Scope s) noexcept { return word_of(*this, s); }
const std::atomic<std::uint8_t>* ScopeWords::word(Scope s) const noexcept {
  return word_of(*this, s);
}

Mode stop_mode(std::uint8_t byte) noexcept {
  switch (byte) {
    case 0: return Mode::active;
    case 1:
    case 2: return Mode::halt;
    case 4: return Mode::lock;
    default: return Mode::cancel;
  }
}

Mode gate_mode(std::uint8_t byte) noexcept {
  return byte <= static_cast<std::uint8_t>(Mode::lock) ? static_cast<Mode>(byte) : Mode::lock;
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_{std::exchange(other.data_, nullptr)},
      bytes_{std::exchange(other.bytes_, 0)},
      created_{other.created_} {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  std::swap(created_, other.created_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(data_, bytes_);
}

Outcome MappedFile::open(const std::string& path, std::size_t bytes, bool create, unsigned mode,
                         bool writable) {
  const int access = writable ? O_RDWR : O_RDONLY;
  const int fd = ::open(path.c_str(), access | (create ? O_CREAT : 0) | O_CLOEXEC | O_NOFOLLOW,
                        static_cast<mode_t>(mode));
  if (fd < 0) return Outcome::system("open", path);
  const auto give_up = [fd](Outcome why) {
    ::close(fd);
    return why;
  };
  struct stat info {};
  if (::fstat(fd, &info) != 0) return give_up(Outcome::system("examine", path));
  if (!S_ISREG(info.st_mode)) return give_up(Outcome::failure(path + ": not a regular file"));
  if (create && info.st_uid != ::geteuid()) {
    return give_up(Outcome::failure(path + ": belongs to another user"));
  }
  if (create && info.st_size == 0) {
    if (::ftruncate(fd, static_cast<off_t>(bytes)) != 0)
      return give_up(Outcome::system("size", path));
    info.st_size = static_cast<off_t>(bytes);
    created_ = true;
  }
  if (create && ::fchmod(fd, static_cast<mode_t>(mode)) != 0) {
    return give_up(Outcome::system("set the mode of", path));
  }
  if (static_cast<std::size_t>(info.st_size) != bytes) {
    return give_up(Outcome::failure(path + ": size is not that of this build's page; stop all "
                                           "processes and delete it"));
  }
  void* data = ::mmap(nullptr, bytes, writable ? PROT_READ | PROT_WRITE : PROT_READ,
                      MAP_SHARED | MAP_POPULATE, fd, 0);
  if (data == MAP_FAILED) return give_up(Outcome::system("map", path));
  ::close(fd);
  data_ = data;
  bytes_ = bytes;
  return {};
}

Outcome GatePage::create(const std::string& path, std::uint32_t epoch, unsigned mode) {
  if (Outcome opened = file_.open(path, sizeof(GateLayout), true, mode, true); !opened)
    return opened;
  auto* page = static_cast<GateLayout*>(file_.data());
  // A zero magic in an existing file is a creation that was cut short: nothing in it counts.
  if (page->header.magic.load(std::memory_order_acquire) != 0) {
    if (Outcome ok = check_header(page->header, gate_magic, sizeof(GateLayout), path); !ok)
      return ok;
  }
  raise(page->modes.global.at[0], static_cast<std::uint8_t>(Mode::halt));
  page->pass.scope.store(0, std::memory_order_seq_cst);
  for (SenderLine& line : page->senders) {
    line.in_send.store(0, std::memory_order_seq_cst);
    line.registered.store(0, std::memory_order_relaxed);
    line.order.store(0, std::memory_order_relaxed);
    line.started.store(0, std::memory_order_relaxed);
    line.refused.store(0, std::memory_order_relaxed);
    line.approved_from.store(0, std::memory_order_relaxed);
  }
  for (ListedOrder& slot : page->orders) slot.order.store(0, std::memory_order_relaxed);
  for (BeatLine& line : page->hot) {
    line.pid.store(0, std::memory_order_relaxed);
    line.state.store(0, std::memory_order_relaxed);
  }
  forget_owner(page->life);
  page->bot.beats.store(0, std::memory_order_relaxed);
  page->bot.state.store(0, std::memory_order_relaxed);
  page->bot.epoch.store(epoch, std::memory_order_relaxed);
  page->bot.pid.store(static_cast<std::uint32_t>(::getpid()), std::memory_order_relaxed);
  page->header.epoch.store(epoch, std::memory_order_relaxed);
  write_header(page->header, sizeof(GateLayout));
  page->header.magic.store(gate_magic, std::memory_order_release);
  page_ = page;
  return {};
}

Outcome GatePage::open(const std::string& path, bool writable) {
  if (Outcome opened = file_.open(path, sizeof(GateLayout), false, 0, writable); !opened)
    return opened;
  auto* page = static_cast<GateLayout*>(file_.data());
  if (Outcome ok = check_header(page->header, gate_magic, sizeof(GateLayout), path); !ok) return ok;
  page_ = page;
  return {};
}

Mode GatePage::at(Scope s) const noexcept {
  const auto* word = std::as_const(page_->modes).word(s);
  return word == nullptr ? Mode::lock : gate_mode(word->load(std::memory_order_seq_cst));
}

bool GatePage::tighten(Scope s, Mode m) noexcept {
  auto* word = page_->modes.word(s);
  return word != nullptr && raise(*word, static_cast<std::uint8_t>(m));
}

bool GatePage::loosen(Scope s, Mode m) noexcept {
  auto* word = page_->modes.word(s);
  if (word == nullptr) return false;
  word->store(static_cast<std::uint8_t>(m), std::memory_order_seq_cst);
  return true;
}

// A sender that sees the open word sees the epoch too: it loads the word first.
bool GatePage::reopen(Scope s, Mode from, Mode to, std::uint64_t epoch) noexcept {
  for (SenderLine& line : page_->senders) {
    if (line.approved_from.load(std::memory_order_seq_cst) < epoch) {
      line.approved_from.store(epoch, std::memory_order_seq_cst);
    }
  }
  auto* word = page_->modes.word(s);
  if (word == nullptr) return false;
  std::uint8_t byte = word->load(std::memory_order_seq_cst);
  return gate_mode(byte) == from &&
         word->compare_exchange_strong(byte, static_cast<std::uint8_t>(to),
                                       std::memory_order_seq_cst);
}

void GatePage::grant_pass(Scope s, std::uint64_t stops) noexcept {
  page_->pass.stops.store(stops, std::memory_order_seq_cst);
  page_->pass.scope.store(((static_cast<std::uint32_t>(s.level) << 16) | s.id) + 1,
                          std::memory_order_seq_cst);
}

void GatePage::revoke_pass() noexcept { page_->pass.scope.store(0, std::memory_order_seq_cst); }

void GatePage::revoke_pass_under(Scope s, Mode m) noexcept {
  const std::uint32_t granted = page_->pass.scope.load(std::memory_order_seq_cst);
  if (granted == 0 || m < Mode::halt) return;
  const std::uint32_t own = granted - 1;
  const bool same = own == ((static_cast<std::uint32_t>(s.level) << 16) | s.id);
  if (same || static_cast<std::uint32_t>(s.level) < (own >> 16)) revoke_pass();
}

bool GatePage::has_pass() const noexcept {
  return page_->pass.scope.load(std::memory_order_seq_cst) != 0;
}

int GatePage::register_sender() noexcept {
  for (std::size_t i = 0; i < senders_max; ++i) {
    std::uint32_t unused = 0;
    if (page_->senders[i].registered.compare_exchange_strong(unused, 1)) return static_cast<int>(i);
  }
  return -1;
}

void GatePage::beat(BeatLine& line, RecvTime now, std::uint32_t state) noexcept {
  line.state.store(state, std::memory_order_relaxed);
  line.mono_ns.store(now.mono_ns, std::memory_order_relaxed);
  line.beats.store(line.beats.load(std::memory_order_relaxed) + 1, std::memory_order_release);
}

BeatLine* GatePage::register_hot(std::uint32_t thread_id) noexcept {
  for (BeatLine& line : page_->hot) {
    std::uint32_t unused = 0;
    if (line.pid.compare_exchange_strong(unused, thread_id)) return &line;
  }
  return nullptr;
}

bool GatePage::list_new(OrderId order, VenueId venue, InstrumentId instrument) noexcept {
  for (std::size_t tried = 0; tried < list_probe_max; ++tried) {
    ListedOrder& slot = page_->orders[(order.value + tried) % listed_orders_max];
    std::uint64_t unused = 0;
    if (!slot.order.compare_exchange_strong(unused, ListedOrder::claimed)) continue;
    slot.where.store((static_cast<std::uint64_t>(venue.value) << 16) | instrument.value,
                     std::memory_order_relaxed);
    slot.order.store(order.value, std::memory_order_release);
    return true;
  }
  return false;
}

void GatePage::look_over(OrderId next) const noexcept {
  bring_near(page_->orders[next.value % listed_orders_max]);
}

bool GatePage::list_order(OrderId order, VenueId venue, InstrumentId instrument) noexcept {
  for (std::size_t tried = 0; tried < list_probe_max; ++tried) {
    const ListedOrder& slot = page_->orders[(order.value + tried) % listed_orders_max];
    if (slot.order.load(std::memory_order_relaxed) == order.value) return true;
  }
  return list_new(order, venue, instrument);
}

bool GatePage::unlist_order(OrderId order) noexcept {
  for (std::size_t tried = 0; tried < list_probe_max; ++tried) {
    ListedOrder& slot = page_->orders[(order.value + tried) % listed_orders_max];
    std::uint64_t found = slot.order.load(std::memory_order_relaxed);
    if (found == order.value && slot.order.compare_exchange_strong(found, 0)) return true;
  }
  return false;
}

Outcome StopPage::create(const std::string& path, unsigned mode) {
  if (Outcome opened = file_.open(path, sizeof(StopLayout), true, mode, true); !opened)
    return opened;
  auto* page = static_cast<StopLayout*>(file_.data());
  if (page->header.magic.load(std::memory_order_acquire) != 0) {
    if (Outcome ok = check_header(page->header, stop_magic, sizeof(StopLayout), path); !ok)
      return ok;
  }
  write_header(page->header, sizeof(StopLayout));
  page->header.magic.store(stop_magic, std::memory_order_release);
  page_ = page;
  return {};
}

Outcome StopPage::open(const std::string& path, bool writable) {
  if (Outcome opened = file_.open(path, sizeof(StopLayout), false, 0, writable); !opened)
    return opened;
  auto* page = static_cast<StopLayout*>(file_.data());
  if (Outcome ok = check_header(page->header, stop_magic, sizeof(StopLayout), path); !ok) return ok;
  page_ = page;
  return {};
}

bool StopPage::request(Scope s, Mode m, RecvTime now, std::uint32_t uid,
                       std::uint32_t pid) noexcept {
  auto* word = page_->stops.word(s);
  if (word == nullptr || m == Mode::active) return false;
  do {
    raise(*word, static_cast<std::uint8_t>(m));
    page_->request.mono_ns.store(now.mono_ns, std::memory_order_relaxed);
    page_->request.uid.store(uid, std::memory_order_relaxed);
    page_->request.pid.store(pid, std::memory_order_relaxed);
    page_->request.requests.fetch_add(1, std::memory_order_seq_cst);
  } while (at(s) < m);  // an arm cleared it before it could see the count
  return true;
}

Mode StopPage::at(Scope s) const noexcept {
  const auto* word = std::as_const(page_->stops).word(s);
  return word == nullptr ? Mode::lock : stop_mode(word->load(std::memory_order_seq_cst));
}

std::uint64_t StopPage::requests() const noexcept {
  return page_->request.requests.load(std::memory_order_seq_cst);
}

Mode StopPage::clear(Scope s) noexcept {
  auto* word = page_->stops.word(s);
  return word == nullptr ? Mode::active : stop_mode(word->exchange(0, std::memory_order_seq_cst));
}

}  // namespace gimbal
