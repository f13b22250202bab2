#include "kondctl/progress.hpp"

#include "kube/time.hpp"

#include <chrono>

namespace konductor::kondctl {

std::optional<std::string> Progress::due(MonoTime now) {
  const auto next_one = next();
  if (!next_one || now < *next_one) return std::nullopt;
  const bool same = words_ == said_;
  said_reason_ = reason_;
  said_ = words_;
  said_at_ = now;
  if (!same) return words_;
  const auto waited = std::chrono::duration_cast<std::chrono::seconds>(now - started_);
  return words_ + " (for " + kube::to_string(waited) + " so far)";
}

std::optional<MonoTime> Progress::next() const {
  if (words_.empty() || (words_ == said_ && !again_)) return std::nullopt;
  return said_at_ && reason_ == said_reason_ ? *said_at_ + every_ : started_;
}

}  // namespace konductor::kondctl
