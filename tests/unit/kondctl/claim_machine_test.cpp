#include "claim_world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>

namespace konductor::kondctl::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

json old_claim(const std::string& phase, int size = 1) {
  json claim = {{"metadata", {{"name", "q-1"}, {"namespace", "team"}, {"uid", "u-old"}, {"resourceVersion", "50"}}},
                {"spec", {{"widget", "q"}, {"size", size}, {"wait", true}, {"requestedAt", "2020-01-01T00:00:00Z"}}}};
  if (!phase.empty()) claim["status"] = {{"phase", phase}, {"token", 6001}, {"ttl", "5m"}};
  return claim;
}

TEST(ClaimMachine, creates_and_watches_until_granted) {
  ClaimWorld world(true);
  world.on_created = [](ClaimWorld& w) {
    w.set_waiting("Waiting", "3 of 3 are held");
    w.at(seconds{20}, [](ClaimWorld& later) { later.grant(); });
  };
  const ClaimOutcome outcome = world.run();
  EXPECT_EQ(outcome.code, ExitCode::done) << outcome.message;
  ASSERT_TRUE(outcome.grant);
  EXPECT_EQ(outcome.grant->token, 7001);
  EXPECT_EQ(outcome.grant->ttl, std::chrono::minutes{5});
  EXPECT_FALSE(outcome.grant->adopted);
  EXPECT_THAT(world.sent, ElementsAre("GET widgets", "POST tickets"));
  EXPECT_THAT(world.notes, Contains(HasSubstr("3 of 3 are held")));
  EXPECT_LT(world.elapsed(), seconds{21});
}

TEST(ClaimMachine, names_its_pod_as_owner) {
  ClaimWorld world(true, true);
  EXPECT_EQ(world.run().code, ExitCode::done);
  const json& owner = world.claim["metadata"]["ownerReferences"][0];
  EXPECT_EQ(owner["kind"], "Pod");
  EXPECT_EQ(owner["uid"], "u-pod");
  EXPECT_EQ(owner["controller"], false);
  EXPECT_EQ(owner["blockOwnerDeletion"], false);
  EXPECT_EQ(world.claim["spec"]["pod"]["uid"], "u-pod");
}

TEST(ClaimMachine, asks_for_nothing_when_there_is_no_such_primitive) {
  for (const bool wait : {false, true}) {
    ClaimWorld world(wait);
    world.primitive = nullptr;
    const ClaimOutcome outcome = world.run();
    EXPECT_EQ(outcome.code, ExitCode::no_such_object);
    EXPECT_THAT(outcome.message, HasSubstr("widget team/q does not exist"));
    EXPECT_THAT(world.sent, ElementsAre("GET widgets"));
    EXPECT_LT(world.elapsed(), seconds{1});
  }
}

TEST(ClaimMachine, says_how_to_install_when_the_type_is_not_served) {
  ClaimWorld world(true);
  world.refusals["GET"] = {{"kind", "Status"},
                           {"code", 404},
                           {"reason", "NotFound"},
                           {"message", "the server could not find the requested resource"},
                           {"details", json::object()}};
  const ClaimOutcome outcome = world.run();
  EXPECT_EQ(outcome.code, ExitCode::failed);
  EXPECT_THAT(outcome.message, HasSubstr("konductor manifests | kubectl apply --server-side -f -"));
}

TEST(ClaimMachine, keeps_the_words_of_the_server_when_it_is_forbidden) {
  ClaimWorld world(true);
  world.refusals["POST"] = status_of(403, "Forbidden", "User \"u\" cannot create resource \"tickets\"");
  const ClaimOutcome outcome = world.run();
  EXPECT_EQ(outcome.code, ExitCode::refused);
  EXPECT_THAT(outcome.message, HasSubstr("cannot create resource \"tickets\""));
  EXPECT_TRUE(world.claim.is_null());
}

TEST(ClaimMachine, tells_not_now_from_never) {
  struct Case {
    std::string reason;
    ExitCode code;
  };
  for (const Case& one : {Case{"Unavailable", ExitCode::not_available}, Case{"ExceedsLimit", ExitCode::refused},
                          Case{"NotAllowed", ExitCode::refused}}) {
    ClaimWorld world(false);
    world.on_created = [&one](ClaimWorld& w) {
      w.set_waiting(one.reason, "in words");
      w.set_status({{"phase", "Denied"}});
    };
    const ClaimOutcome outcome = world.run();
    EXPECT_EQ(outcome.code, one.code) << one.reason;
    EXPECT_THAT(outcome.message, HasSubstr("in words")) << one.reason;
  }
}

