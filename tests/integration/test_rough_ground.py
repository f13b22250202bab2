"""kondctl on rough ground: rights that go away, clocks that are wrong, outputs that nobody reads, arguments without end, long ways."""
import errno
import json
import os
import resource
import shutil
import signal
import subprocess
import time

from client import end_of, kondctl
from command import LOGGING, UNTIL_TOLD, Command
from credentials import Kubeconfig, silent_server
from harness import BUILD, ROOT, wait_for
from kinds import phase, semaphore
from tcp_proxy import proxy_to
from test_pods import pod, pod_exists
from test_run import permits

RBAC = "/apis/rbac.authorization.k8s.io/v1/namespaces"


# ---- in a Pod


class PodFolder:
    """What a Pod sees: the service account's folder at its place, in a mount namespace of its own. As root."""

    def __init__(self, world, **files):
        self.world = world
        self.folder = world.dir / f"service-account-{time.monotonic_ns()}"
        self.folder.mkdir()
        for name, text in files.items():
            (self.folder / name.replace("_", ".")).write_text(text)
        mounts = 'mount -t tmpfs none /run && mkdir -p /run/secrets/kubernetes.io && cp -r "$0" /run/secrets/kubernetes.io/serviceaccount && exec "$@"'
        self.prefix = ("unshare", "--mount", "sh", "-c", mounts, str(self.folder))
        self.env = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(world.api.host.port), "HOME": str(self.folder)}

    def words(self, *arguments):
        return [*self.prefix, str(BUILD / "bin/kondctl"), "--plugin-dir", str(self.world.plugins), *arguments]

    def kondctl(self, *arguments, expect=0):
        done = self.world.run(*self.words(*arguments), check=False, env=self.env)
        assert done.returncode == expect, f"{arguments}: exit {done.returncode}, not {expect}: {done.stdout}{done.stderr}"
        return done

    def start(self, *arguments):
        return subprocess.Popen(self.words(*arguments), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env={**os.environ, **self.env})


def has_mounts():
    return os.geteuid() == 0 and shutil.which("unshare")


def ca_of(world):
    return (world.cluster_dir / "ca.crt").read_text()


def test_a_pod_without_a_usable_service_account_is_told_what_is_missing(world):
    if not has_mounts():
        return
    place = "/var/run/secrets/kubernetes.io/serviceaccount/"
    cases = {"nothing is mounted": ({}, f"this pod has no usable service account token: read {place}token"),
             "an empty token": ({"token": "", "ca_crt": ca_of(world)}, f"{place}token is empty"),
             "no certificate": ({"token": "x"}, f"{place}ca.crt"),
             "no certificate in it": ({"token": "x", "ca_crt": "nothing"}, f"{place}ca.crt")}
    for what, (files, words) in cases.items():
        folder = PodFolder(world, **files)
        for line in (("acquire", "q", "--wait"), ("run", "q", "--", "true"), ("hold", "q"), ("list",)):
            said = folder.kondctl("semaphore", *line, expect=2).stderr
            assert words in said and said.count("\n") == 1, f"{what}, {line}: {said}"


