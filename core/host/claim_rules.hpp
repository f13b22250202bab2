#pragma once

#include "runtime/kind.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

namespace konductor::host {

/// A CEL rule and the part of the schema that it is laid on.
struct PlacedRule {
  std::string path;  // as "spec.holder"; empty: the root
  std::string rule;
  std::string message;
};

/// The rules that the host lays on every claim, whose `spec` this is: what was asked for cannot change, what was
/// granted cannot change, and what is over stays over. A rule on a field is slipped past by leaving the field out, so
/// for each that may be absent one on the object around it says that it stays, up to the root.
/// Rationale: the API server evaluates all of them at each write, of the status too, and each step of a path costs it a
/// copy of the schemas of all fields beside it (Structural.Properties in apiextensions-apiserver): with all rules at
/// the root they took half of the time of a write.
[[nodiscard]] std::vector<PlacedRule> claim_rules(const runtime::KindDeclaration& kind, const nlohmann::json& spec);

/// Adds them to the claim's schema.
void lay_on(nlohmann::json& schema, const std::vector<PlacedRule>& rules);

/// The message of the first that `served` lacks; empty: none.
[[nodiscard]] std::string first_missing(const nlohmann::json& served, const std::vector<PlacedRule>& rules);

}  // namespace konductor::host
