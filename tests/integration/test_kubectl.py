"""What people and controllers do with kubectl alone: wait, explain, select, scale, autoscale, apply again and again."""
import concurrent.futures
import json
import time

from harness import wait_for
from kinds import BOOKSHELF, permit, phase, semaphore

POOL = concurrent.futures.ThreadPoolExecutor(4)
LONGEST_NAME = "q" + 62 * "x"


def manifest(name, **spec):
    return json.dumps({**semaphore(name, 0), "metadata": {"name": name, "labels": {"app": "demo"}}, "spec": spec})


def granted(world, ns, name):
    return wait_for(f"{name} holds", lambda: phase(c := world.api.get(ns, "permits", name)) == "Granted" and c)


def status_of(world, ns, name="q"):
    return world.api.get(ns, "semaphores", name).get("status", {})


def serves(world, ns, permits, name="q"):
    """Waits until the operator has seen the limit, and with it everything else of the spec."""
    return wait_for(f"{permits} permits are served", lambda: (s := status_of(world, ns, name)).get("permits") == permits and s)


def scale_of(world, ns, name="q"):
    return world.api.request("GET", world.api.path(ns, "semaphores", name, "scale"))


def test_wait_ends_when_a_condition_or_a_phase_is_reached(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 0))
        world.api.create(ns, "permits", permit("x", "q"))
        world.kubectl("wait", "-n", ns, "--for=condition=Ready", "semaphore/q", "--timeout=20s")
        world.kubectl("wait", "-n", ns, "--for=jsonpath={.status.phase}=Paused", "semaphore/q", "--timeout=20s")
        world.kubectl("wait", "-n", ns, "--for=jsonpath={.status.phase}=Pending", "permit/x", "--timeout=20s")
        early = world.kubectl("wait", "-n", ns, "--for=condition=Granted", "permit/x", "--timeout=1s", check=False)
        assert early.returncode == 1 and "timed out" in early.stderr, early.stderr
        waits = [POOL.submit(world.kubectl, "wait", "-n", ns, "--for=" + what, name, "--timeout=30s") for what, name in (
            ("condition=Granted", "permit/x"), ("jsonpath={.status.phase}=Granted", "permit/x"), ("jsonpath={.status.phase}=Ready", "semaphore/q"),
            ("jsonpath={.status.inUse}=1", "semaphore/q"))]
        world.api.patch(ns, "semaphores", "q", {"spec": {"permits": 1}})
        for one in waits:
            assert "condition met" in one.result(40).stdout


def undescribed(schema, path):
    """Paths of the fields that `kubectl explain` has no words for."""
    if path != ".metadata" and not schema.get("description"):
        yield path
    for name, inner in schema.get("properties", {}).items():
        yield from undescribed(inner, f"{path}.{name}")
    for member in ("items", "additionalProperties"):
        if isinstance(schema.get(member), dict):
            yield from undescribed(schema[member], path + "[]")


