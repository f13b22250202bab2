"""docs/examples: each file does its work as it stands, and as a Job, Indexed Job, CronJob and Deployment where that makes sense.

Judged by what the main containers' own clocks say, in their logs: never more at once than permits, and all done.
"""
import json

from harness import wait_for
from kinds import phase
from node import AT_WORK, EXAMPLES, Log, exit_code, is_finished, objects_of, pod, restarts, run, span, state, times
from runner import say, slow
from stage import most_at_once

JOBS = ("init-container", "native-sidecar", "run", "fail-fast", "fail-fast-run")
FOR_EVER = ("run", "sidecar")  # in Deployments: the others renew nothing, let a restarted main start by itself, or fail
PATIENCE = 180


def create(world, ns, *objects):
    for one in objects:
        world.kubectl("-n", ns, "create", "-f", "-", input=json.dumps(one))


def example(world, name):
    semaphore, workload = objects_of(world, EXAMPLES / f"{name}.yaml")
    assert (semaphore["kind"], semaphore["metadata"]["name"], workload["metadata"]["name"]) == ("Semaphore", name, name)
    return semaphore, workload


def complete(world, ns, names):
    def done():
        found = [world.api.get(ns, "jobs", name).get("status", {}).get("conditions", []) for name in names]
        kinds = [{condition["type"] for condition in conditions if condition["status"] == "True"} for conditions in found]
        assert not any("Failed" in one for one in kinds), f"a Job failed: {found}"
        return all("Complete" in one for one in kinds)
    try:
        wait_for(f"{names} are complete", done, PATIENCE, 0.3)
    except AssertionError as late:
        raise AssertionError(f"{late}\n{world.describe(ns)}") from None


def all_worked(world, ns, count, permits):
    """So many pods ended well; they were never more at once than permits, and those that were refused did not work."""
    pods = world.api.list(ns, "pods")
    spans = [span(seen) for one in pods if (seen := times(world.logs(ns, one["metadata"]["name"])))]
    assert len(spans) == sum(exit_code(one) == 0 for one in pods) == count, f"{spans}\n{world.describe(ns)}"
    assert most_at_once(spans) <= permits, f"{most_at_once(spans)} of {permits} at once: {sorted(spans)}"
    return pods


def as_job(name, **fields):
    def test(world):
        with world.namespace() as ns:
            semaphore, job = example(world, name)
            if fields:
                job["spec"].update(fields)
                create(world, ns, semaphore, job)
            else:
                world.kubectl("apply", "-n", ns, "-f", str(EXAMPLES / f"{name}.yaml"))
            complete(world, ns, [name])
            all_worked(world, ns, job["spec"]["completions"], semaphore["spec"]["permits"])
    return test


