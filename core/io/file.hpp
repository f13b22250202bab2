#pragma once

#include "base/error.hpp"

#include <string>
#include <string_view>

namespace konductor::io {

/// Whole or not at all: readers never see half of it. Its folder must be there.
Result<void> write_file(const std::string& path, std::string_view text);

/// Also where there is none.
void remove_file(const std::string& path);

}  // namespace konductor::io
