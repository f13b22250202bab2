"""What kondctl shows, and what it makes and changes for people: tables, JSON, create, set, delete."""
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading

from client import kondctl
from credentials import Kubeconfig, allow, user
from harness import BUILD, wait_for
from kinds import BOOKSHELF, barrier, permit, semaphore
from tcp_proxy import proxy_to


def columns(text):
    """Rows as cells: at least three blanks between, as kubectl prints them."""
    return [[cell for cell in row.split("   ") if cell.strip()] for row in text.splitlines()]


def test_status_alone_shows_every_primitive_of_every_kind(world):
    with world.operator(), world.namespace() as ns:
        nothing = kondctl(world, ns, "status")
        assert nothing.stdout == "" and f"in namespace {ns}" in nothing.stderr and "semaphores" in nothing.stderr, nothing
        world.api.create(ns, "semaphores", semaphore("q", 3))
        world.api.create(ns, "barriers", barrier("b", 2))
        world.api.create(ns, "bookshelves", BOOKSHELF.primitive("s"))
        wait_for("all are looked at", lambda: all(world.api.get(ns, kind, name).get("status", {}).get("conditions") for kind, name in
                                                  (("semaphores", "q"), ("barriers", "b"), ("bookshelves", "s"))))
        shown = kondctl(world, ns, "status")
        tables = shown.stdout.split("\n\n")
        assert len(tables) == 3 and shown.stderr == "", shown
        assert all(table.split()[0] == "NAME" for table in tables), tables
        assert {row.split()[0] for table in tables for row in table.splitlines()[1:]} == {"semaphore/q", "barrier/b", "bookshelf/s"}
        assert "\x1b" not in shown.stdout, "no colours where it is no terminal"

        listed = json.loads(kondctl(world, ns, "status", "-o", "json").stdout)
        assert list(listed) == ["apiVersion", "items", "kind"], "members in the order of the alphabet, always"
        assert {item["kind"] for item in listed["items"]} == {"Semaphore", "Barrier", "Bookshelf"}
        assert all("managedFields" not in item["metadata"] for item in listed["items"])
        names = kondctl(world, ns, "status", "-o", "name").stdout.split()
        assert sorted(names) == ["barrier.sync.konductor.io/b", "bookshelf.sync.konductor.io/s", "semaphore.sync.konductor.io/q"], names
        for name in names:
            world.kubectl("get", name, "-n", ns)
        wide = kondctl(world, ns, "status", "semaphore", "-o", "wide").stdout
        assert "HELD-BY" in wide and "HELD-BY" not in shown.stdout, wide
        everywhere = kondctl(world, "default", "status", "-A").stdout
        assert f"{ns} " in everywhere and "NAMESPACE" in everywhere and "semaphore/q" in everywhere, everywhere


def test_tables_are_those_of_kubectl(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 3, maxPriority=7))
        world.api.create(ns, "semaphores", semaphore("a-longer-name", 30))
        wait_for("both are looked at", lambda: all(s.get("status", {}).get("phase") for s in world.api.list(ns, "semaphores")))
        for flags in ((), ("-o", "wide")):
            ours = columns(kondctl(world, ns, "semaphore", "list", *flags).stdout)
            theirs = columns(world.kubectl("get", "semaphores", "-n", ns, *flags).stdout)
            assert [row[:-1] for row in ours] == [row[:-1] for row in theirs], f"{ours}\n{theirs}"
            assert ours[0][-1] == theirs[0][-1] == "AGE"
            assert all(row[-1].endswith("s") for row in ours[1:]), ours
        one = kondctl(world, ns, "status", "semaphore").stdout
        assert columns(one)[0] == columns(kondctl(world, ns, "semaphore", "list").stdout)[0]


