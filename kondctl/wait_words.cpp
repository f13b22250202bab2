// What WaitMachine says.
#include "kondctl/wait_machine.hpp"

#include <nlohmann/json.hpp>

#include <utility>

namespace konductor::kondctl {

std::string subject_of(const WaitWish& wish) {
  return wish.kind->names.singular + " " + kube::to_string(wish.primitive);
}

std::string WaitMachine::subject() const {
  return subject_of(wish_);
}

// Behind what happened: "timed out after 5s ...".
std::string WaitMachine::waiting() const {
  if (!wish_.wait) return "while joining " + subject();
  return (wish_.round ? "while waiting for round " + std::to_string(*wish_.round) + " of " : "while waiting for ") +
         subject();
}

std::string WaitMachine::why_not_yet() const {
  if (last_error_) return last_error_->detail;
  if (!primitive_) return missing_ ? "it does not exist" : "no answer from the API server";
  if (has_to_join()) return "no answer from the API server";
  if (!has_status(*primitive_->object)) return "no operator has answered yet";
  const std::string not_ready = why_not_ready(*primitive_->object);
  return not_ready.empty() ? verdict_.words : "it is not ready: " + not_ready;
}

std::string WaitMachine::what_stays() const {
  if (!wish_.join) return {};
  const std::string claim = kube::to_string(wish_.join->claim);
  if (outcome_.joined) return "; the claim " + claim + " stays: who has joined has joined";
  if (unsure_ || asked_ == Ask::create) return "; whether the claim " + claim + " is there is not known";
  return "; nothing has joined";
}

std::string WaitMachine::why_not_round() const {
  const runtime::WaitDeclaration& wait = wish_.kind->wait;
  const bool rounds = has_rounds(*primitive_->object, wait);
  if (rounds == wish_.round.has_value()) return {};
  if (rounds) {
    return subject() + " serves in rounds (its spec." + wait.rounds_field + " is true): say which one, with " +
           wish_.round_flag + " 1 for the first";
  }
  return subject() + " does not serve in rounds" +
         (wait.rounds_field.empty() ? "" : " (its spec." + wait.rounds_field + " is not true)") + ": leave out " +
         wish_.round_flag;
}

std::string WaitMachine::why_failed() const {
  return subject() + " is " + wish_.kind->wait.failed_phase + (verdict_.words.empty() ? "" : ": " + verdict_.words) +
         "; it stays so: who wants to try again needs a new one";
}

std::string WaitMachine::doing(Ask ask) const {
  const std::string claim =
      wish_.join ? to_string(wish_.kind->claim_resource()) + " " + kube::to_string(wish_.join->claim) : std::string{};
  switch (ask) {
    case Ask::create: return "create " + claim;
    case Ask::remove: return "delete " + claim;
    case Ask::inspect:
    case Ask::check: return "get " + claim;
    case Ask::look_up:
    case Ask::none: break;
  }
  return (by_get_ ? "get " : "list ") + to_string(wish_.kind->primitive_resource()) + " " +
         kube::to_string(wish_.primitive);
}

void WaitMachine::note_once(bool& said, std::string text) {
  if (std::exchange(said, true)) return;
  step_.notes.push_back(std::move(text));
}

}  // namespace konductor::kondctl
