#include "kube/time.hpp"
#include "wait_world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace konductor::kondctl::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
using Do = WaitWorld::Do;

// Of the party's first life, unless another owner is named; "" is none.
json old_guest(const std::string& owner, const std::string& phase = "", const std::string& seat = "7") {
  json guest = {{"metadata",
                 {{"name", "p-1"},
                  {"namespace", "team"},
                  {"uid", "u-old"},
                  {"resourceVersion", "50"},
                  {"creationTimestamp", kube::to_rfc3339(epoch - seconds{30})}}},
                {"spec", {{"party", "p"}, {"seat", seat}, {"requestedAt", "2020-01-01T00:00:00Z"}}}};
  if (!owner.empty()) {
    guest["metadata"]["ownerReferences"] =
        json::array({{{"apiVersion", "sync.konductor.io/v1"}, {"kind", "Party"}, {"name", "p"}, {"uid", owner}}});
  }
  if (!phase.empty()) guest["status"] = {{"phase", phase}};
  return guest;
}

TEST(Join, creates_a_claim_that_goes_with_the_primitive) {
  WaitWorld world(Do::join, 4);
  const WaitOutcome outcome = world.run();
  EXPECT_EQ(outcome.code, ExitCode::done) << outcome.message;
  ASSERT_TRUE(outcome.joined);
  EXPECT_EQ(outcome.joined->uid, "u-guest-1");
  EXPECT_FALSE(outcome.joined->adopted);
  EXPECT_FALSE(outcome.served);
  EXPECT_THAT(world.sent, ElementsAre("GET parties", "POST guests")) << "neither list nor watch is needed";
  const json& owner = world.guest["metadata"]["ownerReferences"][0];
  EXPECT_EQ(owner["kind"], "Party");
  EXPECT_EQ(owner["uid"], "u-party-1");
  EXPECT_EQ(owner["controller"], false);
  EXPECT_EQ(owner["blockOwnerDeletion"], false);
  json spec = world.guest["spec"];
  spec.erase("requestedAt");
  EXPECT_EQ(spec, json({{"party", "p"},
                        {"seat", "7"},
                        {"evening", 4},
                        {"holder", "tester"},
                        {"pod", {{"name", "pod-1"}, {"uid", "u-pod"}}}}))
      << "nothing of grants";
}

TEST(Join, waits_on_when_it_shall) {
  WaitWorld world(Do::join_and_wait);
  world.on_created = [](WaitWorld& w) { w.set_phase("Gathering", "1 of 3"); };
  world.at(seconds{20}, [](WaitWorld& w) { w.set_phase("Begun", "3 of 3"); });
  const WaitOutcome outcome = world.run();
  EXPECT_EQ(outcome.code, ExitCode::done);
  EXPECT_TRUE(outcome.served);
  EXPECT_TRUE(outcome.joined);
  EXPECT_EQ(world.count("WATCH parties"), 1);
  EXPECT_LE(world.count("GET guests"), 5) << "its own claim is looked at ever more rarely";
}

TEST(Join, joins_what_is_open_already_and_passes) {
  for (const Do what : {Do::join, Do::join_and_wait}) {
    WaitWorld world(what);
    world.set_phase("Begun", "3 of 3");
    const WaitOutcome outcome = world.run();
    EXPECT_EQ(outcome.code, ExitCode::done);
    EXPECT_EQ(outcome.served, what == Do::join_and_wait);
    EXPECT_EQ(world.created(), 1);
    EXPECT_LT(world.elapsed(), seconds{1});
  }
}

TEST(Join, passes_where_it_opens_while_it_joins) {
  WaitWorld world(Do::join_and_wait);
  world.at(milliseconds{3}, [](WaitWorld& w) { w.set_phase("Begun", "3 of 3"); });
  EXPECT_EQ(world.run().code, ExitCode::done);
  EXPECT_EQ(world.created(), 1);
}

TEST(Join, creates_nothing_for_what_has_failed) {
  for (const Do what : {Do::join, Do::join_and_wait}) {
    WaitWorld world(what);
    world.set_phase("CalledOff", "2 of 3 had come");
    const WaitOutcome outcome = world.run();
    EXPECT_EQ(outcome.code, ExitCode::refused);
    EXPECT_THAT(outcome.message, StartsWith("party team/p is CalledOff: 2 of 3 had come; "));
    EXPECT_THAT(outcome.message, HasSubstr("; nothing was created"));
    EXPECT_EQ(world.created(), 0);

    WaitWorld past(what, 2);
    past.set_phase("CalledOff", "1 of 3 had come");
    past.set_status({{"lastEvening", 2}});
    const WaitOutcome served = past.run();
    EXPECT_EQ(served.code, ExitCode::done) << "its round was served before";
    EXPECT_TRUE(served.served);
    EXPECT_FALSE(served.joined);
    EXPECT_EQ(past.created(), 0);
  }
}

