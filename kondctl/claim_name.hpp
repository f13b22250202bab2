#pragma once

#include "kube/resource.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace konductor::kondctl {

/// Who asks, for what: equal keys are the same claim, also after a crash.
struct ClaimKey {
  std::string holder;  // UID of the Pod; outside of pods what --holder says, or user@host
  kube::NamespacedName primitive;
  std::string slot;  // tells claims of one holder apart; outside of pods random, unless --holder names it
};

/// A valid DNS label for every key: the primitive's name, cut, and 80 bits of a hash of the whole key.
[[nodiscard]] std::string claim_name(const ClaimKey& key);

/// 16 hexadecimal digits: how a random number becomes a slot.
[[nodiscard]] std::string random_slot(std::uint64_t random);

}  // namespace konductor::kondctl
