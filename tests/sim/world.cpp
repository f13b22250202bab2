#include "tests/sim/world.hpp"

#include <chrono>

namespace konductor::sim {

using std::chrono::milliseconds;
using std::chrono::seconds;

World::World(std::uint64_t seed) : rng_(seed) {
  api_.set_time(wall());
}

WallTime World::wall() const {
  // Not on a whole second, so that what is truncated to seconds shows.
  static constexpr Duration began = seconds{1'700'000'000} + milliseconds{350};
  return WallTime{began + now_};
}

void World::after(Duration delay, std::function<void()> what) {
  queue_.emplace(Key{now_ + std::max(delay, Duration{0}), sequence_++}, std::move(what));
}

bool World::step(Duration until) {
  if (queue_.empty() || queue_.begin()->first.first > until) {
    now_ = std::max(now_, until);
    api_.set_time(wall());
    return false;
  }
  const auto next = queue_.extract(queue_.begin());
  now_ = next.key().first;
  api_.set_time(wall());
  next.mapped()();
  return true;
}

kube::Response World::command(const std::string& actor, const kube::Request& request) {
  return api_.handle(request, actor);
}

void World::send(const std::string& actor, const kube::Request& request, Reply reply,
                 std::function<void()> before_commit) {
  constexpr Duration patience = seconds{10};
  const bool slow = rng_.chance(faults_.slow);
  const auto leg = [&] { return rng_.between(milliseconds{1}, slow ? milliseconds{4000} : milliseconds{15}); };
  const Duration there = leg();
  const Duration back = leg();
  if (rng_.chance(faults_.request_lost)) {
    after(there, [reply] { reply(Error{Errc::unavailable, "the connection was cut", 0}); });
    return;
  }
  if (rng_.chance(faults_.throttled)) {
    kube::Response busy{.status = 429, .body = "", .retry_after_s = 1, .date = ""};
    busy.body =
        R"({"kind":"Status","status":"Failure","message":"too many requests","reason":"TooManyRequests","code":429})";
    after(there, [reply, busy] { reply(busy); });
    return;
  }
  const auto execute = [this, actor, request, before_commit] {
    if (before_commit) before_commit();
    return api_.handle(request, actor);
  };
  if (rng_.chance(faults_.late_commit)) {
    after(patience, [reply] { reply(Error{Errc::timeout, "no answer within 10 s", 0}); });
    after(patience + rng_.between(milliseconds{1}, seconds{20}), [execute] { execute(); });
    return;
  }
  const bool lost = rng_.chance(faults_.answer_lost);
  after(there, [this, execute, reply, lost, back] {
    const kube::Response response = execute();
    after(back, [reply, lost, response] {
      if (lost)
        reply(Error{Errc::unavailable, "the connection was cut", 0});
      else
        reply(response);
    });
  });
}

}  // namespace konductor::sim
