"""The states of a request: SPEC 14.8."""

REGISTERED, ACCEPTED, ASSIGNED, IN_PROGRESS, REPORTED, CLOSED = range(1, 7)
STATES = ("", "registered", "accepted", "assigned", "in_progress", "reported", "closed")
SOLVED = ("", "yes", "part", "no")

# kind: the states it goes from and to, and whether a village may do it at township level
STEPS = {
    "request.accept": (REGISTERED, ACCEPTED, True),
    "order.issue": (ACCEPTED, ASSIGNED, False),
    "order.sign": (ASSIGNED, IN_PROGRESS, True),
    "order.report": (IN_PROGRESS, REPORTED, True),
    "callback.record": (REPORTED, REPORTED, False),
    "request.close": (REPORTED, CLOSED, False),
}


def day(event):
    return ((event.body.get("at") or event.ms) + 8 * 3600_000) // 86400_000


def register(state, event):
    body = event.body
    state.update(
        state=REGISTERED, number=body["number"], official_no="",
        village=event.scope.partition(":")[2], channel=body["channel"], nature=body["nature"],
        category=body["category"], urgency=body["urgency"], received=body["received"],
        registered=event.ms, due=0, holder="", signer=None, township_level=False, reporter=None,
        attempts=0, first_failed=0, last_failed=0, reached=False, solved=0, rating=0, result="")


def request_fold(state, event, roster, township):
    if event.kind == "request.register":
        register(state, event)
        return None
    source, target, at_any_level = STEPS.get(event.kind, (None, None, False))
    if state["state"] != source:
        return "rule"
    if not township and not at_any_level and state["township_level"]:
        return "rule"
    if not GUARDS.get(event.kind, lambda *_: True)(state, event, roster, township):
        return "rule"
    EFFECTS[event.kind](state, event, township)
    state["state"] = target
    return None


def may_accept(_state, event, roster, _township):
    return "official_no" not in event.body or "hub" in roster.roles(event.author)


def may_issue(_state, event, _roster, township):
    return "signed_by" in event.body if township else "doc_no" not in event.body


def may_call_back(state, event, _roster, _township):
    author, by = state["reporter"]
    return event.by != by if event.by and by else event.author != author


def may_close(state, event, _roster, _township):
    if event.body["result"] == "unreached":
        return state["attempts"] >= 3 and state["first_failed"] != state["last_failed"]
    return state["reached"] and not (
        event.body["result"] == "solved" and SOLVED[state["solved"]] == "no")


GUARDS = {"request.accept": may_accept, "order.issue": may_issue,
          "callback.record": may_call_back, "request.close": may_close}


def accept(state, event, township):
    body = event.body
    state.update(category=body.get("category", state["category"]), due=body.get("due", 0),
                 official_no=body.get("official_no", ""), township_level=township)


def issue(state, event, township):
    state.update(holder=event.body["unit"], due=event.body["due"])
    state["township_level"] = state["township_level"] or township


def report(state, event, _township):
    state.update(reporter=[event.author, event.by], attempts=0, first_failed=0, last_failed=0,
                 reached=False, solved=0, rating=0)


def call_back(state, event, _township):
    if event.body["reached"]:
        state.update(reached=True, solved=SOLVED.index(event.body.get("solved", "")),
                     rating=event.body.get("rating", 0))
        return
    days = [day(event)]
    if state["attempts"]:
        days += state["first_failed"], state["last_failed"]
    state.update(attempts=state["attempts"] + 1, first_failed=min(days), last_failed=max(days))


EFFECTS = {
    "request.accept": accept,
    "order.issue": issue,
    "order.sign": lambda state, event, _: state.update(
        signer=event.by if event.by != bytes(16) else None),
    "order.report": report,
    "callback.record": call_back,
    "request.close": lambda state, event, _: state.update(result=event.body["result"]),
}
