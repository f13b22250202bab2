#include "operator/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace konductor::app {
namespace {

using namespace std::chrono_literals;

Result<Options> parse(std::vector<const char*> words) {
  words.insert(words.begin(), "konductor");
  return parse_options(static_cast<int>(words.size()), words.data());
}

TEST(Options, have_an_election_that_survives_a_kill_within_ten_seconds) {
  const auto options = parse({"--leader-elect"});
  ASSERT_TRUE(options);
  EXPECT_TRUE(options->leader_elect);
  EXPECT_EQ(options->lease_duration, 8s);
  EXPECT_EQ(options->renew_deadline, 5s);
  EXPECT_EQ(options->retry_period, 1s);
  EXPECT_LT(options->lease_duration + options->retry_period, 10s);
}

TEST(Options, take_the_times_of_the_election) {
  const auto options = parse({"--leader-elect-lease-duration", "1m", "--leader-elect-renew-deadline=20500ms",
                              "--leader-elect-retry-period", "2s", "--withhold-grants", "10m"});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->lease_duration, 60s);
  EXPECT_EQ(options->renew_deadline, 20500ms);
  EXPECT_EQ(options->retry_period, 2s);
  EXPECT_EQ(options->withhold_grants, 10min);
}

struct Refused {
  std::vector<const char*> words;
  std::string why;
};

TEST(Options, refuse_times_that_do_not_fit) {
  const std::vector<Refused> cases = {
      {{"--leader-elect-lease-duration", "1500ms"}, "--leader-elect-lease-duration 1.5s must be whole seconds"},
      {{"--leader-elect-lease-duration", "2h"}, "must be whole seconds from 1s to 1h"},
      {{"--leader-elect-lease-duration", "0s"}, "must be whole seconds from 1s to 1h"},
      {{"--leader-elect-lease-duration", "soon"}, "--leader-elect-lease-duration: "},
      {{"--leader-elect-lease-duration", "5s"},
       "--leader-elect-renew-deadline 5s must be shorter than --leader-elect-lease-duration 5s"},
      {{"--leader-elect-renew-deadline", "8s"},
       "--leader-elect-renew-deadline 8s must be shorter than --leader-elect-lease-duration 8s"},
      {{"--leader-elect-retry-period", "5s"},
       "--leader-elect-retry-period 5s must be shorter than --leader-elect-renew-deadline 5s"},
      {{"--leader-elect-retry-period", "10ms"}, "--leader-elect-retry-period 10ms must be at least 100ms"},
      {{"--withhold-grants", "long"}, "--withhold-grants: "},
      {{"--no-such-flag"}, "--no-such-flag"},
  };
  for (const Refused& one : cases) {
    const auto options = parse(one.words);
    ASSERT_FALSE(options) << one.words.front();
    EXPECT_EQ(options.error().code, Errc::bad_config);
    EXPECT_THAT(options.error().detail, testing::HasSubstr(one.why));
    EXPECT_THAT(options.error().detail, testing::HasSubstr("(see konductor --help)"));
  }
}

}  // namespace
}  // namespace konductor::app
