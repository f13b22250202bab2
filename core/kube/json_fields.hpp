#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Reading JSON that others wrote: whatever its shape, none of these throws. What they point to lives as long as
/// `object`. A path names members by dots ("status.ledger.seen"), the empty path the object itself.
namespace konductor::kube {

/// The member of just this name, dots and all; null where `object` is no object, has no such member, or it is JSON
/// null.
const nlohmann::json* member(const nlohmann::json& object, std::string_view key) noexcept;

/// The value at a path, be it JSON null; null where any step is missing or no object.
const nlohmann::json* find_path(const nlohmann::json& object, std::string_view path) noexcept;

/// The text at a path; empty where it is absent or not a string.
const std::string& text_at(const nlohmann::json& object, std::string_view path) noexcept;

/// The integer at a path, if there is one in the range of int64.
std::optional<std::int64_t> integer_at(const nlohmann::json& object, std::string_view path) noexcept;

std::optional<bool> boolean_at(const nlohmann::json& object, std::string_view path) noexcept;

/// The condition of this type in an object's status.conditions; null where there is none.
const nlohmann::json* condition_of(const nlohmann::json& object, std::string_view type) noexcept;
/// The same, in the list itself.
const nlohmann::json* find_condition(const nlohmann::json& conditions, std::string_view type) noexcept;

}  // namespace konductor::kube
