#pragma once

#include <konductor/claim.hpp>
#include <konductor/plugin.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

/// The commands that a kind gives to kondctl, as constant data: see declare.hpp.
namespace konductor::plugin {

constexpr konductor_flag integer_flag(std::string_view name, std::string_view placeholder, std::string_view help,
                                      std::string_view path,
                                      std::int64_t minimum = std::numeric_limits<std::int64_t>::min(),
                                      std::int64_t maximum = std::numeric_limits<std::int64_t>::max()) noexcept {
  return {str(name), str(placeholder), str(help), str(path), KONDUCTOR_INTEGER, 0, minimum, maximum};
}

constexpr konductor_flag string_flag(std::string_view name, std::string_view placeholder, std::string_view help,
                                     std::string_view path) noexcept {
  return {str(name), str(placeholder), str(help), str(path), KONDUCTOR_STRING, 0, 0, 0};
}

constexpr konductor_flag boolean_flag(std::string_view name, std::string_view help, std::string_view path) noexcept {
  return {str(name), {}, str(help), str(path), KONDUCTOR_BOOLEAN, 0, 0, 0};
}

/// Bounds in microseconds.
constexpr konductor_flag duration_flag(std::string_view name, std::string_view placeholder, std::string_view help,
                                       std::string_view path, std::int64_t minimum = 0,
                                       std::int64_t maximum = std::numeric_limits<std::int64_t>::max()) noexcept {
  return {str(name), str(placeholder), str(help), str(path), KONDUCTOR_DURATION, 0, minimum, maximum};
}

constexpr konductor_flag required(konductor_flag flag) noexcept {
  flag.required = 1;
  return flag;
}

constexpr konductor_fixed fixed(std::string_view path, std::string_view json) noexcept {
  return {str(path), str(json)};
}

constexpr konductor_command command(konductor_action action, std::string_view verb, std::string_view summary) noexcept {
  return {sizeof(konductor_command), action, str(verb), str(summary), nullptr, 0, nullptr, 0};
}

template <std::size_t Flags>
constexpr konductor_command command(konductor_action action, std::string_view verb, std::string_view summary,
                                    const konductor_flag (&flags)[Flags]) noexcept {
  konductor_command made = command(action, verb, summary);
  made.flags = flags;
  made.flag_count = Flags;
  return made;
}

template <std::size_t Fixed>
constexpr konductor_command command(konductor_action action, std::string_view verb, std::string_view summary,
                                    const konductor_fixed (&fixed)[Fixed]) noexcept {
  konductor_command made = command(action, verb, summary);
  made.fixed = fixed;
  made.fixed_count = Fixed;
  return made;
}

/// The form in which growing structs cross: pointers to them. `items` must have static storage.
template <class T, std::size_t Count>
constexpr std::array<const T*, Count> pointers(const T (&items)[Count]) noexcept {
  std::array<const T*, Count> list{};
  for (std::size_t i = 0; i < Count; ++i) list[i] = &items[i];
  return list;
}

}  // namespace konductor::plugin
