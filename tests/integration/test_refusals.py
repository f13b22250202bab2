"""What the API server refuses by the rules of our CRDs, and what the operator does where nothing it can rely on is stored."""
import contextlib
import json

import harness
from harness import wait_for
from kinds import BOOKSHELF, FAUCET, HOLDING, permit, phase, semaphore
from test_plans import attendee

ANOTHER_POD = {"name": "other", "uid": "99999999-2222-3333-4444-555555555555"}


def refused(answer, words, what=""):
    status, body = answer
    assert status in (403, 422), f"{what}: {status} {body.get('message', body)}"
    assert words in body["message"], f"{what}: {body['message']}"


def put(world, ns, kind, claim, sub=""):
    name = claim["metadata"]["name"]
    return world.api.request("PUT", world.api.path(ns, kind.claim_plural, name, sub), claim, expect_ok=False)


def granted(world, ns, kind, name="holder", **spec):
    world.api.create(ns, kind.claim_plural, kind.claim(name, "q", **spec))
    return wait_for(f"{name} holds", lambda: phase(c := world.api.get(ns, kind.claim_plural, name)) == "Granted" and c)


def ready(primitive):
    """The condition Ready."""
    conditions = {c["type"]: c for c in primitive.get("status", {}).get("conditions", [])}
    return conditions.get("Ready", {"status": "", "reason": ""})


def test_what_was_granted_cannot_be_edited(world):
    with world.operator(), world.namespace() as ns:
        own = {"Semaphore": {"permits": 2}, "Bookshelf": {"mode": "read"}}
        for kind in HOLDING:
            world.api.create(ns, kind.plural, kind.primitive("q"))
            claim = granted(world, ns, kind)
            edits = {kind.field: "elsewhere", "pod": ANOTHER_POD, "holder": "other", "wait": False, "requestedAt": "2026-01-01T00:00:00.000000Z",
                     **own[kind.kind]}
            for field, value in edits.items():
                words = f"spec.{field} cannot be changed; delete this and ask again"
                refused(world.api.patch(ns, kind.claim_plural, "holder", {"spec": {field: value}}, expect_ok=False), words, f"patch {field}")
                refused(put(world, ns, kind, {**claim, "spec": {**claim["spec"], field: value}}), words, f"put {field}")
            refused(world.api.patch(ns, kind.claim_plural, "holder", {"spec": {"holder": None}}, expect_ok=False), "spec.holder cannot be changed", "removed")
            for field, value in {"ttl": "1h", "priority": 7}.items():
                refused(world.api.patch(ns, kind.claim_plural, "holder", {"spec": {field: value}}, expect_ok=False),
                        f"spec.{field} can be changed only while this waits", field)
            for field, value in {"token": 1, "units": 9, "ttl": "99h"}.items():
                for changed in (value, None):
                    refused(world.api.patch(ns, kind.claim_plural, "holder", {"status": {field: changed}}, "status", expect_ok=False),
                            f"status.{field} cannot be changed once it is granted", f"{field} {changed}")
            for body, words in (({"status": None}, "stays so"), ({"status": {}}, "cannot be changed once it is granted")):
                whole = {k: v for k, v in claim.items() if k != "status"} | body
                refused(put(world, ns, kind, {**whole, "metadata": {**claim["metadata"]}}, "status"), words, str(body))
            refused(world.api.patch(ns, kind.claim_plural, "holder", {"status": None}, "status", expect_ok=False), "stays so")
            world.api.patch(ns, kind.claim_plural, "holder", {"spec": {"renewTime": "2026-01-01T00:00:01.000000Z"}})
            after = world.api.get(ns, kind.claim_plural, "holder")
            assert after["status"] == claim["status"] and {**after["spec"], "renewTime": 0} == {**claim["spec"], "renewTime": 0}, "only the renewal"


