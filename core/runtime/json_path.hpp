#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace konductor::runtime {

/// The value at a dotted path ("status.ledger.seen"), or null where any step is missing or no object. Never throws.
const nlohmann::json* find_path(const nlohmann::json& object, std::string_view path) noexcept;

/// The same, of a type; empty where it is absent or of another type.
std::string text_at(const nlohmann::json& object, std::string_view path);
std::optional<std::int64_t> integer_at(const nlohmann::json& object, std::string_view path) noexcept;
std::optional<bool> boolean_at(const nlohmann::json& object, std::string_view path) noexcept;

}  // namespace konductor::runtime
