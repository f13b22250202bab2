#include "fuzz/fuzz.hpp"
#include "fuzz/sentence.hpp"
#include "kube/json_fields.hpp"
#include "kube/object_meta.hpp"
#include "kube/resource.hpp"
#include "kube/resource_version.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

namespace {

using namespace konductor;
using fuzz::expect;
using nlohmann::json;

/// The object that `meta` was read from, as far as it was read.
json written(const kube::ObjectMeta& meta) {
  json owners = json::array();
  for (const auto& owner : meta.owner_references) {
    owners.push_back({{"apiVersion", owner.api_version},
                      {"kind", owner.kind},
                      {"name", owner.name},
                      {"uid", owner.uid},
                      {"controller", owner.controller}});
  }
  json metadata = {{"name", meta.name},
                   {"namespace", meta.ns},
                   {"uid", meta.uid},
                   {"resourceVersion", meta.resource_version},
                   {"generation", meta.generation},
                   {"creationTimestamp", kube::to_rfc3339_micro(meta.creation)},
                   {"labels", meta.labels},
                   {"ownerReferences", owners}};
  if (meta.deleting) metadata["deletionTimestamp"] = "2024-01-15T10:30:00Z";
  return {{"metadata", std::move(metadata)}};
}

void check_fields(const json& object) {
  for (const std::string_view path : {"", "metadata", "metadata.name", "metadata.labels.app", "a..b", "."}) {
    const json* found = kube::find_path(object, path);
    const auto whole = kube::integer_at(object, path);
    expect(!whole || (found != nullptr && *found == *whole), "an integer is read as it is written, or not at all");
    expect(kube::text_at(object, path).empty() || found->is_string(), "only text is text");
    expect(!kube::boolean_at(object, path) || found->is_boolean(), "only a boolean is a boolean");
  }
}

}  // namespace

/// An object of the API as JSON.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const json object = json::parse(fuzz::text_of(data, size), nullptr, false);
  if (object.is_discarded()) return 0;
  check_fields(object);
  const auto meta = kube::parse_meta(object);
  if (!meta) {
    fuzz::expect_sentence(meta.error());
    expect(meta.error().code == Errc::protocol_violation, "a server does not send such an object");
    return 0;
  }
  expect(!meta->name.empty(), "an object has a name");
  const auto again = kube::parse_meta(written(*meta));
  expect(again && again->name == meta->name && again->uid == meta->uid && again->labels == meta->labels &&
             again->owner_references == meta->owner_references && again->generation == meta->generation &&
             again->deleting == meta->deleting,
         "metadata survives being written");
  if (const auto version = kube::parse_resource_version(meta->resource_version)) {
    expect(std::to_string(*version) == meta->resource_version, "a resourceVersion has one way of being written");
  }
  const std::string path = kube::path_of({"example.com", "v1", "widgets"}, meta->ns, meta->name);
  expect(path.find_first_of(" \r\n?#") == std::string::npos, "no name leaves its place in a path");
  return 0;
}
