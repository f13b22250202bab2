// Over 200 lines: one conversation, read from top to bottom; its end is in claim_ending.cpp.
#include "kondctl/claim_machine.hpp"

#include "kondctl/advice.hpp"
#include "kondctl/claim_machine_impl.hpp"
#include "kube/time.hpp"
#include "runtime/primitive.hpp"
#include "runtime/upkeep.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace konductor::kondctl {

namespace {

using nlohmann::json;
using runtime::Phase;

constexpr int rounds_at_once = 4;  // of finding another claim in the way, before it slows down

}  // namespace

ClaimMachine::ClaimMachine(ClaimWish wish, ClaimSettings settings, MonoTime started)
    : impl_(std::make_unique<Impl>(std::move(wish), std::move(settings), started)) {}
ClaimMachine::~ClaimMachine() = default;
ClaimMachine::ClaimMachine(ClaimMachine&&) noexcept = default;
ClaimMachine& ClaimMachine::operator=(ClaimMachine&&) noexcept = default;

ClaimStep ClaimMachine::resume(const DialogueEvent& event, Now now) {
  return impl_->resume(event, now);
}

ClaimMachine::Impl::Impl(ClaimWish wish, ClaimSettings settings, MonoTime started)
    : wish_(std::move(wish)),
      settings_(std::move(settings)),
      started_(started),
      delay_(settings_.retry_first, settings_.retry_most, settings_.seed),
      next_at_(started),
      watch_(settings_, started),
      progress_(settings_, started) {}

ClaimStep ClaimMachine::Impl::resume(const DialogueEvent& event, Now now) {
  step_ = {};
  now_ = now;
  if (stage_ == Stage::finished) return {};
  std::visit([this](const auto& one) { on(one); }, event);
  check_time();
  pump();
  if (step_.finish) return std::exchange(step_, {});
  tell_progress();
  step_.wake_at = next_wake();
  return std::exchange(step_, {});
}

// ---- events

void ClaimMachine::Impl::on(const Answered& event) {
  if (event.id == 0) return;
  if (event.id == line_.id) return on_line(classified(event, std::exchange(line_, {}).ask));
  const bool renewal = event.id == renewal_.id;
  if (!renewal && event.id != main_.id) return;
  const InFlight asked = std::exchange(renewal ? renewal_ : main_, {});
  const Result<json> answer = classified(event, asked.ask);
  if (answer) {
    delay_.reset();
    last_error_.reset();
  } else {
    last_error_ = answer.error();
  }
  if (stage_ == Stage::withdrawing) return renewal ? void() : on_withdrawing(asked.ask, answer);
  if (renewal) return on_renewal(answer, asked.sent);
  switch (asked.ask) {
    case Ask::look_up: return on_look_up(answer);
    case Ask::look_again: return on_look_again(answer);
    case Ask::create: return on_create(answer, asked.sent);
    case Ask::inspect: return on_inspect(answer, asked.sent);
    case Ask::remove: return on_remove(answer);
    case Ask::refresh: return on_refresh(answer, asked.sent);
    case Ask::confirm: return on_confirm(answer, asked.sent);
    case Ask::line:
    case Ask::withdraw:
    case Ask::none: return;
  }
}

Result<json> ClaimMachine::Impl::classified(const Answered& event, Ask asked) const {
  return event.answer ? kube::classify(*event.answer, doing(asked)) : event.answer.error();
}

void ClaimMachine::Impl::on(const ObjectSeen& event) {
  if (!watch_.is(event.watch) || stage_ != Stage::waiting || !event.object) return;
  delay_.reset();
  if (const auto view = view_of_claim(*event.object, *wish_.kind)) observe(*view, std::nullopt);
}

void ClaimMachine::Impl::on(const ObjectGone& event) {
  if (watch_.is(event.watch) && stage_ == Stage::waiting) deleted_by_somebody();
}

void ClaimMachine::Impl::on(const WatchEnded& event) {
  if (watch_.is(event.watch)) watch_.end(event.error, now_.mono, delay_);
}

