#pragma once

#include <boost/assert/source_location.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

#include <string>
#include <string_view>

namespace konductor {

/// What a caller can branch on. The human side travels in Error::detail. Values are stable: they appear in logs.
enum class Errc {
  not_found = 1,             // HTTP 404 on an object
  conflict = 2,              // 409: the resourceVersion or UID given is not the current one
  already_exists = 3,        // 409 with reason AlreadyExists
  expired = 4,               // 410: the resourceVersion is compacted, list again
  unauthorized = 5,          // 401
  forbidden = 6,             // 403
  too_many_requests = 7,     // 429
  invalid = 8,               // 400, 413, 415, 422: the server refused what was sent
  unavailable = 9,           // connection failed or was cut, 5xx
  timeout = 10,              // our deadline passed first
  protocol_violation = 11,   // an answer that no API server should give
  plugin_incompatible = 12,  // a .so that is refused
  bad_config = 13,           // kubeconfig, flags, environment
  not_installed = 14,        // 404 on the resource type itself: the CRD is missing
  cancelled = 15             // the caller gave up
};

const boost::system::error_category& konductor_category() noexcept;
boost::system::error_code make_error_code(Errc code) noexcept;

/// One short word for logs and metrics, for example "not_found".
std::string_view to_string(Errc code) noexcept;

/// A code to branch on, and the words for people: what happened, to which object, why, what to do.
struct Error {
  Errc code = Errc::protocol_violation;
  std::string detail;
  /// How long the server asked to wait (429, 503 with Retry-After), in seconds; 0: it did not say.
  int retry_after_s = 0;
};

/// Only used by Result::value(), which only tests call.
[[noreturn]] void throw_exception_from_error(const Error& error, const boost::source_location& where);

template <class T>
using Result = boost::system::result<T, Error>;

/// True where the same request may succeed later without anybody changing anything.
[[nodiscard]] bool is_retryable(Errc code) noexcept;

}  // namespace konductor

template <>
struct boost::system::is_error_code_enum<konductor::Errc> : std::true_type {};
