"""Too much at once: one crowd does not starve another, requests keep to their rate, and the API server knows who asks."""
import base64
import http.client
import ssl
import time

import yaml_lite
from harness import ROOT, create_all, wait_for
from kinds import permit, phase, semaphore

CROWD = 800


def phases(world, ns, plural="permits"):
    return [phase(claim) for claim in world.api.list(ns, plural)]


def crowd(world, ns, number, limit=0, name="crowd"):
    """A semaphore with so many claims, each of which the operator has seen."""
    world.api.create(ns, "semaphores", semaphore(name, limit))
    create_all(world, ns, "permits", [permit(f"{name}-{i}", name) for i in range(number)])
    wait_for("all of the crowd wait", lambda: world.api.get(ns, "semaphores", name).get("status", {}).get("waiting") == number, 120)


def test_a_flooded_primitive_does_not_hold_up_its_neighbour(world):
    with world.operator(), world.namespace() as ns, world.namespace() as other:
        crowd(world, ns, CROWD)
        world.api.create(other, "semaphores", semaphore("calm", 1))
        world.api.patch(ns, "semaphores", "crowd", {"spec": {"permits": CROWD}})
        world.api.create(other, "permits", permit("one", "calm"))
        wait_for("the neighbour is served", lambda: phases(world, other) == ["Granted"], 30, every=0.01)
        granted = phases(world, ns).count("Granted")
        assert granted < CROWD, "the crowd was served first, all of it"
        wait_for("the crowd is served too", lambda: phases(world, ns).count("Granted") == CROWD, 120, every=0.5)


def test_requests_keep_to_their_rate(world):
    number, rate = 60, 20
    with world.operator("--kube-api-qps", str(rate), "--kube-api-burst", "5"), world.namespace() as ns:
        crowd(world, ns, number)
        began = time.monotonic()
        world.api.patch(ns, "semaphores", "crowd", {"spec": {"permits": number}})
        wait_for("all are granted", lambda: phases(world, ns).count("Granted") == number, 60)
        took = time.monotonic() - began
        # A tell each, of which a burst may come at once; a clock that ticks between two looks is the only slack.
        assert took >= (number - 5) / rate, f"{number} tells in {took:.2f} s"


def flow_schema_of(world, token, path):
    """The name of the FlowSchema that the API server puts a request of this token under."""
    ca = base64.b64decode(yaml_lite.load_kubeconfig(world.kubeconfig)["ca"]).decode()
    # Without the administrator's certificate, which would count before the token.
    context = ssl.create_default_context(cadata=ca)
    connection = http.client.HTTPSConnection(world.api.host.hostname, world.api.host.port, context=context, timeout=10)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        answer.read()
        uid = answer.headers.get("X-Kubernetes-PF-FlowSchema-UID")
    finally:
        connection.close()
    schemas = world.api.request("GET", "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas")["items"]
    return next((schema["metadata"]["name"] for schema in schemas if schema["metadata"]["uid"] == uid), uid)


def test_the_flow_schemas_are_those_of_the_operator(world):
    file = ROOT / "manifests/deploy/flow-control.yaml"
    world.kubectl("apply", "--server-side", "-f", str(file))
    try:
        world.kubectl("create", "namespace", "konductor-system")
        wait_for("the namespace takes accounts", lambda: world.api.list("konductor-system", "serviceaccounts"))
        for name in ("konductor", "another"):
            world.kubectl("create", "serviceaccount", name, "-n", "konductor-system")
        token, other = (world.kubectl("create", "token", name, "-n", "konductor-system").stdout.strip() for name in ("konductor", "another"))
        claims = "/apis/sync.konductor.io/v1/permits"
        wait_for("the schemas are in force", lambda: flow_schema_of(world, token, claims) == "konductor", 10)
        lock = "/apis/coordination.k8s.io/v1/namespaces/konductor-system/leases/konductor"
        assert flow_schema_of(world, token, lock) == "konductor-election"
        assert flow_schema_of(world, other, claims) != "konductor"
    finally:
        world.kubectl("delete", "-f", str(file), check=False)
        world.kubectl("delete", "namespace", "konductor-system", "--wait=false", check=False)
