#pragma once

#include "runtime/kind.hpp"

#include <nlohmann/json_fwd.hpp>

#include <span>
#include <string>

/// What `create` and `set` send, from the values of declared flags.
namespace konductor::kondctl {

[[nodiscard]] nlohmann::json compose_primitive(const runtime::KindDeclaration& kind, const std::string& name,
                                               std::span<const runtime::FixedValue> fields);
/// A merge patch of just these fields.
[[nodiscard]] nlohmann::json compose_change(std::span<const runtime::FixedValue> fields);
/// "size 6, grace 10s": what was set, for people.
[[nodiscard]] std::string described(std::span<const runtime::FixedValue> fields);

}  // namespace konductor::kondctl
