#include "runtime/elector.hpp"

#include "kube/json_fields.hpp"
#include "kube/time.hpp"
#include "runtime/backoff.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace konductor::runtime {
namespace {

/// A record that claims to last for ever must not stop the election for ever.
constexpr std::int64_t longest_claim_s = 3600;
/// The API has 32 bits for them, and refuses a record with more.
constexpr std::int64_t most_transitions = std::numeric_limits<std::int32_t>::max();

const kube::Resource& lease_resource() {
  static const kube::Resource resource{"coordination.k8s.io", "v1", "leases"};
  return resource;
}

std::int64_t whole_seconds(Duration duration) {
  return std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(duration).count());
}

}  // namespace

Elector::Action Elector::resume(const Event& event, Now now) {
  // A deadline that passed unobserved ends the leadership before anything else is looked at.
  if (leading_ && now.mono >= deadline()) leading_ = false;
  return std::visit([&](const auto& occurred) { return on(occurred, now); }, event);
}

Elector::Action Elector::on(const Started&, Now now) {
  return read(State::reading, now);
}

Elector::Action Elector::on(const Answered& event, Now now) {
  const Result<nlohmann::json> record = judge(event.answer, now.mono);
  switch (state_) {
    case State::reading: return on_read(record, now);
    case State::acquiring: return on_acquired(record, now);
    case State::renewing: return on_renewed(record, now);
    case State::checking: return on_checked(record, now);
    case State::recalling: return on_recalled(record, now);
    case State::releasing: return on_released(record, now);
    case State::done: return Done{};
    case State::start:
    case State::waiting:
    case State::leading: break;
  }
  // The driver broke its contract: believe nothing but a fresh read.
  return read(leading_ ? State::checking : State::reading, now);
}

Elector::Action Elector::on(const WaitOver&, Now now) {
  if (state_ == State::done) return Done{};
  return leading_ ? renew(now) : read(State::reading, now);
}

Elector::Action Elector::on(const Shutdown&, Now now) {
  leading_ = false;
  const bool ending = state_ == State::recalling || state_ == State::releasing || state_ == State::done;
  if (ending || !perhaps_ours_) return finish();
  // Whether a request that was abandoned took effect is not known.
  return state_ == State::leading ? release(now) : read(State::recalling, now);
}

/// An answer as a record, which is noted, or as the reason why there is none.
Result<nlohmann::json> Elector::judge(const Result<kube::Response>& answer, MonoTime now) {
  const std::string doing = doing_ + " leases.coordination.k8s.io " + kube::to_string(key());
  if (!answer) {
    Error error = answer.error();
    error.detail = doing + ": " + error.detail;
    problem_ = error.detail;
    return error;
  }
  Result<nlohmann::json> record = kube::classify(*answer, doing);
  if (record && kube::text_at(*record, "metadata.resourceVersion").empty()) {
    record = Error{Errc::protocol_violation, doing + ": the answer has no resourceVersion"};
  }
  if (record) {
    problem_.clear();
    observe(*record, now);
    return record;
  }
  const Errc code = record.error().code;
  const bool expected = code == Errc::not_found || code == Errc::conflict || code == Errc::already_exists;
  problem_ = expected ? std::string{} : record.error().detail;
  return record;
}

void Elector::observe(const nlohmann::json& record, MonoTime now) {
  const std::string_view version = kube::text_at(record, "metadata.resourceVersion");
  if (version != version_) unchanged_since_ = now;
  version_ = version;
  holder_ = kube::text_at(record, "spec.holderIdentity");
  const std::int64_t transitions = kube::integer_at(record, "spec.leaseTransitions").value_or(0);
  transitions_ = std::clamp<std::int64_t>(transitions, 0, most_transitions);
  const std::int64_t claimed_s = kube::integer_at(record, "spec.leaseDurationSeconds").value_or(0);
  claimed_ = std::chrono::seconds{std::clamp<std::int64_t>(claimed_s, 0, longest_claim_s)};
  perhaps_ours_ = holder_ == settings_.identity;
}

Elector::Action Elector::on_read(const Result<nlohmann::json>& record, Now now) {
  if (record) return contend(now);
  if (record.error().code != Errc::not_found) return wait(State::waiting, now.mono + pause_after(record.error()));
  return create(now);
}

Elector::Action Elector::on_acquired(const Result<nlohmann::json>& record, Now now) {
  if (record && perhaps_ours_) return lead(now);
  if (record) return contend(now);
  const Errc code = record.error().code;
  if (code == Errc::conflict || code == Errc::already_exists) return read(State::reading, now);
  return wait(State::waiting, now.mono + pause_after(record.error()));
}

Elector::Action Elector::on_renewed(const Result<nlohmann::json>& record, Now now) {
  if (record && perhaps_ours_) return lead(now);
  if (record) return step_down(now);
  if (record.error().code == Errc::conflict && leading_) return read(State::checking, now);
  return renewal_failed(record.error(), now);
}

