#pragma once

#include "base/error.hpp"

#include <string>

namespace konductor::io {

/// A name that one process at a time has, in one network namespace: an abstract unix socket, gone with the process
/// whatever ends it. All containers of a Pod see the same names.
class NameLock {
 public:
  /// False where another process has it. A name that this object has already is no other's; it has one at a time.
  Result<bool> take(const std::string& name);
  NameLock() = default;
  ~NameLock();
  NameLock(const NameLock&) = delete;
  NameLock& operator=(const NameLock&) = delete;

 private:
  int socket_ = -1;
  std::string name_;
};

}  // namespace konductor::io
