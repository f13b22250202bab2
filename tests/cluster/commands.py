"""The commands of `cluster`, one function each: (cluster, options) to exit status."""

import os
import shlex
import signal
import sys
import time

import prerequisites
from base import Failure, say, stage
from control_plane import CONTROL_PLANE, SCHEDULER
from node import NAME, NODE_PROCESSES, PAUSE_IMAGE, Node
from processes import MARKER
from programs import cache_folder, programs_folder


def up(cluster, options):
    begin = time.monotonic()
    if already_up(cluster, options.node):
        return 0
    if options.node:
        prerequisites.require()
    with stage("programs") as notes:
        programs = programs_folder(options.node)
        notes.append(str(programs))
    os.umask(0o077)
    cluster.lock(create=True)
    cluster.claim()
    if already_up(cluster, options.node):  # by another `up`, while we waited for the lock
        return 0
    try:
        if os.listdir(cluster.folder) != [MARKER]:
            with stage("cleaning up") as notes:
                notes.append("an earlier cluster that is not healthy, or was killed")
                cluster.clear()
        cluster.programs = programs  # not those of an earlier cluster
        start_all(cluster, options.node)
    except BaseException as error:
        if isinstance(error, Failure):
            print(f"cluster: {error}", file=sys.stderr, flush=True)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        cluster.remove()
        print(f"cluster: not up: stopped what was started and removed {cluster}", file=sys.stderr)
        if isinstance(error, Failure):
            return 1
        raise
    say(f"up after {time.monotonic() - begin:.1f} s, in {cluster}")
    say(f'for a shell: eval "$({shlex.quote(sys.argv[0])} env --dir {shlex.quote(str(cluster))})"')
    return 0


def start_all(cluster, with_node):
    cluster.ports, cluster.node = {}, None
    for folder in ("run", "logs"):
        cluster.path(folder).mkdir()
    if with_node:
        with stage("node") as notes:  # its namespaces and addresses; certificates have these in them
            cluster.node = Node.begin(cluster)
            cluster.save()
            notes.append(f"{cluster.node.address}, pods {cluster.node.pod_range}, link {cluster.node.link}")
    served = {**CONTROL_PLANE, **(SCHEDULER if with_node else {})}
    for name in served:
        cluster.choose_ports(name)
    cluster.save()
    with stage("certificates"):
        cluster.make_pki()
    if with_node:
        with stage("containerd"):
            cluster.node.write_settings()
            cluster.start("containerd")
            cluster.node.images.import_pause(PAUSE_IMAGE)
    for name in served:
        with stage(name) as notes:
            cluster.start_on_free_port(name)
            notes.append(f"{cluster.address if name == 'apiserver' else '127.0.0.1'}:{cluster.ports[name]}")
        if name == "apiserver" and with_node:
            for other in ("kubelet", "kube-proxy"):  # they get ready while the others start
                cluster.launch(other)
    with stage("default namespace"):
        for what in ("namespaces/default", "namespaces/default/serviceaccounts/default"):
            cluster.wait_for(what, "apiserver", f"/api/v1/{what}", blame="controller-manager")
    if with_node:
        for name in ("kubelet", "kube-proxy"):
            with stage(name):
                cluster.wait_for(f"health of {name}", name, seconds=NODE_PROCESSES[name][2])
        with stage("node Ready") as notes:
            cluster.wait_for("node Ready", "node", blame="kubelet")
            notes.append(NAME)


def already_up(cluster, with_node):
    try:
        cluster.load()
    except Failure:
        return False
    if not cluster.is_ours() or not cluster.is_healthy(patience=10):
        return False
    if with_node and not cluster.node:
        raise Failure(f"{cluster} is up without a node. Choose another --dir, or `down` first.")
    programs = cluster.programs
    say(f"already up, in {cluster}")
    if not os.environ.get("KUBEBUILDER_ASSETS") and programs != cache_folder() / "bin":
        say(f"note: it runs {programs}, not the versions pinned here; `down`, then `up` changes that")
    return True


def down(cluster, _):
    if not cluster.lock(create=False):
        say(f"nothing to do: there is no cluster in {cluster}")
        return 0
    cluster.claim()
    with stage("down") as notes:
        notes.append(f"removed {cluster}")
        cluster.remove()
    return 0


def env(cluster, _):
    cluster.load()
    variables = {
        "KUBECONFIG": cluster.path("kubeconfig"),
        "KUBECACHEDIR": cluster.path("kubectl-cache"),  # else kubectl mixes up clusters that had the same port
        "ETCDCTL_ENDPOINTS": f"https://127.0.0.1:{cluster.ports['etcd']}",
        "ETCDCTL_CACERT": cluster.path("pki", "etcd-ca.crt"),
        "ETCDCTL_CERT": cluster.path("pki", "etcd-client.crt"),
        "ETCDCTL_KEY": cluster.path("pki", "etcd-client.key"),
    }
    settings = [f"{name}={shlex.quote(str(value))}" for name, value in variables.items()]
    settings.append(f'PATH={shlex.quote(str(cluster.programs))}:"$PATH"')
    if cluster.node:  # only 127.0.0.1 needs no such exception
        settings.append(f'NO_PROXY={cluster.address},"${{NO_PROXY:-${{no_proxy:-}}}}"')
    print("export", *settings)
    return 0


def status(cluster, _):
    cluster.load()
    healthy = True
    print(f"{'NAME':<20}{'PID':<9}{'PORT':<7}HEALTH")
    for name in cluster.names():
        problem = cluster.problem(name)
        healthy = healthy and problem is None
        print(f"{name:<20}{cluster.pid(name) or '-':<9}{cluster.port(name) or '-':<7}{problem or 'healthy'}")
    return 0 if healthy else 1


def binaries(_cluster, options):
    print(programs_folder(options.node))
    return 0


def user(cluster, options):
    cluster.load()
    if not all(text and text.isprintable() for text in (options.name, *options.group)):
        raise Failure("a user's or group's name must not be empty or have control characters in it.")
    os.umask(0o077)
    print(cluster.kubeconfig(options.name, options.group), end="")
    return 0


def control(cluster, options):
    """start, stop, restart, pause, resume: one process, which keeps its ports and data."""
    action, name = options.command, options.process
    if not cluster.lock(create=False):
        cluster.load()  # says that there is none
    cluster.load()
    if name not in cluster.names():
        raise Failure(f"{cluster} has no {name}: it was started without --node.")
    os.umask(0o077)
    with stage(f"{action} {name}") as notes:
        if action in ("stop", "restart") and not cluster.stop(name, kill=options.kill):
            notes.append("it did not run")
        if action in ("start", "restart"):
            try:
                cluster.start(name)
            except Failure:
                if name in cluster.started:  # not one that ran before
                    cluster.stop(name)
                raise
        if action in ("pause", "resume"):
            handle = cluster.send(name, signal.SIGSTOP if action == "pause" else signal.SIGCONT)
            if handle is None:
                raise Failure(f"{name} of {cluster} does not run, so it can't {action}.")
    return 0


def image(cluster, options):
    """Locked, so that `down` waits for it."""
    if not cluster.lock(create=False):
        cluster.load()
    cluster.load()
    if not cluster.node:
        raise Failure(f"{cluster} has no node to import images into: start it with `up --node`.")
    for archive in options.archives:
        with stage("import") as notes:
            notes += [str(archive), *cluster.node.images.load(archive)]
    return 0
