"""How long a client waits: for a free permit, and for the one that another gives back."""
import time

from figures import Figure, latency, ratio
from kinds import semaphore
from rig import scenario
from spawned import kondctl, rounds_of, run
from usage import peak_rss_mb, rss_mb

SETTLE_SECONDS = 2  # nothing happens any more


@scenario()
def acquire(rig, blocks=5, rounds=20):
    """Create to seen granted; floor and Konductor take turns, since the machine drifts."""
    floor, chain, whole = [], [], []
    for _ in range(blocks):
        floor.append(rig.rounds("floor-acquire", rounds=rounds))
        rig.clear()
        with rig.operator():
            chain.append(rig.rounds("acquire", rounds=rounds))
            whole.append(kondctl_rounds(rig, rounds))
        rig.clear()
    for name, samples in (("acquire: floor", floor), ("acquire: API chain", chain), ("acquire: kondctl", whole)):
        rig.keep(name, samples)
        rig.add(*latency("acquire", name, sum(samples, [])))
    rig.add(ratio("acquire", "acquire: API chain / floor", chain, floor, 1.25),
            ratio("acquire", "acquire: kondctl / floor", whole, floor))


def kondctl_rounds(rig, rounds):
    """Whole processes: from spawning `kondctl semaphore acquire` to its end; the release is not counted."""
    world, ns = rig.world, free_semaphore(rig)
    common = ["--holder", "bench", "-n", ns, "-q"]
    return rounds_of(rounds, lambda: run(*kondctl(world, "semaphore", "acquire", "q", "--wait", *common)),
                     lambda: run(*kondctl(world, "semaphore", "release", "q", *common)))


def free_semaphore(rig):
    """The namespace of a new one, called q."""
    ns = rig.namespace()
    rig.world.api.create(ns, "semaphores", semaphore("q", 1000, ttl="1h"))
    time.sleep(1.1)  # a claim that is not newer than its primitive, in whole seconds, costs a write more
    return ns


@scenario()
def handoff(rig, blocks=4, rounds=20):
    """Delete of a holder to the next waiter seeing that it is granted: ten hold, one waits."""
    floor, ours = [], []
    for _ in range(blocks):
        floor.append(rig.rounds("floor-handoff", rounds=rounds, holders=10))
        rig.clear()
        with rig.operator():
            ours.append(rig.rounds("handoff", rounds=rounds, holders=10))
        rig.clear()
    rig.add(*latency("handoff", "handoff: floor", sum(rig.keep("handoff: floor", floor), [])),
            *latency("handoff", "handoff: 10 holders", sum(rig.keep("handoff: 10 holders", ours), [])),
            ratio("handoff", "handoff: 10 holders / floor", ours, floor, 1.25))


@scenario()
def queue(rig, blocks=2, rounds=25):
    """The same with 500 waiting on three permits, each with a watch of its own; in turns with ten holders."""
    few, many = [], []
    for _ in range(blocks):
        for blocks_of, flags in ((few, {"holders": 10}), (many, {"holders": 3, "waiting": 500})):
            with rig.operator():
                blocks_of.append(rig.rounds("handoff", rounds=rounds, **flags))
            rig.clear()
    rig.add(*latency("queue", "handoff: 500 wait on 3", sum(rig.keep("handoff: 500 wait on 3", many), [])),
            ratio("queue", "handoff: 500 wait on 3 / 10 holders", many, few, 1.3))


@scenario(cluster="own")
def holders(rig, rounds=40):
    """Handoffs with ever more holders, each with a fresh operator, whose memory is looked at; ten before and after."""
    few = [with_holders(rig, 10, rounds // 2, idle=True)]
    thousand = with_holders(rig, 1000, rounds)
    most = with_holders(rig, 10_000, rounds)
    few.append(with_holders(rig, 10, rounds // 2))
    for count, samples in ((1000, thousand), (10_000, most)):
        name = f"handoff: {count:,} holders"
        rig.keep(name, [samples])
        rig.add(*latency("holders", name, samples))
    before_and_after = [sum(rig.keep("handoff: 10 holders, before and after", few), [])]
    rig.add(ratio("holders", "handoff: 1,000 holders / 10", [thousand], before_and_after),
            ratio("holders", "handoff: 10,000 holders / 10", [most], before_and_after, 1.3))


def with_holders(rig, count, rounds, idle=False):
    with rig.operator() as operator:
        pid = operator.process.pid
        if idle:
            time.sleep(SETTLE_SECONDS)
            rig.add(Figure("holders", "operator: memory, idle", rss_mb(pid), "MB", limit=15))
        samples = rig.rounds("handoff", holders=count, rounds=rounds)
        time.sleep(SETTLE_SECONDS)
        if count >= 1000:
            limit = 100 if count == 10_000 else None
            rig.add(Figure("holders", f"operator: memory, {count:,} claims", rss_mb(pid), "MB", limit=limit,
                           note=f"at most {peak_rss_mb(pid):.1f} MB"))
    rig.clear()
    return samples

