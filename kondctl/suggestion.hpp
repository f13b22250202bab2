#pragma once

#include <span>
#include <string>
#include <string_view>

namespace konductor::kondctl {

/// The word that was probably meant, or empty: at most two letters away, and at most half of the word.
[[nodiscard]] std::string suggestion(std::string_view word, std::span<const std::string> words);

/// "a, b, c".
/// "; did you mean \"take\"?", or nothing.
[[nodiscard]] std::string did_you_mean(std::string_view word, std::span<const std::string> words);

[[nodiscard]] std::string joined(std::span<const std::string> words);

}  // namespace konductor::kondctl
