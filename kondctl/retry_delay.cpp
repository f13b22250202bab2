#include "kondctl/retry_delay.hpp"

namespace konductor::kondctl {

runtime::Duration RetryDelay::next(const Error& error) {
  return backoff_.next(jitter(), runtime::requested_pause(error.retry_after_s));
}

}  // namespace konductor::kondctl
