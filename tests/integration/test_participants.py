"""Kinds that count: who a claim stands for, whichever Pod it came in, and what one write of the primitive means for all."""
import contextlib

from credentials import operator_user
from harness import POOL, Operator, create_all, wait_for
from kinds import phase
from test_plans import attendee, events, meeting, shown
from test_pods import pod, pod_exists

INDEX = "batch.kubernetes.io/job-completion-index"


def of_pod(name, meeting_name, pod_object, **spec):
    meta = pod_object["metadata"]
    body = attendee(name, meeting_name)
    body["spec"] |= {"pod": {"name": meta["name"], "uid": meta["uid"]}, **spec}
    return body


def jobs(ns, name=""):
    return f"/apis/batch/v1/namespaces/{ns}/jobs" + (f"/{name}" if name else "")


def job(world, ns, name, **spec):
    """A Job, whose Pods the controller manager makes; nothing runs them."""
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "none"}]}}
    body = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": {"template": template, **spec}}
    return world.api.request("POST", jobs(ns), body)


def pods_of(world, ns, name, count, without=()):
    """So many Pods of the Job, none of them among those."""
    def there():
        mine = [p for p in world.api.list(ns, "pods") if p["metadata"].get("labels", {}).get("job-name") == name
                and p["metadata"]["uid"] not in without and "deletionTimestamp" not in p["metadata"]]
        return len(mine) == count and mine
    return wait_for(f"{count} pods of {name}", there)


def kill(world, ns, pod_object):
    world.api.request("DELETE", world.api.path(ns, "pods", pod_object["metadata"]["name"]), {"gracePeriodSeconds": 0})


def participant(world, ns, name):
    """Once it is known: who it is, and the condition that doubts it."""
    status = wait_for(f"it is known who {name} is", lambda: (s := world.api.get(ns, "attendees", name).get("status", {})).get("participant") and s)
    conditions = [c for c in status.get("conditions", []) if c["type"] == "Participant"]
    return status["participant"], conditions[0] if conditions else None


def index_of(pod_object):
    meta = pod_object["metadata"]
    return meta.get("labels", {}).get(INDEX) or meta["annotations"][INDEX]


def test_a_retried_pod_of_an_indexed_job_is_the_same_participant(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "meetings", meeting("m", 2))
        pod_exists(world, ns)
        made = job(world, ns, "train", completions=2, parallelism=2, completionMode="Indexed", backoffLimit=9)
        pods = {index_of(p): p for p in pods_of(world, ns, "train", 2)}
        world.api.create(ns, "attendees", of_pod("first", "m", pods["0"]))
        assert participant(world, ns, "first") == (f"{made['metadata']['uid']}/0", None)
        shown(world, ns, "meetings", "m", phase="Gathering", present=1)
        kill(world, ns, pods["0"])
        again = pods_of(world, ns, "train", 1, [p["metadata"]["uid"] for p in pods.values()])[0]
        assert index_of(again) == "0"
        world.api.create(ns, "attendees", of_pod("retry", "m", again))
        assert participant(world, ns, "retry") == participant(world, ns, "first")
        assert shown(world, ns, "meetings", "m", present=1)["phase"] == "Gathering", "the second is not there yet"
        world.api.create(ns, "attendees", of_pod("second", "m", pods["1"]))
        shown(world, ns, "meetings", "m", phase="Begun", present=2)


def test_a_job_of_one_completion_is_one_participant_also_by_the_printed_role(world):
    with operator_user(world, "operator-that-counts") as kubeconfig, world.operator(kubeconfig=kubeconfig) as operator, world.namespace() as ns:
        world.api.create(ns, "meetings", meeting("m", 2))
        pod_exists(world, ns)
        made = job(world, ns, "once")
        first = pods_of(world, ns, "once", 1)[0]
        world.api.create(ns, "attendees", of_pod("first", "m", first))
        assert participant(world, ns, "first") == (made["metadata"]["uid"], None)
        kill(world, ns, first)
        again = pods_of(world, ns, "once", 1, [first["metadata"]["uid"]])[0]
        world.api.create(ns, "attendees", of_pod("retry", "m", again))
        assert participant(world, ns, "retry") == (made["metadata"]["uid"], None)
        assert shown(world, ns, "meetings", "m", present=1)["phase"] == "Gathering"
        assert not [line for line in operator.lines if "forbidden" in line], operator.lines


