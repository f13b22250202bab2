"""Which fault comes when: drawn from a seed, and nothing else. Pure."""
import dataclasses
import random

# How often each comes in a deck; a deck is dealt out before the next one is shuffled, so each comes in a short run too.
DECK = {
    "kill": 3,          # kill -9 of some operator
    "kill leader": 3,   # of the leader
    "kill all": 1,      # of all at once: a cold start
    "terminate": 2,     # SIGTERM of the leader: a graceful handover
    "pause": 2,         # SIGSTOP of the leader for longer than its lease, then SIGCONT
    "freeze": 2,        # SIGSTOP of an operator's proxy: connections that are dead, and writes that arrive late
    "cut": 3,           # all connections of an operator
    "drop": 4,          # requests, and answers after the commit, for some seconds
    "delay": 2,         # of requests, for some seconds
    "storm": 2,         # of 429 with Retry-After
    "apiserver": 1,     # kube-apiserver is restarted
    "etcd": 1,          # etcd is killed and started again
    "compact": 1,       # etcd's history, and kube-apiserver started anew: watches end with 410
    "clock": 2,         # an operator's wall clock moves by an hour
    "limit": 4,         # a semaphore's limit is edited
    "recreate": 2,      # a semaphore is deleted and created again
    "client kill": 6,   # kill -9 of a client and what it runs
    "client pause": 3,  # SIGSTOP of a client for up to two TTLs, then SIGCONT
}
MEAN_GAP = 2.6  # s


@dataclasses.dataclass(frozen=True)
class Planned:
    at: float  # s after the start
    fault: str
    seed: str  # of everything else about it


def schedule(seed, seconds, deck=None):
    source = random.Random(f"schedule-{seed}")
    cards = [fault for fault, count in (deck or DECK).items() for _ in range(count)]
    # A short run deals out one deck.
    gap = min(MEAN_GAP, seconds / (len(cards) * 1.25))
    plan, at = [], 0.0
    while True:
        source.shuffle(cards)
        for fault in cards:
            at += gap * source.uniform(0.4, 1.6)
            if at >= seconds:
                return plan
            plan.append(Planned(round(at, 3), fault, f"{seed}-{len(plan)}"))
