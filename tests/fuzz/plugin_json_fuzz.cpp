#include "fuzz/fuzz.hpp"
#include "host/json_text.hpp"

#include <konductor/json.hpp>

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace {

using namespace konductor;
using fuzz::expect;
using nlohmann::json;

/// The same text by nlohmann's parser; nothing where the two may rightly differ, or it is no object.
std::optional<json> parse_with_host(std::string_view text) {
  auto parsed = host::parse_object(text, std::size_t{1} << 20U);
  if (!parsed) return std::nullopt;
  return std::move(*parsed);
}

/// Numbers beyond a double are JSON by its grammar, and nlohmann refuses them.
bool has_exponent(std::string_view text) {
  return text.find_first_of("eE") != std::string_view::npos || text.size() > 300;
}

void check_member(const plugin::JsonObject& object, const std::string& name, const json& value) {
  if (value.is_null()) {
    expect(object.raw(name).empty(), "null is as good as absent");
    return;
  }
  expect(json::parse(object.raw(name)) == value, "a member's own text is its value");
  expect(object.string(name).has_value() == value.is_string(), "only text is text");
  if (value.is_string()) expect(*object.string(name) == value.get<std::string>(), "text is decoded as the host does");
  expect(object.boolean(name).has_value() == value.is_boolean(), "only a boolean is a boolean");
  if (value.is_boolean()) expect(*object.boolean(name) == value.get<bool>(), "a boolean is the host's");
  const auto integer = object.integer(name);
  expect(!integer || (value.is_number_integer() && value == *integer), "an integer is the host's");
  const bool fits = value.is_number_integer() &&
                    (!value.is_number_unsigned() || value.get<std::uint64_t>() <= std::uint64_t{INT64_MAX});
  expect(integer.has_value() || !fits, "each integer of 64 bits is one");
  expect(object.object(name).has_value() == value.is_object(), "only an object is an object");
}

void check_writer(std::string_view text) {
  const std::string name(text.substr(0, text.size() / 2));
  const std::string value(text.substr(text.size() / 2));
  const std::string written = plugin::JsonWriter().string(name, value).boolean("", true).integer("n", -5).text();
  const auto object = plugin::JsonObject::parse(written);
  expect(object.has_value(), "what is written can be read");
  if (name != "n" && !name.empty()) expect(object->string(name) == value, "text survives being written");
  if (host::is_text(name) && host::is_text(value)) expect(json::accept(written), "text of UTF-8 is written as JSON");
}

}  // namespace

/// The little JSON of plugin-api against the host's own parser.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  check_writer(text);
  const auto object = plugin::JsonObject::parse(text);
  const auto by_host = parse_with_host(text);
  expect(object || !by_host, "plugins can read what the host takes for an object");
  // The host refuses what is no UTF-8, NUL, and a number that no double can hold.
  expect(by_host || !object || !host::is_text(text) || has_exponent(text), "plugins read no more than JSON");
  if (!object || !by_host) return 0;
  for (const auto& [name, value] : by_host->items()) check_member(*object, name, value);
  expect(!object->integer("no such member") && object->raw("no such member").empty(), "what is absent is empty");
  return 0;
}
