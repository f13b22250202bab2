#pragma once

#include "runtime/claim_view.hpp"
#include "runtime/decision.hpp"
#include "runtime/kind_machine.hpp"
#include "runtime/pod_tracker.hpp"
#include "runtime/primitive.hpp"
#include "runtime/primitive_status.hpp"
#include "runtime/upkeep.hpp"

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace konductor::runtime {

/// What waits for an answer.
enum class Sent {
  record,        // write of a primitive's status
  reread,        // GET of a primitive after a conflict or an unknown outcome
  fresh_list,    // consistent list of one primitive's claims
  claim_write,   // status of a claim
  removal,       // DELETE of a claim
  pod_question,  // GET of a Pod
  event          // best effort
};

struct InFlight {
  Sent what = Sent::event;
  kube::NamespacedName primitive;
  std::string primitive_uid;
  std::string claim_key;
  std::string claim_uid;
  std::string resource_version;  // that the write was made on
  std::string pod_uid;
  std::optional<Ledger> ledger;  // of a record
  bool covered = false;          // the record was decided on a view that the ledger's rules accept
  std::size_t grants = 0;
};

/// Back-off of one object after failed writes.
struct Retry {
  MonoTime not_before{};
  int failures = 0;
};

/// What this process remembers of a claim: caches and timers only.
struct ClaimNotes {
  std::string stamp;  // clock_stamp when last looked at
  MonoTime since{};   // when it was first seen with that stamp
  MonoTime first_seen{};
  bool busy = false;       // a write is in flight
  bool ending = false;     // that write ends it
  std::string refused_rv;  // a write on this resourceVersion met a conflict: wait for a newer one, but not for ever
  Retry retry;
};

/// What this process remembers of a primitive.
struct Entry {
  kube::NamespacedName name;
  std::optional<Primitive> primitive;
  bool dirty = true;
  bool starved = false;        // there was no room for a request of it
  bool busy = false;           // a record is in flight
  bool reread = false;         // the outcome of the last write is not known, or it met a conflict
  bool asking = false;         // a reread or a fresh list is in flight
  std::optional<Ledger> own;   // the ledger that this process committed last, and laid over its view
  std::uint64_t fresh_rv = 0;  // a consistent list of its claims was laid over the view at this resourceVersion
  std::optional<MonoTime> blocked_since;  // by the view rule
  bool lags = false;                      // a pending grant's claim is not in the view
  std::optional<MonoTime> last_status;    // when the shown status was last written
  std::optional<MonoTime> quiet_until;    // the server stores nothing of the shown status
  std::optional<MonoTime> wake;
  MonoTime rest_until{};                                 // it is not looked at again before
  std::string gone_uid;                                  // of the primitive that had this name last and is gone
  std::string not_stored;                                // UID of a primitive whose server did not store the ledger
  std::set<std::pair<std::string, std::string>> events;  // already told
  std::size_t holding = 0;
  std::size_t waiting = 0;
  Retry retry;
};

class KindMachine::Impl {
 public:
  Impl(KindDeclaration kind, KindSettings settings) : kind_(std::move(kind)), settings_(std::move(settings)) {}

  void on_primitive(const ViewEvent& event, Now now);
  void on_claim(const ViewEvent& event, Now now);
  void on_pod(const ViewEvent& event, Now now);
  void on_answer(std::uint64_t id, const Result<kube::Response>& answer, Now now);
  void lead(bool leading, Now now);
  std::vector<Outgoing> work(Now now);
  [[nodiscard]] std::optional<MonoTime> wake_at() const;
  [[nodiscard]] bool synced() const { return primitives_synced_ && view_.is_synced() && pods_.is_synced(); }
  /// Nothing is decided or sent in the middle of a list: the objects that are still to come may hold.
  [[nodiscard]] bool can_work() const { return leading_ && synced() && !listing_ && !view_.is_listing(); }
  [[nodiscard]] const KindDeclaration& kind() const { return kind_; }
  std::vector<LogLine> take_log() { return std::exchange(log_, {}); }
  [[nodiscard]] Counters counters() const;

 private:
  // kind_machine.cpp: what comes in
  Entry& entry(const kube::NamespacedName& name);
  void put_primitive(const std::shared_ptr<const nlohmann::json>& object);
  void note(const ClaimView::Change& change, Now now);
  void pod_changed(const std::string& uid);
  void serve(Entry& entry, Now now);
  void log(LogLine::Level level, std::string text);

  // kind_machine_answers.cpp: what comes back
  void on_record(const InFlight& sent, const Result<kube::Response>& answer, Now now);
  void on_reread(const InFlight& sent, const Result<kube::Response>& answer, Now now);
  void on_fresh_list(const InFlight& sent, const Result<kube::Response>& answer, Now now);
  void on_claim_write(const InFlight& sent, const Result<kube::Response>& answer, Now now);
  void on_removal(const InFlight& sent, const Result<kube::Response>& answer, Now now);
  void on_pod_answer(const InFlight& sent, const Result<kube::Response>& answer, Now now);
  void failed(Retry& retry, const Error& error, Now now);

  // kind_machine_reconcile.cpp: what goes out
  void reconcile(Entry& entry, Now now);
  void keep_up(Entry& entry, Now now);
  void ask_about_pod(Entry& entry, const Claim& claim, Now now);
  void tell_pending(Entry& entry, const Ledger& ledger, Now now);
  void decide_and_record(Entry& entry, const Ledger& ledger, Now now);

  // kind_machine_execute.cpp: what a decision comes to
  void execute(Entry& entry, const Ledger& ledger, const Decision& decision, Now now);
  void record_grants(const Entry& entry, const Decision& decision, Ledger& ledger) const;
  void answer_waiters(Entry& entry, const Decision& decision, Now now);
  void answer_orphans(Entry& entry, Now now);
  void write_status(Entry& entry, const Ledger& ledger, const ShownStatus& shown, const NewState* state,
                    std::size_t grants, bool covered, Now now);
  void refuse(Entry& entry, const Ledger& ledger, const std::string& reason, const std::string& message, Now now);
  bool mark_waiters(Entry& entry, const Ledger& ledger, Now now);
  void ask_for_fresh_list(Entry& entry, Now now);
  void tell_events(Entry& entry, const std::vector<PlanEvent>& events, Now now);
  void write_claim(const Claim& claim, kube::Request request, Sent what, bool ending);
  void send(InFlight sent, kube::Request request);
  bool can_write(const Claim& claim, Entry& entry, Now now) const;
  bool has_room(Entry& entry, bool urgent) const;
  [[nodiscard]] std::uint64_t view_rv(const Entry& entry) const;
  [[nodiscard]] LedgerView ledger_view(const Entry& entry) const;
  [[nodiscard]] Duration ttl_of(const Claim& claim, const Entry& entry) const;
  [[nodiscard]] bool withheld(Now now) const { return started_ && now.mono < *started_ + settings_.withhold_grants; }
  [[nodiscard]] PodState pod_state(const Claim& claim) const;
  [[nodiscard]] bool has_lifetime() const;
  [[nodiscard]] bool may_be_served(const Claim& claim, const Entry& entry, Now now) const;
  [[nodiscard]] ShownStatus shown_of(const Entry& entry, const Ledger& ledger, const Decision& decision) const;
  static void wake(Entry& entry, MonoTime at);

  KindDeclaration kind_;
  KindSettings settings_;
  ClaimView view_;
  PodTracker pods_;
  std::map<kube::NamespacedName, Entry> entries_;
  std::set<kube::NamespacedName> listed_;     // primitives, between begin and synced
  std::optional<kube::NamespacedName> turn_;  // of a primitive that found no room for a request
  bool listing_ = false;
  bool primitives_synced_ = false;
  bool leading_ = false;
  bool quarantined_ = false;
  std::string quarantine_reason_;
  std::optional<MonoTime> started_;
  std::unordered_map<std::string, ClaimNotes> notes_;    // by claim UID
  std::unordered_map<std::string, std::string> pod_of_;  // claim UID to Pod UID, while referred to
  std::unordered_map<std::string, Retry> pod_retry_;
  std::set<std::string> pods_asked_;
  std::map<std::uint64_t, InFlight> in_flight_;
  std::uint64_t next_id_ = 1;
  std::uint64_t next_event_ = 1;
  std::size_t events_in_flight_ = 0;
  std::vector<Outgoing> out_;
  std::vector<LogLine> log_;
  Counters counters_;
};

}  // namespace konductor::runtime
