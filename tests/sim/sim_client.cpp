#include "tests/sim/sim_client.hpp"

#include "kube/time.hpp"
#include "tests/sim/oracle.hpp"

#include <nlohmann/json.hpp>

namespace konductor::sim {
namespace {

using Json = nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

const kube::Resource pods{"", "v1", "pods"};
constexpr Duration retry_after = milliseconds{400};

Json body_of(const Result<kube::Response>& answer) {
  return answer.has_value() ? Json::parse(answer->body, nullptr, false) : Json();
}

bool succeeded(const Result<kube::Response>& answer) {
  return answer.has_value() && answer->status / 100 == 2;
}
bool answered(const Result<kube::Response>& answer, int status) {
  return answer.has_value() && answer->status == status;
}

}  // namespace

SimClient::SimClient(World& world, const KindUnderTest& kind, ClientPlan plan)
    : world_(world), kind_(kind), plan_(std::move(plan)), actor_("client-" + std::to_string(plan_.number)) {
  choice_ = world.rng().next();
}

void SimClient::later(Duration delay, void (SimClient::*what)()) {
  world_.after(delay, [this, what, attempt = attempt_] {
    if (attempt == attempt_ && state_ != State::done) (this->*what)();
  });
}

bool SimClient::believes(const std::string& uid) const {
  return state_ == State::holding && uid == uid_ && world_.elapsed() < hold_until_;
}

std::string SimClient::describe() const {
  static constexpr const char* names[] = {"asks", "waits", "confirms", "holds", "releases", "is done"};
  return actor_ + " " + names[static_cast<int>(state_)] + " with " + kube::to_string(claim_name()) + " units " +
         std::to_string(plan_.units);
}

kube::NamespacedName SimClient::claim_name() const {
  return {plan_.primitive.ns, "c" + std::to_string(plan_.number) + "-" + std::to_string(attempt_)};
}

void SimClient::make_pod() {
  const Json pod{{"apiVersion", "v1"},
                 {"kind", "Pod"},
                 {"metadata", {{"name", "pod-" + claim_name().name}}},
                 {"spec", Json::object()}};
  const Json made = Json::parse(world_.command("kubelet", kube::create(pods, plan_.primitive.ns, pod)).body);
  pod_uid_ = made.at("metadata").at("uid").get<std::string>();
}

void SimClient::end_pod() {
  const kube::NamespacedName name{plan_.primitive.ns, "pod-" + claim_name().name};
  if (plan_.end == ClientPlan::End::vanish) {
    world_.command("user", kube::delete_object(pods, name, {}));
  } else {
    world_.command("kubelet", kube::merge_patch(pods, name, {{"status", {{"phase", "Succeeded"}}}}, "status"));
  }
}

Json SimClient::claim_object() const {
  Json spec = kind_.claim_spec(plan_.units, choice_);
  spec[kind_.declaration.primitive_field] = plan_.primitive.name;
  spec["holder"] = actor_;
  spec["wait"] = plan_.wait;
  spec["requestedAt"] = kube::to_rfc3339_micro(world_.wall());
  if (plan_.priority != 0) spec["priority"] = plan_.priority;
  if (plan_.ttl != Duration{0}) spec["ttl"] = kube::to_string(plan_.ttl);
  Json metadata{{"name", claim_name().name}};
  if (plan_.in_pod) {
    const std::string pod = "pod-" + claim_name().name;
    spec["pod"] = {{"name", pod}, {"uid", pod_uid_}};
    metadata["ownerReferences"] = {{{"apiVersion", "v1"}, {"kind", "Pod"}, {"name", pod}, {"uid", pod_uid_}}};
  }
  return {{"apiVersion", "sync.konductor.io/v1"},
          {"kind", kind_.declaration.claim.kind},
          {"metadata", std::move(metadata)},
          {"spec", std::move(spec)}};
}

void SimClient::start() {
  ask();
}

void SimClient::ask() {
  ++attempt_;
  state_ = State::asking;
  uid_.clear();
  token_ = 0;
  ttl_ = plan_.ttl == Duration{0} ? Duration{seconds{20}} : plan_.ttl;
  if (plan_.in_pod) make_pod();
  // From before the first request: nobody can have granted what was not asked yet.
  not_granted_at_ = world_.elapsed();
  create();
}

void SimClient::create() {
  const kube::Request request = kube::create(kind_.declaration.claim_resource(), plan_.primitive.ns, claim_object());
  world_.send(actor_, request,
              [this, attempt = attempt_, sent = world_.elapsed()](const Result<kube::Response>& answer) {
                if (attempt == attempt_) on_created(answer, sent);
              });
}

void SimClient::on_created(const Result<kube::Response>& answer, Duration sent) {
  if (state_ != State::asking) return;
  if (succeeded(answer)) {
    uid_ = body_of(answer).at("metadata").at("uid").get<std::string>();
    not_granted_at_ = sent;
    adopt();
  } else if (answered(answer, 409)) {
    adopt();  // an earlier create was executed after all; its UID comes with the view
  } else {
    later(retry_after, &SimClient::create);
  }
}

void SimClient::adopt() {
  state_ = State::waiting;
  feed_ = std::make_unique<ViewFeed>(world_, kind_.declaration.claim_resource(), "metadata.name=" + claim_name().name,
                                     [this, attempt = attempt_](const runtime::ViewEvent& event) {
                                       if (attempt != attempt_ || state_ == State::done) return;
                                       using Kind = runtime::ViewEvent::Kind;
                                       if (event.kind == Kind::begin) listed_ = false;
                                       if (event.kind == Kind::apply) on_seen(*event.object);
                                       if (event.kind == Kind::remove || (event.kind == Kind::synced && !listed_))
                                         later(Duration{0}, &SimClient::try_again);
                                     });
  feed_->start();
  schedule_renewal();
}

void SimClient::on_seen(const Json& claim) {
  listed_ = true;
  if (uid_.empty()) uid_ = claim.at("metadata").at("uid").get<std::string>();
  const std::string phase = phase_of(claim);
  if (phase == "Granted") look_at_grant(claim);
  if (is_terminal_phase(phase) && state_ != State::releasing) later(Duration{0}, &SimClient::try_again);
}

void SimClient::look_at_grant(const Json& claim) {
  if (state_ != State::waiting) return;
  token_ = claim.at("status").at("token").get<std::int64_t>();
  if (const auto ttl = kube::parse_duration(text_in(claim, "status", "ttl"))) ttl_ = *ttl;
  if (world_.elapsed() - not_granted_at_ > ttl_ / 3) {
    state_ = State::confirming;  // the grant may be old by now
    renew();
  } else {
    hold(not_granted_at_);
  }
}

void SimClient::hold(Duration from) {
  state_ = State::holding;
  served_ = true;
  hold_until_ = from + ttl_;
  later(plan_.hold, &SimClient::end_hold);
}

void SimClient::schedule_renewal() {
  later(ttl_ / 3, &SimClient::renew);
}

void SimClient::renew() {
  if (silent_ || state_ == State::releasing || state_ == State::done) return;
  const Json patch{{"metadata", {{"uid", uid_}}}, {"spec", {{"renewTime", kube::to_rfc3339_micro(world_.wall())}}}};
  if (uid_.empty()) return schedule_renewal();
  const kube::Request request = kube::merge_patch(kind_.declaration.claim_resource(), claim_name(), patch);
  world_.send(actor_, request,
              [this, attempt = attempt_, sent = world_.elapsed()](const Result<kube::Response>& answer) {
                if (attempt == attempt_) on_renewed(answer, sent);
              });
  if (state_ == State::confirming) return;
  schedule_renewal();
}

void SimClient::on_renewed(const Result<kube::Response>& answer, Duration sent) {
  if (state_ == State::releasing || state_ == State::done) return;
  if (!succeeded(answer)) {
    if (answered(answer, 404) || answered(answer, 422)) return later(Duration{0}, &SimClient::try_again);
    if (state_ == State::confirming) later(retry_after, &SimClient::renew);
    return;
  }
  const Json claim = body_of(answer);
  const std::string phase = phase_of(claim);
  if (phase == "Pending" && state_ == State::waiting) not_granted_at_ = sent;
  const bool ours =
      phase == "Granted" && claim.at("metadata").at("uid") == uid_ && claim["status"].at("token") == token_;
  if (ours && state_ == State::confirming) {
    hold(sent);
    schedule_renewal();
  } else if (ours && state_ == State::holding && world_.elapsed() < hold_until_) {
    hold_until_ = std::max(hold_until_, sent + ttl_);
  }
}

void SimClient::end_hold() {
  if (state_ != State::holding) return;
  switch (plan_.end) {
    case ClientPlan::End::release: return release();
    case ClientPlan::End::silent: break;
    case ClientPlan::End::finish:
    case ClientPlan::End::vanish:
      if (plan_.in_pod) {
        stop();
        return end_pod();
      }
      break;
  }
  // It works on until its own deadline, and says nothing any more.
  silent_ = true;
  if (world_.elapsed() < hold_until_)
    later(hold_until_ - world_.elapsed(), &SimClient::end_hold);
  else
    stop();
}

void SimClient::release() {
  state_ = State::releasing;
  feed_.reset();
  const kube::Request request =
      kube::delete_object(kind_.declaration.claim_resource(), claim_name(), {.uid = uid_, .resource_version = ""});
  world_.send(actor_, request, [this, attempt = attempt_](const Result<kube::Response>& answer) {
    if (attempt != attempt_) return;
    if (succeeded(answer) || answered(answer, 404) || answered(answer, 409))
      stop();
    else
      later(retry_after, &SimClient::release);
  });
}

void SimClient::stop() {
  state_ = State::done;
  world_.after(Duration{0}, [this] { feed_.reset(); });
}

void SimClient::try_again() {
  feed_.reset();
  if (attempt_ >= plan_.attempts || !plan_.wait) return stop();
  ask();
}

void SimClient::on_commit(const Commit& commit) {
  if (feed_) feed_->on_commit(commit);
}

}  // namespace konductor::sim