def test_status_names_holders_until_when_and_why_the_first_waits(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1, ttl="1h"))
        kondctl(world, ns, "semaphore", "acquire", "q", "--holder", "job-7")
        waiter = world.start_kondctl("semaphore", "acquire", "q", "-n", ns, "--wait", "--holder", "job-8")
        try:
            wait_for("it waits", lambda: "job-8" in kondctl(world, ns, "status", "semaphore", "q").stdout
                     and "no operator" not in kondctl(world, ns, "status", "semaphore", "q").stdout)
            rows = columns(kondctl(world, ns, "status", "semaphore", "q").stdout)
            held = next(i for i, row in enumerate(rows) if row and row[0] == "HELD BY")
            assert rows[held][3:5] == ["SINCE", "UNTIL"] and rows[held + 1][0] == "job-7", rows
            assert rows[held + 1][4].strip().startswith("in 59m") or rows[held + 1][4].strip().startswith("in 60m"), rows
            queue = next(i for i, row in enumerate(rows) if row and row[0] == "WAITING")
            assert rows[queue][-1] == "WHY" and rows[queue + 1][0] == "job-8" and len(rows[queue + 1]) == 7, rows
        finally:
            waiter.terminate()
            waiter.communicate(timeout=10)


def test_what_may_be_read_is_shown_and_the_rest_is_named(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 3))
        name = f"reader-{ns}"
        file = user(world, name)
        allow(world, ns, name, {"verb": "get,list", "resource": "semaphores.sync.konductor.io"})
        done = world.kondctl("status", "-n", ns, kubeconfig=file)
        assert done.returncode == 5 and "semaphore/q" in done.stdout, done
        assert "barriers" in done.stderr and "semaphores.sync" not in done.stderr, done.stderr


def test_primitives_are_created_changed_and_deleted(world):
    with world.operator(), world.namespace() as ns:
        made = kondctl(world, ns, "semaphore", "create", "q", "--permits", "5", "--ttl", "5m")
        assert made.stdout == f"created semaphore {ns}/q: permits 5, ttl 5m\n", made.stdout
        assert world.api.get(ns, "semaphores", "q")["spec"] == {"permits": 5, "ttl": "5m"}
        again = kondctl(world, ns, "semaphore", "create", "q", "--permits", "5", expect=1)
        assert "already exists" in again.stderr, again.stderr
        assert kondctl(world, ns, "semaphore", "set", "q", "--permits", "6").stdout == f"set semaphore {ns}/q: permits 6\n"
        assert world.api.get(ns, "semaphores", "q")["spec"] == {"permits": 6, "ttl": "5m"}
        shown = json.loads(kondctl(world, ns, "semaphore", "set", "q", "--max-priority", "9", "-o", "json").stdout)
        assert shown["spec"] == {"maxPriority": 9, "permits": 6, "ttl": "5m"} and shown["kind"] == "Semaphore", shown
        assert "--permits" in kondctl(world, ns, "semaphore", "set", "q", expect=2).stderr
        kondctl(world, ns, "semaphore", "create", "r", expect=2)
        kondctl(world, ns, "semaphore", "set", "none", "--permits", "6", expect=4)
        deleted = kondctl(world, ns, "semaphore", "delete", "q")
        assert deleted.stdout == f"deleted semaphore {ns}/q\n", deleted.stdout
        assert world.api.list(ns, "semaphores") == []
        kondctl(world, ns, "semaphore", "delete", "q", expect=4)

        name = kondctl(world, ns, "barrier", "create", "b", "--expected", "3", "--timeout", "5m", "--quorum", "2", "--quorum-policy",
                       "AtTimeout", "--reusable", "-o", "name").stdout
        assert name == "barrier.sync.konductor.io/b\n"
        assert world.api.get(ns, "barriers", "b")["spec"] == {"expected": 3, "timeout": "5m", "quorum": 2, "quorumPolicy": "AtTimeout",
                                                              "reusable": True}
        kondctl(world, ns, "barrier", "set", "b", "--expected", "4")
        assert world.api.get(ns, "barriers", "b")["spec"]["expected"] == 4
        refused = kondctl(world, ns, "barrier", "set", "b", "--quorum", "9", expect=5)
        assert "quorum is at most expected" in refused.stderr, f"the server's own words: {refused.stderr}"
        refused = kondctl(world, ns, "barrier", "create", "c", "--expected", "3", "--quorum-policy", "Never", expect=5)
        assert "AtTimeout" in refused.stderr, refused.stderr
        kondctl(world, ns, "barrier", "delete", "b")
        assert world.api.list(ns, "barriers") == []


