#pragma once

#include "runtime/claim_view.hpp"
#include "runtime/decision.hpp"
#include "runtime/event_write.hpp"
#include "runtime/kind_machine.hpp"
#include "runtime/kind_machine_state.hpp"
#include "runtime/observed_view.hpp"
#include "runtime/pacer.hpp"
#include "runtime/pod_tracker.hpp"
#include "runtime/primitive_status.hpp"
#include "runtime/refusals.hpp"
#include "runtime/upkeep.hpp"

#include <deque>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace konductor::runtime {

inline constexpr const char* ledger_not_stored =
    "the API server did not store status.ledger; nothing is granted. Apply the output of `konductor manifests`; it is "
    "tried again every few seconds";

class KindMachine::Impl {
 public:
  Impl(KindDeclaration kind, KindSettings settings)
      : kind_(std::move(kind)), settings_(std::move(settings)), observed_(settings_.watches) {}

  void on_primitive(const ViewEvent& event, Now now);
  void on_claim(const ViewEvent& event, Now now);
  void on_pod(const ViewEvent& event, Now now);
  void on_observed(const WatchTarget& target, const ViewEvent& event);
  void on_answer(std::uint64_t id, const Result<kube::Response>& answer, Now now);
  void lead(bool leading, Now now);
  std::vector<Outgoing> work(Now now);
  [[nodiscard]] std::optional<MonoTime> wake_at() const;
  [[nodiscard]] const std::set<WatchTarget>& watch_targets() const { return observed_.targets(); }
  [[nodiscard]] bool synced() const {
    return primitives_synced_ && (kind_.mode == Mode::observed || (view_.is_synced() && pods_.is_synced()));
  }
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
  void pod_changed(const std::string& uid, Now now);
  void serve(Entry& entry, Now now);
  void log(LogLine::Level level, std::string text);

  // kind_machine_answers.cpp: what comes back
  void on_record(const InFlight& sent, const Result<kube::Response>& answer, Now now);
  void on_reread(const InFlight& sent, const Result<kube::Response>& answer, Now now);
  void on_fresh_list(const InFlight& sent, const Result<kube::Response>& answer, Now now);
  void on_claim_write(const InFlight& sent, const Result<kube::Response>& answer, Now now);
  void on_removal(const InFlight& sent, const Result<kube::Response>& answer, Now now);
  void on_pod_answer(const InFlight& sent, const Result<kube::Response>& answer, Now now);
  void on_owner_answer(const InFlight& sent, const Result<kube::Response>& answer, Now now);
  void on_job_answer(const InFlight& sent, const Result<kube::Response>& answer, Now now);
  void failed(Retry& retry, const Error& error, Now now);
  void heed_right(Refusals& refusals, const std::string& ns, const Error* error, Now now);
  void heed_pause(const Result<kube::Response>& answer, Now now);

  // kind_machine_reconcile.cpp: what goes out
  void reconcile(Entry& entry, Now now);
  void ask_for_fresh_list(Entry& entry, Now now);
  void list_claims(Entry& entry, WallTime time, const std::string& next_page = {}, bool anew = false);
  void tell_pending(Entry& entry, const Ledger& ledger, Now now);
  void decide_and_record(Entry& entry, const Ledger& ledger, Now now);
  [[nodiscard]] Result<Decision> decide_at(WallTime time, const Entry& entry, const Ledger& ledger, Now now);
  [[nodiscard]] bool must_list(const Entry& entry, const Ledger& ledger, const Decision& decision, Now now);

  // kind_machine_upkeep.cpp: what time and Pods ask of claims, whatever is decided
  static void look_at(Entry& entry, KnownClaim& known, MonoTime at);
  static void review(Entry& entry);
  void keep_up(Entry& entry, Now now);
  void attend(Entry& entry, KnownClaim& known, Now now);
  [[nodiscard]] bool is_too_old(const Claim& claim, const Entry& entry) const;
  void deny_as_too_old(Entry& entry, KnownClaim& known, Now now);
  void ask_about_pod(Entry& entry, KnownClaim& known, Now now);
  void attend_crowded_out(Entry& entry, std::deque<std::string>& keys, Urgency urgency, Now now);
  static void crowd_out(Entry& entry, KnownClaim& known, bool removal);
  [[nodiscard]] KnownClaim* next_due(Entry& entry, Now now);
  [[nodiscard]] PodState pod_state(const KnownClaim& known) const;
  [[nodiscard]] bool has_lifetime() const;

  // kind_machine_participants.cpp: who claims stand for
  [[nodiscard]] bool is_unsettled(const Claim& claim) const;
  [[nodiscard]] std::vector<const KnownClaim*> unsettled(const Entry& entry) const;
  void forget_settled(Entry& entry) const;
  [[nodiscard]] static bool is_lost(const KnownClaim& known);
  void find_participant(Entry& entry, KnownClaim& known, Now now);
  void ask_who(Entry& entry, KnownClaim& known, Sent what, Now now);
  void tell_doubt(Entry& entry, KnownClaim& known, const std::string& reason, const std::string& message, Now now);
  void not_found_out(const InFlight& sent, KnownClaim& known, const Error& error, Now now);
  [[nodiscard]] std::string why_doubted(const KnownClaim& known) const;
  [[nodiscard]] std::optional<PlanCondition> why_not_counted(const Entry& entry) const;
  [[nodiscard]] WallTime decision_time(const Entry& entry, Now now) const;

