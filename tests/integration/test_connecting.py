"""How kondctl and the operator find the API server and prove who they are: kubeconfigs, exec plugins, proxies, IPv6, and credentials that
change while they are in use."""
import contextlib
import json
import os
import pathlib
import pty
import signal
import subprocess
import time
import urllib.parse

from connect_proxy import connect_proxy
from credentials import Kubeconfig, certificate, closed_port, signed
from harness import BUILD, wait_for
from kinds import permit, phase, semaphore
from tcp_proxy import proxy_to

EXACT = 0.1  # seconds: how late --timeout may be
ADMINISTRATORS = ("system:masters",)


def port_of(world):
    return urllib.parse.urlparse(Kubeconfig(world).cluster["server"]).port


def granted(world, ns, name, timeout=30.0):
    world.api.create(ns, "permits", permit(name, "q"))
    return wait_for(f"{name} is granted", lambda: phase(world.api.get(ns, "permits", name)) == "Granted", timeout)


def lists(world, expect=0, kubeconfig=None, env=None):
    done = world.kondctl("semaphore", "list", "-A", kubeconfig=kubeconfig, env=env)
    assert done.returncode == expect, f"exit {done.returncode}, not {expect}: {done.stdout}{done.stderr}"
    assert expect == 0 or done.stdout == "" and done.stderr.startswith("kondctl: "), done
    return done


