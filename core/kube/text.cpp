#include "kube/text.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace konductor::kube {

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

struct Character {
  char32_t code = 0;
  std::size_t size = 0;  // in bytes; 0: no UTF-8 starts here
};

bool continues(char byte) noexcept {
  return (static_cast<unsigned char>(byte) & 0xc0U) == 0x80U;
}

Character decode(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  if (first < 0x80) return {first, 1};
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return {};
  char32_t code = first & (0xffU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if (!continues(text[i])) return {};
    code = (code << 6U) | (static_cast<unsigned char>(text[i]) & 0x3fU);
  }
  constexpr std::array<char32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
  if (code < least[size] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return {};
  return {code, size};
}

// What commands a terminal, turns the direction of what stands around it, or is not seen at all.
bool is_hidden(char32_t code) noexcept {
  const auto within = [code](char32_t first, char32_t last) { return code >= first && code <= last; };
  return code < 0x20 || within(0x7f, 0x9f) || code == 0x61c || within(0x200b, 0x200f) || within(0x2028, 0x202e) ||
         within(0x2060, 0x206f) || code == 0xfeff;
}

bool is_blank(char c) noexcept {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

std::string escape(char32_t code, char letter, std::size_t digits) {
  std::string text{'\\', letter};
  for (std::size_t left = digits; left > 0; --left) text += hex_digits[(code >> (4 * (left - 1))) & 0xfU];
  return text;
}

}  // namespace

std::string visible(std::string_view text) {
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) {
    const Character next = decode(text);
    if (next.size == 0) {
      shown += escape(static_cast<unsigned char>(text.front()), 'x', 2);
    } else if (is_hidden(next.code)) {
      shown += next.code < 0x80 ? escape(next.code, 'x', 2) : escape(next.code, 'u', 4);
    } else {
      shown += text.substr(0, next.size);
    }
    text.remove_prefix(next.size == 0 ? 1 : next.size);
  }
  return shown;
}

std::string visible_json(std::string_view json) {
  std::string shown;
  shown.reserve(json.size());
  while (!json.empty()) {
    const Character next = decode(json);
    const bool escaped = next.size > 0 && next.code >= 0x7f && is_hidden(next.code);
    const std::size_t size = std::max<std::size_t>(next.size, 1);
    if (escaped) {
      shown += escape(next.code, 'u', 4);
    } else {
      shown += json.substr(0, size);
    }
    json.remove_prefix(size);
  }
  return shown;
}

std::string one_line(std::string_view text, std::size_t limit) {
  std::string blanks_joined;
  for (const char c : text) {
    const bool blank = is_blank(c);
    if (blank && (blanks_joined.empty() || blanks_joined.back() == ' ')) continue;
    blanks_joined += blank ? ' ' : c;
    if (blanks_joined.size() > limit + 4) break;  // a character more than is needed
  }
  std::string line = visible(blanks_joined);
  if (line.size() > limit) {
    // Do not cut a UTF-8 sequence in two.
    std::size_t end = limit;
    while (end > 0 && continues(line[end])) --end;
    line.resize(end);
    return line + "...";
  }
  if (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

std::string quoted(std::string_view text) {
  return '"' + one_line(text, 80) + '"';
}

}  // namespace konductor::kube
