#include "kondctl/primitive_edit.hpp"

#include "kondctl/json_path.hpp"
#include "kube/text.hpp"

#include <nlohmann/json.hpp>

#include <string_view>

namespace konductor::kondctl {

namespace {

using nlohmann::json;

constexpr std::size_t longest_value = 60;  // as shown

}  // namespace

json compose_primitive(const runtime::KindDeclaration& kind, const std::string& name,
                       std::span<const runtime::FixedValue> fields) {
  json object = compose_change(fields);
  object["apiVersion"] = std::string(runtime::api_group) + "/" + runtime::api_version;
  object["kind"] = kind.names.kind;
  set_path(object, "metadata.name", name);
  // All kinds require a spec, also those that need nothing in it.
  if (!object.contains("spec")) object["spec"] = json::object();
  return object;
}

json compose_change(std::span<const runtime::FixedValue> fields) {
  json change = json::object();
  for (const runtime::FixedValue& field : fields) set_path(change, field.path, json::parse(field.json, nullptr, false));
  return change;
}

std::string described(std::span<const runtime::FixedValue> fields) {
  constexpr std::string_view spec = "spec.";
  std::string text;
  for (const runtime::FixedValue& field : fields) {
    const json value = json::parse(field.json, nullptr, false);
    const std::string shown = value.is_string() ? value.get<std::string>() : field.json;
    const std::string name = field.path.starts_with(spec) ? field.path.substr(spec.size()) : field.path;
    text += (text.empty() ? "" : ", ") + name + " " + kube::one_line(shown, longest_value);
  }
  return text;
}

}  // namespace konductor::kondctl
