#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

/// Reading JSON that others wrote: whatever its shape, none of these throws.
namespace konductor::kube {

/// The member, or null where `object` is no object, has no such member, or it is JSON null.
const nlohmann::json* member(const nlohmann::json& object, std::string_view key) noexcept;

/// The text of a member; empty where it is absent or not a string. Lives as long as `object`.
std::string_view text_at(const nlohmann::json& object, std::string_view key) noexcept;

/// The value of a member that is an integer in the range of int64.
std::optional<std::int64_t> integer_at(const nlohmann::json& object, std::string_view key) noexcept;

}  // namespace konductor::kube
