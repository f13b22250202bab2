#include "kube/resource.hpp"

#include "kube/request.hpp"
#include "kube/text.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace konductor::kube {
namespace {

constexpr std::size_t max_label = 63;
constexpr std::size_t max_subdomain = 253;

bool is_alphanumeric(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

}  // namespace

std::string to_string(const NamespacedName& name) {
  return name.ns.empty() ? name.name : name.ns + '/' + name.name;
}

std::string path_of(const Resource& resource, std::string_view ns, std::string_view name,
                    std::string_view subresource) {
  std::string path = resource.group.empty() ? "/api" : "/apis/" + percent_encode(resource.group);
  path += '/' + percent_encode(resource.version);
  if (!ns.empty()) path += "/namespaces/" + percent_encode(ns);
  path += '/' + percent_encode(resource.plural);
  if (!name.empty()) path += '/' + percent_encode(name);
  if (!subresource.empty()) path += '/' + percent_encode(subresource);
  return path;
}

std::string to_string(const Resource& resource) {
  return resource.group.empty() ? resource.plural : resource.plural + '.' + resource.group;
}

std::string why_not_dns_label(std::string_view name) {
  if (name.empty()) return "must not be empty";
  if (name.size() > max_label) {
    return "must have at most 63 characters, it has " + std::to_string(name.size());
  }
  const auto bad = std::ranges::find_if_not(name, [](char c) { return is_alphanumeric(c) || c == '-'; });
  if (bad != name.end()) {
    const auto byte = static_cast<unsigned char>(*bad);
    std::string what = "something else";
    if (byte > 0x20 && byte < 0x7f) what = quoted(std::string_view{&*bad, 1});
    if (byte == 0x20) what = "a space";
    return "must consist of lower-case letters, digits and '-', it has " + what;
  }
  if (!is_alphanumeric(name.front()) || !is_alphanumeric(name.back())) {
    return "must start and end with a lower-case letter or a digit";
  }
  return {};
}

bool is_dns_subdomain(std::string_view name) noexcept {
  if (name.empty() || name.size() > max_subdomain) return false;
  char before = '.';
  for (const char c : name) {
    const bool joins = c == '-' || c == '.';
    if (!joins && !is_alphanumeric(c)) return false;
    if (joins && before == '.') return false;
    if (c == '.' && before == '-') return false;
    before = c;
  }
  return is_alphanumeric(before);
}

}  // namespace konductor::kube
