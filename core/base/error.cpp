#include "base/error.hpp"

#include <boost/system/system_error.hpp>
#include <boost/throw_exception.hpp>

#include <string>
#include <string_view>

namespace konductor {
namespace {

/// Rationale for the fixed id: categories without one compare by address, and a program and a plugin can each have
/// their own copy of this object.
class KonductorCategory final : public boost::system::error_category {
 public:
  constexpr KonductorCategory() noexcept : error_category(0x6b6f6e647563746fULL) {}

  [[nodiscard]] const char* name() const noexcept override { return "konductor"; }
  [[nodiscard]] std::string message(int code) const override { return std::string(to_string(static_cast<Errc>(code))); }
};

constexpr KonductorCategory category;

}  // namespace

const boost::system::error_category& konductor_category() noexcept {
  return category;
}

boost::system::error_code make_error_code(Errc code) noexcept {
  return {static_cast<int>(code), category};
}

std::string_view to_string(Errc code) noexcept {
  switch (code) {
    case Errc::not_found: return "not_found";
    case Errc::conflict: return "conflict";
    case Errc::already_exists: return "already_exists";
    case Errc::expired: return "expired";
    case Errc::unauthorized: return "unauthorized";
    case Errc::forbidden: return "forbidden";
    case Errc::too_many_requests: return "too_many_requests";
    case Errc::invalid: return "invalid";
    case Errc::unavailable: return "unavailable";
    case Errc::timeout: return "timeout";
    case Errc::protocol_violation: return "protocol_violation";
    case Errc::plugin_incompatible: return "plugin_incompatible";
    case Errc::bad_config: return "bad_config";
    case Errc::not_installed: return "not_installed";
    case Errc::cancelled: return "cancelled";
  }
  return "unknown";
}

void throw_exception_from_error(const Error& error, const boost::source_location& where) {
  boost::throw_with_location(boost::system::system_error(make_error_code(error.code), error.detail), where);
}

bool is_retryable(Errc code) noexcept {
  return code == Errc::unavailable || code == Errc::timeout || code == Errc::too_many_requests;
}

}  // namespace konductor
