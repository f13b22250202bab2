#include "semaphore/decide.hpp"
#include "semaphore/line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <vector>

/// What priorityAging and maxPriority change of a decision, and what they leave alone.
namespace konductor::semaphore {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t second = 1'000'000;

std::int64_t pick(std::mt19937_64& random, std::int64_t lowest, std::int64_t highest) {
  return lowest + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(highest - lowest + 1));
}

/// As the host sorts them.
void sort_as_host(std::vector<ClaimIn>& claims) {
  std::stable_sort(claims.begin(), claims.end(), [](const ClaimIn& left, const ClaimIn& right) {
    return std::tie(right.priority, left.created) < std::tie(left.priority, right.created);
  });
}

std::vector<ClaimIn> make_claims(std::mt19937_64& random) {
  std::vector<ClaimIn> claims(static_cast<std::size_t>(pick(random, 0, 20)));
  for (ClaimIn& claim : claims) {
    claim.holds = pick(random, 0, 3) == 0;
    claim.units = pick(random, 1, 4);
    claim.no_wait = pick(random, 0, 9) == 0;
    claim.priority = pick(random, -2, 2);
    claim.created = pick(random, 0, 99) * second;
  }
  sort_as_host(claims);
  return claims;
}

TEST(SemaphoreAging, decides_as_without_it_where_nobody_is_old_enough_and_nobody_over_the_cap) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 3000; ++round) {
    const auto claims = make_claims(random);
    const Limits limits{.max_grants = static_cast<std::size_t>(pick(random, 1, 20))};
    const Spec plain{.permits = static_cast<std::int32_t>(pick(random, 0, 9))};
    Spec capped = plain;
    capped.max_priority = 2;
    Spec slow = plain;
    slow.priority_aging = 200 * second;
    const Decision expected = decide(plain, claims, limits, 100 * second);
    EXPECT_FALSE(expected.look_again_at);
    for (const Spec& spec : {capped, slow}) {
      const Decision decision = decide(spec, claims, limits, 100 * second);
      ASSERT_EQ(decision.grants, expected.grants) << "round " << round;
      ASSERT_EQ(decision.status, expected.status) << "round " << round;
      ASSERT_EQ(decision.waits.size(), expected.waits.size()) << "round " << round;
      for (std::size_t i = 0; i < expected.waits.size(); ++i) {
        ASSERT_EQ(decision.waits[i].claim, expected.waits[i].claim) << "round " << round;
        ASSERT_EQ(decision.waits[i].message, expected.waits[i].message) << "round " << round;
      }
    }
  }
}

TEST(SemaphoreAging, grants_nobody_past_somebody_of_a_higher_effective_place) {
  std::mt19937_64 random(2);
  int granted = 0;
  for (int round = 0; round < 3000; ++round) {
    const auto claims = make_claims(random);
    const std::int64_t now = pick(random, 100, 150) * second;
    const Spec spec{.permits = static_cast<std::int32_t>(pick(random, 0, 9)),
                    .priority_aging = pick(random, 1, 40) * second,
                    .max_priority = static_cast<std::int32_t>(pick(random, -1, 2))};
    const Decision decision = decide(spec, claims, {}, now);
    std::int64_t held = 0;
    for (const ClaimIn& claim : claims) held += claim.holds ? units_of(claim) : 0;
    for (const std::size_t index : decision.grants) held += units_of(claims[index]);
    if (!decision.grants.empty()) {
      ASSERT_LE(held, spec.permits) << "round " << round;
    }
    const auto was_granted = [&](std::size_t index) {
      return std::find(decision.grants.begin(), decision.grants.end(), index) != decision.grants.end();
    };
    bool somebody_waits = false;
    const Line line(spec, claims, now);
    for (std::size_t place = 0; place < line.size(); ++place) {
      const ClaimIn& claim = claims[line[place]];
      if (was_granted(line[place])) {
        ASSERT_FALSE(somebody_waits) << "round " << round;
        ++granted;
      } else if (!claim.no_wait && units_of(claim) <= spec.permits) {
        somebody_waits = true;
      }
    }
  }
  EXPECT_GT(granted, 1000);
}

TEST(SemaphoreAging, looks_again_exactly_when_the_decision_will_be_another) {
  std::mt19937_64 random(3);
  int looked = 0;
  for (int round = 0; round < 3000; ++round) {
    const auto claims = make_claims(random);
    const std::int64_t now = 100 * second;
    const Spec spec{.permits = static_cast<std::int32_t>(pick(random, 1, 9)), .priority_aging = 10 * second};
    const Decision decision = decide(spec, claims, {}, now);
    auto after = claims;
    for (const std::size_t granted : decision.grants) after[granted].holds = true;
    std::erase_if(after, [](const ClaimIn& claim) { return !claim.holds && claim.no_wait; });  // denied
    const auto grants_at = [&](std::int64_t time) { return decide(spec, after, {}, time).grants.size(); };
    if (decision.look_again_at) {
      ASSERT_GT(*decision.look_again_at, now);
      ASSERT_EQ(grants_at(*decision.look_again_at - 1), 0U) << "round " << round;
      ASSERT_GT(grants_at(*decision.look_again_at), 0U) << "round " << round;
      ++looked;
    } else {
      for (std::int64_t later = 0; later <= 10; ++later) ASSERT_EQ(grants_at(now + later * second), 0U) << round;
    }
  }
  EXPECT_GT(looked, 20);
}

