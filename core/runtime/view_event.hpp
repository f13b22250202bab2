#pragma once

#include "base/error.hpp"

#include <nlohmann/json_fwd.hpp>

#include <memory>
#include <string>

namespace konductor::runtime {

/// What a watch tells its consumer. A (re-)list is `begin`, one `apply` for each object, `synced`: whatever was known
/// and was not applied in between is gone. After that `apply` and `remove` follow in the order of resourceVersions.
struct ViewEvent {
  enum class Kind {
    begin,     // a list starts
    apply,     // the object is there, as given
    remove,    // the object is gone; `object` is its last state
    synced,    // the list is complete up to resource_version
    progress,  // nothing else changed up to resource_version (bookmark)
    failed     // the list or watch cannot go on for now; `message` says why. What is known stays, and grows older
  };
  Kind kind = Kind::begin;
  std::shared_ptr<const nlohmann::json> object;  // of apply, remove
  std::string resource_version;                  // the view is complete up to it; of apply, remove, synced, progress
  std::string message;                           // of failed
  Errc code = Errc::unavailable;                 // of failed
};

}  // namespace konductor::runtime
