#include "kondctl/hold_machine.hpp"

#include "kondctl/advice.hpp"
#include "kube/time.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace konductor::kondctl {

namespace {

using nlohmann::json;
using runtime::Phase;

// What answers to the machine that made the claim is none of this one's.
constexpr std::uint64_t first_id = std::uint64_t{1} << 32U;

// A server that says nothing must leave time for other attempts before the TTL is over.
Duration bounded_request(Duration most, Duration ttl) {
  const auto least = std::min({most, ttl / 3, Duration{std::chrono::seconds{1}}});
  return std::clamp<Duration>(ttl / 6, least, most);
}

Duration bounded_pause(Duration most, Duration ttl) {
  return std::clamp<Duration>(ttl / 20, std::chrono::milliseconds{50}, most);
}

}  // namespace

HoldMachine::HoldMachine(HeldClaim held, DialogueSettings settings, MonoTime now)
    : held_(std::move(held)),
      settings_(settings),
      delay_(std::min<Duration>(settings.retry_first, bounded_pause(settings.retry_most, held_.grant.ttl)),
             bounded_pause(settings.retry_most, held_.grant.ttl), settings.seed),
      watch_(settings, now),
      lost_at_(held_.grant.lost_at),
      renew_at_(next_renewal(lost_at_ - held_.grant.ttl)),
      last_id_(first_id) {
  if (held_.grant.watch != 0) watch_.adopt(held_.grant.watch, now);
}

HoldStep HoldMachine::resume(const DialogueEvent& event, Now now) {
  step_ = {};
  now_ = now;
  if (stage_ == Stage::finished) return {};
  std::visit([this](const auto& one) { on(one); }, event);
  if (stage_ == Stage::holding && now_.mono >= lost_at_) {
    lose("no renewal was answered for its time to live of " + kube::to_string(ttl()) +
             (last_error_ ? ": " + last_error_->detail : ""),
         lost_at_, false);
  }
  pump();
  step_.wake_at = next_wake();
  return std::exchange(step_, {});
}

void HoldMachine::release(MonoTime until) {
  if (stage_ == Stage::finished) return;
  stage_ = Stage::releasing;
  watch_.drop();
  renewal_ = look_ = {};
  remove_at_ = {};
  give_up_at_ = until;
}

// ---- events

void HoldMachine::on(const Answered& event) {
  if (event.id == 0) return;
  const auto take = [&event](InFlight& asked) { return asked.id == event.id; };
  const auto classified = [&](const char* verb) -> Result<json> {
    return event.answer ? kube::classify(*event.answer, doing(verb)) : event.answer.error();
  };
  if (take(renewal_)) return on_renewal(classified("renew"), std::exchange(renewal_, {}).sent);
  if (take(look_)) {
    look_ = {};
    return on_look(classified("get"));
  }
  if (take(removal_)) {
    removal_ = {};
    return on_removal(classified("delete"));
  }
}

void HoldMachine::on(const ObjectSeen& event) {
  if (!watch_.is(event.watch) || stage_ != Stage::holding || !event.object) return;
  const auto view = view_of_claim(*event.object, *held_.kind);
  if (!view) return;
  // A watch may be behind what a renewal has shown: whether a grant of ours is gone is for a GET to say.
  const runtime::Claim& claim = view->claim;
  const bool holds_ours = runtime::holds(claim.phase) && claim.token == held_.grant.token;
  if (claim.uid == held_.grant.uid && !holds_ours && !runtime::is_terminal(claim.phase)) {
    must_look_ = true;
  } else {
    observe(*view);
  }
}

void HoldMachine::on(const ObjectGone& event) {
  if (!watch_.is(event.watch) || stage_ != Stage::holding) return;
  lose("somebody deleted the claim " + kube::to_string(held_.claim), now_.mono, true);
}

void HoldMachine::on(const WatchEnded& event) {
  if (watch_.is(event.watch)) watch_.end(event.error, now_.mono, delay_);
}

