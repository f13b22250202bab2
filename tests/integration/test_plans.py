"""What the host makes of the rarer parts of a plan, on the real API server: kinds that count, that observe, Events; and
that the role which `konductor manifests` prints is enough for all of it."""
import contextlib

import yaml_lite
from credentials import Kubeconfig, operator_user
from harness import wait_for
from kinds import permit, phase, semaphore
from tcp_proxy import proxy_to


def meeting(name, wanted, **spec):
    return {"apiVersion": "sync.konductor.io/v1", "kind": "Meeting", "metadata": {"name": name}, "spec": {"wanted": wanted, **spec}}


def attendee(name, meeting, seat=None, **spec):
    return {"apiVersion": "sync.konductor.io/v1", "kind": "Attendee", "metadata": {"name": name},
            "spec": {"meeting": meeting, "holder": name, **({"seat": seat} if seat else {}), **spec}}


def beacon(name, source):
    return {"apiVersion": "sync.konductor.io/v1", "kind": "Beacon", "metadata": {"name": name}, "spec": {"source": source}}


def shown(world, ns, plural, name, **wanted):
    """The status once it shows this."""
    def look():
        status = world.api.get(ns, plural, name).get("status", {})
        return all(status.get(key) == value for key, value in wanted.items()) and status
    return wait_for(f"{plural} {name} shows {wanted}", look)


def events(world, ns, about):
    return {(e["type"], e["reason"]): e["message"] for e in world.api.list(ns, "events") if e["involvedObject"]["name"] == about}


def test_a_kind_that_counts_needs_no_grant_and_remembers(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "meetings", meeting("m", 3))
        shown(world, ns, "meetings", "m", phase="Gathering", present=0)
        for name, seat in (("first", "a"), ("again", "a"), ("second", "b")):
            world.api.create(ns, "attendees", attendee(name, "m", seat))
        shown(world, ns, "meetings", "m", phase="Gathering", present=2)
        world.api.create(ns, "attendees", attendee("third", "m"))
        status = shown(world, ns, "meetings", "m", phase="Begun", present=3)
        assert "ledger" not in status and status["state"] == {"begun": True}, status
        assert phase(world.api.get(ns, "attendees", "first")) == "", "nobody is told one by one"
        wait_for("the plugin's own Event", lambda: ("Normal", "Begun") in events(world, ns, "m"))
        for name in ("first", "again", "second", "third"):
            world.api.delete(ns, "attendees", name)
        shown(world, ns, "meetings", "m", phase="Begun", present=0)
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "meetings", meeting("m", 1))
        world.api.create(ns, "attendees", attendee("only", "m"))
        shown(world, ns, "meetings", "m", phase="Begun")


def test_what_has_begun_stays_so_over_a_restart_of_the_operator(world):
    with world.namespace() as ns:
        with world.operator():
            world.api.create(ns, "meetings", meeting("m", 1))
            world.api.create(ns, "attendees", attendee("only", "m"))
            shown(world, ns, "meetings", "m", phase="Begun", present=1)
        world.api.delete(ns, "attendees", "only")
        with world.operator():
            shown(world, ns, "meetings", "m", phase="Begun", present=0)


def test_a_kind_without_claims_follows_what_it_observes(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "beacons", beacon("b", "switch"))
        shown(world, ns, "beacons", "b", phase="Dark", why="there is no such ConfigMap")
        config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "switch"}, "data": {"lit": "no"}}
        world.api.create(ns, "configmaps", config)
        shown(world, ns, "beacons", "b", phase="Dark", why="its ConfigMap does not say so")
        world.api.patch(ns, "configmaps", "switch", {"data": {"lit": "yes"}})
        shown(world, ns, "beacons", "b", phase="Lit")
        world.api.patch(ns, "beacons", "b", {"spec": {"source": "other"}})
        shown(world, ns, "beacons", "b", phase="Dark", why="there is no such ConfigMap")
        world.api.create(ns, "configmaps", {**config, "metadata": {"name": "other"}, "data": {"lit": "yes"}})
        shown(world, ns, "beacons", "b", phase="Lit")
        world.api.delete(ns, "configmaps", "other")
        shown(world, ns, "beacons", "b", phase="Dark")


