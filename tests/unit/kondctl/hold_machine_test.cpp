#include "kondctl/hold_machine.hpp"

#include "dialogue_world.hpp"
#include "widgets.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace konductor::kondctl::test {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

/// A server with one ticket that is granted, and whoever holds it.
class HoldWorld : public DialogueWorld {
 public:
  HoldWorld() {
    claim = {{"metadata", {{"name", "q-1"}, {"namespace", "team"}, {"uid", "u-1"}, {"resourceVersion", "100"}}},
             {"spec", {{"widget", "q"}, {"size", 1}}},
             {"status", {{"phase", "Granted"}, {"token", 7001}, {"ttl", "1m"}}}};
  }

  /// Until it is lost or given back, or for a day.
  void run() {
    held.kind = &kind_;
    held.primitive = {"team", "q"};
    held.claim = {"team", "q-1"};
    held.grant.uid = "u-1";
    held.grant.token = 7001;
    held.grant.ttl = seconds{60};
    held.grant.lost_at = start + seconds{60};
    machine_.emplace(held, settings, start);
    converse();
  }
  void at(Duration delay, std::function<void()> what) { after(delay, std::move(what)); }
  void give_back(Duration patience) {
    machine_->release(now() + patience);
    tell(Woken{});
  }
  void set_status(const json& status) {
    claim["status"].merge_patch(status);
    changed();
  }
  void remove() {
    claim = nullptr;
    if (watch_ != 0) tell(ObjectGone{watch_});
  }
  void forget(std::uint64_t watch) { tell(ObjectGone{watch}); }
  void end_watch(std::optional<Error> error) { tell(WatchEnded{std::exchange(watch_, 0), std::move(error)}); }
  [[nodiscard]] std::ptrdiff_t count(const std::string& words) const { return std::ranges::count(sent, words); }

  json claim;
  HeldClaim held;
  DialogueSettings settings;
  std::optional<Loss> loss;
  std::optional<MonoTime> lost_at;
  bool finished = false;
  std::string problem;

 private:
  bool resume(const DialogueEvent& event, Now now, DialogueStep& step) override {
    HoldStep next = machine_->resume(event, now);
    if (next.lost_at) lost_at = next.lost_at;
    if (next.loss) loss = next.loss;
    finished = finished || next.finished;
    if (!next.problem.empty()) problem = next.problem;
    step = std::move(next);
    return !loss && !finished;
  }
  void start_watch(const DialogueStep::Watching& watching) override {
    watch_ = watching.id;
    if (!watch_forbidden) return;
    after(hop, [this] { end_watch(Error{Errc::forbidden, "watch is forbidden", 0}); });
  }
  Result<kube::Response> execute(const kube::Request& request) override {
    if (claim.is_null()) return answer(404, not_found("tickets \"q-1\""));
    const json body = json::parse(request.body, nullptr, false);
    if (request.method == kube::Method::get) return answer(200, claim);
    if (request.method == kube::Method::patch) {
      if (body["metadata"]["uid"] != claim["metadata"]["uid"])
        return answer(422, status_of(422, "Invalid", "other uid"));
      claim.merge_patch(body);
      return answer(200, claim);
    }
    if (!fits(body["preconditions"], claim)) return answer(409, status_of(409, "Conflict", "the precondition failed"));
    claim = nullptr;
    return answer(200, {{"kind", "Status"}, {"status", "Success"}});
  }
  [[nodiscard]] std::string words_for(const kube::Request& request) const override {
    return std::string(to_string(request.method));
  }
  void changed() {
    if (watch_ != 0) tell(ObjectSeen{watch_, std::make_shared<const json>(claim)});
  }

  runtime::KindDeclaration kind_ = widget_kind();
  std::optional<HoldMachine> machine_;
  std::uint64_t watch_ = 0;
};

TEST(HoldMachine, renews_at_a_third_for_as_long_as_it_is_held) {
  HoldWorld world;
  world.at(std::chrono::minutes{10}, [&] { world.give_back(seconds{10}); });
  world.run();
  EXPECT_FALSE(world.loss);
  EXPECT_TRUE(world.finished);
  EXPECT_TRUE(world.claim.is_null());
  EXPECT_GE(world.count("PATCH"), 30);
  EXPECT_LE(world.count("PATCH"), 34) << "each a little before the third";
  EXPECT_EQ(world.count("GET"), 1) << "to begin its watch";
  EXPECT_THAT(world.notes, IsEmpty());
}

TEST(HoldMachine, goes_on_with_the_watch_of_who_made_the_claim) {
  HoldWorld world;
  world.held.grant.watch = 77;
  world.at(seconds{5}, [&] { world.forget(77); });
  world.run();
  ASSERT_TRUE(world.loss);
  EXPECT_EQ(world.count("GET"), 0);
  EXPECT_EQ(world.elapsed(), seconds{5});
}

TEST(HoldMachine, counts_from_before_the_sending_of_a_renewal) {
  HoldWorld world;
  world.at(seconds{25}, [&] { world.give_back(seconds{1}); });
  world.run();
  ASSERT_TRUE(world.lost_at);
  EXPECT_GE(*world.lost_at, world.start + seconds{78});
  EXPECT_LE(*world.lost_at, world.start + seconds{80});
}

TEST(HoldMachine, is_lost_at_its_time_when_no_renewal_is_answered) {
  HoldWorld world;
  world.at(milliseconds{10}, [&] { world.unreachable = true; });
  world.run();
  ASSERT_TRUE(world.loss);
  EXPECT_EQ(world.elapsed(), seconds{60});
  EXPECT_EQ(world.loss->stop_by, world.start + seconds{60});
  EXPECT_THAT(world.loss->why, HasSubstr("no answer from https://example.test"));
  EXPECT_GE(world.count("PATCH"), 4) << "a server that says nothing leaves time for other attempts";
  EXPECT_THAT(world.notes, testing::SizeIs(1)) << "said once";
}

