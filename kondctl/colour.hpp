#pragma once

#include <string>
#include <string_view>

namespace konductor::kondctl {

/// What a word means to who reads it; a terminal shows it by a colour of its own palette.
enum class Colour {
  none,
  good,       // green
  attention,  // yellow
  bad,        // red
};

[[nodiscard]] std::string painted(std::string_view text, Colour colour);

/// Whether results may have colours: on a terminal that has them, unless NO_COLOR (no-color.org) is there and not
/// empty.
[[nodiscard]] bool may_paint(bool terminal, std::string_view no_color, std::string_view term) noexcept;

}  // namespace konductor::kondctl
