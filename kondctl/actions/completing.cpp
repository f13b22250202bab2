#include "kondctl/actions/actions.hpp"
#include "kondctl/completion.hpp"
#include "kube/json_fields.hpp"
#include "kube/text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <sstream>

namespace konductor::kondctl {

namespace {

using Also = Completion::Also;

constexpr runtime::Duration patience = std::chrono::seconds{2};
constexpr std::size_t longest_help = 100;

const kube::Resource namespaces{"", "v1", "namespaces"};

// The shell puts it into the user's command line as it is. No API server has other names.
bool is_harmless(const std::string& name) {
  return std::ranges::all_of(
      name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.'; });
}

std::vector<std::string> names_of(const Completion& completion, Session& session) {
  const bool cluster_wide = completion.also == Also::namespaces;
  if (!cluster_wide && completion.kind == nullptr) return {};
  kube::Resource resource = namespaces;
  if (completion.also == Also::primitives) resource = completion.kind->primitive_resource();
  if (completion.also == Also::claims) resource = completion.kind->claim_resource();
  if (resource.plural.empty()) return {};
  const auto objects = session.list(resource, cluster_wide ? "" : session.ns(), {}, session.started + patience);
  std::vector<std::string> names;
  if (!objects) return names;
  names.reserve(objects->size());
  for (const nlohmann::json& object : *objects) {
    const std::string& name = kube::text_at(object, "metadata.name");
    if (is_harmless(name)) names.push_back(name);
  }
  return names;
}

std::string line_of(const std::string& text, const std::string& help) {
  return text + (help.empty() ? "" : "\t" + kube::one_line(help, longest_help)) + "\n";
}

void offer_names(const Completion& completion, Console& console, runtime::MonoTime started) {
  std::ostringstream unheard;
  Invocation invocation;
  invocation.global = completion.global;
  Console silent(unheard, unheard, invocation.global);
  const auto session = Session::open(invocation, silent, started, Session::Asks::nothing);
  if (!session) return;
  for (const std::string& name : names_of(completion, **session)) {
    if (name.starts_with(completion.prefix)) console.print(line_of(completion.before + name, {}));
  }
}

}  // namespace

ExitCode offer(const CommandDescription& commands, std::span<const std::string> words, Console& console,
               runtime::MonoTime started, Asker asker) {
  const Completion completion = complete(commands, words);
  const bool files = completion.also == Also::files;
  if (files && asker == Asker::script) console.print(":files\n");
  for (const Completion::Word& word : completion.words) console.print(line_of(word.text, word.help));
  if (!files && completion.also != Also::nothing) offer_names(completion, console, started);
  if (asker == Asker::kubectl) console.print(files ? kubectl_and_files : kubectl_no_files);
  return ExitCode::done;
}

}  // namespace konductor::kondctl
