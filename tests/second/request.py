"""The states of a request: SPEC 14.8."""

from bounds import DAY_MS, ZONE_MS, date_day, day
from plain import correction

STATES = ("", "registered", "awaiting_info", "accepted", "assigned", "in_progress", "objected",
          "suspended", "reported", "closed", "declined", "merged", "withdrawn", "archived")
UNDONE = set(STATES[1:8])
OPEN = UNDONE | {"reported"}
ORDERED = {"assigned", "in_progress"}
ALL = set(STATES[1:])
SOLVED = ("", "yes", "part", "no")
STEPS = ("accept", "issue", "sign", "contact", "callback")

# kind, when, from, to ("": the same), village, step (named: its deadline is judged), guard
TABLE = (
    ("request.accept", "", {"registered"}, "accepted", "own", "accept", "accept"),
    ("request.number", "", ALL, "", "no", "", "number"),
    ("order.issue", "", {"accepted"}, "assigned", "own", "issue", "issue"),
    ("order.sign", "", {"assigned"}, "in_progress", "any", "sign", ""),
    ("contact.log", "", OPEN, "", "any", "", ""),
    ("progress.note", "", OPEN, "", "any", "", ""),
    ("order.report", "supporting", {"in_progress"}, "", "any", "", ""),
    ("order.report", "", {"in_progress"}, "reported", "any", "next", "report"),
    ("callback.record", "", {"reported"}, "", "own", "", "callback"),
    ("callback.record", "", {"closed"}, "", "no", "", "callback"),
    ("request.close", "", {"reported"}, "closed", "own", "end", "close"),
    ("request.supplement", "ask", {"registered"}, "awaiting_info", "own", "next", ""),
    ("request.supplement", "told", {"awaiting_info"}, "registered", "any", "next", ""),
    ("request.answer", "", {"registered"}, "reported", "own", "accept", "answer"),
    ("request.decline", "", {"registered", "awaiting_info"}, "declined", "no", "end", "decline"),
    ("request.merge", "", {"registered", "awaiting_info", "accepted"}, "merged", "no", "end",
     "merge"),
    ("request.withdraw", "", UNDONE, "withdrawn", "own", "end", ""),
    ("request.escalate", "", ORDERED | {"accepted"}, "registered", "own", "next", ""),
    ("order.object", "", ORDERED, "objected", "any", "next", ""),
    ("order.object_decide", "agree", {"objected"}, "accepted", "no", "next", ""),
    ("order.object_decide", "", {"objected"}, "assigned", "no", "next", ""),
    ("order.transfer", "", ORDERED, "assigned", "no", "next", "due"),
    ("order.extend_ask", "", ORDERED, "", "any", "", "extend_ask"),
    ("order.extend_decide", "", ORDERED | {"objected", "suspended"}, "", "no", "",
     "extend_decide"),
    ("order.suspend", "", {"in_progress"}, "suspended", "no", "", "suspend"),
    ("order.resume", "", {"suspended"}, "in_progress", "no", "", "due"),
    ("order.review", "ok", {"reported"}, "", "no", "", ""),
    ("order.review", "answered", {"reported"}, "registered", "no", "end", ""),
    ("order.review", "", {"reported"}, "in_progress", "no", "end", ""),
    ("request.reopen", "", {"reported", "closed"}, "in_progress", "no", "end", "reopen"),
    ("request.archive", "", {"closed"}, "archived", "no", "end", ""),
    ("supervise.issue", "", OPEN, "", "no", "", ""),
    ("correct.entry", "", ALL, "", "any", "", "correct"),
    ("conflict.resolve", "", ALL, "", "no", "", ""),
    ("subject.erase", "", ALL, "", "no", "", ""),
    ("subject.correct", "", ALL, "", "any", "", ""),
    ("subject.export", "", ALL, "", "any", "", ""),
    ("subject.erase_ack", "", ALL, "", "any", "", ""),
)

WHEN = {
    "": lambda state, body: True,
    "ask": lambda state, body: body["what"] == "ask",
    "told": lambda state, body: body["what"] == "answer",
    "agree": lambda state, body: body["agree"],
    "ok": lambda state, body: body["ok"],
    "answered": lambda state, body: state["answered"],
    "supporting": lambda state, body: body.get("unit") in [u for u, _ in state["support"]],
}


