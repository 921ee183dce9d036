"""Who is in the township and may do what: SPEC 10 and 14.7."""

from bounds import Bounds
from kinds import ROLES
from log import feed_id
from wire import Malformed, decode, encode, is_bin, need, verify

INVITED, JOINED, REVOKED = range(3)
KEYS_MAX = 64


def join_request(data):
    need(len(data) <= 512, "join request")
    request = decode(data)
    need(isinstance(request, list) and len(request) >= 6, "join request")
    need(all(is_bin(part, 32) for part in request[:4]), "join request")
    need(isinstance(request[4], str) and len(request[4].encode()) <= 64, "join request")
    need(isinstance(request[5], int) and 0 <= request[5] < 1 << 48, "join request")
    return request


class Roster:
    """Built from the folded township and devices. About the township it knows nobody, about other
    roster things the authorities alone."""

    def __init__(self, township):
        self.township, self.devices, self.bounds = township, {}, Bounds()
        self.authorities, self.recoveries, self.ended = [township], [], {}

    def succeed(self, things):
        """Takes in who signs for the township: 10.9; the lower thing id counts: 10.8."""
        for thing in sorted(things, key=lambda thing: thing.id)[:1]:
            self.authorities = [key for key, _, _ in thing.state["authorities"]]
            self.ended = {key: heads for key, _, heads in thing.state["authorities"][:-1]}
            self.recoveries = [recovery for _, recovery, _ in thing.state["authorities"]]

    def add(self, things):
        """Takes the devices in, by each of their keys. The lower thing id counts where two have
        one key, but for a revoked one: 10.8."""
        for thing in sorted(things, key=lambda thing: thing.id):
            if thing.type == "device" and thing.state["key"]:
                for key in [k for k, _ in thing.state["earlier"]] + [thing.state["key"]]:
                    has = self.devices.setdefault(key, thing.state)
                    if has["state"] != REVOKED and thing.state["state"] == REVOKED:
                        self.devices[key] = thing.state

    def cuts(self):
        """Heads that count, by author that was cut off: 10.9, 10.13."""
        cuts = {key: heads for key, heads in self.ended.items()}
        for key, device in self.devices.items():
            if device["state"] == REVOKED:
                cuts[key] = device["cuts"]
        return cuts

    def name(self, author):
        """Who that is: the first signing key of the device that has or had this one."""
        device = self.devices.get(author)
        return [*(key for key, _ in device["earlier"]), device["key"]][0] if device else author

    def roles(self, author, roster_thing=None):
        if roster_thing == "township":
            return {"authority", "recovery"}
        if author in self.authorities:
            return {"authority"}
        if roster_thing:
            return {"hub"}
        if author in self.recoveries:
            return {"recovery"}
        bits = self.devices[author]["roles"] if author in self.devices else 0
        return {name for bit, name in enumerate(ROLES) if bits >> bit & 1}

    def township_act(self, event, roster_thing=None):
        if roster_thing == "township":
            return False
        if event.author in self.authorities:
            return True
        device = None if roster_thing else self.devices.get(event.author)
        return device is not None and not device["village"]

    def speaks_for_the_township(self, author):
        return author in self.authorities or author in self.recoveries

    def keys_of(self, name):
        """The signing keys of the device that its first key names."""
        device = self.devices.get(name)
        return [key for key, has in self.devices.items() if has is device] if device else []

    def known(self, author):
        return self.speaks_for_the_township(author) or author in self.devices

    def may_author(self, author, scope):
        if self.speaks_for_the_township(author):
            return scope == "town"
        device = self.devices.get(author)
        if device is None:
            return False
        if device["village"]:
            return scope in ("town", "office", "village:" + device["village"])
        return device["roles"] & ~(1 << ROLES.index("mirror")) != 0

    def may_hold(self, key, scope):
        device = self.devices.get(key)
        if device is None or device["state"] != JOINED:
            return False
        if scope == "town" or not device["village"]:
            return True
        return scope == "village:" + device["village"]


def roles_left(body):
    """10.3: of the known bits a village device keeps one, a township device the others."""
    return body["roles"] & ~(0b11_1111_1101 if "village" in body else 0b10_0000_0011)


