#include "tests/sim/world.hpp"

#include "kube/json_fields.hpp"
#include "tests/sim/sim_elector.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <memory>

namespace konductor::sim {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

const kube::Response& too_many_requests() {
  static const kube::Response busy{
      .status = 429,
      .body =
          R"({"kind":"Status","status":"Failure","message":"too many requests","reason":"TooManyRequests","code":429})",
      .retry_after_s = 1,
      .date = ""};
  return busy;
}

// What the composed CRD says by CEL rules at the root.
std::string participant_stays(const nlohmann::json& before, const nlohmann::json& after) {
  const auto& known = kube::text_at(before, "status.participant");
  return known.empty() || known == kube::text_at(after, "status.participant") ? "" : "status.participant cannot change";
}

Error cut() {
  return {Errc::unavailable, "the connection was cut", 0};
}

Error no_answer() {
  return {Errc::timeout, "no answer in time", 0};
}

}  // namespace

/// One request on its way there and back.
struct World::Exchange {
  std::string actor;
  Sending sending;
  Reply reply;
  Duration gives_up{0};
};

World::World(std::uint64_t seed) : rng_(seed) {
  api_.set_time(wall(), now_);
}

void World::serve(const runtime::KindDeclaration& kind, std::vector<UpdateRule> rules) {
  if (!kind.participant_field.empty()) rules.emplace_back(participant_stays);
  api_.serve({.resource = kind.primitive_resource(),
              .kind = kind.names.kind,
              .status_subresource = true,
              .selectable = {},
              .rules = {}});
  api_.serve({.resource = kind.claim_resource(),
              .kind = kind.claim.kind,
              .status_subresource = true,
              .selectable = {"spec." + kind.primitive_field},
              .rules = std::move(rules)});
  api_.serve({.resource = {"", "v1", "pods"},
              .kind = "Pod",
              .status_subresource = true,
              .selectable = {"status.phase"},
              .rules = {}});
  api_.serve({.resource = {"", "v1", "events"}, .kind = "Event", .selectable = {}, .rules = {}});
  api_.serve({.resource = lease_resource(), .kind = "Lease", .selectable = {}, .rules = {}});
}

WallTime World::wall() const {
  // Not on a whole second, so that what is truncated to seconds shows.
  static constexpr Duration began = seconds{1'700'000'000} + milliseconds{350};
  return WallTime{began + now_ + server_clock_};
}

void World::jump_server_clock(Duration by) {
  server_clock_ += by;
  api_.set_time(wall(), now_);
}

void World::after(Duration delay, std::function<void()> what) {
  queue_.emplace(Key{now_ + std::max(delay, Duration{0}), sequence_++}, std::move(what));
}

bool World::step(Duration until) {
  if (queue_.empty() || queue_.begin()->first.first > until) {
    now_ = std::max(now_, until);
    api_.set_time(wall(), now_);
    return false;
  }
  const auto next = queue_.extract(queue_.begin());
  now_ = next.key().first;
  api_.set_time(wall(), now_);
  next.mapped()();
  return true;
}

kube::Response World::command(const std::string& actor, const kube::Request& request) {
  ++requests_;
  return api_.handle(request, actor);
}

void World::cut_off(const std::string& actor, Duration length, bool silent) {
  ++harm_;
  partitions_[actor] = {now_ + length, silent};
}

bool World::reaches(const std::string& actor) const {
  const auto found = partitions_.find(actor);
  return found == partitions_.end() || found->second.until <= now_;
}

bool World::is_silent(const std::string& actor) const {
  const auto found = partitions_.find(actor);
  return found != partitions_.end() && found->second.silent;
}

void World::send(const std::string& actor, Sending sending, Reply reply) {
  ++requests_;
  const bool slow = rng_.chance(faults_.slow);
  const auto leg = [&] { return rng_.between(milliseconds{1}, slow ? milliseconds{4000} : milliseconds{15}); };
  const Duration there = leg();
  const Duration back = leg();
  const Duration patience = sending.patience;
  const auto exchange = std::make_shared<Exchange>(Exchange{actor, std::move(sending), std::move(reply), {}});
  exchange->gives_up = now_ + patience;
  if (!reaches(actor)) return lose(exchange);
  if (rng_.chance(faults_.request_lost)) {
    ++harm_;
    return after(std::min(there, patience), [exchange] { exchange->reply(cut()); });
  }
  if (rng_.chance(faults_.throttled)) {
    ++harm_;
    return after(std::min(there, patience), [exchange] { exchange->reply(too_many_requests()); });
  }
  const bool late = rng_.chance(faults_.late_commit);
  if (late || rng_.chance(faults_.hung)) {
    ++harm_;
    after(patience, [exchange] { exchange->reply(no_answer()); });
    if (!late && rng_.chance(500)) return;
    const Duration delay = late ? patience + rng_.between(milliseconds{1}, seconds{20}) : there;
    return after(delay, [this, exchange] {
      if (exchange->sending.before_commit) exchange->sending.before_commit();
      api_.handle(exchange->sending.request, exchange->actor);
    });
  }
  after(there, [this, exchange, back] { arrive(exchange, back); });
}

void World::arrive(const std::shared_ptr<Exchange>& exchange, Duration back) {
  if (!reaches(exchange->actor)) return lose(exchange);
  if (exchange->sending.before_commit) exchange->sending.before_commit();
  const kube::Response response = api_.handle(exchange->sending.request, exchange->actor);
  const bool lost = rng_.chance(faults_.answer_lost);
  if (lost) ++harm_;
  if (now_ + back > exchange->gives_up)
    return after(exchange->gives_up - now_, [exchange] { exchange->reply(no_answer()); });
  after(back, [this, exchange, lost, response] {
    if (!reaches(exchange->actor)) return lose(exchange);
    if (lost)
      exchange->reply(cut());
    else
      exchange->reply(response);
  });
}

void World::lose(const std::shared_ptr<Exchange>& exchange) {
  if (is_silent(exchange->actor))
    after(exchange->gives_up - now_, [exchange] { exchange->reply(no_answer()); });
  else
    after(std::min<Duration>(exchange->gives_up - now_, milliseconds{3}), [exchange] { exchange->reply(cut()); });
}

}  // namespace konductor::sim
