"""Plugins that are bad: each is refused or quarantined by name, with its reason, and stops no other."""
import contextlib
import json
import os
import shutil
import subprocess

from harness import BUILD, Operator, wait_for
from kinds import permit, phase, semaphore
from test_refusals import ready

ZOO = {"wrong-major": "is of plugin ABI 7, expected 1",
       "newer-minor": "needs a host of plugin ABI 1.999 or later",
       "two-names": "disagrees with itself",
       "misnamed": 'says that it is the plugin "another", expected "misnamed"',
       "no-note": "is a shared library without a Konductor note: not a plugin",
       "no-symbol": "does not export konductor_plugin_v1",
       "small-kind": "struct_size 64 is too small",
       "throws": "has a static constructor that throws: no lamp today",
       "exits": "has a static constructor that ends the process",
       "crashes": "has a static constructor that crashes (Aborted)"}
LAMPS = "lamps.sync.konductor.io", "switches.sync.konductor.io"


def folder(world, name, *bad):
    """A plugin folder with the good ones and the bad ones that are named."""
    path = world.dir / name
    shutil.copytree(world.plugins, path)
    path.chmod(0o755)
    for one in bad:
        shutil.copy(BUILD / f"tests/bad-plugins/{one}.so", path)
        (path / f"{one}.so").chmod(0o644)
    return path


def kondctl(world, *arguments, plugin_dir, kubeconfig=None):
    return world.run(str(BUILD / "bin/kondctl"), "--plugin-dir", str(plugin_dir), "--kubeconfig", str(kubeconfig or world.kubeconfig),
                     *arguments, check=False)


def listed(world, plugin_dir):
    """Names of the loaded, and reasons of the refused by file name: the same in both forms."""
    done = kondctl(world, "plugin", "list", "-o", "json", plugin_dir=plugin_dir)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    text = kondctl(world, "plugin", "list", plugin_dir=plugin_dir).stdout
    for refused in answer["refused"]:
        assert f"refused: {refused['file']}: " in text and refused["reason"] in text, text
    for loaded in answer["loaded"]:
        assert any(" ".join(line.split()).startswith(" ".join((loaded["name"], loaded["version"], ", ".join(loaded["kinds"])))) for line in text.splitlines()), text
    return [p["name"] for p in answer["loaded"]], {os.path.basename(p["file"]): p["reason"] for p in answer["refused"]}


