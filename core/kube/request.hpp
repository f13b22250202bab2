#pragma once

#include "kube/resource.hpp"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace konductor::kube {

enum class Method { get, post, patch, put, delete_ };

std::string_view to_string(Method method) noexcept;

/// An HTTP request as a value. Who sends it adds host, credentials and a deadline.
struct Request {
  Method method = Method::get;
  std::string target;        // path and query, already percent-encoded
  std::string body;          // empty: none
  std::string content_type;  // of the body
  std::string accept = "application/json";
  auto operator<=>(const Request&) const = default;
};

struct ListOptions {
  std::string field_selector;
  std::string label_selector;
  int limit = 500;               // page size; 0: everything at once
  std::string continue_token;    // of the previous page
  std::string resource_version;  // empty: a consistent read
  bool metadata_only = false;    // PartialObjectMetadata: what the pods watch wants
};

struct WatchOptions {
  std::string field_selector;
  std::string label_selector;
  std::string resource_version;  // resume after this one
  int timeout_s = 290;           // the server ends the stream then
  bool metadata_only = false;
};

/// What a delete must still find; an empty field is not checked.
struct Preconditions {
  std::string uid;
  std::string resource_version;
};

Request get(const Resource& resource, const NamespacedName& object);
/// The same, of which only metadata is sent.
Request get_metadata(const Resource& resource, const NamespacedName& object);
Request list(const Resource& resource, std::string_view ns, const ListOptions& options);
Request watch(const Resource& resource, std::string_view ns, const WatchOptions& options);
Request create(const Resource& resource, std::string_view ns, const nlohmann::json& object);
/// JSON merge patch. The body should carry metadata.resourceVersion (compare-and-swap) and, where the object could have
/// been re-created, metadata.uid.
Request merge_patch(const Resource& resource, const NamespacedName& object, const nlohmann::json& patch,
                    std::string_view subresource = {});
/// Server-side apply with force, as field manager `manager`.
Request apply(const Resource& resource, const NamespacedName& object, const nlohmann::json& body,
              std::string_view manager);
Request delete_object(const Resource& resource, const NamespacedName& object, const Preconditions& preconditions);

/// Percent-encodes everything but unreserved characters (RFC 3986 2.3).
std::string percent_encode(std::string_view text);

}  // namespace konductor::kube
