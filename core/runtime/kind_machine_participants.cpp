#include "kube/json_fields.hpp"
#include "kube/text.hpp"
#include "runtime/claim_writes.hpp"
#include "runtime/kind_machine_impl.hpp"
#include "runtime/participant.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

namespace konductor::runtime {
namespace {

using nlohmann::json;

// Reasons of the condition of a claim that is not counted.
constexpr const char* pods_forbidden = "PodsForbidden";
constexpr const char* jobs_forbidden = "JobsForbidden";
constexpr const char* pod_lost = "PodGone";
constexpr const char* job_lost = "JobGone";

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

/// Who another claim of the same Pod was found out to stand for: of another container of it, for example, that was
/// there before it went. What a claim says itself is true of that claim alone.
std::optional<Participant> shown_by_another(const std::vector<KnownClaim*>& of_pod, const Claim& claim) {
  for (const auto* other : of_pod) {
    if (other->claim.name.ns != claim.name.ns || other->claim.uid == claim.uid || other->claim.names_itself) continue;
    if (!other->claim.participant.empty()) return Participant{other->claim.participant, {}};
    if (other->notes.participant) return other->notes.participant;
  }
  return std::nullopt;
}

/// That Job, where another Pod of it was found out to be all of it, while it was there.
std::optional<Participant> shown_by_former_pod(const std::vector<KnownClaim*>& of_primitive, const OwningJob& job) {
  const bool shown = std::ranges::any_of(of_primitive, [&](const KnownClaim* other) {
    return other->claim.participant == job.uid && !other->claim.names_itself;
  });
  return shown ? std::optional<Participant>{{job.uid, {}}} : std::nullopt;
}

/// `why`: why one Pod of the Job is not the same participant as the next; empty: it is.
Participant by_job(const OwningJob& job, const std::string& pod_uid, const std::string& why) {
  return why.empty() ? Participant{job.uid, {}} : Participant{pod_uid, why};
}

bool is_final(const std::string& doubt) {
  return doubt == pod_lost || doubt == job_lost;
}

}  // namespace

bool KindMachine::Impl::is_lost(const KnownClaim& known) {
  return !known.notes.gone.empty() || is_final(known.claim.doubt);
}

bool KindMachine::Impl::is_unsettled(const Claim& claim) const {
  return !kind_.participant_field.empty() && claim.participant.empty() && !is_terminal(claim.phase);
}

/// Of thousands of claims that are settled none is looked at, for that is done with each decision.
std::vector<const KnownClaim*> KindMachine::Impl::unsettled(const Entry& entry) const {
  std::vector<const KnownClaim*> all;
  for (const auto& key : entry.unsettled)
    if (const auto* known = view_.known(key);
        known && known->claim.primitive == entry.name && is_unsettled(known->claim))
      all.push_back(known);
  return all;
}

void KindMachine::Impl::forget_settled(Entry& entry) const {
  std::erase_if(entry.unsettled, [this](const std::string& key) {
    const auto* known = view_.known(key);
    return known == nullptr || !is_unsettled(known->claim);
  });
}

/// One step at a time: its Pod is asked, perhaps its Job, and what they said is written down. It is counted only after
/// that.
void KindMachine::Impl::find_participant(Entry& entry, KnownClaim& known, Now now) {
  if (!entry.primitive || entry.primitive->deleting || !may_be_served(known, entry)) return;
  auto& notes = known.notes;
  const Claim& claim = known.claim;
  if (is_final(claim.doubt)) return;
  if (notes.job && !notes.participant) {
    if (const auto job = jobs_.find(key_of(claim.name.ns, *notes.job)); job != jobs_.end())
      notes.participant = by_job(*notes.job, claim.pod_uid, job->second);
  }
  if (!can_send(known, entry, now)) return;
  if (notes.participant) {
    if (!can_write(known, entry, now)) return;
    if (!has_room(entry, Urgency::end)) return crowd_out(entry, known, false);
    return write_claim(known, settle(kind_, claim, *notes.participant, now.server), Sent::claim_write, false);
  }
  if (!notes.job && !kube::is_dns_subdomain(claim.pod_name)) notes.gone = "no pod can have the name that it says";
  if (!notes.gone.empty())
    return tell_doubt(entry, known, notes.job ? job_lost : pod_lost, gone_message(kind_, notes.gone), now);
  ask_who(entry, known, notes.job ? Sent::job_question : Sent::owner_question, now);
}

/// Nothing is guessed where the operator may not look: that would be counted for good.
void KindMachine::Impl::ask_who(Entry& entry, KnownClaim& known, Sent what, Now now) {
  const bool job = what == Sent::job_question;
  auto& refusals = job ? jobs_refused_ : pods_refused_;
  const auto& ns = known.claim.name.ns;
  if (!refusals.may_send(ns, now.mono)) {
    look_at(entry, known, refusals.ask_again(ns, now.mono));
    return tell_doubt(entry, known, job ? jobs_forbidden : pods_forbidden,
                      "it is not counted before it is known who it stands for, and the API server refuses to say: " +
                          refusals.words(ns) +
                          ". Apply what `konductor manifests` prints, or name the participant in spec." +
                          kind_.participant_field + " of a new one",
                      now);
  }
  if (!has_room(entry, Urgency::end)) return crowd_out(entry, known, false);
  refusals.sent(ns);
  known.notes.busy = true;
  InFlight sent;
  sent.what = what;
  sent.ends = true;
  sent.primitive = known.claim.primitive;
  sent.claim_key = known.claim.key;
  sent.claim_uid = known.claim.uid;
  sent.asked = job ? known.notes.job->name : known.claim.pod_name;
  const kube::NamespacedName name{ns, sent.asked};
  auto request = job ? kube::get({"batch", "v1", "jobs"}, name) : kube::get_metadata({"", "v1", "pods"}, name);
  send(std::move(sent), std::move(request));
}

void KindMachine::Impl::tell_doubt(Entry& entry, KnownClaim& known, const std::string& reason,
                                   const std::string& message, Now now) {
  auto& notes = known.notes;
  if (std::exchange(notes.doubt, reason) != reason) notes.told_doubt = false;
  if (notes.told_doubt || known.claim.doubt == reason || !can_write(known, entry, now)) return;
  if (!has_room(entry, Urgency::tidy)) return crowd_out(entry, known, true);
  notes.told_doubt = true;
  write_claim(known, doubt(kind_, known.claim, reason, message, now.server), Sent::claim_write, false);
}

/// No other of this namespace is allowed either what this one is refused: they need not each be sent to hear it.
void KindMachine::Impl::heed_right(Refusals& refusals, const std::string& ns, const Error* error, Now now) {
  if (error != nullptr && error->code == Errc::forbidden) {
    refusals.refused(ns, error->detail, now.mono + settings_.retry_most);
  } else if (error != nullptr) {
    refusals.unanswered(ns);
  } else if (refusals.allowed(ns)) {
    for (auto& [name, known] : entries_)
      if (name.ns == ns) review(known);
  }
}

void KindMachine::Impl::on_owner_answer(const InFlight& sent, const Result<kube::Response>& answer, Now now) {
  const auto object = found(answer, "get pods " + sent.primitive.ns + "/" + sent.asked);
  const auto error = object.error();
  heed_right(pods_refused_, sent.primitive.ns, object ? nullptr : &error, now);
  auto* known = view_.known(sent.claim_key, sent.claim_uid);
  if (known == nullptr) return;
  auto& notes = known->notes;
  notes.busy = false;
  if (object) {
    notes.retry = {};
    auto who = participant_of({sent.asked, known->claim.pod_uid}, object->get());
    if (auto* job = std::get_if<OwningJob>(&who)) notes.job = std::move(*job);
    if (auto* participant = std::get_if<Participant>(&who)) notes.participant = std::move(*participant);
    if (auto* gone = std::get_if<GonePod>(&who)) {
      notes.participant = shown_by_another(view_.of_pod(known->claim.pod_uid), known->claim);
      if (!notes.participant) notes.gone = std::move(gone->why);
    }
  } else {
    not_found_out(sent, *known, error, now);
  }
  look_at(entry(sent.primitive), *known, now.mono);
}

void KindMachine::Impl::on_job_answer(const InFlight& sent, const Result<kube::Response>& answer, Now now) {
  const auto object = found(answer, "get jobs " + sent.primitive.ns + "/" + sent.asked);
  const auto error = object.error();
  heed_right(jobs_refused_, sent.primitive.ns, object ? nullptr : &error, now);
  auto* known = view_.known(sent.claim_key, sent.claim_uid);
  if (known == nullptr || !known->notes.job) return;
  auto& notes = known->notes;
  notes.busy = false;
  const auto job = *notes.job;
  if (object) {
    notes.retry = {};
    if (auto gone = why_job_is_gone(job, object->get()); !gone.empty()) {
      notes.participant = shown_by_another(view_.of_pod(known->claim.pod_uid), known->claim);
      if (!notes.participant) notes.participant = shown_by_former_pod(view_.of(sent.primitive), job);
      if (!notes.participant) notes.gone = std::move(gone);
    } else {
      const auto why = why_not_one_completion(job, **object);
      notes.participant = by_job(job, known->claim.pod_uid, why);
      if (jobs_.size() >= most_jobs) jobs_.clear();
      // Without a number of completions it is the parallelism that says it, and that changes.
      if (kube::integer_at(**object, "spec.completions")) jobs_[key_of(known->claim.name.ns, job)] = why;
    }
  } else {
    not_found_out(sent, *known, error, now);
  }
  look_at(entry(sent.primitive), *known, now.mono);
}

void KindMachine::Impl::not_found_out(const InFlight& sent, KnownClaim& known, const Error& error, Now now) {
  entry(sent.primitive).dirty = true;
  if (error.code == Errc::forbidden) return log(LogLine::Level::warning, error.detail);
  known.notes.trouble = error.detail;
  failed(known.notes.retry, error, now);
}

std::string KindMachine::Impl::why_doubted(const KnownClaim& known) const {
  const auto& notes = known.notes;
  if (notes.in_vain()) return notes.trouble;
  if (!notes.gone.empty()) return notes.gone;
  const auto& reason = notes.doubt.empty() ? known.claim.doubt : notes.doubt;
  if (reason == pod_lost) return "its pod " + known.claim.pod_name + " was gone before it could be looked at";
  if (reason == job_lost)
    return "the Job of its pod " + known.claim.pod_name + " was gone before it could be looked at";
  const auto words = (reason == jobs_forbidden ? jobs_refused_ : pods_refused_).words(known.claim.name.ns);
  return words.empty() ? "the API server refused to say; it is being asked again" : words;
}

/// Who is not counted because nobody knows who it is would be missed in vain: it is said where people look for why they
/// wait, as it may be that nothing can be written on the claim.
std::optional<PlanCondition> KindMachine::Impl::why_not_counted(const Entry& entry) const {
  if (kind_.participant_field.empty()) return std::nullopt;
  std::size_t unknown = 0;
  std::size_t gone = 0;
  std::string example;
  const auto unwritable = writes_refused_.words(entry.name.ns);
  for (const auto* known : unsettled(entry)) {
    const auto& notes = known->notes;
    if (!may_be_served(*known, entry)) continue;
    if (notes.doubt.empty() && known->claim.doubt.empty() && !notes.in_vain() && unwritable.empty()) continue;
    if (is_lost(*known)) ++gone;
    if (unknown++ == 0) example = known->claim.key + ": " + (unwritable.empty() ? why_doubted(*known) : unwritable);
  }
  if (unknown == 0) return std::nullopt;
  const std::string for_good =
      gone == 0 ? ""
                : "; " + std::to_string(gone) + " of them will not be: their condition Participant says what to do";
  return PlanCondition{"Ready", ConditionStatus::false_, "ParticipantsUnknown",
                       std::to_string(unknown) + " " + (unknown == 1 ? kind_.claim.singular : kind_.claim.plural) +
                           " cannot be counted yet, as it cannot be found out and written down who they stand for: " +
                           kube::one_line(example, 1000) + for_good};
}

/// What a decision takes for the present. Where it is not known yet who a claim stands for, that is just before this
/// claim was made: no time is over for it only because the operator has not finished looking.
WallTime KindMachine::Impl::decision_time(const Entry& entry, Now now) const {
  auto present = now.server;
  if (kind_.participant_field.empty()) return plan_time(*entry.primitive, present);
  for (const auto* known : unsettled(entry)) {
    const auto since = std::max(known->notes.first_seen, led_since_);
    if (is_lost(*known) || now.mono >= since + patience) continue;
    if (may_be_served(*known, entry)) present = std::min(present, WallTime{Duration{known->claim.asked_at - 1}});
  }
  return plan_time(*entry.primitive, present);
}

}  // namespace konductor::runtime