def test_the_printed_role_is_enough_for_the_operator(world):
    with operator_user(world, "operator-of-its-own") as kubeconfig, world.operator("--leader-elect", "--leader-elect-namespace=default",
                                                                                   kubeconfig=kubeconfig) as operator:
        with world.namespace() as ns:
            world.api.create(ns, "semaphores", semaphore("q", 1))
            world.api.create(ns, "permits", permit("a-silent", "q", ttl="1s"))
            world.api.create(ns, "permits", permit("b-next", "q"))
            wait_for("the silent one expired", lambda: phase(world.api.get(ns, "permits", "a-silent")) == "Expired")
            wait_for("the next one is served", lambda: phase(world.api.get(ns, "permits", "b-next")) == "Granted")
            wait_for("an Event on the claim", lambda: ("Warning", "TTLExpired") in events(world, ns, "a-silent"))
            message = wait_for("an Event on its primitive", lambda: events(world, ns, "q").get(("Warning", "TTLExpired")))
            assert f"{ns}/a-silent" in message and "not renewed for its time to live of 1s" in message, message
            world.api.create(ns, "configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "switch"}, "data": {"lit": "yes"}})
            world.api.create(ns, "beacons", beacon("b", "switch"))
            shown(world, ns, "beacons", "b", phase="Lit")
        assert not [line for line in operator.lines if "forbidden" in line], operator.lines


def test_readyz_says_which_right_is_missing_and_gets_well(world):
    name = "operator-without-pods"
    with operator_user(world, name) as kubeconfig, world.operator(kubeconfig=kubeconfig) as operator:
        world.kubectl("delete", "clusterrolebinding", name)
        world.api.delete("default", "configmaps", "none", expect_ok=False)
        # Its watches go on until they end; a restart meets the missing right at once.
        operator.kill()
        operator.start(ready=False)
        wait_for("it listens", lambda: operator.port)
        said = wait_for("it is not ready", lambda: (a := operator.probe("/readyz"))[0] == 503 and "forbidden" in a[1] and a[1])
        assert f'User "{name}" cannot' in said and "ask for a ClusterRole" in said, said
        world.kubectl("create", "clusterrolebinding", name, "--clusterrole=konductor-operator", f"--user={name}")
        wait_for("it is ready", operator.is_ready, 60)


def without(role, *plurals):
    """The rules of a role, but for these resources."""
    rules = [{**rule, "resources": [r for r in rule["resources"] if r not in plurals]} for rule in role["rules"]]
    return [rule for rule in rules if rule["resources"]]


@contextlib.contextmanager
def behind_a_proxy(world, name):
    """An operator with its own role behind a proxy: gives both, and what changes the role and makes it felt at once."""
    path = "/apis/rbac.authorization.k8s.io/v1/clusterroles/konductor-operator"
    role = world.api.request("GET", path)
    with operator_user(world, name) as kubeconfig, contextlib.ExitStack() as finally_:
        known = yaml_lite.load_kubeconfig(kubeconfig)
        proxy = finally_.enter_context(proxy_to(int(known["server"].rpartition(":")[2])))
        access = Kubeconfig(world)
        access.user = {"client-certificate-data": known["cert"], "client-key-data": known["key"]}
        access.cluster["server"] = proxy.url

        def set_rules(rules):
            world.api.request("PATCH", path, {"rules": rules}, "application/merge-patch+json")
            proxy.cut()

        finally_.callback(set_rules, role["rules"])
        with world.operator(kubeconfig=access.write()) as operator:
            yield operator, proxy, role, set_rules


def test_a_right_that_comes_back_is_used(world):
    with behind_a_proxy(world, "operator-in-doubt") as (operator, _, role, set_rules), world.namespace() as ns:
        world.api.create(ns, "configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "switch"}, "data": {"lit": "yes"}})
        world.api.create(ns, "beacons", beacon("b", "switch"))
        shown(world, ns, "beacons", "b", phase="Lit")
        set_rules(without(role, "configmaps"))
        shown(world, ns, "beacons", "b", phase="Dark", why="the operator may not read ConfigMaps")
        set_rules(role["rules"])
        shown(world, ns, "beacons", "b", phase="Lit")
        wait_for("it is ready", operator.is_ready)


def test_what_cannot_be_read_is_not_taken_for_absent(world):
    with behind_a_proxy(world, "operator-half-blind") as (operator, _, role, set_rules), world.namespace() as ns:
        set_rules(without(role, "semaphores", "bookshelves", "faucets", "meetings", "beacons"))
        wait_for("it cannot see semaphores", lambda: "semaphores" in operator.probe("/readyz")[1])
        world.api.create(ns, "semaphores", semaphore("q", 1))
        world.api.create(ns, "permits", permit("p", "q", wait=False))
        # It may ask for the semaphore as often as it likes: nothing is told before it is allowed to look.
        wait_for("it has asked", lambda: operator.metrics()['konductor_failed_writes_total{kind="Semaphore"}'] >= 2)
        assert phase(world.api.get(ns, "permits", "p")) == ""
        set_rules(role["rules"])
        wait_for("it is granted", lambda: phase(world.api.get(ns, "permits", "p")) == "Granted")


def test_a_short_outage_is_over_for_readyz_when_it_is_over(world):
    with behind_a_proxy(world, "operator-cut-off") as (operator, proxy, _, _):
        proxy.refuses = True
        proxy.cut()
        wait_for("it is not ready", lambda: operator.probe("/readyz")[0] == 503)
        proxy.refuses = False
        wait_for("it is ready, without waiting for the next bookmark", operator.is_ready, 30)


def test_deleted_crds_are_said_and_new_ones_are_served(world):
    with world.operator() as operator, contextlib.ExitStack() as finally_:
        finally_.callback(world.apply_manifests)
        world.kubectl("delete", "crd", "beacons.sync.konductor.io")
        said = wait_for("it is not ready", lambda: (a := operator.probe("/readyz"))[0] == 503 and "not installed" in a[1] and a[1])
        assert said.startswith("beacon: ") and said.count("\n") == 1, said
        world.apply_manifests()
        wait_for("it is ready again", operator.is_ready, 60)
        with world.namespace() as ns:
            world.api.create(ns, "beacons", beacon("b", "switch"))
            shown(world, ns, "beacons", "b", phase="Dark")
