#include "runtime/elector.hpp"
#include "tests/unit/runtime/lease_server.hpp"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <variant>

namespace konductor::runtime {
namespace {

using namespace std::chrono_literals;

/// One contender and its driver in made-up time: requests and answers take a random while, and are lost now and then.
/// Its clock has an offset of its own.
class Contender {
 public:
  Contender(const std::string& identity, Duration clock_offset)
      : elector_({.ns = "sys", .name = "op", .identity = identity}), identity_(identity), offset_(clock_offset) {}

  void start(MonoTime now) { act(elector_.resume(Elector::Started{}, at(now)), now); }

  void step(MonoTime now, test::LeaseServer& server, std::mt19937& random) {
    if (now < paused_until_) return;
    if (random() % 400 == 0) paused_until_ = now + std::chrono::milliseconds{random() % 25'000};
    if (request_ && random() % 4 == 0) {
      const bool reached = random() % 8 != 0;
      if (reached) answer_ = server.execute(*request_);
      if (random() % 8 == 0) answer_.reset();
      lost_ = !answer_;
      request_.reset();
    } else if (answer_ && random() % 4 == 0) {
      feed(Elector::Answered{*std::exchange(answer_, std::nullopt)}, now);
    } else if (now + offset_ >= until_) {
      request_.reset();
      answer_.reset();
      const bool sent = std::exchange(sending_, false);
      if (sent) {
        feed(Elector::Answered{Error{Errc::timeout, "no answer"}}, now);
      } else {
        feed(Elector::WaitOver{}, now);
      }
    } else if (lost_ && random() % 50 == 0) {
      lost_ = false;
      feed(Elector::Answered{Error{Errc::unavailable, "cut"}}, now);
    }
  }

  void shut_down(MonoTime now) {
    request_.reset();
    answer_.reset();
    feed(Elector::Shutdown{}, now);
  }

  [[nodiscard]] bool leads(MonoTime now) const { return elector_.leading_at(now + offset_); }
  [[nodiscard]] const std::string& identity() const { return identity_; }

 private:
  [[nodiscard]] Now at(MonoTime now) const { return {now + offset_, WallTime{now.time_since_epoch()}}; }

  void feed(const Elector::Event& event, MonoTime now) {
    sending_ = false;
    lost_ = false;
    act(elector_.resume(event, at(now)), now);
  }

  void act(const Elector::Action& action, MonoTime) {
    if (const auto* send = std::get_if<Elector::Send>(&action)) {
      request_ = send->request;
      until_ = send->until;
      sending_ = true;
    } else if (const auto* wait = std::get_if<Elector::Wait>(&action)) {
      until_ = wait->until;
    } else {
      until_ = MonoTime::max();
    }
  }

  Elector elector_;
  std::string identity_;
  Duration offset_;
  std::optional<kube::Request> request_;
  std::optional<kube::Response> answer_;
  bool sending_ = false;
  bool lost_ = false;
  MonoTime until_{};
  MonoTime paused_until_{};
};

TEST(ElectorProperty, lets_at_most_one_of_two_contenders_lead_at_any_moment) {
  int changes = 0;
  int led = 0;
  for (unsigned seed = 1; seed <= 60; ++seed) {
    std::mt19937 random(seed);
    test::LeaseServer server;
    std::array contenders = {Contender("a", 0s), Contender("b", 123456s)};
    MonoTime now{1000s};
    for (Contender& contender : contenders) contender.start(now);
    std::string last;
    for (int tick = 0; tick < 6000; ++tick) {
      now += 50ms;
      for (Contender& contender : contenders) contender.step(now, server, random);
      ASSERT_FALSE(contenders[0].leads(now) && contenders[1].leads(now)) << "seed " << seed << ", tick " << tick;
      for (const Contender& contender : contenders) {
        if (!contender.leads(now)) continue;
        ++led;
        if (contender.identity() != last) ++changes;
        last = contender.identity();
      }
    }
  }
  // The runs were not trivial: leadership moved, and somebody led most of the time.
  EXPECT_GT(changes, 100);
  EXPECT_GT(led, 60 * 6000 / 2);
}

TEST(ElectorProperty, hands_over_after_a_shutdown_at_any_moment) {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    std::mt19937 random(seed);
    test::LeaseServer server;
    Contender first("a", 0s);
    Contender second("b", 77s);
    MonoTime now{1000s};
    first.start(now);
    const auto ticks = 100 + random() % 300;
    for (auto tick = ticks; tick > 0; --tick) first.step(now += 50ms, server, random);
    second.start(now);
    first.shut_down(now);
    EXPECT_FALSE(first.leads(now));
    const MonoTime stopped = now;
    while (!second.leads(now) && now - stopped < 120s) {
      now += 50ms;
      first.step(now, server, random);
      second.step(now, server, random);
      ASSERT_FALSE(first.leads(now));
    }
    EXPECT_LT(now - stopped, 120s) << "seed " << seed;
  }
}

}  // namespace
}  // namespace konductor::runtime
