#include "tests/sim/round_oracle.hpp"

#include "kube/request.hpp"
#include "kube/time.hpp"
#include "tests/sim/world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>

namespace konductor::sim {
namespace {

using Json = nlohmann::json;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const kube::NamespacedName hike{"ns", "hike"};

/// Of a kind that is nowhere else.
RoundsKind hikes() {
  RoundsKind kind;
  kind.declaration.names = {"Hike", "hikes", "hike", ""};
  kind.declaration.claim = {"Hiker", "hikers", "hiker", ""};
  kind.declaration.primitive_field = "hike";
  kind.declaration.participant_field = "who";
  kind.declaration.wait = {"Off", "CalledOff", "again", "stage", "lastStage"};
  kind.rules = [](const Json& spec) {
    RoundRules rules;
    rules.expected = spec.at("party").get<std::int64_t>();
    if (spec.contains("enough")) rules.quorum = spec.at("enough").get<std::int64_t>();
    rules.at_timeout = spec.value("late", false);
    if (spec.contains("patience")) rules.timeout = seconds{spec.at("patience").get<std::int64_t>()};
    rules.reusable = spec.value("again", false);
    return rules;
  };
  return kind;
}

/// Plays users and an operator by hand, so that each promise can be broken on purpose.
class RoundOracleOnAHike : public testing::Test {
 protected:
  RoundOracleOnAHike() {
    world.serve(kind.declaration, {});
    world.api().observe([this](const Commit& commit) { oracle.on_commit(commit); });
  }

  void make(Json spec) {
    world.command("user", kube::create(kind.declaration.primitive_resource(), "ns",
                                       {{"apiVersion", "sync.konductor.io/v1"},
                                        {"kind", "Hike"},
                                        {"metadata", {{"name", "hike"}, {"namespace", "ns"}}},
                                        {"spec", std::move(spec)}}));
  }
  void edit(const Json& spec) {
    world.command("user", kube::merge_patch(kind.declaration.primitive_resource(), hike, {{"spec", spec}}));
  }
  void advance(Duration by) { world.step(world.elapsed() + by); }
  /// Who is named by himself, or else in Pod `pod-CLAIM`, of whom it is still to be found out.
  void come(const std::string& claim, const std::string& who, Json spec = Json::object(), bool named = true) {
    oracle.expect(claim, who);
    const auto made = world.api().find(kind.declaration.primitive_resource(), hike);
    spec["hike"] = "hike";
    spec["requestedAt"] = kube::to_rfc3339_micro(world.wall());
    if (named) spec["who"] = who;
    if (!named) spec["pod"] = {{"name", "pod-" + claim}, {"uid", "uid-" + claim}};
    Json object = {{"apiVersion", "sync.konductor.io/v1"},
                   {"kind", "Hiker"},
                   {"metadata", {{"name", claim}, {"namespace", "ns"}}},
                   {"spec", std::move(spec)}};
    object["metadata"]["ownerReferences"] = Json::array({{{"apiVersion", "sync.konductor.io/v1"},
                                                          {"kind", "Hike"},
                                                          {"name", "hike"},
                                                          {"uid", (*made)["metadata"]["uid"]}}});
    world.command("pod", kube::create(kind.declaration.claim_resource(), "ns", object));
  }
  void take_for(const std::string& claim, const std::string& who) {
    world.command("operator-0", kube::merge_patch(kind.declaration.claim_resource(), {"ns", claim},
                                                  {{"status", {{"participant", who}}}}, "status"));
  }
  void leave(const std::string& claim, const std::string& actor = "user") {
    world.command(actor, kube::delete_object(kind.declaration.claim_resource(), {"ns", claim}, {}));
  }
  /// The operator writes a status that is sound in itself.
  void show(const std::string& phase, std::int64_t arrived, Json more = Json::object()) {
    const std::int64_t round = more.value("round", 1);
    Json status = {{"phase", phase}, {"arrived", arrived}, {"round", round}, {"deadline", nullptr}};
    status["lastStage"] = phase == "Off" ? round : round - 1;
    status["conditions"] = Json::array({{{"type", "Off"}, {"status", phase == "Off" ? "True" : "False"}},
                                        {{"type", "CalledOff"}, {"status", phase == "CalledOff" ? "True" : "False"}}});
    status.merge_patch(more);
    world.command("operator-0",
                  kube::merge_patch(kind.declaration.primitive_resource(), hike, {{"status", status}}, "status"));
  }
  /// So long from now, in the whole second after it.
  [[nodiscard]] Json deadline(Duration in) const {
    const auto at = std::chrono::ceil<seconds>((world.wall() + in).time_since_epoch());
    return {{"deadline", kube::to_rfc3339(kube::WallTime{at})}};
  }
  void expect(const std::string& what) const { EXPECT_THAT(oracle.violations(), testing::Contains(HasSubstr(what))); }

