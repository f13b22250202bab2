#include "semaphore/decide.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>

/// What must hold for every input, over thousands of made-up ones. A failure names its seed.
namespace konductor::semaphore {
namespace {

using Random = std::mt19937_64;
__extension__ using Wide = __int128;  // sums of any 64-bit units

std::int64_t pick(Random& random, std::int64_t lowest, std::int64_t highest) {
  return lowest + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(highest - lowest + 1));
}
bool chance(Random& random, int percent) {
  return pick(random, 1, 100) <= percent;
}

struct Sample {
  Spec spec;
  Limits limits;
  std::vector<ClaimIn> claims;
};

Sample make_sample(Random& random, bool everybody_waits = false) {
  Sample sample;
  sample.spec.permits = static_cast<std::int32_t>(chance(random, 5) ? most_permits : pick(random, 0, 12));
  sample.limits.max_grants = static_cast<std::size_t>(chance(random, 50) ? 128 : pick(random, 1, 4));
  const auto count = pick(random, 0, 24);
  const int holders = static_cast<int>(pick(random, 0, 60));
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t units = chance(random, 60) ? 1 : pick(random, 0, 7);
    if (chance(random, 2)) units = std::numeric_limits<std::int64_t>::max() - pick(random, 0, 3);
    sample.claims.push_back({chance(random, holders), units, !everybody_waits && chance(random, 15)});
  }
  return sample;
}

Wide asked_units(const ClaimIn& claim) {
  return std::max<Wide>(claim.units, 1);
}

Wide held_by(const std::vector<ClaimIn>& claims) {
  Wide sum = 0;
  for (const ClaimIn& claim : claims) sum += claim.holds ? asked_units(claim) : 0;
  return sum;
}

std::vector<ClaimIn> after(const Sample& sample, const Decision& decision) {
  std::vector<ClaimIn> claims = sample.claims;
  for (const std::size_t granted : decision.grants) claims[granted].holds = true;
  return claims;
}

class SemaphoreProperty : public testing::Test {
 protected:
  /// Calls check(sample, decision) for many samples.
  template <class Check>
  static void for_samples(Check check, bool everybody_waits = false) {
    for (std::uint64_t seed = 1; seed <= 3'000; ++seed) {
      SCOPED_TRACE("seed " + std::to_string(seed));
      Random random(seed);
      const Sample sample = make_sample(random, everybody_waits);
      check(sample, decide(sample.spec, sample.claims, sample.limits), random);
      if (HasFailure()) return;
    }
  }
};

TEST_F(SemaphoreProperty, never_grants_over_the_limit_nor_over_max_grants) {
  int granted = 0;
  for_samples([&granted](const Sample& sample, const Decision& decision, Random&) {
    ASSERT_LE(decision.grants.size(), sample.limits.max_grants);
    ASSERT_TRUE(std::is_sorted(decision.grants.begin(), decision.grants.end(), std::less_equal<>()));
    for (const std::size_t index : decision.grants) ASSERT_FALSE(sample.claims.at(index).holds);
    const Wide held = held_by(after(sample, decision));
    if (decision.grants.empty()) return;
    ASSERT_TRUE(held <= sample.spec.permits);
    ++granted;
  });
  EXPECT_GT(granted, 500);  // else the samples prove nothing
}

TEST_F(SemaphoreProperty, nobody_is_granted_past_somebody_who_waits_and_fits_the_limit) {
  for_samples([](const Sample& sample, const Decision& decision, Random&) {
    const std::size_t last = decision.grants.empty() ? 0 : decision.grants.back();
    for (std::size_t i = 0; i < last; ++i) {
      const ClaimIn& claim = sample.claims[i];
      if (claim.holds || claim.no_wait || asked_units(claim) > sample.spec.permits) continue;
      ASSERT_TRUE(std::binary_search(decision.grants.begin(), decision.grants.end(), i)) << i;
    }
  });
}

TEST_F(SemaphoreProperty, leaves_nothing_free_that_the_next_in_line_could_take) {
  for_samples([](const Sample& sample, const Decision& decision, Random&) {
    if (decision.grants.size() == sample.limits.max_grants) return;
    const Wide free = sample.spec.permits - held_by(after(sample, decision));
    for (std::size_t i = 0; i < sample.claims.size(); ++i) {
      const ClaimIn& claim = sample.claims[i];
      const bool granted = std::binary_search(decision.grants.begin(), decision.grants.end(), i);
      if (claim.holds || granted || asked_units(claim) > sample.spec.permits) continue;
      ASSERT_TRUE(asked_units(claim) > free) << i;
      if (!claim.no_wait) return;
    }
  });
}

