// Over 200 lines: one conversation, read from top to bottom.
#include "kondctl/wait_machine.hpp"

#include "kondctl/advice.hpp"
#include "kube/json_fields.hpp"
#include "kube/time.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace konductor::kondctl {

namespace {

using nlohmann::json;

constexpr int rounds_at_once = 4;                           // of finding another claim in the way, before it slows down
constexpr Duration short_outage = std::chrono::seconds{3};  // is not worth a word
// A claim is denied when it is first looked at, or never: from there on it is looked at ever more rarely.
constexpr Duration first_check = std::chrono::seconds{1};
constexpr Duration rarest_check = std::chrono::minutes{5};

}  // namespace

WaitMachine::WaitMachine(WaitWish wish, DialogueSettings settings, MonoTime started)
    : wish_(std::move(wish)),
      settings_(settings),
      started_(started),
      delay_(settings.retry_first, settings.retry_most, settings.seed),
      next_at_(started),
      by_get_(!wish_.wait),
      watch_(settings, started),
      check_delay_(first_check),
      progress_(settings, started) {}

WaitStep WaitMachine::resume(const DialogueEvent& event, Now now) {
  step_ = {};
  now_ = now;
  if (over()) return {};
  std::visit([this](const auto& one) { on(one); }, event);
  check_time();
  pump();
  if (step_.finish) return std::exchange(step_, {});
  if (auto words = progress_.due(now_.mono)) step_.notes.push_back(std::move(*words));
  step_.wake_at = next_wake();
  return std::exchange(step_, {});
}

// ---- events

void WaitMachine::on(const Answered& event) {
  if (event.id == 0 || event.id != request_) return;
  request_ = 0;
  const Ask asked = std::exchange(asked_, Ask::none);
  const Result<json> answer = event.answer ? kube::classify(*event.answer, doing(asked)) : event.answer.error();
  if (answer) {
    delay_.reset();
    last_error_.reset();
    failing_since_.reset();
  } else if (asked != Ask::check && is_retryable(answer.error().code)) {
    last_error_ = answer.error();
    if (!failing_since_) failing_since_ = now_.mono;
  }
  switch (asked) {
    case Ask::look_up: return on_look_up(answer);
    case Ask::create: return on_create(answer);
    case Ask::inspect: return on_inspect(answer);
    case Ask::remove: return on_remove(answer);
    case Ask::check: return on_check(answer);
    case Ask::none: return;
  }
}

void WaitMachine::on(const ObjectSeen& event) {
  if (!watch_.is(event.watch) || !event.object) return;
  delay_.reset();
  present(event.object);
}

void WaitMachine::on(const ObjectGone& event) {
  if (watch_.is(event.watch)) absent();
}

void WaitMachine::on(const WatchEnded& event) {
  if (watch_.is(event.watch)) watch_.end(event.error, now_.mono, delay_);
}

void WaitMachine::on(const Signalled& event) {
  const bool terminate = event.signal == Signal::terminate;
  finish(terminate ? ExitCode::terminated : ExitCode::interrupted,
         (terminate ? "terminated " : "interrupted ") + waiting() + what_stays());
}

// ---- the primitive

void WaitMachine::on_look_up(const Result<json>& answer) {
  if (!watch_.is_allowed()) watch_.looked(now_.mono);
  if (!answer) {
    if (answer.error().code == Errc::not_found) return absent();
    if (answer.error().code != Errc::forbidden || by_get_) return try_again(Ask::look_up, answer.error());
    by_get_ = true;
    watch_.forbid();
    return plan(Ask::look_up, now_.mono);
  }
  const json* found = found_in(*answer);
  if (found == nullptr) return absent();
  present(std::make_shared<const json>(*found));
  if (!claim_gone_ || over()) return;
  finish(ExitCode::failed, "somebody deleted the claim " + kube::to_string(wish_.join->claim) +
                               " while it waited for " + subject() + ": the same command joins again");
}

