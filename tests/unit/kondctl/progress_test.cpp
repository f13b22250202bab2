#include "kondctl/progress.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace konductor::kondctl::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr MonoTime began{seconds{1000}};

Progress progress(Duration every, bool again) {
  DialogueSettings settings;
  settings.progress_every = every;
  settings.progress_again = again;
  return {settings, began};
}

/// What it says from one time to another, when it is asked whenever it wants to be.
std::vector<std::string> said(Progress& progress, MonoTime from, Duration time) {
  std::vector<std::string> all;
  for (MonoTime now = from; now < from + time;) {
    if (const auto words = progress.due(now)) all.push_back(*words);
    const auto next = progress.next();
    if (!next) break;
    EXPECT_GT(*next, now) << "it would be asked without end";
    now = *next;
  }
  return all;
}

TEST(Progress, says_nothing_where_there_is_nothing_to_say) {
  Progress one = progress(seconds{1}, true);
  EXPECT_THAT(said(one, began, seconds{100}), IsEmpty());
  one.about("Waiting", "waiting");
  one.nothing();
  EXPECT_THAT(said(one, began, seconds{100}), IsEmpty());
}

TEST(Progress, says_the_first_words_at_once_and_the_same_once_a_minute_with_the_time) {
  Progress one = progress(seconds{60}, true);
  one.about("Waiting", "waiting");
  EXPECT_THAT(said(one, began + seconds{5}, seconds{130}),
              ElementsAre("waiting", "waiting (for 1m5s so far)", "waiting (for 2m5s so far)"));
}

TEST(Progress, says_what_is_new_when_the_time_is_over_and_only_the_newest) {
  Progress one = progress(seconds{60}, true);
  one.about("Waiting", "0 of 3");
  EXPECT_EQ(one.due(began), "0 of 3");
  one.about("Waiting", "1 of 3");
  EXPECT_FALSE(one.due(began + seconds{1}));
  one.about("Waiting", "2 of 3");
  EXPECT_FALSE(one.due(began + seconds{60} - milliseconds{1}));
  EXPECT_EQ(one.next(), began + seconds{60});
  EXPECT_EQ(one.due(began + seconds{60}), "2 of 3");
}

TEST(Progress, says_another_reason_at_once) {
  Progress one = progress(seconds{60}, true);
  one.about("Waiting", "0 of 3");
  EXPECT_EQ(one.due(began), "0 of 3");
  one.about("Missing", "it is gone");
  EXPECT_EQ(one.due(began + seconds{1}), "it is gone");
  EXPECT_FALSE(one.due(began + seconds{60}));
}

TEST(Progress, says_nothing_again_to_who_has_seen_it) {
  Progress one = progress(seconds{1}, false);
  one.about("Waiting", "0 of 3");
  EXPECT_THAT(said(one, began, seconds{100}), ElementsAre("0 of 3"));
  one.about("Waiting", "1 of 3");
  EXPECT_THAT(said(one, began + seconds{50}, seconds{100}), ElementsAre("1 of 3"));
}

}  // namespace
}  // namespace konductor::kondctl::test
