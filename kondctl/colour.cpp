#include "kondctl/colour.hpp"

namespace konductor::kondctl {

namespace {

std::string_view sequence(Colour colour) noexcept {
  switch (colour) {
    case Colour::good: return "\x1b[32m";
    case Colour::attention: return "\x1b[33m";
    case Colour::bad: return "\x1b[31m";
    case Colour::none: break;
  }
  return {};
}

}  // namespace

std::string painted(std::string_view text, Colour colour) {
  const std::string_view begin = sequence(colour);
  if (begin.empty() || text.empty()) return std::string(text);
  return std::string(begin) + std::string(text) + "\x1b[0m";
}

bool may_paint(bool terminal, std::string_view no_color, std::string_view term) noexcept {
  return terminal && no_color.empty() && term != "dumb";
}

}  // namespace konductor::kondctl
