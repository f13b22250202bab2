#include "kondctl/actions/actions.hpp"
#include "kondctl/completion.hpp"
#include "kube/json_fields.hpp"
#include "kube/text.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <sstream>

namespace konductor::kondctl {

namespace {

using Also = Completion::Also;

constexpr runtime::Duration patience = std::chrono::seconds{2};
constexpr std::size_t longest_help = 100;

const kube::Resource namespaces{"", "v1", "namespaces"};

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
  for (const nlohmann::json& object : *objects) names.push_back(kube::text_at(object, "metadata.name"));
  return names;
}

std::string line_of(const std::string& text, const std::string& help) {
  return text + (help.empty() ? "" : "\t" + kube::one_line(help, longest_help)) + "\n";
}

}  // namespace

ExitCode offer(const CommandDescription& commands, std::span<const std::string> words, Console& console,
               runtime::MonoTime started) {
  const Completion completion = complete(commands, words);
  if (completion.also == Also::files) console.print(":files\n");
  for (const Completion::Word& word : completion.words) console.print(line_of(word.text, word.help));
  if (completion.also == Also::nothing || completion.also == Also::files) return ExitCode::done;
  std::ostringstream unheard;
  Invocation invocation;
  invocation.global = completion.global;
  Console silent(unheard, unheard, invocation.global);
  const auto session = Session::open(invocation, silent, started);
  if (!session) return ExitCode::done;
  for (const std::string& name : names_of(completion, **session)) {
    if (name.starts_with(completion.prefix)) console.print(line_of(completion.before + name, {}));
  }
  return ExitCode::done;
}

}  // namespace konductor::kondctl