def as_cron_job(name):
    def test(world):
        with world.namespace() as ns:
            semaphore, job = example(world, name)
            count = job["spec"]["completions"] = job["spec"]["parallelism"] = 2
            create(world, ns, semaphore, {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": name},
                                          "spec": {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": job["spec"]}}})
            triggered = ["one", "two"]
            for job_name in triggered:
                world.kubectl("-n", ns, "create", "job", job_name, f"--from=cronjob/{name}")
            complete(world, ns, triggered)
            all_worked(world, ns, count * len(triggered), semaphore["spec"]["permits"])
    return test


def deployment_of(name, job):
    template = job["spec"]["template"]
    template["metadata"] = {"labels": {"app": name}}
    template["spec"] = {**template["spec"], "restartPolicy": "Always"}
    template["spec"]["containers"][0]["args"] = ["sh", "-c", AT_WORK]
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
            "spec": {"replicas": 3, "selector": {"matchLabels": {"app": name}}, "template": template}}


def as_deployment(name):
    """Two of three work; the third does when one of them goes, and so does the one that is made in its place, in turn."""
    def test(world):
        with world.namespace() as ns:
            semaphore, workload = example(world, name)
            if workload["kind"] == "Deployment":
                world.kubectl("apply", "-n", ns, "-f", str(EXAMPLES / f"{name}.yaml"))
            else:
                create(world, ns, semaphore, deployment_of(name, workload))
            permits, logs, deleted = semaphore["spec"]["permits"], {}, set()

            def working():
                for one in world.pods(ns, app=name):
                    if one["metadata"]["name"] not in logs and state(one) == "running":
                        logs[one["metadata"]["name"]] = Log(world, ns, one["metadata"]["name"])
                return [one for one, log in logs.items() if one not in deleted and log.times()]
            try:
                wait_for("two work and the third is there", lambda: len(working()) == permits and len(logs) == 3, PATIENCE, 0.2)
                for _ in (1, 2):
                    first = working()[0]
                    deleted.add(first)
                    world.api.delete(ns, "pods", first)
                    wait_for("another one works in its place", lambda: len(working()) == permits, PATIENCE, 0.2)
                world.kubectl("-n", ns, "delete", "deployment", name, "--wait=false")
                spans = [span(seen) for log in logs.values() if (seen := log.all_times())]
                assert len(spans) >= permits + 2 and most_at_once(spans) <= permits, f"{most_at_once(spans)} of {permits} at once: {sorted(spans)}"
            except AssertionError as failure:
                raise AssertionError(f"{failure}\n{world.describe(ns)}") from None
            finally:
                for log in logs.values():
                    log.close()
    return test


def add(name, form, test):
    test.__name__ = f"test_{name}_as_{form}".replace("-", "_")
    globals()[test.__name__] = test


for each in JOBS:
    add(each, "job", as_job(each))
    add(each, "indexed_job", as_job(each, completionMode="Indexed"))
    add(each, "cron_job", as_cron_job(each))
for each in FOR_EVER:
    add(each, "deployment", as_deployment(each))


# ---- fail-fast


def conflict(world, name, container, code):
    """One pod that finds the permits taken, with no failure allowed: the Job tries again, later, and is complete."""
    with world.namespace() as ns:
        semaphore, job = example(world, name)
        semaphore["spec"]["permits"] = job["spec"]["completions"] = job["spec"]["parallelism"] = 1
        assert job["spec"]["backoffLimit"] == 0
        create(world, ns, semaphore)
        world.kondctl("semaphore", "acquire", name, "-n", ns, "--holder", "somebody", check=True)
        create(world, ns, job)
        wait_for("one is refused", lambda: [one for one in world.api.list(ns, "pods") if exit_code(one, container) == code], 60)
        world.kondctl("semaphore", "release", name, "-n", ns, "--holder", "somebody", check=True)
        complete(world, ns, [name])
        pods = all_worked(world, ns, 1, 1)
        assert sorted(str(exit_code(one, container)) for one in pods) == ["0", str(code)], world.describe(ns)
        assert not world.api.get(ns, "jobs", name)["status"].get("failed"), "a refusal is no failure"


def test_fail_fast_is_no_failure_of_the_job(world):
    conflict(world, "fail-fast", "acquire", 3)


def test_fail_fast_run_is_no_failure_of_the_job(world):
    conflict(world, "fail-fast-run", "main", 75)


def test_a_programs_own_3_is_a_failure(world):
    for_main = {"fail-fast": ("command", ["sh", "-c", "exit 3"]), "fail-fast-run": ("args", ["sh", "-c", "exit 3"])}
    with world.namespace() as ns:
        for name, (field, words) in for_main.items():
            semaphore, job = example(world, name)
            job["spec"]["template"]["spec"]["containers"][0][field] = words
            create(world, ns, semaphore, job)
        for name in for_main:
            world.kubectl("-n", ns, "wait", "--for=condition=Failed", f"job/{name}", "--timeout=60s")


# ---- sidecars: main is stopped before somebody else works


def lost(world, name, at_work):
    """The sidecar may not renew any more: the probes, as they stand in the example, stop a main that hears no SIGTERM before the next one works."""
    with world.namespace() as ns:
        semaphore, workload = example(world, name)
        semaphore["spec"]["permits"] = 1
        world.kubectl("-n", ns, "create", "serviceaccount", "holder")
        world.kubectl("-n", ns, "create", "rolebinding", "holder", "--clusterrole=konductor-user", f"--serviceaccount={ns}:holder")
        spec = workload["spec"]["template"]["spec"]
        spec["serviceAccountName"] = "holder"
        hold, = [one for one in spec.get("initContainers", []) + spec["containers"] if one["name"] == "hold"]
        hold["command"] = [{"--ttl=60s": "--ttl=45s"}.get(word, word) for word in hold["command"]]
        main, = [one for one in spec["containers"] if one["name"] == "main"]
        workload["spec"].update(at_work(main))
        create(world, ns, semaphore, workload)
        holder = wait_for("it works", lambda: next((one["metadata"]["name"] for one in world.api.list(ns, "pods")
                                                    if state(one) == "running" and times(world.logs(ns, one["metadata"]["name"]))), None), 90)
        with Log(world, ns, holder) as log:
            world.api.create(ns, "pods", pod("next", [run(AT_WORK, "--wait", semaphore=name)]))
            wait_for("the next waits", lambda: any(phase(one) == "Pending" for one in world.api.list(ns, "permits")), 60)
            world.kubectl("-n", ns, "delete", "rolebinding", "holder")
            wait_for("the next works", lambda: times(world.logs(ns, "next")), 90)
            earlier, later = log.all_times(), times(world.logs(ns, "next"))
        say(f"      {name}: main was stopped {(later[0] - earlier[-1]) / 1e9:.1f} s before the next began")
        assert earlier[-1] < later[0], f"together for {(earlier[-1] - later[0]) / 1e9:.3f} s"
        after = world.api.get(ns, "pods", holder)
        assert is_finished(after) or restarts(after) == 1 and not times(world.logs(ns, holder)), f"main works on\n{world.describe(ns)}"


@slow
def test_a_native_sidecar_that_cannot_renew_stops_main_in_time(world):
    def at_work(main):
        main["command"] = ["sh", "-c", f"trap '' TERM; {AT_WORK}"]
        return {"completions": 1, "parallelism": 1}
    lost(world, "native-sidecar", at_work)


@slow
def test_a_sidecar_that_cannot_renew_stops_main_in_time(world):
    def at_work(main):
        main["command"] = [word.replace("trap exit TERM", "trap '' TERM") for word in main["command"]]
        assert "trap '' TERM" in main["command"][-1]
        return {"replicas": 1}
    lost(world, "sidecar", at_work)
