#include "ops/app/query_loop.hpp"

#include <algorithm>
#include <thread>

namespace gimbal {
namespace {

constexpr Nanos clock_interval = seconds(10);
constexpr Nanos clock_retry = seconds(1);  // without it no order can be proven absent
constexpr Nanos login_retry = seconds(5);  // behind one that failed: the old token may end
constexpr int clock_samples = 3;
constexpr std::size_t look_ups_max = 256;  // orders that share the venue's answers
// However often somebody asks: the venue counts calls of get_instruments by themselves.
constexpr Nanos lists_spacing = seconds(1);

}  // namespace

QueryLoop::QueryLoop(VenueQueries& queries, QueryRing& tasks, EventRing& events, GatePage& page,
                     const TscClock& clock, VenueId venue, Nanos token_life, Say say)
    : queries_{queries},
      tasks_{tasks},
      events_{events},
      page_{page},
      clock_{clock},
      venue_{venue},
      token_life_{token_life},
      say_{std::move(say)},
      queue_{look_ups_max} {}

bool QueryLoop::push(std::span<const Event> unit) {
  if (!list_answered(page_, unit)) say_("an open order found no slot in the guardian's list");
  // The core empties this ring every cycle; a short wait bridges a burst of a large picture.
  for (int attempt = 0; attempt < 1000; ++attempt) {
    if (events_.push_unit(unit.data(), unit.size())) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  return false;
}

// Also in the middle of a look-up, which gives way to a picture.
void QueryLoop::take_tasks() {
  for (QueryTask task; tasks_.pop_into(task);) queue_.take(task);
}

// One picture or one look-up. True when it did work.
bool QueryLoop::serve() {
  take_tasks();
  if (queue_.empty()) return false;
  const PushUnits out = [this](std::span<const Event> unit) { return push(unit); };
  const std::optional<Reconcile> picture = queue_.next_picture();
  const std::string error =
      picture ? queries_.reconcile(*picture, out) : queries_.look_up(queue_.next_orders(), out);
  if (!error.empty()) say_(error);
  return true;
}

// False: it was not told.
bool QueryLoop::send_clock() {
  VenueClock payload;
  const std::string error = queries_.venue_clock(clock_samples, payload);
  if (!error.empty()) {
    say_(error);
    return false;
  }
  Event e = make_event(EventKind::venue_clock, venue_, InstrumentId{}, clock_.now(), {}, payload);
  e.add_flag(event_flag::last_in_packet);
  return push(std::span<const Event>{&e, 1});
}

void QueryLoop::answer_count() {
  const std::uint64_t asked = asked_.load(std::memory_order_acquire);
  if (asked == answered_) return;
  Count count;
  count.number = asked;
  const std::string error = queries_.count_open(count.open);
  count.ok = error.empty();
  if (!error.empty()) say_(error);
  answered_ = asked;
  const std::lock_guard lock{mutex_};
  count_ = count;
}

std::uint64_t QueryLoop::ask_count() { return asked_.fetch_add(1, std::memory_order_acq_rel) + 1; }

QueryLoop::Count QueryLoop::last_count() const {
  const std::lock_guard lock{mutex_};
  return count_;
}

void QueryLoop::refresh_instruments(std::vector<std::string> currencies, Nanos interval) {
  currencies_ = std::move(currencies);
  lists_interval_ = interval;
  lists_due_ = clock_.now() + interval;
}

// One list at a time, so that reconciliations and look-ups go in between. True when it did work.
bool QueryLoop::read_list() {
  if (currencies_.empty()) return false;
  const RecvTime now = clock_.now();
  const std::size_t next = reading_.lists.size();
  if (next == 0) {
    const bool wanted = lists_wanted_.load(std::memory_order_acquire);
    if (now < lists_not_before_ || (!wanted && now < lists_due_)) return false;
    lists_wanted_.store(false, std::memory_order_release);
    lists_not_before_ = now + lists_spacing;
    lists_due_ = now + lists_interval_;
    // Behind the flag: a list is only as new as what it was asked for when it begins after that.
    reading_.begun = clock_.now();
  }
  deribit::InstrumentList list;
  if (const std::string error = queries_.instruments(currencies_[next], list); !error.empty()) {
    say_(error);
    reading_.lists.clear();
    ask_instruments();  // a list that could not be read is no list
    lists_not_before_ = now + lists_spacing * 2;
    return true;
  }
  reading_.lists.emplace_back(currencies_[next], std::move(list));
  if (reading_.lists.size() < currencies_.size()) return true;
  const std::lock_guard lock{mutex_};
  picture_ = std::exchange(reading_, {});
  return true;
}

std::optional<InstrumentPicture> QueryLoop::take_instruments() {
  const std::lock_guard lock{mutex_};
  return std::exchange(picture_, std::nullopt);
}

void QueryLoop::run(const std::atomic<bool>& stop) {
  login_due_ = clock_.now() + token_life_;
  queries_.give_way_when([this] { return asked_.load(std::memory_order_acquire) != answered_; });
  queries_.give_way_to_pictures_when([this] {
    take_tasks();
    return queue_.picture_waits();
  });
  while (!stop.load(std::memory_order_acquire)) {
    cycles_.fetch_add(1, std::memory_order_relaxed);
    answer_count();
    // Before what is asked for: an order in doubt that cannot be proven is asked for without end.
    if (clock_.now() >= clock_due_) {
      const bool told = send_clock();
      clock_due_ = clock_.now() + (told ? clock_interval : clock_retry);
    }
    if (clock_.now() >= login_due_) {
      const std::string error = queries_.login();
      if (!error.empty()) say_(error);
      login_due_ =
          clock_.now() + (error.empty() ? token_life_ : std::min(token_life_, login_retry));
    }
    answer_count();
    const bool served = serve();
    answer_count();
    if (read_list() || served) continue;
    std::this_thread::sleep_for(std::chrono::microseconds{500});
  }
}

}  // namespace gimbal
