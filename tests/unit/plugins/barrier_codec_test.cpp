#include "barrier/codec.hpp"

#include <gtest/gtest.h>

namespace konductor::barrier {
namespace {

TEST(BarrierCodec, reads_a_spec_and_ignores_what_is_not_its_own) {
  const auto plain = parse_spec(R"({"expected":10,"ttl":"10m","quorum":null,"timeout":null,"reusable":null})");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->expected, 10);
  EXPECT_FALSE(plain->quorum);
  EXPECT_FALSE(plain->timeout);
  EXPECT_FALSE(plain->at_timeout);
  EXPECT_FALSE(plain->reusable);
  const auto full =
      parse_spec(R"({"quorumPolicy":"AtTimeout","quorum":8,"timeout":"1h30m","expected":10000,"reusable":true})");
  ASSERT_TRUE(full);
  EXPECT_EQ(full->expected, most_expected);
  EXPECT_EQ(full->quorum, 8);
  EXPECT_EQ(full->timeout, 5'400'000'000);
  EXPECT_EQ(full->timeout_text, "1h30m");
  EXPECT_TRUE(full->at_timeout);
  EXPECT_TRUE(full->reusable);
  EXPECT_FALSE(parse_spec(R"({"expected":2,"quorum":2,"quorumPolicy":"Immediate"})")->at_timeout);
}

TEST(BarrierCodec, refuses_what_is_no_spec) {
  for (const char* json : {"", "{", "null", "[]", "5", "{}", R"({"expected":null})", R"({"expected":"5"})",
                           R"({"expected":0})", R"({"expected":-1})", R"({"expected":1000000000})",
                           R"({"expected":10001})", R"({"expected":2.5})", R"({"expected":5} x)"}) {
    EXPECT_FALSE(parse_spec(json)) << json;
  }
}

TEST(BarrierCodec, never_takes_what_it_cannot_read_for_absent) {
  for (const char* member :
       {R"("quorum":0)", R"("quorum":-3)", R"("quorum":6)", R"("quorum":"3")", R"("quorum":1.5)", R"("timeout":"")",
        R"("timeout":"0s")", R"("timeout":"999ms")", R"("timeout":"8761h")", R"("timeout":"-5m")",
        R"("timeout":"soon")", R"("timeout":60)", R"("quorumPolicy":"Later")", R"("quorumPolicy":true)",
        R"("quorumPolicy":"AtTimeout")", R"("quorumPolicy":"AtTimeout","quorum":3)",
        R"("quorumPolicy":"AtTimeout","timeout":"1m")", R"("reusable":1)", R"("reusable":"true")"}) {
    EXPECT_FALSE(parse_spec(std::string(R"({"expected":5,)") + member + "}")) << member;
  }
}

const State between{
    .round = 2, .opened = 2, .first = 5, .since = 7, .verdict = Standing{2, 2, "AllArrived", "2 of 2", ""}};
const State waits{.round = 3, .opened = 2, .first = 1'700'000'000'000'001, .since = {}, .verdict = {}};
const State opened{
    .round = 1, .opened = 1, .first = 5, .since = {}, .verdict = Standing{10, 10, "AllArrived", "10 of 10", ""}};
const State failed{.round = 2,
                   .opened = 1,
                   .first = 5,
                   .since = {},
                   .verdict = Standing{7, 10, "TimedOut", "a \"quoted\"\nmessage", "3, 7"}};

TEST(BarrierCodec, reads_back_every_state_that_it_writes) {
  for (const State& state : {State{}, between, waits, opened, failed}) EXPECT_EQ(parse_state(to_json(state)), state);
  EXPECT_EQ(parse_state("{}"), State{});
  EXPECT_EQ(to_json(waits), R"({"round":3,"opened":2,"first":1700000000000001})");
  EXPECT_EQ(
      to_json(opened),
      R"({"round":1,"opened":1,"first":5,"arrived":10,"expected":10,"reason":"AllArrived","message":"10 of 10"})");
  EXPECT_NE(to_json(failed).find(R"("failed":true)"), std::string::npos);
}

TEST(BarrierCodec, refuses_a_state_that_says_two_things) {
  for (const char* json : {
           "",
           "null",
           "[]",
           R"({"round":0,"opened":0})",
           R"({"round":"1","opened":0})",
           R"({"round":-9223372036854775808,"opened":0})",
           R"({"round":2147483648,"opened":2147483647})",
           R"({"round":1})",
           R"({"round":1,"opened":1})",
           R"({"round":3,"opened":1})",
           R"({"round":1,"opened":2})",
           R"({"round":1,"opened":0,"failed":true})",
           R"({"round":1,"opened":0,"first":"now"})",
           R"({"round":1,"opened":0,"first":-1})",
           R"({"round":1,"opened":0,"first":9223372036854775807})",
           R"({"round":1,"opened":0,"since":"now"})",
           R"({"round":1,"opened":0,"reason":"AllArrived","arrived":1,"expected":1})",
           R"({"round":1,"opened":1,"reason":"AllArrived","arrived":1})",
           R"({"round":1,"opened":1,"reason":5,"arrived":1,"expected":1})",
           R"({"round":1,"opened":1,"failed":true,"reason":"TimedOut","arrived":1,"expected":1})",
       }) {
    EXPECT_FALSE(parse_state(json)) << json;
  }
}

TEST(BarrierCodec, writes_every_member_of_the_status) {
  EXPECT_EQ(status_json(waits, {7, 10, "Waiting", "", "3, 7, 9"}, 1'700'000'000'000'001),
            R"({"phase":"Waiting","arrived":7,"progress":"7/10","round":3,"openedRound":2,)"
            R"("deadline":"2023-11-14T22:13:21Z","missing":"3, 7, 9"})");
  EXPECT_EQ(status_json(opened, *opened.verdict, {}),
            R"({"phase":"Open","arrived":10,"progress":"10/10","round":1,"openedRound":1,)"
            R"("deadline":null,"missing":null})");
  EXPECT_EQ(to_string(failed.phase()), "Failed");
}

}  // namespace
}  // namespace konductor::barrier
