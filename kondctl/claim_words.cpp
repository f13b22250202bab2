// What ClaimMachine says, and what else is derived from its state.
#include "kondctl/advice.hpp"
#include "kondctl/claim_machine_impl.hpp"
#include "kube/time.hpp"
#include "runtime/upkeep.hpp"

#include <utility>

namespace konductor::kondctl {

using runtime::Phase;

std::string ClaimMachine::Impl::subject() const {
  return wish_.kind->names.singular + " " + kube::to_string(wish_.primitive);
}

// Of a claim that waits.
std::string ClaimMachine::Impl::waiting_words() const {
  if (!view_->message.empty()) return view_->message;
  if (!view_->claim.reason.empty()) return view_->claim.reason;
  return view_->answered ? "its turn has not come" : why_silent();
}

std::string ClaimMachine::Impl::progress_words() const {
  if (view_->claim.reason.ends_with("NotFound")) return waiting_words() + "; waiting for it to be created";
  return "waiting for " + subject() + ": " + waiting_words() + (place_.empty() ? "" : "; " + place_);
}

void ClaimMachine::Impl::tell_progress() {
  const bool waits = stage_ == Stage::waiting && wish_.wait && view_->answered && view_->claim.phase == Phase::pending;
  if (!waits) return progress_.nothing();
  progress_.about(view_->claim.reason, progress_words());
  if (auto words = progress_.due(now_.mono)) step_.notes.push_back(std::move(*words));
}

std::string ClaimMachine::Impl::why_not_yet() const {
  if (last_error_) return last_error_->detail;
  return view_ ? waiting_words() : std::string{};
}

std::string ClaimMachine::Impl::why_silent() const {
  if (!not_ready_.empty()) return subject() + " is not ready: " + not_ready_;
  return "no operator has answered yet";
}

std::string ClaimMachine::Impl::how_to_release() const {
  return "`" + release_command(*wish_.kind, wish_.primitive, wish_.claim.name) + "` releases it";
}

std::string ClaimMachine::Impl::what_is_left() const {
  return "the claim " + kube::to_string(wish_.claim) + (withdrawal_refused_ ? " is" : " may be") +
         " left behind, because it could " + "not be withdrawn (" +
         (no_withdrawal_.empty() ? "no answer in time" : no_withdrawal_) + "): " + how_to_release() +
         "; else it ends " + (wish_.pod ? "with its Pod" : "when its TTL is over, because nobody renews it");
}

std::string ClaimMachine::Impl::doing(Ask ask) const {
  const std::string claim = to_string(wish_.kind->claim_resource()) + " " + kube::to_string(wish_.claim);
  switch (ask) {
    case Ask::look_up:
    case Ask::look_again:
      return "get " + to_string(wish_.kind->primitive_resource()) + " " + kube::to_string(wish_.primitive);
    case Ask::create: return "create " + claim;
    case Ask::remove:
    case Ask::withdraw: return "delete " + claim;
    case Ask::confirm: return "renew " + claim;
    case Ask::line: return "list " + to_string(wish_.kind->claim_resource());
    case Ask::inspect:
    case Ask::refresh:
    case Ask::none: break;
  }
  return "get " + claim;
}

Duration ClaimMachine::Impl::effective_ttl() const {
  runtime::Claim claim = view_ ? view_->claim : runtime::Claim{};
  if (claim.ttl == 0 && wish_.ttl) claim.ttl = wish_.ttl->count();
  return runtime::effective_ttl(claim, primitive_ttl_.count(), settings_.default_ttl);
}

void ClaimMachine::Impl::note_once(bool& said, std::string text) {
  if (std::exchange(said, true)) return;
  step_.notes.push_back(std::move(text));
}

}  // namespace konductor::kondctl
