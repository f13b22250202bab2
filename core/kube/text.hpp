#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace konductor::kube {

/// Foreign text made fit for a terminal: control characters, those that turn the direction of writing, those without a
/// width, and bytes that are no UTF-8 become \x1b or \u202e; all else stays.
std::string visible(std::string_view text);

/// JSON made fit for a terminal, which means the same afterwards: \u009b. Its line breaks stay.
std::string visible_json(std::string_view json);

/// visible() for one line of a message: runs of blanks and line breaks become one space, and what is over `limit` bytes
/// is cut and marked with "...".
std::string one_line(std::string_view text, std::size_t limit = 1000);

/// one_line() in double quotes, for what a user wrote.
std::string quoted(std::string_view text);

}  // namespace konductor::kube
