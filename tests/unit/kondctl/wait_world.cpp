#include "wait_world.hpp"

#include "kube/time.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace konductor::kondctl::test {

WaitWorld::WaitWorld(Do what, Round round) {
  create_party();
  wish.kind = &kind_;
  wish.primitive = {"team", "p"};
  wish.round = round;
  wish.round_flag = "--evening";
  wish.wait = what != Do::join;
  if (round) change_party({{"spec", {{"weekly", true}}}});
  if (what == Do::wait) return;
  ClaimWish claim;
  claim.kind = &kind_;
  claim.primitive = wish.primitive;
  claim.claim = {"team", "p-1"};
  claim.holder = "tester";
  claim.pod = PodReference{"pod-1", "u-pod"};
  claim.fields = {{"spec.seat", "\"7\""}};
  if (round) claim.fields.push_back({"spec.evening", std::to_string(*round)});
  wish.join = std::move(claim);
}

WaitOutcome WaitWorld::run() {
  return converse_with(WaitMachine(wish, settings, start));
}

std::string WaitWorld::words_for(const kube::Request& request) const {
  if (request.target.find("/guests") != std::string::npos) return std::string(to_string(request.method)) + " guests";
  return request.target.find("fieldSelector=metadata.name%3Dp") != std::string::npos ? "LIST parties" : "GET parties";
}

void WaitWorld::start_watch(const DialogueStep::Watching& watching) {
  sent.push_back("WATCH parties");
  watch_ = watching.id;
  if (watch_forbidden) return cut_watch(Error{Errc::forbidden, "watch is forbidden", 0});
  constexpr std::string_view key = "resourceVersion=";
  const auto at = watching.request.target.find(key);
  const std::int64_t from = std::strtoll(watching.request.target.c_str() + at + key.size(), nullptr, 10);
  if (from < compacted_) return cut_watch(Error{Errc::expired, "too old resource version", 0});
  for (const Change& change : history_) {
    if (change.revision > from) show(change);
  }
}

void WaitWorld::show(const Change& change) {
  after(watch_lag, [this, id = watch_, object = change.object] {
    if (object) return tell(ObjectSeen{id, object});
    tell(ObjectGone{id});
  });
}

void WaitWorld::cut_watch(std::optional<Error> error) {
  after(hop, [this, id = std::exchange(watch_, 0), error = std::move(error)] { tell(WatchEnded{id, error}); });
}

Result<kube::Response> WaitWorld::execute(const kube::Request& request) {
  if (request.target.find("/guests") != std::string::npos) return execute_on_guest(request);
  if (words_for(request) == "GET parties") {
    return party_.is_null() ? answer(404, not_found("parties \"p\"")) : answer(200, party_);
  }
  json items = json::array();
  if (!party_.is_null()) items.push_back(party_);
  return answer(200, {{"metadata", {{"resourceVersion", std::to_string(revision_)}}}, {"items", items}});
}

Result<kube::Response> WaitWorld::execute_on_guest(const kube::Request& request) {
  const json body = json::parse(request.body, nullptr, false);
  if (request.method == kube::Method::post) {
    if (!guest.is_null()) return answer(409, status_of(409, "AlreadyExists", "guests \"p-1\" already exists"));
    ++created_;
    guest = body;
    guest["metadata"]["uid"] = "u-guest-" + std::to_string(created_);
    guest["metadata"]["creationTimestamp"] = kube::to_rfc3339(epoch);
    guest = stamped(guest);
    if (on_created) at(hop, on_created);
    return answer(201, guest);
  }
  if (guest.is_null()) return answer(404, not_found("guests \"p-1\""));
  if (request.method == kube::Method::get) return answer(200, guest);
  if (!fits(body["preconditions"], guest)) return answer(409, status_of(409, "Conflict", "the precondition failed"));
  guest = nullptr;
  return answer(200, {{"kind", "Status"}, {"status", "Success"}});
}

json WaitWorld::stamped(json object) {
  object["metadata"]["resourceVersion"] = std::to_string(++revision_);
  return object;
}

void WaitWorld::changed() {
  history_.push_back({revision_, party_.is_null() ? nullptr : std::make_shared<const json>(party_)});
  if (watch_ != 0) show(history_.back());
}

void WaitWorld::change_party(const json& patch) {
  party_.merge_patch(patch);
  party_ = stamped(party_);
  changed();
}

void WaitWorld::set_status(const json& status) {
  change_party({{"status", status}});
}

void WaitWorld::set_phase(const std::string& phase, const std::string& message) {
  const bool gathers = phase == "Gathering";
  const json condition = {{"type", gathers ? "Begun" : phase},
                          {"status", gathers ? "False" : "True"},
                          {"reason", "Guests"},
                          {"message", message}};
  set_status({{"phase", phase}, {"conditions", json::array({condition})}});
}

void WaitWorld::delete_party() {
  party_ = nullptr;
  ++revision_;
  changed();
}

void WaitWorld::create_party() {
  if (!party_.is_null()) delete_party();
  party_ = {{"metadata",
             {{"name", "p"},
              {"namespace", "team"},
              {"uid", "u-party-" + std::to_string(++lives_)},
              {"creationTimestamp", kube::to_rfc3339(epoch - seconds{60})}}},
            {"spec", {{"guests", 3}}}};
  party_ = stamped(party_);
  changed();
}

void WaitWorld::deny_guest(const std::string& reason, const std::string& message) {
  if (guest.is_null()) return;
  const json condition = {{"type", "Granted"}, {"status", "False"}, {"reason", reason}, {"message", message}};
  guest["status"] = {{"phase", "Denied"}, {"conditions", json::array({condition})}};
  guest = stamped(guest);
}

long WaitWorld::count(const std::string& words) const {
  return std::count(sent.begin(), sent.end(), words);
}

}  // namespace konductor::kondctl::test
