#pragma once

#include "kondctl/claim_machine.hpp"
#include "widgets.hpp"

#include <nlohmann/json.hpp>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace konductor::kondctl::test {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// A server with one widget, one name for a ticket and an operator, in virtual time. It executes what the machine sends
/// and tells it what happens, one millisecond later each. Faults are chosen by the number of the request.
class ClaimWorld {
 public:
  enum class Fault { none, request_lost, answer_lost };

  explicit ClaimWorld(bool wait, bool in_pod = false);

  // What the world is like; set before run().
  json primitive;                               // null: there is none
  json claim;                                   // null: there is none
  std::function<void(ClaimWorld&)> on_created;  // the operator: called a millisecond after a create
  std::map<int, Fault> faults;                  // by number of the request, from 0
  std::map<std::string, json> refusals;         // by method: the metav1.Status it is answered with
  bool unreachable = false;                     // nothing is answered before its time is over
  bool watch_forbidden = false;
  bool clock_stands = false;  // the server's: as where it was set back
  ClaimWish wish;
  ClaimSettings settings;

  /// Until it finishes, or virtual time is a day old.
  ClaimOutcome run();

  void at(Duration delay, std::function<void(ClaimWorld&)> what);
  void signal(Signal signal);
  void set_status(const json& status);  // of the claim, which must be there
  void grant();
  void set_waiting(const std::string& reason, const std::string& message);
  void delete_claim();

  [[nodiscard]] MonoTime now() const { return now_; }
  [[nodiscard]] Duration elapsed() const { return now_ - start; }
  [[nodiscard]] bool holds() const;
  /// "GET widgets", "POST tickets", "PATCH tickets", ... in the order in which they were sent.
  std::vector<std::string> sent;
  std::vector<std::string> notes;
  std::vector<json> bodies;
  const MonoTime start{seconds{1000}};

 private:
  void tell(const DialogueEvent& event);
  void start_watch(const DialogueStep::Watching& watching);
  void serve(const DialogueStep::Sending& sending);
  Result<kube::Response> execute(const kube::Request& request);
  Result<kube::Response> execute_on_claim(const kube::Request& request);
  void changed();
  json stamped(json object);

  runtime::KindDeclaration kind_ = widget_kind();
  MonoTime now_{start};
  std::multimap<MonoTime, std::function<void()>> agenda_;
  std::optional<MonoTime> wake_at_;
  std::optional<ClaimMachine> machine_;
  std::optional<ClaimOutcome> outcome_;
  std::uint64_t watch_ = 0;
  std::int64_t revision_ = 100;
  int requests_ = 0;
};

json status_of(int code, const std::string& reason, const std::string& message, const std::string& name = "q-1");

}  // namespace konductor::kondctl::test
