#pragma once

#include "io/name_lock.hpp"
#include "kondctl/claim_machine.hpp"
#include "kondctl/dialogue_driver.hpp"
#include "kondctl/hold_machine.hpp"
#include "kondctl/session.hpp"

#include <functional>
#include <optional>
#include <string>

namespace konductor::kondctl {

/// From asking for a claim to giving it back, for one process alone: asks the machines, does what they say.
class Tenure {
 public:
  /// What becomes of it. Each may call release() and end(), and nothing else here.
  struct Hooks {
    std::function<void(const ClaimOutcome::Grant& grant)> granted;
    std::function<void(MonoTime lost_at)> renewed;
    std::function<void(const Loss& loss)> lost;
    std::function<void(const std::string& problem)> released;
    std::function<std::optional<MonoTime>()> look;  // at each turn while it is held; when to look again
  };

  Tenure(Session& session, ClaimWish wish, Hooks hooks);

  /// Until end(), or until it is certain that there will be no grant; the exit code.
  int run(ClaimSettings settings);
  /// Looks at once; not in a hook.
  void turn() { dialogue_.tell(Woken{}); }
  /// While it waits to be granted; not in a hook.
  void signal(Signal signal) { dialogue_.tell(Signalled{signal}); }
  /// The claim is given back, tried until then; the hook says when that is over.
  void release(MonoTime until);
  void end(int code) { code_ = code; }

  [[nodiscard]] bool was_granted() const { return hold_.has_value(); }
  [[nodiscard]] const ClaimWish& wish() const { return wish_; }

 private:
  bool resume(const DialogueEvent& event, Now now, DialogueStep& step);
  bool acquire(const DialogueEvent& event, Now now, DialogueStep& step);
  bool hold(const DialogueEvent& event, Now now, DialogueStep& step);
  void report(const HoldStep& step);
  [[nodiscard]] std::string why_not_ours(const std::string& uid);

  Session& session_;
  ClaimWish wish_;
  Hooks hooks_;
  io::NameLock lock_;
  DialogueSettings settings_;
  Dialogue dialogue_;
  std::optional<ClaimMachine> claim_;  // until it is granted
  std::optional<HoldMachine> hold_;    // from then on
  bool told_ = false;                  // the machine has something new to do
  std::optional<int> code_;
};

}  // namespace konductor::kondctl
