#include "runtime/upkeep.hpp"

#include <gtest/gtest.h>

namespace konductor::runtime {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr MonoTime start{seconds{100}};
constexpr Sightings seen{start, MonoTime::max()};
constexpr Duration ttl = seconds{60};
constexpr Duration keep = minutes{10};

Claim claim(Phase phase, const std::string& pod = {}) {
  Claim made;
  made.phase = phase;
  made.pod_uid = pod;
  made.pod_name = pod;
  made.token = 7;
  return made;
}

TEST(EffectiveTtl, is_the_claims_own_up_to_the_primitives) {
  struct Case {
    std::int64_t granted, own, primitive, expected;
  };
  for (const auto& [granted, own, primitive, expected] : {Case{0, 0, 0, 600}, Case{0, 5, 0, 5}, Case{0, 0, 7, 7},
                                                          Case{0, 5, 7, 5}, Case{0, 9, 7, 7}, Case{50, 9, 7, 50}}) {
    Claim made;
    made.granted_ttl = granted;
    made.ttl = own;
    EXPECT_EQ(effective_ttl(made, primitive, Duration{600}).count(), expected)
        << granted << ' ' << own << ' ' << primitive;
  }
}

TEST(ClockStamp, changes_with_grants_and_renewals_only) {
  auto waiting = claim(Phase::pending);
  auto held = claim(Phase::granted);
  EXPECT_TRUE(restarts_clock(clock_stamp(waiting), held, false));
  auto renewed = held;
  renewed.renew_time = "later";
  EXPECT_TRUE(restarts_clock(clock_stamp(held), renewed, false));
  auto touched = held;
  touched.priority = 4;
  touched.resource_version = "9";
  EXPECT_FALSE(restarts_clock(clock_stamp(held), touched, false));
  auto ended = held;
  ended.phase = Phase::expired;
  EXPECT_TRUE(restarts_clock(clock_stamp(held), ended, false));
}

TEST(ClockStamp, is_not_changed_by_a_revocation_nor_by_renewals_after_it) {
  const auto held = claim(Phase::granted);
  auto revoking = claim(Phase::revoking);
  EXPECT_FALSE(restarts_clock(clock_stamp(held), revoking, false));
  EXPECT_FALSE(restarts_clock(clock_stamp(held), revoking, true));
  revoking.renew_time = "later";
  EXPECT_FALSE(restarts_clock(clock_stamp(held), revoking, true));
  EXPECT_TRUE(restarts_clock(clock_stamp(held), revoking, false)) << "it may have been renewed before";
  EXPECT_TRUE(restarts_clock("", revoking, false)) << "seen for the first time";
  revoking.token = 77;
  EXPECT_TRUE(restarts_clock(clock_stamp(held), revoking, true)) << "another grant";
}

TEST(Upkeep, ends_a_holder_when_its_ttl_has_passed_and_not_before) {
  for (const auto phase : {Phase::granted, Phase::revoking, Phase::unknown}) {
    const auto before = upkeep(claim(phase, "p"), seen, ttl, PodState::alive, keep, start + ttl - Duration{1});
    EXPECT_FALSE(before.end);
    EXPECT_EQ(before.due, start + ttl);
    const auto after = upkeep(claim(phase, "p"), seen, ttl, PodState::alive, keep, start + ttl);
    ASSERT_TRUE(after.end);
    EXPECT_EQ(after.end->phase, Phase::expired);
    EXPECT_EQ(after.end->reason, "TTLExpired");
  }
}

TEST(Upkeep, gives_the_place_of_a_revoked_claim_away_after_its_grace_or_its_ttl) {
  auto told = claim(Phase::revoking, "p");
  told.grace = seconds{10} / Duration{1};
  const Sightings then{start, start + seconds{20}};
  const auto before = upkeep(told, then, ttl, PodState::alive, keep, start + seconds{30} - Duration{1});
  EXPECT_FALSE(before.end);
  EXPECT_EQ(before.due, start + seconds{30});
  const auto over = upkeep(told, then, ttl, PodState::alive, keep, start + seconds{30});
  ASSERT_TRUE(over.end);
  EXPECT_EQ(over.end->phase, Phase::revoked);
  EXPECT_EQ(over.end->message, "told to stop, and its grace of 10s is over");
  told.grace = minutes{5} / Duration{1};
  EXPECT_EQ(upkeep(told, then, ttl, PodState::alive, keep, start + seconds{30}).due, start + ttl) << "never longer";
  told.grace = 0;
  EXPECT_TRUE(upkeep(told, then, ttl, PodState::alive, keep, start + seconds{20}).end);
}

TEST(Upkeep, lets_a_waiting_claim_live_as_long_as_its_pod) {
  const auto later = start + minutes{100};
  EXPECT_FALSE(upkeep(claim(Phase::pending, "p"), seen, ttl, PodState::alive, keep, later).end);
  EXPECT_FALSE(upkeep(claim(Phase::pending, "p"), seen, ttl, PodState::unknown, keep, later).end);
  EXPECT_TRUE(upkeep(claim(Phase::pending, "p"), seen, ttl, PodState::gone, keep, start).end);
  EXPECT_TRUE(upkeep(claim(Phase::pending), seen, ttl, PodState::none, keep, later).end);
}

TEST(Upkeep, ends_at_once_with_the_pod) {
  for (const auto& [state, reason] :
       {std::pair{PodState::gone, "PodGone"}, std::pair{PodState::succeeded, "PodFinished"},
        std::pair{PodState::failed, "PodFinished"}}) {
    const auto now = upkeep(claim(Phase::granted, "p"), seen, ttl, state, keep, start);
    ASSERT_TRUE(now.end);
    EXPECT_EQ(now.end->reason, reason);
  }
}

TEST(Upkeep, removes_a_terminal_claim_after_its_time) {
  for (const auto phase : {Phase::denied, Phase::expired, Phase::revoked}) {
    const auto before = upkeep(claim(phase, "p"), seen, ttl, PodState::gone, keep, start + keep - Duration{1});
    EXPECT_FALSE(before.remove);
    EXPECT_FALSE(before.end) << "terminal is final";
    EXPECT_EQ(before.due, start + keep);
    EXPECT_TRUE(upkeep(claim(phase, "p"), seen, ttl, PodState::gone, keep, start + keep).remove);
    auto deleting = claim(phase);
    deleting.deleting = true;
    EXPECT_FALSE(upkeep(deleting, seen, ttl, PodState::none, keep, start + keep).remove);
  }
}

}  // namespace
}  // namespace konductor::runtime