TEST(ClaimMachine, withdraws_a_waiting_claim_that_exceeds_the_limit) {
  ClaimWorld world(true);
  world.on_created = [](ClaimWorld& w) { w.set_waiting("ExceedsLimit", "asks for 9 of 3"); };
  const ClaimOutcome outcome = world.run();
  EXPECT_EQ(outcome.code, ExitCode::refused);
  EXPECT_EQ(outcome.message,
            "widget team/q can't grant this: asks for 9 of 3; ask for less, or have the limit raised first; the claim "
            "is withdrawn");
  EXPECT_TRUE(world.claim.is_null());
}

TEST(ClaimMachine, says_the_same_of_a_claim_that_was_denied_because_it_exceeds_the_limit) {
  ClaimWorld world(false);
  world.on_created = [](ClaimWorld& w) {
    w.set_waiting("ExceedsLimit", "asks for 9 of 3");
    w.set_status({{"phase", "Denied"}});
  };
  EXPECT_EQ(world.run().message,
            "widget team/q refused the claim: asks for 9 of 3; ask for less, or have the limit raised first");
}

TEST(ClaimMachine, tells_each_new_reason_for_which_it_waits_once) {
  ClaimWorld world(true);
  world.settings.progress_every = seconds{1};
  world.settings.progress_again = false;
  world.on_created = [](ClaimWorld& w) {
    w.set_waiting("Waiting", "its turn has not come");
    w.at(seconds{1}, [](ClaimWorld& x) { x.set_waiting("Waiting", "its turn has still not come"); });
    w.at(seconds{2}, [](ClaimWorld& x) { x.set_waiting("WidgetNotFound", "there is no widget team/q"); });
    w.at(seconds{3}, [](ClaimWorld& x) { x.grant(); });
  };
  EXPECT_EQ(world.run().code, ExitCode::done);
  EXPECT_THAT(world.notes, ElementsAre("waiting for widget team/q: its turn has not come",
                                       "waiting for widget team/q: its turn has still not come",
                                       "there is no widget team/q; waiting for it to be created"));
}

TEST(ClaimMachine, says_once_a_minute_that_it_still_waits) {
  ClaimWorld world(true);
  world.on_created = [](ClaimWorld& w) {
    w.set_waiting("Waiting", "its turn has not come");
    w.at(seconds{150}, [](ClaimWorld& x) { x.grant(); });
  };
  EXPECT_EQ(world.run().code, ExitCode::done);
  EXPECT_THAT(world.notes, ElementsAre("waiting for widget team/q: its turn has not come",
                                       "waiting for widget team/q: its turn has not come (for 1m so far)",
                                       "waiting for widget team/q: its turn has not come (for 2m so far)"));
}

TEST(ClaimMachine, asks_for_its_place_in_line_where_somebody_wants_to_know) {
  ClaimWorld world(true);
  world.settings.progress_every = seconds{1};
  world.settings.progress_again = false;
  std::vector<std::string> uids;
  world.settings.place_in_line = [&uids](const json& primitive, const json& claims, const std::string& uid) {
    EXPECT_EQ(primitive["metadata"]["uid"], "u-q");
    EXPECT_EQ(claims["items"][0]["metadata"]["uid"], uid);
    uids.push_back(uid);
    return std::to_string(4 - uids.size()) + " of 3 in line";
  };
  world.on_created = [](ClaimWorld& w) {
    w.set_waiting("Waiting", "its turn has not come");
    w.at(seconds{12}, [](ClaimWorld& x) { x.grant(); });
  };
  EXPECT_EQ(world.run().code, ExitCode::done);
  EXPECT_THAT(world.notes, ElementsAre("waiting for widget team/q: its turn has not come",
                                       "waiting for widget team/q: its turn has not come; 3 of 3 in line",
                                       "waiting for widget team/q: its turn has not come; 2 of 3 in line",
                                       "waiting for widget team/q: its turn has not come; 1 of 3 in line"));
  EXPECT_EQ(std::ranges::count(world.sent, "LIST tickets"), 3);
}