// The primitive in the answer to a look-up, if it is there; in a list also from where a watch goes on.
const json* WaitMachine::found_in(const json& answer) {
  if (by_get_) return &answer;
  version_ = kube::text_at(answer, "metadata.resourceVersion");
  const json* items = kube::find_path(answer, "items");
  const bool there = items != nullptr && items->is_array() && !items->empty();
  return there ? &items->front() : nullptr;
}

void WaitMachine::present(std::shared_ptr<const json> object) {
  auto meta = kube::parse_meta(*object);
  if (!meta) return fail(meta.error());
  if (!life_.empty() && meta->uid != life_) {
    return finish(ExitCode::no_such_object, subject() + " was deleted and created anew " + waiting());
  }
  primitive_ = Seen{std::move(object), std::move(*meta)};
  missing_ = false;
  verdict_ = wait_verdict(*primitive_->object, wish_.kind->wait, wish_.round);
  outcome_.phase = kube::text_at(*primitive_->object, "status.phase");
  outcome_.words = verdict_.words;
  if (const std::string why = why_not_round(); !why.empty()) return finish(ExitCode::usage, why);
  if (!has_to_join()) return judge();
  if (idle()) join();
}

void WaitMachine::absent() {
  if (!life_.empty()) return finish(ExitCode::no_such_object, subject() + " was deleted " + waiting());
  if (!wish_.wait) return finish(ExitCode::no_such_object, subject() + " does not exist");
  primitive_.reset();
  missing_ = true;
  progress_.about("missing", subject() + " does not exist; waiting for it to be created");
}

void WaitMachine::judge() {
  life_ = primitive_->meta.uid;
  if (verdict_.kind == WaitVerdict::Kind::served) {
    outcome_.served = true;
    return finish(ExitCode::done, {});
  }
  if (verdict_.kind == WaitVerdict::Kind::failed) return finish(ExitCode::refused, why_failed());
  if (primitive_->meta.deleting) return finish(ExitCode::no_such_object, subject() + " is being deleted");
  note_progress();
}

void WaitMachine::note_progress() {
  if (!has_status(*primitive_->object)) {
    if (!silent_since_) silent_since_ = now_.mono;
    return;
  }
  silent_since_.reset();
  const std::string not_ready = why_not_ready(*primitive_->object);
  if (not_ready.empty() && verdict_.words.empty()) return progress_.nothing();
  if (!not_ready.empty()) return progress_.about(not_ready, subject() + " is not ready: " + not_ready + "; waiting");
  progress_.about("waiting", "waiting for " + subject() + ": " + verdict_.words);
}

// ---- the claim

void WaitMachine::join() {
  if (verdict_.kind == WaitVerdict::Kind::failed)
    return finish(ExitCode::refused, why_failed() + "; nothing was created");
  const bool over_for_others =
      !wish_.kind->wait.failed_phase.empty() && outcome_.phase == wish_.kind->wait.failed_phase;
  if (over_for_others) return judge();
  if (primitive_->meta.deleting) return finish(ExitCode::no_such_object, subject() + " is being deleted");
  if (!in_the_way_) return plan(Ask::create, now_.mono);
  // Seen after that claim was: now it is certain of which life it is.
  if (is_of(*in_the_way_, primitive_->meta)) {
    in_the_way_.reset();
    return plan(Ask::inspect, now_.mono);
  }
  over_ = std::exchange(in_the_way_, std::nullopt);
  plan(Ask::remove, now_.mono);
}

void WaitMachine::on_create(const Result<json>& answer) {
  const auto view = view_in(answer);
  if (view) return joined(*view, false);
  if (view.error().code == Errc::already_exists) return plan(Ask::inspect, now_.mono);
  // Not about the object, for there was none: a quota says so, for example.
  if (view.error().code == Errc::conflict) return finish(ExitCode::refused, sentence_for(view.error()));
  unsure_ = unsure_ || is_retryable(view.error().code);
  try_again(Ask::create, view.error());
}

void WaitMachine::on_inspect(const Result<json>& answer) {
  const auto view = view_in(answer);
  if (view) return settle_existing(*answer, *view);
  if (view.error().code == Errc::not_found) return plan(Ask::create, now_.mono);
  try_again(Ask::inspect, view.error());
}