TEST(Join, hears_that_it_failed_while_it_joined) {
  WaitWorld world(Do::join_and_wait);
  world.at(milliseconds{3}, [](WaitWorld& w) { w.set_phase("CalledOff", "0 of 3 had come"); });
  const WaitOutcome outcome = world.run();
  EXPECT_EQ(outcome.code, ExitCode::refused);
  EXPECT_THAT(outcome.message, HasSubstr("0 of 3 had come"));
}

TEST(Join, passes_where_its_round_was_served_already) {
  WaitWorld world(Do::join_and_wait, 2);
  world.set_status({{"phase", "Gathering"}, {"lastEvening", 5}});
  const WaitOutcome outcome = world.run();
  EXPECT_EQ(outcome.code, ExitCode::done);
  EXPECT_LT(world.elapsed(), seconds{1});
}

TEST(Join, needs_the_primitive_unless_it_waits) {
  WaitWorld world(Do::join);
  world.delete_party();
  const WaitOutcome outcome = world.run();
  EXPECT_EQ(outcome.code, ExitCode::no_such_object);
  EXPECT_EQ(outcome.message, "party team/p does not exist");
  EXPECT_EQ(world.created(), 0);

  WaitWorld patient(Do::join_and_wait);
  patient.delete_party();
  patient.at(seconds{30}, [](WaitWorld& w) { w.create_party(); });
  patient.on_created = [](WaitWorld& w) { w.set_phase("Begun", "1 of 1"); };
  EXPECT_EQ(patient.run().code, ExitCode::done);
  EXPECT_EQ(patient.guest["metadata"]["ownerReferences"][0]["uid"], "u-party-2");
}

TEST(Join, does_not_join_what_is_being_deleted) {
  WaitWorld world(Do::join_and_wait);
  world.change_party({{"metadata", {{"deletionTimestamp", "2024-01-15T10:30:00Z"}}}});
  const WaitOutcome outcome = world.run();
  EXPECT_EQ(outcome.code, ExitCode::no_such_object);
  EXPECT_EQ(outcome.message, "party team/p is being deleted");
  EXPECT_EQ(world.created(), 0);
}

TEST(Join, comes_once_however_often_it_comes) {
  for (const std::string owner : {"u-party-1", ""}) {
    WaitWorld world(Do::join);
    world.guest = old_guest(owner);
    world.guest["spec"]["pod"] = {{"name", "earlier"}, {"uid", "u-earlier"}};
    const WaitOutcome outcome = world.run();
    EXPECT_EQ(outcome.code, ExitCode::done) << outcome.message;
    ASSERT_TRUE(outcome.joined);
    EXPECT_TRUE(outcome.joined->adopted);
    EXPECT_EQ(outcome.joined->uid, "u-old") << "the same participant from another Pod";
    EXPECT_EQ(world.created(), 0);
  }
}

TEST(Join, replaces_a_claim_of_a_former_life) {
  WaitWorld world(Do::join);
  world.guest = old_guest("u-party-0");
  const WaitOutcome outcome = world.run();
  EXPECT_EQ(outcome.code, ExitCode::done) << outcome.message;
  EXPECT_FALSE(outcome.joined->adopted);
  EXPECT_THAT(world.sent,
              ElementsAre("GET parties", "POST guests", "GET guests", "GET parties", "DELETE guests", "POST guests"));
  EXPECT_EQ(world.bodies[4]["preconditions"], json({{"uid", "u-old"}, {"resourceVersion", "50"}}));

  WaitWorld by_hand(Do::join);
  by_hand.guest = old_guest("");
  by_hand.guest["metadata"]["creationTimestamp"] = kube::to_rfc3339(epoch - std::chrono::hours{1});
  EXPECT_FALSE(by_hand.run().joined->adopted) << "older than the party";
}

// The primitive was re-created after it was looked at: the claim in the way is of the new life, and stays.
TEST(Join, keeps_a_claim_of_a_later_life_than_it_knew) {
  WaitWorld world(Do::join);
  world.guest = old_guest("u-party-2");
  world.at(milliseconds{3}, [](WaitWorld& w) { w.create_party(); });
  const WaitOutcome outcome = world.run();
  EXPECT_EQ(outcome.code, ExitCode::done) << outcome.message;
  ASSERT_TRUE(outcome.joined);
  EXPECT_TRUE(outcome.joined->adopted);
  EXPECT_EQ(world.count("DELETE guests"), 0);
}

// A look that is newer than the stream ends it: what that still tells is of a former life.
TEST(Join, forgets_a_stream_that_is_behind) {
  WaitWorld world(Do::join_and_wait);
  world.delete_party();
  world.watch_lag = milliseconds{50};
  world.at(seconds{1}, [](WaitWorld& w) { w.create_party(); });
  world.at(seconds{1} + milliseconds{49}, [](WaitWorld& w) {
    w.create_party();
    w.guest = old_guest("u-party-3");
  });
  world.at(seconds{9}, [](WaitWorld& w) { w.set_phase("Begun", "1 of 1"); });
  const WaitOutcome outcome = world.run();
  EXPECT_EQ(outcome.code, ExitCode::done) << outcome.message;
  ASSERT_TRUE(outcome.joined);
  EXPECT_EQ(outcome.joined->uid, "u-old");
}

