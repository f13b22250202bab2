#include "kube/request.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace konductor::kube {
namespace {

constexpr const char* metadata_type = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
constexpr const char* json_type = "application/json";

/// Invalid UTF-8 is replaced, where dump() would otherwise throw.
std::string text_of(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// Grows a target by its query; parameters without a value are left out.
class Query {
 public:
  explicit Query(std::string path) : target_(std::move(path)) {}

  Query& add(std::string_view key, std::string_view value) {
    if (value.empty()) return *this;
    target_ += separator_;
    separator_ = '&';
    target_.append(key).append("=").append(percent_encode(value));
    return *this;
  }

  std::string take() { return std::move(target_); }

 private:
  std::string target_;
  char separator_ = '?';
};

}  // namespace

std::string_view to_string(Method method) noexcept {
  switch (method) {
    case Method::get: return "GET";
    case Method::post: return "POST";
    case Method::patch: return "PATCH";
    case Method::put: return "PUT";
    case Method::delete_: return "DELETE";
  }
  return "GET";
}

Request get(const Resource& resource, const NamespacedName& object) {
  return {.target = path_of(resource, object.ns, object.name), .body = {}, .content_type = {}};
}

Request get_metadata(const Resource& resource, const NamespacedName& object) {
  auto request = get(resource, object);
  request.accept = metadata_type;
  return request;
}

Request list(const Resource& resource, std::string_view ns, const ListOptions& options) {
  Query query(path_of(resource, ns));
  query.add("fieldSelector", options.field_selector).add("labelSelector", options.label_selector);
  if (options.limit > 0) query.add("limit", std::to_string(options.limit));
  if (!options.continue_token.empty()) {
    // The token says the resourceVersion; the server refuses both.
    query.add("continue", options.continue_token);
  } else if (!options.resource_version.empty()) {
    query.add("resourceVersion", options.resource_version).add("resourceVersionMatch", "NotOlderThan");
  }
  Request request{.target = query.take(), .body = {}, .content_type = {}};
  if (options.metadata_only) request.accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
  return request;
}

Request watch(const Resource& resource, std::string_view ns, const WatchOptions& options) {
  Query query(path_of(resource, ns));
  query.add("watch", "true")
      .add("allowWatchBookmarks", "true")
      .add("fieldSelector", options.field_selector)
      .add("labelSelector", options.label_selector)
      .add("resourceVersion", options.resource_version)
      .add("timeoutSeconds", std::to_string(options.timeout_s));
  Request request{.target = query.take(), .body = {}, .content_type = {}};
  if (options.metadata_only) request.accept = metadata_type;
  return request;
}

Request create(const Resource& resource, std::string_view ns, const nlohmann::json& object) {
  return {.method = Method::post, .target = path_of(resource, ns), .body = text_of(object), .content_type = json_type};
}

Request merge_patch(const Resource& resource, const NamespacedName& object, const nlohmann::json& patch,
                    std::string_view subresource) {
  return {.method = Method::patch,
          .target = path_of(resource, object.ns, object.name, subresource),
          .body = text_of(patch),
          .content_type = "application/merge-patch+json"};
}

Request apply(const Resource& resource, const NamespacedName& object, const nlohmann::json& body,
              std::string_view manager) {
  Query query(path_of(resource, object.ns, object.name));
  query.add("fieldManager", manager).add("force", "true");
  // JSON is YAML; older servers know apply under this type only.
  return {.method = Method::patch,
          .target = query.take(),
          .body = text_of(body),
          .content_type = "application/apply-patch+yaml"};
}

Request delete_object(const Resource& resource, const NamespacedName& object, const Preconditions& preconditions) {
  nlohmann::json options = {{"apiVersion", "v1"}, {"kind", "DeleteOptions"}, {"propagationPolicy", "Background"}};
  if (!preconditions.uid.empty()) options["preconditions"]["uid"] = preconditions.uid;
  if (!preconditions.resource_version.empty()) {
    options["preconditions"]["resourceVersion"] = preconditions.resource_version;
  }
  return {.method = Method::delete_,
          .target = path_of(resource, object.ns, object.name),
          .body = text_of(options),
          .content_type = json_type};
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                            c == '.' || c == '_' || c == '~';
    if (unreserved) {
      encoded += c;
    } else {
      encoded += '%';
      encoded += digits[byte >> 4U];
      encoded += digits[byte & 0x0fU];
    }
  }
  return encoded;
}

}  // namespace konductor::kube