def add_bad_files(path):
    """What is bad about a file itself; gives the words to expect for each."""
    good = (path / "semaphore.so").read_bytes()
    (path / "truncated.so").write_bytes(good[: len(good) // 2])
    (path / "narrow.so").write_bytes(good[:4] + b"\x01" + good[5:])
    (path / "text.so").write_text("#!/bin/sh\n")
    (path / "empty.so").touch()
    (path / "directory.so").mkdir()
    (path / "dangling.so").symlink_to("nowhere.so")
    elsewhere = path.parent / f"{path.name}-elsewhere"
    elsewhere.mkdir(exist_ok=True)
    (elsewhere / "linked.so").write_bytes(good)
    (path / "linked.so").symlink_to(elsewhere / "linked.so")
    os.mkfifo(path / "pipe.so", 0o644)
    (path / "writable.so").write_bytes(good)
    for file in ("truncated.so", "narrow.so", "text.so", "empty.so"):
        (path / file).chmod(0o644)
    (path / "writable.so").chmod(0o666)
    (path / "README.txt").write_text("no plugin, and not looked at\n")
    return {"truncated.so": "is truncated", "narrow.so": "is a 32-bit file", "text.so": "is not an ELF file", "empty.so": "is empty",
            "directory.so": "is a directory", "dangling.so": "cannot be resolved: No such file", "pipe.so": "is not a regular file",
            "linked.so": "outside of the plugin folder", "writable.so": "is writable by others (mode 0666): chmod go-w"}


def good_ones(world):
    """The names of those that the build made, and of the toys."""
    return sorted(file.stem for file in world.plugins.glob("*.so"))


@contextlib.contextmanager
def lamps(world, plugin_dir):
    """The CRDs of the bad plugins' kind, for a while."""
    try:
        world.apply_manifests(plugin_dir)
        yield
    finally:
        world.kubectl("delete", "crd", *LAMPS, "--ignore-not-found")


def lamp(name):
    return {"apiVersion": "sync.konductor.io/v1", "kind": "Lamp", "metadata": {"name": name}, "spec": {}}


def switch(name):
    return {"apiVersion": "sync.konductor.io/v1", "kind": "Switch", "metadata": {"name": name}, "spec": {"lamp": name, "holder": name}}


def test_each_bad_plugin_is_named_with_its_reason_and_the_good_ones_serve(world):
    path = folder(world, "zoo", *ZOO)
    expected = {f"{name}.so": reason for name, reason in ZOO.items()} | add_bad_files(path)
    loaded, refused = listed(world, path)
    assert loaded == good_ones(world), loaded
    assert refused.keys() == expected.keys(), refused.keys() ^ expected.keys()
    for file, words in expected.items():
        assert words in refused[file] and file in refused[file], f"{file}: {refused[file]}"
    assert kondctl(world, "semaphore", "list", plugin_dir=path).stderr.count("refused") == 0, "not said where nobody asked"
    assert kondctl(world, "semaphore", "list", "-v", plugin_dir=path).stderr.count("refused plugin") == len(expected)
    manifests = world.run(str(BUILD / "bin/konductor"), "manifests", "--plugin-dir", str(path)).stdout
    assert "semaphores.sync.konductor.io" in manifests and "lamps" not in manifests

    with world.operator(plugin_dir=path) as operator, world.namespace() as ns:
        metrics = operator.metrics()
        for file in expected:
            assert metrics[f'konductor_plugin_refused{{file="{path / file}"}}'] == 1, file
            operator.says("plugin refused", file)
        assert sum(key.startswith("konductor_plugin_refused") for key in metrics) == len(expected)
        assert sum(key.startswith("konductor_plugin_info") for key in metrics) == len(good_ones(world)) + 1, "one for each kind: one plugin has two"
        world.api.create(ns, "semaphores", semaphore("q", 1))
        done = kondctl(world, "semaphore", "acquire", "q", "-n", ns, plugin_dir=path)
        assert done.returncode == 0, done.stderr


def test_plugins_in_a_folder_that_others_can_write_are_refused(world):
    path = folder(world, "open")
    inner = path / "inner"
    inner.mkdir(mode=0o755)
    shutil.copy(world.plugins / "semaphore.so", inner)
    path.chmod(0o777)
    for place in (path, inner):  # a parent that others can write is as bad
        loaded, refused = listed(world, place)
        assert loaded == [] and refused and all(f"{path} is writable by others (mode 0777): chmod go-w" in why for why in refused.values()), refused
        done = kondctl(world, "semaphore", "list", plugin_dir=place)
        assert done.returncode == 2 and "no plugin is loaded" in done.stderr, done.stderr
        done = world.run(str(BUILD / "bin/konductor"), "--plugin-dir", str(place), "--kubeconfig", str(world.kubeconfig), check=False)
        assert done.returncode == 2 and "chmod go-w" in done.stderr and "no plugin could be loaded" in done.stderr, done.stderr
    path.chmod(0o755)
    assert listed(world, inner) == (["semaphore"], {})


def test_no_plugin_at_all_is_said(world):
    empty = world.dir / "empty-plugins"
    empty.mkdir()
    for place, words in ((empty, "no plugin could be loaded from"), (world.dir / "missing", "cannot read the plugin folder")):
        for line in ((), ("manifests",)):
            done = world.run(str(BUILD / "bin/konductor"), *line, "--plugin-dir", str(place), "--kubeconfig", str(world.kubeconfig), check=False)
            assert done.returncode == 2 and words in done.stderr and str(place) in done.stderr and done.stdout == "", f"{line}: {done}"
        done = kondctl(world, "semaphore", "acquire", "q", plugin_dir=place)
        assert done.returncode == 2 and done.stdout == "", done
    assert kondctl(world, "plugin", "list", plugin_dir=empty).returncode == 0
    assert kondctl(world, "version", plugin_dir=world.dir / "missing").returncode == 0, "needs none"


def test_two_plugins_of_one_kind(world):
    path = folder(world, "twins", "garbage", "out-of-range")
    shutil.copy(path / "semaphore.so", path / "zweitens.so")
    loaded, refused = listed(world, path)
    assert loaded == sorted([*good_ones(world), "garbage"]), loaded
    assert 'the name "lamps" of Lamp is taken by Lamp of plugin garbage' in refused["out-of-range.so"], refused
    assert "expected \"zweitens\" as its file name says" in refused["zweitens.so"], refused


def quarantined(world, bad, words, slow=0):
    path = folder(world, f"with-{bad}", bad)
    assert listed(world, path)[0] == sorted([*good_ones(world), bad])
    with lamps(world, path), world.operator(plugin_dir=path) as operator, world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 100))
        world.api.create(ns, "permits", permit("before", "q"))
        world.api.create(ns, "switches", switch("l"))
        world.api.create(ns, "lamps", lamp("l"))
        world.api.create(ns, "permits", permit("meanwhile", "q"))
        for name in ("before", "meanwhile"):
            wait_for("the semaphore goes on", lambda: phase(world.api.get(ns, "permits", name)) == "Granted", 10 + slow)
        shown = wait_for("it is quarantined", lambda: ready(c := world.api.get(ns, "lamps", "l"))["reason"] == "PluginQuarantined" and c, 10 + slow)
        condition = ready(shown)
        assert condition["status"] == "False" and bad in condition["message"] and words in condition["message"], condition
        world.api.create(ns, "lamps", lamp("second"))
        wait_for("so is its whole kind", lambda: ready(world.api.get(ns, "lamps", "second"))["reason"] == "PluginQuarantined", 4)
        done = kondctl(world, "semaphore", "acquire", "q", "-n", ns, plugin_dir=path)
        assert done.returncode == 0, done.stderr
        metrics = operator.metrics()
        assert metrics['konductor_quarantined{kind="Lamp"}'] == 1 and metrics['konductor_quarantined{kind="Semaphore"}'] == 0
        assert metrics['konductor_decisions_total{kind="Lamp"}'] == 1, "it is not called again"
        operator.says("quarantined until restart", words)
        assert phase(world.api.get(ns, "switches", "l")) in ("", "Pending"), "nothing is granted"
        assert world.api.get(ns, "lamps", "l")["status"].get("ledger", {}).get("pending", []) == []
        assert "PluginQuarantined" in kondctl(world, "status", "lamp", "l", "-n", ns, plugin_dir=path).stdout
        assert operator.probe("/readyz")[0] == 200 and operator.probe("/healthz")[0] == 200


