#pragma once

#include "base/error.hpp"

#include <nlohmann/json_fwd.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace konductor::kube {

enum class WatchEventType { added, modified, deleted, bookmark };

/// One line of a watch stream.
struct WatchEvent {
  WatchEventType type = WatchEventType::added;
  std::shared_ptr<const nlohmann::json> object;  // never null
  std::string resource_version;                  // of the object
};

/// Parses one line. An ERROR event becomes the Error that its Status says (410 is Errc::expired).
Result<WatchEvent> parse_watch_line(std::string_view line);

}  // namespace konductor::kube
