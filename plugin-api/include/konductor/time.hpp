#pragma once

#include <cstdint>
#include <ctime>
#include <string>

/// Times as Kubernetes shows them in a status.
namespace konductor::plugin {

/// RFC 3339 in UTC, of microseconds since the Unix epoch (from 0 on); what is not a whole second is rounded up, so that
/// a deadline is over when it says so.
inline std::string time_text(std::int64_t time) {
  const auto seconds = static_cast<std::time_t>((time + 999'999) / 1'000'000);
  std::tm utc{};
  char text[32] = {};
  gmtime_r(&seconds, &utc);
  (void)std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

}  // namespace konductor::plugin
