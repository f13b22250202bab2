#include "wait_world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace konductor::kondctl::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using Do = WaitWorld::Do;

TEST(WaitMachine, watches_the_one_object_until_its_phase_serves) {
  WaitWorld world(Do::wait);
  world.settings.progress_every = seconds{1};
  world.settings.progress_again = false;
  world.set_phase("Gathering", "1 of 3 have come");
  world.at(seconds{5}, [](WaitWorld& w) { w.set_phase("Gathering", "2 of 3 have come"); });
  world.at(seconds{6}, [](WaitWorld& w) { w.set_status({{"seen", 4}}); });
  world.at(seconds{20}, [](WaitWorld& w) { w.set_phase("Begun", "3 of 3 have come"); });
  const WaitOutcome outcome = world.run();
  EXPECT_EQ(outcome.code, ExitCode::done) << outcome.message;
  EXPECT_TRUE(outcome.served);
  EXPECT_EQ(outcome.phase, "Begun");
  EXPECT_EQ(outcome.words, "3 of 3 have come");
  EXPECT_FALSE(outcome.joined);
  EXPECT_THAT(world.sent, ElementsAre("LIST parties", "WATCH parties"));
  EXPECT_THAT(world.notes,
              ElementsAre("waiting for party team/p: 1 of 3 have come", "waiting for party team/p: 2 of 3 have come"));
  EXPECT_LT(world.elapsed(), seconds{20} + milliseconds{10});
}

TEST(WaitMachine, is_done_at_once_where_it_is_served_already) {
  WaitWorld world(Do::wait);
  world.set_phase("Begun", "3 of 3 have come");
  EXPECT_EQ(world.run().code, ExitCode::done);
  EXPECT_THAT(world.sent, ElementsAre("LIST parties"));
  EXPECT_THAT(world.notes, IsEmpty());
}

TEST(WaitMachine, says_why_the_primitive_failed) {
  for (const bool later : {false, true}) {
    WaitWorld world(Do::wait);
    const auto fail = [](WaitWorld& w) { w.set_phase("CalledOff", "2 of 3 had come when it was too late"); };
    later ? world.at(seconds{5}, fail) : fail(world);
    const WaitOutcome outcome = world.run();
    EXPECT_EQ(outcome.code, ExitCode::refused);
    EXPECT_FALSE(outcome.served);
    EXPECT_THAT(outcome.message, StartsWith("party team/p is CalledOff: 2 of 3 had come when it was too late; "));
  }
}

TEST(WaitMachine, waits_for_its_round_and_no_other) {
  WaitWorld world(Do::wait, 2);
  world.set_status({{"phase", "Begun"}, {"lastEvening", 1}});
  world.at(seconds{5}, [](WaitWorld& w) { w.set_status({{"phase", "Gathering"}}); });
  world.at(seconds{9}, [](WaitWorld& w) { w.set_status({{"phase", "Begun"}, {"lastEvening", 2}}); });
  EXPECT_EQ(world.run().code, ExitCode::done);
  EXPECT_GE(world.elapsed(), seconds{9});

  WaitWorld past(Do::wait, 2);
  past.set_status({{"phase", "CalledOff"}, {"lastEvening", 3}});
  EXPECT_EQ(past.run().code, ExitCode::done) << "served before it failed";
}

TEST(WaitMachine, is_served_where_several_rounds_passed_while_it_did_not_look) {
  WaitWorld world(Do::wait, 2);
  world.at(seconds{5}, [](WaitWorld& w) {
    w.cut_watch(Error{Errc::expired, "too old resource version", 0});
    w.set_status({{"phase", "Gathering"}, {"lastEvening", 4}});
  });
  EXPECT_EQ(world.run().code, ExitCode::done);
}