class Act:
    """An event and what it says about time."""

    def __init__(self, event, roster, township):
        self.event, self.body, self.roster, self.township = event, event.body, roster, township
        stated = self.body.get("at")
        self.claimed = stated or event.ms
        self.moment = event.ms if township else self.claimed
        self.untrusted = bool(event.time & 1)
        self.no_clock = not stated and self.untrusted


def register(state, act):
    event, body = act.event, act.body
    state.update(
        state=1, number=body["number"], official_no="", village=event.scope.partition(":")[2],
        channel=body["channel"], nature=body["nature"], category=body["category"],
        urgency=body["urgency"], klass="", township_level=False, holder="", registered=act.moment,
        due=0, next_due=0, review=0, supervised=0,
        channel_ref=body.get("channel_ref", ""), support=[], due_provisional=False,
        next_provisional=False, number_due=False, rules=0, received=body["received"], accepted=0,
        issued=0, signed=0, contacted=0, reported=0, closed=0, escalated=0, steps=[0] * len(STEPS),
        untrusted=act.untrusted, suspended_since=0, suspended_total=0, asked_until=0,
        extended=False, rounds=0, objections=0, answered=False, signer=None, reporter=None,
        callback=[0, 0, 0, False, 0, 0, 0], result="", public=False, merged_into=None,
        archive_no="", category_from=event.id)
    set_deadline(state, act)


BRIEF = ("state", "number", "official_no", "village", "channel", "nature", "category", "urgency",
         "klass", "township_level", "holder", "registered", "due", "next_due", "review",
         "supervised", "both_changed")
REST = ("channel_ref", "support", "due_provisional", "next_provisional", "number_due", "rules",
        "received",
        "accepted", "issued", "signed", "contacted", "reported", "closed", "escalated", "steps",
        "untrusted", "suspended_since", "suspended_total", "asked_until", "extended", "rounds",
        "objections", "answered", "signer", "reporter", "callback", "result", "public",
        "merged_into", "archive_no", "held", "effective")


def row(state):
    return [state[name] for name in BRIEF] + [[state[name] for name in REST]]


def request_fold(state, event, roster, township):
    act = Act(event, roster, township)
    if event.kind == "request.register":
        register(state, act)
        return None
    now = STATES[state["state"]]
    for kind, when, source, target, village, step, guard in TABLE:
        if kind == event.kind and now in source and WHEN[when](state, event.body):
            break
    else:
        return "rule"
    if not township and (village == "no" or village == "own" and state["township_level"]):
        return "rule"
    if guard and not GUARDS[guard](state, act):
        return "rule"
    if step in STEPS:
        judge(state, step, act.moment)
    if step == "end":
        no_deadline(state)
    elif step:
        set_deadline(state, act)
    EFFECTS.get((kind, when), EFFECTS.get(kind, lambda *_: None))(state, act)
    state["state"] = STATES.index(target or now)
    return None


# --- guards ---


def due_good(_state, act):
    due = act.body.get("due", 0)
    return not due or act.no_clock or day(due) >= day(act.claimed)


def may_accept(state, act):
    return due_good(state, act) and (
        "official_no" not in act.body or "hub" in act.roster.roles(act.event.author))


def may_issue(state, act):
    body = act.body
    units = [body["unit"], *body.get("support", [])]
    paper = "signed_by" in body if act.township else "doc_no" not in body
    return paper and len(set(units)) == len(units) and due_good(state, act)


def may_ask_extension(state, act):
    return (state["due"] and not state["extended"] and not state["asked_until"]
            and (act.no_clock or act.claimed <= state["due"]) and act.body["to"] > state["due"]
            and act.roster.bounds.allow_extension(state["due"], act.body["to"]))


def may_decide_extension(state, act):
    return state["asked_until"] and (
        not act.body["ok"] or act.body.get("due", 0) > state["due"]
        and act.roster.bounds.allow_extension(state["due"], act.body["due"]))


def may_suspend(_state, act):
    review = date_day(act.body["review"])
    return review >= 0 and (act.no_clock or 0 <= review - day(act.claimed) <= 90)


def may_report(state, act):
    unit = act.body.get("unit")
    return unit in (None, state["holder"]) and all(done for _, done in state["support"])


def may_call_back(state, act):
    author, by = state["reporter"]
    return act.event.by != by if act.event.by and by else act.event.device != author