void ClaimMachine::Impl::on(const Signalled& event) {
  const bool terminate = event.signal == Signal::terminate;
  const ExitCode code = terminate ? ExitCode::terminated : ExitCode::interrupted;
  const std::string words = terminate ? "terminated" : "interrupted";
  if (stage_ == Stage::withdrawing) {
    verdict_.code = code;
    return withdrawn(Left::perhaps);
  }
  // A Pod that is being stopped may be restarted in place; its claim goes with the Pod, and keeps its turn until then.
  if (terminate && wish_.pod) {
    return finish({code, words + "; the claim " + kube::to_string(wish_.claim) + " goes with its Pod", std::nullopt});
  }
  give_up(code, words + " while waiting for " + subject(), now_.mono + settings_.interrupt_grace);
}

// ---- until the claim is there

void ClaimMachine::Impl::on_look_up(const Result<json>& answer) {
  if (!answer && answer.error().code == Errc::not_found) {
    return finish(
        {ExitCode::no_such_object, subject() + " does not exist (" + answer.error().detail + ")", std::nullopt});
  }
  if (!answer) return try_again(Ask::look_up, answer.error());
  primitive_ = std::make_shared<const json>(*answer);
  const auto primitive = runtime::parse_primitive(primitive_);
  if (!primitive) return fail(primitive.error());
  if (primitive->deleting) return finish({ExitCode::no_such_object, subject() + " is being deleted", std::nullopt});
  primitive_ttl_ = Duration{primitive->ttl};
  not_ready_ = why_not_ready(*answer);
  if (wish_.wait && !not_ready_.empty()) step_.notes.push_back(why_silent() + "; waiting");
  plan(Ask::create, now_.mono);
}

void ClaimMachine::Impl::on_create(const Result<json>& answer, MonoTime sent) {
  if (!answer) {
    if (answer.error().code == Errc::already_exists) return plan(Ask::inspect, now_.mono);
    unsure_ = unsure_ || is_retryable(answer.error().code);
    return try_again(Ask::create, answer.error());
  }
  const auto view = view_of_claim(*answer, *wish_.kind);
  if (!view) return fail(view.error());
  not_granted_at_ = sent;
  enter_waiting(*view, sent);
}

void ClaimMachine::Impl::on_inspect(const Result<json>& answer, MonoTime sent) {
  if (!answer) {
    if (answer.error().code == Errc::not_found) return plan(Ask::create, now_.mono);
    return try_again(Ask::inspect, answer.error());
  }
  const auto view = view_of_claim(*answer, *wish_.kind);
  if (!view) return fail(view.error());
  settle_existing(*answer, *view, sent);
}

// A claim of this name is there: it may be ours (the answer to our create was lost), one of an earlier life of the same
// holder, or one that is over.
void ClaimMachine::Impl::settle_existing(const json& object, const ClaimView& view, MonoTime sent) {
  const runtime::Claim& claim = view.claim;
  step_.claim = claim.uid;
  const bool slow = ++rounds_ > rounds_at_once;
  if (claim.deleting) return plan(Ask::inspect, now_.mono + delay_.next());
  // When it was granted is not known: an earlier life of this holder may have asked at the same time of the server,
  // which is no finer than the Date of one answer. It is none of ours where no create of ours may have been executed.
  const bool may_be_ours = requested_at_ && unsure_ && view.requested_at == kube::to_rfc3339_micro(*requested_at_);
  if (may_be_ours) return enter_waiting(view, sent);
  const std::string differs = runtime::is_terminal(claim.phase) ? std::string{} : difference(object, wish_);
  if (!differs.empty() && runtime::holds(claim.phase)) {
    return finish({ExitCode::failed,
                   "this holder has " + subject() + " already, by claim " + claim.name.name + " whose " + differs +
                       " is another: release that one first, or ask with another --as or --holder",
                   std::nullopt});
  }
  if (runtime::is_terminal(claim.phase) || !differs.empty()) {
    replace(claim);
    if (slow) next_at_ = now_.mono + delay_.next();
    return;
  }
  adopted_ = true;
  found_holding_ = runtime::holds(claim.phase);
  replace_when_over_ = claim.phase == Phase::revoking;
  enter_waiting(view, sent);
}

void ClaimMachine::Impl::on_remove(const Result<json>& answer) {
  if (answer || answer.error().code == Errc::not_found) return plan(Ask::create, now_.mono);
  if (answer.error().code == Errc::conflict) return plan(Ask::inspect, now_.mono);
  try_again(Ask::inspect, answer.error());
}

// ---- while it is there

