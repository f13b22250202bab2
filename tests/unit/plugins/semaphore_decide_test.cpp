#include "semaphore/decide.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <limits>

namespace konductor::semaphore {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t huge = std::numeric_limits<std::int64_t>::max();

ClaimIn holder(std::int64_t units = 1) {
  return {.holds = true, .units = units};
}
ClaimIn waiter(std::int64_t units = 1) {
  return {.holds = false, .units = units};
}
ClaimIn now_or_never(std::int64_t units = 1) {
  return {.holds = false, .units = units, .no_wait = true};
}

struct Case {
  const char* what;
  std::int32_t permits;
  std::vector<ClaimIn> claims;
  std::vector<std::size_t> grants;
  Status status;
};

void PrintTo(const Case& test, std::ostream* out) {
  *out << test.what;
}

class SemaphoreTable : public testing::TestWithParam<Case> {};

TEST_P(SemaphoreTable, grants_and_shows_what_the_case_says) {
  const Case& test = GetParam();
  const Decision decision = decide({test.permits}, test.claims, {});
  EXPECT_EQ(decision.grants, test.grants);
  EXPECT_EQ(decision.status.phase, test.status.phase);
  EXPECT_EQ(decision.status.permits, test.permits);
  EXPECT_EQ(decision.status.in_use, test.status.in_use);
  EXPECT_EQ(decision.status.available, test.status.available);
  EXPECT_EQ(decision.status.waiting, test.status.waiting);
  EXPECT_EQ(decision.waits.size(), static_cast<std::size_t>(test.status.waiting));
}

Status shown(Phase phase, std::int64_t in_use, std::int64_t available, std::int64_t waiting_claims) {
  return {phase, 0, in_use, available, waiting_claims};
}

const Case cases[] = {
    {"nobody", 5, {}, {}, shown(Phase::ready, 0, 5, 0)},
    {"all_fit", 3, {waiter(), waiter(2)}, {0, 1}, shown(Phase::ready, 3, 0, 0)},
    {"the_line_is_cut_at_the_limit", 2, {waiter(), waiter(), waiter()}, {0, 1}, shown(Phase::ready, 2, 0, 1)},
    {"holders_count_wherever_they_stand", 2, {waiter(), waiter(), holder()}, {0}, shown(Phase::ready, 2, 0, 1)},
    {"a_large_one_at_the_head_is_not_overtaken", 3, {holder(), waiter(3), waiter()}, {}, shown(Phase::ready, 1, 2, 2)},
    {"one_that_exceeds_the_limit_is_passed_over", 3, {waiter(4), waiter(3)}, {1}, shown(Phase::ready, 3, 0, 1)},
    {"it_is_served_when_the_limit_has_risen", 4, {waiter(4), waiter(3)}, {0}, shown(Phase::ready, 4, 0, 1)},
    {"exactly_the_limit_fits", 4, {waiter(4)}, {0}, shown(Phase::ready, 4, 0, 0)},
    {"a_lowered_limit_drains", 2, {holder(3), waiter()}, {}, shown(Phase::draining, 3, 0, 1)},
    {"drained_to_the_limit", 2, {holder(2), waiter()}, {}, shown(Phase::ready, 2, 0, 1)},
    {"paused", 0, {holder(), waiter(), waiter(9)}, {}, shown(Phase::paused, 1, 0, 2)},
    {"who_does_not_wait_holds_nobody_up", 3, {holder(), now_or_never(3), waiter()}, {2}, shown(Phase::ready, 2, 1, 1)},
    {"and_does_not_overtake", 3, {holder(), waiter(3), now_or_never()}, {}, shown(Phase::ready, 1, 2, 2)},
    {"huge_requests_are_passed_over", 1, {waiter(huge), waiter()}, {1}, shown(Phase::ready, 1, 0, 1)},
    {"huge_holders_saturate", 1, {holder(huge), holder(huge), waiter()}, {}, shown(Phase::draining, huge, 0, 1)},
    {"units_below_1_are_1", 2, {holder(-7), holder(0), waiter(0)}, {}, shown(Phase::ready, 2, 0, 1)},
};
INSTANTIATE_TEST_SUITE_P(, SemaphoreTable, testing::ValuesIn(cases),
                         [](const auto& test) { return std::string(test.param.what); });

TEST(SemaphoreDecide, stops_at_max_grants_and_says_nothing_of_the_rest) {
  const std::vector<ClaimIn> claims(5, waiter());
  const Decision decision = decide({4}, claims, {.max_grants = 2});
  EXPECT_THAT(decision.grants, ElementsAre(0, 1));
  EXPECT_THAT(decision.waits, IsEmpty());
  EXPECT_EQ(decision.status.in_use, 2);
  EXPECT_EQ(decision.status.waiting, 3);
}

TEST(SemaphoreDecide, explains_when_max_grants_was_just_enough) {
  const Decision decision = decide({2}, std::vector<ClaimIn>(3, waiter()), {.max_grants = 2});
  EXPECT_THAT(decision.grants, ElementsAre(0, 1));
  ASSERT_EQ(decision.waits.size(), 1U);
  EXPECT_EQ(decision.waits[0].claim, 2U);
}

TEST(SemaphoreDecide, tells_waiters_what_they_wait_for) {
  const std::vector<ClaimIn> claims = {holder(4), waiter(2), waiter(9), now_or_never(3), waiter(), waiter(3)};
  const Decision decision = decide({5}, claims, {});
  ASSERT_EQ(decision.waits.size(), 5U);
  EXPECT_EQ(decision.waits[0].reason, waiting);
  EXPECT_EQ(decision.waits[0].message, "its turn for 2 permits has not come");
  EXPECT_EQ(decision.waits[1].reason, exceeds_limit);
  EXPECT_EQ(decision.waits[1].message, "asks for 9 permits, and the limit is 5");
  EXPECT_EQ(decision.waits[2].message, "asks for 3 permits, and 4 of 5 are in use; 1 waits before it");
  EXPECT_EQ(decision.waits[3].message, "its turn for 1 permit has not come");
  EXPECT_EQ(decision.waits[4].message, "its turn for 3 permits has not come");
}

// The host stores it once for the whole wait.
TEST(SemaphoreDecide, tells_a_waiter_the_same_wherever_it_stands) {
  const auto message_of = [](std::vector<ClaimIn> claims) {
    const Decision decision = decide({5}, claims, {});
    return decision.waits.back().message;
  };
  EXPECT_EQ(message_of({holder(5), waiter(2)}), message_of({holder(3), waiter(3), waiter(), waiter(2)}));
}

TEST(SemaphoreDecide, tells_that_it_is_paused_even_to_who_asks_for_too_much) {
  const Decision decision = decide({0}, std::vector{waiter(), waiter(1'000'001)}, {});
  ASSERT_EQ(decision.waits.size(), 2U);
  EXPECT_EQ(decision.waits[0].reason, paused);
  EXPECT_EQ(decision.waits[1].reason, paused);
  EXPECT_THAT(decision.waits[0].message, HasSubstr("paused"));
}

struct ReadyCase {
  std::int32_t permits;
  std::int64_t held;
  const char* reason;
  const char* message;
};

TEST(SemaphoreDecide, describes_itself) {
  const ReadyCase ready_cases[] = {
      {5, 1, "Serving", "serves up to 5 permits at a time"},
      {1, 1, "Serving", "serves up to 1 permit at a time"},
      {0, 1, "Paused", "permits is 0: nothing is granted until it is raised"},
      {3, 4, "Draining", "more is in use than the limit of 3 permits; nothing is granted until enough is released"}};
  for (const ReadyCase& test : ready_cases) {
    const Decision decision = decide({test.permits}, std::vector{holder(test.held)}, {});
    EXPECT_EQ(decision.ready_reason, test.reason);
    EXPECT_EQ(decision.ready_message, test.message);
  }
}

TEST(SemaphoreDecide, a_large_request_is_served_while_small_ones_keep_coming) {
  std::vector<ClaimIn> claims(5, holder());
  claims.push_back(waiter(5));
  for (int released = 1; released <= 5; ++released) {
    claims.erase(claims.begin());  // one of the holders leaves
    claims.push_back(waiter());    // and somebody small arrives
    const Decision decision = decide({5}, claims, {});
    const std::size_t large = 5 - static_cast<std::size_t>(released);
    if (released < 5) {
      ASSERT_THAT(decision.grants, IsEmpty()) << released;
    } else {
      ASSERT_THAT(decision.grants, ElementsAre(large));
    }
  }
}

TEST(SemaphoreDecide, ten_thousand_waiting_cost_little) {
  std::vector<ClaimIn> claims(1000, holder());
  claims.resize(11'000, waiter());
  const std::clock_t before = std::clock();
  const Decision decision = decide({1000}, claims, {});
  const std::clock_t spent = std::clock() - before;  // of this process, not of the machine
  EXPECT_LT(spent, CLOCKS_PER_SEC / 2);

  std::size_t bytes = 0;
  for (const Wait& wait : decision.waits) bytes += wait.message.size();
  EXPECT_EQ(decision.waits.size(), 10'000U);
  EXPECT_LT(bytes, 5'000U);
  EXPECT_EQ(decision.waits.back().reason, waiting);
}

TEST(SemaphoreDecide, who_does_not_wait_is_told_why_however_long_the_line) {
  std::vector<ClaimIn> claims(100, waiter());
  claims.push_back(now_or_never());
  claims.insert(claims.begin(), holder());
  const Decision decision = decide({1}, claims, {.max_messages = 10});
  ASSERT_EQ(decision.waits.size(), 101U);
  EXPECT_EQ(decision.waits[9].message, "its turn for 1 permit has not come");
  EXPECT_EQ(decision.waits[10].message, "");
  EXPECT_EQ(decision.waits[100].message, "asks for 1 permit, and 1 of 1 are in use; 100 wait before it");
}

}  // namespace
}  // namespace konductor::semaphore
