#pragma once

#include "kondctl/dialogue.hpp"

#include <nlohmann/json.hpp>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace konductor::kondctl::test {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// A server, the network to it and a clock, in virtual time: what a machine sends is executed and answered, one
/// millisecond later each. Faults are chosen by the number of the request.
class DialogueWorld {
 public:
  enum class Fault { none, request_lost, answer_lost };

  DialogueWorld() = default;
  virtual ~DialogueWorld() = default;

  // What the world is like; set before it runs.
  std::map<int, Fault> faults;           // by number of the request, from 0
  std::map<int, json> answers;           // by number of the request: the metav1.Status in place of executing it
  std::map<std::string, json> refusals;  // by method, or by what `sent` says of it
  bool unreachable = false;              // nothing is answered before its time is over
  bool watch_forbidden = false;
  bool clock_stands = false;  // the server's: as where it was set back
  MonoTime start{seconds{1000}};

  void signal(Signal signal) { tell(Signalled{signal}); }

  [[nodiscard]] MonoTime now() const { return now_; }
  [[nodiscard]] Duration elapsed() const { return now_ - start; }
  /// "GET widgets", "POST tickets", "PATCH tickets", ... in the order in which they were sent.
  std::vector<std::string> sent;
  std::vector<std::string> notes;
  std::vector<json> bodies;
  std::vector<std::string> watched;  // targets of the watches

 protected:
  DialogueWorld(const DialogueWorld&) = default;
  DialogueWorld& operator=(const DialogueWorld&) = default;

  /// The machine; false when it is over.
  virtual bool resume(const DialogueEvent& event, Now now, DialogueStep& step) = 0;
  virtual void start_watch(const DialogueStep::Watching& watching) = 0;
  virtual Result<kube::Response> execute(const kube::Request& request) = 0;
  [[nodiscard]] virtual std::string words_for(const kube::Request& request) const = 0;

  /// Until it is over, or virtual time is a day old.
  void converse();
  void after(Duration delay, std::function<void()> what) { agenda_.emplace(now_ + delay, std::move(what)); }
  void tell(const DialogueEvent& event);

 private:
  void serve(const DialogueStep::Sending& sending);
  Result<kube::Response> answer_to(int number, const kube::Request& request);

  MonoTime now_{start};
  std::multimap<MonoTime, std::function<void()>> agenda_;
  std::optional<MonoTime> wake_at_;
  bool over_ = false;
  int requests_ = 0;
};

/// The world of one machine; `World` is the class that derives from it.
template <class World, class Machine>
class WorldOf : public DialogueWorld {
 public:
  void at(Duration delay, std::function<void(World&)> what) {
    after(delay, [this, what = std::move(what)] { what(static_cast<World&>(*this)); });
  }

 protected:
  typename Machine::Outcome converse_with(Machine machine) {
    machine_.emplace(std::move(machine));
    converse();
    typename Machine::Outcome none;
    none.message = "it never finished";
    return outcome_.value_or(none);
  }

 private:
  bool resume(const DialogueEvent& event, Now now, DialogueStep& step) override {
    auto next = machine_->resume(event, now);
    outcome_ = next.finish;
    step = std::move(next);
    return !outcome_;
  }

  std::optional<Machine> machine_;
  std::optional<typename Machine::Outcome> outcome_;
};

inline constexpr Duration hop = milliseconds{1};
inline const runtime::WallTime epoch{seconds{1'700'000'000}};

json status_of(int code, const std::string& reason, const std::string& message, const std::string& name = "q-1");
kube::Response answer(int status, const json& body);
json not_found(const std::string& what);
/// Whether a delete's preconditions fit the object.
bool fits(const json& preconditions, const json& object);

}  // namespace konductor::kondctl::test
