#pragma once

#include "kondctl/command_description.hpp"
#include "kondctl/options.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace konductor::kondctl {

/// What may stand where the cursor is.
struct Completion {
  struct Word {
    std::string text;
    std::string help;
    auto operator<=>(const Word&) const = default;
  };
  enum class Also {
    nothing,
    files,       // the shell knows them
    namespaces,  // the next three are asked of the API server
    primitives,
    claims
  };
  std::vector<Word> words;
  Also also = Also::nothing;
  const runtime::KindDeclaration* kind = nullptr;  // of primitives and claims
  std::string prefix;                              // with which names must begin
  std::string before;                              // "--claim=": comes before each of them
  GlobalOptions global;                            // what was typed of namespace, context, kubeconfig
};

/// `words` are those behind the program's name up to the cursor; the last one is not finished, and may be empty.
[[nodiscard]] Completion complete(const CommandDescription& root, std::span<const std::string> words);

/// What a shell reads at its start: it then asks `program __complete -- WORDS` at each TAB, so that it knows what the
/// plugins of that moment declare. Empty: there is no such shell here.
[[nodiscard]] std::string completion_script(std::string_view shell);

}  // namespace konductor::kondctl
