#pragma once

#include "kube/resource.hpp"
#include "kube/response.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace konductor::sim {

/// A metav1.Status, worded as the API server words it.
struct StatusBody {
  int code = 0;
  std::string reason;
  std::string message;
  std::string name;
  std::string group;
  std::string kind;  // the plural in most answers, the kind in 422
  nlohmann::json to_json() const;
};

kube::Response response_of(const StatusBody& body);

StatusBody not_found(const kube::Resource& resource, const std::string& name);
StatusBody already_exists(const kube::Resource& resource, const std::string& name);
/// `why` as the server continues after "Operation cannot be fulfilled on ...: ".
StatusBody conflict(const kube::Resource& resource, const std::string& name, const std::string& why);
StatusBody modified(const kube::Resource& resource, const std::string& name);
StatusBody invalid(const kube::Resource& resource, const std::string& kind, const std::string& name,
                   const std::string& why);
StatusBody bad_request(const std::string& message);
StatusBody expired(const std::string& message);

}  // namespace konductor::sim