  RoundsKind kind = hikes();
  World world{1};
  RoundOracle oracle{kind};
};

TEST_F(RoundOracleOnAHike, finds_nothing_where_all_is_well) {
  make({{"party", 2}, {"patience", 9}, {"again", true}});
  come("ann", "ann", {{"stage", 1}});
  show("Gathers", 1, deadline(seconds{9}));
  advance(seconds{2});
  come("bob", "bob", {{"stage", 1}}, false);
  take_for("bob", "bob");
  come("ann-2", "ann", {{"stage", 2}});
  show("Off", 2);
  advance(seconds{1});
  show("Gathers", 1, {{"round", 2}, {"deadline", deadline(seconds{8})["deadline"]}});
  leave("bob", "operator-0");
  advance(seconds{9});
  show("CalledOff", 1, {{"round", 2}});
  oracle.check_rest();
  EXPECT_THAT(oracle.violations(), IsEmpty());
  EXPECT_EQ(oracle.opened(), 1U);
  EXPECT_EQ(oracle.failed(), 1U);
}

TEST_F(RoundOracleOnAHike, finds_nothing_where_a_round_begins_and_fails_by_one_write) {
  make({{"party", 2}, {"patience", 2}, {"again", true}});
  come("ann", "ann", {{"stage", 1}});
  come("bob", "bob", {{"stage", 1}});
  show("Off", 2);
  come("ann-2", "ann", {{"stage", 2}});
  advance(seconds{5});
  show("CalledOff", 1, {{"round", 2}});
  EXPECT_THAT(oracle.violations(), IsEmpty());
}

TEST_F(RoundOracleOnAHike, finds_that_it_opens_early) {
  make({{"party", 2}});
  come("ann", "ann");
  show("Off", 1);
  EXPECT_THAT(oracle.violations(), ElementsAre(HasSubstr("it opens when 1 of 2 came")));
}

TEST_F(RoundOracleOnAHike, finds_a_retry_that_counts_twice) {
  make({{"party", 2}});
  come("ann", "ann");
  come("ann-again", "ann");
  show("Gathers", 2);
  expect("it counts 2 of 1 that came");
  show("Off", 2);
  expect("it opens when 1 of 2 came");
}

TEST_F(RoundOracleOnAHike, finds_who_is_counted_before_it_is_written_down_who_he_is) {
  make({{"party", 1}});
  come("ann", "ann", Json::object(), false);
  show("Off", 1);
  expect("it opens when 0 of 1 came");
}

TEST_F(RoundOracleOnAHike, finds_who_is_taken_for_another) {
  make({{"party", 3}});
  come("ann", "ann", Json::object(), false);
  take_for("ann", "uid-ann");  // his Pod is there still
  expect("ann is taken for uid-ann and is ann");
}

TEST_F(RoundOracleOnAHike, finds_that_it_counts_those_who_were_never_there_at_once) {
  make({{"party", 2}});
  come("ann", "ann");
  leave("ann");
  come("bob", "bob");
  show("Off", 2);
  expect("it opens when 1 of 2 came");
}

TEST_F(RoundOracleOnAHike, finds_who_came_for_another_round) {
  make({{"party", 2}, {"again", true}});
  come("ann", "ann", {{"stage", 2}});
  come("bob", "bob", {{"stage", 1}});
  come("cid", "cid");  // for none
  show("Off", 2);
  expect("it opens when 1 of 2 came");
}

TEST_F(RoundOracleOnAHike, finds_that_it_is_open_no_longer) {
  make({{"party", 1}});
  come("ann", "ann");
  show("Off", 1);
  leave("ann");
  show("Gathers", 0);
  expect("it is open no longer");
  expect("a round that opened did not");
  expect("who waits for round 1 has another answer");
}

TEST_F(RoundOracleOnAHike, finds_that_it_fails_no_longer) {
  make({{"party", 2}, {"patience", 2}});
  come("ann", "ann");
  advance(seconds{3});
  show("CalledOff", 1);
  come("bob", "bob");
  show("Off", 2);
  expect("it fails no longer");
  expect("who waits for round 1 has another answer");
}

TEST_F(RoundOracleOnAHike, finds_two_rounds_that_open_at_one_stroke) {
  make({{"party", 1}, {"again", true}});
  come("ann", "ann", {{"stage", 1}});
  come("ann-2", "ann", {{"stage", 2}});
  show("Off", 1, {{"round", 2}});
  expect("two rounds open at one stroke");
}

TEST_F(RoundOracleOnAHike, finds_a_second_round_where_there_is_one) {
  make({{"party", 1}});
  come("ann", "ann");
  show("Off", 1);
  show("Gathers", 0, {{"round", 2}});
  expect("it goes to round 2 from 1");
}

TEST_F(RoundOracleOnAHike, finds_an_answer_to_who_waits_that_no_opening_gave) {
  make({{"party", 2}, {"again", true}});
  come("ann", "ann", {{"stage", 1}});
  show("Gathers", 1, {{"lastStage", 1}});
  expect("do not fit");
}

TEST_F(RoundOracleOnAHike, finds_a_phase_without_its_condition) {
  make({{"party", 1}});
  come("ann", "ann");
  show("Off", 1, {{"conditions", Json::array()}});
  expect("the condition Off and the phase do not fit");
}

TEST_F(RoundOracleOnAHike, finds_that_it_fails_before_its_time_is_over) {
  make({{"party", 2}, {"patience", 9}});
  come("ann", "ann");
  advance(seconds{6});
  show("CalledOff", 1);
  expect("it fails before its time is over");
}

TEST_F(RoundOracleOnAHike, finds_that_it_fails_without_a_timeout) {
  make({{"party", 2}});
  come("ann", "ann");
  show("CalledOff", 1);
  expect("it fails without a timeout");
}

TEST_F(RoundOracleOnAHike, finds_that_it_fails_although_all_came_in_time) {
  make({{"party", 2}, {"patience", 9}});
  come("ann", "ann");
  show("Gathers", 1, deadline(seconds{9}));
  advance(seconds{7});
  come("bob", "bob", Json::object(), false);  // nobody has asked yet who that is
  advance(seconds{5});
  show("CalledOff", 1);
  expect("it fails although 2 of 2 came in time");
}

TEST_F(RoundOracleOnAHike, finds_that_it_fails_although_enough_came_in_time) {
  make({{"party", 3}, {"patience", 9}, {"enough", 1}, {"late", true}});
  come("ann", "ann");
  advance(seconds{10});
  show("CalledOff", 1);
  expect("it fails although 1 of 1 came in time");
}

TEST_F(RoundOracleOnAHike, finds_who_counts_although_he_came_too_late) {
  make({{"party", 2}, {"patience", 3}});
  come("ann", "ann");
  show("Gathers", 1, deadline(seconds{3}));
  advance(seconds{5});
  come("bob", "bob");
  show("Off", 2);
  expect("it opens when 1 of 2 came in time");
}

TEST_F(RoundOracleOnAHike, finds_a_quorum_that_opens_it_before_the_time_is_over) {
  make({{"party", 2}, {"patience", 9}, {"enough", 1}, {"late", true}});
  come("ann", "ann");
  show("Gathers", 1, deadline(seconds{9}));
  advance(seconds{3});
  show("Off", 1);
  expect("it opens by its quorum before the time is over");
}

TEST_F(RoundOracleOnAHike, goes_by_the_spec_that_the_writer_saw) {
  make({{"party", 3}});
  come("ann", "ann");
  edit({{"party", 1}});
  show("Off", 1);
  EXPECT_THAT(oracle.violations(), IsEmpty());
}

TEST_F(RoundOracleOnAHike, finds_a_deadline_from_when_somebody_was_seen) {
  make({{"party", 2}, {"patience", 9}});
  come("ann", "ann");
  advance(seconds{3});
  show("Gathers", 1, deadline(seconds{9}));
  expect("its deadline is not the timeout after somebody came");
}

TEST_F(RoundOracleOnAHike, finds_a_deadline_that_moves) {
  make({{"party", 3}, {"patience", 9}});
  come("ann", "ann");
  show("Gathers", 1, deadline(seconds{9}));
  advance(seconds{3});
  come("bob", "bob");
  show("Gathers", 2, deadline(seconds{9}));
  expect("its deadline moves");
}

TEST_F(RoundOracleOnAHike, finds_that_who_is_ahead_takes_time_from_the_others) {
  make({{"party", 2}, {"patience", 9}, {"again", true}});
  come("ann-2", "ann", {{"stage", 2}});
  const auto early = deadline(seconds{9});
  come("ann", "ann", {{"stage", 1}});
  advance(seconds{5});
  come("bob", "bob", {{"stage", 1}});
  show("Off", 2);
  show("Gathers", 1, {{"round", 2}, {"deadline", early["deadline"]}});
  expect("its deadline is too early");
}

TEST_F(RoundOracleOnAHike, finds_that_what_is_to_be_counted_is_deleted) {
  make({{"party", 2}});
  come("ann", "ann");
  leave("ann", "operator-0");
  expect("ann is deleted, and its round is not over");
}

TEST_F(RoundOracleOnAHike, at_rest_finds_that_it_is_not_open) {
  make({{"party", 2}});
  come("ann", "ann");
  come("bob", "bob");
  show("Gathers", 2);
  oracle.check_rest();
  expect("at rest, not open though 2 of 2 are there");
}

TEST_F(RoundOracleOnAHike, at_rest_finds_that_nothing_was_decided_when_its_time_was_over) {
  make({{"party", 2}, {"patience", 3}});
  come("ann", "ann");
  show("Gathers", 1, deadline(seconds{3}));
  oracle.check_rest();
  expect("at rest, neither open nor failed");
}

TEST_F(RoundOracleOnAHike, at_rest_finds_a_count_that_is_too_low) {
  make({{"party", 3}});
  come("ann", "ann");
  come("bob", "bob");
  show("Gathers", 1);
  oracle.check_rest();
  expect("at rest, it counts 1 of 2");
}

TEST_F(RoundOracleOnAHike, at_rest_finds_who_is_still_unknown) {
  make({{"party", 1}});
  come("ann", "ann", Json::object(), false);
  oracle.check_rest();
  expect("at rest, nobody knows who somebody is");
}

TEST_F(RoundOracleOnAHike, at_rest_finds_a_round_that_does_not_begin) {
  make({{"party", 1}, {"again", true}});
  come("ann", "ann", {{"stage", 1}});
  show("Off", 1);
  come("ann-2", "ann", {{"stage", 2}});
  oracle.check_rest();
  expect("it does not begin");
}

}  // namespace
}  // namespace konductor::sim
