#include "vtable.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace konductor::plugin_test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t second = 1'000'000;

const konductor_kind& kind() {
  return *load(TOKEN_BUCKET_SO).kinds[0];
}

std::string spec(std::int64_t capacity, std::int64_t refill) {
  return R"({"capacity":)" + std::to_string(capacity) + R"(,"refillPerMinute":)" + std::to_string(refill) + "}";
}

std::vector<TestClaim> sips(std::initializer_list<std::int64_t> units) {
  std::vector<TestClaim> claims;
  for (const std::int64_t unit : units) claims.push_back({.units = unit});
  return claims;
}

std::vector<std::size_t> consumed(const Output& output) {
  return output.with(KONDUCTOR_GRANT_CONSUME);
}

TEST(TokenBucket, starts_full_and_uses_up_what_it_grants) {
  World world{.spec = spec(5, 60), .claims = sips({2, 2, 2})};
  const Output output = decide(kind(), world);
  EXPECT_THAT(consumed(output), ElementsAre(0, 1));
  EXPECT_THAT(output.granted(), IsEmpty());
  EXPECT_EQ(output.state, R"({"level":1000,"at":)" + std::to_string(world.now) + "}");
  EXPECT_EQ(output.look_again_at, world.now + second);
  EXPECT_EQ(output.reason_of(2), "Dry");
  EXPECT_EQ(output.shown("waiting"), 1);
}

TEST(TokenBucket, serves_the_next_one_exactly_when_it_said_and_not_before) {
  World world{.spec = spec(3, 7), .claims = sips({3, 2})};
  apply(world, decide(kind(), world));
  const Output first = decide(kind(), world);
  ASSERT_TRUE(first.look_again_at);
  world.now = *first.look_again_at - 1;
  EXPECT_THAT(consumed(decide(kind(), world)), IsEmpty());
  world.now = *first.look_again_at;
  EXPECT_THAT(consumed(decide(kind(), world)), ElementsAre(0));
}

TEST(TokenBucket, keeps_its_state_until_it_grants) {
  World world{.spec = spec(3, 60), .claims = sips({3, 3})};
  apply(world, decide(kind(), world));
  world.now += second / 2;
  const Output looked = decide(kind(), world);
  EXPECT_FALSE(looked.state);
  EXPECT_THAT(consumed(looked), IsEmpty());
}

TEST(TokenBucket, loses_no_part_of_what_has_flowed_in) {
  World world{.spec = spec(5, 1), .state = R"({"level":1000,"at":0})", .now = 100'000, .claims = sips({1})};
  EXPECT_EQ(decide(kind(), world).state, R"({"level":1,"at":60000})");
}

TEST(TokenBucket, a_large_sip_is_not_overtaken) {
  World world{.spec = spec(5, 60), .claims = sips({4, 2, 1})};
  const Output output = decide(kind(), world);
  EXPECT_THAT(consumed(output), ElementsAre(0));
  EXPECT_EQ(output.reason_of(2), "Dry");
  world.claims[1].no_wait = true;  // denied at once, so it holds nobody up
  EXPECT_THAT(consumed(decide(kind(), world)), ElementsAre(0, 2));
}

TEST(TokenBucket, passes_over_what_it_could_never_hold) {
  const World world{.spec = spec(3, 60), .claims = sips({4, INT64_MAX, 3})};
  const Output output = decide(kind(), world);
  EXPECT_THAT(consumed(output), ElementsAre(2));
  EXPECT_EQ(output.reason_of(0), "ExceedsLimit");
  EXPECT_EQ(output.reason_of(1), "ExceedsLimit");
}

TEST(TokenBucket, without_refill_there_is_nothing_to_wait_for) {
  World world{.spec = spec(1, 0), .claims = sips({1, 1})};
  apply(world, decide(kind(), world));
  const Output output = decide(kind(), world);
  EXPECT_THAT(consumed(output), IsEmpty());
  EXPECT_FALSE(output.look_again_at);
}

TEST(TokenBucket, a_lowered_capacity_holds_no_more_than_it_says) {
  World world{.spec = spec(10, 60), .claims = sips({1})};
  apply(world, decide(kind(), world));  // level 9
  world.spec = spec(2, 60);
  world.claims = sips({1, 1, 1});
  EXPECT_THAT(consumed(decide(kind(), world)), ElementsAre(0, 1));
}

TEST(TokenBucket, a_clock_that_stands_still_or_steps_back_adds_nothing) {
  World world{.spec = spec(1, 60), .claims = sips({1, 1})};
  apply(world, decide(kind(), world));
  world.now -= 100 * second;
  EXPECT_THAT(consumed(decide(kind(), world)), IsEmpty());
}

TEST(TokenBucket, refuses_what_it_does_not_understand) {
  for (const char* bad : {"", "{}", R"({"capacity":5})", R"({"capacity":0,"refillPerMinute":1})",
                          R"({"capacity":5,"refillPerMinute":-1})", R"({"capacity":"5","refillPerMinute":1})"}) {
    EXPECT_NE(decide(kind(), World{.spec = bad, .claims = sips({1})}).returned, 0) << bad;
  }
  for (const char* bad : {"", "[]", R"({"level":5})", R"({"at":5})", R"({"level":-1,"at":5})", R"({"level":1,"at":-5})",
                          R"({"level":"1","at":5})", R"({"level":99999999999,"at":5})"}) {
    EXPECT_NE(decide(kind(), World{.spec = spec(5, 1), .state = bad, .claims = sips({1})}).returned, 0) << bad;
  }
}

/// Whatever arrives whenever: what was let through is never more than the capacity and what flowed in since; and with
/// somebody always waiting, not less than what flowed in either.
TEST(TokenBucket, lets_through_exactly_its_rate) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    const auto capacity = static_cast<std::int64_t>(1 + random() % 20);
    const auto refill = static_cast<std::int64_t>(1 + random() % 900);
    World world{.spec = spec(capacity, refill), .max_grants = static_cast<std::uint32_t>(1 + random() % 50)};
    const std::int64_t start = world.now;
    std::int64_t passed = 0;
    for (int step = 0; step < 100; ++step) {
      world.claims.assign(25, TestClaim{.units = 1});
      const Output output = decide(kind(), world);
      passed += static_cast<std::int64_t>(consumed(output).size());
      const std::int64_t flowed = (world.now - start) * refill / (60 * second);
      ASSERT_LE(passed, capacity + flowed);
      if (output.state) world.state = *output.state;
      if (consumed(output).size() == world.max_grants) continue;  // called again at once
      ASSERT_GE(passed + 1, flowed) << step;
      ASSERT_TRUE(output.look_again_at);
      world.now = *output.look_again_at + static_cast<std::int64_t>(random() % 3);
    }
  }
}

}  // namespace
}  // namespace konductor::plugin_test
