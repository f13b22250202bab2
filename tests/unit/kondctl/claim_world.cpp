#include "claim_world.hpp"

#include "kube/time.hpp"

#include <utility>

namespace konductor::kondctl::test {

namespace {

constexpr Duration hop = milliseconds{1};
const runtime::WallTime epoch{seconds{1'700'000'000}};

kube::Response answer(int status, const json& body) {
  return {.status = status, .body = body.dump(), .retry_after_s = 0, .date = {}};
}

json not_found(const std::string& what) {
  return status_of(404, "NotFound", what + " not found");
}

}  // namespace

json status_of(int code, const std::string& reason, const std::string& message, const std::string& name) {
  return {{"kind", "Status"}, {"status", "Failure"}, {"code", code},
          {"reason", reason}, {"message", message},  {"details", {{"name", name}}}};
}

ClaimWorld::ClaimWorld(bool wait, bool in_pod) {
  primitive = {{"metadata", {{"name", "q"}, {"namespace", "team"}, {"uid", "u-q"}, {"resourceVersion", "7"}}},
               {"spec", {{"ttl", "5m"}}}};
  wish.kind = &kind_;
  wish.primitive = {"team", "q"};
  wish.claim = {"team", "q-1"};
  wish.holder = "tester";
  wish.wait = wait;
  if (in_pod) wish.pod = PodReference{"pod-1", "u-pod"};
  on_created = [](ClaimWorld& world) { world.grant(); };
}

bool ClaimWorld::holds() const {
  return claim.is_object() && claim.value("status", json::object()).value("phase", "") == "Granted";
}

ClaimOutcome ClaimWorld::run() {
  machine_.emplace(wish, settings, start);
  tell(Woken{});
  const MonoTime end = start + std::chrono::hours{24};
  while (!outcome_ && now_ < end) {
    const bool wake_first = wake_at_ && (agenda_.empty() || *wake_at_ <= agenda_.begin()->first);
    if (wake_first) {
      now_ = std::max(now_, *std::exchange(wake_at_, std::nullopt));
      tell(Woken{});
    } else if (!agenda_.empty()) {
      auto next = agenda_.extract(agenda_.begin());
      now_ = std::max(now_, next.key());
      next.mapped()();
    } else {
      break;
    }
  }
  return outcome_.value_or(ClaimOutcome{ExitCode::failed, "it never finished", std::nullopt});
}

void ClaimWorld::at(Duration delay, std::function<void(ClaimWorld&)> what) {
  agenda_.emplace(now_ + delay, [this, what = std::move(what)] { what(*this); });
}

void ClaimWorld::signal(Signal which) {
  tell(Signalled{which});
}

void ClaimWorld::tell(const DialogueEvent& event) {
  if (outcome_) return;
  ClaimStep step = machine_->resume(event, {now_, clock_stands ? epoch : epoch + (now_ - start)});
  wake_at_ = step.wake_at;
  notes.insert(notes.end(), step.notes.begin(), step.notes.end());
  if (step.finish) outcome_ = step.finish;
  if (step.watch) start_watch(*step.watch);
  for (const DialogueStep::Sending& sending : step.send) serve(sending);
}

// What happened after the resourceVersion that it starts from comes first.
void ClaimWorld::start_watch(const DialogueStep::Watching& watching) {
  watch_ = watching.id;
  if (watch_forbidden) {
    const Error error{Errc::forbidden, "watch is forbidden", 0};
    return at(hop, [id = watch_, error](ClaimWorld& world) { world.tell(WatchEnded{id, error}); });
  }
  if (claim.is_null()) return at(hop, [id = watch_](ClaimWorld& world) { world.tell(ObjectGone{id}); });
  const std::string from = "resourceVersion=" + claim["metadata"]["resourceVersion"].get<std::string>() + "&";
  if (watching.request.target.find(from) == std::string::npos) changed();
}

void ClaimWorld::serve(const DialogueStep::Sending& sending) {
  const bool of_claim = sending.request.target.find("/tickets") != std::string::npos;
  sent.push_back(std::string(to_string(sending.request.method)) + (of_claim ? " tickets" : " widgets"));
  bodies.push_back(json::parse(sending.request.body, nullptr, false));
  const auto fault = faults.find(requests_++);
  const Fault what = fault == faults.end() ? Fault::none : fault->second;
  const std::uint64_t id = sending.id;
  if (unreachable || what == Fault::request_lost) {
    at(sending.time, [id](ClaimWorld& world) {
      world.tell(Answered{id, Error{Errc::timeout, "no answer from https://example.test", 0}});
    });
    return;
  }
  at(hop, [id, what, request = sending.request](ClaimWorld& world) {
    Result<kube::Response> got = world.execute(request);
    if (what == Fault::answer_lost) got = Error{Errc::unavailable, "the connection was cut", 0};
    world.at(hop, [id, got](ClaimWorld& later) { later.tell(Answered{id, got}); });
  });
}

Result<kube::Response> ClaimWorld::execute(const kube::Request& request) {
  const auto refusal = refusals.find(std::string(to_string(request.method)));
  if (refusal != refusals.end()) return answer(refusal->second["code"].get<int>(), refusal->second);
  if (request.target.find("/tickets") != std::string::npos) return execute_on_claim(request);
  return primitive.is_null() ? answer(404, not_found("widgets \"q\"")) : answer(200, primitive);
}

Result<kube::Response> ClaimWorld::execute_on_claim(const kube::Request& request) {
  const json body = json::parse(request.body, nullptr, false);
  if (request.method == kube::Method::post) {
    if (!claim.is_null()) return answer(409, status_of(409, "AlreadyExists", "tickets \"q-1\" already exists"));
    claim = body;
    claim["metadata"]["uid"] = "u-" + std::to_string(revision_);
    claim["metadata"]["creationTimestamp"] = kube::to_rfc3339(epoch);
    claim = stamped(claim);
    if (on_created) at(hop, on_created);
    return answer(201, claim);
  }
  if (claim.is_null()) return answer(404, not_found("tickets \"q-1\""));
  if (request.method == kube::Method::get) return answer(200, claim);
  if (request.method == kube::Method::patch) {
    if (body["metadata"]["uid"] != claim["metadata"]["uid"]) return answer(422, status_of(422, "Invalid", "other uid"));
    claim.merge_patch(body);
    claim = stamped(claim);
    changed();
    return answer(200, claim);
  }
  const json& wanted = body["preconditions"];
  const bool fits =
      wanted.value("uid", "") == claim["metadata"]["uid"].get<std::string>() &&
      (!wanted.contains("resourceVersion") || wanted["resourceVersion"] == claim["metadata"]["resourceVersion"]);
  if (!fits) return answer(409, status_of(409, "Conflict", "the precondition failed"));
  delete_claim();
  return answer(200, {{"kind", "Status"}, {"status", "Success"}});
}

json ClaimWorld::stamped(json object) {
  object["metadata"]["resourceVersion"] = std::to_string(++revision_);
  return object;
}

void ClaimWorld::changed() {
  if (watch_ == 0 || watch_forbidden) return;
  at(hop, [id = watch_, object = std::make_shared<const json>(claim)](ClaimWorld& world) {
    world.tell(ObjectSeen{id, object});
  });
}

void ClaimWorld::set_status(const json& status) {
  if (claim.is_null()) return;
  claim["status"].merge_patch(status);
  claim = stamped(claim);
  changed();
}

void ClaimWorld::grant() {
  set_status({{"phase", "Granted"}, {"token", 7001}, {"units", 1}, {"ttl", "5m"}});
}

void ClaimWorld::set_waiting(const std::string& reason, const std::string& message) {
  const json condition = {{"type", "Granted"}, {"status", "False"}, {"reason", reason}, {"message", message}};
  set_status({{"phase", "Pending"}, {"conditions", json::array({condition})}});
}

void ClaimWorld::delete_claim() {
  claim = nullptr;
  if (watch_ == 0 || watch_forbidden) return;
  at(hop, [id = watch_](ClaimWorld& world) { world.tell(ObjectGone{id}); });
}

}  // namespace konductor::kondctl::test
