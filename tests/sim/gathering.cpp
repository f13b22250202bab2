#include "tests/sim/gathering.hpp"

#include "kube/json_fields.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace konductor::sim {
namespace {

using Json = nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

const std::string ns = "team-a";
const kube::NamespacedName primitive_name{ns, "it"};
constexpr auto turbulence = seconds{50};

std::string uid_of(const Json& object) {
  return object.at("metadata").at("uid").get<std::string>();
}

Json meta_of(const std::string& name) {
  return {{"name", name}, {"namespace", ns}};
}

}  // namespace

Gathering::Gathering(const CountingKind& kind, std::uint64_t seed)
    : kind_(kind),
      world_(seed),
      chaos_(world_.rng().fork()),
      workers_(world_, kind.declaration, ns),
      crew_(world_, kind.declaration) {
  expected_ = chaos_.between(1, 8);
  participants_ = static_cast<int>(chaos_.between(std::max<std::int64_t>(1, expected_ - 1), expected_ + 3));
}

void Gathering::make_primitive() {
  world_.command("user", kube::create(kind_.declaration.primitive_resource(), ns,
                                      {{"apiVersion", "sync.konductor.io/v1"},
                                       {"kind", kind_.declaration.names.kind},
                                       {"metadata", meta_of(primitive_name.name)},
                                       {"spec", kind_.spec(expected_)}}));
  uid_ = uid_of(*world_.api().find(kind_.declaration.primitive_resource(), primitive_name));
}

/// Each comes once, or again and again in another Pod.
void Gathering::invite() {
  for (int i = 0; i < participants_; ++i) {
    const auto attempts = chaos_.chance(500) ? 1 : chaos_.between(2, 3);
    for (int attempt = 0; attempt < attempts; ++attempt)
      world_.after(chaos_.between(milliseconds{0}, turbulence), [this, i, attempt] { arrive(i, attempt); });
  }
}

void Gathering::arrive(int participant, int attempt) {
  const auto name = "p" + std::to_string(participant) + "-" + std::to_string(attempt);
  if (attempt > 0) ++retries_;
  truth_[name] = workers_.truth_of(participant);
  workers_.arrive(participant, name, *world_.api().find(kind_.declaration.primitive_resource(), primitive_name),
                  Json::object());
  world_.after(chaos_.between(milliseconds{1}, seconds{20}), [this, name] { leave(name); });
}

/// The Pod ends, one way or another. It is not removed before its claim shows who it was: nobody could tell after that.
void Gathering::leave(const std::string& pod) {
  workers_.fail(pod);
  if (workers_.is_known(pod)) workers_.remove(pod);
}

void Gathering::disturb() {
  if (!turbulent_) return;
  Rng rng = chaos_.fork();
  switch (rng.between(0, 7)) {
    case 6: {
      const auto all = world_.api().objects(kind_.declaration.claim_resource());
      if (all.empty() || !rng.chance(300)) break;
      const auto& picked = *all.at(static_cast<std::size_t>(rng.between(0, std::ssize(all) - 1)));
      world_.command("user", kube::delete_object(kind_.declaration.claim_resource(),
                                                 {ns, picked["metadata"]["name"].get<std::string>()}, {}));
      break;
    }
    case 7:
      if (!rng.chance(100)) break;
      world_.command("user", kube::delete_object(kind_.declaration.primitive_resource(), primitive_name, {}));
      make_primitive();
      break;
    default: crew_.disturb(rng);
  }
  world_.after(chaos_.between(milliseconds{50}, seconds{3}), [this] { disturb(); });
}

void Gathering::see(const Commit& commit) {
  crew_.on_commit(commit);
  if (commit.resource == kind_.declaration.primitive_resource()) see_primitive(commit);
  if (commit.resource == kind_.declaration.claim_resource()) see_claim(commit);
}

void Gathering::see_primitive(const Commit& commit) {
  if (!commit.after || !commit.before) return;
  const auto& open = kind_.declaration.wait.open_phase;
  const auto before = kube::text_at(*commit.before, "status.phase"),
             after = kube::text_at(*commit.after, "status.phase");
  if (after == kind_.declaration.wait.failed_phase && before != after) see_failure(commit);
  if (before == kind_.declaration.wait.failed_phase && before != after)
    violated("it fails no longer: " + commit.after->dump());
  if (before == open && after != open) violated("it is open no longer: " + commit.after->dump());
  if (before == open || after != open) return;
  opened_ = true;
  const auto came = came_[uid_of(*commit.after)].size();
  if (std::cmp_less(came, expected_))
    violated("it opens when " + std::to_string(came) + " came of " + std::to_string(expected_));
  const Json* condition = kube::condition_of(*commit.after, open);
  const Json* state = kube::find_path(*commit.after, "status.state");
  if (condition == nullptr || kube::text_at(*condition, "status") != "True" || state == nullptr || state->empty())
    violated("it does not open by one write: " + commit.after->dump());
}