TEST(WaitMachine, says_whether_a_round_must_be_named) {
  for (const Do what : {Do::wait, Do::join, Do::join_and_wait}) {
    WaitWorld without(what);
    without.change_party({{"spec", {{"weekly", true}}}});
    const WaitOutcome missing = without.run();
    EXPECT_EQ(missing.code, ExitCode::usage);
    EXPECT_EQ(missing.message,
              "party team/p serves in rounds (its spec.weekly is true): say which one, with --evening 1 for the first");
    WaitWorld with(what, 1);
    with.change_party({{"spec", {{"weekly", false}}}});
    const WaitOutcome given = with.run();
    EXPECT_EQ(given.code, ExitCode::usage);
    EXPECT_EQ(given.message,
              "party team/p does not serve in rounds (its spec.weekly is not true): leave out --evening");
    EXPECT_EQ(without.created() + with.created(), 0);
  }
}

TEST(WaitMachine, waits_for_a_primitive_that_does_not_exist_yet) {
  WaitWorld world(Do::wait);
  world.delete_party();
  world.at(seconds{30}, [](WaitWorld& w) { w.create_party(); });
  world.at(seconds{35}, [](WaitWorld& w) { w.set_phase("Begun", "3 of 3"); });
  EXPECT_EQ(world.run().code, ExitCode::done);
  EXPECT_THAT(world.notes, ElementsAre("party team/p does not exist; waiting for it to be created"));
  EXPECT_THAT(world.sent, ElementsAre("LIST parties", "WATCH parties"));

  WaitWorld never(Do::wait);
  never.delete_party();
  never.settings.deadline = never.start + seconds{5};
  const WaitOutcome outcome = never.run();
  EXPECT_EQ(outcome.code, ExitCode::timed_out);
  EXPECT_EQ(outcome.message, "timed out after 5s while waiting for party team/p: it does not exist");
}

TEST(WaitMachine, ends_at_once_when_the_primitive_is_deleted) {
  for (const Do what : {Do::wait, Do::join_and_wait}) {
    WaitWorld world(what);
    world.at(seconds{5}, [](WaitWorld& w) { w.delete_party(); });
    const WaitOutcome outcome = world.run();
    EXPECT_EQ(outcome.code, ExitCode::no_such_object);
    EXPECT_EQ(outcome.message, "party team/p was deleted while waiting for party team/p");
    EXPECT_LT(world.elapsed(), seconds{5} + milliseconds{10});
  }
}

TEST(WaitMachine, ends_when_it_finds_another_primitive_of_the_name) {
  for (const Do what : {Do::wait, Do::join_and_wait}) {
    WaitWorld world(what);
    world.at(seconds{5}, [](WaitWorld& w) {
      w.cut_watch(Error{Errc::unavailable, "cut", 0});
      w.create_party();
      w.set_phase("Begun", "3 of 3");
    });
    const WaitOutcome outcome = world.run();
    EXPECT_EQ(outcome.code, ExitCode::no_such_object);
    EXPECT_THAT(outcome.message, HasSubstr("was deleted and created anew"));
  }
}

TEST(WaitMachine, ends_when_the_primitive_is_being_deleted_unless_it_serves) {
  const json going = {{"metadata", {{"deletionTimestamp", "2024-01-15T10:30:00Z"}}}};
  WaitWorld world(Do::wait);
  world.at(seconds{5}, [&going](WaitWorld& w) { w.change_party(going); });
  EXPECT_EQ(world.run().code, ExitCode::no_such_object);
  WaitWorld open(Do::wait);
  open.set_phase("Begun", "3 of 3");
  open.change_party(going);
  EXPECT_EQ(open.run().code, ExitCode::done);
}

TEST(WaitMachine, says_once_that_no_operator_answers_and_waits_on) {
  WaitWorld world(Do::wait);
  world.at(seconds{60}, [](WaitWorld& w) { w.set_phase("Begun", "3 of 3"); });
  EXPECT_EQ(world.run().code, ExitCode::done);
  EXPECT_THAT(world.notes, ElementsAre(HasSubstr("no operator has answered yet: is `konductor` running?")));

  WaitWorld soon(Do::wait);
  soon.at(seconds{9}, [](WaitWorld& w) { w.set_phase("Gathering", "0 of 3"); });
  soon.at(seconds{60}, [](WaitWorld& w) { w.set_phase("Begun", "3 of 3"); });
  EXPECT_EQ(soon.run().code, ExitCode::done);
  EXPECT_THAT(soon.notes, ElementsAre("waiting for party team/p: 0 of 3"));
}

