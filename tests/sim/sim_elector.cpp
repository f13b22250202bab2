#include "tests/sim/sim_elector.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace konductor::sim {

using runtime::Elector;
using std::chrono::milliseconds;
using std::chrono::seconds;

kube::Resource lease_resource() {
  return {"coordination.k8s.io", "v1", "leases"};
}

kube::NamespacedName lease_name() {
  return {"konductor-system", "konductor"};
}

SimElector::SimElector(World& world, Process process, const std::string& identity)
    : world_(world),
      process_(std::move(process)),
      elector_({.ns = lease_name().ns,
                .name = lease_name().name,
                .identity = identity,
                .lease_duration = seconds{6},
                .renew_deadline = seconds{4},
                .retry_period = seconds{1}}) {}

void SimElector::start() {
  tell(Elector::Started{});
}

void SimElector::shut_down(std::function<void()> done) {
  done_ = std::move(done);
  tell(Elector::Shutdown{});
}

void SimElector::tell_in_turn(std::uint64_t ticket, const Elector::Event& event) {
  process_.run([this, alive = std::weak_ptr(life_), ticket, event] {
    if (!alive.expired() && ticket == ticket_) tell(event);
  });
}

void SimElector::tell(const Elector::Event& event) {
  const Elector::Action action = elector_.resume(event, process_.clock->now());
  const std::uint64_t ticket = ++ticket_;
  const MonoTime now = process_.clock->mono();
  if (const auto* send = std::get_if<Elector::Send>(&action)) {
    const Duration patience = std::max<Duration>(send->until - now, milliseconds{1});
    world_.send(process_.actor, {.request = send->request, .patience = patience},
                [this, alive = std::weak_ptr(life_), ticket](const Result<kube::Response>& answer) {
                  if (alive.expired()) return;
                  process_.run([clock = process_.clock, answer] { clock->learn(answer); });
                  tell_in_turn(ticket, Elector::Answered{answer});
                });
  } else if (const auto* wait = std::get_if<Elector::Wait>(&action)) {
    world_.after(wait->until - now, [this, alive = std::weak_ptr(life_), ticket] {
      if (!alive.expired()) tell_in_turn(ticket, Elector::WaitOver{});
    });
  } else if (done_) {
    // Later: who hears of it destroys this object.
    world_.after(Duration{0}, [alive = std::weak_ptr(life_), done = done_] {
      if (!alive.expired()) done();
    });
  }
}

}  // namespace konductor::sim
