#pragma once

#include "base/error.hpp"
#include "kube/request.hpp"
#include "kube/resource.hpp"
#include "kube/response.hpp"
#include "kube/watch_event.hpp"
#include "runtime/backoff.hpp"
#include "runtime/clock.hpp"
#include "runtime/view_event.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace konductor::runtime {

struct WatchSettings {
  kube::Resource resource;
  std::string ns;  // empty: all namespaces, or cluster-scoped
  std::string field_selector;
  std::string label_selector;
  bool metadata_only = false;
  int page = 500;
  int timeout_s = 290;                             // the server ends a stream then
  Duration idle_slack = std::chrono::seconds{10};  // silence beyond that means a dead connection
  Duration retry_first = std::chrono::milliseconds{100};
  Duration retry_most = std::chrono::seconds{30};
};

/// List, then watch, for ever: keeps a consumer's view of one resource type true, whatever happens to connections and
/// servers. Sans I/O: a driver does the one action it is given, and comes back with what came of it.
class WatchMachine {
 public:
  /// Send it, read the whole answer, resume with ListAnswered.
  struct SendList {
    kube::Request request;
  };
  /// Close a stream that is still open, send it; resume with StreamOpened (status 200), StreamRefused (any other
  /// status) or StreamEnded (no answer).
  struct OpenWatch {
    kube::Request request;
    Duration idle_timeout;
  };
  /// Resume with the next Line, or StreamEnded, or IdleTimeout once no byte came for the idle_timeout of the stream.
  struct KeepReading {};
  /// Close a stream that is still open; resume with WaitOver when the time has passed.
  struct Wait {
    Duration duration;
  };
  using Action = std::variant<SendList, OpenWatch, KeepReading, Wait>;

  struct Started {};
  struct ListAnswered {
    Result<kube::Response> answer;
  };
  struct StreamOpened {};
  struct StreamRefused {
    kube::Response answer;
  };
  struct Line {
    std::string text;
  };
  struct StreamEnded {
    std::optional<Error> error;  // nothing: the server ended it in order
  };
  struct IdleTimeout {};
  struct WaitOver {};
  using Event =
      std::variant<Started, ListAnswered, StreamOpened, StreamRefused, Line, StreamEnded, IdleTimeout, WaitOver>;

  struct Step {
    Action action;
    std::vector<ViewEvent> deltas;  // for the consumer, in order, before the action is done
  };

  enum class State {
    start,
    listing,   // a list request is under way
    watching,  // a stream is open, or being opened
    waiting    // backing off
  };

  explicit WatchMachine(WatchSettings settings);

  /// Total: an event that does not belong to the state is answered by backing off and a list. `jitter` in [0, 1).
  Step resume(const Event& event, MonoTime now, double jitter);

  /// The next list starts after this call, as soon as no back-off forbids it; one that is under way is not delivered. A
  /// driver that is reading or waiting can close the stream (StreamEnded without an error) or end the wait (WaitOver).
  void relist();

  [[nodiscard]] State state() const { return state_; }
  /// Up to where the consumer's view is complete; empty before the first list.
  [[nodiscard]] const std::string& resource_version() const { return resource_version_; }

 private:
  struct Moment {
    MonoTime now;
    double jitter;
  };

  Step on(const Started& event, const Moment& moment);
  Step on(const ListAnswered& event, const Moment& moment);
  Step on(const StreamOpened& event, const Moment& moment);
  Step on(const StreamRefused& event, const Moment& moment);
  Step on(const Line& event, const Moment& moment);
  Step on(const StreamEnded& event, const Moment& moment);
  Step on(const IdleTimeout& event, const Moment& moment);
  Step on(const WaitOver& event, const Moment& moment);

  Step send_list();
  Step next_page();
  Step open_watch();
  Step go_on();
  Step list_failed(const Error& error, const Moment& moment);
  Step stream_failed(const Error& error, const Moment& moment);
  Step back_off(const Error& error, const Moment& moment);
  Step out_of_turn(std::string_view event, const Moment& moment);
  std::optional<Error> take_page(const nlohmann::json& page);
  std::vector<ViewEvent> finish_list();
  [[nodiscard]] std::optional<Error> check_version(const std::string& version) const;
  [[nodiscard]] std::string doing(std::string_view verb) const;

  WatchSettings settings_;
  Backoff backoff_;
  State state_ = State::start;
  bool list_next_ = true;         // what comes after a wait: a list, or the watch from resource_version_
  bool relist_asked_ = false;     // by relist(), since the last list was sent
  bool expired_once_ = false;     // a 410 since the last good event: the next one backs off
  bool broken_once_ = false;      // an ERROR event since the last good event: the next one lists again
  bool stream_was_good_ = false;  // the stream gave an event
  bool failed_ = false;           // the consumer was told so, and has not heard better
  std::optional<MonoTime> stream_opened_;
  std::string resource_version_;
  // Of the list under way: held back until its last page is there.
  std::vector<ViewEvent> pages_;
  std::string list_version_;
  std::string continue_token_;
};

}  // namespace konductor::runtime