def test_in_a_pod_a_container_that_is_told_to_end_before_its_turn_keeps_its_place(world):
    if not has_mounts():
        return
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        kondctl(world, ns, "semaphore", "acquire", "q", "--holder", "first")
        pod_exists(world, ns)
        uid = world.api.create(ns, "pods", pod("worker"))["metadata"]["uid"]
        binding(world, ns)
        token = world.kubectl("create", "token", "default", "-n", ns, "--bound-object-kind=Pod", "--bound-object-name=worker").stdout
        folder = PodFolder(world, token=token, ca_crt=ca_of(world), namespace=ns)
        own = lambda: [c for c in permits(world, ns) if c["spec"].get("pod") == {"name": "worker", "uid": uid}]
        uids = set()
        for line in (("acquire", "q", "--wait"), ("run", "q", "--wait", "--", "true"), ("hold", "q", "--wait")):
            process = folder.start("semaphore", *line)
            wait_for("it waits", lambda: "waiting for" in process.stderr.readline())
            process.send_signal(signal.SIGTERM)
            code, out, err = end_of(process)
            assert code == 143 and out == "" and "goes with its Pod" in err, f"{line}: {code}: {out}{err}"
            claim, = own()
            assert phase(claim) == "Pending" and claim["metadata"]["ownerReferences"][0]["uid"] == uid
            uids.add(claim["metadata"]["uid"])
        assert len(uids) == 1, "each life of it found the same claim"
        kondctl(world, ns, "semaphore", "release", "q", "--holder", "first")
        done = json.loads(folder.kondctl("semaphore", "acquire", "q", "--wait", "-o", "json").stdout)
        assert done["uid"] in uids and done["adopted"] and done["holder"] == "worker", done
        process = folder.start("semaphore", "acquire", "q", "--wait", "--as", "b")
        wait_for("it waits", lambda: "waiting for" in process.stderr.readline())
        process.send_signal(signal.SIGINT)
        assert end_of(process)[0] == 130 and len(own()) == 1, "an interrupt withdraws, in a Pod too"


