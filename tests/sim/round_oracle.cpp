#include "tests/sim/round_oracle.hpp"

#include "kondctl/wait_verdict.hpp"
#include "kube/json_fields.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

namespace konductor::sim {
namespace {

using Json = nlohmann::json;
using kube::WallTime;
using std::chrono::seconds;

// A deadline is shown in whole seconds, rounded up.
constexpr seconds rounding{1};
// The operator's idea of the server's time.
constexpr seconds clock_error{1};

WallTime rounded_up(WallTime time) {
  return WallTime{std::chrono::ceil<seconds>(time.time_since_epoch())};
}

WallTime earliest(const std::vector<const Attendee*>& all) {
  WallTime first = WallTime::max();
  for (const Attendee* one : all) first = std::min(first, one->asked);
  return first;
}

std::int64_t count(const std::vector<const Attendee*>& all, WallTime until) {
  std::set<std::string> who;
  for (const Attendee* one : all)
    if (one->asked <= until) who.insert(one->known.empty() ? one->truth : one->known);
  return std::ssize(who);
}

std::string of(std::int64_t count, std::int64_t needed) {
  return std::to_string(count) + " of " + std::to_string(needed);
}

}  // namespace

void RoundOracle::violated(const std::string& what) {
  violations_.push_back(kube::to_rfc3339_micro(now_) + " " + what +
                        (primitive_ ? ": " + primitive_->value("spec", Json::object()).dump() +
                                          primitive_->value("status", Json::object()).dump()
                                    : ""));
}

RoundOracle::Shown RoundOracle::shown_by(const Json& primitive) const {
  const auto& wait = kind_.declaration.wait;
  Shown shown;
  shown.phase = kube::text_at(primitive, "status.phase");
  shown.round = kube::integer_at(primitive, "status.round").value_or(1);
  shown.served = kube::integer_at(primitive, "status." + wait.served_round_field).value_or(0);
  shown.arrived = kube::integer_at(primitive, "status.arrived").value_or(0);
  if (const auto deadline = kube::parse_rfc3339(kube::text_at(primitive, "status.deadline")))
    shown.deadline = *deadline;
  return shown;
}

void RoundOracle::on_commit(const Commit& commit) {
  now_ = commit.when;
  if (auto wrong = attendance_.on_commit(commit); !wrong.empty()) violated(wrong);
  if (commit.resource == kind_.declaration.primitive_resource()) on_primitive(commit);
  if (commit.resource == kind_.declaration.claim_resource() && !commit.after) on_deleted_claim(commit);
}

void RoundOracle::on_primitive(const Commit& commit) {
  primitive_ = commit.after;
  if (!commit.after) return;
  if (!commit.before) {
    attendance_.begin(kube::text_at(*commit.after, "metadata.uid"));
    opened_at_.clear();
    needed_.clear();
    answers_.clear();
    return;
  }
  // Who decides writes with the resourceVersion that he decided by: it is this spec that he saw.
  rules_ = kind_.rules(commit.before->at("spec"));
  const Shown before = shown_by(*commit.before);
  const Shown after = shown_by(*commit.after);
  check_course(before, after);
  for (auto round = before.served + 1; round <= after.served; ++round) check_opening(before, round);
  check_deadline(before, after);
  const auto& failed_phase = kind_.declaration.wait.failed_phase;
  if (after.phase == failed_phase && before.phase != failed_phase) check_failure(before, after.round);
  check_conditions(after);
  check_waiters(after.round + 1);
  const auto most = most_at_once(attendance_.of(after.round, rules_.reusable), WallTime::max());
  if (after.arrived > most) violated("it counts " + of(after.arrived, most) + " that came");
}

/// Round by round, each decided once, and for good. The next may have begun by the write that opens one.
void RoundOracle::check_course(const Shown& before, const Shown& after) {
  const auto& wait = kind_.declaration.wait;
  if (after.phase.empty()) return;
  if (before.phase == wait.failed_phase && (after.phase != before.phase || after.round != before.round))
    violated("it fails no longer");
  if (before.phase == wait.open_phase && after.phase != wait.open_phase && after.round == before.round)
    violated("it is open no longer");
  if (after.served < before.served) violated("a round that opened did not");
  if (after.served > before.served + 1) violated("two rounds open at one stroke");
  if (after.round < before.round || (after.round > 1 && !rules_.reusable))
    violated("it goes to round " + std::to_string(after.round) + " from " + std::to_string(before.round));
  if (after.served != (after.phase == wait.open_phase ? after.round : after.round - 1))
    violated("the phase and the round that opened last do not fit");
}

/// It is so long after somebody came or, from the second round on, after the round before opened, and does not move.
void RoundOracle::check_deadline(const Shown& before, const Shown& after) {
  if (!after.deadline) return;
  if (!rules_.timeout) return violated("it shows a deadline, and has no timeout");
  if (before.deadline && before.round == after.round && *before.deadline != *after.deadline)
    return violated("its deadline moves");
  const auto those = attendance_.of(after.round, rules_.reusable);
  const bool somebodys = std::ranges::any_of(
      those, [&](const Attendee* one) { return rounded_up(one->asked + *rules_.timeout) == *after.deadline; });
  const auto opened = opened_at_.find(after.round - 1);
  const auto earliest_end = not_before(after.round);
  const bool after_opening =
      opened != opened_at_.end() && *after.deadline <= rounded_up(opened->second + *rules_.timeout + clock_error);
  if (!somebodys && !after_opening) violated("its deadline is not the timeout after somebody came");
  if (*after.deadline < earliest_end) violated("its deadline is too early");
}

/// The earliest that the time of a round can be over: after the first came, and the round before could open.
WallTime RoundOracle::not_before(std::int64_t round) const {
  auto first = earliest(attendance_.of(round, rules_.reusable));
  if (first == WallTime::max()) return first;
  if (opened_at_.contains(round - 1)) first = std::max(first, complete_at(round - 1));
  return first + *rules_.timeout;
}

/// When so many as opened this round can have been there at the earliest.
WallTime RoundOracle::complete_at(std::int64_t round) const {
  const auto those = attendance_.of(round, rules_.reusable);
  WallTime at = WallTime::max();
  for (const Attendee* one : those)
    if (most_at_once(those, one->asked) >= needed_.at(round)) at = std::min(at, one->asked);
  return at == WallTime::max() ? WallTime{} : at;
}

void RoundOracle::check_opening(const Shown& before, std::int64_t round) {
  ++opened_;
  opened_at_[round] = now_;
  needed_[round] = rules_.enough();
  const auto those = attendance_.of(round, rules_.reusable);
  const auto deadline = before.round == round && before.deadline ? *before.deadline : WallTime::max();
  const auto came = most_at_once(those, deadline);
  if (came < rules_.enough()) return violated("it opens when " + of(came, rules_.enough()) + " came in time");
  if (came >= rules_.expected || !rules_.at_timeout) return;
  const auto over = deadline != WallTime::max() ? deadline - rounding : not_before(round);
  if (now_ + clock_error < over) violated("it opens by its quorum before the time is over");
}

/// Whoever is there, and came before the deadline, was in time: whatever the operator had seen by then.
void RoundOracle::check_failure(const Shown& before, std::int64_t round) {
  ++failed_;
  if (!rules_.timeout) return violated("it fails without a timeout");
  const bool shown = before.round == round && before.deadline;  // it may begin and fail by one write
  const auto deadline = shown ? *before.deadline - rounding : not_before(round);
  if (now_ + clock_error < deadline) violated("it fails before its time is over");
  const auto came = count(attendance_.present(round, rules_.reusable), deadline);
  if (came >= rules_.enough()) violated("it fails although " + of(came, rules_.enough()) + " came in time");
}

/// What people see says the same everywhere, by one write.
void RoundOracle::check_conditions(const Shown& after) {
  for (const auto& type : {kind_.declaration.wait.open_phase, kind_.declaration.wait.failed_phase}) {
    if (after.phase.empty()) return;
    const Json* condition = kube::condition_of(*primitive_, type);
    const bool is = condition != nullptr && kube::text_at(*condition, "status") == "True";
    if (is != (after.phase == type)) violated("the condition " + type + " and the phase do not fit");
  }
}

/// By the very words of who waits. An answer, once given, is the same to whoever asks later.
void RoundOracle::check_waiters(std::int64_t last) {
  for (std::int64_t round = 1; round <= last; ++round) {
    if (!rules_.reusable && round > 1) return;
    const auto asked = rules_.reusable ? kondctl::Round(round) : kondctl::Round();
    const auto verdict = kondctl::wait_verdict(*primitive_, kind_.declaration.wait, asked).kind;
    const auto answer = verdict == kondctl::WaitVerdict::Kind::served   ? Answer::served
                        : verdict == kondctl::WaitVerdict::Kind::failed ? Answer::failed
                                                                        : Answer::none;
    auto& given = answers_[round];
    const auto who = "who waits for round " + std::to_string(round);
    if (given != Answer::none && given != answer) violated(who + " has another answer than who asked before");
    if ((answer == Answer::served) != opened_at_.contains(round)) violated(who + " is served, or not, wrongly");
    given = answer;
  }
}

/// Only what can serve nobody any more is tidied up.
void RoundOracle::on_deleted_claim(const Commit& commit) {
  if (!commit.actor.starts_with("operator") || !primitive_) return;
  const Attendee* one = attendance_.find(commit.object.name);
  const bool ours = one != nullptr && one->owner == kube::text_at(*primitive_, "metadata.uid");
  const auto round = ours ? round_of(*one, rules_.reusable) : std::nullopt;
  if (round && !opened_at_.contains(*round)) violated(commit.object.name + " is deleted, and its round is not over");
}

void RoundOracle::check_rest() {
  if (!primitive_) return;
  rules_ = kind_.rules(primitive_->at("spec"));
  const Shown shown = shown_by(*primitive_);
  const auto& wait = kind_.declaration.wait;
  if (shown.phase == wait.open_phase && rules_.reusable && !attendance_.present(shown.round + 1, true).empty())
    violated("at rest, somebody came for the next round, and it does not begin");
  const auto there = attendance_.present(shown.round, rules_.reusable);
  if (std::ranges::any_of(there, [](const Attendee* one) { return one->known.empty(); }))
    violated("at rest, nobody knows who somebody is");
  if (shown.phase == wait.open_phase || shown.phase == wait.failed_phase) return;
  const auto came = count(there, WallTime::max());
  const auto needed = rules_.at_timeout ? rules_.expected : rules_.enough();
  if (came >= needed) violated("at rest, not open though " + of(came, needed) + " are there");
  if (came > 0 && rules_.timeout) violated("at rest, neither open nor failed");
  if (shown.arrived != came) violated("at rest, it counts " + of(shown.arrived, came));
}

}  // namespace konductor::sim
