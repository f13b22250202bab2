"""A hundred pods and five permits."""
from harness import wait_for
from kinds import semaphore
from node import BOTH, EXAMPLES, objects_of, span, times
from runner import alone, say
from stage import most_at_once

COUNT, PERMITS, SECONDS = 100, 5, 1
IDEAL = COUNT / PERMITS * SECONDS


@alone
def test_a_hundred_pods_on_five_permits(world):
    with world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("run", 0, ttl="10m"))
        job = objects_of(world, EXAMPLES / "run.yaml")[1]
        job["spec"]["completions"] = job["spec"]["parallelism"] = COUNT
        main, = job["spec"]["template"]["spec"]["containers"]
        assert main["image"] == BOTH
        main["args"] = ["sh", "-c", f"/bin/date +%s%N; sleep {SECONDS}; /bin/date +%s%N"]
        world.api.create(ns, "jobs", job)
        wait_for("all wait", lambda: world.api.get(ns, "semaphores", "run").get("status", {}).get("waiting") == COUNT, 180, 0.3)
        world.api.patch(ns, "semaphores", "run", {"spec": {"permits": PERMITS}})
        wait_for("all are done", lambda: world.api.get(ns, "jobs", "run")["status"].get("succeeded") == COUNT, 120, 0.3)
        logs = world.kubectl("-n", ns, "logs", "-l", "batch.kubernetes.io/job-name=run", "-c", "main", "--tail=-1", "--prefix",
                             f"--max-log-requests={COUNT}").stdout
        lines = {}
        for line in logs.splitlines():
            prefix, _, text = line.partition(" ")
            lines.setdefault(prefix, []).append(text + "\n")
        spans = [span(seen) for text in lines.values() if (seen := times("".join(text)))]
        makespan = (max(end for _, end in spans) - min(start for start, _ in spans)) / 1e9
        say(f"      {len(spans)} pods, most at once {most_at_once(spans)} of {PERMITS}, makespan {makespan:.1f} s, "
            f"{makespan / IDEAL:.2f} x the ideal {IDEAL:.0f} s (target 1.15)")
        assert len(spans) == COUNT and most_at_once(spans) == PERMITS
        assert makespan < 2 * IDEAL
