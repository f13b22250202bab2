#include "runtime/pod_tracker.hpp"

#include <gtest/gtest.h>

namespace konductor::runtime {
namespace {

PodTracker watching(const std::string& alive, std::uint64_t rv) {
  PodTracker pods;
  pods.begin();
  if (!alive.empty()) pods.apply(alive, 10);
  pods.synced(rv);
  return pods;
}

TEST(PodTracker, concludes_nothing_before_the_first_list) {
  PodTracker pods;
  pods.refer("u");
  EXPECT_FALSE(pods.wants_question("u"));
  EXPECT_EQ(pods.state("u"), PodState::unknown);
}

TEST(PodTracker, asks_about_what_the_watch_does_not_show) {
  auto pods = watching("u", 100);
  pods.refer("u");
  pods.refer("v");
  EXPECT_EQ(pods.state("u"), PodState::alive);
  EXPECT_FALSE(pods.wants_question("u"));
  EXPECT_TRUE(pods.wants_question("v"));
  pods.remove("u", 101);
  EXPECT_TRUE(pods.wants_question("u"));
  EXPECT_EQ(pods.state("u"), PodState::unknown) << "until a GET confirms it";
}

TEST(PodTracker, believes_an_end_for_ever) {
  for (const auto end : {PodState::gone, PodState::succeeded, PodState::failed}) {
    auto pods = watching("", 100);
    pods.refer("u");
    pods.answered("u", end, 0);
    EXPECT_EQ(pods.state("u"), end);
    EXPECT_FALSE(pods.wants_question("u"));
    pods.apply("u", 101);
    EXPECT_EQ(pods.state("u"), end);
  }
}

TEST(PodTracker, asks_again_once_the_watch_has_passed_an_answer_of_alive) {
  auto pods = watching("", 100);
  pods.refer("u");
  pods.answered("u", PodState::alive, 110);
  EXPECT_EQ(pods.state("u"), PodState::alive);
  EXPECT_FALSE(pods.wants_question("u"));
  pods.progress(110);
  EXPECT_TRUE(pods.wants_question("u"));
}

TEST(PodTracker, forgets_a_pod_with_its_last_claim) {
  auto pods = watching("", 100);
  pods.refer("u");
  pods.refer("u");
  pods.answered("u", PodState::gone, 0);
  EXPECT_FALSE(pods.forget("u"));
  EXPECT_TRUE(pods.is_named("u"));
  EXPECT_TRUE(pods.forget("u"));
  EXPECT_FALSE(pods.is_named("u"));
  EXPECT_FALSE(pods.forget("u"));
  pods.answered("u", PodState::gone, 0);
  EXPECT_FALSE(pods.is_named("u")) << "a late answer brings nothing back";
}

TEST(PodTracker, a_new_list_replaces_the_old_one) {
  auto pods = watching("u", 100);
  pods.refer("u");
  pods.begin();
  EXPECT_EQ(pods.state("u"), PodState::alive) << "until the list is complete";
  pods.synced(200);
  EXPECT_TRUE(pods.wants_question("u"));
}

TEST(PodTracker, has_no_state_for_a_claim_without_a_pod) {
  EXPECT_EQ(watching("", 1).state(""), PodState::none);
}

}  // namespace
}  // namespace konductor::runtime
