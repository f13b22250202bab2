#include "host/json_text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace konductor::host {
namespace {

constexpr int max_depth = 64;

bool too_deep(std::string_view text) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if ((c == '{' || c == '[') && ++depth > max_depth) {
      return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

// The length of the well-formed character at the start of `text` (Unicode 15, table 3-7), 0 if there is none.
std::size_t character_length(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = at(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if (!is_continuation(text[i])) return 0;
  }
  const unsigned second = at(1);
  const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool surrogate = first == 0xED && second > 0x9F;
  const bool beyond = first == 0xF4 && second > 0x8F;
  return overlong || surrogate || beyond ? 0 : length;
}

}  // namespace

Result<nlohmann::json> parse_object(std::string_view text, std::size_t max_bytes) {
  if (text.size() > max_bytes) {
    return Error{Errc::invalid,
                 "has " + std::to_string(text.size()) + " bytes, more than " + std::to_string(max_bytes)};
  }
  // The parser's own sentence would quote the bytes, and end up in conditions and logs.
  if (!is_text(text)) return Error{Errc::invalid, "is not JSON: it is not UTF-8 text"};
  if (too_deep(text)) return Error{Errc::invalid, "is nested more than " + std::to_string(max_depth) + " deep"};
  try {
    auto parsed = nlohmann::json::parse(text);
    if (!parsed.is_object())
      return Error{Errc::invalid, std::string("is JSON of type ") + parsed.type_name() + ", expected an object"};
    return Result<nlohmann::json>(boost::system::in_place_value, std::move(parsed));
  } catch (const nlohmann::json::exception& e) {
    return Error{Errc::invalid, std::string("is not JSON: ") + cut_text(e.what(), 200)};
  }
}

bool is_text(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == 0) return false;
    const auto length = byte < 0x80 ? 1 : character_length(text.substr(i));
    if (length == 0) return false;
    i += length;
  }
  return true;
}

std::string cut_text(std::string_view text, std::size_t max_bytes) {
  if (text.size() <= max_bytes) return std::string(text);
  std::size_t end = max_bytes;
  while (end > 0 && is_continuation(text[end])) --end;
  return std::string(text.substr(0, end));
}

}  // namespace konductor::host
