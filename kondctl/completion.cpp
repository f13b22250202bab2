#include "kondctl/completion.hpp"

#include <algorithm>
#include <cstddef>

namespace konductor::kondctl {

namespace {

using Also = Completion::Also;

/// Where a command line has come to.
struct Place {
  std::vector<const CommandDescription*> path;  // from the root to the command that is typed
  const OptionDescription* open = nullptr;      // its value comes next
  std::size_t positionals = 0;
  bool verbatim = false;  // behind --: another program's words
};

const OptionDescription* find_option(const Place& place, std::string_view name) {
  for (const CommandDescription* command : place.path) {
    for (const OptionDescription& option : command->options) {
      if (std::find(option.names.begin(), option.names.end(), name) != option.names.end()) return &option;
    }
  }
  return nullptr;
}

const CommandDescription* find_command(const CommandDescription& parent, const std::string& word) {
  for (const CommandDescription& command : parent.commands) {
    if (command.name == word || std::ranges::find(command.aliases, word) != command.aliases.end()) return &command;
  }
  return nullptr;
}

void keep(GlobalOptions& global, const OptionDescription& option, const std::string& value) {
  const std::string& name = option.names.back();
  if (name == "--namespace") global.ns = value;
  if (name == "--context") global.context = value;
  if (name == "--kubeconfig") global.kubeconfig = value;
}

void pass(Place& place, GlobalOptions& global, const std::string& word) {
  if (place.open != nullptr) {
    keep(global, *place.open, word);
    place.open = nullptr;
  } else if (word == "--") {
    place.verbatim = true;
  } else if (word.starts_with("-")) {
    const std::size_t equals = word.find('=');
    const OptionDescription* option = find_option(place, word.substr(0, equals));
    if (option == nullptr || option->placeholder.empty()) return;
    if (equals == std::string::npos) {
      place.open = option;
    } else {
      keep(global, *option, word.substr(equals + 1));
    }
  } else if (const CommandDescription* command = find_command(*place.path.back(), word)) {
    place.path.push_back(command);
  } else {
    ++place.positionals;
  }
}

void add(Completion& completion, const std::string& text, const std::string& help) {
  if (text.starts_with(completion.prefix)) completion.words.push_back({completion.before + text, help});
}

void add_values(Completion& completion, const OptionDescription& option) {
  for (const std::string& value : option.values) add(completion, value, "");
  if (option.placeholder == "FILE" || option.placeholder == "DIR") completion.also = Also::files;
  if (option.placeholder == "NS") completion.also = Also::namespaces;
  if (option.placeholder == "CLAIM") completion.also = Also::claims;
}

void add_options(Completion& completion, const Place& place) {
  for (auto command = place.path.rbegin(); command != place.path.rend(); ++command) {
    for (const OptionDescription& option : (*command)->options) add(completion, option.names.back(), option.help);
  }
}

}  // namespace

Completion complete(const CommandDescription& root, std::span<const std::string> words) {
  Completion completion;
  Place place{{&root}};
  if (words.empty()) return completion;
  for (const std::string& word : words.first(words.size() - 1)) {
    // bash takes --output=json apart: as three words.
    if (word != "=") pass(place, completion.global, word);
  }
  if (place.verbatim) {
    completion.also = Also::files;
    return completion;
  }
  completion.kind = place.path.back()->kind;
  completion.prefix = words.back() == "=" ? std::string{} : words.back();
  if (place.open != nullptr) {
    add_values(completion, *place.open);
    return completion;
  }
  const std::size_t equals = completion.prefix.find('=');
  if (completion.prefix.starts_with("-") && equals != std::string::npos) {
    const OptionDescription* option = find_option(place, completion.prefix.substr(0, equals));
    completion.before = completion.prefix.substr(0, equals + 1);
    completion.prefix.erase(0, equals + 1);
    if (option != nullptr) add_values(completion, *option);
    return completion;
  }
  if (completion.prefix.starts_with("-")) {
    add_options(completion, place);
    return completion;
  }
  const CommandDescription& command = *place.path.back();
  for (const CommandDescription& next : command.commands) {
    if (place.positionals == 0) add(completion, next.name, next.summary);
  }
  if (place.positionals > 0 || command.positional.empty()) return completion;
  if (completion.kind != nullptr) completion.also = Also::primitives;
  for (const std::string& value : command.values) add(completion, value, "");
  return completion;
}

}  // namespace konductor::kondctl
