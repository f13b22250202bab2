#include "tests/sim/sim_client.hpp"

#include "kondctl/claim_codec.hpp"
#include "kondctl/claim_name.hpp"
#include "kube/time.hpp"
#include "tests/sim/oracle.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace konductor::sim {
namespace {

using Json = nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

const kube::Resource pods{"", "v1", "pods"};
constexpr Duration retry_after = milliseconds{400};

bool succeeded(const Result<kube::Response>& answer) {
  return answer.has_value() && answer->status / 100 == 2;
}
bool answered(const Result<kube::Response>& answer, int status) {
  return answer.has_value() && answer->status == status;
}

}  // namespace

SimClient::SimClient(World& world, const KindUnderTest& kind, ClientPlan plan)
    : world_(world),
      kind_(kind),
      plan_(std::move(plan)),
      actor_("client-" + std::to_string(plan_.number)),
      clock_(world, Duration{0}, world.rng().between(-seconds{3600}, seconds{3600})) {
  choice_ = world_.rng().next();
  seed_ = world_.rng().next();
}

void SimClient::later(Duration delay, void (SimClient::*what)()) {
  world_.after(delay, [this, what, life = life_] {
    if (life == life_ && state_ != State::done) (this->*what)();
  });
}

Duration SimClient::believes_for(const std::string& uid) const {
  const bool holds = state_ == State::holding && uid == uid_;
  return holds ? std::max(hold_until_ - world_.elapsed(), Duration{0}) : Duration{0};
}

std::string SimClient::describe() const {
  static constexpr const char* names[] = {"asks", "holds", "releases", "is done"};
  return actor_ + " " + names[static_cast<int>(state_)] + " with " + kube::to_string(claim_name()) + " units " +
         std::to_string(plan_.units);
}

kube::NamespacedName SimClient::claim_name() const {
  const std::string slot = plan_.in_pod || plan_.lasting ? std::string{} : std::to_string(slot_);
  return {plan_.primitive.ns, kondctl::claim_name({plan_.in_pod ? pod_uid_ : actor_, plan_.primitive, slot})};
}

void SimClient::make_pod() {
  const Json pod{{"apiVersion", "v1"}, {"kind", "Pod"}, {"metadata", {{"name", pod_name()}}}, {"spec", Json::object()}};
  const Json made = Json::parse(world_.command("kubelet", kube::create(pods, plan_.primitive.ns, pod)).body);
  pod_uid_ = made.at("metadata").at("uid").get<std::string>();
}

void SimClient::end_pod() {
  const kube::NamespacedName name{plan_.primitive.ns, pod_name()};
  if (plan_.end == ClientPlan::End::vanish) {
    world_.command("user", kube::delete_object(pods, name, {}));
  } else {
    world_.command("kubelet", kube::merge_patch(pods, name, {{"status", {{"phase", "Succeeded"}}}}, "status"));
  }
}

kondctl::ClaimWish SimClient::wish() const {
  kondctl::ClaimWish wish;
  wish.kind = &kind_.declaration;
  wish.primitive = plan_.primitive;
  wish.claim = claim_name();
  if (plan_.in_pod) wish.pod = kondctl::PodReference{pod_name(), pod_uid_};
  wish.holder = actor_;
  if (plan_.ttl != Duration{0}) wish.ttl = plan_.ttl;
  if (plan_.priority != 0) wish.priority = plan_.priority;
  wish.wait = plan_.wait;
  const Json fields = kind_.claim_spec(plan_.units, choice_);
  for (const auto& [field, value] : fields.items()) wish.fields.push_back({"spec." + field, value.dump()});
  return wish;
}

void SimClient::ask() {
  ++attempt_;
  ++slot_;
  ++life_;
  if (plan_.in_pod && pod_uid_.empty()) make_pod();
  acquire();
  if (attempt_ != 1) return;
  if (plan_.crash_after)
    world_.after(*plan_.crash_after, [this, life = life_] {
      if (life == life_ && acquire_) crash();
    });
  if (plan_.interrupted_at) later(*plan_.interrupted_at, &SimClient::interrupt);
}

void SimClient::acquire() {
  state_ = State::asking;
  uid_.clear();
  kondctl::ClaimSettings settings;
  settings.seed = ++seed_;
  if (plan_.timeout) settings.deadline = clock_.mono() + *plan_.timeout;
  acquire_ = std::make_unique<SimAcquire>(world_, SimAcquire::Start{actor_, wish(), settings, clock_},
                                          [this](const kondctl::ClaimOutcome& outcome) { on_acquired(outcome); });
  acquire_->start();
}

void SimClient::crash() {
  if (state_ == State::done || attempt_ == 0) return;
  ++life_;
  ++slot_;
  acquire_.reset();
  uid_.clear();
  silent_ = false;
  state_ = State::asking;
  later(world_.rng().between(milliseconds{1}, seconds{5}), &SimClient::acquire);
}

