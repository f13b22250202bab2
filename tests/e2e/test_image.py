"""The image, and what kondctl says in pods that may not, or cannot, ask."""
import tarfile

from harness import BUILD
from kinds import semaphore
from node import IMAGE, SAFE, acquire, container, exit_code, is_finished, pod, status_of
from runner import say

LIMIT = 30_000_000
PARTS = {"usr/bin/konductor", "usr/bin/kondctl", "usr/lib/konductor/1/semaphore.so", "etc/passwd", "etc/group", "tmp"}


def is_release(world):
    """Debug information is not what is shipped."""
    return ".debug_info" not in world.run("readelf", "--section-headers", "--wide", str(BUILD / "bin/kondctl")).stdout


def test_the_image_is_small_and_has_no_shell(world):
    with tarfile.open(world.dir / "konductor.tar") as archive, tarfile.open(fileobj=archive.extractfile("layer.tar")) as layer:
        size, names = sum(entry.size for entry in layer), set(layer.getnames())
    assert PARTS <= names, PARTS - names
    assert not [name for name in names if name.rpartition("/")[2] in ("sh", "bash", "dash", "busybox")] and "bin" not in names, names
    say(f"      unpacked {size / 1e6:.1f} MB" + ("" if is_release(world) else " with debug information: the limit is for a release build"))
    assert size < LIMIT or not is_release(world)


def test_it_runs_as_any_user_on_a_read_only_root(world):
    with world.namespace(users=False) as ns:
        anybody = {**SAFE, "runAsUser": 1234567, "runAsGroup": 7654321}
        commands = {"version": ("kondctl", "version"), "plugins": ("kondctl", "plugin", "list"), "operator": ("konductor", "manifests")}
        for name, words in commands.items():
            world.api.create(ns, "pods", pod(name, [{**container("main", *words, image=IMAGE), "securityContext": anybody}]))
        for name, words in {"version": "kondctl", "plugins": "semaphore", "operator": "CustomResourceDefinition"}.items():
            assert exit_code(world.wait_for_pod(ns, name, "has ended", is_finished)) == 0, world.describe(ns)
            assert words in world.logs(ns, name), world.logs(ns, name)
        world.api.create(ns, "pods", pod("shell", [container("main", "sh", "-c", "true", image=IMAGE)]))
        shell = world.wait_for_pod(ns, "shell", "has ended", is_finished)
        assert "executable file not found" in str(status_of(shell)["state"]), status_of(shell)


def test_who_has_no_rights_hears_which_are_missing(world):
    with world.namespace(users=False) as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        world.kubectl("-n", ns, "create", "serviceaccount", "reader")
        world.kubectl("-n", ns, "create", "role", "reader", "--verb=get", "--resource=semaphores.sync.konductor.io")
        world.kubectl("-n", ns, "create", "rolebinding", "reader", "--role=reader", f"--serviceaccount={ns}:reader")
        missing = {"default": ("get", "semaphores"), "reader": ("create", "permits")}
        for account in missing:
            world.api.create(ns, "pods", pod(account, [container("main", "true")], [acquire("acquire", "--wait")], serviceAccountName=account))
        for account, (verb, resource) in missing.items():
            ended = world.wait_for_pod(ns, account, "has ended", is_finished)
            said = world.logs(ns, account, "acquire")
            assert exit_code(ended, "acquire") == 5, said
            for words in (f"system:serviceaccount:{ns}:{account}", f'cannot {verb} resource "{resource}"',
                          f"ask for a Role that allows {verb} on {resource} of API group sync.konductor.io in namespace {ns}"):
                assert words in said, said


def test_without_a_token_it_says_so(world):
    with world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        world.api.create(ns, "pods", pod("silent", [container("main", "true")], [acquire("acquire", "--wait")], automountServiceAccountToken=False))
        ended = world.wait_for_pod(ns, "silent", "has ended", is_finished)
        said = world.logs(ns, "silent", "acquire")
        assert exit_code(ended, "acquire") == 2, said
        assert "this pod has no usable service account token" in said and "/var/run/secrets/kubernetes.io/serviceaccount/token" in said, said
