#include "kondctl/suggestion.hpp"

#include "kube/text.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

namespace konductor::kondctl {

namespace {

// Levenshtein distance.
std::size_t distance(std::string_view left, std::string_view right) {
  std::vector<std::size_t> row(right.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= left.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const std::size_t changed = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
    }
  }
  return row.back();
}

}  // namespace

std::string suggestion(std::string_view word, std::span<const std::string> words) {
  constexpr std::size_t longest = 64;
  if (word.size() > longest) return {};
  std::string best;
  std::size_t best_distance = 3;
  for (const std::string& candidate : words) {
    const std::size_t apart = distance(word, candidate);
    if (apart < best_distance && apart * 2 <= candidate.size()) {
      best_distance = apart;
      best = candidate;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> words) {
  const std::string best = suggestion(word, words);
  return best.empty() ? std::string{} : "; did you mean " + kube::quoted(best) + "?";
}

std::string joined(std::span<const std::string> words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

}  // namespace konductor::kondctl
