#pragma once

#include "base/error.hpp"
#include "kondctl/claim_codec.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace konductor::kondctl {

/// What the process finds around it that says who it is.
struct Surroundings {
  std::string token;     // of the pod's service account; empty where the cluster was not found by it
  std::string pod_name;  // $POD_NAME, $POD_NAMESPACE, $POD_UID
  std::string pod_namespace;
  std::string pod_uid;
  std::string user;
  std::string host;
  std::uint64_t random = 0;
};

/// On whose behalf claims are made.
struct Identity {
  std::optional<PodReference> pod;
  std::string pod_namespace;
  std::string holder;  // shown to people
  std::string key;     // equal keys and slots are the same claim
  std::string slot;
  bool lasting = false;  // asking again finds the same claim
};

/// The Pod that the token is bound to, else the one that POD_NAME and POD_UID name, else user@host. `holder` puts any
/// other name in the Pod's place: the claim is then bound to no Pod.
Result<Identity> identify(const Surroundings& surroundings, const std::optional<std::string>& holder,
                          const std::string& slot);

}  // namespace konductor::kondctl
