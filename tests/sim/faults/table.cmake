# One line a fault (README.md). BOUND: seeds of each world that grants, or of
# the WORLD, or of each of that family. The regex names the invariants that may find it.
set(over_granted "grants too much|too much is held|records a claim (twice|that holds)")

konductor_fault(NAME view_rule_dropped SOURCE core/runtime/ledger.cpp WORLD aging BOUND 40 FINDS ${over_granted}
  MEANS "a leader that does not see the latest grants gives the same places away again")
konductor_fault(NAME seen_dropped SOURCE core/runtime/ledger.cpp WORLD aging BOUND 40 FINDS ${over_granted}
  MEANS "who takes over does not know how new its view must be, and gives places away again")
konductor_fault(NAME forgotten_before_told SOURCE core/runtime/ledger.cpp BOUND 5 FINDS "never told"
  MEANS "a grant is lost when the operator stops between recording and telling it")
konductor_fault(NAME marks_left_out SOURCE core/runtime/ledger.cpp BOUND 5 FINDS "${over_granted}|never recorded"
  MEANS "after a semaphore was re-created, an operator that woke up late tells a grant of its former life")
konductor_fault(NAME mark_uid_not_compared SOURCE core/runtime/ledger.cpp BOUND 5 FINDS "${over_granted}|never recorded"
  MEANS "the same, for claims that were marked in the former life")
konductor_fault(NAME creation_time_trusted SOURCE core/runtime/ledger.cpp BOUND 5 FINDS "${over_granted}|never recorded"
  MEANS "the same, where the clock of the API server was set back meanwhile")
konductor_fault(NAME token_restarts SOURCE core/runtime/ledger.cpp BOUND 10 FINDS "does not grow"
  MEANS "fencing tokens start again with a re-created semaphore, so that what they protect lets an old holder in")
konductor_fault(NAME record_without_cas SOURCE core/runtime/primitive_status.cpp BOUND 20
  FINDS "${over_granted}|never told|does not grow|never recorded"
  MEANS "two operators overwrite each other's grants")
konductor_fault(NAME tell_without_cas SOURCE core/runtime/claim_writes.cpp BOUND 20
  FINDS "${over_granted}|never recorded|token or units change"
  MEANS "a late tell makes a holder of a claim that has changed meanwhile, or of another one of its name")
konductor_fault(NAME end_without_cas SOURCE core/runtime/claim_writes.cpp BOUND 20
  FINDS "after the last sign|freed while its holder believes"
  MEANS "a renewal that came first does not save its holder")
konductor_fault(NAME told_before_recorded SOURCE core/runtime/kind_machine_execute.cpp BOUND 5
  FINDS "${over_granted}|never recorded"
  MEANS "a workload runs on a grant that no other operator knows of")
konductor_fault(NAME denied_while_recorded SOURCE core/runtime/decision.cpp WORLD aging BOUND 30 FINDS "at one stroke|that may wait"
  MEANS "kondctl without --wait says that nothing is available, although a place was given to it")
konductor_fault(NAME sent_away_from_the_last_place SOURCE plugins/semaphore/decide.cpp BOUND 60 FINDS "nobody else was there"
  MEANS "kondctl without --wait says that nothing is available, although the last place is free")
konductor_fault(NAME units_ignored SOURCE core/runtime/decision.cpp BOUND 20 FINDS ${over_granted}
  MEANS "a recorded claim for three permits counts as one until it is told")
konductor_fault(NAME pending_not_counted SOURCE core/runtime/decision.cpp BOUND 5 FINDS "${over_granted}|does not grow"
  MEANS "what is recorded and not told yet is given away again")
konductor_fault(NAME priority_inversion SOURCE core/runtime/claim.cpp BOUND 5 FINDS "is served before|comes first"
  MEANS "the least urgent is served first")
konductor_fault(NAME small_ones_overtake SOURCE plugins/semaphore/decide.cpp BOUND 10 FINDS "is served before|comes first"
  MEANS "who asks for much starves behind those that ask for little")
konductor_fault(NAME renewal_lost SOURCE core/runtime/upkeep.cpp BOUND 10 FINDS "after the last sign|holder believes"
  MEANS "a holder loses its place although it renews")
konductor_fault(NAME expiry_from_creation SOURCE core/runtime/upkeep.cpp BOUND 10 FINDS "after the last sign|holder believes"
  MEANS "who waited long holds for a short time only, whatever its TTL")
konductor_fault(NAME dead_pod_holds SOURCE core/runtime/upkeep.cpp WORLD aging BOUND 30 FINDS "Pod is gone, and it holds still"
  MEANS "the place of a Pod that has finished is free only when its TTL is over")
