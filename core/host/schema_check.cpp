#include "host/schema_check.hpp"

#include "host/host_fields.hpp"
#include "host/json_text.hpp"
#include "host/words.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace konductor::host {
namespace {

using nlohmann::json;
using runtime::KindDeclaration;

constexpr std::size_t max_schema = std::size_t{256} << 10U;

std::string why_not_property(const std::string& path, const json& schema);

std::string why_not_properties(const std::string& path, const json& properties) {
  if (!properties.is_object()) return path + ": properties is no object";
  for (const auto& [name, schema] : properties.items()) {
    if (!is_member_name(name)) return path + "." + name + ": the name must be camelCase letters and digits";
    if (auto why = why_not_property(path + "." + name, schema); !why.empty()) return why;
  }
  return {};
}

std::string why_not_property(const std::string& path, const json& schema) {
  if (!schema.is_object()) return path + ": a schema must be an object";
  const auto text_of = [&](const char* member) {
    const auto at = schema.find(member);
    return at != schema.end() && at->is_string() ? at->get<std::string>() : std::string{};
  };
  const auto flag = [&](const char* member) { return schema.contains(member) && schema[member] == true; };
  const auto type = text_of("type");
  const bool open = flag("x-kubernetes-preserve-unknown-fields") || flag("x-kubernetes-int-or-string");
  if (type.empty() && !open) return path + ": the type is missing";
  if (text_of("description").empty()) return path + ": the description is missing";
  if (type == "array") {
    if (!schema.contains("items")) return path + ": items is missing";
    return why_not_property(path + "[]", schema["items"]);
  }
  if (schema.contains("additionalProperties")) return why_not_property(path + ".*", schema["additionalProperties"]);
  if (type == "object" && !open && !schema.contains("properties")) return path + ": an object needs properties";
  return schema.contains("properties") ? why_not_properties(path, schema["properties"]) : std::string{};
}

std::string why_not_required(const std::string& path, const json& fragment) {
  if (!fragment.contains("required")) return {};
  if (!fragment["required"].is_array()) return path + ": required is no list";
  for (const auto& name : fragment["required"]) {
    const bool known =
        name.is_string() && fragment.contains("properties") && fragment["properties"].contains(name.get<std::string>());
    if (!known) return path + ": required names " + name.dump() + ", which is none of its properties";
  }
  return {};
}

// Adds the fragment's properties to the host's, for the check of paths.
std::string merge_fragment(const std::string& member, const std::string& text, json& host_properties) {
  if (text.empty()) return {};
  const auto fragment = parse_object(text, max_schema);
  if (!fragment) return member + " " + fragment.error().detail;
  for (const auto& [name, unused] : fragment->items()) {
    if (name != "properties" && name != "required") {
      return member + ": has the member \"" + name + "\"; only properties and required may be there";
    }
  }
  if (auto why = why_not_required(member, *fragment); !why.empty()) return why;
  if (!fragment->contains("properties")) return {};
  if (auto why = why_not_properties(member, (*fragment)["properties"]); !why.empty()) return why;
  for (const auto& [name, schema] : (*fragment)["properties"].items()) {
    if (host_properties.contains(name)) return member + "." + name + ": this field is the host's own";
    host_properties[name] = schema;
  }
  return {};
}

/// The first field that may be null: the host's rules that a claim's spec never changes are not evaluated on null.
std::string why_may_be_null(const std::string& path, const json& schema) {
  if (!schema.is_object()) return {};
  if (schema.contains("nullable") && schema["nullable"] != false)
    return path +
           ": nullable is not allowed in a claim's spec, as what is null could be changed; leave the field out "
           "instead";
  if (schema.contains("properties") && schema["properties"].is_object()) {
    for (const auto& [name, property] : schema["properties"].items())
      if (auto why = why_may_be_null(path + "." + name, property); !why.empty()) return why;
  }
  if (schema.contains("items"))
    if (auto why = why_may_be_null(path + "[]", schema["items"]); !why.empty()) return why;
  return schema.contains("additionalProperties") ? why_may_be_null(path + ".*", schema["additionalProperties"])
                                                 : std::string{};
}

/// The schema of what is at `path`, or of the open object that it would lie in; null: there is no such field.
const json* schema_at(const json& root, std::string_view path) {
  const json* at = &root;
  for (;;) {
    const auto dot = path.find('.');
    const auto properties = at->find("properties");
    if (properties == at->end()) {
      const bool open = at->contains("additionalProperties") || at->contains("x-kubernetes-preserve-unknown-fields");
      return open ? at : nullptr;
    }
    const auto next = properties->find(std::string(path.substr(0, dot)));
    if (next == properties->end()) return nullptr;
    at = &*next;
    if (dot == std::string_view::npos) return at;
    path.remove_prefix(dot + 1);
  }
}

json object_of(const json& spec, const json& status) {
  return {{"properties", {{"spec", {{"properties", spec}}}, {"status", {{"properties", status}}}}}};
}

std::string why_not_scale_path(const char* member, const std::string& path, const char* part, const json& root) {
  const std::string what = std::string(member) + ": \"" + path + "\" is ";
  if (!is_dotted_path(path) || !path.starts_with(part)) return what + "no path that begins with " + part;
  const json* schema = schema_at(root, path);
  if (schema == nullptr || schema->value("type", json()) != "integer") return what + "no integer of the schema";
  return {};
}

/// `name` must be a member of `properties`, and of this type.
std::string why_not_member(const char* what, const std::string& name, const json& properties, const char* of,
                           const char* type) {
  const auto found = properties.find(name);
  if (found != properties.end() && found->value("type", json()) == type) return {};
  return std::string(what) + ": \"" + name + "\" is no " + type + " of " + of;
}

std::string why_not_phase(const char* what, const std::string& phase, const json& schema) {
  if (phase.empty() || !schema.contains("enum")) return {};
  const auto& allowed = schema["enum"];
  if (std::find(allowed.begin(), allowed.end(), json(phase)) != allowed.end()) return {};
  return std::string(what) + ": \"" + phase + "\" is none of the phases in status_schema";
}

std::string why_not_wait(const runtime::WaitDeclaration& wait, const json& spec, const json& status,
                         const json& claim_spec) {
  if (wait.open_phase.empty()) return {};
  if (auto why = why_not_member("wait", "phase", status, "status_schema", "string"); !why.empty()) return why;
  if (auto why = why_not_phase("wait.open_phase", wait.open_phase, status["phase"]); !why.empty()) return why;
  if (auto why = why_not_phase("wait.failed_phase", wait.failed_phase, status["phase"]); !why.empty()) return why;
  if (wait.rounds_field.empty()) return {};
  if (auto why = why_not_member("wait.rounds_field", wait.rounds_field, spec, "spec_schema", "boolean"); !why.empty())
    return why;
  if (auto why = why_not_member("wait.round_field", wait.round_field, claim_spec, "claim_spec_schema", "integer");
      !why.empty())
    return why;
  return why_not_member("wait.served_round_field", wait.served_round_field, status, "status_schema", "integer");
}

std::string why_not_scale(const runtime::ScalePaths& scale, const json& root) {
  if (scale.spec.empty() && scale.status.empty()) return {};
  auto why = why_not_scale_path("scale_spec_path", scale.spec, "spec.", root);
  return why.empty() ? why_not_scale_path("scale_status_path", scale.status, "status.", root) : why;
}

/// Of what the plugin itself adds to a claim's spec, which has been merged without fault.
std::string why_not_own_claim_spec(const KindDeclaration& kind) {
  const auto own = parse_object(kind.claim_spec_schema.empty() ? "{}" : kind.claim_spec_schema, max_schema);
  if (own)
    if (auto why = why_may_be_null("claim_spec_schema", *own); !why.empty()) return why;
  if (kind.participant_field.empty()) return {};
  const json fields = own ? own->value("properties", json::object()) : json::object();
  return why_not_member("participant_field", kind.participant_field, fields, "claim_spec_schema", "string");
}

std::string why_not_claim_fields(const KindDeclaration& kind, const json& root) {
  for (std::size_t i = 0; i < kind.claim_fields.size(); ++i) {
    const auto& path = kind.claim_fields[i].path;
    if (!is_dotted_path(path) || schema_at(root, path) == nullptr) {
      return "claim_fields[" + std::to_string(i) + "].path: the schema of " + kind.claim.kind + " has no field \"" +
             path + "\"";
    }
  }
  return {};
}

}  // namespace

