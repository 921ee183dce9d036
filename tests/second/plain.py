"""Things without a fold of their own, and corrections: SPEC 14.12 and 14.13."""

import re

from kinds import KINDS, SPEC
from wire import encode

ACTS_MAX = 2097152


def _tables():
    """The states and the acts, read out of the tables in SPEC 14.12."""
    text = SPEC.read_text()
    states, acts = {}, {}
    for line in text.partition("<!-- states -->")[2].partition("<!-- acts -->")[0].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and cells[0] != "type":
            states[cells[0]] = cells[1].split(", ")
    for line in text.partition("<!-- acts -->")[2].partition("<!-- end of acts -->")[0].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and cells[0] != "act":
            acts[cells[0]] = {"from": cells[2].split(", "), "to": cells[3],
                              "how": cells[4].split(", ")}
    return states, acts


STATES, ACTS = _tables()
TYPES = ("rule", "calendar", "unit", "duty", "team", "volunteer", "call", "activity", "service",
         "asset", "thanks", "notice", "points", "publicity", "redeem", "honour", "benefit", "stat",
         "office_key", "continuation", "courier")


def states_of(type_name):
    return STATES.get(type_name, STATES["every other"])


# --- founding -----------------------------------------------------------------------------------

NEEDS = {"sla": ("limits",), "points": ("points",), "redeem": ("scheme", "round", "rounding"),
         "kpi": ("weights",), "category": ("categories",)}


def _rule(body, by_authority):
    needed = NEEDS[body["type"]] + (() if by_authority else ("approved_by", "doc_ref"))
    return all(name in body for name in needed)


def _attendance(body, _by_authority):
    rows = sorted(body["rows"])
    return (all(start < end <= start + 960 and minutes <= end - start
                for _, start, end, minutes in rows)
            and not any(a[0] == b[0] and b[1] < a[2] for a, b in zip(rows, rows[1:])))


FOUNDING = {
    "rule.put": _rule,
    "attendance.record": _attendance,
    "publicity.open": lambda body, _: body["from"] <= body["to"],
}


def may_found(kind, body, by_authority):
    return FOUNDING.get(kind, lambda *_: True)(body, by_authority)


# --- acts ---------------------------------------------------------------------------------------


def _bodies(state, kind):
    return [act[3] for act in state["acts"] if act[0] == kind]


def _newest(state, field, value, kinds):
    """The kind of the newest of these acts whose body has this value."""
    return next((act[0] for act in reversed(state["acts"])
                 if act[0] in kinds and act[3][field] == value), None)


def _another(state, event):
    return event.by != state["by"] if event.by and state["by"] else event.device != state["author"]


def _may_verify(state, event):
    fields, rows = state["fields"], event.body.get("rows", [])
    logged = {}
    for person, *numbers in fields.get("rows") or [[fields["person"], fields["minutes"]]]:
        logged[person] = logged.get(person, 0) + numbers[-1]
    return (_another(state, event) and len({row[0] for row in rows}) == len(rows)
            and all(minutes <= logged.get(person, -1) for person, minutes in rows))


def _objections(state, entry):
    """Is one open, was one upheld or the entry reversed?"""
    opened = out = False
    for kind, _, _, body in state["acts"]:
        if body["entry"] != entry:
            continue
        opened = kind == "points.object" or opened and kind != "points.decide"
        out = out or kind == "points.reverse" or kind == "points.decide" and body["upheld"]
    return opened, out


def _counts(state, event):
    entry = event.body["entry"]
    return entry <= len(state["fields"]["rows"]) and not _objections(state, entry)[1]


def _rows(state, kind):
    return [row for body in _bodies(state, kind) for row in body["rows"]]


def _may_grant(state, event):
    rows = _rows(state, "redeem.grant") + event.body["rows"]
    return (len({row[0] for row in rows}) == len(rows)
            and sum(row[3] for row in rows) <= state["fields"]["pool"])


def _may_pay(state, event):
    granted = {row[0]: row[3] for row in _rows(state, "redeem.grant")}
    rows = _rows(state, "redeem.pay") + event.body["rows"]
    return (event.body["signed"] and len({row[0] for row in rows}) == len(rows)
            and all(granted.get(person) == fen for person, fen, _ in event.body["rows"]))


def _may_close(state, event):
    paid, left = event.body["paid"], event.body["remainder"]
    return (paid == sum(row[1] for row in _rows(state, "redeem.pay"))
            and paid + left == state["fields"]["pool"])


CARDS, CONSENTS = ("card.issue", "card.withdraw"), ("consent.give", "consent.withdraw")
SIGNUPS = ("call.signup", "call.cancel")
GUARDS = {
    "card.issue": lambda state, _: _newest(state, "purpose", "card", CONSENTS) == "consent.give",
    "card.withdraw": lambda state, event: _newest(
        state, "card_no", event.body["card_no"], CARDS) == "card.issue",
    "call.signup": lambda state, event: _newest(
        state, "person", event.body["person"], SIGNUPS) != "call.signup",
    "call.cancel": lambda state, event: _newest(
        state, "person", event.body["person"], SIGNUPS) == "call.signup",
    "service.verify": _may_verify,
    "asset.change": lambda state, event: (
        event.body["condition"] != state["fields"]["condition"]),
    "points.reverse": _counts,
    "points.object": lambda state, event: (
        _counts(state, event) and not _objections(state, event.body["entry"])[0]),
    "points.decide": lambda state, event: _objections(state, event.body["entry"])[0],
    "redeem.grant": _may_grant,
    "redeem.pay": _may_pay,
    "redeem.close": _may_close,
}


