#!/usr/bin/env python3
"""One client as a process of its own: asks, holds, renews, releases, again and again, until SIGTERM; may be killed at any time.

Its one argument is JSON (see Client). Each section that it enters is written to the log of the semaphore, each question
and its answer to the log of the client.
"""
import json
import os
import pathlib
import random
import signal
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))
import claims  # noqa: E402
from claims import SECOND, Lost, Refused  # noqa: E402
from records import Log, now  # noqa: E402

# How long it holds, and what it does meanwhile: weight, least and most seconds, or parts of the TTL.
HOLDS = {"short": 80, "renewing": 10, "slow": 6, "silent": 4}
WISHES = {"patient": 75, "impatient": 15, "hasty": 10}


class Client:
    def __init__(self, who, kind, seed, kubeconfig, ns, semaphore, units, ttl, keeps_name, logs, kondctl):
        self.who, self.semaphore, self.units, self.ttl, self.keeps_name = who, semaphore, units, ttl, keeps_name
        self.random = random.Random(seed)
        logs = pathlib.Path(logs)
        self.sections = Log(logs / f"sections-{semaphore}.log")
        self.questions = Log(logs / f"client-{who}.log")
        self.holder = (claims.KondctlHolder(kubeconfig, ns, seed, kondctl) if kind == "kondctl"
                       else claims.ApiHolder(kubeconfig, ns, seed))
        self.rounds, self.finishing = 0, False
        signal.signal(signal.SIGTERM, self.finish)

    def finish(self, *_):
        self.finishing = True

    def run(self):
        while not self.finishing:
            self.rounds += 1
            self.one_round()
            time.sleep(self.random.uniform(0.05, 0.4))

    def one_round(self):
        wish = self.draw(WISHES)
        how = self.draw(HOLDS)
        name = self.who.split(".")[0] if self.keeps_name else f"{self.who}-{self.rounds}"
        asked = now()
        self.questions.append("ask", asked, who=self.who, wish=wish)
        try:
            timeout = self.random.randint(1, 4) if wish == "impatient" else 0
            claim = self.holder.acquire(self.semaphore, self.units, self.ttl, name, wish != "hasty", timeout)
        except Refused as refused:
            self.questions.append("answer", who=self.who, wish=wish, outcome=str(refused))
            return
        self.questions.append("answer", who=self.who, wish=wish, outcome="granted")
        outcome = self.section(claim, asked, how)
        self.questions.append("held", who=self.who, outcome=outcome)

    def draw(self, weights):
        return self.random.choices(list(weights), list(weights.values()))[0]

    def section(self, claim, asked, how):
        """What a program would do that relies on the claim."""
        mine = {"who": self.who, "uid": claim.uid, "token": claim.token}
        if now() >= claim.deadline:
            return "over before it began"
        self.sections.append("start", units=claim.units, asked=asked, deadline=claim.deadline, claim=claim.name,
                             adopted=claim.adopted, **mine)
        try:
            self.hold(claim, how, mine)
            outcome = how if now() < claim.deadline or how == "silent" else "deadline"
        except Lost as lost:
            outcome = f"lost: {lost}"
        self.sections.append("end", **mine)
        if how != "silent":
            self.holder.release(claim)
            self.questions.append("released", who=self.who)
        return outcome

    def hold(self, claim, how, mine):
        until = {"short": now() + int(self.random.uniform(0.01, 0.15) * SECOND),
                 "renewing": now() + int(self.random.uniform(0.7, 2.0) * claim.ttl),
                 "slow": claim.deadline - int(self.random.uniform(0.02, 0.5) * claim.ttl),
                 "silent": claim.deadline}[how]
        while now() < min(until, claim.deadline):
            wake = min(until, claim.deadline)
            if how == "renewing":
                wake = min(wake, claim.deadline - claim.ttl * 2 // 3)
            time.sleep(max(0, wake - now()) / SECOND)
            if how == "renewing" and now() < min(until, claim.deadline):
                self.holder.renew(claim, claim.deadline)
                self.sections.append("renew", deadline=claim.deadline, **mine)


if __name__ == "__main__":
    if "KONDUCTOR_BUILD" not in os.environ:
        sys.exit("client.py is started by tests/chaos/run")
    Client(**json.loads(sys.argv[1])).run()
