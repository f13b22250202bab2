#include "claim_world.hpp"

#include "kube/time.hpp"

#include <utility>

namespace konductor::kondctl::test {

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
  return converse_with(ClaimMachine(wish, settings, start));
}

std::string ClaimWorld::words_for(const kube::Request& request) const {
  if (request.target.find("/tickets?") != std::string::npos) return "LIST tickets";
  const bool of_claim = request.target.find("/tickets") != std::string::npos;
  return std::string(to_string(request.method)) + (of_claim ? " tickets" : " widgets");
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

Result<kube::Response> ClaimWorld::execute(const kube::Request& request) {
  if (request.target.find("/tickets") != std::string::npos) return execute_on_claim(request);
  return primitive.is_null() ? answer(404, not_found("widgets \"q\"")) : answer(200, primitive);
}

Result<kube::Response> ClaimWorld::execute_on_claim(const kube::Request& request) {
  if (words_for(request) == "LIST tickets")
    return answer(200, {{"items", claim.is_null() ? json::array() : json::array({claim})}});
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
  if (!fits(body["preconditions"], claim)) return answer(409, status_of(409, "Conflict", "the precondition failed"));
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
