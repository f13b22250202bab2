#include "semaphore/line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <string>
#include <vector>

/// The order of those who wait, against a second statement of it: priorities are computed one by one, moments tried
/// out.
namespace konductor::semaphore {
namespace {

using testing::ElementsAre;

constexpr std::int64_t second = 1'000'000;

std::vector<std::size_t> order(const Spec& spec, const std::vector<ClaimIn>& claims, std::int64_t now) {
  const Line line(spec, claims, now);
  std::vector<std::size_t> indices;
  for (std::size_t place = 0; place < line.size(); ++place) indices.push_back(line[place]);
  return indices;
}

std::int64_t effective(const Spec& spec, const ClaimIn& claim, std::int64_t now) {
  std::int64_t priority = claim.priority;
  if (spec.max_priority && priority > *spec.max_priority) priority = *spec.max_priority;
  const std::int64_t waited = now > claim.created ? now - claim.created : 0;
  return spec.priority_aging > 0 ? priority + waited / spec.priority_aging : priority;
}

std::vector<std::size_t> order_by_hand(const Spec& spec, const std::vector<ClaimIn>& claims, std::int64_t now) {
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < claims.size(); ++i) {
    if (!claims[i].holds) indices.push_back(i);
  }
  std::stable_sort(indices.begin(), indices.end(), [&](std::size_t left, std::size_t right) {
    const auto mine = effective(spec, claims[left], now);
    const auto theirs = effective(spec, claims[right], now);
    return mine != theirs ? mine > theirs : claims[left].created < claims[right].created;
  });
  return indices;
}

TEST(SemaphoreLine, without_its_fields_is_the_order_of_the_input) {
  const std::vector<ClaimIn> claims = {{.priority = 1, .created = 9}, {.holds = true}, {.priority = 7, .created = 1}};
  EXPECT_THAT(order({.permits = 1}, claims, 100), ElementsAre(0, 1, 2));
}

TEST(SemaphoreLine, caps_what_claims_ask) {
  const std::vector<ClaimIn> claims = {{.priority = 100, .created = 3},
                                       {.priority = 5, .created = 2},
                                       {.priority = 4, .created = 1},
                                       {.priority = -7, .created = 0}};
  EXPECT_THAT(order({.max_priority = 5}, claims, 10), ElementsAre(1, 0, 2, 3));
  EXPECT_THAT(order({.max_priority = 4}, claims, 10), ElementsAre(2, 1, 0, 3));
  EXPECT_THAT(order({.max_priority = -9}, claims, 10), ElementsAre(3, 2, 1, 0)) << "all are equal";
  EXPECT_THAT(order({.max_priority = 100}, claims, 10), ElementsAre(0, 1, 2, 3));
}

TEST(SemaphoreLine, raises_who_waits_even_above_the_cap) {
  const Spec spec{.priority_aging = 10 * second, .max_priority = 2};
  const std::vector<ClaimIn> claims = {{.priority = 9, .created = 35 * second}, {.priority = 0, .created = 0}};
  EXPECT_THAT(order(spec, claims, 19 * second), ElementsAre(0, 1)) << "2 and 1; the clock is behind the one's";
  EXPECT_THAT(order(spec, claims, 29 * second), ElementsAre(1, 0)) << "2 and 2: the older first";
  EXPECT_THAT(order(spec, claims, 36 * second), ElementsAre(1, 0)) << "3 and 2";
  EXPECT_THAT(order(spec, claims, 46 * second), ElementsAre(1, 0)) << "4 and 3";
}

TEST(SemaphoreLine, of_equal_priority_and_age_keeps_the_hosts_order) {
  const std::vector<ClaimIn> claims(50, {.priority = 3, .created = 7 * second});
  std::vector<std::size_t> all(claims.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  EXPECT_EQ(order({.priority_aging = second, .max_priority = 1}, claims, 90 * second), all);
}

std::int64_t pick(std::mt19937_64& random, std::int64_t lowest, std::int64_t highest) {
  return lowest + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(highest - lowest + 1));
}

std::vector<ClaimIn> make_claims(std::mt19937_64& random, std::int64_t now) {
  std::vector<ClaimIn> claims(static_cast<std::size_t>(pick(random, 1, 12)));
  for (ClaimIn& claim : claims) {
    claim.holds = pick(random, 0, 9) == 0;
    claim.units = pick(random, 1, 4);
    claim.priority = pick(random, -3, 3);
    claim.created = now - pick(random, 0, 45);
  }
  return claims;
}

TEST(SemaphoreLine, is_what_its_definition_says) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 5000; ++round) {
    const std::int64_t now = pick(random, 50, 200);
    Spec spec{.priority_aging = pick(random, 0, 12)};
    if (round % 2 == 0) spec.max_priority = static_cast<std::int32_t>(pick(random, -2, 2));
    if (spec.priority_aging == 0 && !spec.max_priority) continue;
    const auto claims = make_claims(random, now);
    ASSERT_EQ(order(spec, claims, now), order_by_hand(spec, claims, now)) << "round " << round;
  }
}

