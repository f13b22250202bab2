#pragma once

#include "kondctl/dialogue.hpp"
#include "kondctl/exit_codes.hpp"
#include "kondctl/session.hpp"

#include <functional>
#include <memory>
#include <utility>

namespace konductor::kondctl {

/// Takes what happened, says into `step` what to do next; false when it is over.
using Resume = std::function<bool(const DialogueEvent& event, Now now, DialogueStep& step)>;

/// Sends what a machine says, tells it what happened. It knows no signals.
class Dialogue {
 public:
  Dialogue(Session& session, Resume resume);
  ~Dialogue();
  Dialogue(const Dialogue&) = delete;
  Dialogue& operator=(const Dialogue&) = delete;

  /// Until it is over. The session can't be used any more then.
  void run();
  /// For what happens elsewhere; in handlers on the session's event loop, and not while the machine is being asked.
  void tell(const DialogueEvent& event);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// Until it is over. SIGINT and SIGTERM go to it too.
void drive_dialogue(Session& session, Resume resume);

/// Runs a machine until it finishes.
template <class Machine>
[[nodiscard]] typename Machine::Outcome drive(Session& session, Machine machine) {
  typename Machine::Outcome outcome;
  outcome.message = "stopped before it was decided";
  drive_dialogue(session, [&](const DialogueEvent& event, Now now, DialogueStep& step) {
    auto next = machine.resume(event, now);
    if (next.finish) outcome = std::move(*next.finish);
    const bool goes_on = !next.finish;
    step = std::move(next);
    return goes_on;
  });
  return outcome;
}

}  // namespace konductor::kondctl
