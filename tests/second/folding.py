#!/usr/bin/python3
"""Folds what `build/vectors --histories COUNT SEED` prints, and compares the rows with those that
the other implementation made of the same events.

    folding.py <histories.json      fails at a difference; prints how many events, rows and wrong
                                    rows there were, and which acts of SPEC 14.12 never had an
                                    effect or always had one
"""

import json
import sys
import tempfile
from collections import Counter
from pathlib import Path

import fold
import plain
from log import Event, Log
from wire import decode, encode


def rows_of(log, roster):
    """Scope and key to value, of every thing that has a row; how often each kind had an effect."""
    rows, effects = {}, Counter()
    for scope, thing_id in log.things:
        thing = fold.thing_fold(log, roster, scope, thing_id)
        for event, reason in thing.effects:
            effects[event.kind, reason is None] += 1
        if thing.shown:
            key, value = fold.row(thing)
            rows[scope, key.hex()] = encode(value).hex()
    return rows, effects


def story(log, roster, scope, key):
    """A thing's history, for who looks for a difference."""
    thing = fold.thing_fold(log, roster, scope, bytes.fromhex(key)[1:])
    for event, reason in thing.effects:
        print(f"  {event.kind} {reason or ''} {event.body}", file=sys.stderr)


def main():
    given = json.load(sys.stdin)
    with tempfile.TemporaryDirectory() as folder:
        log = Log(Path(folder) / "log")
        log.append([Event.from_header(bytes.fromhex(header)) for header in given["events"]])
    roster = fold.roster_fold(log, bytes.fromhex(given["authority"]))
    rows, effects = rows_of(log, roster)
    theirs = {(row["scope"], row["key"]): row["value"] for row in given["rows"]}
    wrong = sorted(at for at in rows.keys() | theirs.keys() if rows.get(at) != theirs.get(at))
    for scope, key in wrong[:5]:
        print(f"differs: {scope} {key}", file=sys.stderr)
        for value in (rows, theirs):
            text = value.get((scope, key))
            print("  " + str(text and decode(bytes.fromhex(text))), file=sys.stderr)
        story(log, roster, scope, key)
    untried = [kind for kind in [*plain.ACTS, "correct.entry"]
               if not effects[kind, True] or not effects[kind, False]]
    print(json.dumps({"events": len(log.events), "rows": len(rows), "wrong": len(wrong),
                      "untried": untried}))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