def test_a_pod_of_no_single_participant_counts_itself_with_a_warning(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "meetings", meeting("m", 9))
        pod_exists(world, ns)
        bare = world.api.create(ns, "pods", pod("bare"))
        job(world, ns, "many", completions=3, parallelism=1)
        one = pods_of(world, ns, "many", 1)[0]
        for name, named, why in (("a", bare, "pod bare belongs to no Job"), ("b", one, "Job many has 3 completions without indexes")):
            world.api.create(ns, "attendees", of_pod(name, "m", named))
            who, condition = participant(world, ns, name)
            assert who == named["metadata"]["uid"], who
            assert (condition["status"], condition["reason"]) == ("False", "PodIsParticipant"), condition
            assert why in condition["message"] and "--seat or spec.seat" in condition["message"], condition
        shown(world, ns, "meetings", "m", present=2)


def test_a_claim_whose_pod_is_gone_is_not_counted_and_says_so(world):
    with world.namespace() as ns:
        world.api.create(ns, "meetings", meeting("m", 2))
        pod_exists(world, ns)
        bare = world.api.create(ns, "pods", pod("bare"))
        retried = world.api.create(ns, "pods", pod("retried"))
        kill(world, ns, retried)
        other = {"metadata": {"name": "bare", "uid": "00000000-0000-0000-0000-000000000000"}}
        world.api.create(ns, "attendees", of_pod("here", "m", bare))
        for name, named in (("gone", retried), ("other", other)):
            world.api.create(ns, "attendees", of_pod(name, "m", named))
        with world.operator():
            participant(world, ns, "here")
            for name, why in (("gone", "pod retried was gone"), ("other", "pod bare was gone, and another had its name")):
                status = wait_for(f"{name} hears why", lambda: world.api.get(ns, "attendees", name).get("status"))
                condition = status["conditions"][0]
                assert "participant" not in status, status
                assert (condition["type"], condition["status"], condition["reason"]) == ("Participant", "Unknown", "PodGone"), condition
                assert why in condition["message"] and "--seat or spec.seat" in condition["message"], condition

            def ready():
                status = world.api.get(ns, "meetings", "m").get("status", {})
                return next((c for c in status.get("conditions", []) if c["type"] == "Ready"), {})
            wait_for("it says how many", lambda: "2 of them will not be" in ready().get("message", ""))
            assert ready()["reason"] == "ParticipantsUnknown" and "2 attendees cannot be counted yet" in ready()["message"], ready()
            assert shown(world, ns, "meetings", "m", present=1)["phase"] == "Gathering"
            world.api.create(ns, "attendees", of_pod("again", "m", retried, seat="ann"))
            shown(world, ns, "meetings", "m", phase="Begun", present=2)
            for name in ("gone", "other"):
                world.api.delete(ns, "attendees", name)
            wait_for("all is well", lambda: ready().get("reason") != "ParticipantsUnknown")


def test_who_names_itself_is_not_looked_up(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "meetings", meeting("m", 2))
        gone = {"metadata": {"name": "gone", "uid": "11111111-0000-0000-0000-000000000000"}}
        world.api.create(ns, "attendees", of_pod("a", "m", gone, seat="ann"))
        world.api.create(ns, "attendees", attendee("b", "m", "ann"))
        shown(world, ns, "meetings", "m", present=1, phase="Gathering")
        assert "status" not in world.api.get(ns, "attendees", "a"), "it costs no write"
        world.api.create(ns, "attendees", attendee("c", "m"))
        shown(world, ns, "meetings", "m", present=2, phase="Begun")


