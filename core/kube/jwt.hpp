#pragma once

#include "kube/time.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace konductor::kube {

/// What a service account token says about its bearer.
struct BoundToken {
  std::string ns;
  std::string service_account;
  std::string pod_name;  // both empty where the token is bound to no pod
  std::string pod_uid;
  std::optional<WallTime> expiry;
};

/// Reads the claims of a bound service account token; nothing for any other text. The signature is not verified: this
/// tells a program who it is itself, and must never be used to trust somebody else.
std::optional<BoundToken> bound_token_claims(std::string_view jwt);

}  // namespace konductor::kube
