#include "tests/sim/view_feed.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace konductor::sim {

using runtime::ViewEvent;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr std::string_view by_name = "metadata.name=";

}  // namespace

ViewFeed::ViewFeed(World& world, kube::Resource resource, std::string_view field_selector, Sink sink)
    : world_(world),
      resource_(std::move(resource)),
      name_(field_selector.starts_with(by_name) ? field_selector.substr(by_name.size()) : ""),
      fields_(field_selector, Selector::About::fields),
      sink_(std::move(sink)) {}

ViewFeed::~ViewFeed() = default;

void ViewFeed::start() {
  world_.after(world_.rng().between(milliseconds{1}, milliseconds{30}), [this, alive = std::weak_ptr(life_)] {
    if (!alive.expired()) list();
  });
}

void ViewFeed::in_order(std::function<void()> what) {
  const bool stalled = world_.rng().chance(world_.faults().watch_stalled);
  const Duration lag = world_.rng().between(milliseconds{1}, stalled ? seconds{25} : milliseconds{20});
  last_arrival_ = std::max(last_arrival_, world_.elapsed() + lag);
  world_.after(last_arrival_ - world_.elapsed(),
               [this, alive = std::weak_ptr(life_), stream = stream_, what = std::move(what)] {
                 if (!alive.expired() && stream == stream_) what();
               });
}

void ViewFeed::list() {
  ++stream_;
  live_ = true;
  listed_ = false;
  std::vector<ObjectPtr> found;
  for (const ObjectPtr& object : world_.api().objects(resource_)) {
    if (fields_.matches(*object)) found.push_back(object);
  }
  const std::uint64_t revision = world_.api().revision();
  delivered_ = revision;
  in_order([this, found = std::move(found), revision] {
    sink_({.kind = ViewEvent::Kind::begin, .object = nullptr, .resource_version = "", .message = ""});
    for (const ObjectPtr& object : found) {
      const auto& version = object->at("metadata").at("resourceVersion").get_ref<const std::string&>();
      sink_({.kind = ViewEvent::Kind::apply, .object = object, .resource_version = version, .message = ""});
    }
    deliver({.kind = ViewEvent::Kind::synced,
             .object = nullptr,
             .resource_version = std::to_string(revision),
             .message = ""},
            revision);
    listed_ = true;
  });
  bookmark();
}

void ViewFeed::bookmark() {
  world_.after(world_.rng().between(seconds{3}, seconds{60}), [this, alive = std::weak_ptr(life_), stream = stream_] {
    if (alive.expired() || stream != stream_) return;
    const std::uint64_t revision = world_.api().revision();
    in_order([this, revision] {
      deliver({.kind = ViewEvent::Kind::progress,
               .object = nullptr,
               .resource_version = std::to_string(revision),
               .message = ""},
              revision);
    });
    bookmark();
  });
}

void ViewFeed::deliver(const ViewEvent& event, std::uint64_t revision) {
  delivered_ = std::max(delivered_, revision);
  sink_(event);
}

void ViewFeed::enqueue(const Commit& commit) {
  if (!name_.empty() && commit.object.name != name_) return;
  const Seen seen = seen_through(fields_, commit);
  if (seen == Seen::nothing) return;
  const ViewEvent::Kind kind = seen == Seen::deleted ? ViewEvent::Kind::remove : ViewEvent::Kind::apply;
  const ObjectPtr object = commit.after ? commit.after : commit.before;
  in_order([this, kind, object, revision = commit.revision] {
    deliver({.kind = kind, .object = object, .resource_version = std::to_string(revision), .message = ""}, revision);
  });
}

void ViewFeed::on_commit(const Commit& commit) {
  if (!live_ || commit.resource != resource_ || (!name_.empty() && commit.object.name != name_)) return;
  enqueue(commit);
  if (world_.rng().chance(world_.faults().watch_cut)) cut();
}

void ViewFeed::cut() {
  ++stream_;
  live_ = false;
  // A list that was cut on its way is asked for again.
  const bool gone = world_.rng().chance(world_.faults().watch_gone) || !listed_;
  world_.after(
      world_.rng().between(milliseconds{5}, seconds{5}), [this, alive = std::weak_ptr(life_), stream = stream_, gone] {
        if (alive.expired() || stream != stream_) return;
        if (gone) {
          sink_({.kind = ViewEvent::Kind::failed, .object = nullptr, .resource_version = "", .message = "410 Gone"});
          list();
        } else {
          resume();
        }
      });
}

void ViewFeed::resume() {
  ++stream_;
  live_ = true;
  for (const Commit& commit : world_.api().log(resource_)) {
    if (commit.revision > delivered_) enqueue(commit);
  }
  bookmark();
}

}  // namespace konductor::sim
