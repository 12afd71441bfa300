#include "tests/simtest/network.hpp"

#include <algorithm>
#include <utility>

namespace gimbal::simtest {

struct Network::Put final : Carrier::Sink {
  Put(Network& n, Queue& q, std::int64_t& l) : network{n}, queue{q}, last{l} {}
  void send(Parcel parcel) override { network.put(queue, last, std::move(parcel)); }
  Network& network;
  Queue& queue;
  std::int64_t& last;
};

void Network::put(Queue& queue, std::int64_t& last, Parcel parcel) {
  const Nanos usual = random_.time(microseconds(300), microseconds(2500));
  std::int64_t at = (now_ + usual + parcel.delay).mono_ns;
  if (!parcel.overtakes) {
    at = std::max(at, last);
    last = at;
  }
  queue.emplace(at, std::move(parcel.text));
}

bool Network::connect(Lane lane) {
  End& end = of(lane);
  if (carrier_.refuses_connections()) return false;
  end = End{};
  end.connection = venue_.connect();
  end.last_to_venue = end.last_to_bot = now_.mono_ns;
  if (auto& bytes = bytes_[static_cast<std::size_t>(lane)]) bytes->reset();
  return true;
}

void Network::send(Lane lane, std::string_view text) {
  End& end = of(lane);
  if (end.connection == 0 || end.broken) return;
  hash_.bytes(text.data(), text.size());
  ++texts_;
  Put sink{*this, end.to_venue, end.last_to_venue};
  BytePath* const bytes = bytes_of(lane);
  carrier_.request(lane, bytes != nullptr ? bytes->to_venue(text) : std::string{text}, sink);
}

BytePath* Network::bytes_of(Lane lane) {
  auto& bytes = bytes_[static_cast<std::size_t>(lane)];
  if (bytes != nullptr && trouble_.empty()) trouble_ = bytes->trouble();
  if (whole_bytes_ || !carrier_.splits_bytes()) return nullptr;
  if (bytes == nullptr) {
    bytes = std::make_unique<BytePath>(seed_, static_cast<std::uint64_t>(lane), plant_);
  }
  return bytes.get();
}

// Everything that is due comes in one stream.
void Network::read_bytes(End& end, BytePath& bytes) {
  std::vector<std::string*> due;
  for (auto& [at, text] : end.to_bot) {
    if (at > now_.mono_ns) break;
    due.push_back(&text);
  }
  bytes.to_bot(due);
  end.read = due.size();
}

bool Network::pop(Lane lane, std::string& text) {
  End& end = of(lane);
  if (end.to_bot.empty() || end.to_bot.begin()->first > now_.mono_ns) return false;
  if (end.read == 0) {
    if (BytePath* const bytes = bytes_of(lane); bytes != nullptr) read_bytes(end, *bytes);
  }
  if (end.read > 0) --end.read;
  text = std::move(end.to_bot.begin()->second);
  end.to_bot.erase(end.to_bot.begin());
  hash_.bytes(text.data(), text.size());
  ++texts_;
  return true;
}

bool Network::ended(Lane lane) const noexcept {
  const End& end = of(lane);
  return end.connection != 0 && end.broken && end.to_bot.empty();
}

void Network::close(Lane lane) {
  End& end = of(lane);
  if (end.connection != 0 && !end.broken) venue_.disconnected(end.connection);
  end = End{};
}

void Network::leave(Lane lane) {
  End& end = of(lane);
  if (end.connection != 0 && !end.broken) left_.push_back(std::move(end));
  end = End{};
}

void Network::run_left() {
  for (std::size_t i = left_.size(); i > 0; --i) {
    End& end = left_[i - 1];
    arrive(end);
    if (!end.to_venue.empty()) continue;
    venue_.disconnected(end.connection);
    left_.erase(left_.begin() + static_cast<std::ptrdiff_t>(i - 1));
  }
}

void Network::cut(Lane lane) {
  End& end = of(lane);
  if (end.connection == 0 || end.broken) return;
  venue_.disconnected(end.connection);
  end.broken = true;
  end.to_venue.clear();
  end.to_bot.clear();
  end.read = 0;
}

bool Network::deliver(Lane lane, const std::vector<std::string>& texts) {
  End& end = of(lane);
  if (end.connection == 0 || end.broken) return false;
  for (const std::string& text : texts) put(end.to_bot, end.last_to_bot, {text, {}, false});
  return true;
}

void Network::arrive(End& end) {
  while (!end.to_venue.empty() && end.to_venue.begin()->first <= now_.mono_ns) {
    const std::string text = std::move(end.to_venue.begin()->second);
    end.to_venue.erase(end.to_venue.begin());
    venue_.receive(end.connection, text);
  }
}

void Network::depart(Lane lane) {
  End& end = of(lane);
  std::string text;
  Put sink{*this, end.to_bot, end.last_to_bot};
  while (venue_.pop(end.connection, text)) carrier_.frame(lane, std::move(text), sink);
  if (!venue_.closing(end.connection)) return;
  // The venue ends the session: what it sent before still comes, but not an answer that was held
  // back beyond the end of its stream.
  end.to_bot.erase(end.to_bot.upper_bound(end.last_to_bot), end.to_bot.end());
  venue_.disconnected(end.connection);
  end.broken = true;
  end.to_venue.clear();
}

void Network::run() {
  for (std::size_t i = 0; i < lanes_total; ++i) {
    const Lane lane{static_cast<std::uint8_t>(i)};
    if (!up(lane) || of(lane).broken) continue;
    arrive(of(lane));
    depart(lane);
  }
  run_left();
}

}  // namespace gimbal::simtest
