#include "semaphore/decide.hpp"
#include "vtable.hpp"

#include <konductor/plugin.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace konductor::plugin_test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const konductor_kind& kind() {
  return *load(SEMAPHORE_SO).kinds[0];
}

std::string permits(std::int64_t count) {
  return R"({"permits":)" + std::to_string(count) + "}";
}

TEST(SemaphorePlugin, serves_in_order_through_the_vtable) {
  World world{.spec = permits(3)};
  world.claims = {{KONDUCTOR_GRANTED, 1}, {KONDUCTOR_WAITING, 2}, {KONDUCTOR_WAITING, 1}, {KONDUCTOR_WAITING, 4}};
  const Output output = decide(kind(), world);
  EXPECT_EQ(output.returned, 0);
  EXPECT_THAT(output.granted(), ElementsAre(1));
  EXPECT_EQ(output.reason_of(2), "Waiting");
  EXPECT_EQ(output.message_of(2), "its turn for 1 permit has not come");
  EXPECT_EQ(output.reason_of(3), "ExceedsLimit");
  EXPECT_EQ(output.status, R"({"phase":"Ready","permits":3,"inUse":3,"available":0,"waiting":2})");
  EXPECT_FALSE(output.state);
  EXPECT_FALSE(output.look_again_at);
  ASSERT_EQ(output.conditions.size(), 1U);
  EXPECT_EQ(output.conditions[0].type, "Ready");
  EXPECT_EQ(output.conditions[0].status, KONDUCTOR_TRUE);
  EXPECT_EQ(output.conditions[0].reason, "Serving");
}

TEST(SemaphorePlugin, revoking_and_unknown_states_count_as_held) {
  World world{.spec = permits(2)};
  world.claims = {{KONDUCTOR_REVOKING, 1}, {99, 1}, {KONDUCTOR_WAITING, 1}};
  const Output output = decide(kind(), world);
  EXPECT_THAT(output.granted(), IsEmpty());
  EXPECT_EQ(output.shown("inUse"), 2);
}

TEST(SemaphorePlugin, says_nothing_where_the_spec_is_not_understood) {
  for (const char* spec : {"", "{}", "null", R"({"permits":"many"})", R"({"permits":-1})"}) {
    World world{.spec = spec};
    world.claims = {{KONDUCTOR_WAITING, 1}};
    const Output output = decide(kind(), world);
    EXPECT_NE(output.returned, 0) << spec;
    EXPECT_THAT(output.verdicts, IsEmpty()) << spec;
  }
}

TEST(SemaphorePlugin, serves_in_its_own_order_and_says_when_that_will_matter) {
  constexpr std::int64_t second = 1'000'000;
  World world{.spec = R"({"permits":3,"priorityAging":"10s","maxPriority":1})", .now = 6 * second};
  world.claims = {{KONDUCTOR_WAITING, 3, false, {}, 9, 5 * second},
                  {KONDUCTOR_WAITING, 1, false, {}, 0, 0},
                  {KONDUCTOR_GRANTED, 2, false, {}, 0, 0}};
  const Output blocked = decide(kind(), world);
  EXPECT_THAT(blocked.granted(), IsEmpty());
  EXPECT_THAT(blocked.with(KONDUCTOR_WAIT), ElementsAre(0, 1));
  EXPECT_EQ(blocked.look_again_at, 10 * second);

  world.now = *blocked.look_again_at;
  const Output later = decide(kind(), world);
  EXPECT_THAT(later.granted(), ElementsAre(1));
  EXPECT_THAT(later.with(KONDUCTOR_WAIT), ElementsAre(0));
  EXPECT_FALSE(later.look_again_at) << "nothing is free";
}

TEST(SemaphorePlugin, has_a_scale_on_its_limit) {
  EXPECT_EQ(plugin::view(kind().scale_spec_path), "spec.permits");
  EXPECT_EQ(plugin::view(kind().scale_status_path), "status.permits");
}

TEST(SemaphorePlugin, agrees_with_its_function_for_any_claims) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 1000; ++round) {
    World world{.spec = permits(static_cast<std::int64_t>(random() % 10)),
                .max_grants = static_cast<std::uint32_t>(1 + random() % 6)};
    std::vector<semaphore::ClaimIn> claims;
    for (std::size_t i = random() % 20; i > 0; --i) {
      const bool holds = random() % 4 == 0;
      const auto units = static_cast<std::int64_t>(random() % 4);
      const bool no_wait = random() % 8 == 0;
      world.claims.push_back({holds ? KONDUCTOR_GRANTED : KONDUCTOR_WAITING, units, no_wait});
      claims.push_back({.holds = holds, .units = units, .no_wait = no_wait});
    }
    const Output output = decide(kind(), world);
    const semaphore::Spec spec{std::stoi(world.spec.substr(11))};
    const semaphore::Decision expected = semaphore::decide(spec, claims, {.max_grants = world.max_grants});
    ASSERT_EQ(output.granted(), expected.grants);
    ASSERT_EQ(output.with(KONDUCTOR_WAIT).size(), expected.waits.size());
    ASSERT_EQ(output.shown("inUse"), expected.status.in_use);
  }
}

TEST(SemaphorePlugin, drains_a_line_of_300_on_100_permits) {
  World world{.spec = permits(100), .max_grants = 32};
  world.claims.resize(300);
  std::size_t served = 0;
  for (int round = 0; round < 1000 && !world.claims.empty(); ++round) {
    const Output output = decide(kind(), world);
    served += output.granted().size();
    apply(world, output);
    std::size_t holding = 0;
    for (const TestClaim& claim : world.claims) holding += claim.state == KONDUCTOR_GRANTED ? 1 : 0;
    ASSERT_LE(holding, 100U);
    if (output.granted().empty())
      std::erase_if(world.claims, [](const auto& c) { return c.state == KONDUCTOR_GRANTED; });
  }
  EXPECT_EQ(served, 300U);
  EXPECT_TRUE(world.claims.empty());
}

}  // namespace
}  // namespace konductor::plugin_test