def test_a_claim_of_a_pod_keeps_its_pod(world):
    with world.namespace() as ns:
        mine = {"name": "mine", "uid": "11111111-2222-3333-4444-555555555555"}
        world.api.create(ns, "permits", permit("p", "q", pod=mine))
        for what in (ANOTHER_POD, {"uid": ANOTHER_POD["uid"]}, {"name": "other"}, None):
            refused(world.api.patch(ns, "permits", "p", {"spec": {"pod": what}}, expect_ok=False), "spec.pod cannot be changed", str(what))
        assert world.api.get(ns, "permits", "p")["spec"]["pod"] == mine


def test_while_it_waits_ttl_and_priority_may_change(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 0))
        world.api.create(ns, "permits", permit("p", "q"))
        wait_for("it waits", lambda: phase(world.api.get(ns, "permits", "p")) == "Pending")
        world.api.patch(ns, "permits", "p", {"spec": {"ttl": "3m", "priority": 9}})
        refused(world.api.patch(ns, "permits", "p", {"spec": {"permits": 2}}, expect_ok=False), "spec.permits cannot be changed")
        world.api.patch(ns, "semaphores", "q", {"spec": {"permits": 1}})
        wait_for("it is granted, with what it said last", lambda: world.api.get(ns, "permits", "p").get("status", {}).get("ttl") == "3m")


def test_what_is_over_stays_over(world):
    with world.operator(), world.namespace() as ns:
        words = "stays so; delete this and ask again"
        for kind in HOLDING:
            world.api.create(ns, kind.plural, kind.primitive("q"))
            granted(world, ns, kind, ttl="1s")
            world.api.create(ns, kind.claim_plural, kind.claim("hasty", "q", wait=False))
            for name, end in (("hasty", "Denied"), ("holder", "Expired")):
                claim = wait_for(f"{name} is {end}", lambda: phase(c := world.api.get(ns, kind.claim_plural, name)) == end and c)
                for status in ({"phase": "Granted"}, {"phase": "Pending"}, {"phase": None}, {"phase": "Revoked"}, None):
                    what = f"{end} {status}"
                    refused(world.api.patch(ns, kind.claim_plural, name, {"status": status}, "status", expect_ok=False), words, what)
                    changed = dict(claim)
                    if status is None:
                        changed.pop("status")
                    else:
                        changed["status"] = {k: v for k, v in {**claim["status"], **status}.items() if v is not None}
                    refused(put(world, ns, kind, changed, "status"), words, "put " + what)
                    code, _ = put(world, ns, kind, changed)  # the status is no part of this; nothing happens
                    assert code == 200, "put " + what
                whole = world.api.request("PATCH", world.api.path(ns, kind.claim_plural, name, "status"),
                                          [{"op": "remove", "path": "/status"}], "application/json-patch+json", expect_ok=False)
                refused(whole, words, "removed")
                applied = {"apiVersion": claim["apiVersion"], "kind": claim["kind"], "metadata": {"name": name}, "status": {"phase": "Granted"}}
                path = world.api.path(ns, kind.claim_plural, name, "status") + "?fieldManager=intruder&force=true"
                refused(world.api.request("PATCH", path, applied, "application/apply-patch+yaml", expect_ok=False), words, "applied")
                after = world.api.get(ns, kind.claim_plural, name)
                assert after["status"] == claim["status"], after["status"]


def test_fields_that_do_not_exist_are_refused_or_dropped(world):
    with world.namespace() as ns:
        bodies = {"permits": permit("p", "q", bogus=1), "semaphores": semaphore("s", 1, size=3), "loans": BOOKSHELF.claim("l", "q", permits=2)}
        for plural, body in bodies.items():
            status, answer = world.api.request("POST", world.api.path(ns, plural) + "?fieldValidation=Strict", body, expect_ok=False)
            assert status == 400 and "unknown field" in answer["message"], answer
            made = world.api.create(ns, plural, body)
            assert not {"bogus", "size"} & set(made["spec"]) and (plural != "loans" or "permits" not in made["spec"]), made["spec"]
        done = world.kubectl("apply", "-n", ns, "-f", "-", input=json.dumps(permit("k", "q", permitz=2)), check=False)
        assert done.returncode != 0 and 'unknown field "spec.permitz"' in done.stderr, done.stderr
        stolen = world.api.create(ns, "permits", {**permit("stolen", "q"), "status": {"phase": "Granted", "token": 7, "units": 1}})
        assert "status" not in stolen, "a claim is not created granted"


