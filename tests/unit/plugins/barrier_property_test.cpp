#include "barrier/codec.hpp"
#include "barrier/decide.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

/// What must hold for every history of a barrier, over thousands of made-up ones. A failure names its seed.
namespace konductor::barrier {
namespace {

using Random = std::mt19937_64;

std::int64_t pick(Random& random, std::int64_t lowest, std::int64_t highest) {
  return lowest + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(highest - lowest + 1));
}
bool chance(Random& random, int percent) {
  return pick(random, 1, 100) <= percent;
}

constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t start = 1'700'000'000 * second;

const std::vector<std::string> names = {"a1/0", "a1/1", "a1/2", "a1/3", "b2/0", "b2/1", "ann", "7"};

/// The world as the API server has it: what was committed, and what there is.
struct World {
  Spec spec;
  State state;
  std::vector<ArrivalIn> arrivals;
  std::int64_t now = start;
};

struct History {
  explicit History(std::uint64_t seed) : random(seed) {
    world.spec.reusable = chance(random, 60);
    edit();
  }

  void edit() {
    Spec& spec = world.spec;
    spec.expected = pick(random, 1, 5);
    spec.quorum = chance(random, 40) ? std::optional(pick(random, 1, spec.expected)) : std::nullopt;
    spec.timeout = chance(random, 40) ? std::optional(pick(random, 1, 30) * second) : std::nullopt;
    spec.timeout_text = spec.timeout ? std::to_string(*spec.timeout / second) + "s" : "";
    spec.at_timeout = spec.quorum && spec.timeout && chance(random, 50);
  }

  void arrive() {
    const auto& who = names[static_cast<std::size_t>(pick(random, 0, std::ssize(names) - 1))];
    std::optional<std::int64_t> round;
    if (world.spec.reusable && !chance(random, 5))
      round = std::max<std::int64_t>(1, world.state.round + pick(random, -1, 2));
    if (!world.spec.reusable && chance(random, 10)) round = pick(random, 1, 2);
    world.arrivals.push_back({who, world.now, round, !chance(random, 3)});
  }

  void disturb() {
    const auto what = pick(random, 1, 100);
    if (what <= 55) {
      arrive();
    } else if (what <= 65 && !world.arrivals.empty()) {
      world.arrivals.erase(world.arrivals.begin() + pick(random, 0, std::ssize(world.arrivals) - 1));
    } else if (what <= 70) {
      edit();
    } else {
      world.now += chance(random, 15) ? pick(random, 10, 60) * second : pick(random, 0, 3 * second);
    }
  }

  [[nodiscard]] Decision decided() const { return decide(world.spec, world.state, world.arrivals, world.now); }

  World world;
  Random random;
};

std::set<std::string_view> present(const World& world, std::int64_t round, std::optional<std::int64_t> until = {}) {
  std::set<std::string_view> who;
  for (const ArrivalIn& arrival : world.arrivals) {
    const bool meant = world.spec.reusable ? arrival.round == round : arrival.round.value_or(1) == round;
    if (arrival.counts && meant && (!until || arrival.created <= *until)) who.insert(arrival.participant);
  }
  return who;
}

class BarrierProperty : public testing::Test {
 protected:
  static constexpr std::uint64_t seeds = 500;

  /// Calls check(before, decision) at each look, then commits the decision; sometimes it is lost, and made again later.
  template <class Check>
  static void for_histories(Check check) {
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
      SCOPED_TRACE("seed " + std::to_string(seed));
      History history(seed);
      for (int step = 0; step < 60; ++step) {
        history.disturb();
        if (chance(history.random, 30)) continue;  // nobody looks
        const Decision decision = history.decided();
        check(history.world, decision);
        if (HasFatalFailure()) return;
        if (!chance(history.random, 15)) history.world.state = decision.state;
      }
    }
  }
};

