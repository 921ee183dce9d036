"""Who is in the township and may do what: SPEC 10 and 14.7."""

from bounds import Bounds
from kinds import ROLES
from wire import Malformed, decode, is_bin, need, verify

INVITED, JOINED, REVOKED = range(3)


def join_request(data):
    need(len(data) <= 512, "join request")
    request = decode(data)
    need(isinstance(request, list) and len(request) >= 6, "join request")
    need(all(is_bin(part, 32) for part in request[:4]), "join request")
    need(isinstance(request[4], str) and len(request[4].encode()) <= 64, "join request")
    need(isinstance(request[5], int) and 0 <= request[5] < 1 << 48, "join request")
    return request


class Roster:
    """Built from the folded devices; about roster things it knows the authority alone."""

    def __init__(self, authority):
        self.authority, self.devices, self.bounds = authority, {}, Bounds()

    def add(self, things):
        """Takes the devices in; the lower thing id counts where two have one key: 10.8."""
        for thing in sorted(things, key=lambda thing: thing.id):
            if thing.type == "device" and thing.state["key"]:
                self.devices.setdefault(thing.state["key"], thing.state)

    def roles(self, author, roster_thing=False):
        if roster_thing:
            return {"authority"} if author == self.authority else {"hub"}
        if author == self.authority:
            return {"authority"}
        bits = self.devices[author]["roles"] if author in self.devices else 0
        return {name for bit, name in enumerate(ROLES) if bits >> bit & 1}

    def township_act(self, event, roster_thing=False):
        if event.author == self.authority:
            return True
        device = None if roster_thing else self.devices.get(event.author)
        return device is not None and not device["village"]

    def known(self, author):
        return author == self.authority or author in self.devices

    def may_author(self, author, scope):
        if author == self.authority:
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
    return body["roles"] & ~(0b1_1111_1101 if "village" in body else 0b11)


def device_fold(state, event, roster, _township):
    body = event.body
    if event.kind in ("device.enrol", "device.invited"):
        state.update(key=None, transport=None, invite=None, invite_transport=None, acceptor=None,
                     village=body.get("village", ""), roles=roles_left(body),
                     letter=body["letter"], name=body["name"], expires=body.get("expires", 0),
                     stolen=False)
    if event.kind == "device.enrol":
        state.update(state=JOINED, village="", key=body["key"], transport=body["transport"],
                     expires=0)
    elif event.kind == "device.invited":
        state.update(state=INVITED, invite=body["invite"], invite_transport=body["transport"],
                     acceptor=body["acceptor"])
    elif event.kind == "device.revoked":
        state["state"] = REVOKED
    else:
        return joined_fold(state, event, roster.authority)
    return None


def joined_fold(state, event, authority):
    body = event.body
    try:
        request = join_request(body["request"])
    except Malformed:
        return "rule"
    township, invite, device, transport, name = request[:5]
    if (event.author != state["acceptor"] or township != authority or invite != state["invite"]
            or not verify(invite, "sidan/join", body["request"], body["invite_signature"])
            or not verify(device, "sidan/join", body["request"], body["device_signature"])):
        return "rule"
    if state["key"] is not None:
        state["stolen"] = state["stolen"] or device != state["key"]
        return "rule"
    state.update(key=device, transport=transport, name=name)
    if state["state"] == INVITED:
        state["state"] = JOINED
    return None