TEST_F(SemaphoreProperty, deciding_again_grants_nothing_more) {
  for_samples([](const Sample& sample, const Decision& decision, Random&) {
    if (decision.grants.size() == sample.limits.max_grants) return;
    ASSERT_TRUE(decide(sample.spec, after(sample, decision), sample.limits).grants.empty());
  });
}

TEST_F(SemaphoreProperty, rounds_of_few_grants_end_where_one_of_many_does) {
  for_samples([](const Sample& sample, const Decision& first, Random&) {
    const Decision at_once = decide(sample.spec, sample.claims, {.max_grants = sample.claims.size() + 1});
    Sample rounds = sample;
    rounds.claims = after(sample, first);
    for (std::size_t round = 0; round < sample.claims.size(); ++round) {
      rounds.claims = after(rounds, decide(rounds.spec, rounds.claims, rounds.limits));
    }
    const auto expected = after(sample, at_once);
    for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_EQ(rounds.claims[i].holds, expected[i].holds) << i;
  });
}

TEST_F(SemaphoreProperty, it_does_not_matter_where_holders_stand) {
  for_samples([](const Sample& sample, const Decision& decision, Random& random) {
    std::vector<std::size_t> order(sample.claims.size());  // new position -> old index, waiters keeping their order
    std::vector<std::size_t> waiters;
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::shuffle(order.begin(), order.end(), random);
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (!sample.claims[i].holds) waiters.push_back(i);
    }
    auto next = waiters.begin();
    std::vector<ClaimIn> moved;
    for (std::size_t& old : order) {
      if (!sample.claims[old].holds) old = *next++;
      moved.push_back(sample.claims[old]);
    }
    const Decision again = decide(sample.spec, moved, sample.limits);
    std::vector<std::size_t> grants;
    for (const std::size_t index : again.grants) grants.push_back(order[index]);
    ASSERT_EQ(grants, decision.grants);
    ASSERT_EQ(again.status, decision.status);
  });
}

TEST_F(SemaphoreProperty, shows_what_is_true_after_its_grants) {
  for_samples([](const Sample& sample, const Decision& decision, Random&) {
    const auto claims = after(sample, decision);
    const Wide held = held_by(claims);
    const auto waiting_claims = std::count_if(claims.begin(), claims.end(), [](const auto& c) { return !c.holds; });
    ASSERT_EQ(decision.status.in_use,
              static_cast<std::int64_t>(std::min<Wide>(held, std::numeric_limits<std::int64_t>::max())));
    ASSERT_EQ(decision.status.available, static_cast<std::int64_t>(std::max<Wide>(sample.spec.permits - held, 0)));
    ASSERT_EQ(decision.status.waiting, waiting_claims);
    const bool over = held > sample.spec.permits;
    ASSERT_EQ(decision.status.phase, sample.spec.permits == 0 ? Phase::paused : over ? Phase::draining : Phase::ready);
  });
}

TEST_F(SemaphoreProperty, every_claim_that_waits_has_a_reason_unless_it_was_cut_short) {
  for_samples([](const Sample& sample, const Decision& decision, Random&) {
    if (decision.grants.size() == sample.limits.max_grants) return;
    ASSERT_EQ(decision.waits.size(), static_cast<std::size_t>(decision.status.waiting));
    for (const Wait& wait : decision.waits) {
      const ClaimIn& claim = sample.claims.at(wait.claim);
      const bool exceeds = asked_units(claim) > sample.spec.permits;
      ASSERT_FALSE(claim.holds);
      ASSERT_EQ(wait.reason, sample.spec.permits == 0 ? paused : exceeds ? exceeds_limit : waiting);
      ASSERT_FALSE(wait.message.empty());
    }
  });
}

/// Serves a whole population: arrivals, releases and changes of the limit, step by step.
TEST_F(SemaphoreProperty, everybody_is_served_in_the_end_and_in_order) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    std::vector<ClaimIn> claims;
    for (int i = 0; i < 60; ++i) claims.push_back({false, pick(random, 1, 6), false});
    std::size_t steps = 0;
    while (!claims.empty()) {
      ASSERT_LT(++steps, 2000U);
      const Spec spec{static_cast<std::int32_t>(chance(random, 10) ? pick(random, 0, 5) : pick(random, 6, 9))};
      const Wide held = held_by(claims);
      const Decision decision = decide(spec, claims, {.max_grants = 3});
      for (const std::size_t granted : decision.grants) claims[granted].holds = true;
      ASSERT_TRUE(held_by(claims) <= std::max<Wide>(held, spec.permits));
      std::erase_if(claims, [&random](const ClaimIn& claim) { return claim.holds && chance(random, 30); });
    }
  }
}

}  // namespace
}  // namespace konductor::semaphore