TEST_F(BarrierProperty, opens_only_when_enough_distinct_participants_are_there_at_once) {
  int all = 0;
  int some = 0;
  for_histories([&](const World& world, const Decision& decision) {
    if (decision.opened.empty()) return;
    const std::int64_t round = decision.state.opened;
    // Recounted from nothing: those of that round, made until its deadline.
    std::optional<std::int64_t> first;
    for (const ArrivalIn& arrival : world.arrivals) {
      const bool meant = world.spec.reusable ? arrival.round == round : arrival.round.value_or(1) == 1;
      if (arrival.counts && meant) first = std::min(first.value_or(arrival.created), arrival.created);
    }
    if (round == world.state.round && world.state.first) first = world.state.first;
    ASSERT_TRUE(first);
    std::optional<std::int64_t> deadline;
    if (world.spec.timeout) deadline = *first + *world.spec.timeout;
    const auto count = std::ssize(present(world, round, deadline));
    ASSERT_GE(count, world.spec.quorum.value_or(world.spec.expected));
    if (count < world.spec.expected && world.spec.at_timeout) {
      ASSERT_GE(world.now, *deadline);
    }
    ++(count >= world.spec.expected ? all : some);
  });
  EXPECT_GT(all, 300);  // else the histories prove nothing
  EXPECT_GT(some, 100);
}

TEST_F(BarrierProperty, opens_as_soon_as_enough_are_there) {
  for_histories([](const World& world, const Decision& decision) {
    if (decision.state.phase() != Phase::waiting || !decision.opened.empty()) return;
    const auto arrived = std::ssize(present(world, decision.state.round, decision.deadline));
    ASSERT_LT(arrived, world.spec.expected);
    if (!world.spec.at_timeout) {
      ASSERT_LT(arrived, world.spec.quorum.value_or(world.spec.expected));
    }
    if (decision.deadline) {
      ASSERT_LT(world.now, *decision.deadline);
    }
    ASSERT_EQ(decision.stands.arrived, arrived);
  });
}

TEST_F(BarrierProperty, fails_only_at_a_deadline_without_enough) {
  int failures = 0;
  for_histories([&](const World& world, const Decision& decision) {
    if (decision.state.phase() != Phase::failed || world.state.phase() == Phase::failed) return;
    ++failures;
    ASSERT_TRUE(world.spec.timeout);
    const std::int64_t deadline = *decision.state.first + *world.spec.timeout;
    ASSERT_GE(world.now, deadline);
    ASSERT_LT(std::ssize(present(world, decision.state.round, deadline)),
              world.spec.quorum.value_or(world.spec.expected));
    ASSERT_EQ(decision.state.opened, decision.state.round - 1);
  });
  EXPECT_GT(failures, 100);
}

TEST_F(BarrierProperty, rounds_open_one_by_one_and_what_was_decided_stays) {
  for_histories([](const World& world, const Decision& decision) {
    const State& before = world.state;
    const State& after = decision.state;
    ASSERT_EQ(after.opened - before.opened, decision.opened.empty() ? 0 : 1);
    ASSERT_GE(after.round, before.round);
    if (before.phase() == Phase::failed) {
      ASSERT_EQ(after, before);
    }
    if (before.phase() == Phase::open && !world.spec.reusable) {
      ASSERT_EQ(after, before);
    }
    if (before.phase() == Phase::open && after.round == before.round) {
      ASSERT_EQ(after, before);
      ASSERT_GE(decision.stands.arrived, before.verdict->arrived);
    }
    if (before.verdict && after.round != before.round) {
      ASSERT_EQ(before.phase(), Phase::open);
    }
    if (before.first && after.round == before.round) {
      ASSERT_EQ(after.first, before.first);
    }
  });
}