void SimClient::lose_pod(bool process_lives) {
  if (state_ == State::done || pod_uid_.empty()) return;
  world_.command("user", kube::delete_object(pods, {plan_.primitive.ns, pod_name()}, {}));
  if (process_lives) return;
  ++life_;
  acquire_.reset();
  state_ = State::done;
}

void SimClient::jump_clock(Duration by) {
  clock_.jump(by);
  if (acquire_) acquire_->jump_clock(by);
}

void SimClient::interrupt() {
  if (acquire_) acquire_->interrupt();
}

void SimClient::on_acquired(const kondctl::ClaimOutcome& outcome) {
  acquire_.reset();
  if (!outcome.grant) {
    if (outcome.code == kondctl::ExitCode::no_such_object) return later(seconds{1}, &SimClient::acquire);
    return try_again();
  }
  uid_ = outcome.grant->uid;
  token_ = outcome.grant->token;
  note_shown_renewal();
  ttl_ = outcome.grant->ttl;
  hold_until_ = std::chrono::duration_cast<Duration>(outcome.grant->lost_at.time_since_epoch());
  state_ = State::holding;
  served_ = true;
  if (on_grant) on_grant(*this, uid_, token_);
  later(plan_.hold, &SimClient::end_hold);
  later(Duration{0}, &SimClient::renew);
}

void SimClient::renew() {
  if (silent_ || state_ != State::holding) return;
  if (world_.elapsed() >= hold_until_) return try_again();
  const kube::Request request = kube::merge_patch(kind_.declaration.claim_resource(), claim_name(),
                                                  kondctl::compose_renewal(uid_, next_renew_time()));
  world_.send(actor_, {.request = request},
              [this, life = life_, sent = world_.elapsed()](const Result<kube::Response>& answer) {
                if (life == life_) on_renewed(answer, sent);
              });
  later(ttl_ / 3, &SimClient::renew);
}

// Its machine, or an earlier life, may have renewed; the answer that showed the grant showed that too.
void SimClient::note_shown_renewal() {
  const ObjectPtr shown = world_.api().find(kind_.declaration.claim_resource(), claim_name());
  if (!shown) return;
  if (const auto time = kube::parse_rfc3339(text_in(*shown, "spec", "renewTime"))) renewed_ = std::max(renewed_, *time);
}

// As kondctl does it: a renewal that changes nothing would be none.
WallTime SimClient::next_renew_time() {
  renewed_ = std::max(clock_.now().server, renewed_ + std::chrono::microseconds{1});
  return renewed_;
}

void SimClient::on_renewed(const Result<kube::Response>& answer, Duration sent) {
  if (silent_ || state_ != State::holding) return;
  // Deleted, or deleted and made again.
  if (answered(answer, 404) || answered(answer, 422) || answered(answer, 409)) return try_again();
  if (!succeeded(answer)) return;
  const auto seen = kondctl::view_of_claim(Json::parse(answer->body, nullptr, false), kind_.declaration);
  const bool ours =
      seen && seen->claim.phase == runtime::Phase::granted && seen->claim.uid == uid_ && seen->claim.token == token_;
  if (!ours) return try_again();
  if (world_.elapsed() < hold_until_) hold_until_ = std::max(hold_until_, sent + ttl_);
}

void SimClient::end_hold() {
  if (state_ != State::holding) return;
  const bool with_pod = plan_.end == ClientPlan::End::finish || plan_.end == ClientPlan::End::vanish;
  if (plan_.end == ClientPlan::End::release) return release();
  if (plan_.in_pod && with_pod) return stop();
  // It works on until its own deadline, and says nothing any more.
  silent_ = true;
  if (world_.elapsed() < hold_until_)
    later(hold_until_ - world_.elapsed(), &SimClient::end_hold);
  else
    stop();
}

void SimClient::release() {
  state_ = State::releasing;
  const kube::Request request =
      kube::delete_object(kind_.declaration.claim_resource(), claim_name(), {.uid = uid_, .resource_version = ""});
  world_.send(actor_, {.request = request}, [this, life = life_](const Result<kube::Response>& answer) {
    if (life != life_) return;
    if (succeeded(answer) || answered(answer, 404) || answered(answer, 409))
      stop();
    else
      later(retry_after, &SimClient::release);
  });
}

void SimClient::stop() {
  // A silent one leaves its Pod behind; the claim ends by its TTL.
  if (plan_.in_pod && !(served_ && plan_.end == ClientPlan::End::silent)) end_pod();
  state_ = State::done;
}

void SimClient::try_again() {
  if (attempt_ >= plan_.attempts || !plan_.wait) return stop();
  ask();
}

void SimClient::on_commit(const Commit& commit) {
  if (acquire_) acquire_->on_commit(commit);
}

}  // namespace konductor::sim
