#pragma once

#include "runtime/plan.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace konductor::runtime {

/// Who is alive. Fed by a watch of the metadata of Pods that have not finished; what the watch does not show is asked
/// for by name before anything is concluded from it. Counts references, so that it forgets Pods that no claim names.
class PodTracker {
 public:
  // From the watch.
  void begin();
  /// True where it was not known to be alive.
  bool apply(const std::string& uid, std::uint64_t rv);
  void remove(const std::string& uid, std::uint64_t rv);
  void synced(std::uint64_t rv);
  void progress(std::uint64_t rv) noexcept;

  /// A claim names this Pod, or no longer does.
  void refer(const std::string& uid);
  /// True where it was the last one.
  bool forget(const std::string& uid);

  /// The answer to a question: the Pod's state (alive, succeeded, failed, gone), and the resourceVersion it was read
  /// at.
  void answered(const std::string& uid, PodState state, std::uint64_t rv);

  /// Of a Pod that a claim names. `unknown` counts as alive.
  [[nodiscard]] PodState state(const std::string& uid) const;
  /// The watch does not show it, and no answer has said that it is over.
  [[nodiscard]] bool is_doubtful(const std::string& uid) const;
  /// Must somebody GET it, because the watch says nothing of it that is newer than what we know?
  [[nodiscard]] bool wants_question(const std::string& uid) const;
  [[nodiscard]] bool is_synced() const noexcept { return synced_; }
  [[nodiscard]] bool is_named(const std::string& uid) const { return named_.contains(uid); }

 private:
  struct Known {
    PodState state = PodState::unknown;
    std::uint64_t at = 0;  // the resourceVersion of the answer
    int claims = 0;
  };

  std::unordered_set<std::string> alive_;  // shown by the watch
  std::unordered_set<std::string> listed_;
  std::unordered_map<std::string, Known> named_;
  std::uint64_t rv_ = 0;
  bool listing_ = false;
  bool synced_ = false;
};

}  // namespace konductor::runtime
