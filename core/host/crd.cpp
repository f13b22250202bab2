#include "host/crd.hpp"

#include "host/claim_rules.hpp"
#include "host/host_fields.hpp"
#include "host/json_text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>
#include <utility>

namespace konductor::host {
namespace {

using nlohmann::json;
using runtime::KindDeclaration;
using runtime::Mode;
using runtime::Names;
using runtime::Place;

/// One of spec and status: the host's properties and the plugin's.
json part(const std::string& description, json properties, const std::string& fragment_text,
          json required = json::array()) {
  if (const auto fragment = parse_object(fragment_text.empty() ? "{}" : fragment_text, fragment_text.size() + 2)) {
    if (fragment->contains("properties")) properties.update((*fragment)["properties"]);
    for (const auto& name : fragment->value("required", json::array())) required.push_back(name);
  }
  json schema = {{"type", "object"}, {"description", description}, {"properties", std::move(properties)}};
  if (!required.empty()) schema["required"] = std::move(required);
  return schema;
}

json plugin_rules(const KindDeclaration& kind, Place place) {
  json rules = json::array();
  for (const auto& rule : kind.rules) {
    if (rule.place == place) rules.push_back({{"rule", rule.rule}, {"message", rule.message}});
  }
  return rules;
}

json plugin_columns(const KindDeclaration& kind, Place place) {
  json columns = json::array();
  for (const auto& column : kind.columns) {
    if (column.place != place) continue;
    json entry = {{"name", column.name}, {"type", column.type}, {"jsonPath", column.json_path}};
    if (column.priority > 0) entry["priority"] = column.priority;
    if (!column.description.empty()) entry["description"] = column.description;
    columns.push_back(std::move(entry));
  }
  return columns;
}

json column(const std::string& name, const char* type, const std::string& path, const char* description) {
  return {{"name", name}, {"type", type}, {"jsonPath", path}, {"description", description}};
}

json scale(const runtime::ScalePaths& paths) {
  return {{"specReplicasPath", "." + paths.spec},
          {"statusReplicasPath", "." + paths.status},
          {"labelSelectorPath", ".status.selector"}};
}

json age() {
  return {{"name", "AGE"}, {"type", "date"}, {"jsonPath", ".metadata.creationTimestamp"}};
}

json root(const std::string& description, json spec, json status, json rules) {
  json schema = {{"type", "object"},
                 {"description", description},
                 {"properties",
                  {{"apiVersion", {{"type", "string"}, {"description", "Group and version of this object."}}},
                   {"kind", {{"type", "string"}, {"description", "Kind of this object."}}},
                   // The API server knows metadata, and accepts no description of it.
                   {"metadata", {{"type", "object"}}},
                   {"spec", std::move(spec)},
                   {"status", std::move(status)}}},
                 {"required", {"spec"}}};
  if (!rules.empty()) schema["x-kubernetes-validations"] = std::move(rules);
  return schema;
}

json definition(const Names& names, json schema, json columns, json selectable) {
  json accepted = {{"kind", names.kind},
                   {"listKind", names.kind + "List"},
                   {"plural", names.plural},
                   {"singular", names.singular},
                   {"categories", {"konductor"}}};
  if (!names.short_name.empty()) accepted["shortNames"] = {names.short_name};
  json version = {{"name", runtime::api_version},
                  {"served", true},
                  {"storage", true},
                  {"schema", {{"openAPIV3Schema", std::move(schema)}}},
                  {"subresources", {{"status", json::object()}}},
                  {"additionalPrinterColumns", std::move(columns)}};
  if (!selectable.empty()) version["selectableFields"] = std::move(selectable);
  return {{"apiVersion", "apiextensions.k8s.io/v1"},
          {"kind", "CustomResourceDefinition"},
          {"metadata", {{"name", crd_name(names)}, {"labels", {{"app.kubernetes.io/part-of", "konductor"}}}}},
          {"spec",
           {{"group", runtime::api_group},
            {"scope", "Namespaced"},
            {"names", std::move(accepted)},
            {"versions", json::array({std::move(version)})}}}};
}

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

/// The plugin's columns, then those of the host's that it does not show itself.
json claim_columns(const KindDeclaration& kind) {
  json columns = plugin_columns(kind, Place::claim);
  const auto add = [&columns](json entry) {
    const auto same = [&](const json& shown) { return shown["jsonPath"] == entry["jsonPath"]; };
    if (std::none_of(columns.begin(), columns.end(), same)) columns.push_back(std::move(entry));
  };
  add(column(upper(kind.names.kind), "string", ".spec." + kind.primitive_field, "What it asks"));
  if (!kind.units_field.empty()) {
    add(column(upper(kind.units_field), "integer", ".spec." + kind.units_field, "How many units it asks for"));
  }
  add(column("PHASE", "string", ".status.phase",
             kind.mode == Mode::granted ? "Pending, Granted, or how it ended" : "Denied where it was refused"));
  add(column("HOLDER", "string", ".spec.holder", "Who asks"));
  if (kind.mode == Mode::granted) add(column("TOKEN", "integer", ".status.token", "Fencing token"));
  columns.push_back(age());
  return columns;
}

}  // namespace

std::string crd_name(const Names& names) {
  return names.plural + "." + runtime::api_group;
}

json primitive_crd(const KindDeclaration& kind) {
  auto spec =
      part("What is wanted of this " + kind.names.kind + ".", primitive_spec_properties(kind.mode), kind.spec_schema);
  auto status = part("What was observed of this " + kind.names.kind + ". Written by the operator.",
                     primitive_status_properties(kind), kind.status_schema);
  auto columns = plugin_columns(kind, Place::primitive);
  columns.push_back(age());
  json rules = primitive_rules(kind);
  for (auto& rule : plugin_rules(kind, Place::primitive)) rules.push_back(std::move(rule));
  auto schema = root(kind.description, std::move(spec), std::move(status), std::move(rules));
  auto crd = definition(kind.names, std::move(schema), std::move(columns), json::array());
  if (kind.scales()) crd["spec"]["versions"][0]["subresources"]["scale"] = scale(kind.scale);
  return crd;
}

json claim_crd(const KindDeclaration& kind) {
  auto spec = part("What is asked for.", claim_spec_properties(kind), kind.claim_spec_schema,
                   json::array({kind.primitive_field}));
  auto status =
      part("How it stands. Written by the operator.", claim_status_properties(kind), kind.claim_status_schema);
  const auto rules = claim_rules(kind, spec);
  auto schema = root(kind.claim_description, std::move(spec), std::move(status), plugin_rules(kind, Place::claim));
  lay_on(schema, rules);
  const json selectable =
      json::array({{{"jsonPath", ".spec." + kind.primitive_field}}, {{"jsonPath", ".status.phase"}}});
  return definition(kind.claim, std::move(schema), claim_columns(kind), selectable);
}

}  // namespace konductor::host
