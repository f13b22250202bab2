#include "kube/json_fields.hpp"
#include "kube/resource_version.hpp"
#include "runtime/backoff.hpp"
#include "runtime/kind_machine_impl.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace konductor::runtime {
namespace {

using nlohmann::json;

Result<json> read(const Result<kube::Response>& answer, const std::string& doing) {
  if (!answer) return answer.error();
  return kube::classify(*answer, doing);
}

// The server did not execute it, and never will: the object changed or was re-created (a wrong UID in a patch is 422).
bool is_conflict(const Error& error) {
  return error.code == Errc::conflict ||
         (error.code == Errc::invalid && error.detail.find("metadata.uid") != std::string::npos);
}

// 400, 422 and the like: sending the same again will not help soon.
bool is_refusal(const Error& error) {
  return !is_retryable(error.code);
}

// The server has looked at the object: whoever asks may write others.
bool is_about_object(const Error& error) {
  return is_refusal(error) && error.code != Errc::unauthorized && !kube::is_missing_right(error);
}

constexpr int too_many_requests = 429;
constexpr auto longest_pause_of_all = std::chrono::seconds{2};

constexpr const char* not_comparable =
    "the API server sent a list whose resourceVersion is no decimal integer: nothing is granted";
constexpr const char* page_again =
    "the API server sent a page of a list whose continue token is the one that was sent to get it";

}  // namespace

void KindMachine::Impl::failed(Retry& retry, const Error& error, Now now) {
  ++counters_.failed_writes;
  constexpr int most_doublings = 10;
  const auto doubled = settings_.retry_first * (std::int64_t{1} << std::min(retry.failures, most_doublings));
  auto pause = is_refusal(error) ? settings_.retry_most : std::min<Duration>(doubled, settings_.retry_most);
  pause = std::max(pause, requested_pause(error.retry_after_s));
  ++retry.failures;
  retry.not_before = now.mono + pause;
  log(LogLine::Level::warning, error.detail);
}

void KindMachine::Impl::on_answer(std::uint64_t id, const Result<kube::Response>& answer, Now now) {
  const auto found = in_flight_.find(id);
  if (found == in_flight_.end()) return;
  const InFlight sent = std::move(found->second);
  in_flight_.erase(found);
  if (sent.ends) --ends_in_flight_;
  if (sent.what != Sent::event) heed_pause(answer, now);
  for (auto& [name, known] : entries_)
    if (known.starved) known.dirty = true;
  switch (sent.what) {
    case Sent::record: on_record(sent, answer, now); break;
    case Sent::reread: on_reread(sent, answer, now); break;
    case Sent::fresh_list: on_fresh_list(sent, answer, now); break;
    case Sent::claim_write: on_claim_write(sent, answer, now); break;
    case Sent::removal: on_removal(sent, answer, now); break;
    case Sent::pod_question: on_pod_answer(sent, answer, now); break;
    case Sent::owner_question: on_owner_answer(sent, answer, now); break;
    case Sent::job_question: on_job_answer(sent, answer, now); break;
    case Sent::event: --events_in_flight_; break;
  }
}

/// Where the server is overloaded, not only the request that it refused waits: its like would be refused as well. But
/// not for long: it may be a webhook that refuses this one object, each time it is tried again.
void KindMachine::Impl::heed_pause(const Result<kube::Response>& answer, Now now) {
  if (!answer || answer->status != too_many_requests || answer->retry_after_s <= 0) return;
  const auto until = now.mono + std::min<Duration>(requested_pause(answer->retry_after_s), longest_pause_of_all);
  throttled_until_ = std::max(throttled_until_.value_or(until), until);
}