TEST(ClaimMachine, waits_without_its_place_where_it_may_not_list) {
  ClaimWorld world(true);
  world.settings.place_in_line = [](const json&, const json&, const std::string&) { return "never"; };
  world.refusals["LIST tickets"] = status_of(403, "Forbidden", "no");
  world.on_created = [](ClaimWorld& w) {
    w.set_waiting("Waiting", "its turn has not come");
    w.at(seconds{30}, [](ClaimWorld& x) { x.grant(); });
  };
  EXPECT_EQ(world.run().code, ExitCode::done);
  EXPECT_EQ(std::ranges::count(world.sent, "LIST tickets"), 1);
  EXPECT_THAT(world.notes, ElementsAre("waiting for widget team/q: its turn has not come"));
}

TEST(ClaimMachine, waits_while_paused) {
  ClaimWorld world(true);
  world.on_created = [](ClaimWorld& w) {
    w.set_waiting("Paused", "the limit is 0");
    w.at(seconds{30}, [](ClaimWorld& later) { later.grant(); });
  };
  EXPECT_EQ(world.run().code, ExitCode::done);
}

TEST(ClaimMachine, fails_when_the_claim_ends_while_it_waits) {
  for (const std::string phase : {"Expired", "Revoked"}) {
    ClaimWorld world(true);
    world.on_created = [&phase](ClaimWorld& w) { w.set_status({{"phase", phase}}); };
    const ClaimOutcome outcome = world.run();
    EXPECT_EQ(outcome.code, ExitCode::refused);
    EXPECT_THAT(outcome.message, HasSubstr(phase));
  }
}

json expired_for_silence() {
  return {
      {"phase", "Expired"},
      {"conditions", {{{"type", "Granted"}, {"status", "False"}, {"reason", "TTLExpired"}, {"message", "silent"}}}}};
}

TEST(ClaimMachine, asks_anew_when_the_claim_expired_for_silence_while_it_waits) {
  ClaimWorld world(true);
  bool was_cut_off = false;
  world.on_created = [&was_cut_off](ClaimWorld& w) {
    if (std::exchange(was_cut_off, true)) return w.grant();
    w.at(seconds{100}, [](ClaimWorld& later) { later.set_status(expired_for_silence()); });
  };
  const ClaimOutcome outcome = world.run();
  EXPECT_EQ(outcome.code, ExitCode::done) << outcome.message;
  EXPECT_EQ(std::count(world.sent.begin(), world.sent.end(), "POST tickets"), 2);
  EXPECT_THAT(world.notes, testing::Contains(HasSubstr("lost its place")));
}

TEST(ClaimMachine, asks_anew_while_an_answer_about_the_expired_claim_is_under_way) {
  ClaimWorld world(true, true);
  bool was_cut_off = false;
  world.on_created = [&was_cut_off](ClaimWorld& w) {
    if (std::exchange(was_cut_off, true)) return w.grant();
    // So late after the create that it renews before it believes it; the end overtakes that answer.
    w.at(std::chrono::minutes{8}, [](ClaimWorld& later) {
      later.grant();
      later.at(milliseconds{1}, [](ClaimWorld& w2) { w2.set_status(expired_for_silence()); });
    });
  };
  const ClaimOutcome outcome = world.run();
  EXPECT_EQ(outcome.code, ExitCode::done) << outcome.message;
  EXPECT_EQ(std::count(world.sent.begin(), world.sent.end(), "POST tickets"), 2);
}

TEST(ClaimMachine, asks_only_once_without_wait) {
  ClaimWorld world(false);
  world.on_created = [](ClaimWorld& w) { w.set_status(expired_for_silence()); };
  EXPECT_EQ(world.run().code, ExitCode::refused);
  EXPECT_EQ(std::count(world.sent.begin(), world.sent.end(), "POST tickets"), 1);
}

TEST(ClaimMachine, fails_when_somebody_deletes_the_claim) {
  ClaimWorld world(true);
  world.on_created = [](ClaimWorld& w) { w.delete_claim(); };
  const ClaimOutcome outcome = world.run();
  EXPECT_EQ(outcome.code, ExitCode::failed);
  EXPECT_THAT(outcome.message, HasSubstr("somebody deleted"));
}

TEST(ClaimMachine, replaces_a_terminal_claim_of_the_same_name) {
  for (const std::string phase : {"Denied", "Expired", "Revoked"}) {
    ClaimWorld world(true);
    world.claim = old_claim(phase);
    const ClaimOutcome outcome = world.run();
    EXPECT_EQ(outcome.code, ExitCode::done) << phase << outcome.message;
    EXPECT_THAT(world.sent,
                ElementsAre("GET widgets", "POST tickets", "GET tickets", "DELETE tickets", "POST tickets"));
    EXPECT_EQ(world.bodies[3]["preconditions"]["uid"], "u-old");
    EXPECT_EQ(world.bodies[3]["preconditions"]["resourceVersion"], "50");
    EXPECT_NE(world.claim["metadata"]["uid"], "u-old");
  }
}