class Plugin:
    """An exec plugin: a script of the shell, which notes each run of it, and its process."""

    def __init__(self, world, script):
        self.folder = world.dir / f"plugin-{time.monotonic_ns()}"
        self.folder.mkdir()
        self.runs_file, self.answer_file = self.folder / "runs", self.folder / "answer"
        self.file = self.folder / "login"
        self.file.write_text(f"#!/bin/sh\ncd {self.folder}\necho $$ >> runs\n{script}\n")
        self.file.chmod(0o755)

    def answer(self, expires_in=None, **status):
        if expires_in is not None:
            status["expirationTimestamp"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + expires_in))
        whole = self.folder / "whole"
        whole.write_text(json.dumps({"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "status": status}))
        whole.rename(self.answer_file)

    def runs(self):
        return self.runs_file.read_text().split() if self.runs_file.exists() else []

    def alive(self):
        """Processes of it that still run."""
        found = []
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if (folder / "cwd").resolve() == self.folder and (folder / "stat").read_text().rpartition(")")[2].split()[0] != "Z":
                    found.append(folder.name)
        return found


# ---- kubeconfigs


def test_the_files_of_a_list_are_merged(world):
    known = Kubeconfig(world)
    folder = world.dir / "list"
    folder.mkdir()
    (folder / "ca.crt").write_bytes((world.cluster_dir / "ca.crt").read_bytes())
    (folder / "clusters").write_text(json.dumps({
        "clusters": [{"name": "c", "cluster": {"server": known.cluster["server"], "certificate-authority": "ca.crt"}}],
        "contexts": [{"name": "right", "context": {"cluster": "c", "user": "u", "namespace": "kube-system"}}], "current-context": "right"}))
    other = world.dir / "list-other"
    other.write_text(json.dumps({
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}], "users": [{"name": "u", "user": known.user}],
        "contexts": [{"name": "right", "context": {"cluster": "c"}}, {"name": "other", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "wrong"}))

    def with_list(*files, context=()):
        return world.run(str(BUILD / "bin/kondctl"), "--plugin-dir", str(world.plugins), "semaphore", "list", "-v", *context, check=False,
                         env={"KUBECONFIG": ":".join(map(str, files))})

    missing = world.dir / "there-is-no-such-file"
    done = with_list(missing, folder / "clusters", other)
    assert done.returncode == 0 and "namespace kube-system" in done.stderr, done
    assert with_list(folder / "clusters", other, context=("--context", "other")).returncode == 0
    done = with_list(folder / "clusters")
    assert done.returncode == 2 and 'no user "u"' in done.stderr, done
    done = with_list(missing, f"{missing}-2")
    assert done.returncode == 2 and f"KUBECONFIG={missing}:{missing}-2: no such file" in done.stderr, done


def test_two_contexts_with_one_name_are_refused(world):
    config = Kubeconfig(world).write()
    text = json.loads(config.read_text())
    text["contexts"].append({"name": "c", "context": {"cluster": "c", "user": "nobody"}})
    config.write_text(json.dumps(text))
    said = lists(world, expect=2, kubeconfig=config).stderr
    assert f"kubeconfig {config}: line 1, column" in said and 'two contexts have one name, "c"' in said, said


def test_a_ca_that_does_not_match_is_named_with_what_to_do(world):
    other = world.dir / "other-ca.crt"
    world.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=other",
              "-days", "2", "-keyout", "/dev/null", "-out", str(other))
    config = Kubeconfig(world)
    config.cluster = {"server": config.cluster["server"], "certificate-authority": str(other)}
    said = lists(world, expect=2, kubeconfig=config.write()).stderr
    assert "certificate verify failed" in said and "get this cluster's CA" in said and f"certificate-authority {other}" in said, said
    del config.cluster["certificate-authority"]
    assert "set certificate-authority to the cluster's CA" in lists(world, expect=2, kubeconfig=config.write()).stderr
    config.cluster["insecure-skip-tls-verify"] = True
    lists(world, kubeconfig=config.write())


# ---- exec plugins


def test_an_exec_plugin_gives_a_certificate_or_a_token(world):
    pem = dict(zip(("clientCertificateData", "clientKeyData"), certificate(world, "by-exec", ADMINISTRATORS)))
    plugin = Plugin(world, 'printf "%s" "$KUBERNETES_EXEC_INFO" > info; echo "$WHO" "$@" > arguments; cat answer')
    plugin.answer(**pem)
    config = Kubeconfig(world)
    file = config.with_exec(plugin.file, "--for", "test", env=[{"name": "WHO", "value": "me"}], provideClusterInfo=True)
    lists(world, kubeconfig=file)
    assert (plugin.folder / "arguments").read_text() == "me --for test\n"
    info = json.loads((plugin.folder / "info").read_text())
    assert info["apiVersion"] == "client.authentication.k8s.io/v1" and info["kind"] == "ExecCredential", info
    assert info["spec"] == {"interactive": False, "cluster": config.cluster}, info
    with world.namespace() as ns:
        token = world.kubectl("create", "token", "default", "-n", ns).stdout.strip()
        plugin.answer(token=token)
        world.kubectl("create", "rolebinding", "reads", "-n", ns, "--clusterrole=konductor-view", f"--serviceaccount={ns}:default", check=False)
        done = world.kondctl("semaphore", "list", "-n", ns, kubeconfig=file)
        assert done.returncode in (0, 5) and "nauthorized" not in done.stderr, "the server knows who it is: " + done.stderr
    assert len(plugin.runs()) == 2


def test_a_refused_credential_makes_the_plugin_run_once_more(world):
    pem = dict(zip(("clientCertificateData", "clientKeyData"), certificate(world, "by-exec", ADMINISTRATORS)))
    plugin = Plugin(world, 'if [ "$(wc -l < runs)" = 1 ]; then printf \'{"kind":"ExecCredential","apiVersion":'
                           '"client.authentication.k8s.io/v1","status":{"token":"stale"}}\'; else cat answer; fi')
    plugin.answer(**pem)
    lists(world, kubeconfig=Kubeconfig(world).with_exec(plugin.file))
    assert len(plugin.runs()) == 2
    always_wrong = Plugin(world, "cat answer")
    always_wrong.answer(token="wrong")
    assert "nauthorized" in lists(world, expect=5, kubeconfig=Kubeconfig(world).with_exec(always_wrong.file)).stderr
    assert len(always_wrong.runs()) == 2, "once more, not for ever"


def test_a_plugin_that_fails_is_named_with_what_it_said(world):
    hint = {"installHint": "ask the\nwizard for it"}
    cases = {
        "garbage": ("echo please log in", 2, ("printed 14 bytes that are no ExecCredential", "ask the wizard for it")),
        "fails": ("echo 'no \033[31msession' >&2; exit 1", 5, ("failed with exit code 1: no \\x1b[31msession", "ask the wizard for it")),
        "killed": ("kill -9 $$", 5, ("failed with signal 9",)),
        "endless": ("yes", 2, ("printed more than an ExecCredential can have",)),
    }
    for what, (script, code, words) in cases.items():
        plugin = Plugin(world, script)
        said = lists(world, expect=code, kubeconfig=Kubeconfig(world).with_exec(plugin.file, **hint)).stderr
        assert all(word in said for word in (f"exec plugin {plugin.file}", *words)), f"{what}: {said}"
        assert said.count("\n") == 1 and plugin.alive() == [], f"{what}: {said}"
    said = lists(world, expect=2, kubeconfig=Kubeconfig(world).with_exec("konductor-has-no-such-login", **hint)).stderr
    assert "konductor-has-no-such-login was not found on PATH; ask the wizard for it" in said, said
    said = lists(world, expect=2, kubeconfig=Kubeconfig(world).with_exec("/no/such/login")).stderr
    assert "/no/such/login was not found: No such file" in said, said
    said = lists(world, expect=2, kubeconfig=Kubeconfig(world).with_exec("login", interactiveMode="Always")).stderr
    assert "must ask at a terminal" in said, said
    beside = Kubeconfig(world)
    plugin = Plugin(world, "exit 7")
    beside.file = plugin.folder / "config"
    assert "exit code 7" in lists(world, expect=5, kubeconfig=beside.with_exec("./login")).stderr, "relative to the kubeconfig"


def test_at_a_terminal_a_plugin_may_ask(world):
    pem = dict(zip(("clientCertificateData", "clientKeyData"), certificate(world, "by-exec", ADMINISTRATORS)))
    plugin = Plugin(world, 'printf "%s" "$KUBERNETES_EXEC_INFO" > info; printf "word? " >&2; read word; [ "$word" = swordfish ] || exit 1; cat answer')
    plugin.answer(**pem)
    for mode, asks in (("IfAvailable", True), ("Always", True), ("Never", False)):
        ours, theirs = pty.openpty()
        try:
            os.write(ours, b"swordfish\n")
            file = Kubeconfig(world).with_exec(plugin.file, interactiveMode=mode)
            done = subprocess.run([str(BUILD / "bin/kondctl"), "--plugin-dir", str(world.plugins), "--kubeconfig", str(file), "semaphore", "list", "-A"],
                                  stdin=theirs, capture_output=True, text=True, timeout=30)
        finally:
            os.close(ours)
            os.close(theirs)
        assert json.loads((plugin.folder / "info").read_text())["spec"]["interactive"] == asks
        assert done.returncode == (0 if asks else 5), f"{mode}: {done}"
        assert done.stderr.startswith("word? ") == asks, f"{mode}: {done.stderr}"


def test_a_timeout_is_kept_while_a_plugin_hangs(world):
    plugin = Plugin(world, "sleep 1000 & sleep 1000")
    config = Kubeconfig(world).with_exec(plugin.file)

    def start_time():
        began = time.monotonic()
        world.kondctl("plugin", "list")
        return time.monotonic() - began

    for line in (("acquire", "q", "--wait"), ("acquire", "q"), ("release", "q", "--claim", "x")):
        for attempt in (1, 2, 3):  # a machine that does much else is late by itself
            before = start_time()
            began = time.monotonic()
            done = world.kondctl("semaphore", *line, "-n", "default", "--timeout", "0.5s", kubeconfig=config)
            took = time.monotonic() - began
            assert done.returncode == 124 and took >= 0.5, f"{line}: exit {done.returncode} after {took:.3f} s: {done.stderr}"
            if took <= 0.5 + EXACT + max(before, start_time()):
                break
        else:
            raise AssertionError(f"{line}: took {took:.3f} s")
        wait_for("no process is left behind", lambda: plugin.alive() == [], 5)
    for line, how, code in ((("acquire", "q", "--wait"), signal.SIGTERM, 143), (("list",), signal.SIGTERM, -15), (("list",), signal.SIGINT, -2)):
        process = world.start_kondctl("semaphore", *line, "-n", "default", kubeconfig=config)
        wait_for("the plugin and its child run", lambda: len(plugin.alive()) >= 2)
        process.send_signal(how)
        process.communicate(timeout=10)
        assert process.returncode == code, f"{line}: {process.returncode}"
        wait_for("no process is left behind", lambda: plugin.alive() == [], 5)
    process = world.start_kondctl("semaphore", "acquire", "q", "-n", "default", "--wait", kubeconfig=config)
    wait_for("the plugin runs", plugin.alive)
    process.kill()
    process.wait()
    first = plugin.runs()[-1]
    wait_for("it dies with kondctl", lambda: first not in plugin.alive(), 5)
    for left in plugin.alive():  # what the plugin itself had started: nobody was there to end it
        os.kill(int(left), 9)


def test_the_operator_survives_a_plugin_that_hangs_or_fails(world):
    pem = dict(zip(("clientCertificateData", "clientKeyData"), certificate(world, "by-exec", ADMINISTRATORS)))
    plugin = Plugin(world, "if [ -e hang ]; then sleep 1000; fi; if [ -e fail ]; then echo no session >&2; exit 1; fi; cat answer")
    plugin.answer(expires_in=3, **pem)
    began = time.time()
    with world.operator(kubeconfig=Kubeconfig(world).with_exec(plugin.file)) as operator, world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 100))
        granted(world, ns, "first")
        assert len(plugin.runs()) < 20, "requests share a run"
        for how in ("hang", "fail"):  # what it gives from now on is expired already: each request runs it
            before = len(plugin.runs())
            (plugin.folder / how).touch()
            wait_for("what it gave has expired", lambda: time.time() > began + 4)
            world.api.create(ns, "permits", permit(f"during-{how}", "q"))
            wait_for("it is run again", lambda: len(plugin.runs()) > before)
            assert operator.probe("/healthz")[0] == 200, "it goes on serving"
            if how == "fail":
                operator.says("failed with exit code 1: no session")
            (plugin.folder / how).unlink()
            wait_for("it recovers", lambda: phase(world.api.get(ns, "permits", f"during-{how}")) == "Granted", 60)
        assert operator.kill(15) == 0
        wait_for("no process is left behind", lambda: plugin.alive() == [], 5)