Result<ClaimView> WaitMachine::view_in(const Result<json>& answer) const {
  if (!answer) return answer.error();
  return view_of_claim(*answer, *wish_.kind);
}

// A claim of this name is there: it may be ours (the answer to our create was lost), the same participant's, one that
// is over, or one of a former life of the primitive.
void WaitMachine::settle_existing(const json& object, const ClaimView& view) {
  const runtime::Claim& claim = view.claim;
  const MonoTime soon = ++rounds_ > rounds_at_once ? now_.mono + delay_.next() : now_.mono;
  if (claim.deleting) return plan(Ask::inspect, now_.mono + delay_.next());
  const bool ours = requested_at_ && unsure_ && view.requested_at == kube::to_rfc3339_micro(*requested_at_);
  if (ours) return joined(view, false);
  if (!is_of(claim, primitive_->meta)) {
    in_the_way_ = claim;
    life_.clear();
    version_.clear();
    return plan(Ask::look_up, soon);
  }
  if (runtime::is_terminal(claim.phase)) {
    over_ = claim;
    return plan(Ask::remove, soon);
  }
  const std::string differs = difference_of_joining(object, *wish_.join);
  if (differs.empty()) return joined(view, true);
  finish(ExitCode::failed, "the same participant has joined " + subject() + " already, by claim " + claim.name.name +
                               " whose " + differs + " is another");
}

void WaitMachine::on_remove(const Result<json>& answer) {
  if (answer || answer.error().code == Errc::not_found) return plan(Ask::create, now_.mono);
  if (answer.error().code == Errc::conflict) return plan(Ask::inspect, now_.mono);
  try_again(Ask::inspect, answer.error());
}

void WaitMachine::joined(const ClaimView& view, bool adopted) {
  if (runtime::is_terminal(view.claim.phase)) return refused(view);
  outcome_.joined = WaitOutcome::Joined{view.claim.uid, adopted};
  if (!wish_.wait) return finish(ExitCode::done, {});
  check_at_ = now_.mono + check_delay_;
  judge();
}

void WaitMachine::refused(const ClaimView& view) {
  const std::string& words = view.message.empty() ? view.claim.reason : view.message;
  finish(ExitCode::refused,
         subject() + " refused the claim " + view.claim.name.name + (words.empty() ? "" : ": " + words));
}

void WaitMachine::on_check(const Result<json>& answer) {
  check_delay_ = std::min(check_delay_ * 2, rarest_check);
  check_at_ = now_.mono + check_delay_;
  const auto view = view_in(answer);
  if (!view) {
    if (view.error().code == Errc::forbidden) check_at_.reset();
    if (view.error().code != Errc::not_found) return;
    // It goes with its primitive too.
    claim_gone_ = true;
    watch_.drop();
    return plan(Ask::look_up, now_.mono);
  }
  if (runtime::is_terminal(view->claim.phase)) return refused(*view);
  const std::string doubt = doubt_of(*answer);
  if (doubt.empty() || doubt == said_doubt_) return;
  said_doubt_ = doubt;
  step_.notes.push_back(doubt);
}

// ---- what to send

void WaitMachine::plan(Ask ask, MonoTime at) {
  next_ = ask;
  next_at_ = at;
}

void WaitMachine::try_again(Ask ask, const Error& error) {
  if (!is_retryable(error.code)) return fail(error);
  plan(ask, now_.mono + delay_.next(error));
}