TEST(ClaimMachine, adopts_a_claim_of_an_earlier_life_and_renews_before_it_says_so) {
  ClaimWorld world(true);
  world.claim = old_claim("Granted");
  const ClaimOutcome outcome = world.run();
  EXPECT_EQ(outcome.code, ExitCode::done) << outcome.message;
  ASSERT_TRUE(outcome.grant);
  EXPECT_TRUE(outcome.grant->adopted);
  EXPECT_EQ(outcome.grant->token, 6001);
  EXPECT_EQ(outcome.grant->uid, "u-old");
  EXPECT_THAT(world.sent, Contains("PATCH tickets"));
  EXPECT_TRUE(world.claim["spec"].contains("renewTime"));
}

TEST(ClaimMachine, adopts_a_waiting_claim_and_keeps_its_turn) {
  ClaimWorld world(true, true);
  world.claim = old_claim("Pending");
  world.claim["spec"]["pod"] = {{"name", "pod-1"}, {"uid", "u-pod"}};
  world.at(seconds{3}, [](ClaimWorld& w) { w.grant(); });
  const ClaimOutcome outcome = world.run();
  EXPECT_EQ(outcome.code, ExitCode::done) << outcome.message;
  EXPECT_EQ(world.claim["metadata"]["uid"], "u-old");
}

TEST(ClaimMachine, does_not_adopt_what_asks_for_something_else) {
  ClaimWorld held(true);
  held.claim = old_claim("Granted", 4);
  const ClaimOutcome outcome = held.run();
  EXPECT_EQ(outcome.code, ExitCode::failed);
  EXPECT_THAT(outcome.message, HasSubstr("spec.size"));
  EXPECT_TRUE(held.holds());

  ClaimWorld waiting(true);
  waiting.claim = old_claim("Pending", 4);
  EXPECT_EQ(waiting.run().code, ExitCode::done);
  EXPECT_NE(waiting.claim["metadata"]["uid"], "u-old");
}

TEST(ClaimMachine, waits_for_a_claim_that_is_being_deleted_to_go) {
  ClaimWorld world(true);
  world.claim = old_claim("Granted");
  world.claim["metadata"]["deletionTimestamp"] = "2024-01-01T00:00:00Z";
  world.at(seconds{2}, [](ClaimWorld& w) { w.delete_claim(); });
  const ClaimOutcome outcome = world.run();
  EXPECT_EQ(outcome.code, ExitCode::done) << outcome.message;
  EXPECT_GE(world.elapsed(), seconds{2});
}

TEST(ClaimMachine, asks_again_after_an_adopted_claim_was_revoked) {
  ClaimWorld world(true);
  world.claim = old_claim("Revoking");
  world.at(seconds{2}, [](ClaimWorld& w) { w.set_status({{"phase", "Revoked"}}); });
  const ClaimOutcome outcome = world.run();
  EXPECT_EQ(outcome.code, ExitCode::done) << outcome.message;
  EXPECT_NE(world.claim["metadata"]["uid"], "u-old");
}

TEST(ClaimMachine, polls_where_it_may_not_watch) {
  ClaimWorld world(true);
  world.watch_forbidden = true;
  world.on_created = [](ClaimWorld& w) { w.at(seconds{60}, [](ClaimWorld& later) { later.grant(); }); };
  EXPECT_EQ(world.run().code, ExitCode::done);
  EXPECT_LT(world.elapsed(), seconds{66});
  EXPECT_LT(world.sent.size(), 40U);
}

TEST(ClaimMachine, renews_at_a_third_of_the_ttl_while_it_waits_outside_of_pods) {
  ClaimWorld world(true);
  world.wish.ttl = seconds{30};
  world.on_created = [](ClaimWorld& w) { w.at(seconds{95}, [](ClaimWorld& later) { later.grant(); }); };
  EXPECT_EQ(world.run().code, ExitCode::done);
  EXPECT_EQ(std::count(world.sent.begin(), world.sent.end(), "PATCH tickets"), 9);
}

