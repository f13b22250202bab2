#pragma once

#include "base/error.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace konductor::io {

/// What the process finds around it, as values, so that tests make it up.
struct Environment {
  std::function<std::optional<std::string>(const std::string& name)> variable;
  /// Errc::not_found where there is no such file; any other failure is Errc::bad_config. Bounded to 1 MiB.
  std::function<Result<std::string>(const std::string& path)> read_file;
  /// Somebody sits at standard input, whom an exec plugin may ask. Never so for the operator.
  bool terminal = false;
};

/// How old what was read of a file with a token, certificate or key may be when it is used.
constexpr std::chrono::seconds max_credential_age{10};

/// The real one.
Environment system_environment();

/// "read PATH: permission denied" and the like.
Result<std::string> read_file(const std::string& path);

}  // namespace konductor::io
