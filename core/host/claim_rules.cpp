#include "host/claim_rules.hpp"

#include "host/json_text.hpp"

#include <nlohmann/json.hpp>

#include <set>
#include <string>

namespace konductor::host {
namespace {

using nlohmann::json;

/// Stays as it is, also in being there or not.
std::string unchanged(const std::string& path) {
  return "has(self." + path + ") == has(oldSelf." + path + ") && (!has(self." + path + ") || self." + path +
         " == oldSelf." + path + ")";
}

/// Once it is in the status it stays there as it is.
std::string kept(const std::string& path) {
  return "!(has(oldSelf.status) && has(oldSelf." + path + ")) || (has(self.status) && has(self." + path + ") && self." +
         path + " == oldSelf." + path + ")";
}

json rule(std::string expression, std::string message) {
  return {{"rule", std::move(expression)}, {"message", std::move(message)}};
}

std::set<std::string> immutable_fields(const runtime::KindDeclaration& kind) {
  std::set<std::string> fields = {kind.primitive_field, "pod", "holder", "requestedAt"};
  if (kind.mode == runtime::Mode::granted) fields.insert("wait");
  if (!kind.units_field.empty()) fields.insert(kind.units_field);
  if (const auto own = parse_object(kind.claim_spec_schema, kind.claim_spec_schema.size());
      own && own->contains("properties")) {
    for (const auto& [name, unused] : (*own)["properties"].items()) fields.insert(name);
  }
  return fields;
}

constexpr const char* no_longer_waits =
    "has(oldSelf.status) && has(oldSelf.status.phase) && oldSelf.status.phase != 'Pending'";
constexpr const char* over =
    "has(oldSelf.status) && has(oldSelf.status.phase) && oldSelf.status.phase in ['Denied', 'Expired', 'Revoked']";

void add_rules_of_waiting(json& rules) {
  for (const char* field : {"ttl", "priority"}) {
    const std::string path = std::string("spec.") + field;
    rules.push_back(rule("!(" + std::string(no_longer_waits) + ") || (" + unchanged(path) + ")",
                         path + " can be changed only while this waits"));
  }
}

void add_rules_of_grants(json& rules) {
  for (const char* field : {"token", "units", "ttl"}) {
    const std::string path = std::string("status.") + field;
    rules.push_back(rule(kept(path), path + " cannot be changed once it is granted"));
  }
}

}  // namespace

json claim_rules(const runtime::KindDeclaration& kind) {
  const bool granted = kind.mode == runtime::Mode::granted;
  json rules = json::array();
  for (const auto& field : immutable_fields(kind)) {
    rules.push_back(
        rule(unchanged("spec." + field), "spec." + field + " cannot be changed; delete this and ask again"));
  }
  if (granted) add_rules_of_waiting(rules);
  rules.push_back(
      rule("!(" + std::string(over) +
               ") || (has(self.status) && has(self.status.phase) && self.status.phase == oldSelf.status.phase)",
           granted ? "what is Denied, Expired or Revoked stays so; delete this and ask again"
                   : "what is Denied or Expired stays so; delete this and ask again"));
  if (granted) add_rules_of_grants(rules);
  if (!kind.participant_field.empty())
    rules.push_back(rule(kept("status.participant"), "status.participant cannot be changed once it is known"));
  return rules;
}

}  // namespace konductor::host
