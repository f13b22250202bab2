#include "kube/time.hpp"

#include "kube/text.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

namespace konductor::kube {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

/// Takes pieces off the front of a text; once something does not fit, all that follows fails too.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  int number(std::size_t digits) {
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      if (i >= rest_.size() || !is_digit(rest_[i])) return fail();
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(digits);
    return value;
  }

  void literal(std::string_view expected) {
    if (!take(expected)) fail();
  }

  bool take(std::string_view expected) {
    if (!rest_.starts_with(expected)) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }

  /// Digits after a point; what is finer than a microsecond is dropped.
  microseconds fraction() {
    microseconds value{0};
    microseconds place{100'000};
    std::size_t used = 0;
    for (; used < rest_.size() && is_digit(rest_[used]); ++used) {
      value += place * (rest_[used] - '0');
      place /= 10;
    }
    if (used == 0) fail();
    rest_.remove_prefix(used);
    return value;
  }

  int fail() {
    good_ = false;
    rest_ = {};
    return 0;
  }

  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
  bool good_ = true;
};

struct Civil {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
};

/// "10:30:00".
void read_clock(Cursor& cursor, Civil& civil) {
  civil.hour = cursor.number(2);
  cursor.literal(":");
  civil.minute = cursor.number(2);
  cursor.literal(":");
  civil.second = cursor.number(2);
}

std::optional<WallTime> wall_time_of(const Civil& civil) {
  const std::chrono::year_month_day date{std::chrono::year{civil.year},
                                         std::chrono::month{static_cast<unsigned>(civil.month)},
                                         std::chrono::day{static_cast<unsigned>(civil.day)}};
  if (!date.ok() || civil.hour > 23 || civil.minute > 59 || civil.second > 59) return std::nullopt;
  return WallTime{std::chrono::sys_days{date}} + hours{civil.hour} + minutes{civil.minute} + seconds{civil.second};
}

/// "2024-01-15T10:30:00" of a time inside of the years 0 to 9999, which is all that RFC 3339 can write.
std::string text_of(std::chrono::sys_seconds time) {
  const auto midnight = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date{midnight};
  const std::chrono::hh_mm_ss clock{time - midnight};
  std::array<char, 64> text{};
  const int size = std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d", int{date.year()},
                                 unsigned{date.month()}, unsigned{date.day()}, static_cast<int>(clock.hours().count()),
                                 static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()));
  return {text.data(), static_cast<std::size_t>(size)};
}

WallTime clamp_to_years(WallTime time) {
  using namespace std::chrono_literals;
  const WallTime first{std::chrono::sys_days{0y / 1 / 1}};
  const WallTime last{std::chrono::sys_days{9999y / 12 / 31} + 24h - 1us};
  return std::clamp(time, first, last);
}

std::string six_digits(std::int64_t value) {
  std::string digits = std::to_string(value);
  return std::string(6 - std::min<std::size_t>(digits.size(), 6), '0') + digits;
}

Error invalid_duration(std::string_view text, const std::string& why) {
  return {Errc::invalid, "duration " + quoted(text) + ' ' + why};
}

