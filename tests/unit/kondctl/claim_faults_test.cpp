#include "claim_world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace konductor::kondctl::test {
namespace {

using testing::HasSubstr;

// An operator that grants ten seconds after the create; long enough for requests of every sort, with a TTL of 12 s.
ClaimWorld slow_world() {
  ClaimWorld world(true);
  world.wish.ttl = seconds{12};
  world.on_created = [](ClaimWorld& w) { w.at(seconds{10}, [](ClaimWorld& later) { later.grant(); }); };
  return world;
}

constexpr int most_requests = 12;

// Nothing that is lost once, on its way there or back, keeps the claim from being granted, and it stays the same claim.
TEST(ClaimFaults, is_granted_once_whatever_request_is_lost) {
  for (const auto fault : {ClaimWorld::Fault::request_lost, ClaimWorld::Fault::answer_lost}) {
    for (int request = 0; request < most_requests; ++request) {
      ClaimWorld world = slow_world();
      world.faults[request] = fault;
      const ClaimOutcome outcome = world.run();
      EXPECT_EQ(outcome.code, ExitCode::done) << "request " << request << ": " << outcome.message;
      ASSERT_TRUE(outcome.grant);
      EXPECT_TRUE(world.holds());
      EXPECT_EQ(world.claim["metadata"]["uid"], outcome.grant->uid);
      EXPECT_LE(outcome.grant->lost_at, world.now() + outcome.grant->ttl);
    }
  }
}

TEST(ClaimFaults, knows_its_own_claim_when_the_answer_to_the_create_was_lost) {
  ClaimWorld world(true);
  world.faults[1] = ClaimWorld::Fault::answer_lost;
  const ClaimOutcome outcome = world.run();
  EXPECT_EQ(outcome.code, ExitCode::done);
  ASSERT_TRUE(outcome.grant);
  EXPECT_FALSE(outcome.grant->adopted);
}

// At the deadline it ends, and leaves nothing behind, wherever it was.
TEST(ClaimFaults, keeps_its_timeout_whatever_request_is_lost) {
  for (const auto fault : {ClaimWorld::Fault::none, ClaimWorld::Fault::request_lost, ClaimWorld::Fault::answer_lost}) {
    for (int request = 0; request < most_requests; ++request) {
      ClaimWorld world = slow_world();
      world.on_created = nullptr;
      world.faults[request] = fault;
      world.settings.deadline = world.start + milliseconds{7350};
      const ClaimOutcome outcome = world.run();
      EXPECT_EQ(outcome.code, ExitCode::timed_out);
      EXPECT_GE(world.elapsed(), milliseconds{7350});
      EXPECT_LE(world.elapsed(), milliseconds{7450});
      const bool can_be_gone = outcome.message.find("left behind") == std::string::npos;
      EXPECT_TRUE(!can_be_gone || world.claim.is_null()) << outcome.message;
      if (fault == ClaimWorld::Fault::none) {
        EXPECT_TRUE(world.claim.is_null());
      }
    }
  }
}

TEST(ClaimFaults, keeps_its_timeout_to_the_tenth_of_a_second_without_a_server) {
  for (const milliseconds timeout : {milliseconds{1}, milliseconds{250}, milliseconds{1000}, milliseconds{61'000}}) {
    for (const bool wait : {true, false}) {
      ClaimWorld world(wait);
      world.unreachable = true;
      world.settings.deadline = world.start + timeout;
      const ClaimOutcome outcome = world.run();
      EXPECT_EQ(outcome.code, ExitCode::timed_out);
      EXPECT_GE(world.elapsed(), timeout);
      EXPECT_LE(world.elapsed(), timeout + milliseconds{100});
    }
  }
}

TEST(ClaimFaults, tries_for_ten_seconds_without_wait) {
  ClaimWorld world(false);
  world.unreachable = true;
  const ClaimOutcome outcome = world.run();
  EXPECT_EQ(outcome.code, ExitCode::unreachable);
  EXPECT_LE(world.elapsed(), seconds{10});
  EXPECT_GE(world.elapsed(), seconds{9});
}

TEST(ClaimFaults, withdraws_when_no_operator_answers_and_it_does_not_wait) {
  ClaimWorld world(false);
  world.on_created = nullptr;
  const ClaimOutcome outcome = world.run();
  EXPECT_EQ(outcome.code, ExitCode::unreachable);
  EXPECT_EQ(outcome.message, "no operator answered within 10s: is `konductor` running?; the claim is withdrawn");
  EXPECT_TRUE(world.claim.is_null());
  EXPECT_LE(world.elapsed(), seconds{10});
}

json not_ready(const std::string& reason, const std::string& message) {
  return {{"conditions", {{{"type", "Ready"}, {"status", "False"}, {"reason", reason}, {"message", message}}}}};
}

// Often the operator runs, and refuses the primitive: that is said in its place, also where it came later.
TEST(ClaimFaults, quotes_what_the_primitive_says_against_itself_when_no_operator_answers) {
  for (const Duration said_after : {seconds{0}, seconds{5}}) {
    ClaimWorld world(false);
    world.on_created = nullptr;
    world.at(said_after,
             [](ClaimWorld& w) { w.primitive["status"] = not_ready("InvalidSpec", "size must be a number"); });
    const ClaimOutcome outcome = world.run();
    EXPECT_EQ(outcome.code, ExitCode::unreachable);
    EXPECT_EQ(outcome.message,
              "no operator answered within 10s: widget team/q is not ready: InvalidSpec: size must be a number; the "
              "claim is withdrawn");
    EXPECT_LE(world.elapsed(), seconds{10});
  }
  ClaimWorld gone(false);
  gone.on_created = [](ClaimWorld& w) { w.primitive = nullptr; };
  EXPECT_THAT(gone.run().message, HasSubstr("widget team/q is not ready: it was deleted"));
}

TEST(ClaimFaults, tells_who_waits_what_the_primitive_says_against_itself) {
  ClaimWorld world(true);
  world.primitive["status"] = not_ready("PluginQuarantined", "decide took 5 s");
  world.on_created = nullptr;
  world.settings.deadline = world.start + seconds{60};
  const ClaimOutcome outcome = world.run();
  const std::string words = "widget team/q is not ready: PluginQuarantined: decide took 5 s";
  EXPECT_THAT(world.notes, testing::ElementsAre(words + "; waiting", words + "; waiting on"));
  EXPECT_THAT(outcome.message, HasSubstr(words));
}

TEST(ClaimFaults, waits_as_long_as_its_timeout_for_an_operator_without_wait) {
  ClaimWorld world(false);
  world.on_created = [](ClaimWorld& w) { w.at(seconds{40}, [](ClaimWorld& later) { later.grant(); }); };
  world.settings.deadline = world.start + seconds{60};
  EXPECT_EQ(world.run().code, ExitCode::done);
  EXPECT_GE(world.elapsed(), seconds{40});

  ClaimWorld silent(false);
  silent.on_created = nullptr;
  silent.settings.deadline = silent.start + seconds{60};
  const ClaimOutcome outcome = silent.run();
  EXPECT_EQ(outcome.code, ExitCode::timed_out);
  EXPECT_THAT(outcome.message, HasSubstr("no operator has answered"));
  EXPECT_EQ(silent.elapsed() / seconds{1}, 60);
}

// However it ends: the server's words, the claim that stays, and the command that ends it.
TEST(ClaimFaults, names_the_claim_that_it_could_not_withdraw_and_why) {
  const auto interrupt = [](ClaimWorld& world) {
    world.at(seconds{1}, [](ClaimWorld& w) { w.signal(Signal::interrupt); });
  };
  const auto time_out = [](ClaimWorld& world) { world.settings.deadline = world.start + seconds{1}; };
  const auto no_operator = [](ClaimWorld& /*world*/) {};
  struct Case {
    std::string begins;
    bool wait;
    std::function<void(ClaimWorld&)> give_up;
  };
  for (const Case& one : {Case{"interrupted while waiting for widget team/q", true, interrupt},
                          Case{"timed out after 1s waiting for widget team/q", true, time_out},
                          Case{"no operator answered within 10s", false, no_operator}}) {
    for (const bool in_pod : {false, true}) {
      ClaimWorld world(one.wait, in_pod);
      world.on_created = nullptr;
      world.refusals["DELETE"] = status_of(403, "Forbidden", "User \"u\" cannot delete resource \"tickets\"");
      one.give_up(world);
      const std::string said = world.run().message;
      EXPECT_THAT(said, testing::StartsWith(one.begins));
      EXPECT_THAT(said, HasSubstr("the claim team/q-1 is left behind, because it could not be withdrawn (delete "
                                  "tickets.sync.konductor.io team/q-1: forbidden: User \"u\" cannot delete resource"));
      EXPECT_THAT(said, HasSubstr("`kondctl widget giveback q -n team --claim q-1` releases it"));
      EXPECT_THAT(said, HasSubstr(in_pod ? "with its Pod" : "when its TTL is over"));
      EXPECT_THAT(said, testing::Not(HasSubstr("is withdrawn")));
      EXPECT_FALSE(world.claim.is_null());
    }
  }
}

TEST(ClaimFaults, says_that_it_got_no_answer_when_it_withdrew) {
  ClaimWorld world(true);
  world.on_created = nullptr;
  world.at(seconds{1}, [](ClaimWorld& w) {
    w.unreachable = true;
    w.signal(Signal::interrupt);
  });
  EXPECT_THAT(world.run().message, HasSubstr("the claim team/q-1 may be left behind, because it could not be "
                                             "withdrawn (no answer in time)"));
}

// Another process of the same holder may be at work under it.
TEST(ClaimFaults, does_not_withdraw_what_its_holder_held_before) {
  ClaimWorld world(true);
  world.claim = {{"metadata", {{"name", "q-1"}, {"namespace", "team"}, {"uid", "u-old"}, {"resourceVersion", "50"}}},
                 {"spec", {{"widget", "q"}, {"wait", true}, {"requestedAt", "2020-01-01T00:00:00Z"}}},
                 {"status", {{"phase", "Granted"}, {"token", 6001}, {"ttl", "5m"}}}};
  world.refusals["PATCH"] = status_of(403, "Forbidden", "User \"u\" cannot patch resource \"tickets\"");
  const ClaimOutcome outcome = world.run();
  EXPECT_EQ(outcome.code, ExitCode::refused);
  EXPECT_THAT(outcome.message, HasSubstr("cannot patch"));
  EXPECT_THAT(outcome.message,
              HasSubstr("the claim team/q-1 stays as it was found, Granted: `kondctl widget giveback"));
  EXPECT_TRUE(world.holds());
}

TEST(ClaimFaults, says_once_that_no_operator_answers_while_it_waits) {
  ClaimWorld world(true);
  world.on_created = nullptr;
  world.settings.deadline = world.start + seconds{60};
  EXPECT_EQ(world.run().code, ExitCode::timed_out);
  EXPECT_EQ(world.notes.size(), 1U);
}

TEST(ClaimFaults, waits_as_long_as_the_server_asks) {
  ClaimWorld world(true);
  world.refusals["POST"] = status_of(429, "TooManyRequests", "slow down");
  world.refusals["POST"]["details"]["retryAfterSeconds"] = 7;
  world.at(seconds{20}, [](ClaimWorld& w) { w.refusals.clear(); });
  EXPECT_EQ(world.run().code, ExitCode::done);
  EXPECT_EQ(std::count(world.sent.begin(), world.sent.end(), "POST tickets"), 4);
}

// Interrupted at any moment, it deletes what it created, also when the create was under way.
TEST(ClaimFaults, withdraws_at_an_interrupt_at_every_moment) {
  for (int after_us = 0; after_us < 12'000; after_us += 250) {
    ClaimWorld world(true);
    world.on_created = nullptr;
    world.at(Duration{after_us}, [](ClaimWorld& w) { w.signal(Signal::interrupt); });
    const ClaimOutcome outcome = world.run();
    EXPECT_EQ(outcome.code, ExitCode::interrupted) << after_us;
    EXPECT_TRUE(world.claim.is_null()) << after_us;
    EXPECT_LE(world.elapsed(), Duration{after_us} + milliseconds{10});
  }
}

TEST(ClaimFaults, withdraws_at_an_interrupt_after_a_lost_create) {
  for (const milliseconds after : {milliseconds{4}, milliseconds{20}, milliseconds{60}}) {
    ClaimWorld world(true);
    world.on_created = nullptr;
    world.faults[1] = ClaimWorld::Fault::answer_lost;
    world.at(after, [](ClaimWorld& w) { w.signal(Signal::interrupt); });
    EXPECT_EQ(world.run().code, ExitCode::interrupted);
    EXPECT_TRUE(world.claim.is_null());
  }
}

TEST(ClaimFaults, ends_at_once_at_a_second_interrupt) {
  ClaimWorld world(true);
  world.on_created = nullptr;
  world.at(seconds{1}, [](ClaimWorld& w) {
    w.unreachable = true;
    w.signal(Signal::interrupt);
  });
  world.at(milliseconds{1200}, [](ClaimWorld& w) { w.signal(Signal::interrupt); });
  const ClaimOutcome outcome = world.run();
  EXPECT_EQ(outcome.code, ExitCode::interrupted);
  EXPECT_EQ(world.elapsed(), milliseconds{1200});
  EXPECT_THAT(outcome.message, HasSubstr("left behind"));
}

TEST(ClaimFaults, keeps_the_claim_of_a_pod_at_a_termination_and_withdraws_any_other) {
  for (const bool in_pod : {true, false}) {
    ClaimWorld world(true, in_pod);
    world.on_created = nullptr;
    world.at(seconds{1}, [](ClaimWorld& w) { w.signal(Signal::terminate); });
    EXPECT_EQ(world.run().code, ExitCode::terminated);
    EXPECT_EQ(world.claim.is_null(), !in_pod);
  }
}

// The machine is total: events that answer to nothing change nothing.
TEST(ClaimFaults, ignores_what_it_did_not_ask_for) {
  ClaimWorld world(true);
  ClaimMachine machine(world.wish, {}, world.start);
  const Now now{world.start, {}};
  const auto object = std::make_shared<const json>(json{{"status", {{"phase", "Granted"}}}});
  for (const DialogueEvent& event :
       {DialogueEvent{Answered{99, Error{Errc::forbidden, "no", 0}}}, DialogueEvent{ObjectSeen{5, object}},
        DialogueEvent{ObjectGone{5}}, DialogueEvent{WatchEnded{5, std::nullopt}},
        DialogueEvent{ObjectSeen{0, nullptr}}}) {
    EXPECT_FALSE(machine.resume(event, now).finish);
  }
}

TEST(ClaimFaults, survives_answers_that_make_no_sense) {
  for (const std::string body : {"", "null", "[]", "{\"metadata\":5}", "not json"}) {
    ClaimWorld world(true);
    ClaimMachine machine(world.wish, {}, world.start);
    const Now now{world.start, {}};
    ClaimStep step = machine.resume(Woken{}, now);
    ASSERT_EQ(step.send.size(), 1U);
    kube::Response response{.status = 200, .body = body, .retry_after_s = 0, .date = {}};
    step = machine.resume(Answered{step.send[0].id, response}, now);
    EXPECT_TRUE(step.finish || !step.send.empty());
  }
}

}  // namespace
}  // namespace konductor::kondctl::test