Elector::Action Elector::on_checked(const Result<nlohmann::json>& record, Now now) {
  if (!record) return renewal_failed(record.error(), now);
  if (leading_ && perhaps_ours_) return renew(now);
  leading_ = false;
  return contend(now);
}

Elector::Action Elector::on_recalled(const Result<nlohmann::json>& record, Now now) {
  return record && perhaps_ours_ ? release(now) : finish();
}

Elector::Action Elector::on_released(const Result<nlohmann::json>& record, Now now) {
  const bool conflict = !record && record.error().code == Errc::conflict;
  return conflict && !std::exchange(recalled_, true) ? read(State::recalling, now) : finish();
}

/// The record is known: takes it, or waits until it can be taken at the earliest.
Elector::Action Elector::contend(Now now) {
  const MonoTime free_at = unchanged_since_ + std::max(settings_.lease_duration, claimed_);
  if (holder_.empty() || holder_ == settings_.identity || now.mono >= free_at) return take_over(now);
  return wait(State::waiting, std::min(now.mono + std::min(settings_.look_period, settings_.retry_period), free_at));
}

Elector::Action Elector::lead(Now now) {
  renewed_ = sent_;
  leading_ = now.mono < deadline();
  if (!leading_) return read(State::reading, now);
  return wait(State::leading, std::max(now.mono, sent_ + settings_.retry_period));
}

Elector::Action Elector::step_down(Now now) {
  leading_ = false;
  return read(State::reading, now);
}

/// Leadership outlives failed renewals up to its deadline, but not the loss of the record.
Elector::Action Elector::renewal_failed(const Error& error, Now now) {
  if (!leading_ || error.code == Errc::not_found) return step_down(now);
  return wait(State::leading, std::min(now.mono + pause_after(error), deadline()));
}

Elector::Action Elector::create(Now now) {
  version_.clear();
  nlohmann::json spec = fresh_spec(now);
  spec["acquireTime"] = spec["renewTime"];
  spec["leaseTransitions"] = 0;
  const nlohmann::json record = {{"apiVersion", "coordination.k8s.io/v1"},
                                 {"kind", "Lease"},
                                 {"metadata", {{"name", settings_.name}, {"namespace", settings_.ns}}},
                                 {"spec", std::move(spec)}};
  doing_ = "create";
  perhaps_ours_ = true;
  return send(State::acquiring, kube::create(lease_resource(), settings_.ns, record), now);
}

Elector::Action Elector::take_over(Now now) {
  nlohmann::json spec = fresh_spec(now);
  spec["acquireTime"] = spec["renewTime"];
  spec["leaseTransitions"] =
      holder_ == settings_.identity ? transitions_ : std::min(transitions_ + 1, most_transitions);
  doing_ = "acquire";
  return patch(State::acquiring, std::move(spec), now);
}

Elector::Action Elector::renew(Now now) {
  doing_ = "renew";
  return patch(State::renewing, fresh_spec(now), now);
}

Elector::Action Elector::release(Now now) {
  nlohmann::json spec = fresh_spec(now);
  spec["holderIdentity"] = "";
  spec["leaseDurationSeconds"] = 1;
  doing_ = "release";
  return patch(State::releasing, std::move(spec), now);
}

Elector::Action Elector::read(State next, Now now) {
  doing_ = "get";
  return send(next, kube::get(lease_resource(), key()), now);
}

Elector::Action Elector::patch(State next, nlohmann::json spec, Now now) {
  perhaps_ours_ = true;
  const nlohmann::json body = {{"metadata", {{"resourceVersion", version_}}}, {"spec", std::move(spec)}};
  return send(next, kube::merge_patch(lease_resource(), key(), body), now);
}

Elector::Action Elector::send(State next, kube::Request request, Now now) {
  state_ = next;
  sent_ = now.mono;
  MonoTime until = now.mono + settings_.renew_deadline;
  if (leading_) until = deadline();
  if (next == State::recalling || next == State::releasing) until = now.mono + settings_.retry_period;
  return Send{std::move(request), until};
}

Elector::Action Elector::wait(State next, MonoTime until) {
  state_ = next;
  return Wait{until};
}

Elector::Action Elector::finish() {
  state_ = State::done;
  return Done{};
}

/// The fields that each write of a holder sets. Rationale for the step: others see that a record is renewed by its
/// change, and a patch that changes nothing changes no resourceVersion.
nlohmann::json Elector::fresh_spec(Now now) {
  written_ = std::max(now.server, written_ + std::chrono::microseconds{1});
  return {{"holderIdentity", settings_.identity},
          {"leaseDurationSeconds", whole_seconds(settings_.lease_duration)},
          {"renewTime", kube::to_rfc3339_micro(written_)}};
}

Duration Elector::pause_after(const Error& error) const {
  return std::max(settings_.retry_period, requested_pause(error.retry_after_s));
}

}  // namespace konductor::runtime