TEST(WaitMachine, tells_what_the_primitive_says_against_itself) {
  WaitWorld world(Do::wait);
  const json condition = {{"type", "Ready"}, {"status", "False"}, {"reason", "InvalidSpec"}, {"message", "no number"}};
  world.set_status({{"conditions", json::array({condition})}});
  world.settings.deadline = world.start + seconds{20};
  EXPECT_THAT(world.run().message, HasSubstr("it is not ready: InvalidSpec: no number"));
  EXPECT_THAT(world.notes, ElementsAre("party team/p is not ready: InvalidSpec: no number; waiting"));
}

TEST(WaitMachine, does_not_show_that_streams_end) {
  WaitWorld world(Do::wait);
  world.set_phase("Gathering", "1 of 3");
  world.at(seconds{10}, [](WaitWorld& w) { w.cut_watch(std::nullopt); });
  world.at(seconds{20}, [](WaitWorld& w) { w.cut_watch(Error{Errc::unavailable, "the connection was cut", 0}); });
  world.at(seconds{30}, [](WaitWorld& w) { w.cut_watch(Error{Errc::expired, "too old resource version", 0}); });
  world.at(seconds{40}, [](WaitWorld& w) {
    w.cut_watch(Error{Errc::timeout, "silent", 0});
    w.set_phase("Begun", "3 of 3");
  });
  EXPECT_EQ(world.run().code, ExitCode::done);
  EXPECT_THAT(world.notes, ElementsAre("waiting for party team/p: 1 of 3"));
  EXPECT_LT(world.elapsed(), seconds{41});
}

// What comes between the look-up and the watch is not missed, also where the server has forgotten it.
TEST(WaitMachine, misses_nothing_before_its_watch_begins) {
  for (const bool compacted : {false, true}) {
    WaitWorld world(Do::join_and_wait);
    world.on_created = [compacted](WaitWorld& w) {
      w.set_phase("Begun", "3 of 3");
      if (compacted) w.compact();
    };
    EXPECT_EQ(world.run().code, ExitCode::done);
    EXPECT_LT(world.elapsed(), seconds{1});
  }
}

TEST(WaitMachine, polls_ever_more_rarely_where_it_may_not_watch) {
  WaitWorld world(Do::wait);
  world.watch_forbidden = true;
  world.at(seconds{60}, [](WaitWorld& w) { w.set_phase("Begun", "3 of 3"); });
  EXPECT_EQ(world.run().code, ExitCode::done);
  EXPECT_EQ(world.count("WATCH parties"), 1);
  EXPECT_LT(world.count("LIST parties"), 20);
  EXPECT_LT(world.elapsed(), seconds{66});
}

TEST(WaitMachine, needs_no_list) {
  for (const bool missing : {false, true}) {
    WaitWorld world(Do::join_and_wait);
    world.refusals["LIST parties"] = status_of(403, "Forbidden", "User \"u\" cannot list resource \"parties\"");
    if (missing) {
      world.delete_party();
      world.at(seconds{20}, [](WaitWorld& w) { w.create_party(); });
    }
    world.at(seconds{60}, [](WaitWorld& w) { w.set_phase("Begun", "3 of 3"); });
    const WaitOutcome outcome = world.run();
    EXPECT_EQ(outcome.code, ExitCode::done) << outcome.message;
    EXPECT_EQ(world.created(), 1);
    EXPECT_EQ(world.count("WATCH parties"), 0);
    EXPECT_LT(world.count("GET parties"), 25);
  }
}

TEST(WaitMachine, says_that_it_may_not_even_get) {
  WaitWorld world(Do::wait);
  world.refusals["GET"] = status_of(403, "Forbidden", "User \"u\" cannot get resource \"parties\"");
  const WaitOutcome outcome = world.run();
  EXPECT_EQ(outcome.code, ExitCode::refused);
  EXPECT_THAT(outcome.message, HasSubstr("get parties.sync.konductor.io team/p"));
}

}  // namespace
}  // namespace konductor::kondctl::test
