"""What events mean: the roster, the states of requests, rows and digests: SPEC 10, 14, 15."""

from dataclasses import dataclass, field

import plain
import request
from bounds import Bounds
from kinds import KINDS, fields_good
from log import feed_id
from roster import Roster, device_fold, township_fold
from wire import digest, encode

EVENTS_MAX, DEPTH_AHEAD_MAX, TOWN_BODY_MAX, FOLD_VERSION = 4096, 64, 1024, 7
ROSTER_TYPES = ("township", "village", "device")
TYPES = {"township": 1, "village": 2, "device": 3, "actor": 4, "request": 5}
CATEGORISED = ("request.register", "request.accept")
TYPES |= {name: number for number, name in enumerate(plain.TYPES, 6)}
TYPES |= {"sealed": 24, "office_key": 25, "continuation": 26, "courier": 27}


@dataclass
class Thing:
    id: bytes
    type: str = None
    state: dict = field(default_factory=dict)
    effects: list = field(default_factory=list)  # (event, reason or None), in order
    held: int = 0
    shown: bool = False
    both_changed: bool = False



def in_order(events, township_act):
    """14.2 and 14.4: the founding event that counts, and all events in order."""
    events = sorted(events, key=lambda e: (e.subject is not None, e.depth, not township_act(e),
                                           e.time, e.id))
    founders = [e for e in events if e.subject is None]
    return min(founders, key=lambda e: e.id, default=None), events[:EVENTS_MAX]


def standing(log, roster, scope, subject):
    """`depth` and `seen` of a new event about a thing: 6.5."""
    held = events = log.things.get((scope, subject), [])
    founder, _ = in_order(events, lambda e: False)
    roster_thing = founder and roster_type(thing_type(founder))
    _, events = in_order(events, lambda e: roster.township_act(e, roster_thing))
    counted = [e.depth for place, e in enumerate(events) if e.depth <= place + DEPTH_AHEAD_MAX]
    return min(1 + max(counted, default=0), len(held)), len(held)


def thing_type(founder):
    kind = KINDS.get(founder.kind)
    return kind.type if kind and kind.founds else None


def roster_type(of_type):
    return of_type if of_type in ROSTER_TYPES else None


def thing_fold(log, roster, scope, thing_id):
    """One thing from its own events: 14.1."""
    events = log.things[scope, thing_id]
    founder, _ = in_order(events, lambda e: False)
    thing = Thing(thing_id, founder and thing_type(founder), held=len(events))
    roster_thing = roster_type(thing.type)
    founder, events = in_order(events, lambda e: roster.township_act(e, roster_thing))
    if thing.type is None:
        return thing
    for event in events:
        event.device = roster.name(event.author)
    counted = {e.id: e for e in events}
    if thing.type == "request":
        thing.state["records"] = counted
    depth, numberings, answers = 0, 0, 0
    for place, event in enumerate(events):
        township = roster.township_act(event, roster_thing)
        reason = refused(log, roster, thing, founder, event, place, township, counted)
        if reason is None and not (event is founder or thing.shown):
            reason = "rule"
        if reason is None:
            reason = apply(thing, event, counted, roster, township)
        thing.effects.append((event, reason))
        if event is founder:
            thing.shown = reason is None
            continue
        if event.depth != depth:
            depth, numberings = event.depth, 0
        if event.kind == "request.number":
            numberings += reason is None
            continue
        if event.kind == "subject.erase_ack":
            answers += reason is None
            continue
        unaware = place - numberings - answers > event.seen
        if unaware and reason in (None, "thing", "rule"):
            thing.both_changed = True
        elif township and reason is None and not unaware:
            thing.both_changed = False
    return thing


def refused(log, roster, thing, founder, event, place, township, counted):
    """14.6, 1 to 7: why the event has no effect whatever the thing's state, or None."""
    if event.ext and max(event.ext) >= 128:
        return "ext"
    kind = KINDS.get(event.kind)
    if kind is None:
        return "kind"
    if kind.type not in (thing.type, "any") or kind.founds != (event is founder):
        return "thing"
    roster_thing = roster_type(thing.type)
    authors = kind.authors
    if event.scope == "office" and kind.scopes != {"office"}:
        authors = authors - {"village"}
    if not roster.roles(event.author, roster_thing) & authors:
        return "author"
    if event.scope.partition(":")[0] not in kind.scopes:
        return "author"
    if not roster_thing and not roster.may_author(event.author, event.scope):
        return "author"
    if event.depth == 0 and not kind.founds or event.depth > place + DEPTH_AHEAD_MAX:
        return "depth"
    if any(e.id in counted and e.depth >= event.depth
           for e in log.branch(log.events.get(event.prev))):
        return "depth"
    if (event.scope == "town" and not township and not roster_thing
            and len(encode(event.body)) > TOWN_BODY_MAX):
        return "size"
    if not fields_good(kind, event):
        return "field"
    if event.kind in CATEGORISED and "category" in event.body and not request.category_known(
            event, event.body["category"], roster):
        return "field"
    if not order_good(event, roster.roles(event.author, roster_thing)):
        return "field"
    return None


