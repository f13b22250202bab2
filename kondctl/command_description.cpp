#include "kondctl/command_description.hpp"

#include "kube/json_fields.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace konductor::kondctl {

namespace {

OptionDescription describe(const CLI::Option& option) {
  OptionDescription description;
  description.names.reserve(option.get_snames().size() + option.get_lnames().size());
  for (const std::string& name : option.get_snames()) description.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) description.names.push_back("--" + name);
  const bool takes_value = option.get_items_expected_max() > 0;
  if (takes_value) description.placeholder = option.get_type_name().empty() ? "VALUE" : option.get_type_name();
  description.help = option.get_description();
  description.required = option.get_required();
  return description;
}

}  // namespace

OptionDescription* CommandDescription::option(const std::string& flag) {
  const auto has = [&flag](const OptionDescription& one) {
    return std::ranges::find(one.names, flag) != one.names.end();
  };
  const auto found = std::ranges::find_if(options, has);
  return found == options.end() ? nullptr : &*found;
}

CommandDescription describe(const CLI::App& app, const Enrich& enrich) {
  CommandDescription description;
  description.name = app.get_name();
  description.aliases = app.get_aliases();
  description.summary = app.get_description();
  description.footer = app.get_footer();
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) {
      description.positional = option->get_name(true);
    } else {
      description.options.push_back(describe(*option));
    }
  }
  // An empty group hides a command from the help, and from here.
  const auto shown = [](const CLI::App* command) { return !command->get_group().empty(); };
  for (const CLI::App* command : app.get_subcommands(shown)) {
    description.commands.push_back(describe(*command, enrich));
  }
  enrich(app, description);
  return description;
}

std::vector<std::string> values_of(const runtime::FlagDeclaration& flag, const std::string& spec_schema) {
  if (flag.type == runtime::ValueType::boolean) return {"true", "false"};
  constexpr std::string_view spec = "spec.";
  if (!flag.path.starts_with(spec)) return {};
  const auto schema = nlohmann::json::parse(spec_schema, nullptr, false);
  const auto* values = kube::find_path(schema, "properties." + flag.path.substr(spec.size()) + ".enum");
  if (values == nullptr || !values->is_array()) return {};
  std::vector<std::string> words;
  for (const auto& value : *values) {
    if (value.is_string()) words.push_back(value.get<std::string>());
  }
  return words;
}

}  // namespace konductor::kondctl