void ClaimMachine::Impl::enter_waiting(const ClaimView& view, MonoTime sent) {
  stage_ = Stage::waiting;
  view_ = view;
  step_.claim = view.claim.uid;
  watch_.look_at(now_.mono);
  // One that is adopted may not have been renewed for a while.
  if (!wish_.pod) renew_at_ = adopted_ ? now_.mono : sent + effective_ttl() / 3;
  if (!view.claim.resource_version.empty()) keep_watching();
  observe(view, sent);
}

void ClaimMachine::Impl::observe(const ClaimView& view, std::optional<MonoTime> sent) {
  if (view.claim.uid != view_->claim.uid) return deleted_by_somebody();
  view_ = view;
  if (runtime::is_terminal(view.claim.phase)) {
    const bool silent = wish_.wait && view.claim.phase == Phase::expired && view.claim.reason == runtime::ttl_expired;
    if (!replace_when_over_ && !silent) return decided_against(view);
    if (silent && !replace_when_over_) {
      step_.notes.push_back("the API server heard nothing of this claim for its time to live of " +
                            kube::to_string(effective_ttl()) + ", and it lost its place; asking anew for " + subject());
    }
    return replace(view.claim);
  }
  if (view.claim.phase == Phase::granted) return hold();
  if (view.claim.deleting) return deleted_by_somebody();
  if (view.claim.phase == Phase::pending) observe_waiting(view, sent);
}

void ClaimMachine::Impl::observe_waiting(const ClaimView& view, std::optional<MonoTime> sent) {
  if (sent) not_granted_at_ = sent;
  if (view.claim.reason == runtime::exceeds_limit) {
    return give_up(ExitCode::refused, subject() + " can't grant this: " + waiting_words() + "; " + exceeding_advice,
                   now_.mono + settings_.interrupt_grace);
  }
  if (wish_.wait && view.answered && settings_.place_in_line && !line_at_) line_at_ = now_.mono;
}

// The holder's deadline counts from a request that it sent before it held. Where that is long ago (or unknown) it asks
// for a fresh one, so that success is never reported for a claim that may be about to expire.
void ClaimMachine::Impl::hold() {
  if (main_.ask == Ask::confirm || next_ == Ask::confirm) return;
  if (not_granted_at_ && now_.mono - *not_granted_at_ <= effective_ttl() / 3) {
    return succeed(*not_granted_at_ + effective_ttl());
  }
  plan(Ask::confirm, now_.mono);
}

void ClaimMachine::Impl::on_confirm(const Result<json>& answer, MonoTime sent) {
  if (!answer) {
    const Errc code = answer.error().code;
    if (code == Errc::not_found) return deleted_by_somebody();
    // Another life of the claim, or a change at the same time: look again.
    if (code == Errc::conflict || code == Errc::invalid) return plan(Ask::refresh, now_.mono);
    return try_again(Ask::confirm, answer.error());
  }
  const auto view = view_of_claim(*answer, *wish_.kind);
  if (!view) return fail(view.error());
  const runtime::Claim& before = view_->claim;
  const bool holds = view->claim.phase == Phase::granted && view->claim.uid == before.uid;
  if (holds && view->claim.token == before.token) {
    view_ = *view;
    return succeed(sent + effective_ttl());
  }
  if (view->claim.phase == Phase::revoking) {
    return give_up(ExitCode::refused, subject() + " was granted and is being revoked already",
                   now_.mono + settings_.interrupt_grace);
  }
  observe(*view, std::nullopt);
}

void ClaimMachine::Impl::on_renewal(const Result<json>& answer, MonoTime sent) {
  const Duration third = effective_ttl() / 3;
  if (answer) {
    renew_at_ = sent + third;
    const auto view = view_of_claim(*answer, *wish_.kind);
    if (!view || stage_ != Stage::waiting) return;
    if (view->claim.phase != Phase::granted || view->claim.uid != view_->claim.uid) return observe(*view, sent);
    view_ = *view;
    return succeed(sent + effective_ttl());
  }
  const Error& error = answer.error();
  if (error.code == Errc::not_found && stage_ == Stage::waiting) return deleted_by_somebody();
  if (error.code == Errc::conflict || error.code == Errc::invalid) {
    watch_.look_at(now_.mono);
    watch_.drop();
    renew_at_ = now_.mono + third;
  } else if (is_retryable(error.code)) {
    renew_at_ = now_.mono + delay_.next(error);
  } else {
    renew_at_.reset();
    note_once(said_no_renewal_, "the waiting claim can't be renewed and ends when its TTL is over: " + error.detail);
  }
}

