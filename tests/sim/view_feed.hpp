#pragma once

#include "runtime/view_event.hpp"
#include "tests/sim/selector.hpp"
#include "tests/sim/world.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace konductor::sim {

/// One list-and-watch of a resource, as its consumer sees it over the faulty network: in order, late, sometimes cut and
/// resumed, sometimes told 410 and listed again. Must not outlive the world.
class ViewFeed {
 public:
  using Sink = std::function<void(const runtime::ViewEvent&)>;

  ViewFeed(World& world, kube::Resource resource, std::string_view field_selector, Sink sink);
  ~ViewFeed();
  ViewFeed(const ViewFeed&) = delete;
  ViewFeed& operator=(const ViewFeed&) = delete;

  void start();
  /// The world calls it after each write to the model.
  void on_commit(const Commit& commit);

 private:
  struct Life {};

  void list();
  void resume();
  void cut();
  void bookmark();
  void enqueue(const Commit& commit);
  void deliver(const runtime::ViewEvent& event, std::uint64_t revision);
  /// Runs `what` in order with all else that the consumer gets, unless the stream was cut before.
  void in_order(std::function<void()> what);

  World& world_;
  kube::Resource resource_;
  std::string name_;  // where the selector names just one object
  Selector fields_;
  Sink sink_;
  std::shared_ptr<Life> life_ = std::make_shared<Life>();
  std::uint64_t stream_ = 0;  // counts up when a stream ends: what was under way in it is lost
  bool live_ = false;
  bool listed_ = false;  // the last list has arrived
  std::uint64_t delivered_ = 0;
  Duration last_arrival_{0};
};

}  // namespace konductor::sim
