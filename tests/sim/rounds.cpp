#include "tests/sim/rounds.hpp"

#include "kondctl/wait_verdict.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace konductor::sim {
namespace {

using Json = nlohmann::json;
using kondctl::WaitVerdict;
using std::chrono::milliseconds;
using std::chrono::seconds;

const std::string ns = "team-a";
const kube::NamespacedName primitive_name{ns, "it"};
constexpr auto turbulence = seconds{50};
constexpr auto rest = seconds{120};
constexpr int most_expected = 6;

}  // namespace

Rounds::Rounds(RoundsScenario scenario, const RoundsKind& kind, std::uint64_t seed)
    : scenario_(std::move(scenario)),
      kind_(kind),
      world_(seed),
      chaos_(world_.rng().fork()),
      workers_(world_, kind.declaration, ns),
      crew_(world_, kind.declaration),
      oracle_(kind) {
  draw_rules();
  participants_ = static_cast<int>(chaos_.between(std::max<std::int64_t>(1, rules_.enough() - 1), rules_.expected + 2));
}

void Rounds::draw_rules() {
  rules_.expected = chaos_.between(1, most_expected);
  if (scenario_.quorum != RoundsScenario::Quorum::none) rules_.quorum = chaos_.between(1, rules_.expected);
  rules_.at_timeout = scenario_.quorum == RoundsScenario::Quorum::at_timeout;
  rules_.timeout = scenario_.timeout;
  rules_.reusable = scenario_.rounds > 1;
}

ObjectPtr Rounds::primitive() const {
  return world_.api().find(kind_.declaration.primitive_resource(), primitive_name);
}

/// And all who are to come to it.
void Rounds::make_primitive() {
  ++life_;
  world_.command("user", kube::create(kind_.declaration.primitive_resource(), ns,
                                      {{"apiVersion", "sync.konductor.io/v1"},
                                       {"kind", kind_.declaration.names.kind},
                                       {"metadata", {{"name", primitive_name.name}, {"namespace", ns}}},
                                       {"spec", kind_.spec(rules_)}}));
  for (int i = 0; i < participants_; ++i) come(i, 1, scenario_.spread);
  if (chaos_.chance(300)) {
    // Of no round that there is.
    const auto wrong = rules_.reusable ? std::nullopt : std::optional<std::int64_t>(2);
    world_.after(chaos_.between(milliseconds{0}, scenario_.spread), [this, wrong] { arrive(0, wrong); });
  }
}

/// Some come again, in another Pod: the first has failed.
void Rounds::come(int participant, std::int64_t round, Duration within) {
  const auto named = rules_.reusable ? std::optional<std::int64_t>(round) : std::nullopt;
  const auto attempts = chaos_.chance(600) ? 1 : chaos_.between(2, 3);
  if (attempts > 1) ++retries_;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    world_.after(chaos_.between(milliseconds{0}, within), [this, participant, named, life = life_] {
      if (life == life_ && turbulent_) arrive(participant, named);
    });
  }
  if (!rules_.reusable || round >= scenario_.rounds) return;
  // Who is ahead of himself does not wait.
  if (chaos_.chance(200)) return come(participant, round + 1, within);
  world_.after(within, [this, participant, round, life = life_] {
    if (life == life_) go_on(participant, round);
  });
}

void Rounds::arrive(int participant, std::optional<std::int64_t> round) {
  if (!primitive()) return;
  const auto name = "p" + std::to_string(participant) + "-" + std::to_string(++pods_);
  oracle_.expect(name, workers_.truth_of(participant));
  Json spec = Json::object();
  if (chaos_.chance(800)) spec["requestedAt"] = kube::to_rfc3339_micro(world_.wall());
  if (round) spec[kind_.declaration.wait.round_field] = *round;
  workers_.arrive(participant, name, *primitive(), spec);
  const bool vanishes = scenario_.pods_vanish && chaos_.chance(400);
  world_.after(chaos_.between(milliseconds{1}, vanishes ? milliseconds{40} : milliseconds{20'000}),
               [this, name, vanishes] {
                 workers_.fail(name);
                 if (vanishes || workers_.is_known(name)) workers_.remove(name);
               });
}

/// To the next round, once this one has opened. Who was restarted begins with the first.
void Rounds::go_on(int participant, std::int64_t round) {
  if (!turbulent_ || !primitive()) return;
  const auto verdict = kondctl::wait_verdict(*primitive(), kind_.declaration.wait, round).kind;
  if (verdict == WaitVerdict::Kind::failed) return;
  if (verdict == WaitVerdict::Kind::waiting) {
    return world_.after(milliseconds{300}, [this, participant, round, life = life_] {
      if (life == life_) go_on(participant, round);
    });
  }
  if (chaos_.chance(200)) arrive(participant, 1);
  come(participant, round + 1, scenario_.spread);
}

void Rounds::disturb() {
  if (!turbulent_) return;
  Rng rng = chaos_.fork();
  cause(rng);
  world_.after(chaos_.between(milliseconds{50}, seconds{3}), [this] { disturb(); });
}

void Rounds::cause(Rng& rng) {
  switch (rng.between(0, 9)) {
    case 0: return edit(rng);
    case 1: return delete_claim(rng);
    case 2:
    case 3:
      if (!rng.chance(scenario_.recreate)) return;
      world_.command("user", kube::delete_object(kind_.declaration.primitive_resource(), primitive_name, {}));
      return make_primitive();
    default: return crew_.disturb(rng);
  }
}

void Rounds::delete_claim(Rng& rng) {
  const auto all = world_.api().objects(kind_.declaration.claim_resource());
  if (all.empty() || !rng.chance(300)) return;
  const auto& picked = *all.at(static_cast<std::size_t>(rng.between(0, std::ssize(all) - 1)));
  world_.command("user", kube::delete_object(kind_.declaration.claim_resource(),
                                             {ns, picked["metadata"]["name"].get<std::string>()}, {}));
}

/// To what the schema allows.
void Rounds::edit(Rng& rng) {
  ++edits_;
  rules_.expected = rng.between(1, most_expected);
  if (rules_.quorum) rules_.quorum = rng.between(1, rules_.expected);
  const Json patch = {{"spec", kind_.spec(rules_)}};
  world_.command("user", kube::merge_patch(kind_.declaration.primitive_resource(), primitive_name, patch));
}

void Rounds::quieten() {
  turbulent_ = false;
  world_.faults() = Faults{};
  world_.heal();
  crew_.quieten();
}

std::vector<std::string> Rounds::run() {
  world_.serve(kind_.declaration, {});
  world_.api().observe([this](const Commit& commit) {
    crew_.on_commit(commit);
    oracle_.on_commit(commit);
  });
  world_.faults() = rough_weather;
  workers_.hire(participants_);
  make_primitive();
  crew_.start(static_cast<int>(chaos_.between(1, 3)));
  disturb();
  const auto until = [this](Duration end) {
    while (oracle_.violations().empty() && world_.step(end)) {
    }
  };
  until(turbulence);
  quieten();
  until(turbulence + rest);
  if (oracle_.violations().empty()) oracle_.check_rest();
  return oracle_.violations();
}

}  // namespace konductor::sim
