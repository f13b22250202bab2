#pragma once

#include "base/error.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace konductor::host {

/// A JSON object out of text that is not trusted: bounded in size and in depth (printing JSON recurses).
Result<nlohmann::json> parse_object(std::string_view text, std::size_t max_bytes);

/// True for well-formed UTF-8 without NUL: what may go into an object of the API.
bool is_text(std::string_view text) noexcept;

/// At most `max_bytes` of `text`, not cut inside a character.
std::string cut_text(std::string_view text, std::size_t max_bytes);

}  // namespace konductor::host
