#include "kondctl/actions/actions.hpp"
#include "kondctl/man_page.hpp"
#include "kondctl/suggestion.hpp"
#include "kube/text.hpp"

#include <algorithm>
#include <fstream>
#include <vector>

namespace konductor::kondctl {

namespace {

// Commands that belong to one kind: a page each.
std::vector<const CommandDescription*> groups_of(const CommandDescription& commands) {
  std::vector<const CommandDescription*> groups;
  for (const CommandDescription& command : commands.commands) {
    if (command.kind != nullptr) groups.push_back(&command);
  }
  return groups;
}

bool write(const std::string& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << text;
  out.flush();
  return out.good();
}

}  // namespace

ExitCode print_manual(const CommandDescription& commands, const Invocation& invocation, const std::string& version,
                      Console& console) {
  const auto groups = groups_of(commands);
  if (!invocation.folder.empty()) {
    bool good = write(invocation.folder + "/kondctl.1", man_page(commands, version));
    for (const CommandDescription* group : groups) {
      good = write(invocation.folder + "/kondctl-" + group->name + ".1", man_page_of_kind(*group, version)) && good;
    }
    if (!good) console.error("can't write manual pages into " + kube::quoted(invocation.folder));
    return good ? ExitCode::done : ExitCode::failed;
  }
  if (invocation.topic.empty()) {
    console.print(man_page(commands, version));
    return ExitCode::done;
  }
  std::vector<std::string> known;
  for (const CommandDescription* group : groups) {
    known.push_back(group->name);
    const bool alias = std::ranges::find(group->aliases, invocation.topic) != group->aliases.end();
    if (group->name != invocation.topic && !alias) continue;
    console.print(man_page_of_kind(*group, version));
    return ExitCode::done;
  }
  console.error("there is no manual page of " + kube::quoted(invocation.topic) + "; there are: " + joined(known) +
                did_you_mean(invocation.topic, known));
  return ExitCode::usage;
}

}  // namespace konductor::kondctl