def order_good(event, roles):
    """22.1, beside the fields."""
    corrects = event.kind == "subject.correct" and "erases" in event.body
    if event.kind != "subject.erase" and not corrects:
        return True
    second = event.body.get("second")
    return bool(event.by) and bool(second) and second != event.by and (
        "dispatch" in roles or not corrects)


def sealed_fold(state, event, _roster, _township):
    if event.subject is None:
        state.update(day=(event.ms + 28_800_000) // 86_400_000, request=None,
                     dismissed=False)
    elif event.kind == "sealed.opened":
        if state["request"]:
            return "rule"
        state.update(request=event.body["request"], dismissed=False)
    elif event.kind == "sealed.dismissed":
        if state["request"] or state["dismissed"]:
            return "rule"
        state["dismissed"] = True
    return None


APPLY = {
    "township": township_fold,
    "device": device_fold,
    "request": request.request_fold,
    "sealed": sealed_fold,
}


def apply(thing, event, events, roster, township):
    """What the event does to the thing, and why nothing: 14.6.8. `events`: of the thing, by id."""
    if thing.type in plain.FOLDS:
        return plain.FOLDS[thing.type](thing, event, events, roster)
    return APPLY[thing.type](thing.state, event, roster, township)


def roster_fold(log, authority):
    """The township needs no other thing, roster things need it, rules and calendars the roster.
    What it takes away may be events of the roster, so it is folded until nothing changes: 10.13."""
    while True:
        roster = Roster(authority)
        roster.succeed(t for t in things_shown(log, roster, "town") if t.type == "township")
        roster.add(things_shown(log, roster, "town"))
        if not log.cut(roster.cuts()):
            break
    rules = [key for key, events in log.things.items() if key[0] == "town"
             and any(e.kind in ("rule.put", "calendar.put") for e in events)]
    things = [thing_fold(log, roster, *key) for key in rules]
    roster.bounds = Bounds(t for t in things if t.shown and t.type in ("rule", "calendar"))
    return roster


def row(thing):
    """Key and value of a thing's row: 14.10."""
    state = thing.state
    if thing.type == "device":
        state = {name: value if value != bytes(32) else None for name, value in state.items()}
        names = ("state", "key", "transport", "invite", "invite_transport", "acceptor", "village",
                 "roles", "letter", "name", "expires", "stolen", "earlier", "cuts", "addresses")
    elif thing.type == "township":
        names = ("name", "recovery", "office", "authorities", "earlier_offices", "series")
    elif thing.type == "request":
        state = dict(state, both_changed=thing.both_changed, held=thing.held,
                     effective=sum(reason is None for _, reason in thing.effects))
        return bytes([TYPES[thing.type]]) + thing.id, request.row(state)
    else:
        names = plain.ROWS.get(thing.type, state)
    return bytes([TYPES[thing.type]]) + thing.id, [state[name] for name in names]


def things_shown(log, roster, scope):
    things = (thing_fold(log, roster, *key) for key in log.things if key[0] == scope)
    return [thing for thing in things if thing.shown]


def events_digest(log, scope):
    ids = sorted(e.id for e in log.events.values() if e.scope == scope and e.id not in log.aside)
    return digest("sidan/events", b"".join(ids))


def roster_heads(log, roster):
    feeds = [f for f in log.feeds if f[1] == "town" and log.heads(f) and (
        roster.speaks_for_the_township(f[0]) or "hub" in roster.roles(f[0]))]
    heads = sorted([feed_id(f), sorted(e.id for e in log.heads(f))] for f in feeds)
    return digest("sidan/views", encode(heads))


def views_digest(log, roster, scope):
    total = 0
    for thing in things_shown(log, roster, scope):
        key, value = row(thing)
        total += int.from_bytes(digest("sidan/row", b"\x74" + key + encode(value)), "big")
    rows = (total % 2**256).to_bytes(32, "big")
    return digest("sidan/views", encode([FOLD_VERSION, roster_heads(log, roster), rows]))


def views8(log, roster, village):
    scopes = ["town"] + (["village:" + village] if village else [])
    together = b"".join(views_digest(log, roster, scope) for scope in scopes)
    return digest("sidan/views", together)[:8]


def requests_shown(log, roster, scope):
    return [thing for thing in things_shown(log, roster, scope) if thing.type == "request"]