TEST(HoldMachine, survives_an_outage_that_ends_before_its_time) {
  HoldWorld world;
  world.at(seconds{10}, [&] { world.unreachable = true; });
  world.at(seconds{45}, [&] { world.unreachable = false; });
  world.at(seconds{90}, [&] { world.give_back(seconds{10}); });
  world.run();
  EXPECT_FALSE(world.loss) << world.loss->why;
  EXPECT_TRUE(world.finished);
  EXPECT_THAT(world.notes, Contains(HasSubstr("renewed again")));
}

// Each way in which it can be taken away, seen by the watch and, where that is forbidden, by the next renewal.
TEST(HoldMachine, hears_what_becomes_of_its_claim) {
  struct Case {
    std::string name;
    std::function<void(HoldWorld&)> happens;
    std::string why;
    Duration left;  // to stop in
  };
  const std::vector<Case> cases{
      {"deleted", [](HoldWorld& world) { world.remove(); }, "deleted", {}},
      {"expired", [](HoldWorld& world) { world.set_status({{"phase", "Expired"}}); }, "became Expired", {}},
      {"revoked", [](HoldWorld& world) { world.set_status({{"phase", "Revoked"}}); }, "became Revoked", {}},
      {"asked back", [](HoldWorld& world) { world.set_status({{"phase", "Revoking"}, {"grace", "8s"}}); },
       "asks for it back", seconds{6}},
      {"told why",
       [](HoldWorld& world) {
         const json told = {
             {"type", "Granted"}, {"status", "True"}, {"reason", "Recalled"}, {"message", "it is wanted"}};
         world.set_status({{"phase", "Revoking"}, {"grace", "8s"}, {"conditions", {told}}});
       },
       "asks for it back: it is wanted", seconds{6}},
      {"no grace", [](HoldWorld& world) { world.set_status({{"phase", "Revoking"}}); }, "asks for it back", {}},
      {"other token", [](HoldWorld& world) { world.set_status({{"token", 7002}}); }, "no longer shows", {}},
      {"other UID",
       [](HoldWorld& world) {
         world.claim["metadata"]["uid"] = "u-2";
         world.set_status(json::object());
       },
       "another one",
       {}},
      {"going",
       [](HoldWorld& world) {
         world.claim["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
         world.set_status(json::object());
       },
       "being deleted",
       {}}};
  for (const Case& one : cases) {
    for (const bool watches : {true, false}) {
      HoldWorld world;
      world.watch_forbidden = !watches;
      world.at(seconds{5}, [&] { one.happens(world); });
      world.run();
      ASSERT_TRUE(world.loss) << one.name;
      EXPECT_THAT(world.loss->why, HasSubstr(one.why)) << one.name;
      EXPECT_EQ(world.loss->stop_by, world.now() + one.left) << one.name;
      EXPECT_LE(world.elapsed(), watches ? seconds{6} : seconds{21}) << one.name;
    }
  }
}

TEST(HoldMachine, watches_on_after_its_watch_has_ended) {
  for (const auto& error : {std::optional<Error>{}, std::optional<Error>{Error{Errc::expired, "too old", 0}},
                            std::optional<Error>{Error{Errc::unavailable, "cut", 0}}}) {
    HoldWorld world;
    world.at(seconds{3}, [&] { world.end_watch(error); });
    world.at(seconds{8}, [&] { world.remove(); });
    world.run();
    ASSERT_TRUE(world.loss);
    EXPECT_EQ(world.elapsed(), seconds{8});
    EXPECT_EQ(world.count("GET"), 2);
  }
}

TEST(HoldMachine, tries_to_renew_whatever_the_server_says) {
  for (const int code : {401, 403, 429, 500, 503}) {
    HoldWorld world;
    world.at(seconds{1}, [&] { world.refusals["PATCH"] = status_of(code, "Refused", "not now"); });
    world.at(seconds{40}, [&] { world.refusals.clear(); });
    world.at(seconds{70}, [&] { world.give_back(seconds{1}); });
    world.run();
    EXPECT_FALSE(world.loss) << code;
    EXPECT_TRUE(world.claim.is_null()) << code;
  }
}

TEST(HoldMachine, gives_back_through_faults_for_as_long_as_it_is_told_to) {
  HoldWorld world;
  world.at(seconds{1}, [&] {
    world.unreachable = true;
    world.give_back(seconds{30});
  });
  world.at(seconds{15}, [&] { world.unreachable = false; });
  world.run();
  EXPECT_TRUE(world.claim.is_null());
  EXPECT_THAT(world.problem, IsEmpty());

  HoldWorld away;
  away.at(seconds{1}, [&] {
    away.unreachable = true;
    away.give_back(seconds{5});
  });
  away.run();
  EXPECT_TRUE(away.finished);
  EXPECT_EQ(away.elapsed(), seconds{6});
  EXPECT_THAT(away.problem, HasSubstr("kondctl widget giveback q -n team --claim q-1"));
}

TEST(HoldMachine, gives_back_only_its_own) {
  HoldWorld world;
  world.watch_forbidden = true;
  world.at(seconds{1}, [&] {
    world.claim["metadata"]["uid"] = "u-2";
    world.give_back(seconds{5});
  });
  world.run();
  EXPECT_TRUE(world.finished);
  EXPECT_FALSE(world.claim.is_null()) << "another one of its name stays";
  EXPECT_THAT(world.problem, IsEmpty());
}

}  // namespace
}  // namespace konductor::kondctl::test
