#include "kondctl/advice.hpp"
#include "kondctl/claim_machine_impl.hpp"
#include "kube/time.hpp"
#include "runtime/upkeep.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace konductor::kondctl {

namespace {

using nlohmann::json;

// Without --wait the whole is over within the patience; this much of it is kept to withdraw.
constexpr Duration withdrawal_reserve = std::chrono::milliseconds{500};

}  // namespace

void ClaimMachine::Impl::on_withdrawing(Ask asked, const Result<json>& answer) {
  if (answer) {
    if (asked == Ask::withdraw) return withdrawn(true);
    auto view = view_of_claim(*answer, *wish_.kind);
    const bool ours = view && requested_at_ && view->requested_at == kube::to_rfc3339_micro(*requested_at_);
    if (!ours) return withdrawn(true);
    view_ = std::move(*view);
    return plan(Ask::withdraw, now_.mono);
  }
  const Error& error = answer.error();
  if (asked == Ask::create && (error.code == Errc::already_exists || is_retryable(error.code))) {
    return plan(Ask::inspect, now_.mono);
  }
  if (is_retryable(error.code)) return plan(asked, now_.mono + delay_.next(error));
  const bool gone = error.code == Errc::not_found || error.code == Errc::conflict || asked == Ask::create;
  withdrawn(gone);
}

void ClaimMachine::Impl::decided_against(const ClaimView& view) {
  const runtime::Claim& claim = view.claim;
  const std::string words = view.message.empty() ? claim.reason : view.message;
  const std::string why = words.empty() ? std::string{} : ": " + words;
  if (claim.phase != runtime::Phase::denied) {
    return finish({ExitCode::refused,
                   "the claim " + claim.name.name + " became " + std::string(to_string(claim.phase)) +
                       " while waiting for " + subject() + why,
                   std::nullopt});
  }
  if (!wish_.wait && claim.reason == runtime::not_now) {
    return finish(
        {ExitCode::not_available, subject() + " is not available now" + why + " (--wait waits for it)", std::nullopt});
  }
  finish({ExitCode::refused, subject() + " refused the claim" + why, std::nullopt});
}

void ClaimMachine::Impl::deleted_by_somebody() {
  finish({ExitCode::failed, "somebody deleted the claim " + wish_.claim.name + " while it waited for " + subject(),
          std::nullopt});
}

void ClaimMachine::Impl::check_time() {
  if (stage_ == Stage::finished) return;
  if (stage_ == Stage::withdrawing) {
    if (now_.mono >= give_up_at_) withdrawn(false);
    return;
  }
  if (settings_.deadline && now_.mono >= *settings_.deadline) {
    const std::string why = why_not_yet();
    return give_up(ExitCode::timed_out,
                   "timed out after " + kube::to_string(*settings_.deadline - started_) + " waiting for " + subject() +
                       (why.empty() ? "" : ": " + why),
                   *settings_.deadline + settings_.deadline_grace);
  }
  const MonoTime patient_until = started_ + settings_.patience - withdrawal_reserve;
  if (now_.mono < patient_until) return;
  if (!wish_.wait) return out_of_patience();
  if (stage_ == Stage::waiting && !view_->answered) {
    note_once(said_silent_, "no operator has answered yet; waiting on");
  }
}

void ClaimMachine::Impl::out_of_patience() {
  const std::string span = kube::to_string(settings_.patience);
  const MonoTime until = started_ + settings_.patience;
  if (stage_ == Stage::waiting && view_->answered) {
    return give_up(ExitCode::not_available, subject() + " is not available now: " + why_not_yet(), until);
  }
  if (last_error_)
    return give_up(ExitCode::unreachable, "no answer within " + span + ": " + last_error_->detail, until);
  if (stage_ != Stage::waiting) {
    return give_up(ExitCode::unreachable, "no answer from the API server within " + span, until);
  }
  give_up(ExitCode::unreachable,
          "no operator answered within " + span + ", the claim is withdrawn: is `konductor` running?", until);
}

void ClaimMachine::Impl::fail(const Error& error) {
  give_up(exit_code_for(error), sentence_for(error), now_.mono + settings_.interrupt_grace);
}

void ClaimMachine::Impl::succeed(MonoTime lost_at) {
  const runtime::Claim& claim = view_->claim;
  ClaimOutcome outcome{ExitCode::done, {}, ClaimOutcome::Grant{}};
  outcome.grant = {.uid = claim.uid,
                   .token = claim.token,
                   .units = claim.units,
                   .ttl = effective_ttl(),
                   .lost_at = lost_at,
                   .adopted = adopted_};
  finish(std::move(outcome));
}

// A claim that may be granted at this very moment must not stay: where there is one, or may be one, it is deleted by
// its UID before the end.
void ClaimMachine::Impl::give_up(ExitCode code, std::string message, MonoTime until) {
  verdict_ = {code, std::move(message), std::nullopt};
  const bool known = stage_ == Stage::waiting;
  stage_ = Stage::withdrawing;
  give_up_at_ = until;
  watch_ = 0;
  next_ = Ask::none;
  renewal_ = {};
  if (main_.ask == Ask::create) return;  // its answer says what to delete
  main_ = {};
  if (known) return plan(Ask::withdraw, now_.mono);
  if (unsure_) return plan(Ask::inspect, now_.mono);
  withdrawn(true);
}

void ClaimMachine::Impl::withdrawn(bool certain) {
  if (!certain) {
    verdict_.message += "; the claim " + wish_.claim.name + " may be left behind: " +
                        (wish_.pod ? "it ends with its Pod" : "it ends when its TTL is over, because nobody renews it");
  }
  finish(std::move(verdict_));
}

void ClaimMachine::Impl::finish(ClaimOutcome outcome) {
  stage_ = Stage::finished;
  step_.finish = std::move(outcome);
}

std::optional<MonoTime> ClaimMachine::Impl::next_wake() const {
  std::optional<MonoTime> wake;
  const auto at_most = [&wake](MonoTime time) { wake = wake ? std::min(*wake, time) : time; };
  if (next_ != Ask::none && main_.ask == Ask::none) at_most(next_at_);
  if (stage_ == Stage::withdrawing) {
    at_most(give_up_at_);
    return wake;
  }
  if (stage_ == Stage::waiting && renew_at_ && renewal_.id == 0) at_most(*renew_at_);
  if (settings_.deadline) at_most(*settings_.deadline);
  const MonoTime patient_until = started_ + settings_.patience - withdrawal_reserve;
  if (!wish_.wait || now_.mono < patient_until) at_most(patient_until);
  return wake;
}

// ---- words

std::string ClaimMachine::Impl::subject() const {
  return wish_.kind->names.singular + " " + kube::to_string(wish_.primitive);
}

std::string ClaimMachine::Impl::why_not_yet() const {
  if (last_error_) return last_error_->detail;
  if (!view_) return {};
  if (!view_->message.empty()) return view_->message;
  if (!view_->claim.reason.empty()) return view_->claim.reason;
  return view_->answered ? "its turn has not come" : "no operator has answered yet";
}

std::string ClaimMachine::Impl::doing(Ask ask) const {
  const std::string claim = to_string(wish_.kind->claim_resource()) + " " + kube::to_string(wish_.claim);
  switch (ask) {
    case Ask::look_up:
      return "get " + to_string(wish_.kind->primitive_resource()) + " " + kube::to_string(wish_.primitive);
    case Ask::create: return "create " + claim;
    case Ask::remove:
    case Ask::withdraw: return "delete " + claim;
    case Ask::confirm: return "renew " + claim;
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