struct Population {
  Spec spec;
  std::vector<ClaimIn> claims = {};
  std::int64_t now = 0;

  /// One step: somebody of a high priority arrives, who holds releases, the head is served.
  void step(std::int64_t priority) {
    now += second;
    std::erase_if(claims, [](const ClaimIn& claim) { return claim.holds; });
    claims.push_back({.priority = priority, .created = now});
    sort_as_host(claims);
    const Decision decision = decide(spec, claims, {}, now);
    for (const std::size_t granted : decision.grants) claims[granted].holds = true;
  }
  [[nodiscard]] bool serves(std::int64_t units, std::int64_t created) const {
    return std::any_of(claims.begin(), claims.end(), [&](const ClaimIn& claim) {
      return claim.holds && claim.units == units && claim.created == created;
    });
  }
};

/// After how many steps the claim was served that was there from the beginning; empty: never.
std::optional<int> steps_to_serve(const Spec& spec, std::int64_t units, std::int64_t priority) {
  Population population{.spec = spec};
  population.claims.push_back({.units = units, .priority = priority, .created = 0});
  for (int i = 0; i < 10; ++i) population.claims.push_back({.priority = 5, .created = 1});
  for (int step = 1; step <= 400; ++step) {
    population.step(5);
    if (population.serves(units, 0)) return step;
  }
  return std::nullopt;
}

TEST(SemaphoreAging, lets_everybody_be_served_under_a_stream_of_higher_priorities) {
  EXPECT_EQ(steps_to_serve({.permits = 1}, 1, 0), std::nullopt) << "else this proves nothing";
  const auto aged = steps_to_serve({.permits = 1, .priority_aging = 10 * second}, 1, 0);
  ASSERT_TRUE(aged);
  EXPECT_GE(*aged, 40);
  EXPECT_LE(*aged, 80) << "5 levels of 10 s, and those that were there before";
  const auto low = steps_to_serve({.permits = 1, .priority_aging = 10 * second}, 1, -20);
  ASSERT_TRUE(low);
  EXPECT_GT(*low, *aged);
}

TEST(SemaphoreAging, lets_a_large_request_be_served_too) {
  EXPECT_EQ(steps_to_serve({.permits = 2}, 2, 0), std::nullopt);
  const auto aged = steps_to_serve({.permits = 2, .priority_aging = 10 * second}, 2, 0);
  ASSERT_TRUE(aged);
  EXPECT_LE(*aged, 80);
}

TEST(SemaphoreAging, is_not_needed_where_a_cap_makes_all_equal) {
  const auto capped = steps_to_serve({.permits = 1, .max_priority = 0}, 1, 0);
  ASSERT_TRUE(capped);
  EXPECT_EQ(*capped, 1) << "it is the oldest";
}

TEST(SemaphoreAging, tells_first_who_is_first_in_line) {
  std::vector<ClaimIn> claims(100, {.priority = 5, .created = 90 * second});
  claims.push_back({.priority = 0, .created = 0});
  const Spec spec{.permits = 1, .priority_aging = 10 * second};
  claims.insert(claims.begin(), {.holds = true});
  const Decision decision = decide(spec, claims, {.max_messages = 1}, 90 * second);
  ASSERT_EQ(decision.waits.size(), 101U);
  EXPECT_EQ(decision.waits[0].claim, 101U);
  EXPECT_NE(decision.waits[0].message, "");
  EXPECT_EQ(decision.waits[1].message, "");
}

TEST(SemaphoreAging, of_ten_thousand_costs_little_and_looks_again_once) {
  std::vector<ClaimIn> claims(10, {.holds = true});
  std::mt19937_64 random(4);
  for (int i = 0; i < 10'000; ++i) {
    claims.push_back(
        {.units = pick(random, 1, 40), .priority = pick(random, 0, 3), .created = pick(random, 0, second * 60)});
  }
  sort_as_host(claims);
  const std::clock_t before = std::clock();
  const Decision decision = decide({.permits = 40, .priority_aging = second}, claims, {}, 60 * second);
  const std::clock_t spent = std::clock() - before;  // of this process, not of the machine
  EXPECT_LT(spent, CLOCKS_PER_SEC / 2);
  EXPECT_FALSE(decision.waits.empty());
  if (decision.look_again_at) {
    EXPECT_GT(*decision.look_again_at, 60 * second);
  }
}

}  // namespace
}  // namespace konductor::semaphore
