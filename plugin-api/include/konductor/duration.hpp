#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

/// Durations as Kubernetes writes them in a spec: "90s", "5m", "1h30m". Those of declared claim fields and flags the
/// host reads itself; these are for the members of a primitive's own spec.
namespace konductor::plugin {

/// Microseconds, rounded down, as the host reads the same text. Empty where it is no such duration: no text, no unit, a
/// sign, or more than 292 years.
std::optional<std::int64_t> parse_duration(std::string_view text) noexcept;

// ---------------------------------------------------------------- implementation

namespace detail {

struct DurationUnit {
  std::string_view name;
  std::int64_t nanoseconds;
};
// Longer names stand before their own beginnings.
inline constexpr DurationUnit duration_units[] = {{"ns", 1},
                                                  {"us", 1'000},
                                                  {"\xc2\xb5s", 1'000},  // micro sign
                                                  {"\xce\xbcs", 1'000},  // Greek mu
                                                  {"ms", 1'000'000},
                                                  {"s", 1'000'000'000},
                                                  {"m", 60'000'000'000},
                                                  {"h", 3'600'000'000'000}};

inline constexpr std::int64_t longest_duration = std::numeric_limits<std::int64_t>::max();  // nanoseconds

inline std::string_view take_digits(std::string_view& text) noexcept {
  const std::size_t end = text.find_first_not_of("0123456789");
  const std::string_view digits = text.substr(0, end);
  text.remove_prefix(digits.size());
  return digits;
}

/// The unit that `text` begins with is taken off; null: there is none.
inline const DurationUnit* take_unit(std::string_view& text) noexcept {
  for (const DurationUnit& unit : duration_units) {
    if (text.substr(0, unit.name.size()) != unit.name) continue;
    text.remove_prefix(unit.name.size());
    return &unit;
  }
  return nullptr;
}

/// Adds whole.fraction units to `total`; false where that is too long.
inline bool add_duration(std::int64_t& total, std::string_view whole, std::string_view fraction,
                         std::int64_t unit) noexcept {
  std::int64_t count = 0;
  for (const char digit : whole) {
    if (count > (longest_duration - (digit - '0')) / 10) return false;
    count = count * 10 + (digit - '0');
  }
  if (count > (longest_duration - total) / unit) return false;
  total += count * unit;
  for (const char digit : fraction) {
    unit /= 10;
    const std::int64_t part = (digit - '0') * unit;
    if (part > longest_duration - total) return false;
    total += part;
  }
  return true;
}

}  // namespace detail

inline std::optional<std::int64_t> parse_duration(std::string_view text) noexcept {
  if (text.empty()) return std::nullopt;
  std::int64_t total = 0;
  while (!text.empty()) {
    const std::string_view whole = detail::take_digits(text);
    std::string_view fraction;
    if (!text.empty() && text.front() == '.') {
      text.remove_prefix(1);
      fraction = detail::take_digits(text);
    }
    if (whole.empty() && fraction.empty()) return std::nullopt;
    const detail::DurationUnit* unit = detail::take_unit(text);
    if (unit == nullptr || !detail::add_duration(total, whole, fraction, unit->nanoseconds)) return std::nullopt;
  }
  return total / 1000;
}

}  // namespace konductor::plugin