# ---- ways to the server


def test_through_a_proxy(world):
    port = port_of(world)
    by_name = Kubeconfig(world)
    by_name.cluster["server"] = f"https://kubernetes:{port}"  # a name that only the proxy can find
    file = by_name.write()
    with connect_proxy(port) as proxy, world.namespace() as ns:
        for variable in ("HTTPS_PROXY", "https_proxy"):
            lists(world, kubeconfig=file, env={variable: f"http://user:pass@{proxy.place}"})
        assert all(head.startswith(f"CONNECT kubernetes:{port} HTTP/1.1\r\n") for head in proxy.requests), proxy.requests
        assert all("Proxy-Authorization: Basic dXNlcjpwYXNz\r\n" in head for head in proxy.requests), proxy.requests
        seen = len(proxy.requests)
        away = world.kondctl("semaphore", "list", kubeconfig=file, env={"HTTPS_PROXY": proxy.place, "NO_PROXY": "kubernetes"}, timeout=30)
        assert away.returncode == 6 and len(proxy.requests) == seen, "NO_PROXY keeps it away: " + away.stderr
        lists(world, env={"HTTPS_PROXY": "http://127.0.0.1:1"})  # loopback never has one by the environment
        local = Kubeconfig(world)
        local.cluster["proxy-url"] = f"http://{proxy.place}"
        lists(world, kubeconfig=local.write(), env={"HTTPS_PROXY": "http://127.0.0.1:1", "NO_PROXY": "*"})
        assert len(proxy.requests) > seen, "proxy-url wins, on loopback too"
        with world.operator(kubeconfig=file, env={"HTTPS_PROXY": proxy.place}):
            world.api.create(ns, "semaphores", semaphore("q", 1))
            granted(world, ns, "p")
        for answer, code, words in ((b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", 2, "put USER:PASSWORD@ before the host in kubeconfig"),
                                    (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 11\r\n\r\nnot to here", 5, "403 Forbidden: not to here"),
                                    (b"220 mail ESMTP\r\n", 1, "what it answers is not HTTP")):
            proxy.answer = answer
            said = lists(world, expect=code, kubeconfig=local.file).stderr
            assert words in said and f"through the proxy http://{proxy.place}" in said, said
        proxy.answers = False
        began = time.monotonic()
        done = world.kondctl("semaphore", "acquire", "q", "-n", ns, "--timeout", "0.5s", kubeconfig=local.file)
        assert done.returncode == 124 and 0.5 <= time.monotonic() - began < 3, done
    closed = closed_port().replace("https", "http")
    local.cluster["proxy-url"] = closed
    done = world.kondctl("semaphore", "acquire", "q", "-n", "default", "--wait", "--timeout", "0.5s", kubeconfig=local.write())
    assert done.returncode == 124 and f"through the proxy {closed}: connection refused" in done.stderr, done.stderr


def test_over_ipv6(world):
    with proxy_to(port_of(world), "::1") as forwarder, world.namespace() as ns:
        config = Kubeconfig(world)
        config.cluster["server"] = forwarder.url
        file = config.write()
        assert "https://[::1]:" in world.kondctl("semaphore", "list", "-v", kubeconfig=file, check=True).stderr
        with world.operator(kubeconfig=file):
            world.api.create(ns, "semaphores", semaphore("q", 1))
            granted(world, ns, "p")


# ---- credentials that change


def replace(file, text):
    whole = file.with_suffix(".new")
    whole.write_text(text)
    whole.rename(file)


def test_a_client_certificate_that_expires_during_a_watch_is_replaced_on_disk(world):
    folder = world.dir / "rotating"
    folder.mkdir()
    crt, key = folder / "user.crt", folder / "user.key"
    lifetime = 12
    until = time.time() + lifetime
    for file, text in zip((crt, key), certificate(world, "rotating", ADMINISTRATORS, lifetime)):
        file.write_text(text)
    config = Kubeconfig(world)
    config.user = {"client-certificate": str(crt), "client-key": str(key)}
    with world.operator(kubeconfig=config.write()) as operator, world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 100))
        granted(world, ns, "before")
        wait_for("it has expired", lambda: time.time() > until + 1, lifetime + 5)
        world.api.create(ns, "permits", permit("during", "q"))
        operator.says("nauthorized")
        assert phase(world.api.get(ns, "permits", "during")) != "Granted"
        new_crt, new_key = certificate(world, "rotating", ADMINISTRATORS)
        replace(crt, new_crt)  # half of it: the pair does not match
        world.api.create(ns, "permits", permit("half", "q"))
        assert operator.probe("/healthz")[0] == 200
        replace(key, new_key)
        for name in ("during", "half"):
            wait_for(f"{name} is granted with the new one", lambda: phase(world.api.get(ns, "permits", name)) == "Granted", 60)
        wait_for("it is ready", operator.is_ready, 60)
        granted(world, ns, "after")


def test_a_token_file_is_replaced_while_the_operator_runs(world):
    file = world.dir / "rotating-token"
    with world.namespace() as ns:
        world.kubectl("create", "clusterrolebinding", f"rotates-{ns}", "--clusterrole=cluster-admin", f"--serviceaccount={ns}:default")
        try:
            good = world.kubectl("create", "token", "default", "-n", ns).stdout.strip()
            file.write_text(signed(world, good, 8) + "\n")
            until = time.time() + 8
            config = Kubeconfig(world)
            config.user = {"tokenFile": str(file)}
            with world.operator(kubeconfig=config.write()) as operator:
                world.api.create(ns, "semaphores", semaphore("q", 100))
                granted(world, ns, "before")
                replace(file, good + "\n")
                wait_for("the first one has expired", lambda: time.time() > until + 11, 40)  # the server may remember it for 10 s
                granted(world, ns, "after", timeout=10)
                assert not any("nauthorized" in line for line in operator.lines), "the new one was read in time"
        finally:
            world.kubectl("delete", "clusterrolebinding", f"rotates-{ns}", check=False)
