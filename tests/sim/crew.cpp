#include "tests/sim/crew.hpp"

#include <iterator>

namespace konductor::sim {

using std::chrono::milliseconds;
using std::chrono::seconds;

void Crew::start(int count) {
  for (int i = 0; i < count; ++i) {
    operators_.push_back(std::make_unique<SimOperator>(world_, i, kind_, [](const SimOperator::Knowledge&) {}));
    operators_.back()->stand_for_election();
    operators_.back()->start();
  }
}

void Crew::on_commit(const Commit& commit) {
  for (const auto& one : operators_) one->on_commit(commit);
}

void Crew::start_again(SimOperator& one, Duration later) {
  world_.after(later, [&one] {
    if (!one.running()) one.start();
  });
}

void Crew::crash(SimOperator& one, Rng& rng) {
  one.crash();
  ++crashes_;
  start_again(one, rng.between(milliseconds{10}, seconds{6}));
}

void Crew::disturb(Rng& rng) {
  SimOperator& one = *operators_.at(static_cast<std::size_t>(rng.between(0, std::ssize(operators_) - 1)));
  switch (rng.between(0, 5)) {
    case 0:
    case 1: return crash(one, rng);
    case 2: return one.pause(rng.between(milliseconds{200}, seconds{25}));
    case 3: return world_.cut_off(one.name(), rng.between(milliseconds{200}, seconds{20}), rng.chance(500));
    case 4:
      one.lead(true);
      return world_.after(rng.between(milliseconds{500}, seconds{10}), [&one] { one.lead_as_elected(); });
    default: return one.jump_clock(rng.between(-seconds{7200}, seconds{7200}));
  }
}

void Crew::quieten() {
  for (const auto& one : operators_) {
    one->lead_as_elected();
    if (one->running()) one->go_on();
    start_again(*one, seconds{7});
  }
}

}  // namespace konductor::sim
