"""The kinds that the same suite runs through: what differs is only in these lines, as for any third party's plugin."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Kind:
    word: str            # kondctl's and the primitive's singular
    kind: str
    plural: str
    claim_kind: str
    claim_plural: str
    field: str           # of a claim's spec that names the primitive
    acquire: str         # kondctl's verbs
    release: str
    claim_flags: tuple   # for one unit, exclusive if the kind knows that
    claim_spec: dict     # the same, for kubectl

    def primitive(self, name, one_at_a_time=True):
        spec = {"Semaphore": {"permits": 1 if one_at_a_time else 1000},
                "Bookshelf": {},
                "Faucet": {"capacity": 1000, "refillPerMinute": 60000}}[self.kind]
        return {"apiVersion": "sync.konductor.io/v1", "kind": self.kind, "metadata": {"name": name}, "spec": {**spec, "ttl": "10m"}}

    def claim(self, name, primitive, **spec):
        return {"apiVersion": "sync.konductor.io/v1", "kind": self.claim_kind, "metadata": {"name": name},
                "spec": {self.field: primitive, "holder": name, **self.claim_spec, **spec}}


SEMAPHORE = Kind("semaphore", "Semaphore", "semaphores", "Permit", "permits", "semaphore", "acquire", "release", (), {})
BOOKSHELF = Kind("bookshelf", "Bookshelf", "bookshelves", "Loan", "loans", "shelf", "borrow", "give-back",
                 ("--mode", "write"), {"mode": "write"})
FAUCET = Kind("faucet", "Faucet", "faucets", "Sip", "sips", "faucet", "sip", "", (), {})
BARRIER = Kind("barrier", "Barrier", "barriers", "Arrival", "arrivals", "barrier", "arrive", "", (), {})  # its claims are only counted
HOLDING = (SEMAPHORE, BOOKSHELF)  # kinds whose claims hold what they were granted


def semaphore(name, permits, **spec):
    return {"apiVersion": "sync.konductor.io/v1", "kind": "Semaphore", "metadata": {"name": name}, "spec": {"permits": permits, **spec}}


def permit(name, primitive, **spec):
    return SEMAPHORE.claim(name, primitive, **spec)


def barrier(name, expected, **spec):
    return {"apiVersion": "sync.konductor.io/v1", "kind": "Barrier", "metadata": {"name": name}, "spec": {"expected": expected, **spec}}


def arrival(name, primitive, participant=None, **spec):
    return BARRIER.claim(name, primitive, **({} if participant is None else {"participant": participant}), **spec)


def phase(claim):
    return claim.get("status", {}).get("phase", "")


def reason(claim):
    return claim["status"]["conditions"][0]["reason"]


def held(claims):
    return sum(c["status"].get("units", 1) for c in claims if phase(c) in ("Granted", "Revoking"))