void KindMachine::Impl::on_record(const InFlight& sent, const Result<kube::Response>& answer, Now now) {
  auto& known = entry(sent.primitive);
  known.busy = false;
  known.dirty = true;
  const auto object = read(answer, "record on " + kind_.names.plural + " " + kube::to_string(sent.primitive));
  if (!object) {
    known.reread = true;
    if (is_conflict(object.error())) {
      ++counters_.conflicts;
    } else if (object.error().code != Errc::not_found) {
      failed(known.retry, object.error(), now);
    }
    return;
  }
  known.retry = {};
  const auto stored = parse_ledger(*object);
  if (sent.ledger && (!stored || *stored != sent.ledger)) {
    // A schema that prunes the ledger would over-grant: nothing more until somebody has mended it.
    known.not_stored = sent.primitive_uid;
    known.store_again = now.mono + settings_.retry_most;
    known.own.reset();
    log(LogLine::Level::error, kube::to_string(sent.primitive) + ": " + ledger_not_stored);
    put_primitive(std::make_shared<const json>(*object));
    return;
  }
  announce(sent.primitive, sent.announce, now);
  if (known.primitive) tell_events(known, sent.events, now);
  if (sent.ledger) {
    known.not_stored.clear();
    known.own = sent.covered ? sent.ledger : std::nullopt;
    counters_.grants += sent.grants;
  }
  if (kube::text_at(*object, "metadata.resourceVersion") == sent.resource_version) {
    // Nothing changed, although something was to: a schema that prunes what is shown.
    known.quiet_until = now.mono + settings_.retry_most;
    log(LogLine::Level::warning, kube::to_string(sent.primitive) +
                                     ": the API server stored nothing of its status; is its "
                                     "CustomResourceDefinition of this version?");
  }
  put_primitive(std::make_shared<const json>(*object));
}

void KindMachine::Impl::on_reread(const InFlight& sent, const Result<kube::Response>& answer, Now now) {
  auto& known = entry(sent.primitive);
  known.asking = false;
  known.dirty = true;
  const auto object = read(answer, "get " + kind_.names.plural + " " + kube::to_string(sent.primitive));
  if (object) {
    known.reread = false;
    put_primitive(std::make_shared<const json>(*object));
    if (known.primitive && known.primitive->uid == kube::text_at(*object, "metadata.uid"))
      known.lived_rv = std::max(known.lived_rv, sent.claims_rv);
    if (!known.primitive) known.retry.not_before = now.mono + settings_.retry_most;
  } else if (object.error().code == Errc::not_found) {
    known.reread = false;
    known.absent_at = known.asked_at;
    if (known.primitive && known.primitive->uid == sent.primitive_uid) {
      known.primitive.reset();
      review(known);
    }
  } else {
    failed(known.retry, object.error(), now);
  }
}

void KindMachine::Impl::on_fresh_list(const InFlight& sent, const Result<kube::Response>& answer, Now now) {
  auto& known = entry(sent.primitive);
  known.asking = false;
  known.dirty = true;
  const auto list = read(answer, "list " + kind_.claim.plural + " of " + kube::to_string(sent.primitive));
  const auto unlisted = [&](const Error& error) {
    known.unlisted = error.detail;
    failed(known.retry, error, now);
  };
  if (!list) {
    const bool begin_anew = list.error().code == Errc::expired && !sent.page.empty() && !sent.anew;
    return begin_anew ? list_claims(known, sent.time, {}, true) : unlisted(list.error());
  }
  const auto rv = kube::parse_resource_version(kube::text_at(*list, "metadata.resourceVersion")).value_or(0);
  const json* items = kube::find_path(*list, "items");
  if (rv == 0 || items == nullptr || !items->is_array()) return unlisted({Errc::protocol_violation, not_comparable, 0});
  const auto next = kube::text_at(*list, "metadata.continue");
  if (!next.empty() && next == sent.page) return unlisted({Errc::protocol_violation, page_again, 0});
  for (const auto& item : *items) {
    auto claim = parse_claim(item, kind_);
    if (!claim) continue;
    known.listed.insert(claim->uid);
    note(view_.lay_over(std::move(*claim)), now);
  }
  if (!next.empty()) return list_claims(known, sent.time, next, sent.anew);
  known.unlisted.clear();
  const auto listed = std::exchange(known.listed, {});
  std::vector<std::pair<std::string, std::string>> gone;
  for (const auto* one : view_.of(sent.primitive))
    if (!listed.contains(one->claim.uid) && one->claim.rv <= rv) gone.emplace_back(one->claim.key, one->claim.uid);
  for (const auto& [key, uid] : gone) note(view_.bury(key, uid), now);
  known.fresh_rv = std::max(known.fresh_rv, rv);
  known.listed_at = sent.time;
}

