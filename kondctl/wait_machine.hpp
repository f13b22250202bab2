#pragma once

#include "kondctl/claim_codec.hpp"
#include "kondctl/dialogue.hpp"
#include "kondctl/exit_codes.hpp"
#include "kondctl/wait_verdict.hpp"

#include <memory>
#include <optional>
#include <string>

namespace konductor::kondctl {

/// What shall be waited for, and what is done before.
struct WaitWish {
  const runtime::KindDeclaration* kind = nullptr;  // must outlive the wish
  kube::NamespacedName primitive;
  Round round;
  std::string round_flag;         // how the user names one: "--round"
  std::optional<ClaimWish> join;  // this claim shall be there first, and stays
  bool wait = true;               // false: only join
};

/// What it came to.
struct WaitOutcome {
  ExitCode code = ExitCode::failed;
  std::string message;  // for people; empty when all went well
  struct Joined {
    std::string uid;
    bool adopted = false;  // it was there before: the same participant came again
  };
  std::optional<Joined> joined;  // where the claim is there
  bool served = false;
  std::string phase;  // of the primitive, when it was last seen
  std::string words;  // of the condition that says why
};

struct WaitStep : DialogueStep {
  std::optional<WaitOutcome> finish;  // it is over; nothing else here counts
};

/// Creates a claim that is only counted (or finds that it is there already), watches the primitive by its name, or does
/// both, until the primitive's status says that the wait is over. Nothing is withdrawn: who has joined has joined.
class WaitMachine {
 public:
  using Outcome = WaitOutcome;

  WaitMachine(WaitWish wish, DialogueSettings settings, MonoTime started);
  ~WaitMachine();
  WaitMachine(WaitMachine&&) noexcept;
  WaitMachine& operator=(WaitMachine&&) noexcept;

  [[nodiscard]] WaitStep resume(const DialogueEvent& event, Now now);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace konductor::kondctl
