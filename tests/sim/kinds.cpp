#include "tests/sim/kinds.hpp"

#include "host/declarations.hpp"
#include "tests/sim/oracle.hpp"

#include <konductor/plugin.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

// Each plugin's one symbol, renamed where it is compiled into this program (CMakeLists.txt).
extern "C" {
extern const konductor_plugin konductor_sim_semaphore;
extern const konductor_plugin konductor_sim_barrier;
extern const konductor_plugin konductor_sim_rwlock;
extern const konductor_plugin konductor_sim_token_bucket;
extern const konductor_plugin konductor_sim_assembly;
}

namespace konductor::sim {
namespace {

using Json = nlohmann::json;
using std::chrono::seconds;

constexpr std::int64_t refill_per_minute = 20;

runtime::KindDeclaration declared(const konductor_plugin& plugin) {
  // A clock that stands still: how long decide takes is not simulated.
  auto declaration = host::declare_plugin(plugin, [] { return runtime::MonoTime{}; });
  if (!declaration) {
    std::fprintf(stderr, "%s\n", declaration.error().detail.c_str());
    std::abort();
  }
  return declaration->kinds.front();
}

std::string miscounted_member(const Json& primitive, const char* member, std::int64_t expected) {
  const Json status = primitive.value("status", Json::object());
  const std::int64_t shown = status.value(member, std::int64_t{-1});
  return shown == expected ? ""
                           : std::string{member} + " is " + std::to_string(shown) + ", not " + std::to_string(expected);
}

// The schema would refuse it; a CRD that was edited by hand does not.
void may_be_unreadable(KindUnderTest& kind, const std::string& member) {
  kind.readable = [member](const Json& spec) { return spec.at(member).is_number_integer(); };
  kind.unreadable_spec = [member] { return Json{{member, "many"}}; };
}

bool writes(const Json& claim) {
  return claim.at("spec").value("mode", "read") == "write";
}

}  // namespace

KindUnderTest semaphore_kind() {
  KindUnderTest kind;
  kind.declaration = declared(konductor_sim_semaphore);
  kind.too_much = [](const Json& spec, const std::vector<Holding>& held) -> std::string {
    std::int64_t sum = 0;
    for (const Holding& holding : held) sum += holding.units;
    const std::int64_t limit = spec.at("permits").get<std::int64_t>();
    return sum > limit ? std::to_string(sum) + " of " + std::to_string(limit) : "";
  };
  kind.never_fits = [](const Json& spec, const Json& claim) {
    return claim.at("spec").value("permits", std::int64_t{1}) > spec.at("permits").get<std::int64_t>();
  };
  kind.miscounted = [](const Json& primitive, std::int64_t held, std::int64_t waiting) {
    const std::string in_use = miscounted_member(primitive, "inUse", held);
    return in_use.empty() ? miscounted_member(primitive, "waiting", waiting) : in_use;
  };
  kind.primitive_spec = [](std::int64_t limit) { return Json{{"permits", limit}}; };
  kind.claim_spec = [](std::int64_t units, std::uint64_t) { return Json{{"permits", units}}; };
  may_be_unreadable(kind, "permits");
  return kind;
}

KindUnderTest aging_semaphore_kind() {
  KindUnderTest kind = semaphore_kind();
  kind.primitive_spec = [](std::int64_t limit) {
    return Json{{"permits", limit}, {"priorityAging", "4s"}, {"maxPriority", 1}};
  };
  kind.priority = [](const Json&, const Json& claim, kube::WallTime now) {
    const auto created = kube::parse_rfc3339(claim.at("metadata").at("creationTimestamp").get<std::string>()).value();
    const auto asked = kube::parse_rfc3339(text_in(claim, "spec", "requestedAt"));
    const auto last = created + std::chrono::microseconds{999'999};
    const auto waited = now - (asked ? std::clamp(kube::WallTime{*asked}, created, last) : last);
    return std::min<std::int64_t>(claim.at("spec").value("priority", 0), 1) +
           std::max<std::int64_t>(waited / std::chrono::seconds{4}, 0);
  };
  return kind;
}

KindUnderTest rwlock_kind() {
  KindUnderTest kind;
  kind.declaration = declared(konductor_sim_rwlock);
  kind.too_much = [](const Json& spec, const std::vector<Holding>& held) -> std::string {
    const auto writers = std::count_if(held.begin(), held.end(), [](const Holding& one) { return writes(*one.claim); });
    const auto readers = std::ssize(held) - writers;
    if (writers > 1 || (writers == 1 && readers > 0)) {
      return std::to_string(writers) + " write beside " + std::to_string(readers) + " that read";
    }
    return readers > spec.at("seats").get<std::int64_t>() ? std::to_string(readers) + " read" : "";
  };
  kind.never_fits = [](const Json&, const Json&) { return false; };
  kind.miscounted = [](const Json& primitive, std::int64_t, std::int64_t waiting) {
    const std::string readers = miscounted_member(primitive, "readers", 0);
    const std::string writers = miscounted_member(primitive, "writers", 0);
    return readers + writers + miscounted_member(primitive, "waiting", waiting);
  };
  kind.primitive_spec = [](std::int64_t limit) { return Json{{"seats", std::max<std::int64_t>(limit, 1)}}; };
  kind.claim_spec = [](std::int64_t, std::uint64_t choice) {
    return Json{{"mode", choice % 3 == 0 ? "write" : "read"}};
  };
  may_be_unreadable(kind, "seats");
  return kind;
}

KindUnderTest token_bucket_kind() {
  KindUnderTest kind;
  kind.declaration = declared(konductor_sim_token_bucket);
  kind.too_much = [](const Json&, const std::vector<Holding>& held) -> std::string {
    for (const Holding& holding : held) {
      if (holding.units != 0) return "a consumed grant holds " + std::to_string(holding.units);
    }
    return "";
  };
  kind.overdrawn = [](const Json& spec, std::int64_t consumed, std::chrono::microseconds age) -> std::string {
    const std::int64_t capacity = spec.at("capacity").get<std::int64_t>();
    // The operator's idea of the server's time is up to a second off at either end.
    const auto generous = age + std::chrono::seconds{2};
    const std::int64_t most = capacity + refill_per_minute * generous.count() / 60'000'000;
    return consumed > most ? std::to_string(consumed) + ", more than " + std::to_string(most) : "";
  };
  kind.never_fits = [](const Json& spec, const Json& claim) {
    return claim.at("spec").value("sips", std::int64_t{1}) > spec.at("capacity").get<std::int64_t>();
  };
  kind.miscounted = [](const Json& primitive, std::int64_t, std::int64_t waiting) {
    return miscounted_member(primitive, "waiting", waiting);
  };
  kind.primitive_spec = [](std::int64_t limit) {
    return Json{{"capacity", std::max<std::int64_t>(limit, 1)}, {"refillPerMinute", refill_per_minute}};
  };
  kind.claim_spec = [](std::int64_t units, std::uint64_t) { return Json{{"sips", units}}; };
  may_be_unreadable(kind, "capacity");
  return kind;
}

CountingKind meeting_kind() {
  return {declared(konductor_sim_assembly), [](std::int64_t expected) { return Json{{"wanted", expected}}; }};
}

RoundsKind barrier_kind() {
  RoundsKind kind;
  kind.declaration = declared(konductor_sim_barrier);
  kind.rules = [](const Json& spec) {
    RoundRules rules;
    rules.expected = spec.at("expected").get<std::int64_t>();
    if (spec.contains("quorum")) rules.quorum = spec.at("quorum").get<std::int64_t>();
    rules.at_timeout = spec.value("quorumPolicy", "Immediate") == "AtTimeout";
    if (spec.contains("timeout")) rules.timeout = kube::parse_duration(spec.at("timeout").get<std::string>()).value();
    rules.reusable = spec.value("reusable", false);
    return rules;
  };
  kind.spec = [](const RoundRules& rules) {
    Json spec = {{"expected", rules.expected}};
    if (rules.quorum) spec["quorum"] = *rules.quorum;
    if (rules.at_timeout) spec["quorumPolicy"] = "AtTimeout";
    if (rules.timeout) spec["timeout"] = kube::to_string(*rules.timeout);
    if (rules.reusable) spec["reusable"] = true;
    return spec;
  };
  return kind;
}

std::vector<RoundsScenario> round_scenarios() {
  using Quorum = RoundsScenario::Quorum;
  return {
      {.name = "plain"},
      {.name = "vanishing", .quorum = Quorum::immediate, .pods_vanish = true},
      {.name = "hurried", .timeout = seconds{4}, .spread = seconds{6}, .recreate = 600},
      {.name = "patient", .quorum = Quorum::at_timeout, .timeout = seconds{5}, .spread = seconds{6}, .recreate = 600},
      {.name = "rounds", .spread = seconds{3}, .rounds = 5},
      {.name = "timed rounds",
       .quorum = Quorum::immediate,
       .timeout = seconds{6},
       .spread = seconds{4},
       .rounds = 5,
       .recreate = 300},
  };
}

std::optional<KindUnderTest> kind_named(std::string_view name) {
  if (name == "semaphore") return semaphore_kind();
  if (name == "aging") return aging_semaphore_kind();
  if (name == "rwlock") return rwlock_kind();
  if (name == "bucket") return token_bucket_kind();
  return std::nullopt;
}

}  // namespace konductor::sim
