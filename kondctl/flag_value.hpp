#pragma once

#include "base/error.hpp"
#include "runtime/clock.hpp"
#include "runtime/kind.hpp"

#include <cstdint>
#include <string>
#include <string_view>

/// Text of the command line as typed values. Errors are Errc::bad_config with a sentence that names the flag.
namespace konductor::kondctl {

struct IntegerRange {
  std::int64_t minimum = std::numeric_limits<std::int64_t>::min();
  std::int64_t maximum = std::numeric_limits<std::int64_t>::max();
};

Result<std::int64_t> parse_integer_flag(std::string_view flag, std::string_view text, IntegerRange range);
/// The range is in microseconds.
Result<runtime::Duration> parse_duration_flag(std::string_view flag, std::string_view text, IntegerRange range);
/// The value of a declared flag as JSON text, as it goes into the object.
Result<std::string> parse_declared_flag(const runtime::FlagDeclaration& flag, std::string_view text);
/// That a text which goes into a claim is no longer than the schema of its kind allows. `word` is what the user gave it
/// by.
Result<void> check_length(const runtime::KindDeclaration& kind, const runtime::FlagDeclaration& flag,
                          const std::string& word, std::string_view text);

}  // namespace konductor::kondctl
