#include "kondctl/advice.hpp"
#include "kondctl/claim_machine_impl.hpp"
#include "kube/time.hpp"

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
    if (asked == Ask::withdraw) return withdrawn(Left::gone);
    auto view = view_of_claim(*answer, *wish_.kind);
    const bool ours = view && requested_at_ && view->requested_at == kube::to_rfc3339_micro(*requested_at_);
    if (!ours) return withdrawn(Left::nothing);
    view_ = std::move(*view);
    return plan(Ask::withdraw, now_.mono);
  }
  const Error& error = answer.error();
  no_withdrawal_ = error.detail;
  if (asked == Ask::create && (error.code == Errc::already_exists || is_retryable(error.code))) {
    return plan(Ask::inspect, now_.mono);
  }
  if (is_retryable(error.code)) return plan(asked, now_.mono + delay_.next(error));
  if (asked == Ask::create) return withdrawn(Left::nothing);
  const bool gone = error.code == Errc::not_found || error.code == Errc::conflict;
  withdrawal_refused_ = !gone && asked == Ask::withdraw;
  withdrawn(gone ? Left::gone : Left::perhaps);
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
  if (claim.reason == wish_.kind->names.kind + runtime::not_found_suffix) {
    return finish(
        {ExitCode::no_such_object, words + "; create it, or look at the name and the namespace", std::nullopt});
  }
  if (!wish_.wait && claim.reason == runtime::not_now) {
    return finish(
        {ExitCode::not_available, subject() + " is not available now" + why + " (--wait waits for it)", std::nullopt});
  }
  const std::string advice = claim.reason == runtime::exceeds_limit ? std::string("; ") + exceeding_advice : "";
  finish({ExitCode::refused, subject() + " refused the claim" + why + advice, std::nullopt});
}

void ClaimMachine::Impl::deleted_by_somebody() {
  finish({ExitCode::failed,
          "somebody deleted the claim " + kube::to_string(wish_.claim) + " while it waited for " + subject(),
          std::nullopt});
}

void ClaimMachine::Impl::check_time() {
  if (stage_ == Stage::finished) return;
  if (stage_ == Stage::withdrawing) {
    if (now_.mono >= give_up_at_) withdrawn(Left::perhaps);
    return;
  }
  if (settings_.deadline && now_.mono >= *settings_.deadline) {
    const std::string why = why_not_yet();
    return give_up(ExitCode::timed_out,
                   "timed out after " + kube::to_string(*settings_.deadline - started_) + " waiting for " + subject() +
                       (why.empty() ? "" : ": " + why),
                   *settings_.deadline + settings_.deadline_grace);
  }
  look_again();
  const auto until = patient_until();
  if (!until || now_.mono < *until) return;
  if (!wish_.wait) return out_of_patience();
  if (stage_ == Stage::waiting && !view_->answered) note_once(said_silent_, why_silent() + "; waiting on");
}

// Without --wait a deadline of the user's own stands in its place.
std::optional<MonoTime> ClaimMachine::Impl::patient_until() const {
  if (!wish_.wait && settings_.deadline) return std::nullopt;
  return started_ + settings_.patience - withdrawal_reserve;
}

// Before it says that nobody answers: the primitive may tell why.
void ClaimMachine::Impl::look_again() {
  if (looked_again_ || now_.mono < started_ + settings_.patience - 2 * withdrawal_reserve) return;
  if (stage_ != Stage::waiting || view_->answered || main_.ask != Ask::none) return;
  looked_again_ = true;
  plan(Ask::look_again, now_.mono);
}

void ClaimMachine::Impl::on_look_again(const Result<json>& answer) {
  if (answer) {
    not_ready_ = why_not_ready(*answer);
  } else if (answer.error().code == Errc::not_found) {
    not_ready_ = "it was deleted";
    last_error_.reset();
  }
}

void ClaimMachine::Impl::out_of_patience() {
  const std::string span = kube::to_string(settings_.patience);
  const MonoTime until = started_ + settings_.patience;
  if (stage_ == Stage::waiting && view_->answered) {
    return give_up(ExitCode::not_available, subject() + " is not available now: " + why_not_yet(), until);
  }
  if (last_error_) {
    return give_up(ExitCode::unreachable, "no answer within " + span + ": " + last_error_->detail, until);
  }
  if (stage_ != Stage::waiting) {
    return give_up(ExitCode::unreachable, "no answer from the API server within " + span, until);
  }
  const std::string why = not_ready_.empty() ? "is `konductor` running?" : subject() + " is not ready: " + not_ready_;
  give_up(ExitCode::unreachable, "no operator answered within " + span + ": " + why, until);
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
                   .adopted = adopted_,
                   .watch = watch_.id()};
  finish(std::move(outcome));
}

// A claim that may be granted at this very moment must not stay: where there is one, or may be one, it is deleted by
// its UID before the end. One that its holder had before we came is not ours to give back.
void ClaimMachine::Impl::give_up(ExitCode code, std::string message, MonoTime until) {
  verdict_ = {code, std::move(message), std::nullopt};
  const bool known = stage_ == Stage::waiting;
  if (known && found_holding_) {
    verdict_.message += "; the claim " + kube::to_string(wish_.claim) + " stays as it was found, " +
                        std::string(to_string(view_->claim.phase)) + ": " + how_to_release();
    return finish(std::move(verdict_));
  }
  stage_ = Stage::withdrawing;
  give_up_at_ = until;
  watch_.drop();
  next_ = Ask::none;
  renewal_ = line_ = {};
  if (main_.ask == Ask::create) return;  // its answer says what to delete
  main_ = {};
  if (known) return plan(Ask::withdraw, now_.mono);
  if (unsure_) return plan(Ask::inspect, now_.mono);
  withdrawn(Left::nothing);
}

void ClaimMachine::Impl::withdrawn(Left left) {
  if (left == Left::gone) verdict_.message += "; the claim is withdrawn";
  if (left == Left::perhaps) verdict_.message += "; " + what_is_left();
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
  if (stage_ == Stage::waiting && line_at_ && line_.id == 0) at_most(*line_at_);
  if (const auto words = progress_.next()) at_most(*words);
  if (settings_.deadline) at_most(*settings_.deadline);
  const MonoTime again = started_ + settings_.patience - 2 * withdrawal_reserve;
  if (stage_ == Stage::waiting && now_.mono < again) at_most(again);
  const auto until = patient_until();
  if (until && (!wish_.wait || now_.mono < *until)) at_most(*until);
  return wake;
}

}  // namespace konductor::kondctl