/// Nanoseconds of one unit, as Go counts them. Longer names stand before their own beginnings.
struct Unit {
  std::string_view name;
  std::int64_t nanoseconds;
};
constexpr std::array units = {Unit{"ns", 1},
                              Unit{"us", 1'000},
                              Unit{"\xc2\xb5s", 1'000},  // micro sign
                              Unit{"\xce\xbcs", 1'000},  // Greek mu
                              Unit{"ms", 1'000'000},
                              Unit{"s", 1'000'000'000},
                              Unit{"m", 60'000'000'000},
                              Unit{"h", 3'600'000'000'000}};

std::size_t count_digits(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::ranges::find_if_not(text, is_digit) - text.begin());
}

/// Adds whole * unit + 0.fraction * unit to `total`; false where that leaves int64.
bool add_part(std::int64_t& total, std::string_view whole, std::string_view fraction, std::int64_t unit) noexcept {
  std::int64_t value = 0;
  for (const char digit : whole) {
    if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, digit - '0', &value)) return false;
  }
  if (__builtin_mul_overflow(value, unit, &value) || __builtin_add_overflow(total, value, &total)) return false;
  for (const char digit : fraction) {
    unit /= 10;
    if (__builtin_add_overflow(total, (digit - '0') * unit, &total)) return false;
  }
  return true;
}

void append_fixed(std::string& text, std::uint64_t value, std::uint64_t scale, std::string_view unit) {
  if (value == 0) return;
  text += std::to_string(value / scale);
  if (value % scale != 0) {
    std::string fraction = std::to_string(scale + value % scale).substr(1);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    text += '.' + fraction;
  }
  text += unit;
}

}  // namespace

Result<WallTime> parse_rfc3339(std::string_view text) {
  Error malformed{Errc::invalid, "time " + quoted(text) + " is not of the form 2024-01-15T10:30:00Z"};
  Cursor cursor(text);
  Civil civil;
  civil.year = cursor.number(4);
  cursor.literal("-");
  civil.month = cursor.number(2);
  cursor.literal("-");
  civil.day = cursor.number(2);
  cursor.literal("T");
  read_clock(cursor, civil);
  microseconds fraction{0};
  if (cursor.take(".")) fraction = cursor.fraction();
  minutes offset{0};
  if (!cursor.take("Z")) {
    const int sign = cursor.take("-") ? -1 : 1;
    if (sign > 0) cursor.literal("+");
    const int offset_hours = cursor.number(2);
    cursor.literal(":");
    const int offset_minutes = cursor.number(2);
    if (offset_hours > 23 || offset_minutes > 59) return malformed;
    offset = sign * (hours{offset_hours} + minutes{offset_minutes});
  }
  const std::optional<WallTime> time = wall_time_of(civil);
  if (!cursor.good() || !cursor.at_end() || !time) return malformed;
  return *time + fraction - offset;
}

std::string to_rfc3339(WallTime time) {
  return text_of(std::chrono::floor<seconds>(clamp_to_years(time))) + 'Z';
}

std::string to_rfc3339_micro(WallTime time) {
  const WallTime bounded = clamp_to_years(time);
  const auto whole = std::chrono::floor<seconds>(bounded);
  return text_of(whole) + '.' + six_digits((bounded - whole).count()) + 'Z';
}

std::optional<WallTime> parse_http_date(std::string_view text) {
  constexpr std::string_view names = "JanFebMarAprMayJunJulAugSepOctNovDec";
  constexpr std::string_view weekdays = "MonTueWedThuFriSatSun";
  if (text.size() != 29) return std::nullopt;
  const std::size_t weekday = weekdays.find(text.substr(0, 3));
  if (weekday == std::string_view::npos || weekday % 3 != 0) return std::nullopt;
  Cursor cursor(text.substr(3));
  Civil civil;
  cursor.literal(", ");
  civil.day = cursor.number(2);
  cursor.literal(" ");
  const std::size_t month = names.find(cursor.rest().substr(0, 3));
  if (month == std::string_view::npos || month % 3 != 0) return std::nullopt;
  civil.month = static_cast<int>(month / 3) + 1;
  cursor.literal(names.substr(month, 3));
  cursor.literal(" ");
  civil.year = cursor.number(4);
  cursor.literal(" ");
  read_clock(cursor, civil);
  cursor.literal(" GMT");
  if (!cursor.good() || !cursor.at_end()) return std::nullopt;
  return wall_time_of(civil);
}

Result<Duration> parse_duration(std::string_view text) {
  const std::string example = R"(: write "90s", "5m" or "1h30m")";
  if (text.empty()) return invalid_duration(text, "is empty" + example);
  if (text.front() == '-' || text.front() == '+') return invalid_duration(text, "has a sign" + example);
  std::int64_t total = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view whole = rest.substr(0, count_digits(rest));
    rest.remove_prefix(whole.size());
    std::string_view fraction;
    if (rest.starts_with('.')) {
      rest.remove_prefix(1);
      fraction = rest.substr(0, count_digits(rest));
      rest.remove_prefix(fraction.size());
    }
    if (whole.empty() && fraction.empty()) return invalid_duration(text, "is not understood" + example);
    if (rest.empty()) {
      const bool plain = whole.size() == text.size() && whole.size() < 10;
      const std::string mine = plain ? ": write \"" + std::string(text) + R"(s", "5m" or "1h30m")" : example;
      return invalid_duration(text, "has no unit" + mine);
    }
    const auto* unit = std::ranges::find_if(units, [&](const Unit& u) { return rest.starts_with(u.name); });
    if (unit == units.end()) {
      return invalid_duration(text, "has an unknown unit (known: h, m, s, ms, us)" + example);
    }
    rest.remove_prefix(unit->name.size());
    if (!add_part(total, whole, fraction, unit->nanoseconds)) return invalid_duration(text, "is too long");
  }
  return std::chrono::floor<Duration>(std::chrono::nanoseconds{total});
}

std::string to_string(Duration duration) {
  const std::int64_t count = duration.count();
  if (count == 0) return "0s";
  // Unsigned, so that the most negative count has a positive counterpart.
  std::uint64_t left = count < 0 ? 0 - static_cast<std::uint64_t>(count) : static_cast<std::uint64_t>(count);
  std::string text = count < 0 ? "-" : "";
  constexpr std::uint64_t second = 1'000'000;
  append_fixed(text, left / (3600 * second), 1, "h");
  left %= 3600 * second;
  append_fixed(text, left / (60 * second), 1, "m");
  left %= 60 * second;
  if (left >= second || text.size() > 1) {
    append_fixed(text, left, second, "s");
  } else if (left >= 1000) {
    append_fixed(text, left, 1000, "ms");
  } else {
    append_fixed(text, left, 1, "us");
  }
  return text;
}

}  // namespace konductor::kube
