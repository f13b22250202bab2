"""Images of a node: imported whole, or not at all."""

import json
import os
import tarfile

from base import PACKAGING, Failure, last_lines

KEPT = "konductor.io/before-import:"  # names of images that an import is about to replace


class Images:
    def __init__(self, node):
        self.node = node

    def ctr(self, *arguments, **options):
        command = ["ctr", "-a", self.node.socket, "-n", "k8s.io", *arguments]
        return self.node.run(command, self.node.namespaces("net", "mnt"), **options)

    def done(self, *arguments):
        done = self.ctr(*arguments)
        if done.returncode != 0:
            raise Failure(f"containerd does not answer as it should:\n{last_lines(done.stdout)}")
        return done.stdout

    def names(self):
        return set(self.done("images", "list", "--quiet").split())

    def import_pause(self, name):
        archive = self.node.path("pause.tar")
        made = self.node.run([PACKAGING / "image", "--pause", "--name", name, "--output", archive])
        if made.returncode != 0:
            raise Failure(f"the pause image can't be made:\n{last_lines(made.stdout)}")
        self.load(archive)

    def load(self, archive):
        """The names of the images in the archive. After a failure the node has the images that it had."""
        wanted = names_in(archive)
        before = self.names()
        kept = {name: KEPT + str(number) for number, name in enumerate(wanted) if name in before}
        for name, spare in kept.items():
            self.done("images", "tag", "--force", name, spare)
        try:
            with open(archive, "rb") as source:  # the node may have another file by this name
                done = self.ctr("images", "import", "-", stdin=source)
            if done.returncode != 0:
                self.undo(before, kept)
                raise Failure(self.reason(archive, done.stdout))
        finally:
            for spare in kept.values():
                self.ctr("images", "remove", spare)
        return wanted

    def undo(self, before, kept):
        for name, spare in kept.items():
            self.ctr("images", "tag", "--force", spare, name)
        for name in self.names() - before:
            self.ctr("images", "remove", name)
        # `--sync` waits until all that no image needs is gone from the disk.
        some = next(iter(before), None)
        if some:
            self.ctr("images", "tag", "--force", some, KEPT + "none")
            self.ctr("images", "remove", "--sync", KEPT + "none")

    def reason(self, archive, output):
        free = os.statvfs(self.node.path())
        if "no space left on device" in output:
            has, needs = free.f_bavail * free.f_frsize, 2 * os.stat(archive).st_size
            return (
                f"the disk of {self.node.cluster} is full: {has / 1e6:.0f} MB are free, and importing {archive} "
                f"takes about {needs / 1e6:.0f} MB. Nothing of it was kept. Make room, and import it again."
            )
        errors = [line for line in output.splitlines() if line.startswith("ctr: ")]
        return f"{archive} can't be imported:\n{last_lines(os.linesep.join(errors) or output)}"


def names_in(archive):
    try:
        with tarfile.open(archive) as tar:
            manifest = json.load(tar.extractfile("manifest.json"))
        return [name for image in manifest for name in image["RepoTags"]]
    except (tarfile.TarError, KeyError, ValueError, TypeError, EOFError) as error:
        reason = str(error).splitlines()[0]
        raise Failure(f"{archive} is no docker-archive (a tar with manifest.json): {reason} packaging/image makes one.") from None