def test_a_plugin_that_grants_what_is_not_there_is_quarantined(world):
    quarantined(world, "out-of-range", "1000000000")


def test_a_plugin_that_keeps_garbage_is_quarantined(world):
    quarantined(world, "garbage", "state is not JSON: it is not UTF-8 text")


def test_a_plugin_that_takes_more_than_a_second_is_quarantined(world):
    quarantined(world, "slow", "took 1.", slow=6)


def test_a_bad_plugin_does_not_hide_that_another_has_no_crds(world):
    path = folder(world, "minimal")
    shutil.copy(next(BUILD.glob("**/minimal.so")), path)
    (path / "minimal.so").chmod(0o644)
    operator = Operator(world, plugin_dir=path)
    try:
        operator.start(ready=False)
        wait_for("it says which CRD is missing", lambda: operator.port and "hooks.sync.konductor.io" in (a := operator.probe("/readyz"))[1]
                 and a[0] == 503 and "apply the output of konductor manifests" in a[1])
        with world.namespace() as ns:
            world.api.create(ns, "semaphores", semaphore("q", 1))
            world.api.create(ns, "permits", permit("p", "q"))
            wait_for("the others go on", lambda: phase(world.api.get(ns, "permits", "p")) == "Granted")
    finally:
        operator.kill()