def test_a_participant_stays_who_it_was_for_the_next_operator(world):
    with world.namespace() as ns:
        pod_exists(world, ns)
        world.api.create(ns, "meetings", meeting("m", 2))
        made = job(world, ns, "once")
        first = pods_of(world, ns, "once", 1)[0]
        with world.operator():
            world.api.create(ns, "attendees", of_pod("first", "m", first))
            participant(world, ns, "first")
            shown(world, ns, "meetings", "m", present=1)
        kill(world, ns, first)
        again = pods_of(world, ns, "once", 1, [first["metadata"]["uid"]])[0]
        world.api.create(ns, "attendees", of_pod("retry", "m", again))
        with world.operator():
            assert participant(world, ns, "retry") == (made["metadata"]["uid"], None)
            world.api.create(ns, "attendees", attendee("looked", "m", "ann", session=1))
            wait_for("it has looked since", lambda: phase(world.api.get(ns, "attendees", "looked")) == "Denied")
            assert world.api.get(ns, "meetings", "m")["status"]["present"] == 1


def test_what_is_known_cannot_be_changed(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "meetings", meeting("m", 2))
        pod_exists(world, ns)
        bare = world.api.create(ns, "pods", pod("bare"))
        world.api.create(ns, "attendees", of_pod("a", "m", bare))
        participant(world, ns, "a")
        for body, sub, words in (({"status": {"participant": "me"}}, "status", "status.participant cannot be changed once it is known"),
                                 ({"status": None}, "status", "what stands in the status stays so"),
                                 ({"spec": {"seat": "me"}}, "", "spec.seat cannot be changed")):
            status, answer = world.api.patch(ns, "attendees", "a", body, sub, expect_ok=False)
            assert status == 422 and words in answer["message"], answer


def test_a_claim_that_is_refused_hears_why_and_that_is_final(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "meetings", meeting("m", 2))
        world.api.create(ns, "attendees", attendee("a", "m", "ann", session=1))
        denied = wait_for("it is denied", lambda: phase(a := world.api.get(ns, "attendees", "a")) == "Denied" and a)
        condition = denied["status"]["conditions"][0]
        assert (condition["status"], condition["reason"], condition["message"]) == ("False", "NoSessions", "this meeting has no sessions"), condition
        wait_for("an Event says so", lambda: ("Warning", "NoSessions") in events(world, ns, "a"))
        status, answer = world.api.patch(ns, "attendees", "a", {"status": None}, "status", expect_ok=False)
        assert status == 422 and "stays so; delete this and ask again" in answer["message"], answer
        assert world.api.get(ns, "meetings", "m")["status"]["present"] == 0


def test_claims_that_are_counted_have_no_fields_of_grants(world):
    with world.namespace() as ns:
        body = attendee("a", "m", "ann")
        body["spec"] |= {"ttl": "1s", "priority": 5, "wait": False, "renewTime": "2024-01-01T00:00:00Z"}
        made = world.api.create(ns, "attendees", body)
        assert made["spec"] == {"meeting": "m", "holder": "a", "seat": "ann"}, made["spec"]
        changed = world.api.patch(ns, "attendees", "a", {"status": {"phase": "Granted"}}, "status", expect_ok=False)
        assert changed[0] == 422, changed


def test_sessions_begin_one_after_the_other(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "meetings", meeting("m", 2, sessions=True))
        create_all(world, ns, "attendees", [attendee(f"{seat}2", "m", seat, session=2) for seat in ("ann", "bob")])
        world.api.create(ns, "attendees", attendee("ann1", "m", "ann", session=1))
        shown(world, ns, "meetings", "m", phase="Gathering", present=1, begunSession=0)
        world.api.create(ns, "attendees", attendee("bob1", "m", "bob", session=1))
        shown(world, ns, "meetings", "m", begunSession=2)
        world.api.create(ns, "attendees", attendee("none", "m", "ann"))
        wait_for("one without a session is denied", lambda: phase(world.api.get(ns, "attendees", "none")) == "Denied")