def test_who_may_not_edit_is_told_so(world):
    with world.namespace() as ns:
        name = f"nobody-{ns}"
        file = user(world, name)
        world.api.create(ns, "semaphores", semaphore("q", 3))
        for verb, flags in (("create", ("--permits", "1")), ("set", ("--permits", "1")), ("delete", ())):
            done = world.kondctl("semaphore", verb, "q", *flags, "-n", ns, kubeconfig=file)
            assert done.returncode == 5 and "semaphores" in done.stderr and "forbidden" in done.stderr, done
        assert world.api.get(ns, "semaphores", "q")["spec"]["permits"] == 3


# ---- completion, help, links


def completed(world, ns, *words, kubeconfig=None, script=None):
    """What bash offers for these words, the last of which is not finished."""
    load = script or "source <(kondctl completion bash)"
    quoted = " ".join("'" + word + "'" for word in ("kondctl", *words))
    done = world.run("bash", "-c", f"{load}; complete -p kondctl >/dev/null || exit 9; COMP_WORDS=({quoted}); COMP_CWORD={len(words)}; "
                     "__kondctl_complete; printf '%s\\n' \"${COMPREPLY[@]}\"",
                     env={"KONDUCTOR_PLUGIN_DIR": str(world.plugins), "KUBECONFIG": str(kubeconfig or world.kubeconfig)})
    assert done.stderr == "", f"completion prints no errors: {done.stderr}"
    return [line for line in done.stdout.split("\n") if line]


def test_bash_completes_verbs_flags_and_names(world):
    with world.namespace() as ns:
        for name in ("api-quota", "api-other", "db"):
            world.api.create(ns, "semaphores", semaphore(name, 1))
        world.api.create(ns, "barriers", barrier("start", 1))
        assert completed(world, ns, "sem") == ["semaphore"]
        assert {"acquire", "release", "create", "set", "delete"} <= set(completed(world, ns, "semaphore", ""))
        assert completed(world, ns, "-n", ns, "semaphore", "acquire", "api-") == ["api-other", "api-quota"]
        assert completed(world, ns, "semaphore", "-n", ns, "status", "") == ["api-other", "api-quota", "db"]
        assert completed(world, ns, "status", "barrier", "-n", ns, "") == ["start"]
        assert completed(world, ns, "semaphore", "acquire", "db", "--perm") == ["--permits"]
        assert completed(world, ns, "barrier", "create", "b", "--quorum-policy", "A") == ["AtTimeout"]
        assert completed(world, ns, "semaphore", "list", "-o", "y") == ["yaml"]
        assert ns in completed(world, ns, "status", "-n", "t")
        world.api.create(ns, "permits", permit("mine", "db"))
        assert completed(world, ns, "semaphore", "-n", ns, "release", "db", "--claim", "m") == ["mine"]


def test_completion_is_silent_and_quick_where_there_is_no_server(world):
    with world.namespace() as ns:
        missing = world.dir / "no-such-kubeconfig"
        assert completed(world, ns, "semaphore", "acquire", "", kubeconfig=missing) == []
        done = world.run(str(BUILD / "bin/kondctl"), "__complete", "--", "--plugin-dir", "/nonexistent", "semaphore", "", check=False)
        assert (done.returncode, done.stderr) == (0, ""), done
        for shell in ("bash", "zsh", "fish"):
            assert "__complete" in world.run(str(BUILD / "bin/kondctl"), "completion", shell).stdout
        refused = world.kondctl("completion", "tcsh")
        assert refused.returncode == 2 and "bash, zsh and fish" in refused.stderr, refused


def test_scripts_are_accepted_by_the_shells_that_are_here(world):
    for shell, check in (("bash", ["bash", "-n"]), ("zsh", ["zsh", "-n"]), ("fish", ["fish", "--no-execute"])):
        if shutil.which(shell):
            script = world.dir / f"completion.{shell}"
            script.write_text(world.run(str(BUILD / "bin/kondctl"), "completion", shell).stdout)
            world.run(*check, str(script))


