#include "host/claim_rules.hpp"

#include "host/json_text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>
#include <sstream>
#include <string>

namespace konductor::host {
namespace {

using nlohmann::json;

constexpr const char* validations = "x-kubernetes-validations";
constexpr const char* same = "self == oldSelf";

/// Is there if it was.
std::string stays(const std::string& field) {
  return "!has(oldSelf." + field + ") || has(self." + field + ")";
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

bool is_always_there(const json& spec, const std::string& field) {
  const json required = spec.value("required", json::array());
  return spec["properties"][field].contains("default") || std::ranges::find(required, json(field)) != required.end();
}

void add_rules_of_asking(std::vector<PlacedRule>& rules, const runtime::KindDeclaration& kind, const json& spec) {
  for (const auto& field : immutable_fields(kind)) {
    const auto message = "spec." + field + " cannot be changed; delete this and ask again";
    rules.push_back({"spec." + field, same, message});
    if (!is_always_there(spec, field))
      rules.push_back({"spec", "has(self." + field + ") == has(oldSelf." + field + ")", message});
  }
}

void add_rules_of_waiting(std::vector<PlacedRule>& rules) {
  const std::string waits =
      "!has(oldSelf.status) || !has(oldSelf.status.phase) || oldSelf.status.phase == 'Pending' || ";
  const std::string message = " can be changed only while this waits";
  rules.push_back({"", waits + "self.spec.priority == oldSelf.spec.priority", "spec.priority" + message});
  rules.push_back({"",
                   waits + "(has(self.spec.ttl) == has(oldSelf.spec.ttl) && "
                           "(!has(self.spec.ttl) || self.spec.ttl == oldSelf.spec.ttl))",
                   "spec.ttl" + message});
}

void add_rules_of_kept(std::vector<PlacedRule>& rules, const std::string& field, const std::string& since) {
  const auto message = "status." + field + " cannot be changed once it is " + since;
  rules.push_back({"status." + field, same, message});
  rules.push_back({"status", stays(field), message});
}

/// Where the rules of that part of the schema stand.
json::json_pointer rules_at(const std::string& path) {
  json::json_pointer at;
  std::istringstream steps(path);
  for (std::string step; std::getline(steps, step, '.');) at = at / "properties" / step;
  return at / validations;
}

}  // namespace

std::vector<PlacedRule> claim_rules(const runtime::KindDeclaration& kind, const json& spec) {
  const bool granted = kind.mode == runtime::Mode::granted;
  std::vector<PlacedRule> rules;
  add_rules_of_asking(rules, kind, spec);
  if (granted) add_rules_of_waiting(rules);
  const std::string over = granted ? "what is Denied, Expired or Revoked stays so; delete this and ask again"
                                   : "what is Denied or Expired stays so; delete this and ask again";
  rules.push_back({"status.phase", "self == oldSelf || !(oldSelf in ['Denied', 'Expired', 'Revoked'])", over});
  rules.push_back({"status", stays("phase"), over});
  rules.push_back({"", stays("status"), "what stands in the status stays so; delete this and ask again"});
  if (granted) {
    for (const char* field : {"token", "units", "ttl"}) add_rules_of_kept(rules, field, "granted");
  }
  if (!kind.participant_field.empty()) add_rules_of_kept(rules, "participant", "known");
  return rules;
}

void lay_on(json& schema, const std::vector<PlacedRule>& rules) {
  for (const auto& [path, rule, message] : rules)
    schema[rules_at(path)].push_back({{"rule", rule}, {"message", message}});
}

std::string first_missing(const json& served, const std::vector<PlacedRule>& rules) {
  for (const auto& [path, rule, message] : rules) {
    const auto is_it = [&text = rule](const json& other) { return other.value("rule", "") == text; };
    const json there = served.value(rules_at(path), json::array());
    if (std::none_of(there.begin(), there.end(), is_it)) return message;
  }
  return {};
}

}  // namespace konductor::host