konductor_fault(NAME expiry_by_wall_clock SOURCE core/runtime/kind_machine_upkeep.cpp BOUND 10
  FINDS "after the last sign|holder believes" MEANS "a holder whose machine's clock is behind loses its place")
konductor_fault(NAME cold_start_expires SOURCE core/runtime/kind_machine.cpp BOUND 10
  FINDS "after the last sign|holder believes" MEANS "each restart of the operator takes the place of who holds")
konductor_fault(NAME release_on_event_only SOURCE core/runtime/pod_tracker.cpp WORLD re-created BOUND 60
  FINDS "Pod is gone, and it holds still|at rest"
  MEANS "the place of a Pod that died while no operator watched is never given back, or late")
konductor_fault(NAME lease_taken_early SOURCE core/runtime/elector.cpp BOUND 10
  FINDS "acts as the leader that it was elected" MEANS "two operators lead at the same time, and undo each other's work")
konductor_fault(NAME measured_from_answer SOURCE kondctl/claim_machine.cpp BOUND 30
  FINDS "would believe for|freed while its holder believes"
  MEANS "a workload goes on for as long after its TTL as its last answer was under way")

# Of those who come to what counts participants in rounds.
set(early "it opens when|it counts")

konductor_fault(NAME retry_counts_twice SOURCE plugins/barrier/decide.cpp WORLD rounds BOUND 200 FINDS ${early}
  MEANS "a pod that is tried again opens the barrier in place of one that has not come")
konductor_fault(NAME counted_unknown SOURCE core/runtime/decision.cpp WORLD rounds BOUND 200 FINDS ${early}
  MEANS "who comes is counted before it is written down who that is, and by another name after it")
konductor_fault(NAME latch_left_out SOURCE plugins/barrier/decide.cpp WORLD rounds BOUND 200
  FINDS "is open no longer|fails no longer|a round that opened did not"
  MEANS "a barrier that was open closes again when somebody's arrival is deleted")
konductor_fault(NAME deadline_without_list SOURCE core/runtime/kind_machine_reconcile.cpp WORLD rounds BOUND 200
  FINDS "it fails although" MEANS "who came in time is late where the operator's watch is behind")
konductor_fault(NAME time_runs_on SOURCE core/runtime/kind_machine_participants.cpp WORLD rounds BOUND 200
  FINDS "it fails although" MEANS "who came in time is late where the operator had no time to find out who that is")
konductor_fault(NAME deadline_from_sight SOURCE plugins/barrier/decide.cpp WORLD rounds BOUND 200
  FINDS "its deadline is not" MEANS "the timeout begins when an operator looks, however long after the first came")
konductor_fault(NAME quorum_not_enough SOURCE plugins/barrier/decide.cpp WORLD rounds BOUND 200
  FINDS "at rest, not open|it fails although" MEANS "a quorum opens nothing")
konductor_fault(NAME quorum_before_timeout SOURCE plugins/barrier/decide.cpp WORLD rounds BOUND 200
  FINDS "before the time is over" MEANS "with AtTimeout the first few open it, and the others have no time to come")
konductor_fault(NAME late_ones_count SOURCE plugins/barrier/decide.cpp WORLD rounds BOUND 200 FINDS ${early}
  MEANS "whether who comes after the deadline is counted depends on when an operator looks")
konductor_fault(NAME past_rounds_count SOURCE plugins/barrier/decide.cpp WORLD rounds BOUND 200
  FINDS "${early}|its deadline is too early"
  MEANS "who came for round 1, and has not come for round 2, opens it")
konductor_fault(NAME round_begins_anew SOURCE plugins/barrier/decide.cpp WORLD rounds BOUND 200
  FINDS "it does not begin|is open no longer|a round that opened did not"
  MEANS "a round opens again and again, and who came for the next one waits for ever")
konductor_fault(NAME two_rounds_at_once SOURCE plugins/barrier/decide.cpp WORLD rounds BOUND 200
  FINDS "two rounds open at one stroke"
  MEANS "who watches for one round to open never sees it, where some are ahead")
konductor_fault(NAME early_one_takes_time SOURCE plugins/barrier/decide.cpp WORLD rounds BOUND 200
  FINDS "its deadline is too early" MEANS "who comes for the next round early takes time from the others")
konductor_fault(NAME state_without_cas SOURCE core/runtime/primitive_status.cpp WORLD rounds BOUND 200
  FINDS "it opens when|it counts|no longer|a round that opened did not|it goes to round|it fails|deadline|has another answer|at one stroke"
  MEANS "two operators decide the same round, each in its own way")
konductor_fault(NAME former_life_counts SOURCE core/runtime/kind_machine_reconcile.cpp WORLD rounds BOUND 200
  FINDS ${early} MEANS "a barrier that was made anew opens by those who came to the one before")