void WaitMachine::check_time() {
  if (over()) return;
  if (settings_.deadline && now_.mono >= *settings_.deadline) {
    const std::string why = why_not_yet();
    return finish(ExitCode::timed_out, "timed out after " + kube::to_string(*settings_.deadline - started_) + " " +
                                           waiting() + (why.empty() ? "" : ": " + why) + what_stays());
  }
  if (!wish_.wait && !settings_.deadline && now_.mono >= started_ + settings_.patience) {
    const std::string why = why_not_yet();
    return finish(ExitCode::unreachable, "no answer within " + kube::to_string(settings_.patience) +
                                             (why.empty() ? "" : ": " + why) + what_stays());
  }
  if (failing_since_ && now_.mono >= *failing_since_ + short_outage && last_error_) {
    note_once(said_unreachable_, last_error_->detail + "; trying again");
  }
  if (silent_since_ && now_.mono >= *silent_since_ + settings_.patience) {
    note_once(said_silent_, "no operator has answered yet: is `konductor` running? Still waiting for " + subject());
  }
}

void WaitMachine::pump() {
  if (over()) return;
  if (idle() && check_at_ && now_.mono >= *check_at_) plan(Ask::check, now_.mono);
  if (idle() && wish_.wait && !watch_.runs()) {
    if (!watch_.is_allowed() || version_.empty()) {
      plan(Ask::look_up, watch_.look_at());
    } else {
      start_watch();
    }
  }
  if (next_ != Ask::none && request_ == 0 && now_.mono >= next_at_) send(std::exchange(next_, Ask::none));
}

void WaitMachine::send(Ask ask) {
  if (ask == Ask::look_up) watch_.drop();  // what an older one still tells may be older than the answer
  if (ask == Ask::create) {
    life_ = primitive_->meta.uid;
    if (!requested_at_) requested_at_ = now_.server;
  }
  asked_ = ask;
  request_ = ++last_id_;
  step_.send.push_back({request_, request_for(ask), settings_.request_time});
}

kube::Request WaitMachine::request_for(Ask ask) const {
  const kube::Resource claims = wish_.kind->claim_resource();
  const kube::Resource primitives = wish_.kind->primitive_resource();
  switch (ask) {
    case Ask::create:
      return kube::create(claims, wish_.join->claim.ns,
                          compose_joining(*wish_.join, primitive_->meta.uid, *requested_at_));
    case Ask::remove: return kube::delete_object(claims, wish_.join->claim, {over_->uid, over_->resource_version});
    case Ask::inspect:
    case Ask::check: return kube::get(claims, wish_.join->claim);
    case Ask::look_up:
    case Ask::none: break;
  }
  if (by_get_) return kube::get(primitives, wish_.primitive);
  kube::ListOptions options;
  options.field_selector = "metadata.name=" + wish_.primitive.name;
  return kube::list(primitives, wish_.primitive.ns, options);
}

void WaitMachine::start_watch() {
  const int timeout_s = watch_.begin(++last_id_, now_.mono);
  const kube::WatchOptions options{.field_selector = "metadata.name=" + wish_.primitive.name,
                                   .label_selector = {},
                                   .resource_version = std::exchange(version_, {}),
                                   .timeout_s = timeout_s};
  step_.watch = {last_id_, kube::watch(wish_.kind->primitive_resource(), wish_.primitive.ns, options)};
}

std::optional<MonoTime> WaitMachine::next_wake() const {
  std::optional<MonoTime> wake;
  const auto at_most = [&wake](MonoTime time) { wake = wake ? std::min(*wake, time) : time; };
  if (next_ != Ask::none && request_ == 0) at_most(next_at_);
  if (check_at_ && idle()) at_most(*check_at_);
  if (const auto words = progress_.next()) at_most(*words);
  if (settings_.deadline) at_most(*settings_.deadline);
  if (!wish_.wait && !settings_.deadline) at_most(started_ + settings_.patience);
  if (failing_since_ && !said_unreachable_) at_most(*failing_since_ + short_outage);
  if (silent_since_ && !said_silent_) at_most(*silent_since_ + settings_.patience);
  return wake;
}

// ---- the end

void WaitMachine::fail(const Error& error) {
  finish(exit_code_for(error), sentence_for(error) + (unsure_ || outcome_.joined ? what_stays() : std::string{}));
}

void WaitMachine::finish(ExitCode code, std::string message) {
  outcome_.code = code;
  outcome_.message = std::move(message);
  step_.finish = outcome_;
  finished_ = true;
}

}  // namespace konductor::kondctl
