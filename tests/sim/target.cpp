#include "tests/sim/target.hpp"

#include <cctype>
#include <vector>

namespace konductor::sim {
namespace {

int hex_digit(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  const int lower = std::tolower(static_cast<unsigned char>(digit));
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::string percent_decode(std::string_view text, bool in_query) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
      decoded += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      decoded += in_query && text[i] == '+' ? ' ' : text[i];
    }
  }
  return decoded;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = text.find(separator);
    if (end != 0) parts.push_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  return parts;
}

}  // namespace

std::string Target::parameter(const std::string& key) const {
  const auto found = query.find(key);
  return found == query.end() ? std::string{} : found->second;
}

bool Target::is_watch() const {
  const std::string value = parameter("watch");
  return value == "true" || value == "1";
}

std::optional<Target> parse_target(std::string_view text) {
  const std::size_t mark = text.find('?');
  std::vector<std::string_view> parts = split(text.substr(0, mark), '/');
  Target target;
  if (mark != std::string_view::npos) {
    for (const std::string_view pair : split(text.substr(mark + 1), '&')) {
      const std::size_t equals = pair.find('=');
      const std::string_view value = equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1);
      target.query[percent_decode(pair.substr(0, equals), true)] = percent_decode(value, true);
    }
  }
  std::size_t at = 0;
  const auto take = [&] { return at < parts.size() ? percent_decode(parts[at++], false) : std::string{}; };
  const std::string root = take();
  if (root == "apis")
    target.resource.group = take();
  else if (root != "api")
    return std::nullopt;
  target.resource.version = take();
  // "namespaces/NAME" alone is the namespace itself; with more behind it, it only says where.
  if (at + 2 < parts.size() && parts[at] == "namespaces") {
    ++at;
    target.object.ns = take();
  }
  target.resource.plural = take();
  target.object.name = take();
  target.subresource = take();
  if (target.resource.plural.empty() || at != parts.size()) return std::nullopt;
  return target;
}

}  // namespace konductor::sim
