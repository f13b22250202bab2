#pragma once

#include <string>

namespace konductor::app {

/// The operator's log on stderr. `level`: debug, info, warning, error; `format`: text, or json (one object a line).
void start_log(const std::string& level, const std::string& format);

}  // namespace konductor::app
