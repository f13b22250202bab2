#include "kondctl/completion.hpp"

namespace konductor::kondctl {

namespace {

// The first line of an answer may be ":files": the shell then offers what it finds itself.

constexpr const char* bash = R"script(# bash completion for kondctl: source <(kondctl completion bash)
__kondctl_complete() {
  local program=${COMP_WORDS[0]/#\~/$HOME} line
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      compopt -o default 2>/dev/null
      COMPREPLY=()
      return
    fi
    COMPREPLY+=("${line%%$'\t'*}")
  done < <("$program" __complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F __kondctl_complete kondctl
)script";

constexpr const char* zsh = R"script(#compdef kondctl
# zsh completion for kondctl: kondctl completion zsh >"${fpath[1]}/_kondctl", or source <(kondctl completion zsh)
_kondctl() {
  local -a lines described
  local line
  lines=("${(@f)$("${(Q)words[1]/#\~/$HOME}" __complete -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ $lines[1] == ":files" ]]; then
    _files
    return
  fi
  for line in $lines; do
    [[ -n $line ]] && described+=("${${line//:/\\:}/$'\t'/:}")
  done
  _describe -t words kondctl described
}
if [[ $funcstack[1] == _kondctl ]]; then
  _kondctl "$@"
else
  compdef _kondctl kondctl
fi
)script";

constexpr const char* fish = R"script(# fish completion for kondctl: kondctl completion fish | source
function __kondctl_complete
    set -l typed (commandline -opc)
    set -l current (commandline -ct)
    set -l lines ($typed[1] __complete -- $typed[2..-1] $current 2>/dev/null)
    if test "$lines[1]" = ":files"
        __fish_complete_path $current
    else
        printf '%s\n' $lines
    end
end
complete -c kondctl -f -a '(__kondctl_complete)'
)script";

}  // namespace

std::string completion_script(std::string_view shell) {
  if (shell == "bash") return bash;
  if (shell == "zsh") return zsh;
  if (shell == "fish") return fish;
  return {};
}

}  // namespace konductor::kondctl
