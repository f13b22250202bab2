#pragma once

#include <konductor/detail/json_scanner.hpp>

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The little JSON that a plugin needs: the members of the objects that it is given, and objects that it gives back.
/// Optional: a plugin may use any JSON library instead.
namespace konductor::plugin {

/// The members of one JSON object. Views the text that it was parsed from, which must outlive it.
class JsonObject {
 public:
  /// Empty where the text is not exactly one JSON object (RFC 8259), or nests deeper than 64.
  static std::optional<JsonObject> parse(std::string_view text);

  /// Where the member is absent, null, or of another type (or, for an integer, beyond 64 bits), these are empty.
  [[nodiscard]] std::optional<std::int64_t> integer(std::string_view name) const;
  [[nodiscard]] std::optional<bool> boolean(std::string_view name) const;
  [[nodiscard]] std::optional<std::string> string(std::string_view name) const;
  [[nodiscard]] std::optional<JsonObject> object(std::string_view name) const;

  /// The member's own text; empty where it is absent or null. Of a name that comes twice, the last.
  [[nodiscard]] std::string_view raw(std::string_view name) const;

 private:
  std::vector<std::pair<std::string, std::string_view>> members_;
};

/// Builds one JSON object: JsonWriter().integer("inUse", 3).string("phase", "Ready").text().
class JsonWriter {
 public:
  JsonWriter& integer(std::string_view name, std::int64_t value) { return json(name, std::to_string(value)); }
  JsonWriter& boolean(std::string_view name, bool value) { return json(name, value ? "true" : "false"); }
  JsonWriter& string(std::string_view name, std::string_view value) { return json(name, quoted(value)); }
  /// `value` is JSON text already: "null", an array, the text of another writer.
  JsonWriter& json(std::string_view name, std::string_view value);
  [[nodiscard]] std::string text() const { return members_ + '}'; }

  static std::string quoted(std::string_view value);

 private:
  std::string members_ = "{";
};

// ---------------------------------------------------------------- implementation

inline std::optional<JsonObject> JsonObject::parse(std::string_view text) {
  constexpr int deepest = 64;
  JsonObject object;
  detail::JsonScanner scanner(text);
  scanner.space();
  const auto keep = [&object](const std::string& name, std::string_view value) {
    object.members_.emplace_back(name, value);
  };
  if (!scanner.object(deepest - 1, keep)) return std::nullopt;
  scanner.space();
  if (!scanner.rest().empty()) return std::nullopt;
  return object;
}

inline std::string_view JsonObject::raw(std::string_view name) const {
  for (auto member = members_.rbegin(); member != members_.rend(); ++member) {
    if (member->first == name) return member->second == "null" ? std::string_view() : member->second;
  }
  return {};
}

inline std::optional<std::int64_t> JsonObject::integer(std::string_view name) const {
  const std::string_view text = raw(name);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

inline std::optional<bool> JsonObject::boolean(std::string_view name) const {
  const std::string_view text = raw(name);
  if (text != "true" && text != "false") return std::nullopt;
  return text == "true";
}

inline std::optional<std::string> JsonObject::string(std::string_view name) const {
  detail::JsonScanner scanner(raw(name));
  std::string value;
  if (!scanner.string(value)) return std::nullopt;
  return value;
}

inline std::optional<JsonObject> JsonObject::object(std::string_view name) const {
  return parse(raw(name));
}

inline JsonWriter& JsonWriter::json(std::string_view name, std::string_view value) {
  if (members_.size() > 1) members_ += ',';
  members_ += quoted(name);
  members_ += ':';
  members_ += value;
  return *this;
}

inline std::string JsonWriter::quoted(std::string_view value) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text = "\"";
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20) {
      text += "\\u00";
      text += digits[byte >> 4];
      text += digits[byte & 0xF];
      continue;
    }
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + '"';
}

}  // namespace konductor::plugin
