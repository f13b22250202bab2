#pragma once

#include "kube/request.hpp"
#include "kube/response.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>

namespace konductor::runtime::test {

/// What the API server does with one coordination.k8s.io Lease: compare-and-swap, and no new version for no change.
class LeaseServer {
 public:
  kube::Response execute(const kube::Request& request) {
    if (request.method == kube::Method::post) {
      if (!record_.is_null()) return failure(409, "AlreadyExists", "leases", "op");
      record_ = nlohmann::json::parse(request.body);
      return commit(201);
    }
    if (record_.is_null()) return not_found("leases", "op");
    if (request.method == kube::Method::get) return success(200);
    const nlohmann::json patch = nlohmann::json::parse(request.body);
    if (patch["metadata"]["resourceVersion"] != version()) return failure(409, "Conflict", "leases", "op");
    const nlohmann::json before = record_;
    record_.merge_patch(patch);
    return record_ == before ? success(200) : commit(200);
  }

  /// Somebody else's write.
  void write(const std::string& holder, std::int64_t duration_s, std::int64_t transitions = 0) {
    record_["metadata"]["name"] = "op";
    record_["spec"] = {
        {"holderIdentity", holder}, {"leaseDurationSeconds", duration_s}, {"leaseTransitions", transitions}};
    commit(200);
  }

  void remove() { record_ = nullptr; }

  [[nodiscard]] const nlohmann::json& spec() const { return record_["spec"]; }
  [[nodiscard]] std::string version() const { return record_["metadata"]["resourceVersion"].get<std::string>(); }

  static kube::Response not_found(const std::string& kind, const std::string& name) {
    return failure(404, "NotFound", kind, name);
  }

 private:
  kube::Response commit(int status) {
    record_["metadata"]["resourceVersion"] = std::to_string(++last_version_);
    return success(status);
  }

  [[nodiscard]] kube::Response success(int status) const {
    return {.status = status, .body = record_.dump(), .retry_after_s = 0, .date = {}};
  }

  static kube::Response failure(int status, const std::string& reason, const std::string& kind,
                                const std::string& name) {
    const nlohmann::json body = {{"kind", "Status"},
                                 {"code", status},
                                 {"reason", reason},
                                 {"message", kind + " " + name + ": " + reason},
                                 {"details", {{"kind", kind}, {"name", name}}}};
    return {.status = status, .body = body.dump(), .retry_after_s = 0, .date = {}};
  }

  nlohmann::json record_;
  std::uint64_t last_version_ = 100;
};

}  // namespace konductor::runtime::test
