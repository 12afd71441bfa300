// Counters, histogram, seqlock, probe and trace text.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "engine/runtime/counters.hpp"
#include "engine/runtime/histogram.hpp"
#include "engine/runtime/probe.hpp"
#include "engine/runtime/seqlock.hpp"
#include "engine/runtime/trace.hpp"

namespace gimbal {
namespace {

TEST(Counters, AreReadByNameAndTheSameNameIsTheSameCounter) {
  Counters counters{"core"};
  counters.add("units").add(3);
  counters.add("units").add();
  counters.add("stalls").raise_to(9);
  counters.add("stalls").raise_to(4);
  std::map<std::string, std::uint64_t> seen;
  counters.each([&](std::string_view owner, std::string_view name, std::uint64_t value) {
    seen[std::string{owner} + "." + std::string{name}] = value;
  });
  EXPECT_EQ(seen["core.units"], 4u);
  EXPECT_EQ(seen["core.stalls"], 9u);
  EXPECT_EQ(counters.size(), 2u);
}

TEST(Counters, PastTheLimitShareOneSlotNamedOverflow) {
  Counters counters{"x"};
  for (std::size_t i = 0; i < Counters::counters_max + 5; ++i) {
    counters.add("c" + std::to_string(i)).add();
  }
  EXPECT_EQ(counters.size(), Counters::counters_max);
  std::uint64_t overflow = 0;
  counters.each([&](std::string_view, std::string_view name, std::uint64_t value) {
    if (name == "overflow") overflow = value;
  });
  EXPECT_EQ(overflow, 6u);
}

TEST(Histogram, EveryValueFallsIntoABucketWhoseBoundIsNotBelowIt) {
  for (std::uint64_t v = 0; v < 5000; ++v) {
    const std::size_t b = Histogram::bucket_of(v);
    ASSERT_GE(Histogram::upper_of(b), v);
    ASSERT_TRUE(b == 0 || Histogram::upper_of(b - 1) < v);
  }
  EXPECT_EQ(Histogram::bucket_of(UINT64_MAX), Histogram::buckets - 1);
  EXPECT_EQ(Histogram::bucket_of((1ULL << 40) - 1), Histogram::buckets - 1);
}

TEST(Histogram, QuantilesAreWithinOneBucketOfTheSortedTruth) {
  std::mt19937_64 random{11};
  std::vector<std::uint64_t> values;
  Histogram histogram;
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t v = 200 + random() % (1ULL << (5 + random() % 20));
    values.push_back(v);
    histogram.add(v);
  }
  std::sort(values.begin(), values.end());
  for (const double q : {0.5, 0.9, 0.99, 0.999}) {
    const auto rank = static_cast<std::size_t>(q * static_cast<double>(values.size())) - 1;
    const auto truth = static_cast<double>(values[rank]);
    EXPECT_GE(static_cast<double>(histogram.quantile(q)), truth);
    EXPECT_LE(static_cast<double>(histogram.quantile(q)), truth * 1.033 + 1);
  }
  EXPECT_EQ(histogram.max(), values.back());
  EXPECT_EQ(histogram.min(), values.front());
  EXPECT_EQ(histogram.count(), values.size());
}

TEST(Histogram, MergingEqualsAddingEverythingToOne) {
  Histogram a, b, all;
  for (std::uint64_t v = 1; v < 100'000; v += 37) {
    (v % 2 == 0 ? a : b).add(v);
    all.add(v);
  }
  a.merge(b);
  EXPECT_EQ(a.count(), all.count());
  EXPECT_EQ(a.max(), all.max());
  EXPECT_EQ(a.p50(), all.p50());
  EXPECT_EQ(a.p999(), all.p999());
}

TEST(Histogram, EmptyAnswersZero) {
  const Histogram h;
  EXPECT_EQ(h.p99(), 0u);
  EXPECT_EQ(h.min(), 0u);
  EXPECT_EQ(h.max(), 0u);
}

TEST(Seqlock, ReadersSeeOnlyWholeValues) {
  struct Status {
    std::uint64_t a{0}, b{0}, c{0}, d{0}, e{0};
    std::uint32_t f{0};
  };
  Seqlock<Status> lock;
  std::atomic<bool> stop{false};
  std::thread writer{[&] {
    for (std::uint64_t n = 1; !stop.load(std::memory_order_relaxed); ++n) {
      lock.store({n, n, n, n, n, static_cast<std::uint32_t>(n)});
    }
  }};
  std::uint64_t torn = 0, seen = 0;
  Status s;
  while (seen < 20'000 || lock.writes() < 20'000) {
    if (!lock.try_load(s)) continue;
    ++seen;
    if (s.a != s.b || s.a != s.c || s.a != s.d || s.a != s.e || s.f != (s.a & 0xFFFFFFFFu)) ++torn;
  }
  stop = true;
  writer.join();
  EXPECT_EQ(torn, 0u);
  EXPECT_GT(lock.writes(), 0u);
}

TEST(HopTimes, MeasuresEachHopFromTheOneBeforeAndTheWholeWay) {
  TscProbe probe{8};
  HopTimes times{2.0};
  probe.begin();
  probe.mark_at(ProbeHop::receive, 1000);
  probe.mark_at(ProbeHop::parse, 1400);
  probe.mark_at(ProbeHop::send, 5000);
  probe.finish(1);
  EXPECT_EQ(times.drain(probe), 1u);
  EXPECT_EQ(times.step_of(ProbeHop::parse).max(), 200u);
  EXPECT_EQ(times.step_of(ProbeHop::send).max(), 1800u);
  EXPECT_EQ(times.tick_to_order().max(), 2000u);
  EXPECT_EQ(times.step_of(ProbeHop::decrypt).count(), 0u);
}

TEST(HopTimes, CountsExactlyWhatIsOverItsBudget) {
  HopTimes times{1.0};
  times.set_budget(ProbeHop::parse, 1000);
  times.set_budget(ProbeHop::receive, 5000);
  const auto row = [&](std::uint64_t parse, std::uint64_t send) {
    HopRow r;
    r.tsc[static_cast<std::size_t>(ProbeHop::receive)] = 100;
    r.tsc[static_cast<std::size_t>(ProbeHop::parse)] = 100 + parse;
    r.tsc[static_cast<std::size_t>(ProbeHop::send)] = 100 + send;
    times.add(r);
  };
  row(1000, 5000);
  EXPECT_EQ(times.budget_of(ProbeHop::parse).over, 0u) << "at the budget";
  EXPECT_EQ(times.budget_of(ProbeHop::receive).over, 0u);
  row(1001, 5001);
  EXPECT_EQ(times.budget_of(ProbeHop::parse).over, 1u);
  EXPECT_EQ(times.budget_of(ProbeHop::receive).over, 1u) << "the whole way";
  EXPECT_EQ(times.budget_of(ProbeHop::send).window.count(), 0u) << "no budget";
  times.begin_window(ProbeHop::parse);
  EXPECT_EQ(times.budget_of(ProbeHop::parse).window.count(), 0u);
  EXPECT_EQ(times.budget_of(ProbeHop::parse).over, 1u) << "of all";
}

TEST(TscProbe, PutsTheCoresHopsBetweenParseAndEncode) {
  TscProbe probe{2};
  probe.begin();
  probe.mark(ProbeHop::parse);
  probe.mark(Hop::step_begin);
  probe.mark(Hop::step_end);
  probe.mark(ProbeHop::encode);
  probe.finish(42);
  const HopRow& row = *probe.rows().peek();
  EXPECT_EQ(row.tag, 42u);
  const auto at = [&](ProbeHop h) { return row.tsc[static_cast<std::size_t>(h)]; };
  EXPECT_GE(at(ProbeHop::step), at(ProbeHop::parse));
  EXPECT_GE(at(ProbeHop::commands), at(ProbeHop::step));
  EXPECT_GE(at(ProbeHop::encode), at(ProbeHop::commands));
  EXPECT_EQ(at(ProbeHop::state), 0u);
}

TEST(TscProbe, CountsRowsThatFoundNoRoom) {
  TscProbe probe{2};
  for (int i = 0; i < 5; ++i) probe.finish(0);
  EXPECT_EQ(probe.lost(), 3u);
}

TEST(Trace, WritesOneJsonObjectPerRecordAndLeavesOutWhatIsNotSet) {
  TraceRing ring{4};
  TraceRecord r;
  r.seq = 7;
  r.at = RecvTime{12'345'678'901};
  r.id = TraceId::order_refused;
  r.a = -3;
  ring.put(r);
  r.id = TraceId::query_sent;
  r.instrument = InstrumentId{4};
  ring.put(r);
  std::vector<std::string> lines;
  EXPECT_EQ(drain_trace(ring, [&](const TraceRecord& t) { lines.push_back(to_json(t)); }), 2u);
  EXPECT_EQ(lines[0],
            R"({"t":"12.345678901","seq":7,"trace":"order_refused","venue":0,"a":-3,"b":0,"c":0,)"
            R"("d":0})");
  EXPECT_NE(lines[1].find(R"("trace":"query_sent")"), std::string::npos);
  EXPECT_NE(lines[1].find(R"("instrument":4)"), std::string::npos);
}

TEST(Trace, NamesAnUnknownIdUnknown) {
  EXPECT_EQ(name_of(static_cast<TraceId>(60000)), "unknown");
  EXPECT_EQ(name_of(TraceId::none), "none");
  EXPECT_EQ(name_of(TraceId::module_seen), "module_seen") << "the last one has its own name";
}

}  // namespace
}  // namespace gimbal
