#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace konductor::plugin::detail {

/// Walks over JSON text. Every function returns false at the first thing that is no JSON, and then is of no more use.
class JsonScanner {
 public:
  explicit JsonScanner(std::string_view text) : rest_(text) {}

  [[nodiscard]] std::string_view rest() const { return rest_; }
  void space() {
    const auto next = rest_.find_first_not_of(" \t\r\n");
    rest_.remove_prefix(next == std::string_view::npos ? rest_.size() : next);
  }
  bool take(char expected) {
    if (rest_.empty() || rest_.front() != expected) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool string(std::string& decoded);
  bool value(int depth);

  /// `member(name, value text)` is called for each member of the object that stands here.
  template <class Member>
  bool object(int depth, Member member) {
    std::string name;
    if (!take('{')) return false;
    space();
    if (take('}')) return true;
    do {
      space();
      if (!string(name)) return false;
      space();
      if (!take(':')) return false;
      space();
      const std::string_view before = rest_;
      if (!value(depth)) return false;
      member(name, before.substr(0, before.size() - rest_.size()));
      space();
    } while (take(','));
    return take('}');
  }

 private:
  bool array(int depth);
  bool number();
  bool escape(std::string& decoded);
  bool hex(std::uint32_t& unit);
  bool word(std::string_view expected) {
    if (rest_.substr(0, expected.size()) != expected) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }
  bool digits() {
    const auto end = rest_.find_first_not_of("0123456789");
    const std::size_t count = end == std::string_view::npos ? rest_.size() : end;
    rest_.remove_prefix(count);
    return count > 0;
  }

  std::string_view rest_;
};

inline void append_utf8(std::string& out, std::uint32_t code) {
  const auto byte = [&out](std::uint32_t value) { out += static_cast<char>(static_cast<unsigned char>(value)); };
  if (code < 0x80) return byte(code);
  if (code < 0x800) {
    byte(0xC0 | (code >> 6));
  } else {
    if (code < 0x10000) {
      byte(0xE0 | (code >> 12));
    } else {
      byte(0xF0 | (code >> 18));
      byte(0x80 | ((code >> 12) & 0x3F));
    }
    byte(0x80 | ((code >> 6) & 0x3F));
  }
  byte(0x80 | (code & 0x3F));
}

inline bool JsonScanner::hex(std::uint32_t& unit) {
  if (rest_.size() < 4) return false;
  const char* const first = rest_.data();
  const char* const last = first + 4;
  const auto [end, error] = std::from_chars(first, last, unit, 16);
  if (error != std::errc() || end != last) return false;
  rest_.remove_prefix(4);
  return true;
}

inline bool JsonScanner::escape(std::string& decoded) {
  constexpr std::string_view letters = "\"\\/bfnrt";
  constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
  if (rest_.empty()) return false;
  const char letter = rest_.front();
  rest_.remove_prefix(1);
  if (const auto at = letters.find(letter); at != std::string_view::npos) {
    decoded += meanings[at];
    return true;
  }
  std::uint32_t code = 0;
  if (letter != 'u' || !hex(code) || (code >= 0xDC00 && code < 0xE000)) return false;
  if (code >= 0xD800 && code < 0xDC00) {  // the first half of a pair
    std::uint32_t low = 0;
    if (!word("\\u") || !hex(low) || low < 0xDC00 || low >= 0xE000) return false;
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  }
  append_utf8(decoded, code);
  return true;
}

inline bool JsonScanner::string(std::string& decoded) {
  decoded.clear();
  if (!take('"')) return false;
  while (!rest_.empty()) {
    const char next = rest_.front();
    if (static_cast<unsigned char>(next) < 0x20) return false;
    rest_.remove_prefix(1);
    if (next == '"') return true;
    if (next != '\\') {
      decoded += next;
    } else if (!escape(decoded)) {
      return false;
    }
  }
  return false;
}

inline bool JsonScanner::number() {
  take('-');
  if (!take('0') && !digits()) return false;
  if (take('.') && !digits()) return false;
  if (take('e') || take('E')) {
    if (!take('+')) take('-');
    return digits();
  }
  return true;
}

inline bool JsonScanner::array(int depth) {
  take('[');
  space();
  if (take(']')) return true;
  do {
    space();
    if (!value(depth)) return false;
    space();
  } while (take(','));
  return take(']');
}

inline bool JsonScanner::value(int depth) {
  if (depth <= 0 || rest_.empty()) return false;
  switch (rest_.front()) {
    case '{': return object(depth - 1, [](const std::string&, std::string_view) {});
    case '[': return array(depth - 1);
    case 't': return word("true");
    case 'f': return word("false");
    case 'n': return word("null");
    case '"': {
      std::string ignored;
      return string(ignored);
    }
    default: return number();
  }
}

}  // namespace konductor::plugin::detail
