#pragma once

#include "base/error.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace konductor::kube {

/// Cuts a byte stream into lines. Each byte is looked at once, however small the pieces are.
class LineSplitter {
 public:
  explicit LineSplitter(std::size_t max_line = std::size_t{8} << 20U) : max_line_(max_line) {}

  /// The lines completed by `chunk`, without their ends; empty lines are left out. A line over the bound is
  /// Errc::protocol_violation, and the stream is of no more use.
  Result<std::vector<std::string>> feed(std::string_view chunk);

 private:
  std::string rest_;
  std::size_t max_line_;
  bool broken_ = false;
};

}  // namespace konductor::kube