def may_close(state, act):
    failed, first, last, reached, solved, *_ = state["callback"]
    if act.body["result"] == "unreached":
        return failed >= 3 and first != last
    if state["answered"] and act.body["result"] == "explained":
        return True
    return reached and not (act.body["result"] == "solved" and SOLVED[solved] == "no")


def may_reopen(state, act):
    return ((state["rounds"] < 2 or "signed_by" in act.body)
            and (state["holder"] or "unit" in act.body) and due_good(state, act))


def may_correct(state, act):
    good, target, values = correction(act.event, state["records"])
    return good and all(
        category_known(act.event, value, act.roster) if name == "category"
        else name in CORRECTABLE and target.subject is None for name, value in values.items())


def category_known(event, code, roster):
    """14.15"""
    return event.scope == "office" or roster.bounds.allow_category(code)


CORRECTABLE = {"urgency", "channel", "channel_ref", "nature"}
GUARDS = {
    "due": due_good, "accept": may_accept, "issue": may_issue, "report": may_report,
    "callback": may_call_back, "close": may_close, "reopen": may_reopen, "suspend": may_suspend,
    "extend_ask": may_ask_extension, "extend_decide": may_decide_extension,
    "correct": may_correct, "number": lambda state, act: state["number_due"],
    "answer": lambda state, act: state["nature"] in ("consult", "suggestion", "praise"),
    "decline": lambda state, act: (act.body["reason"] != "no_answer"
                                   or STATES[state["state"]] == "awaiting_info"),
    "merge": lambda state, act: act.body["main"] != act.event.thing,
}

# --- what acts set ---


def judge(state, step, moment):
    deadline = state["next_due"]
    state["steps"][STEPS.index(step)] = 0 if not deadline else 1 if moment <= deadline else 2


def set_rules(state, act):
    state["rules"] = act.body.get("rules") or state["rules"]


def set_deadline(state, act):
    state["next_due"] = act.body.get("next_due", 0)
    state["next_provisional"] = bool(state["next_due"] and act.body.get("provisional"))
    set_rules(state, act)


def no_deadline(state):
    state.update(next_due=0, next_provisional=False)


def set_due(state, act):
    state["due"] = act.body.get("due", 0)
    state["due_provisional"] = bool(state["due"] and act.body.get("provisional"))
    set_rules(state, act)


def set_moment(state, name, act):
    state[name] = act.moment
    state["untrusted"] = state["untrusted"] or act.untrusted


def step_unknown(state, step):
    state["steps"][STEPS.index(step)] = 0


def unsign(state):
    state.update(signer=None, signed=0)
    step_unknown(state, "sign")


def new_order(state):
    unsign(state)
    state.update(asked_until=0, extended=False)


def no_order(state):
    new_order(state)
    state.update(holder="", support=[])


def callbacks_clear(state):
    state["callback"] = [0, 0, 0, False, 0, 0, 0]
    step_unknown(state, "callback")


def accept(state, act):
    body = act.body
    if "category" in body:
        state.update(category=body["category"], category_from=act.event.id)
    state.update(official_no=body.get("official_no", ""), klass=body["class"],
                 township_level=act.township)
    set_moment(state, "accepted", act)
    state["number_due"] = bool(state["village"] and act.township and not state["official_no"])
    set_due(state, act)


def number(state, act):
    state.update(official_no=act.body["official_no"], number_due=False)


def report(state, act):
    state["reporter"] = [act.event.device, act.event.by]
    set_moment(state, "reported", act)
    callbacks_clear(state)


def answer(state, act):
    state.update(answered=True, township_level=state["township_level"] or act.township)
    set_moment(state, "accepted", act)
    report(state, act)


def escalate(state, act):
    set_moment(state, "escalated", act)
    no_order(state)
    callbacks_clear(state)
    state.update(township_level=True, klass="", due=0, due_provisional=False, accepted=0, issued=0,
                 contacted=0, reported=0, reporter=None, steps=[0] * len(STEPS))


def issue(state, act):
    no_order(state)
    state.update(holder=act.body["unit"], support=[[u, False] for u in act.body.get("support", [])],
                 township_level=state["township_level"] or act.township)
    set_moment(state, "issued", act)
    set_due(state, act)


def sign(state, act):
    state["signer"] = act.event.by if act.event.by != bytes(16) else None
    set_moment(state, "signed", act)
    if state["contacted"]:
        no_deadline(state)
        state["steps"][STEPS.index("contact")] = state["steps"][STEPS.index("contact")] or 1


