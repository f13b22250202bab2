#include "fuzz/fuzz.hpp"
#include "host/yaml_printer.hpp"
#include "kube/yaml_json.hpp"

#include <nlohmann/json.hpp>
#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <exception>
#include <string>

namespace {

using namespace konductor;
using fuzz::expect;
using nlohmann::json;

/// Beyond these yaml-cpp itself reads something else: keys of more than 1024 characters, numbers that no int64 holds,
/// text with a NUL, nesting beyond its bound.
bool is_ordinary(const json& value, int depth = 0) {
  if (depth > 40) return false;
  if (value.is_number_float()) return false;
  if (value.is_number_unsigned()) return value.get<std::uint64_t>() <= std::uint64_t{INT64_MAX};
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    return text.size() < 500 && text.find_first_of(std::string("\0\x7f\r\xc2\xe2\xef", 6)) == std::string::npos;
  }
  for (const auto& [key, member] : value.items()) {
    if (value.is_object() && !is_ordinary(json(key), depth + 1)) return false;
    if (value.is_structured() && !is_ordinary(member, depth + 1)) return false;
  }
  return true;
}

}  // namespace

/// An object of the API, printed for people, is the same object for programs.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const json value = json::parse(fuzz::text_of(data, size), nullptr, false);
  if (value.is_discarded()) return 0;
  const std::string yaml = host::to_yaml(value);
  expect(yaml.ends_with('\n'), "YAML ends with a line end");
  if (!is_ordinary(value)) return 0;
  try {
    const auto again = kube::to_json_text(YAML::Load(yaml));
    expect(again.has_value(), "what is printed can be read");
    expect(json::parse(*again) == value, "and is the same");
  } catch (const std::exception& error) {
    expect(false, error.what());
  }
  return 0;
}
