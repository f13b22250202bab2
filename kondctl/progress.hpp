#pragma once

#include "kondctl/dialogue.hpp"

#include <optional>
#include <string>
#include <utility>

namespace konductor::kondctl {

/// What is said while somebody waits: a new reason at once; new words about the same one no more often than the
/// settings say.
class Progress {
 public:
  Progress(const DialogueSettings& settings, MonoTime started)
      : every_(settings.progress_every), again_(settings.progress_again), started_(started) {}

  /// Why it waits, as of now, and in words. An event may say this as often as it likes.
  void about(std::string reason, std::string words) {
    reason_ = std::move(reason);
    words_ = std::move(words);
  }
  /// It does not wait.
  void nothing() { words_.clear(); }

  /// The words, where it is time for them.
  [[nodiscard]] std::optional<std::string> due(MonoTime now);
  /// When there may be some, unless it is told something new before.
  [[nodiscard]] std::optional<MonoTime> next() const;

 private:
  Duration every_;
  bool again_;
  MonoTime started_;
  std::string reason_, words_;
  std::string said_reason_, said_;
  std::optional<MonoTime> said_at_;
};

}  // namespace konductor::kondctl
