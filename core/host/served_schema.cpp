#include "host/claim_rules.hpp"
#include "host/crd.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <string>

namespace konductor::host {
namespace {

using nlohmann::json;

const json* served_schema_of(const json& crd) {
  try {
    for (const auto& version : crd.at("spec").at("versions")) {
      const bool ours = version.at("name") == runtime::api_version && version.value("served", false);
      if (ours) return &version.at("schema").at("openAPIV3Schema");
    }
  } catch (const json::exception&) {
    return nullptr;  // no CRD at all
  }
  return nullptr;
}

/// The first member of `wanted` that `served` would prune or hold as another type, as a path; empty: none.
std::string lost_member(const json& served, const json& wanted, const std::string& path) {
  if (served.value("type", "") != wanted.value("type", "")) return path;
  const auto open = [](const json& schema) { return schema.value("x-kubernetes-preserve-unknown-fields", false); };
  if (open(served)) return {};
  if (open(wanted)) return path;
  if (wanted.contains("items"))
    return served.contains("items") ? lost_member(served["items"], wanted["items"], path + "[]") : path;
  const json properties = wanted.value("properties", json::object());
  for (const auto& [name, schema] : properties.items()) {
    auto member = path + "." + name;
    if (!served.contains("properties") || !served["properties"].contains(name)) return member;
    if (auto lost = lost_member(served["properties"][name], schema, member); !lost.empty()) return lost;
  }
  return {};
}

}  // namespace

std::string why_not_served(const json& served, const runtime::KindDeclaration& kind, runtime::Place place) {
  const bool claim = place == runtime::Place::claim;
  const auto name = crd_name(claim ? kind.claim : kind.names);
  const std::string advice = "; apply what `konductor manifests` prints";
  const auto* schema = served_schema_of(served);
  if (schema == nullptr) return name + " does not serve version " + runtime::api_version + advice;
  const auto crd = claim ? claim_crd(kind) : primitive_crd(kind);
  const auto& wanted = *served_schema_of(crd);
  try {
    for (const char* part : {"spec", "status"}) {
      const json there = schema->at("properties").value(part, json::object());
      if (auto lost = lost_member(there, wanted["properties"][part], part); !lost.empty()) {
        return name + " as served would lose " + lost + advice;
      }
    }
    if (!claim) return {};
    // Without them what was granted can be edited.
    if (auto lost = first_missing(*schema, claim_rules(kind, wanted["properties"]["spec"])); !lost.empty()) {
      return name + " as served lacks the rule \"" + lost + "\"" + advice;
    }
  } catch (const json::exception&) {
    return name + " as served has no schema that can be read" + advice;
  }
  return {};
}

}  // namespace konductor::host