def test_values_that_cannot_be_are_refused(world):
    with world.namespace() as ns:
        def code_of(plural, body):
            return world.api.request("POST", world.api.path(ns, plural), body, expect_ok=False)

        for ttl in ("0", "0s", "999ms", "90", "5d", "-5m", "9600h", "8760h1s", "", " 5m", "1h30", "soon", "5m" * 17, 90, None):
            for plural, body in (("semaphores", semaphore("s", 1, ttl=ttl)), ("permits", permit("p", "q", ttl=ttl))):
                if ttl is None:  # which is none at all
                    continue
                status, answer = code_of(plural, body)
                assert status == 422 and "spec.ttl" in answer["message"], f"{plural} {ttl!r}: {status} {answer.get('message')}"
        for ttl in ("1s", "90s", "5m", "1h30m", "8760h", "1.5h", "1500ms"):
            world.api.create(ns, "permits", permit("good-" + ttl.replace(".", "-"), "q", ttl=ttl))
        for permits in (-1, 1000001, 2**31, 2**63, 1.5, "five", None):
            status, answer = code_of("semaphores", semaphore("s", permits))
            assert status in (400, 422) and "permits" in answer["message"], f"{permits!r}: {status} {answer}"
        for permits in (0, -1, 2**31, 2**63, 1.5, "five"):
            status, answer = code_of("permits", permit("p", "q", permits=permits))
            assert status in (400, 422) and "permits" in answer["message"], f"{permits!r}: {status} {answer}"
        for name in ("", "Q", "a.b", "-a", "a/b", "n" * 64):
            status, answer = code_of("permits", permit("p", name))
            assert status == 422 and "spec.semaphore" in answer["message"], f"{name!r}: {status} {answer}"
        uid = "5f0c2a34-8b1f-4d5a-9c3e-0123456789ab"
        for plural, made in (("permits", permit("p", "q")), ("attendees", attendee("p", "q"))):
            for field, values in (("name", ("", "w/log", "w/", "..", "W", "a b", "w%2Flog", "-w", "w.", "w" * 254)),
                                  ("uid", ("", "a/b", "a b", "u" * 65))):
                for value in values:
                    body = {**made, "spec": {**made["spec"], "pod": {"name": "w", "uid": uid, field: value}}}
                    status, answer = code_of(plural, body)
                    assert status == 422 and f"spec.pod.{field}" in answer["message"], f"{plural} {field} {value!r}: {status} {answer.get('message')}"
        world.api.create(ns, "permits", permit("of-a-pod", "q", pod={"name": "w" * 200 + ".train-3-x7k2p", "uid": uid}))
        nameless = permit("p", "q")
        del nameless["spec"]["semaphore"]
        assert code_of("permits", nameless)[0] == 422
        for field, value in {"holder": "x" * 254, "priority": 1000001, "wait": "no", "pod": {"name": "n"}, "requestedAt": "yesterday"}.items():
            status, answer = code_of("permits", permit("p", "q", **{field: value}))
            assert status == 422 and f"spec.{field}" in answer["message"], f"{field}: {status} {answer}"
        refused(code_of("bookshelves", {**BOOKSHELF.primitive("b"), "spec": {"seats": 1001}}), "a shelf has at most 1000 seats", "a kind's own rule")
        refused(code_of("loans", BOOKSHELF.claim("l", "q", mode="sing")), "spec.mode")


