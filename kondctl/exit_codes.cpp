#include "kondctl/exit_codes.hpp"

namespace konductor::kondctl {

ExitCode exit_code_for(Errc code) noexcept {
  switch (code) {
    case Errc::not_found: return ExitCode::no_such_object;
    case Errc::unauthorized:
    case Errc::forbidden:
    case Errc::invalid: return ExitCode::refused;
    // A deadline of one request; --timeout has its own code, and whoever keeps it says so.
    case Errc::timeout:
    case Errc::too_many_requests:
    case Errc::unavailable: return ExitCode::unreachable;
    case Errc::bad_config: return ExitCode::usage;
    case Errc::cancelled: return ExitCode::interrupted;
    case Errc::conflict:
    case Errc::already_exists:
    case Errc::expired:
    case Errc::protocol_violation:
    case Errc::plugin_incompatible:
    case Errc::not_installed: return ExitCode::failed;
  }
  return ExitCode::failed;
}

ExitCode exit_code_for(const Error& error) noexcept {
  return exit_code_for(error.code);
}

}  // namespace konductor::kondctl
