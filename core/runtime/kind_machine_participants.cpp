#include "kube/json_fields.hpp"
#include "kube/text.hpp"
#include "runtime/claim_writes.hpp"
#include "runtime/kind_machine_impl.hpp"
#include "runtime/participant.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>
#include <utility>
#include <variant>

namespace konductor::runtime {
namespace {

using nlohmann::json;

constexpr const char* pods_forbidden = "PodsForbidden";
constexpr auto patience = std::chrono::minutes{1};  // so long time stands still for who is not known yet
constexpr std::size_t most_jobs = 1000;

/// A Pod may be made to name any Job's UID: what was found out by it is true only of Pods that name that Job likewise.
std::string key_of(const std::string& ns, const OwningJob& job) {
  return ns + "/" + job.name + "/" + job.uid;
}

/// The object; null where the server knows none of that name.
Result<std::unique_ptr<const json>> found(const Result<kube::Response>& answer, const std::string& doing) {
  if (!answer) return answer.error();
  const auto object = kube::classify(*answer, doing);
  if (object) return std::make_unique<const json>(*object);
  if (object.error().code == Errc::not_found) return std::unique_ptr<const json>();
  return object.error();
}

}  // namespace

bool KindMachine::Impl::is_unsettled(const Claim& claim) const {
  return !kind_.participant_field.empty() && claim.participant.empty() && !is_terminal(claim.phase);
}

/// One step at a time: its Pod is asked, perhaps its Job, and what they said is written down. It is counted only after
/// that.
void KindMachine::Impl::find_participant(Entry& entry, KnownClaim& known, Now now) {
  if (!entry.primitive || entry.primitive->deleting || !may_be_served(known, entry)) return;
  auto& notes = known.notes;
  const Claim& claim = known.claim;
  if (notes.job && !notes.participant) {
    if (const auto job = jobs_.find(key_of(claim.name.ns, *notes.job)); job != jobs_.end())
      notes.participant =
          job->second.empty() ? Participant{notes.job->uid, {}} : Participant{claim.pod_uid, job->second};
  }
  if (!can_write(known, entry, now)) return;
  const bool asks_pod = !notes.participant && !notes.job;
  if (asks_pod && now.mono < pods_forbidden_until_) return wait_for_permission(entry, known, now);
  if (!has_room(entry, Urgency::end)) return crowd_out(entry, known, false);
  if (notes.participant)
    return write_claim(known, settle(kind_, claim, *notes.participant, now.server), Sent::claim_write, false);
  if (notes.job)
    return ask_who(known, Sent::job_question, kube::get({"batch", "v1", "jobs"}, {claim.name.ns, notes.job->name}));
  ask_who(known, Sent::owner_question, kube::get_metadata({"", "v1", "pods"}, {claim.name.ns, claim.pod_name}));
}

void KindMachine::Impl::ask_who(KnownClaim& known, Sent what, kube::Request request) {
  known.notes.busy = true;
  InFlight sent;
  sent.what = what;
  sent.ends = true;
  sent.primitive = known.claim.primitive;
  sent.claim_key = known.claim.key;
  sent.claim_uid = known.claim.uid;
  send(std::move(sent), std::move(request));
}

/// Nothing is guessed where the operator may not look: that would be counted for good.
void KindMachine::Impl::wait_for_permission(Entry& entry, KnownClaim& known, Now now) {
  look_at(entry, known, pods_forbidden_until_);
  if (known.notes.told_doubt || known.claim.doubt == pods_forbidden || !has_room(entry, Urgency::tidy)) return;
  known.notes.told_doubt = true;
  const auto message =
      "it is not counted before it is known who it stands for, and the API server refuses to say: " + pods_forbidden_ +
      ". Apply what `konductor manifests` prints, or name the participant in spec." + kind_.participant_field +
      " of a new one";
  write_claim(known, doubt(kind_, known.claim, pods_forbidden, message, now.server), Sent::claim_write, false);
}

void KindMachine::Impl::on_owner_answer(const InFlight& sent, const Result<kube::Response>& answer, Now now) {
  auto* known = view_.known(sent.claim_key, sent.claim_uid);
  if (known == nullptr) return;
  auto& notes = known->notes;
  notes.busy = false;
  const NamedPod pod{known->claim.pod_name, known->claim.pod_uid};
  const auto object = found(answer, "get pods " + known->claim.name.ns + "/" + pod.name);
  if (object) {
    notes.retry = {};
    auto who = participant_of(pod, object->get());
    if (auto* job = std::get_if<OwningJob>(&who)) {
      notes.job = std::move(*job);
    } else {
      notes.participant = std::get<Participant>(std::move(who));
    }
  } else if (object.error().code == Errc::forbidden) {
    // No other Pod may be read either: they need not each be asked for to hear it.
    pods_forbidden_until_ = now.mono + settings_.retry_most;
    pods_forbidden_ = object.error().detail;
    entry(sent.primitive).dirty = true;
    log(LogLine::Level::warning, pods_forbidden_);
  } else {
    notes.trouble = object.error().detail;
    entry(sent.primitive).dirty = true;
    failed(notes.retry, object.error(), now);
  }
  look_at(entry(sent.primitive), *known, now.mono);
}

void KindMachine::Impl::on_job_answer(const InFlight& sent, const Result<kube::Response>& answer, Now now) {
  auto* known = view_.known(sent.claim_key, sent.claim_uid);
  if (known == nullptr || !known->notes.job) return;
  auto& notes = known->notes;
  notes.busy = false;
  const auto job = *notes.job;
  const auto object = found(answer, "get jobs " + known->claim.name.ns + "/" + job.name);
  if (object) {
    notes.retry = {};
    if (jobs_.size() >= most_jobs) jobs_.clear();
    jobs_[key_of(known->claim.name.ns, job)] = why_not_one_completion(job, object->get());
  } else if (object.error().code == Errc::forbidden) {
    log(LogLine::Level::warning, object.error().detail);
    notes.participant = Participant{known->claim.pod_uid, "the operator may not look at Job " + job.name};
  } else {
    notes.trouble = object.error().detail;
    entry(sent.primitive).dirty = true;
    failed(notes.retry, object.error(), now);
  }
  look_at(entry(sent.primitive), *known, now.mono);
}

/// Who is not counted because nobody knows who it is would be missed in vain: it is said where people look for why they
/// wait, as it may be that nothing can be written on the claim.
std::optional<PlanCondition> KindMachine::Impl::why_not_counted(const Entry& entry) const {
  if (kind_.participant_field.empty()) return std::nullopt;
  std::size_t unknown = 0;
  std::string example;
  for (const auto* known : view_.of(entry.name)) {
    const auto& notes = known->notes;
    if (!is_unsettled(known->claim) || !may_be_served(*known, entry)) continue;
    const bool forbidden = notes.told_doubt || known->claim.doubt == pods_forbidden;
    if (!forbidden && !notes.in_vain()) continue;
    if (unknown++ == 0) example = known->claim.key + ": " + (notes.in_vain() ? notes.trouble : pods_forbidden_);
  }
  if (unknown == 0) return std::nullopt;
  return PlanCondition{"Ready", ConditionStatus::false_, "ParticipantsUnknown",
                       std::to_string(unknown) + " " + (unknown == 1 ? kind_.claim.singular : kind_.claim.plural) +
                           " cannot be counted yet, as it cannot be found out and written down who they stand for: " +
                           kube::one_line(example, 1000)};
}

/// What a decision takes for the present. Where it is not known yet who a claim stands for, that is just before this
/// claim was made: no time is over for it only because the operator has not finished looking.
WallTime KindMachine::Impl::decision_time(const Entry& entry, Now now) const {
  auto present = now.server;
  if (kind_.participant_field.empty()) return plan_time(*entry.primitive, present);
  for (const auto* known : view_.of(entry.name)) {
    const auto since = std::max(known->notes.first_seen, led_since_);
    if (!is_unsettled(known->claim) || now.mono >= since + patience) continue;
    if (may_be_served(*known, entry)) present = std::min(present, WallTime{Duration{known->claim.asked_at - 1}});
  }
  return plan_time(*entry.primitive, present);
}

}  // namespace konductor::runtime
