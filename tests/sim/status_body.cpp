#include "tests/sim/status_body.hpp"

#include <nlohmann/json.hpp>

namespace konductor::sim {
namespace {

std::string quoted(const kube::Resource& resource, const std::string& name) {
  return kube::to_string(resource) + " \"" + name + "\"";
}

}  // namespace

nlohmann::json StatusBody::to_json() const {
  nlohmann::json body{{"kind", "Status"},    {"apiVersion", "v1"}, {"metadata", nlohmann::json::object()},
                      {"status", "Failure"}, {"message", message}, {"reason", reason},
                      {"code", code}};
  if (!name.empty()) {
    body["details"] = {{"name", name}, {"kind", kind}};
    if (!group.empty()) body["details"]["group"] = group;
  }
  return body;
}

kube::Response response_of(const StatusBody& body) {
  kube::Response response;
  response.status = body.code;
  response.body = body.to_json().dump();
  return response;
}

StatusBody not_found(const kube::Resource& resource, const std::string& name) {
  return {404, "NotFound", quoted(resource, name) + " not found", name, resource.group, resource.plural};
}

StatusBody already_exists(const kube::Resource& resource, const std::string& name) {
  return {409, "AlreadyExists", quoted(resource, name) + " already exists", name, resource.group, resource.plural};
}

StatusBody conflict(const kube::Resource& resource, const std::string& name, const std::string& why) {
  return {409,  "Conflict",     "Operation cannot be fulfilled on " + quoted(resource, name) + ": " + why,
          name, resource.group, resource.plural};
}

StatusBody modified(const kube::Resource& resource, const std::string& name) {
  return conflict(resource, name,
                  "the object has been modified; please apply your changes to the latest version and try again");
}

StatusBody invalid(const kube::Resource& resource, const std::string& kind, const std::string& name,
                   const std::string& why) {
  const std::string qualified = resource.group.empty() ? kind : kind + "." + resource.group;
  return {422, "Invalid", qualified + " \"" + name + "\" is invalid: " + why, name, resource.group, kind};
}

StatusBody bad_request(const std::string& message) {
  return {400, "BadRequest", message, {}, {}, {}};
}

StatusBody expired(const std::string& message) {
  return {410, "Expired", message, {}, {}, {}};
}

}  // namespace konductor::sim
