#include "tests/sim/kinds.hpp"
#include "tests/sim/oracle.hpp"
#include "tests/sim/sim_operator.hpp"
#include "tests/sim/world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace konductor::sim {
namespace {

using Json = nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const kube::NamespacedName the_primitive{"ns", "it"};

/// A leader records a grant and stops before it tells it. Meanwhile the primitive is deleted and made again within the
/// same second, and another operator, which sees only the new life, leads.
class StaleLeader {
 public:
  explicit StaleLeader(std::uint64_t seed, Duration clock_jump = Duration{0})
      : world_(seed), oracle_(world_.api(), kind_), clock_jump_(clock_jump) {
    const auto& declared = kind_.declaration;
    for (const auto& [resource, name] :
         {std::pair{declared.primitive_resource(), declared.names.kind},
          std::pair{declared.claim_resource(), declared.claim.kind}, std::pair{pods, std::string{"Pod"}},
          std::pair{kube::Resource{"", "v1", "events"}, std::string{"Event"}}}) {
      world_.api().serve({.resource = resource,
                          .kind = name,
                          .status_subresource = true,
                          .selectable = {"status.phase", "spec." + declared.primitive_field},
                          .rules = {}});
    }
    for (int i = 0; i < 2; ++i)
      operators_[i] = std::make_unique<SimOperator>(world_, i, declared, [](const SimOperator::Knowledge&) {});
    world_.api().observe([this](const Commit& commit) { see(commit); });
  }

  void run() {
    first_life_ = make_primitive();
    stale().lead(true);
    for (const auto& one : operators_) one->start();
    // Where clocks agree, within the primitive's own second; else as one that is newer than the first life, unmarked.
    const Duration arrives = clock_jump_ == Duration{0} ? milliseconds{100} : milliseconds{1500};
    world_.after(arrives, [this] { make_claim("early", 0); });
    run_for(seconds{20});
  }

  void run_for(Duration time) {
    for (const Duration end = world_.elapsed() + time; world_.step(end);) {
    }
  }

  void release(const std::string& claim) {
    world_.command("user", kube::delete_object(kind_.declaration.claim_resource(), {the_primitive.ns, claim}, {}));
  }

  [[nodiscard]] Json status_of(const std::string& claim) const {
    const auto found = world_.api().find(kind_.declaration.claim_resource(), {the_primitive.ns, claim});
    return found ? found->value("status", Json::object()) : Json();
  }

  SimOperator& stale() { return *operators_[0]; }
  [[nodiscard]] const Oracle& oracle() const { return oracle_; }
  [[nodiscard]] const Json& first_life() const { return first_life_; }
  [[nodiscard]] const Json& second_life() const { return second_life_; }

 private:
  void see(const Commit& commit) {
    oracle_.on_commit(commit);
    for (const auto& one : operators_) one->on_commit(commit);
    const bool recorded = commit.resource == kind_.declaration.primitive_resource() && commit.after &&
                          !commit.after->value(Json::json_pointer("/status/ledger/pending"), Json::array()).empty();
    if (recorded && second_life_.is_null()) {
      // Before the answer comes: it tells only when it runs again, and before it hears of anything else.
      stale().pause(seconds{10});
      second_life_ = Json::object();
      world_.after(milliseconds{1}, [this] { begin_second_life(); });
    }
    if (commit.object.name == "urgent" && commit.after && phase_of(*commit.after) == "Granted") {
      world_.after(milliseconds{0}, [this] { stale().go_on(); });
    }
  }

  void begin_second_life() {
    world_.jump_server_clock(clock_jump_);
    world_.command("user", kube::delete_object(kind_.declaration.primitive_resource(), the_primitive, {}));
    second_life_ = make_primitive();
    make_claim("urgent", 1);
    // Once it has seen the new life, and so knows nothing of what was recorded in the former.
    world_.after(milliseconds{50}, [this] { operators_[1]->lead(true); });
  }

  Json make_primitive() {
    Json spec = kind_.primitive_spec(1);
    spec["ttl"] = "10m";
    return Json::parse(world_
                           .command("user", kube::create(kind_.declaration.primitive_resource(), the_primitive.ns,
                                                         {{"apiVersion", "sync.konductor.io/v1"},
                                                          {"kind", kind_.declaration.names.kind},
                                                          {"metadata", {{"name", the_primitive.name}}},
                                                          {"spec", std::move(spec)}}))
                           .body);
  }

  void make_claim(const std::string& name, std::int64_t priority) {
    Json spec = kind_.claim_spec(1, 0);
    spec[kind_.declaration.primitive_field] = the_primitive.name;
    spec["priority"] = priority;
    world_.command("user", kube::create(kind_.declaration.claim_resource(), the_primitive.ns,
                                        {{"apiVersion", "sync.konductor.io/v1"},
                                         {"kind", kind_.declaration.claim.kind},
                                         {"metadata", {{"name", name}}},
                                         {"spec", std::move(spec)}}));
  }

  const kube::Resource pods{"", "v1", "pods"};
  const KindUnderTest kind_ = semaphore_kind();
  World world_;
  Oracle oracle_;
  Duration clock_jump_;
  std::unique_ptr<SimOperator> operators_[2];
  Json first_life_;
  Json second_life_;
};

// Without marks it grants twice: the claim that it recorded has not changed since, so that its late tell is accepted.
TEST(Marks, stop_a_stale_leader_that_still_holds_the_pending_grants_of_a_former_life) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    StaleLeader story(seed);
    story.run();
    const auto& first = story.first_life()["metadata"];
    const auto& second = story.second_life()["metadata"];
    ASSERT_NE(first["uid"], second["uid"]);
    ASSERT_EQ(first["creationTimestamp"], second["creationTimestamp"]) << "within the same second";
    EXPECT_THAT(story.oracle().violations(), IsEmpty());
    EXPECT_THAT(story.stale().counters(), Not(HasSubstr("conflicts 0"))) << "it was to try its late tell";
    const Json urgent = story.status_of("urgent");
    EXPECT_EQ(urgent.value("phase", ""), "Granted");
    EXPECT_EQ(story.status_of("early").value("phase", ""), "Pending");
    EXPECT_EQ(story.status_of("early").value("primitiveUID", ""), second["uid"]);
    story.release("urgent");
    story.run_for(seconds{20});
    EXPECT_EQ(story.status_of("early").value("phase", ""), "Granted");
    EXPECT_GT(story.status_of("early").value("token", std::int64_t{0}), urgent.value("token", std::int64_t{0}));
    EXPECT_THAT(story.oracle().violations(), IsEmpty());
  }
}

// Whoever stamps the second life is behind whoever stamped the claim: another API server, or one whose clock was set
// back.
TEST(Marks, stop_a_stale_leader_also_when_the_servers_clock_went_back) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    StaleLeader story(seed, -seconds{5});
    story.run();
    EXPECT_THAT(story.oracle().violations(), IsEmpty());
  }
}

}  // namespace
}  // namespace konductor::sim
