#include "kondctl/tenure.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace konductor::kondctl {

namespace {

void append(DialogueStep& step, DialogueStep more) {
  std::ranges::move(more.send, std::back_inserter(step.send));
  std::ranges::move(more.notes, std::back_inserter(step.notes));
  if (more.watch) step.watch = std::move(more.watch);
  step.wake_at = more.wake_at;
}

}  // namespace

Tenure::Tenure(Session& session, ClaimWish wish, Hooks hooks)
    : session_(session),
      wish_(std::move(wish)),
      hooks_(std::move(hooks)),
      dialogue_(session,
                [this](const DialogueEvent& event, Now now, DialogueStep& step) { return resume(event, now, step); }) {}

int Tenure::run(ClaimSettings settings) {
  settings_ = static_cast<const DialogueSettings&>(settings);
  claim_.emplace(wish_, std::move(settings), session_.started);
  dialogue_.run();
  return code_.value_or(static_cast<int>(ExitCode::failed));
}

void Tenure::release(MonoTime until) {
  hold_->release(until);
  told_ = true;
}

bool Tenure::resume(const DialogueEvent& event, Now now, DialogueStep& step) {
  return hold_ ? hold(event, now, step) : acquire(event, now, step);
}

bool Tenure::acquire(const DialogueEvent& event, Now now, DialogueStep& step) {
  ClaimStep next = claim_->resume(event, now);
  if (next.claim) {
    if (const std::string why = why_not_ours(*next.claim); !why.empty()) {
      session_.console.error(why);
      end(static_cast<int>(ExitCode::usage));
      return false;
    }
  }
  const auto outcome = std::move(next.finish);
  step = std::move(next);
  if (!outcome) return true;
  if (!outcome->message.empty()) session_.console.error(outcome->message);
  if (!outcome->grant) {
    end(static_cast<int>(outcome->code));
    return false;
  }
  const ClaimOutcome::Grant& grant = *outcome->grant;
  session_.console.detail("granted claim " + kube::to_string(wish_.claim) + ", token " + std::to_string(grant.token));
  hold_.emplace(HeldClaim{wish_.kind, wish_.primitive, wish_.claim, wish_.pod.has_value(), grant}, settings_, now.mono);
  hooks_.granted(grant);
  DialogueStep first;
  const bool goes_on = hold(Woken{}, now, first);
  append(step, std::move(first));
  return goes_on;
}

bool Tenure::hold(const DialogueEvent& event, Now now, DialogueStep& step) {
  HoldStep next = hold_->resume(event, now);
  report(next);
  auto look_at = hooks_.look();
  while (std::exchange(told_, false)) {
    HoldStep more = hold_->resume(Woken{}, now);
    report(more);
    append(next, std::move(more));
    look_at = hooks_.look();
  }
  step = std::move(next);
  if (look_at) step.wake_at = std::min(*look_at, step.wake_at.value_or(*look_at));
  return !code_;
}

void Tenure::report(const HoldStep& step) {
  if (step.lost_at) hooks_.renewed(*step.lost_at);
  if (step.loss) hooks_.lost(*step.loss);
  if (step.finished) hooks_.released(step.problem);
}

std::string Tenure::why_not_ours(const std::string& uid) {
  const auto taken = lock_.take("konductor/" + uid);
  if (taken && *taken) return {};
  const std::string claim = "the claim " + kube::to_string(wish_.claim);
  if (!taken) return claim + " can't be kept for this process alone: " + taken.error().detail;
  return claim + " is in use by another process of this holder: with --as SLOT each has a claim of its own";
}

}  // namespace konductor::kondctl
