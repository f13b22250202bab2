#include "runtime/observed_view.hpp"

#include "tests/support/objects.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace konductor::runtime {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const kube::NamespacedName first{"ns", "first"};
const kube::NamespacedName second{"ns", "second"};

Need one_object(const std::string& name) {
  return {"id-" + name, "", "v1", "configmaps", "", name, "", {"data.open", "metadata.name"}};
}

Need selected() {
  return {"jobs", "batch", "v1", "jobs", "elsewhere", "", "app=x", {"status.succeeded"}};
}

json object(const std::string& name, const json& data) {
  return {{"metadata", {{"name", name}, {"namespace", "ns"}, {"uid", "uid-" + name}, {"resourceVersion", "5"}}},
          {"data", data}};
}

ViewEvent event(ViewEvent::Kind kind, const json& object = {}) {
  return {kind, std::make_shared<const json>(object), "5", {}};
}

ViewEvent failed(Errc code) {
  return {ViewEvent::Kind::failed, nullptr, {}, "no", code};
}

/// "id-door present door {...}"
std::vector<std::string> seen_by(const ObservedView& view, const kube::NamespacedName& primitive) {
  constexpr const char* words[] = {"present", "absent", "unsynced", "forbidden", "not installed", "too many"};
  std::vector<std::string> lines;
  for (const auto& shown : view.shown_to(primitive))
    lines.push_back(shown.need_id + " " + words[static_cast<std::size_t>(shown.state)] + " " + shown.name +
                    (shown.json.empty() ? "" : " " + shown.json));
  return lines;
}

struct Observed : testing::Test {
  WatchTarget only() const { return view.targets().empty() ? WatchTarget{} : *view.targets().begin(); }
  void list(const std::vector<json>& objects) {
    const auto target = only();
    view.on_event(target, event(ViewEvent::Kind::begin));
    for (const auto& one : objects) view.on_event(target, event(ViewEvent::Kind::apply, one));
    changed = view.on_event(target, event(ViewEvent::Kind::synced));
  }
  ObservedView view;
  std::vector<kube::NamespacedName> changed;
};

TEST_F(Observed, object_is_unsynced_then_absent_then_present_with_its_projection) {
  EXPECT_TRUE(view.want(first, {one_object("door")}));
  ASSERT_THAT(view.targets(), SizeIs(1));
  EXPECT_EQ(only().ns, "ns") << "the primitive's own";
  EXPECT_THAT(seen_by(view, first), ElementsAre("id-door unsynced door"));
  list({});
  EXPECT_THAT(changed, ElementsAre(first));
  EXPECT_THAT(seen_by(view, first), ElementsAre("id-door absent door"));
  const auto there = event(ViewEvent::Kind::apply, object("door", {{"open", "yes"}, {"secret", "x"}}));
  EXPECT_THAT(view.on_event(only(), there), ElementsAre(first));
  EXPECT_THAT(seen_by(view, first), ElementsAre(R"(id-door present door {"data.open":"yes","metadata.name":"door"})"));
  EXPECT_THAT(view.on_event(only(), event(ViewEvent::Kind::remove, object("door", {}))), ElementsAre(first));
  EXPECT_THAT(seen_by(view, first), ElementsAre("id-door absent door"));
}

TEST_F(Observed, change_outside_of_the_projection_is_none) {
  view.want(first, {one_object("door")});
  list({object("door", {{"open", "yes"}})});
  EXPECT_THAT(view.on_event(only(), event(ViewEvent::Kind::apply, object("door", {{"open", "yes"}, {"more", "1"}}))),
              IsEmpty());
  list({object("door", {{"open", "yes"}})});
  EXPECT_THAT(changed, IsEmpty()) << "a list that shows the same";
}

TEST_F(Observed, watch_is_shared_and_ends_with_the_last_who_wants_it) {
  view.want(first, {one_object("door")});
  EXPECT_FALSE(view.want(first, {one_object("door")})) << "nothing new";
  view.want(second, {one_object("door")});
  EXPECT_THAT(view.targets(), SizeIs(1));
  list({object("door", {})});
  EXPECT_THAT(changed, ElementsAre(first, second));
  view.forget(first);
  EXPECT_THAT(view.targets(), SizeIs(1));
  EXPECT_TRUE(view.want(second, {one_object("gate")}));
  ASSERT_THAT(view.targets(), SizeIs(1));
  EXPECT_EQ(only().object_name, "gate");
  view.want(second, {});
  EXPECT_THAT(view.targets(), IsEmpty());
  EXPECT_THAT(seen_by(view, second), IsEmpty());
}

