#include "tests/sim/stale_leader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>

namespace konductor::sim {
namespace {

using Json = nlohmann::json;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Json status_of(const StaleLeader& story, const std::string& claim) {
  const ObjectPtr found = story.claim(claim);
  return found ? found->value("status", Json::object()) : Json();
}

void check(StaleLeader& story) {
  story.run();
  ASSERT_TRUE(story.is_second_life());
  const Json& first = story.first_life()->at("metadata");
  const Json& second = story.second_life()->at("metadata");
  ASSERT_NE(first["uid"], second["uid"]);
  EXPECT_THAT(story.oracle().violations(), IsEmpty());
  EXPECT_THAT(story.stale().counters(), Not(HasSubstr("conflicts 0"))) << "it was to try its late tell";
  const Json urgent = status_of(story, "urgent");
  EXPECT_EQ(urgent.value("phase", ""), "Granted");
  EXPECT_EQ(status_of(story, "early").value("phase", ""), "Pending");
  EXPECT_EQ(status_of(story, "early").value("primitiveUID", ""), second["uid"]);
  story.release("urgent");
  story.run_for(seconds{20});
  const Json early = status_of(story, "early");
  EXPECT_EQ(early.value("phase", ""), "Granted");
  EXPECT_GT(early.value("token", std::int64_t{0}), urgent.value("token", std::int64_t{0}));
  EXPECT_THAT(story.oracle().violations(), IsEmpty());
}

// Without marks it grants twice: the claim that it recorded has not changed since, so that its late tell is accepted.
TEST(Marks, stop_a_stale_leader_that_still_holds_the_pending_grants_of_a_former_life) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    StaleLeader story(seed, StaleLeader::Early::at_once);
    check(story);
    EXPECT_EQ(story.first_life()->at("metadata")["creationTimestamp"],
              story.second_life()->at("metadata")["creationTimestamp"])
        << "within the same second";
  }
}

// A mark of the former life is none: else the claim would not be written to, and the late tell be accepted.
TEST(Marks, of_a_former_life_are_replaced) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    StaleLeader story(seed, StaleLeader::Early::after_a_holder);
    check(story);
  }
}

// Whoever stamps the second life is behind whoever stamped the claim: another API server, or one whose clock was set
// back.
TEST(Marks, stop_a_stale_leader_also_when_the_servers_clock_went_back) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    StaleLeader story(seed, StaleLeader::Early::newer_by_time);
    check(story);
  }
}

}  // namespace
}  // namespace konductor::sim
