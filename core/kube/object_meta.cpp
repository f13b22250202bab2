#include "kube/object_meta.hpp"

#include "kube/json_fields.hpp"
#include "kube/text.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace konductor::kube {
namespace {

/// Reads fields of one JSON object and remembers the first that has the wrong type.
class FieldReader {
 public:
  FieldReader(const nlohmann::json& object, std::string path) : object_(object), path_(std::move(path)) {}

  void read(std::string_view key, std::string& value) {
    const nlohmann::json* found = member(object_, key);
    if (found == nullptr) return;
    if (!found->is_string()) return refuse(key, "a string");
    value = found->get_ref<const std::string&>();
  }

  void read(std::string_view key, std::int64_t& value) {
    if (member(object_, key) == nullptr) return;
    const std::optional<std::int64_t> found = integer_at(object_, key);
    if (!found) return refuse(key, "an integer");
    value = *found;
  }

  void read(std::string_view key, bool& value) {
    const nlohmann::json* found = member(object_, key);
    if (found == nullptr) return;
    if (!found->is_boolean()) return refuse(key, "a boolean");
    value = found->get<bool>();
  }

  void read(std::string_view key, WallTime& value) {
    std::string text;
    read(key, text);
    if (text.empty()) return;
    const Result<WallTime> time = parse_rfc3339(text);
    if (!time) return refuse(key, "a time");
    value = *time;
  }

  void refuse(std::string_view key, std::string_view expected) {
    if (problem_.empty()) problem_ = path_ + '.' + std::string(key) + " is not " + std::string(expected);
  }

  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  const nlohmann::json& object_;
  std::string path_;
  std::string problem_;
};

void read_labels(const nlohmann::json& metadata, FieldReader& reader, ObjectMeta& meta) {
  const nlohmann::json* labels = member(metadata, "labels");
  if (labels == nullptr) return;
  if (!labels->is_object()) return reader.refuse("labels", "an object");
  for (const auto& [key, value] : labels->items()) {
    if (!value.is_string()) return reader.refuse("labels", "an object of strings");
    meta.labels.emplace(key, value.get_ref<const std::string&>());
  }
}

void read_owners(const nlohmann::json& metadata, FieldReader& reader, ObjectMeta& meta) {
  const nlohmann::json* owners = member(metadata, "ownerReferences");
  if (owners == nullptr) return;
  if (!owners->is_array()) return reader.refuse("ownerReferences", "an array");
  for (const nlohmann::json& element : *owners) {
    if (!element.is_object()) return reader.refuse("ownerReferences", "an array of objects");
    FieldReader fields(element, "ownerReferences");
    OwnerReference& owner = meta.owner_references.emplace_back();
    fields.read("apiVersion", owner.api_version);
    fields.read("kind", owner.kind);
    fields.read("name", owner.name);
    fields.read("uid", owner.uid);
    fields.read("controller", owner.controller);
    if (!fields.problem().empty()) return reader.refuse("ownerReferences", "as expected: " + fields.problem());
  }
}

}  // namespace

Result<ObjectMeta> parse_meta(const nlohmann::json& object) {
  const nlohmann::json* metadata = member(object, "metadata");
  if (metadata == nullptr || !metadata->is_object()) {
    return Error{Errc::protocol_violation, "the server sent an object without metadata"};
  }
  ObjectMeta meta;
  FieldReader reader(*metadata, "metadata");
  reader.read("name", meta.name);
  reader.read("namespace", meta.ns);
  reader.read("uid", meta.uid);
  reader.read("resourceVersion", meta.resource_version);
  reader.read("generation", meta.generation);
  reader.read("creationTimestamp", meta.creation);
  meta.deleting = member(*metadata, "deletionTimestamp") != nullptr;
  read_labels(*metadata, reader, meta);
  read_owners(*metadata, reader, meta);
  if (meta.name.empty()) reader.refuse("name", "there");
  if (reader.problem().empty()) return meta;
  const std::string who = meta.name.empty() ? "an object" : "object " + one_line(to_string(meta.key()), 300);
  return Error{Errc::protocol_violation, "the server sent " + who + " whose " + reader.problem()};
}

}  // namespace konductor::kube
