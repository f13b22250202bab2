"""Of workers that go from round to round together, judged from their own log alone. Pure: records in, violations out."""


def early_passages(records, workers, base=0):
    """Who was let through a round before each of them had said that he was about to arrive at it.

    A line is written before its writer asks for anything, so the first arrival of each is no later than it is here.
    """
    arrived = {}
    for record in records:
        if record["what"] == "arrives":
            key = (record["round"], record["who"])
            arrived[key] = min(arrived.get(key, record["ns"]), record["ns"])
    found = []
    for record in records:
        missing = [who for who in workers if arrived.get((record["round"], who), record["ns"] + 1) > record["ns"]]
        if record["what"] == "passed" and missing:
            found.append(f"round {record['round']} passed by {record['who']} at {(record['ns'] - base) / 1e9:.3f} s "
                         f"without {', '.join(missing)}")
    return found


def refusals(records):
    return [f"round {record['round']} refused to {record['who']}: {record['why']}" for record in records if record["what"] == "refused"]


def rounds_of(records, workers):
    """How many rounds all have passed, and the longest time (ns) from the last arrival at one to who passed it last, of
    those that nobody had to ask for again."""
    passed, arrived, asked = {}, {}, {}
    for record in records:
        what, number, who = record["what"], record["round"], record["who"]
        if what == "arrives":
            arrived.setdefault(number, {}).setdefault(who, record["ns"])
            asked[number] = asked.get(number, 0) + 1
        elif what == "passed":
            passed.setdefault(number, {}).setdefault(who, record["ns"])
    whole = [number for number, those in passed.items() if set(those) == set(workers)]
    longest = max((max(passed[number].values()) - max(arrived[number].values()) for number in whole if asked[number] == len(workers)), default=0)
    return len(whole), longest
