#pragma once

#include "kondctl/claim_codec.hpp"
#include "runtime/kind.hpp"

namespace konductor::kondctl::test {

/// A kind that no plugin declares: what kondctl can do for it, it can do for any.
inline runtime::KindDeclaration widget_kind() {
  using runtime::Action;
  using runtime::ValueType;
  runtime::KindDeclaration kind;
  kind.plugin_name = "widget";
  kind.plugin_version = "1.2.3";
  kind.description = "Widgets, by tickets";
  kind.names = {"Widget", "widgets", "widget", "wg"};
  kind.claim = {"Ticket", "tickets", "ticket", "tk"};
  kind.primitive_field = "widget";
  kind.units_field = "size";
  const runtime::FlagDeclaration size{"size", "N", "how much", "spec.size", ValueType::integer, false, 1, 2147483647};
  const runtime::FlagDeclaration grace{"grace", "DURATION", "how long", "spec.grace", ValueType::duration,
                                       false,   1'000'000,  60'000'000};
  const runtime::FlagDeclaration mode{"mode", "MODE", "how", "spec.mode", ValueType::string};
  const runtime::FlagDeclaration loud{"loud", "", "say it", "spec.loud", ValueType::boolean};
  kind.commands = {
      {Action::acquire, "take", "Take some", {size, grace, mode, loud}, {{"spec.origin", "\"shop\""}}},
      {Action::run, "run", "Hold while a command runs", {size}, {}},
      {Action::evaluate, "ponder", "Think of what would be", {}, {}},
      {Action::release, "giveback", "Give it back", {}, {}},
      {Action::show, "look", "Look at one", {}, {}},
      {Action::list, "list", "List them", {}, {}},
  };
  kind.columns = {{runtime::Place::primitive, 0, "SIZE", "integer", ".spec.size", ""},
                  {runtime::Place::primitive, 1, "NOTE", "string", ".metadata.annotations.example\\.com/note", ""},
                  {runtime::Place::claim, 0, "WIDGET", "string", ".spec.widget", ""}};
  return kind;
}

/// One whose claims are only counted: a party begins when enough guests came, or is called off; weekly ones in
/// evenings.
inline runtime::KindDeclaration party_kind() {
  using runtime::Action;
  using runtime::ValueType;
  runtime::KindDeclaration kind;
  kind.plugin_name = "party";
  kind.plugin_version = "1.0.0";
  kind.mode = runtime::Mode::counted;
  kind.claim_lifetime = runtime::Lifetime::with_primitive;
  kind.description = "Parties, and their guests";
  kind.names = {"Party", "parties", "party", "pt"};
  kind.claim = {"Guest", "guests", "guest", "gs"};
  kind.primitive_field = "party";
  kind.participant_field = "seat";
  kind.claim_spec_schema = R"({"properties": {"seat": {"type": "string", "maxLength": 63}}})";
  kind.wait = {"Begun", "CalledOff", "weekly", "evening", "lastEvening"};
  const runtime::FlagDeclaration seat{"seat", "TEXT", "who comes", "spec.seat", ValueType::string};
  const runtime::FlagDeclaration evening{"evening", "N", "which evening", "spec.evening", ValueType::integer,
                                         false,     1,   2147483647};
  kind.commands = {{Action::join, "come", "Come to a party", {seat, evening}, {}},
                   {Action::wait_for_phase, "attend", "Wait until a party begins", {evening}, {}},
                   {Action::show, "look", "Look at one", {}, {}},
                   {Action::list, "list", "List them", {}, {}}};
  kind.columns = {{runtime::Place::primitive, 0, "PHASE", "string", ".status.phase", ""}};
  return kind;
}

}  // namespace konductor::kondctl::test
