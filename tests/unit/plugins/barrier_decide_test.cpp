#include "barrier/decide.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace konductor::barrier {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t minute = 60 * second;

Spec waits_for(std::int64_t expected, std::optional<std::int64_t> quorum = {}) {
  Spec spec;
  spec.expected = expected;
  spec.quorum = quorum;
  return spec;
}

Spec with_timeout(Spec spec, std::int64_t timeout = 10 * minute, bool at_timeout = false) {
  spec.timeout = timeout;
  spec.timeout_text = std::to_string(timeout / minute) + "m";
  spec.at_timeout = at_timeout;
  return spec;
}

Spec reusable(Spec spec) {
  spec.reusable = true;
  return spec;
}

/// Numbered participants of one Indexed Job, one a second from `since` on.
std::vector<ArrivalIn> indexes(std::vector<int> numbers, std::optional<std::int64_t> round = {},
                               std::int64_t since = 0) {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> made;
    for (int i = 0; i < 100; ++i) made.push_back("5c1f/" + std::to_string(i));
    return made;
  }();
  std::vector<ArrivalIn> arrivals;
  for (const int number : numbers) {
    arrivals.push_back({names.at(static_cast<std::size_t>(number)), since, round});
    since += second;
  }
  return arrivals;
}

std::vector<ArrivalIn> operator+(std::vector<ArrivalIn> left, const std::vector<ArrivalIn>& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

/// Decisions one after another, each from what the one before committed.
struct Told {
  Spec spec;
  State state = {};

  Decision operator()(const std::vector<ArrivalIn>& arrivals, std::int64_t now = minute) {
    Decision decision = decide(spec, state, arrivals, now);
    state = decision.state;
    return decision;
  }
};

TEST(BarrierDecide, waits_for_the_first_arrival_without_a_deadline) {
  Told told{with_timeout(waits_for(3))};
  const Decision decision = told({}, 1000 * minute);
  EXPECT_EQ(decision.state, State{});
  EXPECT_FALSE(decision.deadline);
  EXPECT_EQ(decision.stands, (Standing{0, 3, "Waiting", "0 of 3 have arrived", ""}));
}

TEST(BarrierDecide, opens_exactly_at_the_last_expected) {
  Told told{waits_for(3)};
  EXPECT_EQ(told(indexes({0, 1})).stands, (Standing{2, 3, "Waiting", "2 of 3 have arrived; waiting for 2", "2"}));
  EXPECT_EQ(told.state.phase(), Phase::waiting);
  const Decision decision = told(indexes({0, 1, 2}));
  EXPECT_EQ(decision.state.phase(), Phase::open);
  EXPECT_EQ(decision.state.opened, 1);
  EXPECT_EQ(decision.stands, (Standing{3, 3, "AllArrived", "3 of 3 have arrived", ""}));
  EXPECT_EQ(decision.opened, "3 of 3 have arrived");
  EXPECT_EQ(told(indexes({0, 1, 2})).opened, "") << "opens once";
}

TEST(BarrierDecide, counts_participants_and_not_arrivals) {
  Told told{waits_for(3)};
  const auto retried = indexes({0, 1}) + indexes({1, 1, 0}, 1, 9 * second);
  EXPECT_EQ(told(retried).stands.arrived, 2);
  EXPECT_EQ(told.state.phase(), Phase::waiting);
  EXPECT_EQ(told(retried + indexes({2})).state.phase(), Phase::open);
}

TEST(BarrierDecide, stays_open_whatever_is_deleted_edited_or_arrives) {
  Told told{with_timeout(waits_for(3))};
  told(indexes({0, 1, 2}));
  const State latched = told.state;
  EXPECT_EQ(told({}).stands, (Standing{3, 3, "AllArrived", "3 of 3 have arrived", ""})) << "all were deleted";
  told.spec = with_timeout(waits_for(50, 20), minute, true);
  EXPECT_EQ(told(indexes({0}), 1000 * minute).stands.expected, 3) << "what was decided names what it was decided by";
  EXPECT_EQ(told(indexes({0, 1, 2, 3, 4})).stands.arrived, 5) << "who is late is shown too";
  EXPECT_EQ(told.state, latched);
  EXPECT_FALSE(told({}).deadline);
}

TEST(BarrierDecide, opens_at_a_quorum_at_once) {
  Told told{waits_for(10, 8)};
  EXPECT_EQ(told(indexes({0, 1})).stands.message, "2 of 10 have arrived, quorum 8; waiting for 2, 3, 4, 5, 6, 7, 8, 9");
  const Decision decision = told(indexes({0, 1, 2, 4, 5, 6, 8, 9}));
  EXPECT_EQ(decision.stands, (Standing{8, 10, "QuorumReached", "8 of 10 have arrived, quorum 8", ""}));
  EXPECT_EQ(decision.state.phase(), Phase::open);
}

TEST(BarrierDecide, a_quorum_at_the_timeout_opens_then_and_all_open_before) {
  const Spec spec = with_timeout(waits_for(3, 2), 10 * minute, true);
  Told told{spec};
  const Decision reached = told(indexes({0, 1}), minute);
  EXPECT_EQ(reached.state.phase(), Phase::waiting);
  EXPECT_EQ(reached.deadline, 10 * minute);
  EXPECT_EQ(reached.stands.message, "2 of 3 have arrived, quorum 2 at the timeout; waiting for 2");
  EXPECT_EQ(told(indexes({0, 1}), 10 * minute - 1).state.phase(), Phase::waiting);
  const Decision over = told(indexes({0, 1}), 10 * minute);
  EXPECT_EQ(over.state.phase(), Phase::open);
  EXPECT_EQ(over.stands.reason, "QuorumAtTimeout");
  EXPECT_EQ(over.stands.message, "2 of 3 (quorum 2) had arrived when the timeout of 10m was over; missing: 2");

  Told all{spec};
  EXPECT_EQ(all(indexes({0, 1, 2}), minute).stands.reason, "AllArrived");
}

TEST(BarrierDecide, fails_at_the_timeout_for_ever_and_says_how_many_had_come) {
  Told told{with_timeout(waits_for(10, 8))};
  told(indexes({0, 1, 2, 4, 5, 6, 8}));
  const Decision decision = told(indexes({0, 1, 2, 4, 5, 6, 8}), 10 * minute);
  EXPECT_EQ(decision.state.phase(), Phase::failed);
  EXPECT_EQ(decision.stands,
            (Standing{7, 10, "TimedOut",
                      "7 of 10 (quorum 8) had arrived when the timeout of 10m was over; missing: 3, 7, 9", "3, 7, 9"}));
  EXPECT_EQ(decision.opened, "");
  EXPECT_FALSE(decision.deadline);
  told.spec = waits_for(1);
  EXPECT_EQ(told(indexes({0, 1, 2, 3, 4, 5, 6, 7, 8, 9}), 11 * minute).stands, decision.stands);
  EXPECT_EQ(told({}, 11 * minute).state, decision.state);
}

TEST(BarrierDecide, a_failed_one_changes_nothing_of_its_state_even_without_a_first_arrival) {
  const State failed{
      .round = 1, .opened = 0, .first = {}, .since = {}, .verdict = Standing{1, 2, "TimedOut", "words", ""}};
  EXPECT_EQ(decide(waits_for(2), failed, indexes({0, 1}), minute).state, failed);
}

TEST(BarrierDecide, says_nothing_of_a_quorum_where_none_is_asked) {
  Told told{with_timeout(waits_for(3))};
  told({{"ann", 0, {}}});
  EXPECT_EQ(told({{"ann", 0, {}}}, 10 * minute).stands.message, "1 of 3 had arrived when the timeout of 10m was over");
}

TEST(BarrierDecide, only_who_arrived_until_the_deadline_counts_however_late_somebody_looks) {
  struct Case {
    const char* what;
    std::int64_t last_created;
    Phase phase;
  };
  for (const Case& given : {Case{"before", 10 * minute - 1, Phase::open}, Case{"at", 10 * minute, Phase::open},
                            Case{"after", 10 * minute + 1, Phase::failed}}) {
    Told told{with_timeout(waits_for(3))};
    const auto arrivals = indexes({0, 1}) + indexes({2}, {}, given.last_created);
    EXPECT_EQ(told(arrivals, 50 * minute).state.phase(), given.phase) << given.what;
    EXPECT_EQ(told.state.verdict->arrived, given.phase == Phase::open ? 3 : 2) << given.what;
  }
  Told quorum{with_timeout(waits_for(3, 2), 10 * minute, true)};
  EXPECT_EQ(quorum(indexes({0, 1}) + indexes({2}, {}, 11 * minute), 50 * minute).stands.reason, "QuorumAtTimeout");
}

TEST(BarrierDecide, a_participant_is_in_time_if_it_first_came_in_time) {
  Told told{with_timeout(waits_for(2))};
  const auto retried_late = indexes({0, 1}) + indexes({1}, 1, 20 * minute);
  EXPECT_EQ(told(retried_late, 30 * minute).state.phase(), Phase::open);
}

TEST(BarrierDecide, the_first_arrival_starts_the_clock_once) {
  Told told{with_timeout(waits_for(3))};
  EXPECT_EQ(told(indexes({0}, {}, 2 * minute), 2 * minute).deadline, 12 * minute);
  EXPECT_EQ(told.state.first, 2 * minute);
  EXPECT_EQ(told({}, 3 * minute).deadline, 12 * minute) << "it was deleted";
  EXPECT_EQ(told(indexes({1}, {}, minute), 4 * minute).deadline, 12 * minute) << "an earlier one is seen later";
  EXPECT_EQ(told({}, 12 * minute).state.phase(), Phase::failed);
}

TEST(BarrierDecide, edits_while_waiting_are_honoured) {
  Told lowered{waits_for(5)};
  lowered(indexes({0, 1}));
  lowered.spec = waits_for(2);
  EXPECT_EQ(lowered(indexes({0, 1})).state.phase(), Phase::open);

  Told raised{waits_for(3)};
  raised(indexes({0, 1}));
  raised.spec = waits_for(4);
  EXPECT_EQ(raised(indexes({0, 1, 2})).stands.message, "3 of 4 have arrived; waiting for 3");

  Told quorum{waits_for(5)};
  quorum(indexes({0, 1}));
  quorum.spec = waits_for(5, 2);
  EXPECT_EQ(quorum(indexes({0, 1})).stands.reason, "QuorumReached");

  Told timeout{waits_for(5)};
  EXPECT_FALSE(timeout(indexes({0, 1})).deadline);
  timeout.spec = with_timeout(waits_for(5), 20 * minute);
  EXPECT_EQ(timeout(indexes({0, 1})).deadline, 20 * minute) << "counted from the first arrival, which was before";
  timeout.spec = with_timeout(waits_for(5), minute);
  EXPECT_EQ(timeout(indexes({0, 1}), 2 * minute).state.phase(), Phase::failed);
}

TEST(BarrierDecide, rounds_open_one_after_another) {
  Told told{reusable(waits_for(2))};
  EXPECT_EQ(told(indexes({0, 1}, 2) + indexes({0}, 1)).stands.message, "round 1: 1 of 2 have arrived; waiting for 1");
  const auto both = indexes({0, 1}, 2) + indexes({0, 1}, 1);
  const Decision first = told(both);
  EXPECT_EQ(first.opened, "round 1: 2 of 2 have arrived");
  EXPECT_EQ(first.state, (State{.round = 2, .opened = 1, .first = minute, .since = {}, .verdict = {}}));
  EXPECT_EQ(first.stands.message, "round 2: 2 of 2 have arrived") << "counted, and judged by the next decision";
  EXPECT_EQ(first.stands.reason, "Waiting");
  EXPECT_THAT(first.discards, ElementsAre(2, 3));
  const Decision next = told(both);
  EXPECT_EQ(next.opened, "round 2: 2 of 2 have arrived");
  EXPECT_EQ(next.state.phase(), Phase::open);
  EXPECT_EQ(next.state.opened, 2);
  EXPECT_THAT(next.discards, ElementsAre(0, 1, 2, 3));
}

TEST(BarrierDecide, a_round_stays_open_until_somebody_arrives_for_the_next) {
  Told told{reusable(waits_for(2))};
  const auto done = indexes({0, 1}, 1);
  told(done);
  EXPECT_EQ(told(done + indexes({0}, 3)).state.phase(), Phase::open) << "for the one after the next";
  EXPECT_EQ(told({}).stands, (Standing{2, 2, "AllArrived", "round 1: 2 of 2 have arrived", ""}));
  const Decision next = told(done + indexes({1}, 2, 5 * minute), 5 * minute);
  EXPECT_EQ(next.state, (State{.round = 2, .opened = 1, .first = 5 * minute, .since = {}, .verdict = {}}));
  EXPECT_EQ(next.stands.message, "round 2: 1 of 2 have arrived; waiting for 0");
  EXPECT_THAT(next.discards, ElementsAre(0, 1));
}

TEST(BarrierDecide, who_comes_early_for_a_round_does_not_start_its_timeout) {
  Told told{reusable(with_timeout(waits_for(2)))};
  const auto early = indexes({0}, 1) + indexes({0}, 2, minute);
  EXPECT_EQ(told(early, 2 * minute).deadline, 10 * minute);
  const auto all = early + indexes({1}, 1, 9 * minute);
  EXPECT_EQ(told(all, 9 * minute).deadline, 19 * minute) << "counted from when round 1 opened";
  EXPECT_EQ(told(all + indexes({1}, 2, 18 * minute), 18 * minute).state.opened, 2);
}

// It took until then to find out who it was, or the operator was away.
TEST(BarrierDecide, who_came_early_for_a_round_and_is_seen_late_does_not_start_its_timeout_either) {
  Told told{reusable(with_timeout(waits_for(2)))};
  told(indexes({0}, 1, 0) + indexes({1}, 1, 9 * minute), 20 * minute);
  ASSERT_EQ(told.state.opened, 1);
  const Decision next = told(indexes({0}, 2, minute), 21 * minute);
  EXPECT_EQ(next.state.phase(), Phase::waiting);
  EXPECT_EQ(next.deadline, 30 * minute) << "counted from when round 1 opened";
}

/// While it is not known yet who somebody is, the present is just before he arrived.
TEST(BarrierDecide, a_round_that_opens_while_time_stands_still_takes_no_time_from_the_next) {
  const auto spec = reusable(with_timeout(waits_for(2), minute));
  const auto arrivals = indexes({0}, 1, 0) + indexes({1}, 1, 3 * minute) + indexes({0}, 2, second);
  const auto opens = decide(spec, {}, arrivals, 2 * second);
  EXPECT_TRUE(opens.opened.empty()) << "the second was late for the first round";
  const auto in_time = indexes({0}, 1, 0) + indexes({1}, 1, 50 * second) + indexes({0}, 2, second);
  const auto next = decide(spec, {}, in_time, 2 * second);
  EXPECT_FALSE(next.opened.empty());
  EXPECT_EQ(next.deadline, 50 * second + minute);
}

TEST(BarrierDecide, each_round_has_its_own_deadline_and_a_failed_one_is_the_last) {
  Told told{reusable(with_timeout(waits_for(2)))};
  told(indexes({0, 1}, 1));
  const auto second_round = indexes({0}, 2, 30 * minute);
  EXPECT_EQ(told(second_round, 30 * minute).deadline, 40 * minute);
  const Decision over = told(second_round + indexes({0, 1}, 3, 31 * minute), 40 * minute);
  EXPECT_EQ(over.state.phase(), Phase::failed);
  EXPECT_EQ(over.state.opened, 1) << "round 1 stays served";
  EXPECT_EQ(over.stands.message, "round 2: 1 of 2 had arrived when the timeout of 10m was over; missing: 1");
  const Decision later = told(indexes({0, 1}, 2, 41 * minute) + indexes({0, 1}, 3, 31 * minute), 50 * minute);
  EXPECT_EQ(later.state, over.state);
  EXPECT_THAT(later.discards, IsEmpty());
}

TEST(BarrierDecide, arrivals_for_rounds_that_there_cannot_be_are_denied_and_not_counted) {
  Told once{waits_for(2)};
  const Decision other = once(indexes({0}, 1) + indexes({1}, 2) + indexes({2}, 7));
  ASSERT_EQ(other.denials.size(), 2U);
  EXPECT_EQ(other.denials[0].claim, 1U);
  EXPECT_EQ(other.denials[0].reason, "NotReusable");
  EXPECT_THAT(std::string(other.denials[0].message), testing::HasSubstr("leave spec.round out"));
  EXPECT_EQ(other.stands.arrived, 1);

  Told many{reusable(waits_for(2))};
  const Decision none = many(indexes({0}) + indexes({1}, 1));
  ASSERT_EQ(none.denials.size(), 1U);
  EXPECT_EQ(none.denials[0].claim, 0U);
  EXPECT_EQ(none.denials[0].reason, "RoundMissing");
  EXPECT_THAT(std::string(none.denials[0].message), testing::HasSubstr("--round N"));
  EXPECT_EQ(none.stands.arrived, 1);
}

TEST(BarrierDecide, what_was_denied_is_not_counted_and_hears_no_more) {
  Told told{waits_for(2)};
  auto arrivals = indexes({0, 1});
  arrivals[1].counts = false;
  arrivals.push_back({"5c1f/9", 0, 9, false});
  const Decision decision = told(arrivals);
  EXPECT_EQ(decision.stands.arrived, 1);
  EXPECT_THAT(decision.denials, IsEmpty());
  EXPECT_THAT(decision.discards, IsEmpty());
}

TEST(BarrierDecide, a_barrier_for_one_use_keeps_its_arrivals) {
  Told told{waits_for(2)};
  EXPECT_THAT(told(indexes({0, 1})).discards, IsEmpty());
  EXPECT_THAT(told(indexes({0, 1})).discards, IsEmpty());
}

TEST(BarrierDecide, knows_who_is_missing_where_all_are_numbers) {
  struct Case {
    std::int64_t expected;
    std::vector<const char*> arrived;
    const char* missing;
  };
  const Case cases[] = {
      {4, {}, ""},
      {4, {"0", "2"}, "1, 3"},
      {4, {"a1/0", "a1/3"}, "1, 2"},
      {4, {"a1/0", "b2/1"}, ""},
      {4, {"0", "a1/1"}, ""},
      {4, {"0", "ann"}, ""},
      {4, {"0", "4"}, ""},
      {4, {"00"}, ""},
      {4, {"01"}, ""},
      {4, {"+1"}, ""},
      {4, {"-1"}, ""},
      {4, {""}, ""},
      {4, {"a1/"}, ""},
      {4, {"1 "}, ""},
      {4, {"99999999999999999999"}, ""},
      {11, {"0"}, "1, 2, 3, 4, 5, 6, 7, 8, 9, 10"},
      {12, {"0"}, "1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 1 more"},
      {10'000, {"7", "3"}, "0, 1, 2, 4, 5, 6, 8, 9, 10, 11 and 9988 more"},
  };
  for (const Case& given : cases) {
    std::vector<ArrivalIn> arrivals;
    for (const char* name : given.arrived) arrivals.push_back({name, 0, {}});
    const Decision decision = decide(waits_for(given.expected), {}, arrivals, 0);
    EXPECT_EQ(decision.stands.missing, given.missing) << given.expected << " " << testing::PrintToString(given.arrived);
  }
}

}  // namespace
}  // namespace konductor::barrier