TEST(Join, replaces_a_claim_that_was_denied) {
  WaitWorld world(Do::join_and_wait);
  world.guest = old_guest("u-party-1", "Denied");
  world.set_phase("Begun", "3 of 3");
  const WaitOutcome outcome = world.run();
  EXPECT_EQ(outcome.code, ExitCode::done) << outcome.message;
  EXPECT_EQ(world.count("DELETE guests"), 1);
  EXPECT_EQ(world.created(), 1);
}

TEST(Join, reports_that_it_is_denied) {
  WaitWorld world(Do::join_and_wait);
  world.on_created = [](WaitWorld& w) { w.deny_guest("NotInvited", "seat 7 is not on the list"); };
  const WaitOutcome outcome = world.run();
  EXPECT_EQ(outcome.code, ExitCode::refused);
  EXPECT_EQ(outcome.message, "party team/p refused the claim p-1: seat 7 is not on the list");
  EXPECT_LT(world.elapsed(), seconds{2});
  EXPECT_FALSE(world.guest.is_null()) << "it goes when the same joins again";
}

TEST(Join, says_that_its_participant_is_not_known_for_certain) {
  WaitWorld world(Do::join_and_wait);
  world.on_created = [](WaitWorld& w) {
    const json condition = {{"type", "Participant"}, {"status", "False"}, {"message", "a retry would count twice"}};
    w.guest["status"]["conditions"] = json::array({condition});
  };
  world.at(seconds{20}, [](WaitWorld& w) { w.set_phase("Begun", "3 of 3"); });
  EXPECT_EQ(world.run().code, ExitCode::done);
  EXPECT_THAT(world.notes, testing::Contains("a retry would count twice").Times(1));
}

TEST(Join, says_that_somebody_deleted_its_claim) {
  WaitWorld world(Do::join_and_wait);
  world.at(seconds{5}, [](WaitWorld& w) { w.guest = nullptr; });
  const WaitOutcome outcome = world.run();
  EXPECT_EQ(outcome.code, ExitCode::failed);
  EXPECT_EQ(outcome.message,
            "somebody deleted the claim team/p-1 while it waited for party team/p: the same command joins again");
}

// A claim goes with its primitive: that is what is said, also where the stream was slower.
TEST(Join, says_that_the_primitive_is_gone_where_both_are) {
  WaitWorld world(Do::join_and_wait);
  world.at(milliseconds{500}, [](WaitWorld& w) {
    w.cut_watch(Error{Errc::unavailable, "cut", 90});
    w.guest = nullptr;
    w.delete_party();
  });
  EXPECT_EQ(world.run().code, ExitCode::no_such_object);
}

TEST(Join, does_not_take_what_asks_for_something_else) {
  WaitWorld world(Do::join);
  world.guest = old_guest("u-party-1", "", "8");
  const WaitOutcome outcome = world.run();
  EXPECT_EQ(outcome.code, ExitCode::failed);
  EXPECT_THAT(outcome.message, HasSubstr("by claim p-1 whose spec.seat is another"));
  EXPECT_EQ(world.guest["metadata"]["uid"], "u-old");
}

TEST(Join, waits_until_a_claim_that_is_being_deleted_is_gone) {
  WaitWorld world(Do::join);
  world.guest = old_guest("u-party-1");
  world.guest["metadata"]["deletionTimestamp"] = "2024-01-15T10:30:00Z";
  world.at(seconds{4}, [](WaitWorld& w) { w.guest = nullptr; });
  EXPECT_EQ(world.run().code, ExitCode::done);
  EXPECT_EQ(world.created(), 1);
}

TEST(Join, leaves_the_claim_when_it_stops_waiting) {
  struct Case {
    ExitCode code;
    std::string begins;
  };
  for (const Case& one : {Case{ExitCode::timed_out, "timed out after 5s while waiting for party team/p: 1 of 3; "},
                          Case{ExitCode::interrupted, "interrupted while waiting for party team/p; "},
                          Case{ExitCode::terminated, "terminated while waiting for party team/p; "}}) {
    WaitWorld world(Do::join_and_wait);
    world.set_phase("Gathering", "1 of 3");
    if (one.code == ExitCode::timed_out) world.settings.deadline = world.start + seconds{5};
    const Signal signal = one.code == ExitCode::terminated ? Signal::terminate : Signal::interrupt;
    world.at(seconds{7}, [signal](WaitWorld& w) { w.signal(signal); });
    const WaitOutcome outcome = world.run();
    EXPECT_EQ(outcome.code, one.code);
    EXPECT_EQ(outcome.message, one.begins + "the claim team/p-1 stays: who has joined has joined");
    EXPECT_FALSE(world.guest.is_null());
    EXPECT_EQ(world.count("DELETE guests"), 0);
  }
}

}  // namespace
}  // namespace konductor::kondctl::test