# ---- what the operator relies on is not there


def test_a_ledger_that_cannot_be_read_stops_one_semaphore_until_it_is_mended(world):
    damages = {"lastToken": {"lastToken": None}, "seen": {"seen": None},
               "units": {"pending": [{"claim": "x/y", "uid": "u", "units": -1, "token": 5, "rv": "1"}]}}
    with world.operator() as operator, world.namespace() as ns:
        get = lambda name: world.api.get(ns, "semaphores", name)
        world.api.create(ns, "semaphores", semaphore("good", 10))
        world.api.create(ns, "semaphores", semaphore("q", 1))
        world.api.create(ns, "permits", permit("first", "q"))
        first = wait_for("first holds", lambda: phase(c := world.api.get(ns, "permits", "first")) == "Granted" and c)
        for what, damage in damages.items():
            # A tell that is forgotten on the way would mend it; so first nothing is on the way.
            ledger = wait_for("it rests", lambda: ready(get("q"))["status"] == "True" and get("q")["status"]["ledger"])
            world.api.patch(ns, "semaphores", "q", {"status": {"ledger": damage}}, "status")
            seen = wait_for(f"{what}: it says so", lambda: ready(c := get("q"))["reason"] == "LedgerUnreadable" and c)
            assert ready(seen)["status"] == "False" and "status.ledger is not readable" in ready(seen)["message"], ready(seen)
            world.api.create(ns, "permits", permit(f"waits-{what.lower()}", "q"))
            if what == "lastToken":
                world.api.delete(ns, "permits", "first")
            world.api.create(ns, "permits", permit(f"good-{what.lower()}", "good"))
            wait_for("another goes on", lambda: phase(world.api.get(ns, "permits", f"good-{what.lower()}")) == "Granted")
            if what == "seen":
                operator.kill()
                operator.start()
                world.api.create(ns, "permits", permit("good-again", "good"))
                wait_for("another goes on after a restart", lambda: phase(world.api.get(ns, "permits", "good-again")) == "Granted")
            claims = {c["metadata"]["name"]: phase(c) for c in world.api.list(ns, "permits") if c["spec"]["semaphore"] == "q"}
            assert claims[f"waits-{what.lower()}"] not in ("Granted", "Denied"), claims
            assert list(claims.values()).count("Granted") == (0 if what == "lastToken" else 1), claims
            damaged = get("q")["status"]["ledger"]
            assert all(damaged.get(k) == (v if v is not None else None) for k, v in damage.items()), "it is left as it is, for somebody to look at"
            world.api.patch(ns, "semaphores", "q", {"status": {"ledger": ledger}}, "status")
            wait_for("mended, it resumes", lambda: ready(get("q"))["status"] == "True")
            if what == "lastToken":
                told = wait_for("who waited has it", lambda: phase(c := world.api.get(ns, "permits", "waits-lasttoken")) == "Granted" and c)
                assert told["status"]["token"] > first["status"]["token"]


@contextlib.contextmanager
def crd_without(world, name, *path):
    """The CRD as an older or broken one would be: what is at `path` below the schema is not there."""
    url = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}"
    crd = world.api.request("GET", url)
    place = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    for step in path[:-1]:
        place = place[step]
    removed = place.pop(path[-1])
    try:
        crd["metadata"].pop("managedFields")
        crd["metadata"].pop("resourceVersion")
        world.api.request("PATCH", url, [{"op": "remove", "path": "/spec/versions/0/schema/openAPIV3Schema/" + "/".join(path)}],
                          "application/json-patch+json")
        yield removed
    finally:
        world.api.request("PATCH", url, [{"op": "add", "path": "/spec/versions/0/schema/openAPIV3Schema/" + "/".join(path), "value": removed}],
                          "application/json-patch+json")


