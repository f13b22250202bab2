"""How long a whole `kondctl … run … -- true` takes, beside what people would use instead."""
import json
import statistics
import tempfile

from figures import latency, ratio
from kinds import permit
from latency import free_semaphore
from rig import scenario
from spawned import kondctl, rounds_of, run


@scenario()
def command(rig, blocks=4, rounds=20):
    """A free permit taken, `true` run, the permit given back; and others that do that. They take turns, since the machine drifts."""
    floor, ours, lock, by_hand = [], [], [], []
    for _ in range(blocks):
        floor.append(rig.rounds("floor-acquire", rounds=rounds))
        lock.append(with_etcdctl(rig.world, rounds))
        rig.clear()
        with rig.operator():
            ns = free_semaphore(rig)
            ours.append(rounds_of(rounds, lambda: run(*kondctl(rig.world, "semaphore", "run", "q", "--wait", "-q", "-n", ns, "--", "true"))))
            by_hand.append(with_kubectl(rig.world, ns, rounds))
        rig.clear()
    for name, samples in (("command: floor of a grant", floor), ("command: kondctl semaphore run q -- true", ours),
                          ("command: etcdctl lock q true", lock), ("command: kubectl create, wait, delete", by_hand)):
        rig.keep(name, samples)
        rig.add(*latency("command", name, sum(samples, [])))
    allowed = [[2 * statistics.median(locked) + statistics.median(granted)] for locked, granted in zip(lock, floor)]
    rig.add(ratio("command", "kondctl run / (2 × etcdctl lock + floor)", ours, allowed, 1),
            ratio("command", "kondctl run / kubectl create, wait, delete", ours, by_hand, 0.5))


def with_etcdctl(world, rounds):
    environment = world.etcd_environment()
    return rounds_of(rounds, lambda: run("etcdctl", "lock", "q", "true", env=environment))


def with_kubectl(world, ns, rounds):
    """A claim made and awaited by hand."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(permit("by-hand", "q"), file)
        file.flush()
        kubectl = ("kubectl", "--kubeconfig", world.kubeconfig, "-n", ns)

        def once():
            run(*kubectl, "create", "-f", file.name)
            run(*kubectl, "wait", "--for=jsonpath={.status.phase}=Granted", "permit/by-hand", "--timeout=30s")
            run("true")
            run(*kubectl, "delete", "permit/by-hand")
        return rounds_of(rounds, once)