/// Whoever is there, and was there well before the deadline, was in time: whatever the operator had seen by then.
void Gathering::see_failure(const Commit& commit) {
  failed_ = true;
  std::set<std::string> in_time;
  auto deadline = kind_.deadline;
  if (kind_.patience && first_.contains(uid_of(*commit.after)))
    deadline = first_.at(uid_of(*commit.after)) + *kind_.patience;
  for (const auto& claim : world_.api().objects(kind_.declaration.claim_resource())) {
    const auto& meta = claim->at("metadata");
    const auto created = kube::parse_rfc3339(kube::text_at(meta, "creationTimestamp")).value();
    const bool ours = kube::text_at(meta["ownerReferences"][0], "uid") == uid_of(*commit.after);
    if (ours && deadline && created + seconds{1} < *deadline)
      in_time.insert(truth_.at(meta["name"].get<std::string>()));
  }
  if (std::cmp_greater_equal(in_time.size(), expected_))
    violated("it fails although " + std::to_string(in_time.size()) + " came in time of " + std::to_string(expected_));
}

void Gathering::see_claim(const Commit& commit) {
  if (!commit.after) return;
  const auto name = commit.after->at("metadata").at("name").get<std::string>();
  const auto& truth = truth_.at(name);
  const auto known = kube::text_at(*commit.after, "status.participant");
  const bool names_itself = !kube::text_at(*commit.after, "spec." + kind_.declaration.participant_field).empty();
  if (!commit.before) {
    const auto created = kube::parse_rfc3339(kube::text_at(*commit.after, "metadata.creationTimestamp")).value();
    first_.try_emplace(kube::text_at((*commit.after)["metadata"]["ownerReferences"][0], "uid"), created);
  }
  // Who is not written down yet must not be counted.
  if (names_itself || !known.empty())
    came_[kube::text_at((*commit.after)["metadata"]["ownerReferences"][0], "uid")].insert(truth);
  if (!known.empty() && known != truth) violated(name + " is taken for " + known + " and is " + truth);
  const bool was_known = commit.before && !kube::text_at(*commit.before, "status.participant").empty();
  if (!known.empty() && !was_known) ++found_out_;
}

void Gathering::violated(const std::string& what) {
  violations_.push_back(kube::to_rfc3339_micro(world_.wall()) + " " + what);
}

/// Who is there by claims of the present life.
std::set<std::string> Gathering::there() const {
  std::set<std::string> persons;
  for (const auto& claim : world_.api().objects(kind_.declaration.claim_resource())) {
    const auto& meta = claim->at("metadata");
    if (kube::text_at(meta["ownerReferences"][0], "uid") == uid_)
      persons.insert(truth_.at(meta["name"].get<std::string>()));
  }
  return persons;
}

void Gathering::quieten() {
  turbulent_ = false;
  world_.faults() = Faults{};
  world_.heal();
  crew_.quieten();
}

void Gathering::check_rest() {
  const auto primitive = world_.api().find(kind_.declaration.primitive_resource(), primitive_name);
  const auto phase = kube::text_at(*primitive, "status.phase");
  const auto persons = there();
  const bool ends = kind_.deadline || (kind_.patience && !persons.empty());
  if (ends && phase != kind_.declaration.wait.open_phase && phase != kind_.declaration.wait.failed_phase)
    violated("at rest, neither open nor failed: " + primitive->dump());
  if (!ends && phase != kind_.declaration.wait.open_phase && std::cmp_greater_equal(persons.size(), expected_))
    violated("at rest, not open though " + std::to_string(persons.size()) + " are there: " + primitive->dump());
  for (const auto& claim : world_.api().objects(kind_.declaration.claim_resource())) {
    const bool named = !kube::text_at(*claim, "spec." + kind_.declaration.participant_field).empty();
    const bool ours = kube::text_at((*claim)["metadata"]["ownerReferences"][0], "uid") == uid_;
    if (ours && !named && kube::text_at(*claim, "status.participant").empty())
      violated("at rest, nobody knows who it is: " + claim->dump());
  }
}

std::vector<std::string> Gathering::run() {
  world_.serve(kind_.declaration, {});
  world_.api().observe([this](const Commit& commit) { see(commit); });
  world_.faults() = rough_weather;
  make_primitive();
  workers_.hire(participants_);
  crew_.start(static_cast<int>(chaos_.between(1, 3)));
  invite();
  disturb();
  const auto until = [this](Duration end) {
    while (violations_.empty() && world_.step(end)) {
    }
  };
  until(turbulence);
  quieten();
  until(turbulence + seconds{120});
  if (violations_.empty()) check_rest();
  return violations_;
}

}  // namespace konductor::sim