def test_explain_needs_no_server_and_agrees_with_kubectl(world):
    nowhere = str(world.dir / "no-such-kubeconfig")
    for path in ("semaphore", "barrier.spec", "semaphore.status.conditions", "permit.spec.pod"):
        ours = world.kondctl("explain", path, kubeconfig=nowhere, check=True).stdout
        theirs = world.kubectl("explain", path).stdout
        facts = lambda text: [line.strip() for line in text.splitlines() if line.startswith("  ") and "\t<" in line]
        assert facts(ours) == facts(theirs), f"{ours}\n{theirs}"
    text = world.kondctl("explain", "barrier.spec.quorumPolicy", check=True).stdout
    assert "FIELD: quorumPolicy <string>" in text and "AtTimeout" in text and "When the quorum opens this" in text, text
    wrong = world.kondctl("explain", "semaphore.spec.permit")
    assert wrong.returncode == 2 and 'did you mean "permits"?' in wrong.stderr, wrong


def test_manual_pages_are_groff_without_warnings(world):
    folder = world.dir / "man1"
    folder.mkdir()
    world.kondctl("man", "--dir", str(folder), check=True)
    assert {"kondctl.1", "kondctl-semaphore.1", "kondctl-barrier.1"} <= {page.name for page in folder.iterdir()}
    page = folder / "kondctl-semaphore.1"
    assert page.read_text() == world.kondctl("man", "semaphore", check=True).stdout
    if shutil.which("groff"):
        for file in folder.iterdir():
            done = world.run("groff", "-man", "-Tutf8", "-ww", "-z", str(file))
            assert done.stdout + done.stderr == "", f"{file.name}: {done.stderr}"
        shown = world.run("groff", "-man", "-Tascii", "-P-c", str(page)).stdout
        assert "acquire" in shown and "--permits N" in re.sub(".\x08", "", shown), shown


def test_it_is_a_plugin_of_kubectl_by_its_name(world):
    links = world.dir / "links"
    links.mkdir()
    for name in ("kubectl-konductor", "kubectl_complete-konductor"):
        (links / name).symlink_to(BUILD / "bin/kondctl")
    env = {"PATH": f"{links}:{os.environ['PATH']}", "KONDUCTOR_PLUGIN_DIR": str(world.plugins), "KUBECONFIG": str(world.kubeconfig)}
    with world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        assert world.run("kubectl", "konductor", "semaphore", "list", "-n", ns, "-o", "name", env=env).stdout == "semaphore.sync.konductor.io/q\n"
        assert "kubectl konductor" in world.run("kubectl", "konductor", "semaphore", "--help", env=env).stdout
        offered = world.run("kubectl", "__complete", "konductor", "semaphore", "acquire", "-n", ns, "", env=env, check=False).stdout
        assert offered.splitlines()[0] == "q", offered
        offered = world.run("kubectl", "__complete", "konductor", "semaphore", "list", "--kubeconfig", "", env=env, check=False).stdout
        assert ":files" not in offered and offered.splitlines()[-1] == ":0", offered


def test_words_that_do_not_exist_are_guessed_at(world):
    for words, guess in ((("semaphor", "list"), "semaphore"), (("semaphore", "aquire", "q"), "acquire"), (("verison",), "version"),
                         (("semaphore", "acquire", "q", "--permit=2"), "--permits")):
        done = world.kondctl(*words)
        assert done.returncode == 2 and f'did you mean "{guess}"?' in done.stderr, done


# ---- what can't be written, read, or said as it is