def test_explain_has_words_for_every_field(world):
    for plural in ("semaphores", "permits"):
        crd = world.api.request("GET", f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{plural}.sync.konductor.io")
        schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        assert list(undescribed(schema, "")) == [], plural

    def explain(*arguments):
        # The server publishes the schema of a new CRD a moment after it serves it.
        return wait_for("it is published", lambda: (done := world.kubectl("explain", *arguments, check=False)).returncode == 0 and done.stdout)

    assert "How many permits may be held at once" in explain("semaphore.spec.permits")
    assert "first ten holders" in explain("semaphore.status.holders")
    assert "raises its priority by 1" in explain("semaphore.spec.priorityAging")
    assert "Who holds it" in explain("semaphore.status.holders.holder")
    fields = explain("permit.spec", "--recursive")
    for field in ("semaphore", "permits", "pod", "uid", "holder", "ttl", "priority", "wait", "requestedAt", "renewTime"):
        assert field in fields, field
    assert "<no description>" not in explain("semaphore.spec") + explain("semaphore.status") + explain("permit.spec") + explain("permit.status")


def test_permits_are_selected_by_semaphore_and_phase(world):
    with world.operator(), world.namespace() as ns:
        for name in ("q", "other"):
            world.api.create(ns, "semaphores", semaphore(name, 1))
            world.api.create(ns, "permits", permit(f"{name}-first", name))
            granted(world, ns, f"{name}-first")
            world.api.create(ns, "permits", permit(f"{name}-second", name))
            world.kubectl("wait", "-n", ns, "--for=jsonpath={.status.phase}=Pending", f"permit/{name}-second", "--timeout=20s")

        def selected(selector):
            return sorted(world.kubectl("get", "permits", "-n", ns, "--field-selector", selector, "-o", "name").stdout.split())

        prefix = "permit.sync.konductor.io/"
        assert selected("spec.semaphore=q,status.phase=Granted") == [prefix + "q-first"]
        assert selected("spec.semaphore=q") == [prefix + "q-first", prefix + "q-second"]
        assert selected("status.phase!=Granted") == [prefix + "other-second", prefix + "q-second"]
        assert selected("spec.semaphore=nobody") == []
        unknown = world.kubectl("get", "permits", "-n", ns, "--field-selector", "spec.holder=me", check=False)
        assert unknown.returncode == 1 and "field label not supported" in unknown.stderr, unknown.stderr


def test_scale_changes_the_limit(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        for name in ("first", "second"):
            world.api.create(ns, "permits", permit(name, "q"))
        granted(world, ns, "first")
        world.kubectl("scale", "-n", ns, "semaphore/q", "--replicas=7")
        granted(world, ns, "second")
        serves(world, ns, 7)
        scale = scale_of(world, ns)
        assert scale["spec"] == {"replicas": 7}, scale
        assert scale["status"] == {"replicas": 7, "selector": "sync.konductor.io/semaphore=q"}, scale
        world.kubectl("scale", "-n", ns, "sem", "q", "--current-replicas=7", "--replicas=0")
        assert serves(world, ns, 0)["phase"] == "Paused"
        assert phase(world.api.get(ns, "permits", "second")) == "Granted", "who holds keeps what it has"
        world.api.create(ns, "permits", permit("third", "q"))
        world.kubectl("wait", "-n", ns, "--for=jsonpath={.status.phase}=Pending", "permit/third", "--timeout=20s")
        world.kubectl("scale", "-n", ns, "semaphore/q", "--replicas=3")
        granted(world, ns, "third")


def test_scale_refuses_what_is_no_limit(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        world.api.create(ns, BOOKSHELF.plural, BOOKSHELF.primitive("b"))
        for replicas, words in (("2147483648", "int32"), ("2147483647", "spec.permits"), ("1000001", "should be less than or equal to 1000000"),
                                ("-1", "replicas")):
            done = world.kubectl("scale", "-n", ns, "semaphore/q", f"--replicas={replicas}", check=False)
            assert done.returncode == 1 and words in done.stderr, f"{replicas}: {done.stderr}"
        done = world.kubectl("scale", "-n", ns, "semaphore/q", "--current-replicas=5", "--replicas=2", check=False)
        assert done.returncode == 1 and "Expected replicas to be 5" in done.stderr, done.stderr
        done = world.kubectl("scale", "-n", ns, "bookshelf/b", "--replicas=2", check=False)
        assert done.returncode == 1 and "NotFound" in done.stderr, done.stderr
        assert world.api.get(ns, "semaphores", "q")["spec"]["permits"] == 1


def test_the_selector_is_one_whatever_the_name(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore(LONGEST_NAME, 1))
        serves(world, ns, 1, LONGEST_NAME)
        selector = scale_of(world, ns, LONGEST_NAME)["status"]["selector"]
        assert selector == f"sync.konductor.io/semaphore={LONGEST_NAME}"
        world.kubectl("get", "pods", "-n", ns, "-l", selector)


def test_people_who_may_edit_may_scale(world):
    with world.namespace() as ns:
        wait_for("the default service account is there", lambda: world.api.list(ns, "serviceaccounts"))
        world.kubectl("create", "rolebinding", "edits", "-n", ns, "--clusterrole=edit", f"--serviceaccount={ns}:default")

        def may(verb, subresource):
            return world.kubectl("auth", "can-i", verb, "semaphores.sync.konductor.io", f"--subresource={subresource}", "-n", ns,
                                 f"--as=system:serviceaccount:{ns}:default", check=False).stdout.strip()

        wait_for("the roles are aggregated", lambda: may("patch", "scale") == "yes")
        assert may("get", "scale") == "yes" and may("update", "scale") == "yes"
        assert may("patch", "status") == "no", "only the operator writes it"


def autoscaler(least, most):
    return {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "q"},
            "spec": {"scaleTargetRef": {"apiVersion": "sync.konductor.io/v1", "kind": "Semaphore", "name": "q"}, "minReplicas": least, "maxReplicas": most,
                     "metrics": [{"type": "External", "external": {"metric": {"name": "queue_length"}, "target": {"type": "AverageValue", "averageValue": "30"}}}]}}


def test_a_horizontal_pod_autoscaler_can_scale_it(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 2))
        serves(world, ns, 2)
        path = f"/apis/autoscaling/v2/namespaces/{ns}/horizontalpodautoscalers"
        world.api.request("POST", path, autoscaler(3, 9))

        def able():
            status = world.api.request("GET", f"{path}/q").get("status", {})
            conditions = {c["type"]: c for c in status.get("conditions") or []}
            return conditions.get("AbleToScale", {}).get("status") == "True" and status

        # Without metrics of its own the controller still keeps its bounds: it raises the limit to the least.
        wait_for("the limit is raised to minReplicas", lambda: world.api.get(ns, "semaphores", "q")["spec"]["permits"] == 3, 90)
        serves(world, ns, 3)
        assert wait_for("the condition AbleToScale is true", able, 60)["currentReplicas"] in (2, 3), "the limit that it saw served"


def apply(world, ns, manager, text, *flags, check=True):
    return world.kubectl("apply", "-n", ns, "--server-side", f"--field-manager={manager}", "-f", "-", *flags, input=text, check=check)


def does_not_drift(world, ns, manager, text, plural, name):
    """kubectl diff reads the object twice: what it shows counts only if nobody wrote in between."""
    def version():
        return world.api.get(ns, plural, name)["metadata"]["resourceVersion"]

    def undisturbed():
        before = version()
        done = world.kubectl("diff", "-n", ns, "--server-side", f"--field-manager={manager}", "-f", "-", input=text, check=False)
        assert done.returncode in (0, 1), done.stderr
        return version() == before and done

    shown = wait_for("nobody writes while kubectl diff reads", undisturbed).stdout
    assert shown == "", shown


def managers(world, ns, plural, name):
    found = world.api.get(ns, plural, name)["metadata"]["managedFields"]
    return sorted((e["manager"], e["operation"], e.get("subresource", "")) for e in found)


def operators_entry(world, ns, plural, name):
    entries = [e for e in world.api.get(ns, plural, name)["metadata"]["managedFields"] if e.get("subresource") == "status"]
    assert len(entries) == 1 and entries[0]["manager"] == "konductor", entries
    return entries[0]["fieldsV1"]


def test_applying_the_same_again_and_again_changes_nothing(world):
    with world.operator(), world.namespace() as ns:
        text = manifest("q", permits=2, ttl="10m", priorityAging="5m", maxPriority=10)
        apply(world, ns, "argocd-controller", text)
        serves(world, ns, 2)
        world.api.create(ns, "permits", permit("p0", "q"))
        granted(world, ns, "p0")
        wait_for("the holder is shown", lambda: status_of(world, ns).get("holders"))
        before = operators_entry(world, ns, "semaphores", "q")
        for turn in range(1, 6):
            world.api.create(ns, "permits", permit(f"p{turn}", "q"))
            granted(world, ns, f"p{turn}")
            world.api.delete(ns, "permits", f"p{turn - 1}")
            for manager in ("argocd-controller", "kustomize-controller"):
                apply(world, ns, manager, text)
                does_not_drift(world, ns, manager, text, "semaphores", "q")
        shown = world.api.get(ns, "semaphores", "q")
        assert shown["metadata"]["generation"] == 1, "nothing of the spec has changed"
        assert shown["status"]["phase"] == "Ready"
        assert managers(world, ns, "semaphores", "q") == [("argocd-controller", "Apply", ""), ("konductor", "Update", "status"),
                                                          ("kustomize-controller", "Apply", "")]
        assert operators_entry(world, ns, "semaphores", "q") == before, "what the operator owns does not grow"
        assert len(json.dumps(before)) < 1500, before


def test_a_permit_in_a_manifest_does_not_drift(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        text = json.dumps(permit("x", "q"))
        apply(world, ns, "argocd-controller", text)
        granted(world, ns, "x")
        apply(world, ns, "argocd-controller", text)
        does_not_drift(world, ns, "argocd-controller", text, "permits", "x")
        operators_entry(world, ns, "permits", "x")


def test_a_limit_that_somebody_else_scales_is_the_one_conflict(world):
    with world.operator(), world.namespace() as ns:
        whole, rest = manifest("q", permits=2, ttl="10m"), manifest("q", ttl="10m")
        apply(world, ns, "argocd-controller", whole)
        serves(world, ns, 2)
        world.kubectl("scale", "-n", ns, "semaphore/q", "--replicas=5")
        serves(world, ns, 5)
        refused = apply(world, ns, "argocd-controller", whole, check=False)
        assert refused.returncode == 1 and "conflict" in refused.stderr and ".spec.permits" in refused.stderr, refused.stderr
        assert ".spec.ttl" not in refused.stderr and ".status" not in refused.stderr, refused.stderr
        for _ in range(3):  # with the limit left to whoever scales it
            apply(world, ns, "argocd-controller", rest)
            does_not_drift(world, ns, "argocd-controller", rest, "semaphores", "q")
        assert world.api.get(ns, "semaphores", "q")["spec"] == {"permits": 5, "ttl": "10m"}
        apply(world, ns, "argocd-controller", whole, "--force-conflicts")
        serves(world, ns, 2)
        first = apply(world, ns, "argocd-controller", manifest("new", ttl="10m"), check=False)
        assert first.returncode == 1 and "spec.permits: Required value" in first.stderr, first.stderr


def test_ages_and_caps_are_refused_with_a_sentence(world):
    with world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        sentence = "priorityAging is a duration from 1s to 8760h, such as 90s, 10m or 1h30m"
        for aging in ("often", "", "60", "999ms", "8761h", "-5m", "5 m", "1d", "9999999999999999999999999h"):
            status, body = world.api.patch(ns, "semaphores", "q", {"spec": {"priorityAging": aging}}, expect_ok=False)
            assert status == 422 and sentence in body["message"], f"{aging}: {status} {body.get('message')}"
        for value, words in ((1000001, "less than or equal to 1000000"), (-1000001, "greater than or equal to -1000000"), ("high", "must be of type integer"),
                             (1.5, "must be of type integer")):
            status, body = world.api.patch(ns, "semaphores", "q", {"spec": {"maxPriority": value}}, expect_ok=False)
            assert status == 422 and words in body["message"], f"{value}: {status} {body.get('message')}"
        for aging in ("1s", "1.5m", "1h30m", "8760h"):
            world.api.patch(ns, "semaphores", "q", {"spec": {"priorityAging": aging}})


def test_who_has_waited_long_is_served_before_a_higher_priority(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1, priorityAging="1s", maxPriority=2))
        world.api.create(ns, "permits", permit("busy", "q"))
        granted(world, ns, "busy")
        world.api.create(ns, "permits", permit("patient", "q", priority=-1))
        time.sleep(5)  # what is tested is the passing of time
        world.api.create(ns, "permits", permit("urgent", "q", priority=1000))

        def places():
            table = world.kondctl("semaphore", "status", "q", "-n", ns, check=True).stdout.splitlines()
            return {row.split()[0]: row.split()[1] for row in table if row.split()[:1] in (["patient"], ["urgent"])}

        wait_for("both wait", lambda: status_of(world, ns).get("waiting") == 2)
        assert places() == {"patient": "1", "urgent": "2"}, "as the semaphore itself would serve them"
        world.api.delete(ns, "permits", "busy")
        granted(world, ns, "patient")
        assert phase(world.api.get(ns, "permits", "urgent")) != "Granted"


def test_waiting_alone_can_bring_a_small_request_past_a_large_one(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 3, priorityAging="6s"))
        world.api.create(ns, "permits", permit("two", "q", permits=2))
        world.api.create(ns, "permits", permit("one", "q"))
        granted(world, ns, "two"), granted(world, ns, "one")
        began = time.monotonic()
        world.api.create(ns, "permits", permit("small", "q"))
        time.sleep(2)  # what is tested is the passing of time
        world.api.create(ns, "permits", permit("large", "q", permits=3, priority=1))
        wait_for("both wait", lambda: status_of(world, ns).get("waiting") == 2)
        world.api.delete(ns, "permits", "one")
        wait_for("one is free", lambda: status_of(world, ns).get("available") == 1)
        assert phase(world.api.get(ns, "permits", "small")) != "Granted" and time.monotonic() - began < 5, "the large one is ahead, at first"
        granted(world, ns, "small")
        assert time.monotonic() - began < 12, "nothing but time has passed"


