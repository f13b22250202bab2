#pragma once

#include <span>
#include <string>
#include <string_view>

namespace konductor::kondctl {

/// The word that was probably meant, or empty: at most two letters away, and at most half of the word.
[[nodiscard]] std::string suggestion(std::string_view word, std::span<const std::string> words);

/// "a, b, c".
[[nodiscard]] std::string joined(std::span<const std::string> words);

}  // namespace konductor::kondctl