void HoldMachine::on_renewal(const Result<json>& answer, MonoTime sent) {
  if (stage_ != Stage::holding) return;
  if (answer) {
    const auto view = view_of_claim(*answer, *held_.kind);
    if (view) return renewed(*view, sent);
    last_error_ = view.error();
  } else {
    if (answer.error().code == Errc::not_found) {
      return lose("the claim " + kube::to_string(held_.claim) + " is gone: somebody deleted it", now_.mono, true);
    }
    if (!last_error_) {
      step_.notes.push_back("the claim could not be renewed and is tried again, for at most " +
                            kube::to_string(std::max(lost_at_ - now_.mono, Duration{0})) + ": " +
                            answer.error().detail);
    }
    last_error_ = answer.error();
    // Perhaps another life of the claim, of another UID.
    if (last_error_->code == Errc::conflict || last_error_->code == Errc::invalid) {
      must_look_ = true;
    }
  }
  const Duration most = std::max<Duration>((lost_at_ - now_.mono) / 4, std::chrono::milliseconds{10});
  renew_at_ = now_.mono + std::min(delay_.next(*last_error_), most);
}

void HoldMachine::renewed(const ClaimView& view, MonoTime sent) {
  const runtime::Claim& claim = view.claim;
  const bool same = claim.uid == held_.grant.uid && claim.token == held_.grant.token;
  if (!same || claim.phase != Phase::granted || claim.deleting) {
    renew_at_ = next_renewal(sent);
    return observe(view);
  }
  delay_.reset();
  if (std::exchange(last_error_, std::nullopt)) step_.notes.emplace_back("the claim is renewed again");
  shown_renew_time_ = claim.renew_time;
  renew_at_ = next_renewal(sent);
  lost_at_ = std::max(lost_at_, sent + ttl());
  step_.lost_at = lost_at_;
}

void HoldMachine::on_look(const Result<json>& answer) {
  if (stage_ != Stage::holding) return;
  if (!answer) {
    if (answer.error().code == Errc::not_found) {
      return lose("the claim " + kube::to_string(held_.claim) + " is gone: somebody deleted it", now_.mono, true);
    }
    // Renewals tell as much, only later.
    if (!is_retryable(answer.error().code)) return watch_.forbid();
    return watch_.look_at(now_.mono + delay_.next(answer.error()));
  }
  const auto view = view_of_claim(*answer, *held_.kind);
  if (!view) return watch_.look_at(now_.mono + delay_.next());
  observe(*view);
  if (stage_ == Stage::holding) keep_watching(view->claim.resource_version);
}

void HoldMachine::on_removal(const Result<json>& answer) {
  if (stage_ != Stage::releasing) return;
  if (answer) return finish({});
  const Error& error = answer.error();
  if (error.code == Errc::not_found || error.code == Errc::conflict) return finish({});
  last_error_ = error;
  if (!is_retryable(error.code)) return finish(error.detail);
  remove_at_ = now_.mono + delay_.next(error);
}

// ---- what becomes of it

void HoldMachine::observe(const ClaimView& view) {
  const runtime::Claim& claim = view.claim;
  const std::string name = kube::to_string(held_.claim);
  const std::string words = view.message.empty() ? claim.reason : view.message;
  const std::string because = words.empty() ? std::string{} : ": " + words;
  if (claim.uid != held_.grant.uid) {
    return lose("the claim " + name + " is another one now: somebody deleted ours", now_.mono, true);
  }
  if (claim.deleting) return lose("the claim " + name + " is being deleted", now_.mono, true);
  if (runtime::is_terminal(claim.phase)) {
    return lose("the claim " + name + " became " + std::string(to_string(claim.phase)) + because, now_.mono, true);
  }
  if (claim.phase == Phase::revoking) {
    // The operator's clock began before this was heard of: what of the grace is left is not known exactly.
    const Duration grace = Duration{claim.grace.value_or(0)} * 3 / 4;
    return lose(subject() + " asks for it back" + because, std::min(lost_at_, now_.mono + grace), false);
  }
  const bool other_grant = claim.phase == Phase::granted && claim.token != held_.grant.token;
  if (claim.phase == Phase::pending || other_grant) {
    lose("the claim " + name + " no longer shows this grant", now_.mono, false);
  }
}