// A patch that changes nothing is no sign of life.
TEST(ClaimMachine, renews_with_another_time_each_time_even_if_the_clock_of_the_server_stands) {
  ClaimWorld world(true);
  world.wish.ttl = seconds{30};
  world.clock_stands = true;
  world.on_created = [](ClaimWorld& w) { w.at(seconds{95}, [](ClaimWorld& later) { later.grant(); }); };
  EXPECT_EQ(world.run().code, ExitCode::done);
  std::set<std::string> times;
  std::size_t renewals = 0;
  for (const json& body : world.bodies) {
    if (!body.is_object() || !body.contains(json::json_pointer("/spec/renewTime"))) continue;
    times.insert(body["spec"]["renewTime"]);
    ++renewals;
  }
  EXPECT_EQ(renewals, 9U);
  EXPECT_EQ(times.size(), renewals);
}

TEST(ClaimMachine, renews_nothing_while_it_waits_in_a_pod) {
  ClaimWorld world(true, true);
  world.on_created = [](ClaimWorld& w) { w.at(seconds{80}, [](ClaimWorld& later) { later.grant(); }); };
  EXPECT_EQ(world.run().code, ExitCode::done);
  EXPECT_THAT(world.sent, testing::Not(Contains("PATCH tickets")));
}

// The holder counts from its last request that showed it not granted: the create, 200 s before, is too old for a TTL of
// five minutes.
TEST(ClaimMachine, renews_before_it_reports_a_grant_that_may_be_old) {
  ClaimWorld world(true, true);
  world.on_created = [](ClaimWorld& w) { w.at(seconds{200}, [](ClaimWorld& later) { later.grant(); }); };
  const ClaimOutcome outcome = world.run();
  EXPECT_EQ(outcome.code, ExitCode::done);
  EXPECT_EQ(world.sent.back(), "PATCH tickets");
  ASSERT_TRUE(outcome.grant);
  EXPECT_GE(outcome.grant->lost_at, world.start + seconds{200} + std::chrono::minutes{5});
  EXPECT_LE(outcome.grant->lost_at, world.now() + std::chrono::minutes{5});
}

TEST(ClaimMachine, counts_the_deadline_of_a_fresh_grant_from_its_create) {
  ClaimWorld world(true, true);
  const ClaimOutcome outcome = world.run();
  ASSERT_TRUE(outcome.grant);
  EXPECT_THAT(world.sent, testing::Not(Contains("PATCH tickets")));
  EXPECT_LE(outcome.grant->lost_at, world.start + milliseconds{2} + std::chrono::minutes{5});
}

// Of the server's time a process knows the Date of one answer: an earlier life may have asked at the very same time.
TEST(ClaimMachine, renews_before_it_reports_a_grant_that_an_earlier_life_may_have_asked_for) {
  ClaimWorld world(true, true);
  world.on_created = [](ClaimWorld& w) { w.grant(); };
  world.faults[1] = ClaimWorld::Fault::answer_lost;
  const ClaimOutcome outcome = world.run();
  ASSERT_TRUE(outcome.grant) << outcome.message;
  EXPECT_THAT(world.sent, ElementsAre("GET widgets", "POST tickets", "POST tickets", "GET tickets", "PATCH tickets"));
  EXPECT_GE(outcome.grant->lost_at, world.start + std::chrono::minutes{5} + milliseconds{100});
}

TEST(ClaimMachine, does_not_take_for_its_own_what_was_there_before_its_first_create) {
  ClaimWorld earlier(true, true);
  earlier.on_created = [](ClaimWorld& w) { w.grant(); };
  earlier.run();
  ClaimWorld world(true, true);
  world.claim = earlier.claim;  // asked for at the very same time of the server
  world.claim["status"]["phase"] = "Expired";
  world.on_created = [](ClaimWorld& w) { w.grant(); };
  const ClaimOutcome outcome = world.run();
  EXPECT_TRUE(outcome.grant) << outcome.message;
}

TEST(ClaimMachine, does_not_report_a_grant_that_is_over_when_it_renews) {
  ClaimWorld world(true, true);
  world.on_created = [](ClaimWorld& w) {
    w.at(seconds{200}, [](ClaimWorld& later) {
      later.grant();
      later.claim["status"]["phase"] = "Expired";  // the watch has not said it yet
    });
  };
  const ClaimOutcome outcome = world.run();
  EXPECT_EQ(outcome.code, ExitCode::refused);
  EXPECT_FALSE(outcome.grant);
}

}  // namespace
}  // namespace konductor::kondctl::test
