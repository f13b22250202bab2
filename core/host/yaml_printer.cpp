#include "host/yaml_printer.hpp"

#include "kube/text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cctype>

namespace konductor::host {
namespace {

using nlohmann::json;

bool is_word_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
         c == '.' || c == '/';
}

/// Conservative: words of a small alphabet that begin with a letter, and are no word of YAML 1.1 itself.
bool is_plain(const std::string& text) {
  static constexpr std::array own = {"y", "n", "yes", "no", "true", "false", "on", "off", "null"};
  if (text.empty() || std::isalpha(static_cast<unsigned char>(text.front())) == 0 || text.back() == ' ') return false;
  std::string lower = text;
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (std::ranges::find(own, lower) != own.end()) return false;
  return std::ranges::all_of(
      text, [](char c) { return is_word_character(c) || c == ' ' || c == ',' || c == '(' || c == ')'; });
}

// A JSON string is a double-quoted YAML scalar.
std::string scalar(const json& value) {
  if (value.is_string() && is_plain(value.get_ref<const std::string&>())) return value.get<std::string>();
  return kube::visible_json(value.dump());
}

bool is_block(const json& value) {
  return value.is_structured() && !value.empty();
}

// `started`: the first line already stands behind a "- ".
void print(const json& value, int indent, bool started, std::string& out) {
  const std::string margin(static_cast<std::size_t>(indent), ' ');
  for (const auto& [key, member] : value.items()) {
    if (!started) out += margin;
    started = false;
    if (value.is_array()) {
      out += "- ";
      if (is_block(member)) {
        print(member, indent + 2, true, out);
      } else {
        out += scalar(member) + '\n';
      }
      continue;
    }
    out += scalar(json(key)) + ':';
    if (is_block(member)) {
      out += '\n';
      print(member, member.is_array() ? indent : indent + 2, false, out);
    } else {
      out += ' ' + scalar(member) + '\n';
    }
  }
}

}  // namespace

std::string to_yaml(const json& value) {
  if (!is_block(value)) return scalar(value) + '\n';
  std::string out;
  print(value, 0, false, out);
  return out;
}

}  // namespace konductor::host
