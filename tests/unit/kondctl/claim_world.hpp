#pragma once

#include "dialogue_world.hpp"
#include "kondctl/claim_machine.hpp"
#include "widgets.hpp"

#include <functional>
#include <optional>
#include <string>

namespace konductor::kondctl::test {

/// A server with one widget, one name for a ticket and an operator.
class ClaimWorld : public WorldOf<ClaimWorld, ClaimMachine> {
 public:
  explicit ClaimWorld(bool wait, bool in_pod = false);

  // What the world is like; set before run().
  json primitive;                               // null: there is none
  json claim;                                   // null: there is none
  std::function<void(ClaimWorld&)> on_created;  // the operator: called a millisecond after a create
  ClaimWish wish;
  ClaimSettings settings;

  /// Until it finishes, or virtual time is a day old.
  ClaimOutcome run();

  void set_status(const json& status);  // of the claim, which must be there
  void grant();
  void set_waiting(const std::string& reason, const std::string& message);
  void delete_claim();

  [[nodiscard]] bool holds() const;

 private:
  void start_watch(const DialogueStep::Watching& watching) override;
  Result<kube::Response> execute(const kube::Request& request) override;
  [[nodiscard]] std::string words_for(const kube::Request& request) const override;
  Result<kube::Response> execute_on_claim(const kube::Request& request);
  void changed();
  json stamped(json object);

  runtime::KindDeclaration kind_ = widget_kind();
  std::uint64_t watch_ = 0;
  std::int64_t revision_ = 100;
};

}  // namespace konductor::kondctl::test