TEST_F(Observed, selector_shows_each_object_and_says_when_there_is_none) {
  view.want(first, {selected()});
  EXPECT_EQ(only().ns, "elsewhere");
  list({object("a", {}), object("b", {})});
  EXPECT_THAT(seen_by(view, first), ElementsAre("jobs present a {}", "jobs present b {}"));
  list({});
  EXPECT_THAT(seen_by(view, first), ElementsAre("jobs absent "));
}

TEST_F(Observed, more_objects_than_the_bound_are_not_shown_until_they_are_fewer) {
  view.want(first, {selected()});
  std::vector<json> many;
  for (std::size_t i = 0; i <= ObservedView::most_objects; ++i) many.push_back(object("o" + std::to_string(i), {}));
  list(many);
  EXPECT_THAT(seen_by(view, first), ElementsAre("jobs too many "));
  view.on_event(only(), event(ViewEvent::Kind::remove, many.front()));
  EXPECT_THAT(view.shown_to(first), SizeIs(ObservedView::most_objects));
}

TEST_F(Observed, view_that_may_not_be_had_any_more_is_not_shown_and_one_that_is_late_is) {
  view.want(first, {one_object("door")});
  list({object("door", {})});
  for (const auto code : {Errc::unavailable, Errc::timeout, Errc::too_many_requests, Errc::expired})
    EXPECT_THAT(view.on_event(only(), failed(code)), IsEmpty());
  EXPECT_THAT(view.on_event(only(), failed(Errc::forbidden)), ElementsAre(first));
  EXPECT_THAT(seen_by(view, first), ElementsAre("id-door forbidden door"));
  EXPECT_THAT(view.on_event(only(), failed(Errc::forbidden)), IsEmpty()) << "the same again";
  EXPECT_THAT(view.on_event(only(), failed(Errc::not_installed)), ElementsAre(first));
  EXPECT_THAT(seen_by(view, first), ElementsAre("id-door not installed door"));
  list({object("door", {})});
  EXPECT_THAT(changed, ElementsAre(first));
}

TEST_F(Observed, needs_beyond_the_bound_are_too_many_until_there_is_room) {
  ObservedView small(2);
  small.want(first, {one_object("a"), one_object("b"), one_object("c")});
  EXPECT_THAT(small.targets(), SizeIs(2));
  EXPECT_EQ(small.left_out(), 1U);
  EXPECT_THAT(seen_by(small, first), ElementsAre("id-a unsynced a", "id-b unsynced b", "id-c too many c"));
  small.want(second, {one_object("c"), one_object("a")});
  EXPECT_EQ(small.left_out(), 2U);
  EXPECT_TRUE(small.want(first, {one_object("a")}));
  EXPECT_THAT(seen_by(small, second), ElementsAre("id-c unsynced c", "id-a unsynced a"));
  EXPECT_EQ(small.left_out(), 0U);
  small.forget(second);
  EXPECT_THAT(small.targets(), SizeIs(1));
}

TEST_F(Observed, need_is_unanswered_until_there_are_objects_or_a_reason) {
  EXPECT_FALSE(view.is_unanswered(first));
  view.want(first, {one_object("door")});
  EXPECT_TRUE(view.is_unanswered(first));
  view.on_event(only(), failed(Errc::unavailable));
  EXPECT_TRUE(view.is_unanswered(first));
  view.on_event(only(), failed(Errc::forbidden));
  EXPECT_FALSE(view.is_unanswered(first));
  list({});
  EXPECT_FALSE(view.is_unanswered(first));
}

TEST_F(Observed, event_of_a_watch_that_nobody_wants_any_more_changes_nothing) {
  view.want(first, {one_object("door")});
  const auto target = only();
  view.forget(first);
  EXPECT_THAT(view.on_event(target, event(ViewEvent::Kind::synced)), IsEmpty());
}

}  // namespace
}  // namespace konductor::runtime
