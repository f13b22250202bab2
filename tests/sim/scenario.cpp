#include "tests/sim/scenario.hpp"

#include <array>
#include <charconv>
#include <system_error>
#include <vector>

namespace konductor::sim {
namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(Trouble::count)> names{
    "requests",     "watches",    "crashes",        "shutdowns", "pauses",    "partitions", "two_leaders", "clocks",
    "server_clock", "compaction", "client_crashes", "pods",      "deletions", "bad_spec",   "recreation",  "limit"};

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  return parts;
}

template <class Number>
bool read_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

bool read_flag(std::string_view text, bool& flag) {
  flag = text == "1";
  return flag || text == "0";
}

bool read_without(std::string_view text, Scenario& scenario) {
  for (const std::string_view part : split(text, '+')) {
    std::size_t i = 0;
    while (i < names.size() && names.at(i) != part) ++i;
    if (i == names.size()) return false;
    scenario.forgo(static_cast<Trouble>(i));
  }
  return true;
}

bool read_pair(std::string_view key, std::string_view value, Scenario& scenario) {
  if (key == "operators") return read_number(value, scenario.operators);
  if (key == "clients") return read_number(value, scenario.clients);
  if (key == "limit") return read_number(value, scenario.limit);
  if (key == "most_units") return read_number(value, scenario.most_units);
  if (key == "recreate") return read_flag(value, scenario.recreate);
  if (key == "change_limit") return read_flag(value, scenario.change_limit);
  if (key == "pods") return read_flag(value, scenario.pods);
  if (key == "faults") return read_flag(value, scenario.faults);
  if (key == "turbulent_s") return read_number(value, scenario.turbulent_s);
  if (key == "disturbances") return read_number(value, scenario.disturbances);
  return key == "without" && read_without(value, scenario);
}

}  // namespace

std::string_view to_string(Trouble trouble) {
  return names.at(static_cast<std::size_t>(trouble));
}

bool Scenario::allows(Trouble trouble) const {
  if ((without >> static_cast<unsigned>(trouble) & 1U) != 0) return false;
  if (trouble == Trouble::recreation) return recreate;
  if (trouble == Trouble::limit) return change_limit;
  return faults || trouble == Trouble::deletions;
}

std::string to_text(const Scenario& scenario) {
  std::string text =
      "operators=" + std::to_string(scenario.operators) + ",clients=" + std::to_string(scenario.clients) +
      ",limit=" + std::to_string(scenario.limit) + ",most_units=" + std::to_string(scenario.most_units) +
      ",recreate=" + std::to_string(int{scenario.recreate}) +
      ",change_limit=" + std::to_string(int{scenario.change_limit}) + ",pods=" + std::to_string(int{scenario.pods}) +
      ",faults=" + std::to_string(int{scenario.faults}) + ",turbulent_s=" + std::to_string(scenario.turbulent_s) +
      ",disturbances=" + std::to_string(scenario.disturbances);
  std::string without;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if ((scenario.without >> i & 1U) == 0) continue;
    without += (without.empty() ? "" : "+");
    without += names.at(i);
  }
  return without.empty() ? text : text + ",without=" + without;
}

std::optional<Scenario> scenario_of(std::string_view text) {
  Scenario scenario;
  for (const std::string_view pair : split(text, ',')) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    if (!read_pair(pair.substr(0, equals), pair.substr(equals + 1), scenario)) return std::nullopt;
  }
  const bool sane =
      scenario.operators > 0 && scenario.clients > 0 && scenario.most_units > 0 && scenario.turbulent_s > 0;
  return sane ? std::optional{scenario} : std::nullopt;
}

}  // namespace konductor::sim
