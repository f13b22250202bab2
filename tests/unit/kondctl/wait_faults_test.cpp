#include "wait_world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace konductor::kondctl::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Do = WaitWorld::Do;
using Fault = WaitWorld::Fault;

constexpr int most_requests = 8;

// One that looks up, creates, finds a claim of a former life, looks again, deletes, creates, checks, and is served.
void make_eventful(WaitWorld& world) {
  world.guest = {
      {"metadata",
       {{"name", "p-1"},
        {"namespace", "team"},
        {"uid", "u-old"},
        {"resourceVersion", "50"},
        {"ownerReferences",
         json::array({{{"apiVersion", "sync.konductor.io/v1"}, {"kind", "Party"}, {"name", "p"}, {"uid", "u-0"}}})}}},
      {"spec", {{"party", "p"}, {"seat", "7"}}}};
  world.set_phase("Gathering", "0 of 1");
  world.at(seconds{100}, [](WaitWorld& w) { w.set_phase("Begun", "1 of 1"); });
}

const std::vector<std::string> eventful{"LIST parties",  "POST guests", "GET guests",    "LIST parties",
                                        "DELETE guests", "POST guests", "WATCH parties", "GET guests"};

TEST(WaitFaults, the_eventful_course_has_every_request) {
  WaitWorld world(Do::join_and_wait);
  make_eventful(world);
  EXPECT_EQ(world.run().code, ExitCode::done);
  world.sent.resize(eventful.size());
  EXPECT_EQ(world.sent, eventful);
}

// Whatever is lost once, or answered by a server that is not well, it has joined once in the end and is served.
TEST(WaitFaults, joins_once_whatever_goes_wrong_for_a_while) {
  std::vector<std::function<void(WaitWorld&, int)>> troubles;
  for (const Fault fault : {Fault::request_lost, Fault::answer_lost}) {
    troubles.emplace_back([fault](WaitWorld& world, int request) { world.faults[request] = fault; });
  }
  for (const int code : {429, 500, 502, 503, 504}) {
    troubles.emplace_back([code](WaitWorld& world, int request) {
      world.answers[request] = status_of(code, code == 429 ? "TooManyRequests" : "InternalError", "not now");
    });
  }
  for (std::size_t trouble = 0; trouble < troubles.size(); ++trouble) {
    for (int request = 0; request < most_requests; ++request) {
      WaitWorld world(Do::join_and_wait);
      make_eventful(world);
      troubles[trouble](world, request);
      const WaitOutcome outcome = world.run();
      EXPECT_EQ(outcome.code, ExitCode::done) << trouble << " at " << request << ": " << outcome.message;
      ASSERT_TRUE(outcome.joined);
      EXPECT_FALSE(outcome.joined->adopted) << trouble << " at " << request;
      EXPECT_EQ(world.created(), 1);
      EXPECT_EQ(world.guest["metadata"]["uid"], outcome.joined->uid);
    }
  }
}

// What the server says for good, by the request that it says it to.
TEST(WaitFaults, ends_with_the_servers_own_words) {
  struct Case {
    int request;
    json answer;
    ExitCode code;
    std::string says;
  };
  const json forbidden = status_of(403, "Forbidden", "the role lacks it");
  const json invalid = status_of(422, "Invalid", "spec.seat: too long");
  const json nobody = status_of(401, "Unauthorized", "Unauthorized");
  const json not_served = {{"kind", "Status"},
                           {"code", 404},
                           {"reason", "NotFound"},
                           {"message", "the server could not find the requested resource"},
                           {"details", json::object()}};
  const json no_namespace = status_of(404, "NotFound", "namespaces \"team\" not found", "team");
  for (const Case& one :
       {Case{0, nobody, ExitCode::refused, "nauthorized"}, Case{0, not_served, ExitCode::failed, "konductor manifests"},
        Case{1, forbidden, ExitCode::refused, "create guests.sync.konductor.io team/p-1: forbidden"},
        Case{1, invalid, ExitCode::refused, "too long"}, Case{1, not_served, ExitCode::failed, "konductor manifests"},
        Case{1, no_namespace, ExitCode::no_such_object, "namespaces \"team\" not found"},
        Case{1, status_of(409, "Conflict", "the quota has changed"), ExitCode::refused, "the quota has changed"},
        Case{1, status_of(410, "Gone", "odd"), ExitCode::failed, "odd"},
        Case{2, forbidden, ExitCode::refused, "get guests.sync.konductor.io team/p-1: forbidden"},
        Case{4, forbidden, ExitCode::refused, "delete guests.sync.konductor.io team/p-1: forbidden"},
        Case{4, invalid, ExitCode::refused, "too long"}, Case{5, invalid, ExitCode::refused, "too long"}}) {
    WaitWorld world(Do::join_and_wait);
    make_eventful(world);
    world.answers[one.request] = one.answer;
    const WaitOutcome outcome = world.run();
    EXPECT_EQ(outcome.code, one.code) << one.request << one.answer << outcome.message;
    EXPECT_THAT(outcome.message, HasSubstr(one.says)) << one.request;
    EXPECT_LT(world.elapsed(), seconds{1}) << "at once";
  }
}

