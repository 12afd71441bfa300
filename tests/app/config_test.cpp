// The config loader against hand-written good and bad files, and against every key it knows.
#include "ops/app/config.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

#include "ops/app/config_fields.hpp"
#include "ops/app/hash.hpp"

namespace gimbal {
namespace {

namespace fs = std::filesystem;

const fs::path fixtures = fs::path{GIMBAL_SOURCE_DIR} / "tests/fixtures/config";

std::string slurp(const fs::path& path) {
  std::ifstream file{path, std::ios::binary};
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<fs::path> files_in(const fs::path& directory) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator{directory}) {
    if (entry.path().extension() == ".toml") found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::string joined(const std::vector<ConfigProblem>& problems) {
  std::string text;
  for (const auto& p : problems) text += to_text(p) + "\n";
  return text;
}

std::unique_ptr<LoadedConfig> good(const std::string& text) {
  std::vector<ConfigProblem> problems;
  auto loaded = parse_config(text, "test.toml", problems);
  EXPECT_NE(loaded, nullptr) << joined(problems);
  return loaded;
}

TEST(Config, EveryGoodFileAndBothExamplesLoad) {
  auto files = files_in(fixtures / "good");
  ASSERT_GE(files.size(), 3u);
  for (const auto& path : files_in(fs::path{GIMBAL_SOURCE_DIR} / "ops/config"))
    files.push_back(path);
  for (const auto& path : files) {
    std::vector<ConfigProblem> problems;
    EXPECT_NE(load_config(path.string(), problems), nullptr) << joined(problems);
  }
}

TEST(Config, EveryBadFileIsRefusedWithItsMessage) {
  constexpr std::string_view marker = "# expect: ";
  const auto files = files_in(fixtures / "bad");
  EXPECT_GE(files.size(), 100u);
  for (const auto& path : files) {
    const auto text = slurp(path);
    ASSERT_EQ(text.substr(0, marker.size()), marker) << path;
    const auto expected = text.substr(marker.size(), text.find('\n') - marker.size());
    std::vector<ConfigProblem> problems;
    EXPECT_EQ(load_config(path.string(), problems), nullptr) << path;
    EXPECT_FALSE(problems.empty()) << path;
    EXPECT_NE(joined(problems).find(expected), std::string::npos)
        << path << "\nexpected: " << expected << "\nfound:\n"
        << joined(problems);
  }
}

TEST(Config, AllProblemsAreReportedAtOnceInTheOrderOfTheFile) {
  std::vector<ConfigProblem> problems;
  EXPECT_EQ(load_config((fixtures / "bad/several_at_once.toml").string(), problems), nullptr);
  const auto text = joined(problems);
  EXPECT_GE(problems.size(), 4u) << text;
  for (const auto* part :
       {"max_dleta_usd is not a known key; did you mean max_delta_usd?",
        "max_delta_usd is required", "own_account must be true or false", "idle must be one of"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
  EXPECT_TRUE(std::is_sorted(problems.begin(), problems.end(), [](const auto& a, const auto& b) {
    return a.place.line < b.place.line;
  })) << text;
}

TEST(Config, NestingThatWouldExhaustTheStackIsRefusedByLength) {
  std::string header{"["};
  for (int i = 0; i < 100000; ++i) header += "a.";
  std::string lists{"x = "};
  for (int i = 0; i < 2000; ++i) lists += "[\n{a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a = ";
  for (const auto& text : {header + "a]\n", header.substr(1) + "a = 1\n", lists}) {
    std::vector<ConfigProblem> problems;
    EXPECT_EQ(parse_config(text, "endless.toml", problems), nullptr);
    EXPECT_FALSE(problems.empty());
  }
}

TEST(Config, AProblemNamesFileLineAndColumn) {
  std::vector<ConfigProblem> problems;
  EXPECT_EQ(parse_config("[risk]\n  collar_bps = true\n", "some/file.toml", problems), nullptr);
  EXPECT_NE(
      joined(problems).find(
          "some/file.toml:2:16: [risk] collar_bps must be an integer, found the boolean true"),
      std::string::npos)
      << joined(problems);
}

TEST(Config, AMissingFileIsNamedWithTheReason) {
  std::vector<ConfigProblem> problems;
  EXPECT_EQ(load_config("/nonexistent/gimbal.toml", problems), nullptr);
  EXPECT_NE(joined(problems).find("/nonexistent/gimbal.toml: cannot be read: No such file"),
            std::string::npos)
      << joined(problems);
}

TEST(Config, AFileOverTheSizeLimitIsRefused) {
  std::vector<ConfigProblem> problems;
  EXPECT_EQ(parse_config(std::string(config_bytes_max + 1, '#'), "big.toml", problems), nullptr);
  EXPECT_NE(joined(problems).find("bytes, at most"), std::string::npos);
}

TEST(Config, TheHashIsThatOfTheBytes) {
  const auto text = slurp(fixtures / "good/small.toml");
  const auto loaded = good(text);
  EXPECT_EQ(loaded->hash_hex(), to_hex(sha256(text)));
  EXPECT_NE(good(text + "\n")->hash_hex(), loaded->hash_hex());
  EXPECT_EQ(to_hex(sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(short_hash(sha256("abc")), 0xba7816bf8f01cfeaULL);
}

TEST(Config, TheEffectiveFileLoadsToTheSameConfig) {
  for (const auto& path : files_in(fixtures / "good")) {
    const auto first = good(slurp(path));
    const auto text = effective_toml(first->config);
    EXPECT_EQ(effective_toml(good(text)->config), text);
    EXPECT_TRUE(compare_configs(first->config, good(text)->config, false).empty());
  }
}

TEST(Config, ValuesArriveExactly) {
  auto text = slurp(fixtures / "good/small.toml");
  text.replace(text.find("\"250000\""), 8, "\"250000.000000001\"");
  text.replace(text.find("[runtime]"), 9, "[runtime]\njournal_sync = \"1.5ms\"\nio_core = 2");
  const auto loaded = good(text);
  EXPECT_EQ(loaded->config.risk.max_order_usd.nano, 250'000'000'000'001);
  EXPECT_EQ(loaded->config.runtime.journal_sync.count, 1'500'000);
  EXPECT_EQ(loaded->config.runtime.io_core, 2);
  EXPECT_EQ(loaded->config.venues.at(0).host, "test.deribit.com");
  EXPECT_EQ(loaded->config.strategy.of<DeltaHedge>().at(0).numeraire, Numeraire::usd);
  EXPECT_TRUE(loaded->config.venues.at(0).own_account);
}

// Every key of every table, each with values that are wrong for its type: none may load.
TEST(Config, NoKeyAcceptsAValueOfAnotherType) {
  std::size_t tried = 0;
  for (const auto& shape : table_shapes()) {
    const auto config = std::make_unique<Config>();
    for (const auto& f : shape.open(*config, 0)) {
      const auto before = f.toml_text();
      for (const auto* wrong :
           {"nan", "inf", "-inf", "2026-01-01", "{ a = 1 }", "[[1]]", "\"\\u0001\"", "[1, 2]"}) {
        TomlValue root;
        TomlProblem problem;
        ASSERT_TRUE(parse_toml("x = " + std::string{wrong}, root, problem)) << wrong;
        EXPECT_NE(f.load(*root.find("x")), "") << shape.path << " " << f.key << " = " << wrong;
        EXPECT_EQ(f.toml_text(), before) << "a refused value was stored";
        ++tried;
      }
    }
  }
  EXPECT_GE(tried, 500u);
}

TEST(Config, BoundsAreInclusiveAndJustOutsideIsRefused) {
  for (const auto& shape : table_shapes()) {
    const auto config = std::make_unique<Config>();
    for (const auto& f : shape.open(*config, 0)) {
      if (f.type != "integer" || f.info.max > 1e15) continue;
      TomlValue v;
      v.kind = TomlKind::integer;
      v.integer = static_cast<std::int64_t>(f.info.max);
      EXPECT_EQ(f.load(v), "") << f.key;
      v.integer += 1;
      EXPECT_NE(f.load(v), "") << f.key;
      v.integer = static_cast<std::int64_t>(f.info.min);
      EXPECT_EQ(f.load(v), "") << f.key;
      v.integer -= 1;
      EXPECT_NE(f.load(v), "") << f.key;
    }
  }
}

TEST(Config, DurationsAreInclusiveAtBothBoundsToTheNanosecond) {
  std::size_t tried = 0;
  for (const auto& shape : table_shapes()) {
    const auto config = std::make_unique<Config>();
    for (const auto& f : shape.open(*config, 0)) {
      if (f.type != "duration") continue;
      TomlValue v;
      v.kind = TomlKind::string;
      const auto at = [&](double seconds, std::int64_t off) {
        v.text = field::duration_text(Nanos{std::llround(seconds * 1e9) + off});
        return f.load(v);
      };
      EXPECT_EQ(at(f.info.max, 0), "") << f.key;
      EXPECT_NE(at(f.info.max, 1), "") << f.key;
      EXPECT_EQ(at(f.info.min, 0), "") << f.key;
      EXPECT_NE(at(f.info.min, -1), "") << f.key;
      ++tried;
    }
  }
  EXPECT_GE(tried, 20u);
}

TEST(Config, EveryDefaultIsInsideItsOwnRange) {
  for (const auto& shape : table_shapes()) {
    const auto config = std::make_unique<Config>();
    for (const auto& f : shape.open(*config, 0)) {
      if (f.info.required) continue;
      TomlValue root;
      TomlProblem problem;
      ASSERT_TRUE(parse_toml("x = " + f.toml_text(), root, problem))
          << f.key << " = " << f.toml_text();
      EXPECT_EQ(f.load(*root.find("x")), "") << shape.path << " " << f.key;
    }
  }
}

TEST(Config, EveryKeyIsDocumented) {
  for (const auto& shape : table_shapes()) {
    const auto config = std::make_unique<Config>();
    for (const auto& f : shape.open(*config, 0)) {
      EXPECT_FALSE(f.info.doc.empty()) << shape.path << " " << f.key;
    }
  }
}

TEST(ConfigText, DurationsAreExactAndNeedAUnit) {
  EXPECT_EQ(field::parse_duration("250ms")->count, 250'000'000);
  EXPECT_EQ(field::parse_duration("1.5us")->count, 1'500);
  EXPECT_EQ(field::parse_duration("2m")->count, 120'000'000'000);
  EXPECT_EQ(field::parse_duration("1h")->count, 3'600'000'000'000);
  EXPECT_EQ(field::parse_duration("-3s")->count, -3'000'000'000);
  for (const auto* bad :
       {"", "5", "ms", "1.5ns", "1..5s", "5 s", "5S", "5sec", "1e3s", "--5s", ".5s", "5.s"}) {
    EXPECT_FALSE(field::parse_duration(bad).has_value()) << bad;
  }
  for (const std::int64_t ns :
       {0LL, 1LL, 1'500LL, 90'000'000'000LL, 86'400'000'000'000LL, -250'000'000LL}) {
    EXPECT_EQ(field::parse_duration(field::duration_text(Nanos{ns}))->count, ns);
  }
}

TEST(ConfigText, DecimalsAreExactToNineDigits) {
  EXPECT_EQ(*field::parse_decimal_nano("50000.5"), 50'000'500'000'000);
  EXPECT_EQ(*field::parse_decimal_nano("-0.000000001"), -1);
  EXPECT_EQ(*field::parse_decimal_nano("1.0000000000"), 1'000'000'000);
  EXPECT_EQ(*field::parse_decimal_nano("9223372036.854775807"),
            std::numeric_limits<std::int64_t>::max());
  for (const auto* bad :
       {"", ".", "-", "1.", ".5", "1e5", "0x1", "1,000", "1.0000000001", "9223372036.854775808",
        "99999999999999999999999999999999999999999999", " 1", "1 ", "+1", "nan"}) {
    EXPECT_FALSE(field::parse_decimal_nano(bad).has_value()) << bad;
  }
  for (const std::int64_t nano :
       {0LL, 1LL, -1LL, 1'000'000'000LL, 50'000'500'000'000LL, -123'456'789LL}) {
    EXPECT_EQ(*field::parse_decimal_nano(field::decimal_text(nano)), nano);
  }
}

class Reload : public ::testing::Test {
 protected:
  Config before{good(slurp(fixtures / "good/small.toml"))->config};
  Config after{before};
  std::vector<ConfigChangeLine> changes(bool halted) {
    return compare_configs(before, after, halted);
  }
};

TEST_F(Reload, AStricterLimitIsTakenLive) {
  after.risk.max_order_usd.nano -= 1;
  const auto lines = changes(false);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].key, "[risk] max_order_usd");
  EXPECT_EQ(lines[0].before, "\"250000\"");
  EXPECT_EQ(lines[0].after, "\"249999.999999999\"");
  EXPECT_TRUE(lines[0].tightens);
  EXPECT_EQ(lines[0].refused, "");
}

TEST_F(Reload, ALooserLimitIsTakenInHaltOnly) {
  after.risk.max_order_usd.nano += 1'000'000'000;
  EXPECT_NE(changes(false).at(0).refused, "");
  EXPECT_EQ(changes(true).at(0).refused, "");
}

TEST_F(Reload, SwitchingALimitOffLoosensIt) {
  before.risk.max_gamma_usd.nano = 5'000'000'000;
  after.risk.max_gamma_usd.nano = 0;
  EXPECT_NE(changes(false).at(0).refused, "");
  std::swap(before, after);
  EXPECT_EQ(changes(false).at(0).refused, "");
}

TEST_F(Reload, EveryLimitThatLoosensIsRefusedWhileTrading) {
  std::size_t tried = 0;
  before.risk.max_scenario_loss_bps = 1;
  after.risk = before.risk;
  for (const auto& f : list_fields(after.risk)) {
    if (f.info.reload != gimbal::Reload::tighten_lower &&
        f.info.reload != gimbal::Reload::tighten_higher)
      continue;
    const auto original = f.toml_text();
    const double step = f.info.reload == gimbal::Reload::tighten_lower ? f.info.max : f.info.min;
    TomlValue v;
    if (f.type == "integer") {
      v.kind = TomlKind::integer;
      v.integer = static_cast<std::int64_t>(step);
    } else {
      v.kind = TomlKind::string;
      v.text = f.type == "duration"
                   ? field::duration_text(Nanos{static_cast<std::int64_t>(step * 1e9)})
                   : field::decimal_text(static_cast<std::int64_t>(step) * nano_per_unit);
    }
    if (f.info.zero_is_off) {
      v.text = "0";
      v.integer = 0;
    }
    if (original == (f.type == "integer" ? std::to_string(v.integer) : v.text))
      continue;  // at its loosest
    if (f.info.zero_is_off) before.risk.max_gamma_usd = before.risk.max_vega_usd = Money{1};
    after.risk = before.risk;
    ASSERT_EQ(f.load(v), "") << f.key;
    const auto lines = changes(false);
    ASSERT_EQ(lines.size(), 1u) << f.key;
    EXPECT_NE(lines[0].refused, "") << f.key;
    after.risk = before.risk;
    ++tried;
  }
  EXPECT_GE(tried, 15u);
}

TEST_F(Reload, AFixedFieldOrANewTableNeedsARestart) {
  after.venues[0].host = "other.deribit.com";
  EXPECT_EQ(changes(true).at(0).refused, "needs a restart");
  after = before;
  after.venues.push_back(before.venues[0]);
  EXPECT_EQ(changes(true).at(0).refused, "needs a restart");
}

TEST_F(Reload, StrategyTuningIsLive) {
  after.strategy.of<DeltaHedge>()[0].band = 0.2;
  EXPECT_EQ(changes(false).at(0).refused, "");
}

}  // namespace
}  // namespace gimbal
