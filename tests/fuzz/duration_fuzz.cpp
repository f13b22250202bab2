#include "fuzz/fuzz.hpp"
#include "fuzz/sentence.hpp"
#include "kondctl/flag_value.hpp"
#include "kube/time.hpp"

#include <konductor/duration.hpp>

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

namespace {

using namespace konductor;
using fuzz::expect;

void check_flags(std::string_view text) {
  const auto number = kondctl::parse_integer_flag("size", text, {-1000, 1000});
  expect(!number || (*number >= -1000 && *number <= 1000), "a flag's number is in its range");
  if (!number) fuzz::expect_sentence(number.error());
  const auto bounded = kondctl::parse_duration_flag("ttl", text, {1'000'000, 60'000'000});
  expect(!bounded || (bounded->count() >= 1'000'000 && bounded->count() <= 60'000'000), "and so is a duration");
  if (!bounded) fuzz::expect_sentence(bounded.error());
  for (const auto type : {runtime::ValueType::string, runtime::ValueType::integer, runtime::ValueType::boolean,
                          runtime::ValueType::duration}) {
    runtime::FlagDeclaration flag;
    flag.name = "mode";
    flag.type = type;
    const auto value = kondctl::parse_declared_flag(flag, text);
    value ? expect(nlohmann::json::accept(*value), "a flag's value is JSON") : fuzz::expect_sentence(value.error());
  }
}

}  // namespace

/// The host's durations against the plugins', and what a command line makes of the same text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  const auto duration = kube::parse_duration(text);
  const auto of_plugin = plugin::parse_duration(text);
  expect(duration.has_value() == of_plugin.has_value(), "host and plugins take the same texts for durations");
  if (duration) {
    expect(duration->count() == *of_plugin, "host and plugins read the same duration");
    expect(duration->count() >= 0, "no duration is negative");
    const std::string written = kube::to_string(*duration);
    const auto again = kube::parse_duration(written);
    expect(again && *again == *duration, "a duration survives being written");
    expect(written.size() <= 40, "and is short");
  } else {
    fuzz::expect_sentence(duration.error());
    expect(duration.error().code == Errc::invalid, "what is wrong is the text");
  }
  check_flags(text);
  return 0;
}