def test_a_result_that_nobody_gets_is_a_failure(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 3))
        with open("/dev/full", "w") as full:
            for words in (("semaphore", "list"), ("semaphore", "acquire", "q", "--holder", "h", "-o", "json"), ("version",)):
                done = subprocess.run([str(BUILD / "bin/kondctl"), "--plugin-dir", str(world.plugins), "--kubeconfig", str(world.kubeconfig), *words,
                                       "-n", ns], stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, text=True, timeout=20)
                assert done.returncode == 1 and "could not be written" in done.stderr, done
        assert not world.api.list(ns, "permits"), "a grant of which nobody hears is given back"
        ignoring = ("import os, signal, sys; signal.signal(signal.SIGPIPE, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])")
        follower = subprocess.Popen([sys.executable, "-c", ignoring, str(BUILD / "bin/kondctl"), "--plugin-dir", str(world.plugins), "--kubeconfig",
                                     str(world.kubeconfig), "semaphore", "list", "-w", "-n", ns, "-o", "name"],
                                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert follower.stdout.readline() == "semaphore.sync.konductor.io/q\n"
        follower.stdout.close()
        world.api.create(ns, "semaphores", semaphore("r", 3))
        assert follower.wait(10) == 1


def test_yaml_and_json_command_no_terminal(world):
    holder = "\u009b2J\u202e\x7f"
    with world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 3))
        world.api.create(ns, "permits", permit("p", "q", holder=holder))
        for form in ("json", "yaml"):
            shown = kondctl(world, ns, "semaphore", "status", "q", "-o", form).stdout
            assert not {"\u009b", "\u202e", "\x7f"} & set(shown) and "\\u009b2J\\u202e\\u007f" in shown, shown
        assert json.loads(kondctl(world, ns, "semaphore", "status", "q", "-o=json").stdout)["waiting"][0]["spec"]["holder"] == holder


def test_claims_that_may_not_be_seen_are_not_said_to_be_none(world):
    with world.operator(), world.namespace() as ns:
        file = user(world, f"half-{ns}")
        allow(world, ns, f"half-{ns}", {"verb": "get,list", "resource": "semaphores.sync.konductor.io"})
        world.api.create(ns, "semaphores", semaphore("q", 3))
        claim = json.loads(kondctl(world, ns, "semaphore", "acquire", "q", "--holder", "h", "-o", "json").stdout)["claim"]
        seen = json.loads(world.kondctl("semaphore", "status", "q", "-n", ns, "-o", "json", kubeconfig=file).stdout)
        assert seen["claimsHidden"] and "holding" not in seen, seen
        text = wait_for("its status names who holds", lambda: (out := world.kondctl("semaphore", "status", "q", "-n", ns, kubeconfig=file).stdout)
                        and "HELD BY" in out and out)
        assert f" {claim} " in text and f"{ns}/{claim}" not in text, text


def test_watch_without_the_right_to_watch_says_so_once_and_looks_again(world):
    with world.namespace() as ns:
        file = user(world, f"lister-{ns}")
        allow(world, ns, f"lister-{ns}", {"verb": "get,list", "resource": "semaphores.sync.konductor.io"})
        world.api.create(ns, "semaphores", semaphore("q", 3))
        process = world.start_kondctl("semaphore", "list", "-n", ns, "-w", "-o", "name", kubeconfig=file)
        for name in ("q", "r", "s"):
            if name != "q":
                world.api.create(ns, "semaphores", semaphore(name, 3))
            assert process.stdout.readline() == f"semaphore.sync.konductor.io/{name}\n"
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=10)[1]
        assert said.count("cannot watch") == 1, said


def test_what_waits_for_a_finalizer_is_not_deleted_yet(world):
    with world.namespace() as ns:
        body = semaphore("q", 3)
        body["metadata"]["finalizers"] = ["example.com/last-words"]
        world.api.create(ns, "semaphores", body)
        said = kondctl(world, ns, "semaphore", "delete", "q").stdout
        assert said.startswith(f"deleting semaphore {ns}/q") and "example.com/last-words" in said, said
        world.api.patch(ns, "semaphores", "q", {"metadata": {"finalizers": None}})
        wait_for("it is gone", lambda: not world.api.list(ns, "semaphores"))


# ---- following, colours


class Lines:
    """What a process prints, as it comes."""

    def __init__(self, process):
        self.process, self.text = process, ""
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.text += line

    def show(self, what):
        wait_for(f"it shows {what!r}: {self.text}", lambda: re.search(what, self.text), 10)
        return self

    def end(self, how=signal.SIGINT):
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(10)


