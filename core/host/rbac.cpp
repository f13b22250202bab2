#include "host/rbac.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace konductor::host {
namespace {

using nlohmann::json;
using runtime::KindDeclaration;
using Kinds = std::span<const KindDeclaration>;

json primitives(Kinds kinds, const std::string& subresource = {}) {
  json names = json::array();
  for (const auto& kind : kinds) names.push_back(kind.names.plural + subresource);
  return names;
}

json scales(Kinds kinds) {
  json names = json::array();
  for (const auto& kind : kinds) {
    if (kind.scales()) names.push_back(kind.names.plural + "/scale");
  }
  return names;
}

json claims(Kinds kinds, const std::string& subresource = {}) {
  json names = json::array();
  for (const auto& kind : kinds) {
    if (kind.mode != runtime::Mode::observed) names.push_back(kind.claim.plural + subresource);
  }
  return names;
}

// A rule without resources is not valid: it is left out.
void allow(json& rules, const char* group, json resources, json verbs) {
  if (resources.empty()) return;
  rules.push_back({{"apiGroups", {group}}, {"resources", std::move(resources)}, {"verbs", std::move(verbs)}});
}

json role(const char* name, json rules, const char* aggregate_to = nullptr) {
  json labels = {{"app.kubernetes.io/part-of", "konductor"}};
  if (aggregate_to != nullptr) labels[std::string("rbac.authorization.k8s.io/aggregate-to-") + aggregate_to] = "true";
  return {{"apiVersion", "rbac.authorization.k8s.io/v1"},
          {"kind", "ClusterRole"},
          {"metadata", {{"name", name}, {"labels", std::move(labels)}}},
          {"rules", std::move(rules)}};
}

json definitions(Kinds kinds) {
  json names = json::array();
  for (const auto& kind : kinds) {
    names.push_back(kind.primitive_resource().plural + "." + runtime::api_group);
    if (kind.mode != runtime::Mode::observed) names.push_back(kind.claim_resource().plural + "." + runtime::api_group);
  }
  return names;
}

/// What decisions ask to see, besides the kinds' own resources: plurals by group.
std::map<std::string, std::set<std::string>> observed(Kinds kinds) {
  std::map<std::string, std::set<std::string>> types;
  for (const auto& kind : kinds)
    for (const auto& type : kind.observes) types[type.group].insert(type.plural);
  return types;
}

/// Who comes from a Job is found out from it.
bool count_participants(Kinds kinds) {
  return std::ranges::any_of(kinds, [](const auto& kind) { return !kind.participant_field.empty(); });
}

}  // namespace

json operator_role(Kinds kinds) {
  json rules = json::array();
  allow(rules, runtime::api_group, primitives(kinds), {"get", "list", "watch"});
  allow(rules, runtime::api_group, primitives(kinds, "/status"), {"patch"});
  allow(rules, runtime::api_group, claims(kinds), {"get", "list", "watch", "delete"});
  allow(rules, runtime::api_group, claims(kinds, "/status"), {"patch"});
  allow(rules, "", {"pods"}, {"get", "list", "watch"});
  if (count_participants(kinds)) allow(rules, "batch", {"jobs"}, {"get"});
  for (const auto& [group, plurals] : observed(kinds)) allow(rules, group.c_str(), plurals, {"get", "list", "watch"});
  allow(rules, "", {"events"}, {"create", "patch"});
  allow(rules, "coordination.k8s.io", {"leases"}, {"get", "create", "patch", "update"});
  // At start it looks whether the served schemas keep the ledger.
  rules.push_back({{"apiGroups", {"apiextensions.k8s.io"}},
                   {"resources", {"customresourcedefinitions"}},
                   {"resourceNames", definitions(kinds)},
                   {"verbs", {"get"}}});
  return role("konductor-operator", std::move(rules));
}

json user_role(Kinds kinds) {
  json rules = json::array();
  allow(rules, runtime::api_group, primitives(kinds), {"get", "list", "watch"});
  allow(rules, runtime::api_group, claims(kinds), {"create", "get", "watch", "patch", "delete"});
  return role("konductor-user", std::move(rules));
}

std::vector<json> aggregated_roles(Kinds kinds) {
  json view = json::array();
  allow(view, runtime::api_group, primitives(kinds), {"get", "list", "watch"});
  allow(view, runtime::api_group, claims(kinds), {"get", "list", "watch"});
  allow(view, runtime::api_group, scales(kinds), {"get"});
  json edit = json::array();
  const json all = {"create", "update", "patch", "delete", "deletecollection"};
  allow(edit, runtime::api_group, primitives(kinds), all);
  allow(edit, runtime::api_group, claims(kinds), all);
  allow(edit, runtime::api_group, scales(kinds), {"update", "patch"});
  return {role("konductor-view", std::move(view), "view"), role("konductor-edit", std::move(edit), "edit")};
}

}  // namespace konductor::host