def test_a_thousand_arrivals_open_it_with_the_last_by_one_write(world):
    count = 1000
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "meetings", meeting("m", count))
        shown(world, ns, "meetings", "m", phase="Gathering")
        watch = Watcher(world, ns)
        create_all(world, ns, "attendees", [attendee(f"a{i:04d}", "m", f"s{i:04d}") for i in range(count - 1)])
        shown(world, ns, "meetings", "m", phase="Gathering", present=count - 1)
        last = int(world.api.create(ns, "attendees", attendee("last", "m", "last"))["metadata"]["resourceVersion"])
        opened = shown(world, ns, "meetings", "m", phase="Begun")
        assert opened["present"] == count and opened["state"] == {"begun": True}, opened
        assert next(c for c in opened["conditions"] if c["type"] == "Begun")["status"] == "True", opened
        wait_for("it was watched to the end", lambda: watch.versions and watch.phases[-1] == "Begun")
        assert watch.phases == sorted(watch.phases, key=["Gathering", "Begun"].index), "opened once"
        assert sum(version > last for version in watch.versions) == 1, (last, watch.versions)
        assert len(watch.versions) < count / 4, "counts are coalesced"


class Watcher:
    """Every state of meeting m that a watcher sees."""

    def __init__(self, world, ns):
        self.versions, self.phases = [], []
        self.world, self.path = world, world.api.path(ns, "meetings") + "?watch=true&timeoutSeconds=120"
        self.done = POOL.submit(self.run)

    def run(self):
        import http.client
        import json
        api = self.world.api
        connection = http.client.HTTPSConnection(api.host.hostname, api.host.port, context=api.context, timeout=120)
        with contextlib.closing(connection):
            connection.request("GET", self.path)
            for line in connection.getresponse():
                status = json.loads(line)["object"].get("status", {})
                self.versions.append(int(json.loads(line)["object"]["metadata"]["resourceVersion"]))
                self.phases.append(status.get("phase", "Gathering"))
                if self.phases[-1] == "Begun":
                    return


def test_an_operator_that_starts_into_a_crowd_counts_all_of_it(world):
    """Two hundred Pods, some of them gone meanwhile: those are not counted and hear why, and nobody is counted twice."""
    count, gone = 200, {f"a{i:03d}" for i in range(0, 200, 4)}
    there = count - len(gone)
    with world.namespace() as ns:
        pod_exists(world, ns)
        world.api.create(ns, "meetings", meeting("m", there + 1))
        pods = create_all(world, ns, "pods", [pod(f"w{i:03d}") for i in range(count)])
        create_all(world, ns, "attendees", [of_pod(f"a{i:03d}", "m", pods[i]) for i in range(count)])
        list(POOL.map(lambda i: kill(world, ns, pods[i]), range(0, count, 4)))
        with world.operator():
            def told():
                return {a["metadata"]["name"]: a["status"] for a in world.api.list(ns, "attendees") if "status" in a}
            wait_for("all are counted, or hear why not", lambda: len(told()) == count)
            shown(world, ns, "meetings", "m", phase="Gathering", present=there)
            seen = {name: status.get("participant") for name, status in told().items()}
            assert {name for name, who in seen.items() if who is None} == gone
            assert len(set(seen.values())) == there + 1
            assert all(told()[name]["conditions"][0]["reason"] == "PodGone" for name in gone)
        restarted = Operator(world).start()
        try:
            world.api.create(ns, "attendees", attendee("last", "m", "ann"))
            shown(world, ns, "meetings", "m", phase="Begun", present=there + 1)
            assert {a["metadata"]["name"]: a["status"].get("participant") for a in world.api.list(ns, "attendees") if "status" in a} == seen
        finally:
            restarted.kill()