void ClaimMachine::Impl::on_refresh(const Result<json>& answer, MonoTime sent) {
  if (!answer) {
    if (answer.error().code == Errc::not_found) return deleted_by_somebody();
    return try_again(Ask::refresh, answer.error());
  }
  const auto view = view_of_claim(*answer, *wish_.kind);
  if (!view) return fail(view.error());
  watch_.looked(now_.mono);
  observe(*view, sent);
  if (stage_ == Stage::waiting) keep_watching();
}

void ClaimMachine::Impl::replace(const runtime::Claim& old) {
  old_ = old;
  stage_ = Stage::starting;
  view_.reset();
  watch_.drop();
  main_ = renewal_ = line_ = {};  // their answers would be about the old one
  renew_at_.reset();
  line_at_.reset();
  place_.clear();
  not_granted_at_.reset();
  adopted_ = replace_when_over_ = found_holding_ = false;
  plan(Ask::remove, now_.mono);
}

// ---- what to send

void ClaimMachine::Impl::plan(Ask ask, MonoTime at) {
  next_ = ask;
  next_at_ = at;
}

void ClaimMachine::Impl::try_again(Ask ask, const Error& error) {
  if (!is_retryable(error.code)) return fail(error);
  plan(ask, now_.mono + delay_.next(error));
  note_once(said_unreachable_, error.detail + "; trying again");
}

void ClaimMachine::Impl::pump() {
  if (stage_ == Stage::finished) return;
  if (stage_ == Stage::waiting && !watch_.runs() && next_ == Ask::none && main_.ask == Ask::none) {
    plan(Ask::refresh, watch_.look_at());
  }
  if (next_ != Ask::none && main_.ask == Ask::none && now_.mono >= next_at_) send_main(std::exchange(next_, Ask::none));
  if (stage_ == Stage::waiting && renew_at_ && renewal_.id == 0 && now_.mono >= *renew_at_) send_renewal();
  if (stage_ == Stage::waiting && line_at_ && line_.id == 0 && now_.mono >= *line_at_)
    line_ = {send(request_for(Ask::line)), Ask::line, now_.mono};
}

void ClaimMachine::Impl::send_main(Ask ask) {
  if (ask == Ask::create && !requested_at_) requested_at_ = now_.server;
  main_ = {send(request_for(ask)), ask, now_.mono};
}

void ClaimMachine::Impl::send_renewal() {
  renewal_ = {send(request_for(Ask::confirm)), Ask::confirm, now_.mono};
}

kube::Request ClaimMachine::Impl::request_for(Ask ask) {
  const kube::Resource claims = wish_.kind->claim_resource();
  switch (ask) {
    case Ask::look_up:
    case Ask::look_again: return kube::get(wish_.kind->primitive_resource(), wish_.primitive);
    case Ask::create: return kube::create(claims, wish_.claim.ns, compose_claim(wish_, *requested_at_));
    case Ask::remove: return kube::delete_object(claims, wish_.claim, {old_.uid, old_.resource_version});
    case Ask::confirm:
      renewed_ = renewal_time(view_->claim.renew_time, renewed_, now_.server);
      return kube::merge_patch(claims, wish_.claim, compose_renewal(view_->claim.uid, renewed_));
    case Ask::withdraw: return kube::delete_object(claims, wish_.claim, {view_->claim.uid, {}});
    case Ask::line: return line_request();
    case Ask::inspect:
    case Ask::refresh:
    case Ask::none: break;
  }
  return kube::get(claims, wish_.claim);
}

std::uint64_t ClaimMachine::Impl::send(kube::Request request) {
  Duration time = settings_.request_time;
  if (stage_ == Stage::withdrawing) time = std::min(time, give_up_at_ - now_.mono);
  step_.send.push_back({++last_id_, std::move(request), time});
  return last_id_;
}

void ClaimMachine::Impl::keep_watching() {
  if (!watch_.is_allowed() || watch_.runs()) return;
  const int timeout_s = watch_.begin(++last_id_, now_.mono);
  const kube::WatchOptions options{.field_selector = "metadata.name=" + wish_.claim.name,
                                   .label_selector = {},
                                   .resource_version = view_->claim.resource_version,
                                   .timeout_s = timeout_s};
  step_.watch = {last_id_, kube::watch(wish_.kind->claim_resource(), wish_.claim.ns, options)};
}

}  // namespace konductor::kondctl