void KindMachine::Impl::on_claim_write(const InFlight& sent, const Result<kube::Response>& answer, Now now) {
  entry(sent.primitive).dirty = true;
  const auto object = read(answer, "patch " + kind_.claim.plural + " " + sent.claim_key);
  if (sent.what == Sent::claim_write) {
    const auto error = object.error();
    heed_right(writes_refused_, sent.primitive.ns, object || is_about_object(error) ? nullptr : &error, now);
  }
  auto* known = view_.known(sent.claim_key, sent.claim_uid);
  if (known != nullptr) {
    known->notes.busy = false;
    known->notes.ending = false;
    const bool in_vain = !object && !is_conflict(object.error());
    known->notes.refused = in_vain && (object.error().code == Errc::invalid || object.error().code == Errc::forbidden);
    known->notes.trouble = in_vain ? object.error().detail : std::string{};
    if (!object) known->notes.told_doubt = false;
    look_at(entry(sent.primitive), *known, now.mono);
  }
  if (object) {
    if (known != nullptr) {
      known->notes.retry = {};
      known->notes.refused_rv.clear();
    }
    if (auto claim = parse_claim(*object, kind_)) note(view_.lay_over(std::move(*claim)), now);
    announce(sent.primitive, sent.announce, now);
  } else if (object.error().code == Errc::not_found) {
    note(view_.bury(sent.claim_key, sent.claim_uid), now);
  } else if (is_conflict(object.error())) {
    ++counters_.conflicts;
    if (known == nullptr) return;
    known->notes.refused_rv = sent.resource_version;
    known->notes.retry.not_before = now.mono + settings_.retry_most;
  } else if (known != nullptr) {
    known->notes.refused_rv.clear();
    failed(known->notes.retry, object.error(), now);
  }
}

void KindMachine::Impl::on_removal(const InFlight& sent, const Result<kube::Response>& answer, Now now) {
  const auto object = read(answer, "delete " + kind_.claim.plural + " " + sent.claim_key);
  if (object || object.error().code == Errc::not_found) {
    entry(sent.primitive).dirty = true;
    note(view_.bury(sent.claim_key, sent.claim_uid), now);
    return;
  }
  on_claim_write(sent, answer, now);
}

void KindMachine::Impl::on_pod_answer(const InFlight& sent, const Result<kube::Response>& answer, Now now) {
  pods_asked_.erase(sent.pod_uid);
  pod_changed(sent.pod_uid, now);
  if (!pods_.is_named(sent.pod_uid)) return;
  const auto object = read(answer, "get pods " + sent.claim_key);
  auto& retry = pod_retry_[sent.pod_uid];
  if (!object) {
    if (object.error().code != Errc::not_found) return failed(retry, object.error(), now);
    pods_.answered(sent.pod_uid, PodState::gone, 0);
  } else if (kube::text_at(*object, "metadata.uid") != sent.pod_uid) {
    pods_.answered(sent.pod_uid, PodState::gone, 0);
  } else {
    const auto phase = kube::text_at(*object, "status.phase");
    const auto state = phase == "Succeeded" ? PodState::succeeded
                       : phase == "Failed"  ? PodState::failed
                                            : PodState::alive;
    pods_.answered(sent.pod_uid, state,
                   kube::parse_resource_version(kube::text_at(*object, "metadata.resourceVersion")).value_or(0));
    if (state == PodState::alive) {
      // The watch is behind, or has yet to show it: look again, not too often.
      retry.not_before = now.mono + settings_.retry_first * (std::int64_t{1} << std::min(++retry.failures, 7));
      return;
    }
  }
  pod_retry_.erase(sent.pod_uid);
}

}  // namespace konductor::runtime
