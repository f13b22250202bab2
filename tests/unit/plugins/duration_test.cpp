#include "kube/time.hpp"

#include <konductor/duration.hpp>
#include <konductor/time.hpp>

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace konductor::plugin {
namespace {

TEST(PluginDuration, is_microseconds) {
  EXPECT_EQ(parse_duration("90s"), 90'000'000);
  EXPECT_EQ(parse_duration("1h30m"), 5'400'000'000);
  EXPECT_EQ(parse_duration("1.5ms"), 1500);
  EXPECT_EQ(parse_duration("2us"), 2);
  EXPECT_EQ(parse_duration("1999ns"), 1) << "rounded down";
  EXPECT_EQ(parse_duration("0s"), 0);
  EXPECT_EQ(parse_duration(".5s"), 500'000);
  EXPECT_EQ(parse_duration("8760h"), 8760LL * 3600 * 1'000'000);
}

TEST(PluginDuration, is_nothing_where_the_text_is_none) {
  for (const char* text : {"", "5", "s", ".s", "-5s", "+5s", "5 s", "5d", "5s ", " 5s", "1h30", "5S", "1..5s", "1.5.5s",
                           "9999999999999999999h", "2562048h", "9223372036s1s", "ten"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(PluginDuration, agrees_with_the_host_for_any_text) {
  constexpr std::string_view letters = "0123456789..hmsun-+ \xc2\xb5\xce\xbc";
  std::mt19937_64 random(3);
  int understood = 0;
  for (int round = 0; round < 50'000; ++round) {
    std::string text;
    for (std::size_t i = random() % 9; i > 0; --i) text += letters[random() % letters.size()];
    const auto host = kube::parse_duration(text);
    const auto mine = parse_duration(text);
    ASSERT_EQ(mine.has_value(), host.has_value()) << text;
    if (!mine) continue;
    ASSERT_EQ(*mine, host->count()) << text;
    ++understood;
  }
  EXPECT_GT(understood, 300);
}

TEST(PluginTime, is_shown_as_a_second_that_is_not_before_it) {
  EXPECT_EQ(time_text(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(time_text(1), "1970-01-01T00:00:01Z");
  EXPECT_EQ(time_text(1'709'251'199'000'000), "2024-02-29T23:59:59Z");
  EXPECT_EQ(time_text(1'709'251'199'000'001), "2024-03-01T00:00:00Z");
}

}  // namespace
}  // namespace konductor::plugin
