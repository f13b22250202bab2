"""Each exit code of docs/kondctl.md is reached by a test: which one, and what the others leave out."""
import importlib
import inspect
import re
import signal

from command import UNTIL_TOLD, Command
from credentials import Kubeconfig, closed_port
from harness import ROOT, wait_for
from kinds import permit, phase, semaphore
from test_run import permits

OWN = "test_exit_codes.test_run_and_hold_end_with_each_code_before_they_hold"
# Code, words of its meaning in the table of docs/kondctl.md, and tests that reach it.
REACHED = [
    (0, "done", "test_run.test_its_code_is_the_commands_and_the_permit_is_free_at_the_end", "test_hold.test_hold_says_whether_it_holds_and_gives_back"),
    (1, "CRDs not installed", "test_kondctl.test_the_crds_are_not_installed"),
    (1, "the claim was deleted by somebody", "test_kondctl.test_kubectl_and_kondctl_are_two_ways_to_the_same", OWN),
    (2, "wrong command line", "test_kondctl.test_wrong_command_lines_are_refused_before_anything_is_sent", OWN),
    (2, "kubeconfig", "test_kondctl.test_kubeconfigs_that_are_broken"),
    (2, "environment", "test_rough_ground.test_a_pod_without_a_usable_service_account_is_told_what_is_missing"),
    (3, "not available now", "test_kondctl.test_a_permit_is_taken_shown_and_given_back", "test_hold.test_renew_keeps_what_was_acquired", OWN),
    (4, "no such object", "test_kondctl.test_there_is_no_such_semaphore", OWN),
    (4, "it was deleted (or deleted and created anew) while somebody waited", "test_waiting.test_all_who_wait_end_at_once_when_it_is_deleted"),
    (4, "nothing to release", "test_kondctl.test_a_permit_is_taken_shown_and_given_back"),
    (5, "forbidden", "test_kondctl.test_who_is_not_allowed_hears_which_verb_on_which_resource"),
    (5, "unauthorized", "test_kondctl.test_credentials_and_certificates_that_are_wrong"),
    (5, "denied by the object", "test_barrier_kondctl.test_a_failed_barrier_is_its_own_clear_message"),
    (5, "invalid", "test_kondctl.test_the_toys_have_words_of_their_own"),
    (5, "asks for more than there can be", "test_kondctl.test_more_than_there_can_be_is_refused_at_once_unless_it_is_paused", OWN),
    (5, "what was waited for has failed", "test_waiting.test_what_is_called_off_ends_all_waits_with_the_reason"),
    (6, "the API server can't be reached", "test_kondctl.test_nobody_answers", OWN),
    (6, "no operator answered", "test_kondctl.test_nobody_answers", OWN),
    (124, "is over", "test_run.test_its_code_is_the_commands_and_the_permit_is_free_at_the_end", OWN),
    (125, "held and lost", "test_run.test_an_outage_longer_than_the_ttl_stops_the_command_before_its_end", "test_hold.test_hold_ends_when_the_claim_is_lost"),
    (125, "`renew` of a claim that is over", "test_hold.test_renew_keeps_what_was_acquired"),
    (126, "can't be executed", "test_run.test_its_code_is_the_commands_and_the_permit_is_free_at_the_end"),
    (127, "is not found", "test_run.test_its_code_is_the_commands_and_the_permit_is_free_at_the_end"),
    (130, "interrupted", "test_run.test_who_is_told_to_end_before_it_holds_withdraws", "test_waiting.test_an_interrupt_leaves_the_claim", OWN),
    (143, "terminated", "test_run.test_who_is_told_to_end_before_it_holds_withdraws", "test_waiting.test_an_interrupt_leaves_the_claim", OWN),
]


def documented():
    """Code and meaning, of the table below "Exit codes"."""
    text = (ROOT / "docs/kondctl.md").read_text().partition("## Exit codes")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([\d, ]+) \| (.+) \|$", text, re.MULTILINE)
    return {int(code): meaning for codes, meaning in rows for code in codes.split(",")}


def test_each_documented_code_has_a_test(world):
    meanings = documented()
    assert set(meanings) == {code for code, *_ in REACHED}, f"documented: {sorted(meanings)}"
    for code, words, *tests in REACHED:
        assert words in meanings[code], f"{code}: {words!r} is not what it means: {meanings[code]}"
        for name in tests:
            module, _, function = name.partition(".")
            source = inspect.getsource(getattr(importlib.import_module(module), function))
            assert code == 0 or re.search(rf"\b{code}\b", source), f"{name} asks for {code} no more"


def test_run_and_hold_end_with_each_code_before_they_hold(world):
    """What goes on beside each other takes ten seconds, not sixty."""
    nowhere = Kubeconfig(world).to(closed_port())
    with world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        both = (("run", ()), ("hold", None))

        def start(verb, words, *flags, name="q", **options):
            return Command(world, ns, name, *flags, verb=verb, words=words if words is None else ("sh", "-c", ": > $D/in"), **options)

        def ends(command, code, words):
            said = command.end(code)
            assert words in said and not (command.folder / "in").exists() and said.startswith("kondctl: "), f"{code}: {said}"

        unanswered = [(start(*one), 6, "no operator answered within 10s") for one in both]
        unanswered += [(start(*one, kubeconfig=nowhere), 6, "refused") for one in both]
        unanswered += [(start(*one, kubeconfig=Kubeconfig(world).to("https://k8s.invalid:6443")), 6, "k8s.invalid") for one in both]
        for command, code, words in unanswered:
            with command:
                ends(command, code, words)
        assert permits(world, ns) == [], "withdrawn"
        with world.operator():
            world.api.create(ns, "permits", permit("taken", "q"))
            wait_for("it is taken", lambda: [phase(c) for c in permits(world, ns)] == ["Granted"])
            cases = [(("--no-such-flag",), {}, 2, "--no-such-flag"), ((), {}, 3, "not available now"),
                     (("--conflict-exit-code", "75"), {}, 75, "not available now"),
                     (("--wait",), {"name": "missing"}, 4, "does not exist"), (("--wait", "--permits", "2"), {}, 5, "the limit is 1"),
                     (("--wait", "--timeout", "500ms"), {}, 124, "timed out after 500ms")]
            for one in both:
                for flags, options, code, words in cases:
                    with start(*one, *flags, **options) as command:
                        ends(command, code, words)
                own = lambda: [c["metadata"]["name"] for c in permits(world, ns) if phase(c) == "Pending"]
                for end, code, words in ((signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated"),
                                         ("deleted", 1, "somebody deleted the claim")):
                    with start(*one, "--wait") as command:
                        claim, = wait_for("it waits", own)
                        if end == "deleted":
                            world.api.delete(ns, "permits", claim)
                        else:
                            command.signal(end)
                        ends(command, code, words)
                        assert own() == []
            with Command(world, ns, "q", "--wait", "--holder", "me", script=UNTIL_TOLD) as first:
                wait_for("it waits", own)
                for one in both:
                    with start(*one, "--wait", "--holder", "me") as command:
                        ends(command, 2, "in use by another process")
                first.signal(signal.SIGINT)
                first.end(130)