def test_outside_of_pods_hold_withdraws_when_it_is_told_to_end_before_its_turn(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        kondctl(world, ns, "semaphore", "acquire", "q")
        for number, code in ((signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 143)):
            with Command(world, ns, "q", "--wait", verb="hold", words=None) as hold:
                hold.says("waiting for")
                hold.signal(number)
                assert "the claim is withdrawn" in hold.end(code)
            assert len(permits(world, ns)) == 1


# ---- rights


def binding(world, ns, name="users", account="default"):
    world.api.request("POST", f"{RBAC}/{ns}/rolebindings", {
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "konductor-user"},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": ns}]})


def unbind(world, ns, name="users"):
    world.api.request("DELETE", f"{RBAC}/{ns}/rolebindings/{name}")


def account(world, ns, name):
    """A service account's kubeconfig."""
    world.api.create(ns, "serviceaccounts", {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}})
    return Kubeconfig(world).with_token(world.kubectl("create", "token", name, "-n", ns).stdout.strip())


def granted_run(world, ns, config, *flags):
    """A command that runs: once its rights are in effect."""
    def tried():
        done = world.kondctl("semaphore", "run", "q", "-n", ns, "--", "true", kubeconfig=config)
        assert done.returncode in (0, 5), done.stderr
        return done.returncode == 0
    wait_for("the role is in effect", tried)
    return Command(world, ns, "q", *flags, script=LOGGING, kubeconfig=config)


def test_a_service_account_without_rights_hears_which_it_needs(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        config = account(world, ns, "poor")
        for verb, right, *words in (("run", "get on semaphores", "--", "true"), ("run", "get on semaphores", "--wait", "--", "true"),
                                    ("hold", "get on semaphores"), ("acquire", "get on semaphores", "--wait"), ("renew", "get on permits", "--holder", "me")):
            said = refused(world, ns, config, verb, *words)
            assert f"system:serviceaccount:{ns}:poor" in said, said
            assert f"Role that allows {right} of API group sync.konductor.io in namespace {ns}" in said, said
        assert permits(world, ns) == []


def refused(world, ns, config, verb, *words):
    done = world.kondctl("semaphore", verb, "q", "-n", ns, *words, kubeconfig=config)
    assert done.returncode == 5 and done.stdout == "", done
    return done.stderr


def test_rights_that_are_taken_away_for_a_while_are_not_noticed_by_the_command(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        config = account(world, ns, "worker")
        binding(world, ns, account="worker")
        with granted_run(world, ns, config, "--ttl", "15s") as command:
            command.wait_for("times")
            unbind(world, ns)
            command.says("could not be renewed and is tried again")
            before = permits(world, ns)[0]["spec"].get("renewTime")
            binding(world, ns, account="worker")
            command.says("renewed again")
            assert permits(world, ns)[0]["spec"]["renewTime"] != before and command.process.poll() is None
            unbind(world, ns)
            said = command.end(125, 40)
            assert "forbidden" in said and "allows patch on permits" in said and "stopping the command" in said, said
            assert "could not be given back" in said and "allows delete on permits" in said, "no right to do that either: " + said
            assert [phase(c) for c in permits(world, ns)] == ["Granted"], "stopped before the operator gives its place away"
            wait_for("it ends by its time", lambda: [phase(c) for c in permits(world, ns)] == ["Expired"])


def test_a_token_that_ends_stops_the_command_in_time(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        config = account(world, ns, "worker")
        binding(world, ns, account="worker")
        with granted_run(world, ns, config, "--ttl", "4s") as command:
            command.wait_for("times")
            world.api.delete(ns, "serviceaccounts", "worker")
            said = command.end(125, 60)  # the server remembers a good token for ten seconds
            assert "nauthorized" in said and "stopping the command" in said, said
            assert [phase(c) for c in permits(world, ns)] == ["Granted"], "stopped before the operator gives its place away"
            wait_for("it ends by its time", lambda: [phase(c) for c in permits(world, ns)] == ["Expired"])
        assert "nauthorized" in refused(world, ns, config, "run", "--", "true")


# ---- clocks


def test_a_wall_clock_that_is_an_hour_off_changes_nothing(world):
    moves = world.dir / "moved_clock.so"
    world.run("cc", "-shared", "-fPIC", "-O1", "-o", str(moves), str(ROOT / "tests/integration/moved_clock.c"))
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        for offset in ("+3600", "-3600"):
            moved = {"env": {"LD_PRELOAD": str(moves), "MOVED_BY": offset}}
            shown = int(world.run("date", "+%s", env=moved["env"]).stdout) - time.time()
            assert abs(shown - int(offset)) < 60, "the clock is off"
            with Command(world, ns, "q", "--ttl", "3s", script=UNTIL_TOLD, **moved) as command:
                command.wait_for("pid")
                seen = set()

                def renewed():
                    claim, = permits(world, ns)
                    assert phase(claim) == "Granted" and command.process.poll() is None, command.text("stderr")
                    seen.add(claim["spec"].get("renewTime"))
                    return len(seen) > 4
                wait_for("it is renewed again and again", renewed)
                asked = permits(world, ns)[0]
                created = asked["metadata"]["creationTimestamp"]
                assert asked["spec"]["requestedAt"][:16] in near(created) and max(seen - {None})[:14] in {t[:14] for t in near(created)}, asked
                began = time.monotonic()
                done = world.kondctl("semaphore", "run", "q", "-n", ns, "--wait", "--timeout", "1s", "--", "true", **moved)
                assert done.returncode == 124 and 1 <= time.monotonic() - began < 5, done
                command.touch("go")
                command.end(0)
            grant = json.loads(kondctl(world, ns, "semaphore", "acquire", "q", "--wait", "-o", "json", **moved).stdout)
            kondctl(world, ns, "semaphore", "release", "q", "--claim", grant["claim"], **moved)


def near(created):
    """The minutes around a time of the server."""
    at = time.mktime(time.strptime(created, "%Y-%m-%dT%H:%M:%SZ")) - time.timezone
    return {time.strftime("%Y-%m-%dT%H:%M", time.gmtime(at + minutes * 60)) for minutes in (-1, 0, 1)}


# ---- inputs and outputs


def shell(world, line, **env):
    """A line of a shell in which $K is kondctl with its folder of plugins and kubeconfig."""
    words = f"{BUILD}/bin/kondctl --plugin-dir {world.plugins} --kubeconfig {world.kubeconfig}"
    return world.run("bash", "-o", "pipefail", "-c", line, check=False, env={"K": words, **env})


def test_closed_inputs_and_outputs_do_no_harm(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
            for line in ("run q -- true", "list", "status q", "acquire q --holder me", "release q --holder me"):
                verb, _, rest = line.partition(" ")
                flags, dashes, command = rest.partition("-- ")
                done = shell(world, f"$K semaphore {verb} {flags} -n {ns} {dashes}{command} {closed}")
                assert done.returncode == 0, f"{line} {closed}: {done}"
            assert permits(world, ns) == [], closed
        done = shell(world, f"$K semaphore run q -n {ns} -- sh -c 'exit 9' <&- >&- 2>&-")
        assert done.returncode == 9 and permits(world, ns) == [], done


def into_a_broken_pipe(world, *words, ignored):
    """Whoever had the reading end of its output has gone. Who starts kondctl may ignore SIGPIPE, as many programs do."""
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as broken:
        return subprocess.run(kondctl_words(world, *words), stdin=subprocess.DEVNULL, stdout=broken, stderr=subprocess.PIPE, text=True, timeout=60,
                              restore_signals=not ignored)


def test_a_grant_that_cannot_be_told_is_given_back(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        for ignored in (False, True):
            done = into_a_broken_pipe(world, "semaphore", "acquire", "q", "-n", ns, ignored=ignored)
            assert done.returncode == 1 and "standard output" in done.stderr and "is given back" in done.stderr, done
            assert permits(world, ns) == [], "nobody knows of it"
            done = into_a_broken_pipe(world, "semaphore", "run", "q", "-n", ns, "--", "sh", "-c", "exit 6", ignored=ignored)
            assert done.returncode == 6 and permits(world, ns) == [], done
            done = into_a_broken_pipe(world, "semaphore", "list", "-n", ns, ignored=ignored)
            said = "could not be written" in done.stderr
            assert (done.returncode, said) == ((1, True) if ignored else (-signal.SIGPIPE, False)), f"as any other program: {done}"
        done = shell(world, f"$K semaphore acquire q -n {ns} > /dev/full")
        assert done.returncode == 1 and "is given back" in done.stderr and permits(world, ns) == [], done
        kondctl(world, ns, "semaphore", "acquire", "q", "--holder", "me")
        done = shell(world, f"$K semaphore acquire q -n {ns} --holder me > /dev/full")
        assert done.returncode == 1 and "stays as it was found" in done.stderr and len(permits(world, ns)) == 1, done


def test_a_command_that_writes_into_a_broken_pipe_ends_as_it_would_alone(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        done = shell(world, f"$K semaphore run q -n {ns} -- sh -c 'yes; exit 3' | head -1")
        assert done.stdout == "y\n" and done.returncode == 3, f"yes is ended by SIGPIPE, as it was not ignored: {done}"
        done = shell(world, f"$K semaphore run q -n {ns} -- yes | head -1")
        assert done.returncode == 141 and permits(world, ns) == [], done


# ---- arguments


def kondctl_words(world, *words):
    return [str(BUILD / "bin/kondctl"), "--plugin-dir", str(world.plugins), "--kubeconfig", str(world.kubeconfig), *words]


def test_arguments_as_long_as_can_be_reach_the_command(world):
    longest = 131072 - 1  # of one, without its end: MAX_ARG_STRLEN of Linux
    count = ("sh", "-c", "n=0; for word; do n=$((n + ${#word})); done; echo $# $n", "sh")
    with world.operator(), world.namespace() as ns:
        name = "n" * 63
        world.api.create(ns, "semaphores", semaphore(name, 1))

        def counted(*words, **options):
            # Its own words are as few as can be: what it adds for the command is more than what it takes away.
            return subprocess.run(["./kondctl", "semaphore", "run", name, "-n", ns, "--", *count, *words], cwd=BUILD / "bin", stdin=subprocess.DEVNULL,
                                  env={**os.environ, "KUBECONFIG": str(world.kubeconfig), "KONDUCTOR_PLUGIN_DIR": str(world.plugins)},
                                  capture_output=True, text=True, timeout=60, **options)

        done = counted("x" * longest)
        assert (done.returncode, done.stdout) == (0, f"1 {longest}\n"), done.stderr
        done = counted(*["a b"] * 60000)
        assert (done.returncode, done.stdout) == (0, "60000 180000\n"), done.stderr
        for what, line in (("a name", ("x" * longest,)), ("a flag", ("q", "--" + "x" * (longest - 2)))):
            done = subprocess.run(kondctl_words(world, "semaphore", "acquire", *line, "-n", ns), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
            assert done.returncode == 2 and len(done.stderr) < 5000, f"{what}: {done.returncode} {done.stderr[:300]}"

        def a_mebibyte():  # a fourth of the stack is for arguments
            resource.setrlimit(resource.RLIMIT_STACK, (4 << 20, resource.getrlimit(resource.RLIMIT_STACK)[1]))

        codes, low, high = set(), 0, longest
        while low < high - 1:
            middle = (low + high) // 2
            try:
                done = counted(*["x" * 1000] * 950, "y" * middle, preexec_fn=a_mebibyte)
            except OSError as error:
                assert error.errno == errno.E2BIG, error
                high = middle  # too long for kondctl itself
                continue
            low = middle
            codes.add(done.returncode)
            assert done.returncode in (0, 126) and (done.returncode == 126) == ("Argument list too long" in done.stderr), done.stderr[:500]
            assert done.returncode == 126 or done.stdout == f"951 {950000 + middle}\n", done.stdout[:100]
            assert len(done.stderr) < 5000 and permits(world, ns) == [], "given back first"
        assert codes == {0, 126}, f"up to {low}: {codes}"


# ---- time


def test_a_ttl_that_is_shorter_than_the_way_starts_no_command(world):
    with world.operator(), world.namespace() as ns, proxy_to(world.api.host.port) as proxy:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        config = Kubeconfig(world).to(proxy.url)
        proxy.delay = 0.6  # 1.2 s there and back
        for flags, codes in ((("--wait", "--timeout", "9s"), (124,)), ((), (3, 5, 6, 125))):
            with Command(world, ns, "q", "--ttl", "1s", *flags, script="echo in > $D/in", kubeconfig=config) as command:
                code = command.process.wait(60)
                assert code in codes, f"{flags}: {code}: {command.text('stderr')}"
                assert command.text("in") == "", "a grant that is over before it is heard of is none"
        proxy.delay = 0.2
        wait_for("nothing holds it for long", lambda: not any(phase(c) in ("Granted", "Pending") for c in permits(world, ns)))
        with Command(world, ns, "q", "--wait", "--ttl", "4s", script=UNTIL_TOLD, kubeconfig=config) as command:
            command.wait_for("pid")
            seen = set()

            def renewed():
                claim, = (c for c in permits(world, ns) if phase(c) == "Granted")
                seen.add(claim["spec"].get("renewTime"))
                return len(seen) > 4
            wait_for("it is renewed again and again", renewed)
            command.touch("go")
            command.end(0)


def test_a_timeout_of_run_is_never_early_and_not_late(world):
    late = []
    with silent_server() as silent, world.namespace() as ns:
        config = Kubeconfig(world).to(silent)
        for verb in ("run", "hold", "acquire"):
            command = ("--", "true") if verb == "run" else ()
            began = time.monotonic()
            done = world.kondctl("semaphore", verb, "q", "-n", ns, "--timeout=2s", *command, kubeconfig=config)
            took = time.monotonic() - began
            assert done.returncode == 124 and took >= 2, f"{verb}: exit {done.returncode} after {took:.3f} s: {done.stderr}"
            assert took < 3, f"{verb}: {took - 2:.3f} s late"
            late.append(f"{verb} {(took - 2) * 1000:.0f} ms")
    print(f"      --timeout=2s, late, the start of the process included: {', '.join(late)}")


# ---- one user


def test_two_shells_of_one_user_have_two_permits(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 3))
        with Command(world, ns, "q", script=UNTIL_TOLD) as first, Command(world, ns, "q", script=UNTIL_TOLD) as second:
            first.wait_for("pid")
            second.wait_for("pid")
            kondctl(world, ns, "semaphore", "acquire", "q")
            claims = permits(world, ns)
            assert len(claims) == 3 and len({c["spec"]["holder"] for c in claims}) == 1, "one user"
            assert len({c["status"]["token"] for c in claims}) == 3 and {phase(c) for c in claims} == {"Granted"}
            assert world.kondctl("semaphore", "run", "q", "-n", ns, "--", "true").returncode == 3
            for command in (first, second):
                command.touch("go")
                command.end(0)
        assert [phase(c) for c in permits(world, ns) if phase(c) != "Denied"] == ["Granted"], "the acquired one stays"
