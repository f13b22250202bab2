#pragma once

#include "base/error.hpp"

#include <string>

namespace konductor::kondctl {

/// The words for stderr: the error's own, and what to do where only kondctl knows it.
[[nodiscard]] std::string sentence_for(const Error& error);

}  // namespace konductor::kondctl
