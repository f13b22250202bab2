#include "host/plugin_file.hpp"

#include <array>
#include <cstdio>

namespace konductor::host {
namespace {

constexpr std::uint32_t group_write = 0020;
constexpr std::uint32_t others_write = 0002;
constexpr std::uint32_t sticky = 01000;

std::string octal(std::uint32_t mode) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%04o", mode);
  return text.data();
}

std::string why_not_path(const PathFacts& facts, std::uint32_t user) {
  if (facts.owner != 0 && facts.owner != user) {
    return facts.path + " belongs to user " + std::to_string(facts.owner) + ": it must belong to root or to user " +
           std::to_string(user);
  }
  // In a sticky directory of root's, such as /tmp, nobody can replace what is another's.
  if (facts.type == PathFacts::Type::directory && facts.owner == 0 && (facts.mode & sticky) != 0) return {};
  if ((facts.mode & (group_write | others_write)) == 0) return {};
  const char* who = (facts.mode & others_write) != 0 ? "others" : "its group";
  return facts.path + " is writable by " + who + " (mode " + octal(facts.mode) + "): chmod go-w";
}

}  // namespace

std::string why_not_trusted(std::span<const PathFacts> chain, std::uint32_t user) {
  if (chain.empty()) return "there is no such file";
  const auto& file = chain.front();
  if (file.type == PathFacts::Type::directory) return file.path + " is a directory, expected a file";
  if (file.type != PathFacts::Type::regular) return file.path + " is not a regular file";
  for (const auto& facts : chain) {
    if (auto why = why_not_path(facts, user); !why.empty()) return why;
  }
  return {};
}

}  // namespace konductor::host