// These only mean that the world has moved on.
TEST(WaitFaults, looks_again_where_something_changed_meanwhile) {
  struct Case {
    int request;
    json answer;
  };
  for (const Case& one : {Case{2, not_found("guests \"p-1\"")}, Case{4, not_found("guests \"p-1\"")},
                          Case{4, status_of(409, "Conflict", "the precondition failed")},
                          Case{5, status_of(409, "AlreadyExists", "guests \"p-1\" already exists")},
                          Case{6, status_of(403, "Forbidden", "no get on guests")}}) {
    WaitWorld world(Do::join_and_wait);
    make_eventful(world);
    world.answers[one.request] = one.answer;
    const WaitOutcome outcome = world.run();
    EXPECT_EQ(outcome.code, ExitCode::done) << one.request << one.answer << outcome.message;
    EXPECT_EQ(world.created(), 1);
  }
}

TEST(WaitFaults, knows_its_own_claim_when_the_answer_was_lost_and_it_was_denied) {
  WaitWorld world(Do::join);
  world.faults[1] = Fault::answer_lost;
  world.on_created = [](WaitWorld& w) { w.deny_guest("NotInvited", "not on the list"); };
  EXPECT_EQ(world.run().code, ExitCode::refused);
}

TEST(WaitFaults, keeps_its_timeout_wherever_it_is) {
  for (const Fault fault : {Fault::none, Fault::request_lost, Fault::answer_lost}) {
    for (int request = 0; request < most_requests; ++request) {
      for (const milliseconds timeout : {milliseconds{1}, milliseconds{7}, milliseconds{2350}}) {
        WaitWorld world(Do::join_and_wait);
        make_eventful(world);
        world.faults[request] = fault;
        world.settings.deadline = world.start + timeout;
        EXPECT_EQ(world.run().code, ExitCode::timed_out);
        EXPECT_EQ(world.elapsed(), timeout);
      }
    }
  }
}

TEST(WaitFaults, keeps_its_timeout_without_a_server) {
  for (const Do what : {Do::wait, Do::join, Do::join_and_wait}) {
    for (const milliseconds timeout : {milliseconds{1}, milliseconds{250}, milliseconds{61'000}}) {
      WaitWorld world(what);
      world.unreachable = true;
      world.settings.deadline = world.start + timeout;
      EXPECT_EQ(world.run().code, ExitCode::timed_out);
      EXPECT_EQ(world.elapsed(), timeout);
    }
  }
}

TEST(WaitFaults, tries_for_ten_seconds_where_it_only_joins) {
  WaitWorld world(Do::join);
  world.unreachable = true;
  const WaitOutcome outcome = world.run();
  EXPECT_EQ(outcome.code, ExitCode::unreachable);
  EXPECT_EQ(world.elapsed(), seconds{10});
  EXPECT_THAT(outcome.message, HasSubstr("nothing has joined"));
}

TEST(WaitFaults, says_that_it_does_not_know_whether_it_has_joined) {
  WaitWorld world(Do::join);
  world.at(milliseconds{3}, [](WaitWorld& w) { w.unreachable = true; });
  world.faults[1] = Fault::request_lost;
  world.settings.deadline = world.start + seconds{30};
  const WaitOutcome outcome = world.run();
  EXPECT_EQ(outcome.code, ExitCode::timed_out);
  EXPECT_THAT(outcome.message, HasSubstr("whether the claim team/p-1 is there is not known"));
}

// A server that restarts is not worth a word; one that stays away is, once.
TEST(WaitFaults, says_once_that_the_server_does_not_answer_when_that_lasts) {
  struct Case {
    seconds outage;
    std::size_t notes;
  };
  for (const Case& one : {Case{seconds{1}, 0}, Case{seconds{60}, 1}}) {
    WaitWorld world(Do::wait);
    world.set_status({{"phase", "Gathering"}});
    world.at(seconds{5}, [](WaitWorld& w) {
      w.refusals["LIST parties"] = status_of(503, "ServiceUnavailable", "starting");
      w.cut_watch(Error{Errc::unavailable, "the connection was cut", 0});
    });
    world.at(seconds{5} + one.outage, [](WaitWorld& w) { w.refusals.clear(); });
    world.at(seconds{100}, [](WaitWorld& w) { w.set_phase("Begun", "3 of 3"); });
    EXPECT_EQ(world.run().code, ExitCode::done);
    EXPECT_EQ(world.notes.size(), one.notes);
    if (one.notes != 0) {
      EXPECT_THAT(world.notes, ElementsAre(HasSubstr("; trying again")));
    }
  }
}

TEST(WaitFaults, does_not_trust_objects_that_are_none) {
  for (const char* member : {"name", "uid"}) {
    const json odd = {{"metadata", {{member, 7}}}};
    WaitWorld world(Do::wait);
    world.at(seconds{1}, [&odd](WaitWorld& w) { w.change_party(odd); });
    EXPECT_EQ(world.run().code, ExitCode::failed);
  }
}

}  // namespace
}  // namespace konductor::kondctl::test
