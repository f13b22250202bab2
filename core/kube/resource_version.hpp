#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

namespace konductor::kube {

/// A resourceVersion as a number, to compare two of the same resource; nothing where it is not a plain decimal integer.
inline std::optional<std::uint64_t> parse_resource_version(std::string_view text) noexcept {
  if (text.empty() || (text.front() == '0' && text.size() > 1)) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace konductor::kube
