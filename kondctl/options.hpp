#pragma once

#include "kondctl/exit_codes.hpp"
#include "runtime/clock.hpp"
#include "runtime/kind.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace konductor::kondctl {

enum class Format { table, wide, json, yaml, name };

struct GlobalOptions {
  std::string ns;  // empty: the Pod's, else the kubeconfig's
  std::string context;
  std::string kubeconfig;
  Format output = Format::table;
  int verbosity = 0;
  bool quiet = false;
  bool colours = false;            // of results
  bool words_on_terminal = false;  // what goes to stderr
};

/// Of what makes and ends claims; the host's own flags, the same for every kind.
struct ClaimOptions {
  bool wait = false;
  std::optional<runtime::Duration> timeout;
  std::optional<runtime::Duration> ttl;
  std::optional<std::int64_t> priority;
  std::optional<std::string> holder;
  std::string slot;
  std::string claim;  // of release and renew: the claim's own name
  int conflict_exit_code = static_cast<int>(ExitCode::not_available);
  std::optional<runtime::Duration> stop_grace;  // of what runs a command, or holds for others
  std::string ready_file;
  std::string probe_address;
  bool keep = false;  // at the end it is not given back
  // Of kinds whose claims are counted; both are among the fields too.
  std::optional<std::int64_t> round;
  std::string participant;       // empty: it is not named
  std::string participant_flag;  // by which it can be named; empty: there is none
};

/// A command line, understood and checked.
struct Invocation {
  enum class Purpose { action, overview, plugin_list, completion, manual, explain, version } purpose = Purpose::version;
  const runtime::KindDeclaration* kind = nullptr;        // of an action; the kinds outlive this
  const runtime::CommandDeclaration* command = nullptr;  // null where the host itself has the verb (`status KIND NAME`)
  runtime::Action action = runtime::Action::show;
  std::string name;
  bool all_namespaces = false;
  bool watch = false;
  std::string topic;   // of completion, manual, explain: the shell, the kind, the field
  std::string folder;  // of manual: where all pages go
  GlobalOptions global;
  ClaimOptions claim;
  std::vector<runtime::FixedValue> fields;  // of declared flags and fixed values
  std::vector<std::string> words;           // the command to run
};

/// The command line is answered without doing anything: help, or what is wrong with it.
struct Farewell {
  ExitCode code = ExitCode::usage;
  std::string out;
  std::string err;
};

}  // namespace konductor::kondctl
