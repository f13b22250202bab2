#include "tests/sim/attendance.hpp"

#include "kube/json_fields.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>

namespace konductor::sim {
namespace {

using Json = nlohmann::json;

constexpr auto never = std::numeric_limits<std::uint64_t>::max();

kube::WallTime asked_at(const Json& claim) {
  const auto created = kube::parse_rfc3339(kube::text_at(claim, "metadata.creationTimestamp")).value();
  const auto last = created + std::chrono::microseconds{999'999};
  const auto asked = kube::parse_rfc3339(kube::text_at(claim, "spec.requestedAt"));
  return asked ? std::clamp(kube::WallTime{*asked}, kube::WallTime{created}, kube::WallTime{last}) : last;
}

}  // namespace

std::optional<std::int64_t> round_of(const Attendee& one, bool reusable) {
  if (reusable) return one.round;
  return one.round.value_or(1) == 1 ? std::optional<std::int64_t>(1) : std::nullopt;
}

std::int64_t most_at_once(const std::vector<const Attendee*>& all, kube::WallTime until) {
  std::size_t most = 0;
  for (const Attendee* moment : all) {
    std::set<std::string> there;
    for (const Attendee* one : all) {
      const bool then = one->born <= moment->born && moment->born < one->died;
      if (then && one->asked <= until && !one->known.empty()) there.insert(one->known);
    }
    most = std::max(most, there.size());
  }
  return static_cast<std::int64_t>(most);
}

std::string Attendance::on_commit(const Commit& commit) {
  if (commit.resource.plural == "pods" && !commit.after)
    gone_pods_.insert(kube::text_at(*commit.before, "metadata.uid"));
  return commit.resource == kind_.claim_resource() ? on_claim(commit) : "";
}

std::string Attendance::on_claim(const Commit& commit) {
  const auto& name = commit.object.name;
  const auto one = std::ranges::find_if(all_, [&](const auto& a) { return a.claim == name && a.died == never; });
  if (!commit.after) {
    if (one != all_.end()) one->died = commit.revision;
    return "";
  }
  const Json& claim = *commit.after;
  if (one == all_.end()) {
    Attendee fresh;
    fresh.claim = name;
    if (const Json* owners = kube::find_path(claim, "metadata.ownerReferences"))
      fresh.owner = kube::text_at(owners->at(0), "uid");
    fresh.truth = truth_.at(name);
    fresh.known = kube::text_at(claim, "spec." + kind_.participant_field);
    fresh.pod = kube::text_at(claim, "spec.pod.uid");
    if (!kind_.wait.round_field.empty()) fresh.round = kube::integer_at(claim, "spec." + kind_.wait.round_field);
    fresh.asked = asked_at(claim);
    fresh.born = commit.revision;
    all_.push_back(std::move(fresh));
    return "";
  }
  const auto& known = kube::text_at(claim, "status.participant");
  if (known.empty() || known == one->known) return "";
  if (!one->known.empty()) return name + " was taken for " + one->known + " and is now for " + known;
  one->known = known;
  return known == one->truth ? "" : name + " is taken for " + known + " and is " + one->truth;
}

std::vector<const Attendee*> Attendance::of(std::int64_t round, bool reusable) const {
  std::vector<const Attendee*> those;
  for (const Attendee& one : all_)
    if (one.owner == owner_ && round_of(one, reusable) == round) those.push_back(&one);
  return those;
}

std::vector<const Attendee*> Attendance::present(std::int64_t round, bool reusable) const {
  auto those = of(round, reusable);
  std::erase_if(those, [this](const Attendee* one) {
    const bool lost = one->known.empty() && gone_pods_.contains(one->pod);
    return lost || one->died != never;
  });
  return those;
}

const Attendee* Attendance::find(const std::string& claim) const {
  const auto last = std::ranges::find(all_.rbegin(), all_.rend(), claim, &Attendee::claim);
  return last == all_.rend() ? nullptr : &*last;
}

}  // namespace konductor::sim
