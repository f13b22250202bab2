#pragma once

#include <cstddef>
#include <random>
#include <string>
#include <string_view>

namespace konductor::kube {

/// `text` with a few random bytes changed, removed, doubled or put in.
inline std::string mutated(std::string text, std::mt19937& random) {
  constexpr std::string_view telling = "{}[]\",:-\n 0a&*!%|>#";
  const auto below = [&random](std::size_t bound) { return static_cast<std::size_t>(random() % bound); };
  for (std::size_t edits = 1 + below(4); edits > 0; --edits) {
    const std::size_t at = below(text.size() + 1);
    const char byte = random() % 3 == 0 ? static_cast<char>(random()) : telling[below(telling.size())];
    switch (random() % 4) {
      case 0: text.insert(at, 1, byte); break;
      case 1: text.erase(at, 1 + below(8)); break;
      case 2: text.insert(at, text.substr(below(text.size() + 1), below(20))); break;
      default:
        if (at < text.size()) text[at] = byte;
    }
  }
  return text;
}

}  // namespace konductor::kube
