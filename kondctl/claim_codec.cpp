#include "kondctl/claim_codec.hpp"

#include "kondctl/json_path.hpp"
#include "kube/json_fields.hpp"
#include "kube/time.hpp"

#include <nlohmann/json.hpp>

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

// What the claim must be: these members can't change once it exists.
json identifying_spec(const ClaimWish& wish) {
  json object = json::object();
  for (const runtime::FixedValue& field : wish.fields) {
    const json value = json::parse(field.json, nullptr, false);
    if (!value.is_discarded()) set_path(object, field.path, value);
  }
  json& spec = object["spec"];
  if (!spec.is_object()) spec = json::object();
  spec[wish.kind->primitive_field] = wish.primitive.name;
  if (wish.pod) spec["pod"] = {{"name", wish.pod->name}, {"uid", wish.pod->uid}};
  spec["wait"] = wish.wait;
  return object;
}

}  // namespace

json compose_claim(const ClaimWish& wish, runtime::WallTime requested_at) {
  json object = identifying_spec(wish);
  object["apiVersion"] = api_version_text();
  object["kind"] = wish.kind->claim.kind;
  json& metadata = object["metadata"];
  metadata["name"] = wish.claim.name;
  metadata["namespace"] = wish.claim.ns;
  if (wish.pod && wish.kind->claim_lifetime == runtime::Lifetime::with_pod) {
    json owner = {{"apiVersion", "v1"},   {"kind", "Pod"},       {"name", wish.pod->name},
                  {"uid", wish.pod->uid}, {"controller", false}, {"blockOwnerDeletion", false}};
    metadata["ownerReferences"] = json::array({std::move(owner)});
  }
  json& spec = object["spec"];
  spec["holder"] = wish.holder;
  if (wish.ttl) spec["ttl"] = kube::to_string(*wish.ttl);
  if (wish.priority) spec["priority"] = *wish.priority;
  spec["requestedAt"] = kube::to_rfc3339_micro(requested_at);
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
  if (granted != nullptr && text_at(*granted, "status") != "True") view.message = text_at(*granted, "message");
  return view;
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
  for (const auto& [name, value] : wanted["spec"].items()) {
    if (name == "wait" || name == units) continue;
    const json* there = find_path(object, "spec." + name);
    if (there == nullptr || *there != value) return "spec." + name;
  }
  if (!units.empty() &&
      integer_at(object, "spec." + units).value_or(1) != integer_at(wanted, "spec." + units).value_or(1)) {
    return "spec." + units;
  }
  // How it asked no longer matters once it holds.
  const std::string phase = text_at(object, "status.phase");
  const bool waiting = phase.empty() || phase == runtime::to_string(runtime::Phase::pending);
  return waiting && kube::boolean_at(object, "spec.wait").value_or(true) != wish.wait ? "spec.wait" : "";
}

json compose_renewal(const std::string& uid, runtime::WallTime now) {
  return {{"metadata", {{"uid", uid}}}, {"spec", {{"renewTime", kube::to_rfc3339_micro(now)}}}};
}

}  // namespace konductor::kondctl
