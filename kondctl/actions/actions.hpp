#pragma once

#include "host/plugin_registry.hpp"
#include "kondctl/claim_codec.hpp"
#include "kondctl/claim_machine.hpp"
#include "kondctl/command_description.hpp"
#include "kondctl/console.hpp"
#include "kondctl/dialogue.hpp"
#include "kondctl/exit_codes.hpp"
#include "kondctl/options.hpp"
#include "kondctl/session.hpp"

#include <span>
#include <string>
#include <string_view>

/// One function for each action that kondctl has code for. They print what they did, and say the exit code.
namespace konductor::kondctl {

ExitCode acquire(Session& session);
ExitCode run(Session& session);
ExitCode hold(Session& session);
ExitCode renew(Session& session);
ExitCode release(Session& session);
ExitCode show(Session& session);
ExitCode list(Session& session);
/// Every object of every kind.
ExitCode overview(Session& session, std::span<const runtime::KindDeclaration> kinds);
ExitCode join(Session& session);
ExitCode wait(Session& session);
/// Of the primitive itself, from the declared flags.
ExitCode create(Session& session);
ExitCode set(Session& session);
ExitCode remove(Session& session);

/// What may stand at the end of a command line: a line for each, and nothing else, whatever fails. Our own scripts know
/// the word ":files"; kubectl wants an order to the shell as the last line.
enum class Asker { script, kubectl };
inline constexpr std::string_view kubectl_and_files = ":0\n";
inline constexpr std::string_view kubectl_no_files = ":4\n";
ExitCode offer(const CommandDescription& commands, std::span<const std::string> words, Console& console,
               runtime::MonoTime started, Asker asker);
ExitCode print_manual(const CommandDescription& commands, const Invocation& invocation, const std::string& version,
                      Console& console);

ExitCode list_plugins(const host::PluginRegistry& plugins, Format format, Console& console);

/// Says an error, and what it means as an exit code.
ExitCode report(Console& console, const Error& error);

/// Who makes a claim in the namespace of the command line; a Pod only in its own.
Result<Identity> identity_for(const Session& session);

/// --timeout, another jitter for each process, and how often people want to hear that they wait.
DialogueSettings dialogue_settings(const Session& session);
/// Those of who waits for a grant, too.
ClaimSettings claim_settings(Session& session);

/// Where this holder's claim on the primitive of the command line is, or will be. In a Pod the claim lives beside it.
struct ClaimPlace {
  Identity identity;
  kube::NamespacedName primitive;
  kube::NamespacedName claim;
};
Result<ClaimPlace> place_claim(const Session& session);
/// What the command line asks for there.
[[nodiscard]] ClaimWish wish_for(const Session& session, const ClaimPlace& place);

/// What was done to a claim, in the format that was asked for: `facts` as JSON or YAML, or else the sentence.
void print_claim(Session& session, const ClaimPlace& place, const nlohmann::json& facts, const std::string& sentence);
/// A grant, as a result.
void print_grant(Session& session, const ClaimPlace& place, const ClaimOutcome::Grant& grant);

/// Which claim a command line means that names one which is there; fails where it says too little.
Result<ClaimPlace> place_known_claim(const Session& session);
/// The exit code of an error, with its words; 124 where it is what a --timeout of the user's own came to.
ExitCode give_up(Session& session, const Error& error, runtime::MonoTime until);

/// The exit code of an attempt to get a claim: --conflict-exit-code may put another in the place of "not available".
[[nodiscard]] ExitCode code_of(const Session& session, ExitCode code);

/// "widget.sync.konductor.io/q" and a line break: what -o name prints.
std::string resource_line(const std::string& singular, const std::string& name);

/// JSON as text, as -o json prints it.
std::string to_text(const nlohmann::json& value, Format format);

}  // namespace konductor::kondctl
