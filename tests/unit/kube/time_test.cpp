#include "kube/time.hpp"

#include "tests/unit/kube/mutations.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <string>

namespace konductor::kube {
namespace {

using namespace std::chrono_literals;

constexpr WallTime morning = WallTime{std::chrono::sys_days{2024y / 1 / 15}} + 10h + 30min;

TEST(Time, reads_rfc3339_with_fraction_and_offset) {
  EXPECT_EQ(parse_rfc3339("2024-01-15T10:30:00Z").value(), morning);
  EXPECT_EQ(parse_rfc3339("2024-01-15T10:30:00.123456Z").value(), morning + 123456us);
  EXPECT_EQ(parse_rfc3339("2024-01-15T10:30:00.5Z").value(), morning + 500ms);
  EXPECT_EQ(parse_rfc3339("2024-01-15T10:30:00.1234567899Z").value(), morning + 123456us);
  EXPECT_EQ(parse_rfc3339("2024-01-15T12:30:00+02:00").value(), morning);
  EXPECT_EQ(parse_rfc3339("2024-01-15T05:00:00-05:30").value(), morning);
  EXPECT_EQ(parse_rfc3339("2024-02-29T00:00:00Z").value(), WallTime{std::chrono::sys_days{2024y / 2 / 29}});
  EXPECT_EQ(parse_rfc3339("1969-12-31T23:59:59.999999Z").value(), WallTime{-1us});
}

TEST(Time, refuses_what_is_no_rfc3339_time) {
  for (const char* text : {"",
                           "2024",
                           "2024-01-15",
                           "2024-01-15 10:30:00Z",
                           "2024-1-15T10:30:00Z",
                           "2024-01-15T10:30:00",
                           "2024-01-15T10:30Z",
                           "2024-13-15T10:30:00Z",
                           "2024-02-30T10:30:00Z",
                           "2023-02-29T10:30:00Z",
                           "2024-01-15T24:00:00Z",
                           "2024-01-15T10:60:00Z",
                           "2024-01-15T10:30:60Z",
                           "2024-01-15T10:30:00.Z",
                           "2024-01-15T10:30:00ZZ",
                           "2024-01-15T10:30:00+2",
                           "2024-01-15T10:30:00+24:00",
                           "2024-00-01T00:00:00Z",
                           "2024-01-00T00:00:00Z",
                           "-024-01-15T10:30:00Z",
                           "2024-01-15T10:30:00+00:00Z"}) {
    const auto time = parse_rfc3339(text);
    ASSERT_FALSE(time.has_value()) << text;
    EXPECT_EQ(time.error().code, Errc::invalid);
  }
  EXPECT_EQ(parse_rfc3339("soon").error().detail, "time \"soon\" is not of the form 2024-01-15T10:30:00Z");
}

TEST(Time, writes_what_it_reads) {
  EXPECT_EQ(to_rfc3339(morning + 999999us), "2024-01-15T10:30:00Z");
  EXPECT_EQ(to_rfc3339_micro(morning + 42us), "2024-01-15T10:30:00.000042Z");
  EXPECT_EQ(to_rfc3339_micro(WallTime{-1us}), "1969-12-31T23:59:59.999999Z");
  std::mt19937_64 random(1);
  for (int round = 0; round < 2000; ++round) {
    const WallTime time{std::chrono::microseconds{static_cast<std::int64_t>(random() % 253'402'300'799'000'000ULL)}};
    EXPECT_EQ(parse_rfc3339(to_rfc3339_micro(time)).value(), time);
    EXPECT_EQ(parse_rfc3339(to_rfc3339(time)).value(), std::chrono::floor<std::chrono::seconds>(time));
  }
}

TEST(Time, keeps_to_four_digits_of_a_year) {
  EXPECT_EQ(to_rfc3339(WallTime::max()), "9999-12-31T23:59:59Z");
  EXPECT_EQ(to_rfc3339(WallTime::min()), "0000-01-01T00:00:00Z");
}

TEST(Time, reads_the_date_header_of_http) {
  EXPECT_EQ(parse_http_date("Mon, 15 Jan 2024 10:30:00 GMT"), morning);
  for (const char* text :
       {"", "Mon, 15 Jan 2024 10:30:00 UTC", "Monday, 15-Jan-24 10:30:00 GMT", "Mon Jan 15 10:30:00 2024",
        "Mon, 15 anF 2024 10:30:00 GMT", "xxx, 15 Jan 2024 10:30:00 GMT", "Mon, 32 Jan 2024 10:30:00 GMT",
        "Mon, 15 Jan 2024 10:30:0x GMT", "Mon, 15 Jan 2024 10:30:00 GMT "}) {
    EXPECT_EQ(parse_http_date(text), std::nullopt) << text;
  }
}

TEST(Duration, reads_what_go_reads) {
  EXPECT_EQ(parse_duration("5m").value(), 5min);
  EXPECT_EQ(parse_duration("1h30m").value(), 90min);
  EXPECT_EQ(parse_duration("1.5s").value(), 1500ms);
  EXPECT_EQ(parse_duration(".5s").value(), 500ms);
  EXPECT_EQ(parse_duration("1.s").value(), 1s);
  EXPECT_EQ(parse_duration("250ms").value(), 250ms);
  EXPECT_EQ(parse_duration("7us").value(), 7us);
  EXPECT_EQ(parse_duration("7\xc2\xb5s").value(), 7us);
  EXPECT_EQ(parse_duration("7\xce\xbcs").value(), 7us);
  EXPECT_EQ(parse_duration("1999ns").value(), 1us);
  EXPECT_EQ(parse_duration("0s").value(), 0us);
  EXPECT_EQ(parse_duration("1m1m").value(), 2min);
  EXPECT_EQ(parse_duration("0.000001h").value(), 3600us);
  EXPECT_EQ(parse_duration("2562047h").value(), 2562047h);
}

TEST(Duration, says_what_would_be_right) {
  const struct {
    const char* text;
    const char* detail;
  } cases[] = {
      {"90", R"(duration "90" has no unit: write "90s", "5m" or "1h30m")"},
      {"0", R"(duration "0" has no unit: write "0s", "5m" or "1h30m")"},
      {"1h30", R"(duration "1h30" has no unit: write "90s", "5m" or "1h30m")"},
      {"", R"(duration "" is empty: write "90s", "5m" or "1h30m")"},
      {"-5m", R"(duration "-5m" has a sign: write "90s", "5m" or "1h30m")"},
      {"+5m", R"(duration "+5m" has a sign: write "90s", "5m" or "1h30m")"},
      {"soon", R"(duration "soon" is not understood: write "90s", "5m" or "1h30m")"},
      {"5 m", R"(duration "5 m" has an unknown unit (known: h, m, s, ms, us): write "90s", "5m" or "1h30m")"},
      {"400d", R"(duration "400d" has an unknown unit (known: h, m, s, ms, us): write "90s", "5m" or "1h30m")"},
      {"2562048h", R"(duration "2562048h" is too long)"},
      {"99999999999999999999s", R"(duration "99999999999999999999s" is too long)"},
  };
  for (const auto& c : cases) {
    const auto duration = parse_duration(c.text);
    ASSERT_FALSE(duration.has_value()) << c.text;
    EXPECT_EQ(duration.error().code, Errc::invalid);
    EXPECT_EQ(duration.error().detail, c.detail);
  }
  EXPECT_FALSE(parse_duration(".s").has_value());
  EXPECT_FALSE(parse_duration("5m-1s").has_value());
}

TEST(Duration, is_written_short) {
  EXPECT_EQ(to_string(0us), "0s");
  EXPECT_EQ(to_string(90min), "1h30m");
  EXPECT_EQ(to_string(10min), "10m");
  EXPECT_EQ(to_string(1500ms), "1.5s");
  EXPECT_EQ(to_string(250ms), "250ms");
  EXPECT_EQ(to_string(1500us), "1.5ms");
  EXPECT_EQ(to_string(7us), "7us");
  EXPECT_EQ(to_string(1h + 1us), "1h0.000001s");
  EXPECT_EQ(to_string(-90s), "-1m30s");
  EXPECT_EQ(to_string(-5us), "-5us");
  EXPECT_FALSE(to_string(Duration::min()).empty());
}

TEST(Duration, reads_what_it_writes) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 5000; ++round) {
    const Duration duration{static_cast<std::int64_t>(random() >> (11 + random() % 40))};
    if (duration > 2562047h) continue;
    EXPECT_EQ(parse_duration(to_string(duration)).value(), duration) << to_string(duration);
  }
}

TEST(Duration, survives_any_text) {
  std::mt19937 random(3);
  int good = 0;
  for (int round = 0; round < 20000; ++round) {
    const auto duration = parse_duration(mutated("1h30m15.25s250ms", random));
    if (!duration) continue;
    ++good;
    EXPECT_GE(duration->count(), 0);
  }
  EXPECT_GT(good, 100);
}

}  // namespace
}  // namespace konductor::kube
