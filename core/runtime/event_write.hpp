#pragma once

#include "kube/request.hpp"
#include "kube/resource.hpp"
#include "runtime/clock.hpp"
#include "runtime/plan.hpp"

#include <cstdint>
#include <string>

namespace konductor::runtime {

/// The object that an Event is about.
struct EventSubject {
  std::string kind;  // of the API group api_group
  kube::NamespacedName name;
  std::string uid;
  std::string resource_version;
};

/// Something to say about an object once a write has succeeded.
struct Announcement {
  EventSubject subject;
  PlanEvent event;
};

/// Creates a core/v1 Event in the subject's namespace. `serial` tells apart Events of one microsecond.
kube::Request event_write(const Announcement& announcement, const std::string& component, std::uint64_t serial,
                          WallTime server_now);

/// Bounds how many Events are written: `burst` at once, then one in each `refill`. Events are for people, and what
/// happens to thousands of claims at once must not cost the API server thousands of writes more.
class EventBudget {
 public:
  explicit EventBudget(int burst = 50, Duration refill = std::chrono::milliseconds{500})
      : burst_(burst), refill_(refill), left_(burst) {}
  /// False: leave this one out.
  bool take(MonoTime now) noexcept;

 private:
  int burst_;
  Duration refill_;
  int left_;
  MonoTime refilled_{};  // when left_ was right
};

}  // namespace konductor::runtime
