#include "kondctl/explanation.hpp"

#include "host/crd.hpp"
#include "kondctl/suggestion.hpp"
#include "kube/json_fields.hpp"
#include "kube/text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <sstream>
#include <vector>

namespace konductor::kondctl {

namespace {

using nlohmann::json;
using runtime::KindDeclaration;

constexpr std::size_t line_width = 80;
constexpr const char* no_description = "<no description>";

std::string wrapped(const std::string& text, std::size_t indent) {
  std::istringstream words(kube::visible(text.empty() ? no_description : text));
  std::string out;
  std::string line;
  for (std::string word; words >> word;) {
    if (!line.empty() && indent + line.size() + 1 + word.size() > line_width) {
      out += std::string(indent, ' ') + line + "\n";
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
  }
  return out + std::string(indent, ' ') + line + "\n";
}

std::string type_of(const json& schema) {
  const std::string& type = kube::text_at(schema, "type");
  if (type == "array") {
    const json* items = kube::member(schema, "items");
    return "[]" + (items == nullptr ? std::string("Object") : type_of(*items));
  }
  if (type != "object") return type.empty() ? "Object" : type;
  const json* values = kube::member(schema, "additionalProperties");
  return values == nullptr || !values->is_object() ? "Object" : "map[string]" + type_of(*values);
}

// Behind a list or a map stand the fields of its elements.
const json& element_of(const json& schema) {
  for (const char* step : {"items", "additionalProperties"}) {
    const json* inner = kube::member(schema, step);
    if (inner != nullptr && inner->is_object()) return element_of(*inner);
  }
  return schema;
}

bool is_required(const json& schema, const std::string& name) {
  const json* required = kube::member(schema, "required");
  return required != nullptr && required->is_array() &&
         std::find(required->begin(), required->end(), name) != required->end();
}

std::vector<std::string> names_of(const json& schema) {
  std::vector<std::string> names;
  const json* properties = kube::member(schema, "properties");
  if (properties == nullptr || !properties->is_object()) return names;
  for (const auto& [name, field] : properties->items()) names.push_back(name);
  return names;
}

std::string fields_of(const json& schema) {
  std::string text;
  for (const std::string& name : names_of(schema)) {
    const json& field = schema["properties"][name];
    // The API server knows it; here it has neither a description nor fields.
    const bool metadata = name == "metadata" && names_of(field).empty();
    text += (text.empty() ? "FIELDS:\n" : "\n") +
            ("  " + name + "\t<" + (metadata ? "ObjectMeta" : type_of(field)) + ">") +
            (is_required(schema, name) ? " -required-\n" : "\n");
    text += wrapped(metadata ? "Standard object metadata." : kube::text_at(field, "description"), 4);
  }
  return text;
}

std::string enum_of(const json& schema) {
  const json* values = kube::member(schema, "enum");
  if (values == nullptr || !values->is_array()) return {};
  std::string text = "ENUM:\n";
  for (const json& value : *values)
    text += "    " + (value.is_string() ? value.get<std::string>() : value.dump()) + "\n";
  return text + "\n";
}

struct Found {
  std::string kind;
  json schema;
};

bool is_named(const runtime::Names& names, const std::string& word) {
  return !word.empty() &&
         (word == names.singular || word == names.plural || word == names.short_name || word == names.kind);
}

Result<Found> find_kind(std::span<const KindDeclaration> kinds, const std::string& word) {
  constexpr const char* schema_path = "openAPIV3Schema";
  std::vector<std::string> known;
  for (const KindDeclaration& kind : kinds) {
    const bool claims = !kind.claim.plural.empty();
    for (const bool claim : {false, true}) {
      if (claim && !claims) continue;
      const runtime::Names& names = claim ? kind.claim : kind.names;
      known.push_back(names.singular);
      if (!is_named(names, word)) continue;
      const json crd = claim ? host::claim_crd(kind) : host::primitive_crd(kind);
      return Found{names.kind, crd["spec"]["versions"][0]["schema"][schema_path]};
    }
  }
  if (known.empty()) {
    return Error{Errc::bad_config,
                 "there is no kind " + kube::quoted(word) + ": no plugin is loaded, `kondctl plugin list` says why", 0};
  }
  return Error{Errc::bad_config,
               "there is no kind " + kube::quoted(word) + "; there are: " + joined(known) + did_you_mean(word, known),
               0};
}

}  // namespace

Result<std::string> explain(std::span<const KindDeclaration> kinds, const std::string& path) {
  std::istringstream steps(path);
  std::string word;
  std::getline(steps, word, '.');
  auto found = find_kind(kinds, word);
  if (!found) return found.error();
  const json* schema = &found->schema;
  std::string field;
  while (std::getline(steps, word, '.')) {
    const json& fields = element_of(*schema);
    const std::vector<std::string> names = names_of(fields);
    if (std::find(names.begin(), names.end(), word) == names.end()) {
      const std::string where = field.empty() ? found->kind : found->kind + " field " + kube::quoted(field);
      return Error{Errc::bad_config,
                   where + " has no field " + kube::quoted(word) +
                       (names.empty() ? std::string{} : "; it has: " + joined(names) + did_you_mean(word, names)),
                   0};
    }
    schema = &fields["properties"][word];
    field = word;
  }
  std::string text = "GROUP:      " + std::string(runtime::api_group) + "\nKIND:       " + found->kind +
                     "\nVERSION:    " + runtime::api_version + "\n\n";
  if (!field.empty()) text += "FIELD: " + field + " <" + type_of(*schema) + ">\n\n";
  text += enum_of(*schema) + "DESCRIPTION:\n" + wrapped(kube::text_at(*schema, "description"), 4);
  const std::string fields = fields_of(element_of(*schema));
  return text + (fields.empty() ? fields : "\n" + fields);
}

}  // namespace konductor::kondctl
