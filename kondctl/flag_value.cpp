#include "kondctl/flag_value.hpp"

#include "kube/json_fields.hpp"
#include "kube/text.hpp"
#include "kube/time.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <system_error>

namespace konductor::kondctl {

namespace {

constexpr IntegerRange unlimited{};

Error wrong(std::string_view flag, const std::string& rest) {
  return {Errc::bad_config, "--" + std::string(flag) + " " + rest, 0};
}

std::string number(std::int64_t value) {
  return std::to_string(value);
}
std::string duration(std::int64_t value) {
  return kube::to_string(runtime::Duration{value});
}

// What is allowed, as words; empty where `value` is.
std::string out_of_range(std::int64_t value, IntegerRange range, std::string (*text)(std::int64_t)) {
  if (value >= range.minimum && value <= range.maximum) return {};
  if (range.maximum == unlimited.maximum) return "must be at least " + text(range.minimum);
  if (range.minimum == unlimited.minimum) return "must be at most " + text(range.maximum);
  return "must be from " + text(range.minimum) + " to " + text(range.maximum);
}

}  // namespace

Result<std::int64_t> parse_integer_flag(std::string_view flag, std::string_view text, IntegerRange range) {
  std::string_view digits = text;
  if (digits.size() > 1 && digits.front() == '+') digits.remove_prefix(1);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  const bool whole = end == digits.data() + digits.size() && !digits.empty();
  if (error == std::errc::result_out_of_range && whole) {
    value = digits.front() == '-' ? unlimited.minimum : unlimited.maximum;
    const std::string why = out_of_range(value, range, number);
    return wrong(flag, (why.empty() ? "is too large a number" : why) + ", not " + kube::one_line(text, 40));
  }
  if (error != std::errc{} || !whole) return wrong(flag, "must be a whole number, not " + kube::quoted(text));
  const std::string why = out_of_range(value, range, number);
  if (!why.empty()) return wrong(flag, why + ", not " + kube::one_line(text, 40));
  return value;
}

Result<runtime::Duration> parse_duration_flag(std::string_view flag, std::string_view text, IntegerRange range) {
  const auto value = kube::parse_duration(text);
  if (!value) return wrong(flag, kube::quoted(text) + ": " + value.error().detail);
  const std::string why = out_of_range(value->count(), range, duration);
  if (!why.empty()) return wrong(flag, why + ", not " + kube::one_line(text, 40));
  return *value;
}

Result<std::string> parse_declared_flag(const runtime::FlagDeclaration& flag, std::string_view text) {
  const IntegerRange range{flag.minimum, flag.maximum};
  switch (flag.type) {
    case runtime::ValueType::integer: {
      const auto value = parse_integer_flag(flag.name, text, range);
      if (!value) return value.error();
      return std::to_string(*value);
    }
    case runtime::ValueType::duration: {
      const auto value = parse_duration_flag(flag.name, text, range);
      if (!value) return value.error();
      return nlohmann::json(kube::to_string(*value)).dump();
    }
    case runtime::ValueType::boolean:
      if (text != "true" && text != "false")
        return wrong(flag.name, "must be true or false, not " + kube::quoted(text));
      return std::string(text);
    case runtime::ValueType::string: break;
  }
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<void> check_length(const runtime::KindDeclaration& kind, const runtime::FlagDeclaration& flag,
                          const std::string& word, std::string_view text) {
  constexpr std::string_view spec = "spec.";
  if (flag.type != runtime::ValueType::string || !flag.path.starts_with(spec)) return {};
  const auto schema = nlohmann::json::parse(kind.claim_spec_schema, nullptr, false);
  const auto most = kube::integer_at(schema, "properties." + flag.path.substr(spec.size()) + ".maxLength");
  // As the API server counts: characters, of which each begins with a byte that continues none.
  const auto characters =
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
  if (!most || characters <= *most) return {};
  return Error{Errc::bad_config,
               word + " must have at most " + number(*most) + " characters, not " + number(characters), 0};
}

}  // namespace konductor::kondctl
