#include "vtable.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace konductor::plugin_test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const konductor_kind& kind() {
  return *load(RWLOCK_SO).kinds[0];
}

/// "R" and "W" hold, "r" and "w" wait, "x" waits to write but denies to wait, "?" waits with no mode.
std::vector<TestClaim> line(const std::string& letters) {
  std::vector<TestClaim> claims;
  for (const char letter : letters) {
    TestClaim claim;
    if (letter == 'R' || letter == 'W') claim.state = KONDUCTOR_GRANTED;
    if (letter != '?') claim.text = letter == 'R' || letter == 'r' ? "read" : "write";
    claim.no_wait = letter == 'x';
    claims.push_back(claim);
  }
  return claims;
}

struct Case {
  const char* claims;
  std::vector<std::size_t> grants;
  const char* phase;
};

TEST(Rwlock, shares_among_readers_and_keeps_writers_alone) {
  const Case cases[] = {
      {"", {}, "Free"},        {"rrr", {0, 1, 2}, "Reading"}, {"w", {0}, "Writing"},   {"ww", {0}, "Writing"},
      {"wr", {0}, "Writing"},  {"rrw", {0, 1}, "Reading"},    {"rwr", {0}, "Reading"}, {"RRr", {2}, "Reading"},
      {"Rwrr", {}, "Reading"}, {"Wr", {}, "Writing"},         {"Ww", {}, "Writing"},   {"Rxr", {2}, "Reading"},
      {"wR", {}, "Reading"},   {"rrW", {}, "Writing"},        {"?r", {0}, "Writing"},  {"R?", {}, "Reading"}};
  for (const Case& test : cases) {
    World world{.claims = line(test.claims)};
    const Output output = decide(kind(), world);
    EXPECT_EQ(output.returned, 0);
    EXPECT_EQ(output.granted(), test.grants) << test.claims;
    EXPECT_THAT(output.status, testing::HasSubstr(test.phase)) << test.claims;
  }
}

TEST(Rwlock, has_as_many_seats_as_its_spec_says) {
  World world{.spec = R"({"seats":2})", .claims = line("rrr")};
  EXPECT_THAT(decide(kind(), world).granted(), ElementsAre(0, 1));
  world.claims = line("w");
  EXPECT_THAT(decide(kind(), world).granted(), ElementsAre(0));
}

TEST(Rwlock, asks_all_back_once_when_it_is_recalled_and_lends_nothing) {
  World world{.spec = R"({"recall":"30s"})", .claims = line("RRr")};
  world.claims[1].state = KONDUCTOR_REVOKING;
  const Output output = decide(kind(), world);
  EXPECT_THAT(output.granted(), IsEmpty());
  std::vector<std::size_t> asked_back;
  for (const RecordedVerdict& verdict : output.verdicts) {
    if (verdict.kind == KONDUCTOR_REVOKE) asked_back.push_back(verdict.claim);
  }
  EXPECT_THAT(asked_back, ElementsAre(0)) << "who was asked keeps the grace that was given";
}

TEST(Rwlock, refuses_a_spec_that_it_does_not_understand) {
  for (const char* spec :
       {"", "[]", R"({"seats":0})", R"({"seats":"two"})", R"({"recall":"soon"})", R"({"recall":9})"}) {
    EXPECT_NE(decide(kind(), World{.spec = spec, .claims = line("r")}).returned, 0) << spec;
  }
}

TEST(Rwlock, never_lets_a_writer_share_nor_a_reader_overtake_it) {
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    World world{.max_grants = static_cast<std::uint32_t>(1 + random() % 5)};
    std::string letters;
    for (std::size_t i = random() % 12; i > 0; --i) letters += "rrwx?"[random() % 5];
    world.claims = line(letters);
    for (int step = 0; step < 40 && !world.claims.empty(); ++step) {
      const Output output = decide(kind(), world);
      ASSERT_LE(output.granted().size(), world.max_grants);
      const auto before = world.claims;
      for (const std::size_t granted : output.granted()) {
        for (std::size_t ahead = 0; ahead < granted; ++ahead) {
          const auto grants = output.granted();
          const bool served = std::find(grants.begin(), grants.end(), ahead) != grants.end();
          ASSERT_TRUE(served || before[ahead].no_wait || before[ahead].state != KONDUCTOR_WAITING);
        }
      }
      apply(world, output);
      std::size_t readers = 0, writers = 0;
      for (const TestClaim& claim : world.claims) {
        if (claim.state == KONDUCTOR_GRANTED) ++(claim.text == "read" ? readers : writers);
      }
      ASSERT_LE(writers, 1U);
      ASSERT_TRUE(writers == 0 || readers == 0);
      if (output.granted().empty()) {
        ASSERT_GT(readers + writers, 0U) << "a line that nobody serves";
        std::erase_if(world.claims, [](const TestClaim& c) { return c.state == KONDUCTOR_GRANTED; });
      }
    }
    ASSERT_TRUE(world.claims.empty());
  }
}

}  // namespace
}  // namespace konductor::plugin_test
