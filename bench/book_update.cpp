// One level's change in the order book, at the top and deep, against the obvious std::map book.
#include <benchmark/benchmark.h>

#include <functional>
#include <map>
#include <vector>

#include "engine/core/order_book.hpp"

namespace {

using namespace gimbal;

Price usd(std::int64_t v) { return Price{v * nano_per_unit}; }
Qty size(std::int64_t v) { return Qty{v * nano_per_unit}; }

BookDelta change(Side side, std::int64_t price, std::int64_t amount) {
  BookDelta d;
  d.side = side;
  d.price = usd(price);
  d.amount = size(amount);
  return d;
}

constexpr std::int64_t top_bid = 100'000;

struct Flat {
  std::vector<Level> bids, asks;
  FlatOrderBook book;
  explicit Flat(std::int64_t levels)
      : bids(delta_one_levels_max), asks(delta_one_levels_max), book{bids, asks} {
    book.reset();
    for (std::int64_t i = 0; i < levels; ++i) {
      (void)book.apply(change(Side::buy, top_bid - i, 10 + i));
      (void)book.apply(change(Side::sell, top_bid + 1 + i, 10 + i));
    }
    (void)book.end_of_packet();
  }
};

struct Naive {
  std::map<std::int64_t, std::int64_t, std::greater<>> bids;
  std::map<std::int64_t, std::int64_t> asks;
  explicit Naive(std::int64_t levels) {
    for (std::int64_t i = 0; i < levels; ++i) {
      apply(change(Side::buy, top_bid - i, 10 + i));
      apply(change(Side::sell, top_bid + 1 + i, 10 + i));
    }
  }
  void apply(const BookDelta& d) {
    if (d.side == Side::buy) {
      put(bids, d);
    } else {
      put(asks, d);
    }
  }
  template <class Book>
  static void put(Book& book, const BookDelta& d) {
    if (d.amount.nano == 0) {
      book.erase(d.price.nano);
    } else {
      book[d.price.nano] = d.amount.nano;
    }
  }
};

// The best bid goes and comes back: two updates an iteration.
void flat_top(benchmark::State& state) {
  Flat flat{state.range(0)};
  const BookDelta gone = change(Side::buy, top_bid, 0);
  const BookDelta back = change(Side::buy, top_bid, 7);
  for (auto _ : state) {
    benchmark::DoNotOptimize(flat.book.apply(gone));
    benchmark::DoNotOptimize(flat.book.apply(back));
  }
  state.SetItemsProcessed(2 * state.iterations());
}
void naive_top(benchmark::State& state) {
  Naive naive{state.range(0)};
  const BookDelta gone = change(Side::buy, top_bid, 0);
  const BookDelta back = change(Side::buy, top_bid, 7);
  for (auto _ : state) {
    naive.apply(gone);
    naive.apply(back);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(2 * state.iterations());
}
// An amount changes somewhere in the nearest 64 levels.
void flat_amount(benchmark::State& state) {
  Flat flat{state.range(0)};
  std::int64_t n = 0;
  for (auto _ : state) {
    ++n;
    benchmark::DoNotOptimize(
        flat.book.apply(change(Side::buy, top_bid - (n * 37) % 64, 5 + n % 9)));
  }
  state.SetItemsProcessed(state.iterations());
}
void naive_amount(benchmark::State& state) {
  Naive naive{state.range(0)};
  std::int64_t n = 0;
  for (auto _ : state) {
    ++n;
    naive.apply(change(Side::buy, top_bid - (n * 37) % 64, 5 + n % 9));
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(flat_top)->Arg(100)->Arg(1000)->Arg(5000);
BENCHMARK(naive_top)->Arg(100)->Arg(1000)->Arg(5000);
BENCHMARK(flat_amount)->Arg(100)->Arg(1000)->Arg(5000);
BENCHMARK(naive_amount)->Arg(100)->Arg(1000)->Arg(5000);

}  // namespace

BENCHMARK_MAIN();
