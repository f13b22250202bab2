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

}  // namespace konductor::runtime
