#pragma once

#include "base/error.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace konductor::kube {

/// Microseconds since the Unix epoch: the wall clock of the API server or of objects, never compared with our own.
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;
using Duration = std::chrono::microseconds;

/// RFC 3339 with optional fraction and offset, as metav1.Time and metav1.MicroTime write it.
Result<WallTime> parse_rfc3339(std::string_view text);
/// "2024-01-15T10:30:00Z": metav1.Time.
std::string to_rfc3339(WallTime time);
/// "2024-01-15T10:30:00.123456Z": metav1.MicroTime.
std::string to_rfc3339_micro(WallTime time);
/// The Date header of HTTP (RFC 9110 5.6.7, IMF-fixdate).
std::optional<WallTime> parse_http_date(std::string_view text);

/// A duration as Go and Kubernetes write it: "5m", "1h30m", "1.5s", "250ms". A number without a unit, a sign or an
/// empty text is Errc::invalid with a sentence that says what would be right ("90" -> write "90s").
Result<Duration> parse_duration(std::string_view text);
/// The shortest such text: "1h30m", "10m", "1.5s".
std::string to_string(Duration duration);

}  // namespace konductor::kube
