#include "operator/watch_trouble.hpp"

#include <spdlog/spdlog.h>

namespace konductor::app {

void WatchTrouble::see(const runtime::ViewEvent& event) {
  if (event.kind == runtime::ViewEvent::Kind::failed) {
    if (why_ != event.message) spdlog::warn("{}", event.message);
    why_ = event.message;
  } else if (!why_.empty()) {
    spdlog::info("well again: {}", why_);
    why_.clear();
  }
}

}  // namespace konductor::app
