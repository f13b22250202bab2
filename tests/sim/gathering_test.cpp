#include "tests/sim/gathering.hpp"

#include "tests/sim/kinds.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

namespace konductor::sim {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t worlds = 25;  // a sanitizer looks at the same code in each
#else
constexpr std::uint64_t worlds = 200;
#endif

TEST(Gathering, keeps_all_promises) {
  const CountingKind kind = meeting_kind();
  std::uint64_t opened = 0, found_out = 0, crashes = 0, retries = 0;
  for (std::uint64_t seed = 1; seed <= worlds; ++seed) {
    Gathering world(kind, seed);
    ASSERT_THAT(world.run(), testing::IsEmpty()) << "seed " << seed;
    opened += world.opened() ? 1U : 0U;
    found_out += world.found_out();
    crashes += world.crashes();
    retries += world.retries();
  }
  std::cout << "[ worlds   ] " << worlds << ": opened " << opened << ", found out " << found_out
            << ", operator crashes " << crashes << ", retries " << retries << "\n";
  // A run in which nothing happens would prove nothing.
  EXPECT_GT(opened, worlds / 4);
  EXPECT_LT(opened, worlds) << "in some too few come";
  EXPECT_GT(found_out, worlds);
  EXPECT_GT(retries, worlds);
  EXPECT_GT(crashes, worlds);
}

using Decide = std::function<Result<runtime::Plan>(const runtime::Observation&)>;

/// The same, called off at that time unless it has begun. Only who came until then counts.
Result<runtime::Plan> decide_until(std::int64_t until, const Decide& decide, const runtime::Observation& seen) {
  std::vector<runtime::ClaimFacts> claims;
  std::ranges::copy_if(seen.claims, std::back_inserter(claims), [&](const auto& one) { return one.created <= until; });
  auto in_time = seen;
  in_time.claims = claims;
  auto plan = decide(in_time);
  if (!plan || plan->status->find("Gathering") == std::string::npos) return plan;
  plan->verdicts.clear();
  plan->look_again_at = until;
  if (seen.now < until) return plan;
  in_time.state = R"({"calledOff": true})";
  return decide(in_time);
}

/// Half a minute after the world began.
CountingKind hurried_meeting() {
  CountingKind kind = meeting_kind();
  const WallTime deadline{std::chrono::seconds{1'700'000'030}};
  kind.deadline = deadline;
  kind.declaration.decide = [decide = kind.declaration.decide, deadline](const runtime::Observation& seen) {
    return decide_until(deadline.time_since_epoch().count(), decide, seen);
  };
  return kind;
}

/// So long after the first came: who is heard of late may be the first.
CountingKind impatient_meeting() {
  CountingKind kind = meeting_kind();
  kind.patience = std::chrono::seconds{12};
  kind.declaration.decide = [decide = kind.declaration.decide,
                             patience = *kind.patience](const runtime::Observation& seen) {
    if (seen.claims.empty()) return decide(seen);
    const auto first = std::ranges::min_element(seen.claims, {}, &runtime::ClaimFacts::created)->created;
    return decide_until(first + Duration{patience}.count(), decide, seen);
  };
  return kind;
}

struct GatheringInTime : testing::TestWithParam<CountingKind (*)()> {};

TEST_P(GatheringInTime, fails_only_where_too_few_came) {
  const CountingKind kind = GetParam()();
  std::uint64_t opened = 0, failed = 0;
  for (std::uint64_t seed = 1; seed <= worlds; ++seed) {
    Gathering world(kind, seed);
    ASSERT_THAT(world.run(), testing::IsEmpty()) << "seed " << seed;
    opened += world.opened() ? 1U : 0U;
    failed += world.failed() ? 1U : 0U;
  }
  std::cout << "[ worlds   ] " << worlds << ": opened " << opened << ", failed " << failed << "\n";
  EXPECT_GT(opened, worlds / 8);
  EXPECT_GT(failed, worlds / 8);
}
INSTANTIATE_TEST_SUITE_P(Each, GatheringInTime, testing::Values(hurried_meeting, impatient_meeting));

/// As if each claim were one of its own: a retry then counts twice.
TEST(Gathering, notices_a_host_that_counts_a_retry_twice) {
  CountingKind kind = meeting_kind();
  kind.declaration.decide = [decide = kind.declaration.decide](const runtime::Observation& seen) {
    std::vector<runtime::ClaimFacts> claims(seen.claims.begin(), seen.claims.end());
    for (auto& claim : claims) claim.participant = claim.uid;
    auto other = seen;
    other.claims = claims;
    return decide(other);
  };
  bool noticed = false;
  for (std::uint64_t seed = 1; seed <= 40 && !noticed; ++seed) noticed = !Gathering(kind, seed).run().empty();
  EXPECT_TRUE(noticed);
}

/// As if nothing were latched: whoever leaves closes it again.
TEST(Gathering, notices_a_kind_that_forgets_that_it_was_open) {
  CountingKind kind = meeting_kind();
  kind.declaration.decide = [decide = kind.declaration.decide](const runtime::Observation& seen) {
    auto other = seen;
    other.state = "{}";
    return decide(other);
  };
  bool noticed = false;
  for (std::uint64_t seed = 1; seed <= 200 && !noticed; ++seed) noticed = !Gathering(kind, seed).run().empty();
  EXPECT_TRUE(noticed);
}

}  // namespace
}  // namespace konductor::sim