def _after(act, state_name, body):
    if act["to"] == "same":
        return state_name
    otherwise = re.match(r"(\w+), or (\w+) by (\w+) `(\w+)`$", act["to"])
    if not otherwise:
        return act["to"]
    to, other, name, value = otherwise.groups()
    return other if body[name] == value else to


def _act(state, event):
    act, names = ACTS[event.kind], states_of(state["type"])
    if names[state["state"]] not in act["from"]:
        return "rule"
    if ("listed" in act["how"] and
            sum(len(encode(a)) for a in [*state["acts"], event.body]) > ACTS_MAX):
        return "rule"
    if not GUARDS.get(event.kind, lambda *_: True)(state, event):
        return "rule"
    state["state"] = names.index(_after(act, names[state["state"]], event.body))
    if "sets" in act["how"]:
        known = KINDS[event.kind].fields
        state["set"].update((name, event.body[name]) for name in known if name in event.body)
        state["fields"] = state["base"] | state["set"]
    if "listed" in act["how"]:
        state["acts"].append([event.kind, event.ms, event.by, event.body])
    return None


# --- corrections --------------------------------------------------------------------------------


def _new_value(form, text):
    """A field's value from the text of a correction; None where it is none."""
    if form.type == "uint":
        good = re.fullmatch("0|[1-9][0-9]{0,17}", text)
        return int(text) if good and form.good(int(text)) else None
    good = (form.type in ("text", "date", "choice", "code") and form.good(text)
            and not form.for_office(text))
    return text if good else None


def correction(event, events):
    """What a correct.entry does to the founding body: (effect?, target, {field: value})."""
    target = events.get(event.body["target"])
    if target is None or target.device != event.device or target.kind not in KINDS:
        return False, None, {}
    form = KINDS[target.kind].fields.get(event.body["field"])
    if form is None:
        return False, None, {}
    if form.in_box:
        return "value" not in event.body, target, {}
    value = _new_value(form, event.body.get("value", ""))
    return value is not None, target, {event.body["field"]: value}


def _correct(state, event, events, roster):
    good, target, values = correction(event, events)
    if not good:
        return "rule"
    if target.subject is None and values:
        corrected = state["base"] | values
        if not may_found(target.kind, corrected, target.author in roster.authorities):
            return "rule"
        state["base"] = corrected
        state["fields"] = corrected | state["set"]
    return None


# --- the folds ----------------------------------------------------------------------------------


def plain_fold(thing, event, events, roster):
    state = thing.state
    if event.subject is None:
        if not may_found(event.kind, event.body, event.author in roster.authorities):
            return "field"
        state.update(type=thing.type, state=0, founded=event.ms, author=event.device, by=event.by,
                     base=dict(event.body), set={}, fields=dict(event.body), acts=[])
        return None
    if event.kind == "correct.entry":
        return _correct(state, event, events, roster)
    return _act(state, event) if KINDS[event.kind].type != "any" else None


def actor_fold(thing, event, events, _roster):
    state, body = thing.state, event.body
    if event.subject is None:
        state.update(base=dict(body), revoked=0, last_day="", successor=None)
    elif event.kind == "actor.revoke":
        state.update(revoked=1, last_day=body.get("on", state["last_day"]))
    elif event.kind == "actor.handover":
        if state["revoked"] or body["to"] == thing.id:
            return "rule"
        state.update(revoked=2, last_day=body["on"], successor=body["to"])
    elif event.kind == "correct.entry":
        good, target, values = correction(event, events)
        if not good:
            return "rule"
        if target.subject is None:
            state["base"] = state["base"] | values
    base = state["base"]
    state.update(unit=base["unit"], role=base["role"], state=state["revoked"],
                 start=base.get("from", ""), end=state["last_day"] or base.get("to", ""))
    return None


def village_fold(thing, event, _events, _roster):
    state, body = thing.state, event.body
    if event.subject is None:
        state.update(code=body["code"], number=body["number"], closed=False)
    if event.kind == "village.closed":
        state["closed"] = True
    else:
        state.update((name, body[name]) for name in ("name", "short_name", "pinyin"))
    return None


FOLDS = {"actor": actor_fold, "village": village_fold} | dict.fromkeys(TYPES, plain_fold)
ROWS = {"actor": ("unit", "role", "state", "start", "end", "successor"),
        "village": ("code", "name", "short_name", "pinyin", "number", "closed")}
ROWS |= dict.fromkeys(TYPES, ("state", "founded", "author", "by", "fields", "acts"))
