#include "runtime/refusals.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace konductor::runtime {
namespace {

using std::chrono::seconds;

MonoTime at(int second) {
  return MonoTime{seconds{second}};
}

TEST(Refusals, hold_up_their_namespace_and_no_other) {
  Refusals refusals;
  EXPECT_TRUE(refusals.may_send("a", at(0)));
  refusals.refused("a", "you may not", at(5));
  EXPECT_FALSE(refusals.may_send("a", at(4)));
  EXPECT_EQ(refusals.ask_again("a", at(0)), at(5));
  EXPECT_EQ(refusals.words("a"), "you may not");
  EXPECT_TRUE(refusals.may_send("b", at(0)));
  EXPECT_EQ(refusals.words("b"), "");
}

TEST(Refusals, are_tried_by_one_at_a_time) {
  Refusals refusals;
  refusals.refused("a", "no", at(5));
  EXPECT_TRUE(refusals.may_send("a", at(5)));
  refusals.sent("a");
  EXPECT_FALSE(refusals.may_send("a", at(9)));
  EXPECT_GT(refusals.ask_again("a", at(9)), at(9));
  refusals.refused("a", "still no", at(14));
  EXPECT_FALSE(refusals.may_send("a", at(13)));
  EXPECT_TRUE(refusals.may_send("a", at(14)));
}

TEST(Refusals, end_with_the_first_that_is_not_refused) {
  Refusals refusals;
  EXPECT_FALSE(refusals.allowed("a")) << "there were none";
  refusals.refused("a", "no", at(5));
  refusals.sent("a");
  EXPECT_TRUE(refusals.allowed("a"));
  EXPECT_TRUE(refusals.may_send("a", at(0)));
}

TEST(Refusals, are_tried_by_another_where_the_first_got_no_answer) {
  Refusals refusals;
  refusals.refused("a", "no", at(5));
  refusals.sent("a");
  refusals.unanswered("a");
  EXPECT_TRUE(refusals.may_send("a", at(5)));
}

TEST(Refusals, of_which_none_is_known_do_not_begin_with_what_is_sent) {
  Refusals refusals;
  refusals.sent("a");
  refusals.unanswered("a");
  EXPECT_TRUE(refusals.may_send("a", at(0)));
}

}  // namespace
}  // namespace konductor::runtime