void HoldMachine::lose(std::string why, MonoTime stop_by, bool gone) {
  if (stage_ != Stage::holding) return;
  stage_ = Stage::lost;
  gone_ = gone;
  watch_.drop();
  step_.loss = Loss{std::move(why), stop_by};
}

void HoldMachine::finish(const std::string& problem) {
  stage_ = Stage::finished;
  step_.finished = true;
  if (problem.empty()) return;
  step_.problem = "the claim " + kube::to_string(held_.claim) + " could not be given back (" + problem + "): it ends " +
                  (held_.of_pod ? "with its Pod or " : "") + "when its TTL is over, or by `" +
                  release_command(*held_.kind, held_.primitive, held_.claim.name) + "`";
}

// ---- what to send

void HoldMachine::pump() {
  const kube::Resource claims = held_.kind->claim_resource();
  const Duration time = bounded_request(settings_.request_time, ttl());
  if (stage_ == Stage::releasing) {
    if (gone_) return finish({});
    if (now_.mono >= give_up_at_) return finish(last_error_ ? last_error_->detail : "no answer in time");
    if (removal_.id != 0 || now_.mono < remove_at_) return;
    removal_ = {++last_id_, now_.mono};
    const Duration left = std::min(settings_.request_time, give_up_at_ - now_.mono);
    step_.send.push_back({last_id_, kube::delete_object(claims, held_.claim, {held_.grant.uid, {}}), left});
    return;
  }
  if (stage_ != Stage::holding) return;
  if (renewal_.id == 0 && now_.mono >= renew_at_) {
    renewal_ = {++last_id_, now_.mono};
    renewed_ = renewal_time(shown_renew_time_, renewed_, now_.server);
    step_.send.push_back(
        {last_id_, kube::merge_patch(claims, held_.claim, compose_renewal(held_.grant.uid, renewed_)), time});
  }
  const bool due = !watch_.runs() && watch_.is_allowed() && now_.mono >= watch_.look_at();
  if (look_.id != 0 || !(due || std::exchange(must_look_, false))) return;
  look_ = {++last_id_, now_.mono};
  step_.send.push_back({last_id_, kube::get(claims, held_.claim), time});
}

void HoldMachine::keep_watching(const std::string& resource_version) {
  if (watch_.runs() || !watch_.is_allowed()) return;
  const int timeout_s = watch_.begin(++last_id_, now_.mono);
  const kube::WatchOptions options{.field_selector = "metadata.name=" + held_.claim.name,
                                   .label_selector = {},
                                   .resource_version = resource_version,
                                   .timeout_s = timeout_s};
  step_.watch = {last_id_, kube::watch(held_.kind->claim_resource(), held_.claim.ns, options)};
}

// A little before the third, each at another time, so that those who began together do not stay together.
MonoTime HoldMachine::next_renewal(MonoTime sent) {
  const double early = delay_.jitter() * 0.1;
  return sent + Duration{static_cast<std::int64_t>(static_cast<double>(ttl().count()) / 3.0 * (1.0 - early))};
}

std::optional<MonoTime> HoldMachine::next_wake() const {
  if (stage_ == Stage::releasing) return removal_.id != 0 ? give_up_at_ : std::min(give_up_at_, remove_at_);
  if (stage_ != Stage::holding) return std::nullopt;
  MonoTime wake = lost_at_;
  if (renewal_.id == 0) wake = std::min(wake, renew_at_);
  const bool looks = !watch_.runs() && watch_.is_allowed() && look_.id == 0;
  return looks ? std::min(wake, watch_.look_at()) : wake;
}

std::string HoldMachine::doing(const std::string& verb) const {
  return verb + " " + to_string(held_.kind->claim_resource()) + " " + kube::to_string(held_.claim);
}

std::string HoldMachine::subject() const {
  return held_.kind->names.singular + " " + kube::to_string(held_.primitive);
}

}  // namespace konductor::kondctl