def test_a_crd_that_would_lose_the_ledger_is_not_served(world):
    operator = harness.Operator(world)
    with world.namespace() as ns:
        world.api.create(ns, "faucets", FAUCET.primitive("f"))
        world.api.create(ns, "semaphores", semaphore("q", 1))
        try:
            with crd_without(world, "faucets.sync.konductor.io", "properties", "status", "properties", "ledger"):
                operator.start(ready=False)
                world.api.create(ns, "sips", FAUCET.claim("s", "f"))
                world.api.create(ns, "permits", permit("p", "q"))
                said = "faucets.sync.konductor.io as served would lose status.ledger; apply what `konductor manifests` prints"
                wait_for("it is not ready, and says why", lambda: operator.port and (a := operator.probe("/readyz"))[0] == 503 and f"faucet: {said}" in a[1])
                operator.says(said)
                wait_for("the others go on", lambda: phase(world.api.get(ns, "permits", "p")) == "Granted")
                assert operator.probe("/healthz")[0] == 200
                assert "status" not in world.api.get(ns, "sips", "s") and "status" not in world.api.get(ns, "faucets", "f"), "nothing is granted"
            wait_for("once the CRD is mended it is served", lambda: phase(world.api.get(ns, "sips", "s")) == "Granted")
            wait_for("and it is ready", operator.is_ready)
        finally:
            operator.kill()


def test_a_crd_that_lacks_a_rule_of_the_host_is_not_served(world):
    operator = harness.Operator(world)
    try:
        with crd_without(world, "loans.sync.konductor.io", "x-kubernetes-validations"):
            operator.start(ready=False)
            wait_for("it says which", lambda: operator.port and "loans.sync.konductor.io as served lacks the rule" in operator.probe("/readyz")[1])
        wait_for("once the CRD is mended it is served", operator.is_ready)
    finally:
        operator.kill()


def test_a_ledger_that_stops_being_stored_grants_nothing_more(world):
    with world.operator() as operator, world.namespace() as ns:
        world.api.create(ns, "bookshelves", BOOKSHELF.primitive("before"))
        wait_for("the operator knows it", lambda: world.api.get(ns, "bookshelves", "before").get("status", {}).get("ledger"))
        with crd_without(world, "bookshelves.sync.konductor.io", "properties", "status", "properties", "ledger"):
            def lost():  # the API server takes a moment to serve the new schema
                probe = world.api.create(ns, "bookshelves", {**BOOKSHELF.primitive("probe"), "metadata": {"generateName": "probe-"}})
                name = probe["metadata"]["name"]
                stored = world.api.patch(ns, "bookshelves", name, {"status": {"ledger": {"lastToken": 0, "seen": "1"}}}, "status")
                return "ledger" not in stored.get("status", {})
            wait_for("the schema is served", lost)
            world.api.create(ns, "bookshelves", BOOKSHELF.primitive("after"))
            for name in ("before", "after"):
                world.api.create(ns, "loans", BOOKSHELF.claim(f"of-{name}", name))
            shown = wait_for("it says so", lambda: ready(b := world.api.get(ns, "bookshelves", "after"))["reason"] == "LedgerNotStored" and b)
            assert "konductor manifests" in ready(shown)["message"], ready(shown)
            wait_for("also of the one that had one", lambda: ready(world.api.get(ns, "bookshelves", "before"))["reason"] == "LedgerNotStored")
            assert not any(phase(c) == "Granted" for c in world.api.list(ns, "loans")), "nothing is granted"
            operator.says("did not store status.ledger")
            world.api.create(ns, "semaphores", semaphore("q", 1))
            world.api.create(ns, "permits", permit("p", "q"))
            wait_for("the others go on", lambda: phase(world.api.get(ns, "permits", "p")) == "Granted")
        operator.kill()
        operator.start()
        for name in ("before", "after"):
            wait_for("with the CRD mended and a restart it is served", lambda: phase(world.api.get(ns, "loans", f"of-{name}")) == "Granted")