def objected(state, _act):
    state["objections"] += 1


def transfer(state, act):
    state.update(holder=act.body["unit"], township_level=True,
                 support=[pair for pair in state["support"] if pair[0] != act.body["unit"]])
    new_order(state)
    if act.body.get("due"):
        set_due(state, act)


def contact(state, act):
    now = STATES[state["state"]]
    if (not act.body["reached"] or state["contacted"]
            or now not in ORDERED | {"objected", "suspended"}):
        return
    set_moment(state, "contacted", act)
    if now in ("in_progress", "suspended"):
        suspended = now == "suspended"
        judge(state, "contact", state["suspended_since"] if suspended else act.moment)
        no_deadline(state)


def support_report(state, act):
    state["support"] = [[unit, done or unit == act.body["unit"]]
                        for unit, done in state["support"]]


def extend_ask(state, act):
    state["asked_until"] = act.body["to"]


def extend_decide(state, act):
    state["asked_until"] = 0
    if act.body["ok"]:
        state["extended"] = True
        set_due(state, act)


def suspend(state, act):
    state["review"] = max(date_day(act.body["review"]) * DAY_MS + 18 * 3600_000 - ZONE_MS, 0)
    set_moment(state, "suspended_since", act)


def suspension_end(state, act):
    span = max(act.moment - state["suspended_since"], 0)
    set_moment(state, "suspended_since", act)
    state.update(suspended_since=0, review=0, suspended_total=state["suspended_total"] + span)
    return span


def resume(state, act):
    span = suspension_end(state, act)
    if act.body.get("due"):
        set_due(state, act)
    elif state["due"]:
        state["due"] += span
    if state["next_due"]:
        state["next_due"] += span


def withdraw(state, act):
    if STATES[state["state"]] == "suspended":
        suspension_end(state, act)


def take_back(state, _act):
    callbacks_clear(state)
    state.update(answered=False, reporter=None, accepted=0, reported=0)
    step_unknown(state, "accept")


def call_back(state, act):
    failed, first, last, reached, *told = state["callback"]
    if STATES[state["state"]] == "reported" and not failed and not reached:
        judge(state, "callback", act.moment)
        state["untrusted"] = state["untrusted"] or act.untrusted
    if act.body["reached"]:
        in_time = {None: 0, True: 1, False: 2}[act.body.get("contacted_in_time")]
        reached, told = True, [SOLVED.index(act.body.get("solved", "")), in_time,
                               act.body.get("rating", 0)]
        no_deadline(state)
    else:
        days = [day(act.claimed)] + ([first, last] if failed else [])
        failed, first, last = failed + 1, min(days), max(days)
    state["callback"] = [failed, first, last, reached, *told]


def close(state, act):
    state.update(result=act.body["result"], public=act.body.get("public", False))
    set_moment(state, "closed", act)


def reopen(state, act):
    state.update(holder=act.body.get("unit", state["holder"]), township_level=True, closed=0,
                 support=[[unit, False] for unit, _ in state["support"]], answered=False,
                 public=False, result="", asked_until=0, extended=False,
                 rounds=state["rounds"] + 1)
    callbacks_clear(state)
    set_due(state, act)


def correct(state, act):
    _, target, values = correction(act.event, state["records"])
    if target.id != state["category_from"]:
        values.pop("category", None)
    state.update(values)


EFFECTS = {
    "request.accept": accept, "request.number": number, "request.answer": answer, "request.escalate": escalate,
    "order.issue": issue, "order.sign": sign, "order.object": objected,
    ("order.object_decide", "agree"): lambda state, act: no_order(state),
    ("order.object_decide", ""): lambda state, act: unsign(state),
    "order.transfer": transfer, "contact.log": contact,
    ("order.report", "supporting"): support_report, ("order.report", ""): report,
    "order.extend_ask": extend_ask, "order.extend_decide": extend_decide,
    "order.suspend": suspend, "order.resume": resume, "request.withdraw": withdraw,
    ("order.review", "answered"): take_back, "callback.record": call_back,
    "request.close": close, "request.reopen": reopen, "correct.entry": correct,
    "request.merge": lambda state, act: state.update(
        merged_into=act.body["main"] if act.body["main"] != bytes(16) else None),
    "request.archive": lambda state, act: state.update(archive_no=act.body["archive_no"]),
    "supervise.issue": lambda state, act: state.update(supervised=act.body["level"]),
}
