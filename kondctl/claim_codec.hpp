#pragma once

#include "base/error.hpp"
#include "kube/object_meta.hpp"
#include "kube/resource.hpp"
#include "runtime/claim.hpp"
#include "runtime/clock.hpp"
#include "runtime/kind.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace konductor::kondctl {

struct PodReference {
  std::string name;
  std::string uid;
};

/// What one claim shall say. Settled before anything is sent.
struct ClaimWish {
  const runtime::KindDeclaration* kind = nullptr;  // must outlive the wish
  kube::NamespacedName primitive;
  kube::NamespacedName claim;
  std::optional<PodReference> pod;  // the claim goes with it
  std::string holder;               // shown to people
  std::optional<runtime::Duration> ttl;
  std::optional<std::int64_t> priority;
  bool wait = false;
  std::vector<runtime::FixedValue> fields;  // of declared flags and fixed values, dotted from the claim's root
};

/// A claim as the server shows it, and what of it only the client looks at.
struct ClaimView {
  runtime::Claim claim;
  bool answered = false;     // an operator has written something
  std::string requested_at;  // as written: only compared with itself
  std::string message;       // of the condition Granted while it is not True
};

/// The object to create.
[[nodiscard]] nlohmann::json compose_claim(const ClaimWish& wish, runtime::WallTime requested_at);
/// The same of a claim that is only counted, and goes with its primitive.
[[nodiscard]] nlohmann::json compose_joining(const ClaimWish& wish, const std::string& primitive_uid,
                                             runtime::WallTime requested_at);
[[nodiscard]] Result<ClaimView> view_of_claim(const nlohmann::json& object, const runtime::KindDeclaration& kind);
/// Of a claim that is only counted: it means this primitive, and not a former one of the same name. One that names no
/// owner was made by hand; older than the primitive it can't mean it.
[[nodiscard]] bool is_of(const runtime::Claim& claim, const kube::ObjectMeta& primitive);
/// Why it is not certain who a claim stands for: the message of that condition unless it is True; else empty.
[[nodiscard]] std::string doubt_of(const nlohmann::json& claim);
/// What a primitive says against itself: reason and message of its condition Ready while that is False; else empty.
[[nodiscard]] std::string why_not_ready(const nlohmann::json& primitive);
/// What of an existing claim differs from the wish so that it can't stand for it: dotted path, or empty.
[[nodiscard]] std::string difference(const nlohmann::json& object, const ClaimWish& wish);
/// The same of a claim that is only counted: in which Pod it came does not matter.
[[nodiscard]] std::string difference_of_joining(const nlohmann::json& object, const ClaimWish& wish);
/// The holder's sign of life. With the UID: a claim of another life must not get it.
[[nodiscard]] nlohmann::json compose_renewal(const std::string& uid, runtime::WallTime now);
/// What the next renewal says: later than what the claim shows and than the last one said. One that changes nothing
/// changes no resourceVersion, and is no sign of life: the server's clock may have been set back.
[[nodiscard]] runtime::WallTime renewal_time(const std::string& shown, runtime::WallTime last, runtime::WallTime now);

}  // namespace konductor::kondctl