TEST(SemaphoreLine, stands_any_number) {
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  constexpr auto least = std::numeric_limits<std::int64_t>::min();
  std::vector<ClaimIn> claims;
  for (const std::int64_t priority : {least, std::int64_t{0}, most})
    for (const std::int64_t created : {least, std::int64_t{0}, most})
      claims.push_back({.priority = priority, .created = created});
  const std::vector<std::size_t> all = {0, 1, 2, 3, 4, 5, 6, 7, 8};
  for (const std::int64_t now : {least, std::int64_t{0}, most}) {
    const Spec spec{.priority_aging = shortest_aging};
    EXPECT_THAT(order(spec, claims, now), testing::UnorderedElementsAreArray(all));
    next_to_fit(spec, claims, all, 0, now);
  }
}

TEST(NextToFit, is_when_a_small_request_that_is_older_has_caught_up) {
  const Spec spec{.permits = 3, .priority_aging = 10 * second};
  const std::vector<ClaimIn> claims = {{.units = 3, .priority = 1, .created = 5 * second}, {.units = 1, .created = 0}};
  const std::vector<std::size_t> in_line = {0, 1};
  EXPECT_EQ(next_to_fit(spec, claims, in_line, 1, 6 * second), 10 * second);
  EXPECT_EQ(next_to_fit(spec, claims, in_line, 1, 16 * second), 20 * second) << "it fell behind again at 15 s";
  EXPECT_EQ(next_to_fit(spec, claims, in_line, 0, 6 * second), std::nullopt) << "it would not fit";
  EXPECT_EQ(next_to_fit(spec, claims, std::vector<std::size_t>{0}, 1, 6 * second), std::nullopt) << "nobody else waits";
  EXPECT_EQ(next_to_fit(spec, claims, {}, 1, 6 * second), std::nullopt);
  EXPECT_EQ(next_to_fit({.permits = 3}, claims, in_line, 1, 6 * second), std::nullopt) << "nothing ages";
}

TEST(NextToFit, is_never_where_the_small_one_stays_behind) {
  const Spec spec{.permits = 3, .priority_aging = 10 * second};
  const std::vector<ClaimIn> claims = {{.units = 3, .priority = 2, .created = 5 * second},
                                       {.units = 1, .priority = 0, .created = 0},
                                       {.units = 1, .priority = 2, .created = 6 * second}};
  EXPECT_EQ(next_to_fit(spec, claims, std::vector<std::size_t>{0, 1, 2}, 1, 20 * second), std::nullopt);
}

/// The first moment in the next two periods at which the head fits, tried one by one.
std::optional<std::int64_t> next_by_hand(const Spec& spec, const std::vector<ClaimIn>& claims, std::int64_t free,
                                         std::int64_t now) {
  for (std::int64_t at = now + 1; at <= now + 2 * spec.priority_aging; ++at) {
    if (units_of(claims[order_by_hand(spec, claims, at).front()]) <= free) return at;
  }
  return std::nullopt;
}

TEST(NextToFit, is_exact_for_any_claims) {
  int found = 0;
  int never = 0;
  std::mt19937_64 random(5);
  for (int round = 0; round < 20'000; ++round) {
    const std::int64_t now = pick(random, 50, 200);
    const std::int64_t free = pick(random, 1, 3);
    Spec spec{.priority_aging = pick(random, 1, 14)};
    if (round % 3 == 0) spec.max_priority = static_cast<std::int32_t>(pick(random, -2, 2));
    auto claims = make_claims(random, now);
    for (ClaimIn& claim : claims) claim.holds = false;
    const auto in_line = order_by_hand(spec, claims, now);
    if (units_of(claims[in_line.front()]) <= free) continue;  // it would have been granted
    const auto expected = next_by_hand(spec, claims, free, now);
    ASSERT_EQ(next_to_fit(spec, claims, in_line, free, now), expected) << "round " << round;
    ++(expected ? found : never);
  }
  EXPECT_GT(found, 300);
  EXPECT_GT(never, 300);
}

}  // namespace
}  // namespace konductor::semaphore
