#pragma once

#include "semaphore/types.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace konductor::semaphore {

/// The places in which claims are served: by min(priority, maxPriority) + floor(waited / priorityAging), then age, then
/// the host's order. Without those two fields that is the order of the input, and nothing is copied or sorted.
class Line {
 public:
  Line(const Spec& spec, std::span<const ClaimIn> claims, std::int64_t now);

  /// Holders have no place, or are to be passed over.
  [[nodiscard]] std::size_t size() const noexcept { return as_given_ ? count_ : order_.size(); }
  /// The index of the claim at that place.
  [[nodiscard]] std::size_t operator[](std::size_t place) const noexcept { return as_given_ ? place : order_[place]; }

 private:
  bool as_given_;
  std::size_t count_;
  std::vector<std::size_t> order_;
};

/// When waiting alone will have brought somebody to the head of the line who asks for at most `free`: the next such
/// moment after `now`, exactly; empty: never. `in_line` are indices of claims that are not to be passed over, whose
/// head at present asks for more than `free`.
std::optional<std::int64_t> next_to_fit(const Spec& spec, std::span<const ClaimIn> claims,
                                        std::span<const std::size_t> in_line, std::int64_t free, std::int64_t now);

}  // namespace konductor::semaphore