  // kind_machine_execute.cpp: what a decision comes to
  void execute(Entry& entry, const Ledger& ledger, const Decision& decision, Now now);
  void record_grants(const Entry& entry, const Decision& decision, Ledger& ledger) const;
  void answer_waiters(Entry& entry, const Decision& decision, Now now);
  void tell_waiter(Entry& entry, KnownClaim& known, const Ending& waits, const std::string& mark, Now now);
  void mark_discarded(Entry& entry, const Decision& decision, Now now);
  void discard(Entry& entry, KnownClaim& known, Now now);
  [[nodiscard]] MonoTime may_show_at(Entry& entry, Now now) const;
  void deny(Entry& entry, KnownClaim& known, const Ending& denial, Now now);
  void answer_orphans(Entry& entry, Now now);
  void ask_for_primitive(Entry& entry, const std::string& uid, Now now);
  bool follow_needs(Entry& entry, const std::vector<Need>& needs, Now now);
  void write_status(Entry& entry, const Ledger& ledger, const ShownStatus& shown, const NewState* state,
                    std::size_t grants, bool covered, Now now);
  void refuse(Entry& entry, const Ledger& ledger, const std::string& reason, const std::string& message, Now now);
  bool mark_waiters(Entry& entry, const Ledger& ledger, Now now);
  void explain_missing_marks(Entry& entry, const Ledger& ledger, Now now);
  bool may_mark(Entry& entry, const Claim& claim, Now now);
  [[nodiscard]] std::size_t room_in(const Ledger& ledger) const;
  [[nodiscard]] bool is_mid_batch(const Ledger& ledger, Now now) const;
  void rest(Entry& entry, Now now) const;
  void revoke_holders(Entry& entry, const Decision& decision, Now now);
  void write_claim(KnownClaim& known, kube::Request request, Sent what, bool ending,
                   std::vector<Announcement> announce = {});
  void send(InFlight sent, kube::Request request);
  static bool can_send(KnownClaim& known, Entry& entry, Now now);
  bool can_write(KnownClaim& known, Entry& entry, Now now) const;
  bool has_room(Entry& entry, Urgency urgency) const;
  [[nodiscard]] std::uint64_t view_rv(const Entry& entry) const;
  [[nodiscard]] LedgerView ledger_view(const Entry& entry) const;
  [[nodiscard]] Duration ttl_of(const Claim& claim, const Entry& entry) const;
  [[nodiscard]] bool withheld(Now now) const { return started_ && now.mono < *started_ + settings_.withhold_grants; }
  [[nodiscard]] bool may_be_served(const KnownClaim& known, const Entry& entry) const;
  [[nodiscard]] ShownStatus shown_of(const Entry& entry, const Ledger& ledger, const Decision& decision) const;
  [[nodiscard]] std::vector<HolderLine> first_holders(const Entry& entry, const Ledger& ledger) const;
  static void wake(Entry& entry, MonoTime at);

  // kind_machine_events.cpp: what people are told in Events
  [[nodiscard]] EventSubject subject_of(const Entry& entry) const;
  [[nodiscard]] EventSubject subject_of(const Claim& claim) const;
  [[nodiscard]] std::vector<Announcement> about_end(const Entry& entry, const Claim& claim, const Ending& ending) const;
  void tell_events(Entry& entry, const std::vector<PlanEvent>& events, Now now);
  void announce(const kube::NamespacedName& primitive, const std::vector<Announcement>& all, Now now);

  KindDeclaration kind_;
  KindSettings settings_;
  ClaimView view_;
  PodTracker pods_;
  ObservedView observed_;
  // Events are for people, and what happens to thousands of claims at once must not cost thousands of writes more.
  Pacer event_pacer_{2, 50};
  std::map<kube::NamespacedName, Entry> entries_;
  std::set<kube::NamespacedName> listed_;     // primitives, between begin and synced
  std::optional<kube::NamespacedName> turn_;  // of a primitive that found no room for a request
  bool listing_ = false;
  bool primitives_synced_ = false;
  bool leading_ = false;
  MonoTime led_since_{};
  bool catching_up_ = false;  // it has only just begun to lead
  bool quarantined_ = false;
  std::string quarantine_reason_;
  std::optional<MonoTime> started_;
  std::optional<MonoTime> throttled_until_;              // the server asked for a pause
  std::unordered_map<std::string, std::string> pod_of_;  // claim UID to Pod UID, while referred to
  std::unordered_map<std::string, Retry> pod_retry_;
  std::set<std::string> pods_asked_;
  std::map<std::string, std::string> jobs_;  // by namespace, name and UID: why its Pods are not one participant
  Refusals pods_refused_;                    // to say who they are
  Refusals jobs_refused_;
  Refusals writes_refused_;  // of the status of claims
  std::map<std::uint64_t, InFlight> in_flight_;
  std::uint64_t next_id_ = 1;
  std::uint64_t next_event_ = 1;
  std::size_t events_in_flight_ = 0;
  std::size_t ends_in_flight_ = 0;
  std::vector<Outgoing> out_;
  std::vector<LogLine> log_;
  Counters counters_;
};

}  // namespace konductor::runtime