def test_watch_follows_lists(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 3))
        wait_for("it is ready", lambda: world.api.get(ns, "semaphores", "q").get("status", {}).get("phase"))
        one = Lines(world.start_kondctl("semaphore", "list", "-n", ns, "--watch"))
        all_kinds = Lines(world.start_kondctl("status", "-n", ns, "-w"))
        objects = Lines(world.start_kondctl("semaphore", "list", "-n", ns, "-w", "-o", "name"))
        for lines, name in ((one, "q "), (all_kinds, "semaphore/q "), (objects, "semaphore.sync.konductor.io/q\n")):
            lines.show(name)
        assert one.text.count("NAME") == 1
        world.api.patch(ns, "semaphores", "q", {"spec": {"permits": 0}})
        one.show(r"q +0 .*Paused")
        world.api.create(ns, "barriers", barrier("b", 2))
        all_kinds.show(r"barrier/b ")
        world.api.delete(ns, "semaphores", "q")
        one.show("deleted")
        assert one.text.count("NAME") == 1, one.text
        assert one.end() == 130 and all_kinds.end(signal.SIGTERM) == 143 and objects.end() == 130


def test_watch_follows_one_object_and_its_claims(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        lines = Lines(world.start_kondctl("status", "semaphore", "q", "-n", ns, "--watch"))
        lines.show("nobody holds it")
        claim = json.loads(kondctl(world, ns, "semaphore", "acquire", "q", "--holder", "job-7", "-o", "json").stdout)["claim"]
        lines.show(f"job-7 +{claim}")
        world.api.delete(ns, "semaphores", "q")
        assert lines.process.wait(10) == 4
        assert f"semaphore {ns}/q was deleted" in lines.process.stderr.read()
        missing = world.kondctl("semaphore", "status", "none", "-n", ns, "--watch")
        assert missing.returncode == 4 and "there is no semaphore" in missing.stderr, missing


def test_watch_goes_on_through_an_outage(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 3))
        port = Kubeconfig(world).cluster["server"].rsplit(":", 1)[1]
        with proxy_to(int(port)) as proxy:
            config = Kubeconfig(world).to(proxy.url)
            rows = Lines(world.start_kondctl("semaphore", "list", "-n", ns, "-w", kubeconfig=config)).show(r"q +3 ")
            one = Lines(world.start_kondctl("semaphore", "status", "q", "-n", ns, "-w", kubeconfig=config)).show(r"PERMITS +3\n")
            proxy.cut()
            world.api.patch(ns, "semaphores", "q", {"spec": {"permits": 4}})
            rows.show(r"q +4 ")
            one.show(r"PERMITS +4\n")
            proxy.refuses = True
            proxy.cut()
            world.api.delete(ns, "semaphores", "q")
            proxy.refuses = False
            rows.show("deleted")
            assert one.process.wait(10) == 4 and rows.end() == 130


def test_watch_ends_with_its_reader(world):
    with world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 3))
        process = world.start_kondctl("semaphore", "list", "-n", ns, "-w", "-o", "name")
        assert process.stdout.readline() == "semaphore.sync.konductor.io/q\n"
        process.stdout.close()
        world.api.create(ns, "semaphores", semaphore("r", 3))
        assert process.wait(10) != 0


def test_watch_of_what_is_forbidden_ends(world):
    with world.namespace() as ns:
        file = user(world, f"blind-{ns}")
        done = world.kondctl("semaphore", "list", "-n", ns, "--watch", kubeconfig=file)
        assert done.returncode == 5 and "semaphores" in done.stderr, done


def test_colours_only_on_a_terminal_and_not_with_no_color(world):
    def shown(env):
        leader, follower = os.openpty()
        try:
            subprocess.run([str(BUILD / "bin/kondctl"), "--plugin-dir", str(world.plugins), "--kubeconfig", str(world.kubeconfig), "status",
                            "-n", ns], stdin=subprocess.DEVNULL, stdout=follower, check=True, timeout=20,
                           env={**os.environ, "TERM": "xterm", **env})
            os.close(follower)
            shown = b""
            with contextlib.suppress(OSError):  # EIO: all has been read, and nobody has the other end
                while piece := os.read(leader, 65536):
                    shown += piece
            return shown.decode()
        finally:
            os.close(leader)
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 3))
        wait_for("it is ready", lambda: world.api.get(ns, "semaphores", "q").get("status", {}).get("phase") == "Ready")
        assert "\x1b[32mReady\x1b[0m" in shown({"NO_COLOR": ""})
        assert "\x1b" not in shown({"NO_COLOR": "1"})
        assert "\x1b" not in shown({"NO_COLOR": "", "TERM": "dumb"})