/// Each round has one verdict in a whole history, also where decisions were lost: what is committed counts.
TEST_F(BarrierProperty, each_round_has_one_verdict) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    History history(seed);
    std::map<std::int64_t, Standing> verdicts;
    for (int step = 0; step < 60; ++step) {
      history.disturb();
      const std::int64_t opened = history.world.state.opened;
      const Decision decision = history.decided();
      if (chance(history.random, 15)) continue;  // crashed before it was written
      // A restart: all that is known is what was committed.
      const auto again = parse_state(to_json(decision.state));
      ASSERT_EQ(again, decision.state);
      history.world.state = *again;
      if (again->verdict) {
        ASSERT_EQ(verdicts.try_emplace(again->round, *again->verdict).first->second, *again->verdict);
      }
      ASSERT_GE(again->opened, opened);
      for (const auto& [round, verdict] : verdicts) ASSERT_EQ(round <= again->opened, verdict.reason != timed_out);
    }
  }
}

TEST_F(BarrierProperty, the_same_input_gives_the_same_decision) {
  for_histories([](const World& world, const Decision& decision) {
    const Decision again = decide(world.spec, world.state, world.arrivals, world.now);
    ASSERT_EQ(again.state, decision.state);
    ASSERT_EQ(again.stands, decision.stands);
    ASSERT_EQ(again.deadline, decision.deadline);
    ASSERT_EQ(again.discards, decision.discards);
  });
}

TEST_F(BarrierProperty, the_order_of_arrivals_does_not_matter) {
  for_histories([](const World& world, const Decision& decision) {
    auto turned = world.arrivals;
    std::reverse(turned.begin(), turned.end());
    const Decision again = decide(world.spec, world.state, turned, world.now);
    ASSERT_EQ(again.state, decision.state);
    ASSERT_EQ(again.stands, decision.stands);
  });
}

/// No write leads to another one but the opening of the next round.
TEST_F(BarrierProperty, deciding_after_its_own_output_changes_nothing_but_opens_the_next_round) {
  for_histories([](const World& world, const Decision& decision) {
    Decision last = decision;
    for (std::size_t step = 0;; ++step) {
      ASSERT_LE(step, world.arrivals.size());
      const Decision next = decide(world.spec, last.state, world.arrivals, world.now);
      if (next.state == last.state) {
        ASSERT_EQ(next.stands, last.stands);
        ASSERT_EQ(next.deadline, last.deadline);
        ASSERT_EQ(next.discards, last.discards);
        return;
      }
      ASSERT_TRUE(world.spec.reusable);
      ASSERT_FALSE(last.opened.empty()) << "only what follows an opening may change again";
      last = next;
    }
  });
}

TEST_F(BarrierProperty, every_arrival_for_an_opened_round_is_discarded_and_no_other) {
  for_histories([](const World& world, const Decision& decision) {
    std::vector<std::size_t> passed;
    std::set<std::size_t> denied;
    for (std::size_t i = 0; i < world.arrivals.size(); ++i) {
      const ArrivalIn& arrival = world.arrivals[i];
      if (!arrival.counts) continue;
      if (world.spec.reusable ? !arrival.round : arrival.round.value_or(1) != 1) denied.insert(i);
      if (world.spec.reusable && arrival.round && *arrival.round <= decision.state.opened) passed.push_back(i);
    }
    ASSERT_EQ(decision.discards, passed);
    ASSERT_EQ(decision.denials.size(), denied.size());
    for (const Denial& denial : decision.denials) ASSERT_TRUE(denied.contains(denial.claim));
  });
}

/// Discarded arrivals may be deleted: they were counted, and are not needed any more.
TEST_F(BarrierProperty, deleting_what_was_discarded_changes_no_verdict) {
  for_histories([](const World& world, const Decision& decision) {
    std::vector<ArrivalIn> left;
    for (std::size_t i = 0; i < world.arrivals.size(); ++i) {
      if (!std::binary_search(decision.discards.begin(), decision.discards.end(), i)) left.push_back(world.arrivals[i]);
    }
    ASSERT_EQ(decide(world.spec, decision.state, left, world.now).state,
              decide(world.spec, decision.state, world.arrivals, world.now).state);
  });
}

}  // namespace
}  // namespace konductor::barrier
