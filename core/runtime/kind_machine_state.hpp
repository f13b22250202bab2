#pragma once

#include "runtime/agenda.hpp"
#include "runtime/claim_notes.hpp"
#include "runtime/event_write.hpp"
#include "runtime/primitive.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

/// What a KindMachine remembers between two calls: caches, timers and requests under way. Losing it loses nothing.
namespace konductor::runtime {

/// What waits for an answer.
enum class Sent {
  record,          // write of a primitive's status
  reread,          // GET of a primitive after a conflict or an unknown outcome
  fresh_list,      // consistent list of one primitive's claims
  claim_write,     // status of a claim
  removal,         // DELETE of a claim
  pod_question,    // GET of a Pod: does it live?
  owner_question,  // GET of a Pod's metadata: who is it?
  job_question,    // GET of its Job: likewise
  event            // best effort
};

/// What gets room for a request when there is little: a crowd of ends must not hold up grants, nor tidying either.
enum class Urgency {
  grant,  // records, tells, marks, and what they wait for
  end,    // expiries, denials, revocations, questions about Pods, and who claims stand for
  tidy    // deletes what has ended, tells waiters why they wait
};

struct InFlight {
  Sent what = Sent::event;
  kube::NamespacedName primitive;
  std::string primitive_uid;
  std::string claim_key;
  std::string claim_uid;
  std::string resource_version;  // that the write was made on
  std::string pod_uid;
  std::string asked;             // name of the Pod or Job of a question
  std::uint64_t claims_rv = 0;   // of a reread: the newest claim that was known when it was sent
  std::optional<Ledger> ledger;  // of a record
  std::string page;              // of a fresh list: its continue token; empty: the first page
  bool anew = false;             // likewise: its first attempt has expired
  bool ends = false;             // of Urgency::end
  WallTime time{};               // of a fresh list: for which it is complete
  bool covered = false;          // the record was decided on a view that the ledger's rules accept
  std::size_t grants = 0;
  std::vector<Announcement> announce;  // once it has succeeded
  std::vector<PlanEvent> events;       // of the plan, likewise
};

/// Keys of claims whose upkeep found no room for its request, each in the order in which they came.
struct Crowd {
  std::deque<std::string> first;     // their end may free something, or they are to be counted
  std::deque<std::string> ends;      // others that end, or whose Pod is asked for
  std::deque<std::string> removals;  // only to be deleted, or told something
};

/// What this process remembers of a primitive.
struct Entry {
  kube::NamespacedName name;
  std::optional<Primitive> primitive;
  bool dirty = true;
  bool starved = false;        // there was no room for a request of it
  bool passed_over = false;    // the same, and it was not for tidying
  bool busy = false;           // a record is in flight
  bool reread = false;         // the outcome of the last write is not known, or it met a conflict
  bool asking = false;         // a reread or a fresh list is in flight
  std::optional<Ledger> own;   // the ledger that this process committed last, and laid over its view
  std::uint64_t fresh_rv = 0;  // a consistent list of its claims was laid over the view at this resourceVersion
  std::optional<MonoTime> blocked_since;  // by the view rule
  bool lags = false;                      // a pending grant's claim is not in the view
  std::optional<MonoTime> last_status;    // when the shown status was last written
  std::optional<MonoTime> unshown_since;  // something differs from what is shown, and can wait
  WallTime listed_at{};                   // when its claims were listed last, by the server's clock
  std::string unlisted;                   // why the last such list failed
  std::set<std::string> listed;           // UIDs on the pages of such a list that have come
  MonoTime last_claim{};                  // when a claim of it last changed
  std::optional<MonoTime> quiet_until;    // the server stores nothing of the shown status
  std::optional<MonoTime> wake;
  Agenda agenda;       // when to look at which of its claims
  bool review = true;  // look at all of them: what their upkeep depends on has changed
  Crowd crowded_out;
  std::set<std::string> unmarked;       // keys of waiting claims that may need a mark before the first grant
  std::set<std::string> unsettled;      // keys of claims of which it may not be known yet who they stand for
  std::optional<MonoTime> marks_since;  // decisions wait for marks since then
  MonoTime rest_until{};                // no decision before
  std::optional<MonoTime> absent_at;    // a GET sent then found none of this name
  std::optional<MonoTime> asked_at;     // of the last such GET
  std::uint64_t lived_rv = 0;           // a GET that was sent when this claim was known found this UID
  MonoTime needs_since{};               // when its decision last asked for something new
  int held_for_needs = 0;               // decisions in a row that were not carried out, to see their needs first
  std::string gone_uid;                 // of the primitive that had this name last and is gone
  std::string not_stored;               // UID of a primitive whose server did not store the ledger
  MonoTime store_again{};               // that is tried again then
  std::set<std::pair<std::string, std::string>> events;  // already told
  std::size_t holding = 0;
  std::size_t waiting = 0;
  Retry retry;
};

}  // namespace konductor::runtime
