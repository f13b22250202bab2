#include "host/words.hpp"

#include <algorithm>

namespace konductor::host {
namespace {

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_alpha(char c) {
  return is_lower(c) || is_upper(c);
}
bool is_alnum(char c) {
  return is_alpha(c) || is_digit(c);
}

/// Every piece between `separator`s satisfies `is_piece`; there is at least one.
template <class Predicate>
bool all_pieces(std::string_view text, char separator, Predicate is_piece) {
  for (;;) {
    const auto end = text.find(separator);
    if (!is_piece(text.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

bool is_dns_label(std::string_view text) noexcept {
  const auto fits = [](char c) { return is_lower(c) || is_digit(c) || c == '-'; };
  return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-' &&
         std::ranges::all_of(text, fits);
}

bool is_resource_word(std::string_view text) noexcept {
  return is_dns_label(text) && is_lower(text.front());
}

bool is_dns_subdomain(std::string_view text) noexcept {
  return text.size() <= 253 && all_pieces(text, '.', is_dns_label);
}

bool is_kind_word(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 63 && is_upper(text.front()) && std::ranges::all_of(text, is_alnum);
}

bool is_reason_word(std::string_view text) noexcept {
  const auto fits = [](char c) { return is_alnum(c) || c == '_'; };
  return !text.empty() && is_alpha(text.front()) && text.back() != '_' && std::ranges::all_of(text, fits);
}

bool is_member_name(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 63 && is_lower(text.front()) && std::ranges::all_of(text, is_alnum);
}

bool is_dotted_path(std::string_view text) noexcept {
  return text.size() <= 253 && all_pieces(text, '.', is_member_name);
}

bool is_command_word(std::string_view text) noexcept {
  return is_resource_word(text);
}

bool is_semantic_version(std::string_view text) noexcept {
  const auto core = text.substr(0, text.find_first_of("-+"));
  const auto is_number = [](std::string_view part) { return !part.empty() && std::ranges::all_of(part, is_digit); };
  const auto fits = [](char c) { return is_alnum(c) || c == '.' || c == '-' || c == '+'; };
  return std::ranges::count(core, '.') == 2 && all_pieces(core, '.', is_number) && std::ranges::all_of(text, fits);
}

}  // namespace konductor::host
