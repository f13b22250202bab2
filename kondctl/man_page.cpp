#include "kondctl/man_page.hpp"

#include "kube/text.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

namespace konductor::kondctl {

namespace {

// Text that troff prints as it is. Also of plugins: whatever they wrote, it gives no orders to troff.
std::string escaped(const std::string& raw) {
  const std::string text = kube::one_line(raw, 4000);
  std::string out;
  if (text.starts_with(".") || text.starts_with("'")) out = "\\&";
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

std::string quoted_argument(const std::string& text) {
  std::string plain = escaped(text);
  std::ranges::replace(plain, '"', '\'');
  return "\"" + plain + "\"";
}

std::string bold(const std::string& text) {
  return "\\fB" + escaped(text) + "\\fR";
}

std::string title(std::string name, const std::string& version) {
  for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return ".TH " + quoted_argument(name) + " 1 \"\" " + quoted_argument("kondctl " + version) + " \"Konductor\"\n";
}

std::string option_text(const OptionDescription& option) {
  std::string names;
  for (const std::string& name : option.names) names += (names.empty() ? "" : ", ") + bold(name);
  if (!option.placeholder.empty()) names += " \\fI" + escaped(option.placeholder) + "\\fR";
  std::string text = ".TP\n" + names + "\n" + escaped(option.help);
  const bool said = !option.values.empty() && option.help.find(option.values.front()) != std::string::npos;
  if (!said && !option.values.empty() && !option.placeholder.empty()) {
    std::string values;
    for (const std::string& value : option.values) values += (values.empty() ? "" : ", ") + value;
    text += " (" + escaped(values) + ")";
  }
  return text + (option.required ? "; required" : "") + "\n";
}

bool is_help(const OptionDescription& option) {
  return std::ranges::find(option.names, "--help") != option.names.end();
}

std::string options_text(const CommandDescription& command) {
  std::string text;
  for (const OptionDescription& option : command.options) {
    if (!is_help(option)) text += option_text(option);
  }
  return text;
}

std::string usage(const std::string& program, const CommandDescription& command) {
  std::string text = bold(program + " " + command.name);
  if (!command.positional.empty()) text += " \\fI" + escaped(command.positional) + "\\fR";
  return text + " [\\fIflags\\fR]";
}

}  // namespace

std::string man_page(const CommandDescription& root, const std::string& version) {
  std::string text = title("kondctl", version);
  text += ".SH NAME\nkondctl \\- " + escaped(root.summary) + "\n";
  text += ".SH SYNOPSIS\n" + bold("kondctl") + " \\fIcommand\\fR [\\fIflags\\fR]\n";
  text += ".SH COMMANDS\n";
  std::string pages;
  for (const CommandDescription& command : root.commands) {
    text += ".TP\n" + bold(command.name) + "\n" + escaped(command.summary) + "\n";
    if (command.kind == nullptr) continue;
    for (const CommandDescription& verb : command.commands) text += ".br\n" + usage(command.name, verb) + "\n";
    pages += (pages.empty() ? "" : ", ") + bold("kondctl-" + command.name) + "(1)";
  }
  text += ".SH OPTIONS\nUnderstood by every command.\n" + options_text(root);
  text += ".SH EXIT STATUS\n" + escaped(root.footer) + "\n";
  text += ".SH ENVIRONMENT\n";
  for (const auto& [name, help] :
       {std::pair{"KUBECONFIG", "Kubeconfig files, as for kubectl."},
        std::pair{"KONDUCTOR_PLUGIN_DIR", "Folders of plugins, with colons between; else beside the installation."},
        std::pair{"NO_COLOR", "If not empty, no colours; there are none either where output is no terminal."}}) {
    text += ".TP\n" + bold(name) + "\n" + escaped(help) + "\n";
  }
  if (!pages.empty()) text += ".SH SEE ALSO\n" + pages + "\n";
  return text;
}

std::string man_page_of_kind(const CommandDescription& group, const std::string& version) {
  const std::string program = "kondctl " + group.name;
  std::string text = title("kondctl-" + group.name, version);
  text += ".SH NAME\nkondctl\\-" + escaped(group.name) + " \\- commands for " + escaped(group.name) + " objects\n";
  text += ".SH SYNOPSIS\n";
  for (const CommandDescription& verb : group.commands) text += usage(program, verb) + "\n.br\n";
  text += ".SH DESCRIPTION\n" + escaped(group.summary) + "\n.SH COMMANDS\n";
  for (const CommandDescription& verb : group.commands) {
    text += ".SS " + quoted_argument(verb.name) + "\n" + escaped(verb.summary) + "\n" + options_text(verb);
    if (!verb.footer.empty() && verb.footer != group.footer) text += ".PP\n" + escaped(verb.footer) + "\n";
  }
  return text + ".SH SEE ALSO\n" + bold("kondctl") +
         "(1) has the flags that every command understands, and exit codes.\n";
}

}  // namespace konductor::kondctl
