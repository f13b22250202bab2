#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace konductor::kube {

/// Foreign text made fit for one line of a message: control characters become spaces, runs of spaces one, and what is
/// over `limit` bytes is cut and marked with "...".
std::string one_line(std::string_view text, std::size_t limit = 1000);

/// one_line() in double quotes, for what a user wrote.
std::string quoted(std::string_view text);

}  // namespace konductor::kube
