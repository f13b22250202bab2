#pragma once

#include "dialogue_world.hpp"
#include "kondctl/wait_machine.hpp"
#include "widgets.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace konductor::kondctl::test {

/// A server with one name for a party and one for a guest, and with the history of the party.
class WaitWorld : public WorldOf<WaitWorld, WaitMachine> {
 public:
  enum class Do { wait, join, join_and_wait };

  explicit WaitWorld(Do what, Round round = std::nullopt);

  // What the world is like; set before run().
  json guest;                                  // null: there is none
  std::function<void(WaitWorld&)> on_created;  // the operator: called a millisecond after a create
  Duration watch_lag = hop;
  WaitWish wish;
  DialogueSettings settings;

  WaitOutcome run();

  /// Of the party, which must be there.
  void set_status(const json& status);
  /// Its phase, and the message of the condition of that name, or of "Begun" while it gathers.
  void set_phase(const std::string& phase, const std::string& message);
  void change_party(const json& patch);
  void delete_party();
  /// Deleted where it is there, then created with another UID.
  void create_party();
  void deny_guest(const std::string& reason, const std::string& message);
  /// Ends the stream; what happens from now on is not told before another one is opened.
  void cut_watch(std::optional<Error> error);
  /// The server forgets what happened until now.
  void compact() { compacted_ = revision_; }

  [[nodiscard]] const json& party() const { return party_; }
  [[nodiscard]] int created() const { return created_; }  // guests, in all
  [[nodiscard]] long count(const std::string& words) const;

 private:
  struct Change {
    std::int64_t revision = 0;
    std::shared_ptr<const json> object;  // null: deleted
  };

  void start_watch(const DialogueStep::Watching& watching) override;
  Result<kube::Response> execute(const kube::Request& request) override;
  [[nodiscard]] std::string words_for(const kube::Request& request) const override;
  Result<kube::Response> execute_on_guest(const kube::Request& request);
  json stamped(json object);
  void changed();
  void show(const Change& change);

  runtime::KindDeclaration kind_ = party_kind();
  json party_;
  std::vector<Change> history_;
  std::int64_t compacted_ = 0;
  std::uint64_t watch_ = 0;
  std::int64_t revision_ = 100;
  int lives_ = 0;
  int created_ = 0;
};

}  // namespace konductor::kondctl::test
