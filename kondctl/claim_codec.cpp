#include "kondctl/claim_codec.hpp"

#include "kondctl/json_path.hpp"
#include "kube/json_fields.hpp"
#include "kube/time.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <span>
#include <utility>

namespace konductor::kondctl {

namespace {

using kube::find_path;
using kube::integer_at;
using kube::text_at;
using nlohmann::json;

std::string api_version_text() {
  return std::string(runtime::api_group) + "/" + runtime::api_version;
}

// What is asked, of whom.
json asked(const ClaimWish& wish) {
  json object = json::object();
  for (const runtime::FixedValue& field : wish.fields) {
    const json value = json::parse(field.json, nullptr, false);
    if (!value.is_discarded()) set_path(object, field.path, value);
  }
  json& spec = object["spec"];
  if (!spec.is_object()) spec = json::object();
  spec[wish.kind->primitive_field] = wish.primitive.name;
  return object;
}

void say_pod(const ClaimWish& wish, json& object) {
  if (wish.pod) object["spec"]["pod"] = {{"name", wish.pod->name}, {"uid", wish.pod->uid}};
}

// What the claim must be: these members can't change once it exists.
json identifying_spec(const ClaimWish& wish) {
  json object = asked(wish);
  say_pod(wish, object);
  object["spec"]["wait"] = wish.wait;
  return object;
}

void say_who(const ClaimWish& wish, runtime::WallTime requested_at, json& object) {
  object["apiVersion"] = api_version_text();
  object["kind"] = wish.kind->claim.kind;
  object["metadata"]["name"] = wish.claim.name;
  object["metadata"]["namespace"] = wish.claim.ns;
  object["spec"]["holder"] = wish.holder;
  object["spec"]["requestedAt"] = kube::to_rfc3339_micro(requested_at);
}

bool goes_with_pod(const ClaimWish& wish) {
  return wish.pod && wish.kind->claim_lifetime == runtime::Lifetime::with_pod;
}

void own(json& object, const std::string& api_version, const std::string& kind, const PodReference& owner) {
  json reference = {{"apiVersion", api_version}, {"kind", kind},        {"name", owner.name},
                    {"uid", owner.uid},          {"controller", false}, {"blockOwnerDeletion", false}};
  object["metadata"]["ownerReferences"] = json::array({std::move(reference)});
}

std::string difference_of(const json& object, const json& wanted, std::span<const std::string> but) {
  for (const auto& [name, value] : wanted["spec"].items()) {
    if (std::find(but.begin(), but.end(), name) != but.end()) continue;
    const json* there = find_path(object, "spec." + name);
    if (there == nullptr || *there != value) return "spec." + name;
  }
  return {};
}

}  // namespace

json compose_claim(const ClaimWish& wish, runtime::WallTime requested_at) {
  json object = identifying_spec(wish);
  say_who(wish, requested_at, object);
  if (goes_with_pod(wish)) own(object, "v1", "Pod", *wish.pod);
  if (wish.ttl) object["spec"]["ttl"] = kube::to_string(*wish.ttl);
  if (wish.priority) object["spec"]["priority"] = *wish.priority;
  return object;
}

json compose_joining(const ClaimWish& wish, const std::string& primitive_uid, runtime::WallTime requested_at) {
  json object = asked(wish);
  say_pod(wish, object);
  say_who(wish, requested_at, object);
  if (goes_with_pod(wish)) {
    own(object, "v1", "Pod", *wish.pod);
  } else {
    own(object, api_version_text(), wish.kind->names.kind, {wish.primitive.name, primitive_uid});
  }
  return object;
}

Result<ClaimView> view_of_claim(const json& object, const runtime::KindDeclaration& kind) {
  auto claim = runtime::parse_claim(object, kind);
  if (!claim) return claim.error();
  ClaimView view;
  view.claim = std::move(*claim);
  view.requested_at = text_at(object, "spec.requestedAt");
  const json* granted = kube::condition_of(object, "Granted");
  view.answered = view.claim.acknowledged || granted != nullptr;
  const bool says_why =
      granted != nullptr && (text_at(*granted, "status") != "True" ||
                             view.claim.phase == runtime::Phase::revoking);  // it holds until it is over
  if (says_why) view.message = text_at(*granted, "message");
  return view;
}

bool is_of(const runtime::Claim& claim, const kube::ObjectMeta& primitive) {
  if (!claim.owner_uid.empty()) return claim.owner_uid == primitive.uid;
  return claim.created >= primitive.creation.time_since_epoch().count();
}

std::string doubt_of(const json& claim) {
  const json* known = kube::condition_of(claim, runtime::participant_condition);
  return known == nullptr || text_at(*known, "status") == "True" ? std::string{} : text_at(*known, "message");
}

std::string why_not_ready(const json& primitive) {
  const json* ready = kube::condition_of(primitive, "Ready");
  if (ready == nullptr || text_at(*ready, "status") != "False") return {};
  const std::string message = text_at(*ready, "message");
  return text_at(*ready, "reason") + (message.empty() ? "" : ": " + message);
}

std::string difference(const json& object, const ClaimWish& wish) {
  const json wanted = identifying_spec(wish);
  const std::string& units = wish.kind->units_field;
  const std::array<std::string, 2> but{"wait", units};
  if (std::string other = difference_of(object, wanted, but); !other.empty()) return other;
  if (!units.empty() &&
      integer_at(object, "spec." + units).value_or(1) != integer_at(wanted, "spec." + units).value_or(1)) {
    return "spec." + units;
  }
  // How it asked no longer matters once it holds.
  const std::string phase = text_at(object, "status.phase");
  const bool waiting = phase.empty() || phase == runtime::to_string(runtime::Phase::pending);
  return waiting && kube::boolean_at(object, "spec.wait").value_or(true) != wish.wait ? "spec.wait" : "";
}

std::string difference_of_joining(const json& object, const ClaimWish& wish) {
  return difference_of(object, asked(wish), {});
}

json compose_renewal(const std::string& uid, runtime::WallTime now) {
  return {{"metadata", {{"uid", uid}}}, {"spec", {{"renewTime", kube::to_rfc3339_micro(now)}}}};
}

runtime::WallTime renewal_time(const std::string& shown, runtime::WallTime last, runtime::WallTime now) {
  const auto there = kube::parse_rfc3339(shown);
  return std::max(now, std::max(last, there ? *there : last) + std::chrono::microseconds{1});
}

}  // namespace konductor::kondctl