def township_fold(state, event, roster, _township):
    """10.9 and 14.7."""
    body = event.body
    if event.kind == "township.founded":
        if event.author != roster.township:
            return "author"
        state.update(name=body["name"], recovery=body["recovery"], office=body["office"],
                     authorities=[[event.author, body["recovery"], []]], earlier_offices=[], series=[],
                     founded8=feed_id(event.feed)[:8])
    elif event.kind == "authority.replaced":
        return replaced_fold(state, event.author, body)
    elif event.author not in [key for key, _, _ in state["authorities"]]:
        return "author"
    elif event.kind == "series.moved":
        if state["series"][-1:] == [body["device"]] or len(state["series"]) >= KEYS_MAX:
            return "rule"
        state["series"].append(body["device"])
    elif (body["office"] in [*state["earlier_offices"], state["office"]]
            or len(state["earlier_offices"]) >= KEYS_MAX):
        return "rule"
    else:
        state["earlier_offices"].append(state["office"])
        state["office"] = body["office"]
    return None


def replaced_fold(state, author, body):
    used = {key for reign in state["authorities"] for key in reign[:2]}
    if (author != state["recovery"] or len(state["authorities"]) >= KEYS_MAX
            or {body["key"], body["recovery"]} & used or body["key"] == body["recovery"]):
        return "rule"
    if (len(state["authorities"]) == 1
            and state["founded8"] not in [feed8 for feed8, _, _ in body["heads"]]):
        return "rule"
    state["authorities"][-1][2] = body["heads"]
    state["authorities"].append([body["key"], body["recovery"], []])
    state["recovery"] = body["recovery"]
    return None


def rotated_fold(state, event, thing_id, township):
    """10.10."""
    key, transport = event.body.get("key"), event.body.get("transport")
    had = {old for old, _ in state["earlier"]} | {state["key"]}
    if (state["key"] is None or event.author not in had or len(state["earlier"]) >= KEYS_MAX
            or (key is None and transport is None) or transport == state["transport"]
            or key in had or not verify(key or event.author, "sidan/rotate",
                                        encode([township, thing_id, key, transport]),
                                        event.body["proof"])):
        return "rule"
    state["earlier"].append([state["key"], state["transport"]])
    state.update(key=key or state["key"], transport=transport or state["transport"])
    return None


def device_fold(state, event, roster, _township):
    body = event.body
    if event.kind in ("device.enrol", "device.invited"):
        state.update(key=None, transport=None, invite=None, invite_transport=None, acceptor=None,
                     village=body.get("village", ""), roles=roles_left(body),
                     letter=body["letter"], name=body["name"], expires=body.get("expires", 0),
                     stolen=False, earlier=[], cuts=[], addresses=[])
    if event.kind == "device.enrol":
        state.update(state=JOINED, village="", key=body["key"], transport=body["transport"],
                     expires=0)
    elif event.kind == "device.invited":
        state.update(state=INVITED, invite=body["invite"], invite_transport=body["transport"],
                     acceptor=body["acceptor"])
    elif event.kind == "device.revoked":
        state.update(state=REVOKED, cuts=body.get("heads", []))
    elif event.kind == "device.listens":
        state.update(addresses=body["addresses"])
    elif event.kind == "device.rotated":
        return rotated_fold(state, event, event.subject, roster.township)
    else:
        return joined_fold(state, event, roster.township)
    return None


def joined_fold(state, event, township_key):
    body = event.body
    try:
        request = join_request(body["request"])
    except Malformed:
        return "rule"
    township, invite, device, transport, name = request[:5]
    if (event.author != state["acceptor"] or township != township_key or invite != state["invite"]
            or not verify(invite, "sidan/join", body["request"], body["invite_signature"])
            or not verify(device, "sidan/join", body["request"], body["device_signature"])):
        return "rule"
    if state["key"] is not None:
        had = {old for old, _ in state["earlier"]} | {state["key"]}
        state["stolen"] = state["stolen"] or device not in had
        return "rule"
    state.update(key=device, transport=transport, name=name)
    if state["state"] == INVITED:
        state["state"] = JOINED
    return None