std::string why_not_valid_schemas(const KindDeclaration& kind) {
  const bool claims = kind.mode != runtime::Mode::observed;
  json spec = primitive_spec_properties(kind.mode);
  json status = primitive_status_properties(kind);
  json claim_spec = claims ? claim_spec_properties(kind) : json::object();
  json claim_status = claims ? claim_status_properties(kind) : json::object();
  if (auto why = merge_fragment("spec_schema", kind.spec_schema, spec); !why.empty()) return why;
  if (auto why = merge_fragment("status_schema", kind.status_schema, status); !why.empty()) return why;
  if (auto why = why_not_scale(kind.scale, object_of(spec, status)); !why.empty()) return why;
  if (!claims) {
    if (auto why = why_not_wait(kind.wait, spec, status, {}); !why.empty()) return why;
    const bool none = kind.claim_spec_schema.empty() && kind.claim_status_schema.empty();
    return none ? std::string{} : "claim_spec_schema: a kind without claims has no schema for them";
  }
  if (auto why = merge_fragment("claim_spec_schema", kind.claim_spec_schema, claim_spec); !why.empty()) return why;
  if (auto why = merge_fragment("claim_status_schema", kind.claim_status_schema, claim_status); !why.empty())
    return why;
  if (auto why = why_not_wait(kind.wait, spec, status, claim_spec); !why.empty()) return why;
  if (auto why = why_not_own_claim_spec(kind); !why.empty()) return why;
  return why_not_claim_fields(kind, object_of(claim_spec, claim_status));
}

}  // namespace konductor::host