def test_holders_are_listed_for_people(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 12))
        names = [f"p{i:02d}" for i in range(12)]
        for name in names:
            world.api.create(ns, "permits", permit(name, "q"))
            granted(world, ns, name)

        def shown():
            return [line["name"].split("/")[1] for line in status_of(world, ns).get("holders", [])]

        wait_for("the first ten are listed, in the order of their grants", lambda: shown() == names[:10])
        text = world.kubectl("get", "semaphore", "q", "-n", ns, "-o", "yaml").stdout
        assert "holder: p00" in text and "units: 1" in text and "since:" in text, text
        wide = [row.split() for row in world.kubectl("get", "semaphore", "q", "-n", ns, "-o", "wide").stdout.splitlines()]
        assert dict(zip(*wide))["HELD-BY"] == "p00", wide
        rows = world.kubectl("get", "permits", "-n", ns, "--field-selector", "status.phase=Granted").stdout.splitlines()
        assert "HOLDER" in rows[0] and len(rows) == 13
        settled = wait_for("all is written", lambda: (q := world.api.get(ns, "semaphores", "q"))["status"].get("inUse") == 12 and q)
        for count in range(20):
            world.api.patch(ns, "permits", "p00", {"spec": {"renewTime": f"2026-01-01T00:00:{count:02d}.000000Z"}})
        time.sleep(1)  # longer than changes are gathered for
        assert world.api.get(ns, "semaphores", "q")["metadata"]["resourceVersion"] == settled["metadata"]["resourceVersion"], "a renewal writes nothing here"
        for name in names[:3]:
            world.api.delete(ns, "permits", name)
        wait_for("who is gone is not listed, and who follows is", lambda: shown() == names[3:], 5)
