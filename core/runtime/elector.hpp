#pragma once

#include "base/error.hpp"
#include "kube/request.hpp"
#include "kube/response.hpp"
#include "runtime/clock.hpp"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace konductor::runtime {

/// Rationale for the times: a leader that was killed is missed at most `look_period` after its last renewal, and
/// succeeded `lease_duration` later, so its successor's first grant comes within 9 s. Three seconds between deadline
/// and duration are for a renewal that was under way, and a deadline of five retries outlasts a restart of an API
/// server behind a load balancer. A released record is seen within `look_period`.
struct ElectorSettings {
  std::string ns;
  std::string name;
  std::string identity;                                   // unique to this process
  Duration lease_duration = std::chrono::seconds{8};      // whole seconds: so it stands in the record
  Duration renew_deadline = std::chrono::seconds{5};      // below lease_duration
  Duration retry_period = std::chrono::seconds{1};        // below renew_deadline; also between two renewals
  Duration look_period = std::chrono::milliseconds{500};  // how often who does not lead looks at the record
};

/// Leader election over one coordination.k8s.io/v1 Lease. Sans I/O: a driver does the one action it is given and comes
/// back with what came of it. Only local, monotonic time decides: when this process sent its last good renewal, and
/// since when it has seen the record unchanged. The times in the record are for people.
/// Two processes can both believe that they lead while one is suspended; the grant protocol is safe then too.
class Elector {
 public:
  /// Send it and resume with Answered; give up at `until` with Errc::timeout.
  struct Send {
    kube::Request request;
    MonoTime until;
  };
  /// Resume with WaitOver then.
  struct Wait {
    MonoTime until;
  };
  /// After Shutdown: nothing is left to do, do not resume again.
  struct Done {};
  using Action = std::variant<Send, Wait, Done>;

  struct Started {};
  struct Answered {
    Result<kube::Response> answer;
  };
  struct WaitOver {};
  /// Instead of any other event: what was being waited for or sent is abandoned. From now on this process does not
  /// lead.
  struct Shutdown {};
  using Event = std::variant<Started, Answered, WaitOver, Shutdown>;

  enum class State {
    start,
    reading,    // a GET is under way, after which the record is judged
    acquiring,  // a create, or a patch that takes over, is under way
    waiting,    // somebody else leads, or the server failed
    leading,    // between two renewals
    renewing,   // a renewal is under way; still leading
    checking,   // a GET is under way because a renewal met a conflict; still leading
    recalling,  // shutting down: a GET is under way, because it is not known whether the record is ours
    releasing,  // shutting down: the release is under way
    done
  };

  explicit Elector(ElectorSettings settings) : settings_(std::move(settings)) {}

  Action resume(const Event& event, Now now);

  /// As of the last resume(). Ask leading_at() before acting.
  [[nodiscard]] bool leading() const { return leading_; }
  /// False from the moment at which the renew deadline has passed since the last good renewal was sent.
  [[nodiscard]] bool leading_at(MonoTime time) const { return leading_ && time < deadline(); }

  [[nodiscard]] State state() const { return state_; }
  /// Who held the Lease when it was last read or written; empty: nobody.
  [[nodiscard]] const std::string& holder() const { return holder_; }
  /// Why the last request failed; empty after one that did not.
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  Action on(const Started& event, Now now);
  Action on(const Answered& event, Now now);
  Action on(const WaitOver& event, Now now);
  Action on(const Shutdown& event, Now now);

  Action on_read(const Result<nlohmann::json>& record, Now now);
  Action on_acquired(const Result<nlohmann::json>& record, Now now);
  Action on_renewed(const Result<nlohmann::json>& record, Now now);
  Action on_checked(const Result<nlohmann::json>& record, Now now);
  Action on_recalled(const Result<nlohmann::json>& record, Now now);
  Action on_released(const Result<nlohmann::json>& record, Now now);

  Action contend(Now now);
  Action lead(Now now);
  Action step_down(Now now);
  Action renewal_failed(const Error& error, Now now);
  Action create(Now now);
  Action take_over(Now now);
  Action renew(Now now);
  Action release(Now now);
  Action read(State next, Now now);
  Action patch(State next, nlohmann::json spec, Now now);
  Action send(State next, kube::Request request, Now now);
  Action wait(State next, MonoTime until);
  Action finish();

  Result<nlohmann::json> judge(const Result<kube::Response>& answer, MonoTime now);
  void observe(const nlohmann::json& record, MonoTime now);
  nlohmann::json fresh_spec(Now now);
  [[nodiscard]] Duration pause_after(const Error& error) const;
  [[nodiscard]] MonoTime deadline() const { return renewed_ + settings_.renew_deadline; }
  [[nodiscard]] kube::NamespacedName key() const { return {settings_.ns, settings_.name}; }

  ElectorSettings settings_;
  State state_ = State::start;
  bool leading_ = false;
  bool perhaps_ours_ = false;  // the record names us, or a request that may have written us is not answered
  bool recalled_ = false;      // the release met a conflict once
  MonoTime sent_{};            // when the request under way was sent
  MonoTime renewed_{};         // when the last renewal or acquisition that succeeded was sent
  WallTime written_{};         // the renewTime last written
  std::string doing_;          // verb of the request under way
  std::string problem_;
  // The record as last seen.
  std::string version_;
  std::string holder_;
  std::int64_t transitions_ = 0;
  Duration claimed_{};          // the holder's own lease duration
  MonoTime unchanged_since_{};  // by our clock
};

}  // namespace konductor::runtime
