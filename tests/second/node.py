#!/usr/bin/python3
"""A village node written from proto/SPEC.md alone, to see that the page is enough.

    node.py HOME join INVITE
    node.py HOME person NAME UNIT               prints the person's id
    node.py HOME register COUNT PERSON          requests, with names and texts in their boxes
    node.py HOME accuse CONTENT [--as-is]       sealed for the township's office;
                                                as-is: to a key that nobody has
    node.py HOME act KIND SUBJECT BODY [BOX] [--by PERSON] [--as-is]     body and box in JSON;
                                                as-is: also what no rule allows;
                                                SUBJECT - founds a thing
    node.py HOME sync [--stay SECONDS] [--carry FILE]...
                                                prints what went and came; stays connected so long
                      [--exec COMMAND]          over a pipe: the command's input and output
    node.py HOME bundle_export FILE             for the township, as a stick carries it
    node.py HOME bundle_import FILE             prints what was new
    node.py HOME verify | requests              the JSON of `sidan verify` and `sidan requests`
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

import zmq

import bundle
import fold
from beat import Beat
from courier import Courier
from frame import ADMIT, BYE, JOIN, REFUSE, frame_read
from home import Home
from invite import invite_read, request_write
from pipe import LineEnded, Pipe
from request import STATES
from session import Refused, Session
from wire import Malformed, digest, encode, sign, transport_key

UNREACHABLE, REFUSED = 6, 8


class Unreachable(Exception):
    pass


def now_ms():
    return time.time_ns() // 1_000_000


class Link:
    """A DEALER socket to the hub: SPEC 12."""

    def __init__(self, address, server_key, secret, seconds):
        self.deadline = time.monotonic() + seconds
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.maxmsgsize = 1 << 17
        self.socket.curve_serverkey = server_key
        self.socket.curve_secretkey = secret
        self.socket.curve_publickey = transport_key(secret)
        self.socket.connect(address)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close(200)  # ms for a last frame
        self.context.term()

    def send(self, frame):
        self.socket.send(frame)

    def receive(self, seconds=None):
        """The next frame; None when `seconds` pass without one."""
        left = self.deadline - time.monotonic()
        wait = left if seconds is None else min(left, seconds)
        if left > 0 and self.socket.poll(max(wait, 0) * 1000):
            return self.socket.recv()
        if seconds is None or left <= 0:
            raise Unreachable("no answer in time")
        return None


def join(options):
    invite = invite_read(Path(options.arguments[0]).read_bytes())
    home = Home.create(options.home, invite)
    request = request_write(invite, home.key, transport_key(home.secret), now_ms())
    frame = encode([JOIN, request, sign(invite.seed, "sidan/join", request),
                    sign(home.seed, "sidan/join", request)])
    with Link(home.state["address"], invite.acceptor_transport, invite.secret,
              options.timeout) as link:
        link.send(frame)
        while True:
            answer = frame_read(link.receive())
            if answer[0] == REFUSE:
                raise Refused(answer[1], answer[2])
            if answer[0] == ADMIT and answer[1] == digest("sidan/admit", request):
                link.send(encode([BYE]))
                return {"device": home.key.hex(), "state": "joined"}


def link_to_hub(home, options):
    key = home.state["acceptor_transport"]
    if options.exec:
        return Pipe(options.exec, home.authority, key, home.secret, options.timeout)
    return Link(home.state["address"], key, home.secret, options.timeout)


def sync(options):
    home = Home(options.home)
    with link_to_hub(home, options) as link:
        beat = Beat(link.send, time.monotonic())
        session = Session(home, home.peer, lambda frame: beat.send(frame, time.monotonic()),
                          now_ms())
        courier = Courier(lambda frame: beat.send(frame, time.monotonic()),
                          [Path(name).read_bytes() for name in options.carry])
        held = len(home.log.events)

        def take(frame):
            if beat.heard(frame, time.monotonic()):
                session.take(frame)
                courier.take(frame)

        try:
            session.start()
            while not session.done():
                take(link.receive())
            while frame := link.receive(0.2):  # what the hub says last: receipts, views
                take(frame)
            courier.offer()
            while not courier.done():
                take(link.receive())
            stay(link, beat, take, options.stay)
        finally:
            home.save()
        session.bye()
        return {**session.counts, "received": len(home.log.events) - held,
                "views_agree": session.views_agree, "pings": beat.pings,
                "carried": sorted(courier.said.values()), "carried_bytes": courier.bytes}


def stay(link, beat, take, seconds):
    """Connected and idle; at the end the peer is asked whether it is still there."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if frame := link.receive(min(left, 1)):
            take(frame)
        if not beat.tick(time.monotonic()):
            raise Unreachable("the hub fell silent")
    if seconds:
        pings = beat.pings
        beat.ask(time.monotonic())
        while beat.pings == pings:
            take(link.receive())


def person(options):
    name, unit = options.arguments
    event = Home(options.home).record(now_ms(), "actor.enrol", {"unit": unit, "role": "clerk"},
                                      {"name": name})
    return {"id": event.thing.hex()}


def register(options):
    home = Home(options.home)
    device = home.roster.devices[home.key]
    number = next(thing.state["number"]
                  for thing in fold.things_shown(home.log, home.roster, "town")
                  if thing.type == "village" and thing.state["code"] == home.village)
    first = 1 + len(fold.requests_shown(home.log, home.roster, home.scope))
    for n in range(first, first + int(options.arguments[0])):
        home.record(now_ms(), "request.register", {
            "number": f"{number:02}{device['letter']}-{n:04}", "channel": "visit",
            "received": now_ms() - 60_000 * n, "nature": "help", "category": "0302",
            "urgency": 1 + n % 3}, {"name": f"村民{n}", "content": f"第{n}件: 村道路灯不亮"},
            by=bytes.fromhex(options.arguments[1]))
    return {"registered": n}


def accuse(options):
    Home(options.home).accuse(now_ms(), {
        "channel": "visit", "received": now_ms(), "nature": "accusation", "category": "0103",
        "urgency": 1}, {"content": options.arguments[0]},
        office=os.urandom(32) if options.as_is else None)
    return {"sealed": True}


def act(options):
    kind, subject, body, *box = options.arguments
    event = Home(options.home).record(
        now_ms(), kind, json.loads(body), json.loads(box[0]) if box else None,
        options.by and bytes.fromhex(options.by),
        None if subject == "-" else bytes.fromhex(subject), options.as_is)
    return {"subject": event.thing.hex()}


def bundle_export(options):
    home = Home(options.home)
    data, runs = bundle.export(home, home.office(), now_ms(), now_ms())
    Path(options.arguments[0]).write_bytes(data)
    return {"runs": runs, "bytes": len(data)}


def bundle_import(options):
    home = Home(options.home)
    taken = bundle.take(home, Path(options.arguments[0]).read_bytes(), now_ms())
    home.save()
    return taken


def verify(options):
    home = Home(options.home)
    log, roster = home.log, home.roster
    shown = [scope for scope in log.scopes() if scope != "office"]  # 19.5
    return {
        "ok": True, "events": sum(e.scope in shown and e.id not in log.aside for e in log.events.values()), "fold_version": fold.FOLD_VERSION,
        "roster_heads": fold.roster_heads(log, roster).hex(),
        "scopes": [{"scope": scope,
                    "events": sum(e.scope == scope and e.id not in log.aside for e in log.events.values()),
                    "events_digest": fold.events_digest(log, scope).hex(),
                    "views_digest": fold.views_digest(log, roster, scope).hex()}
                   for scope in shown]}


def requests(options):
    home = Home(options.home)
    return {"requests": [
        {"subject": thing.id.hex(), "no": thing.state["number"],
         "state": STATES[thing.state["state"]], "both_changed": thing.both_changed}
        for thing in fold.requests_shown(home.log, home.roster, home.scope)]}


VERBS = {f.__name__: f for f in (join, sync, person, register, accuse, act,
                                  bundle_export, bundle_import, verify, requests)}


def main():
    os.umask(0o077)
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home")
    parser.add_argument("verb", choices=VERBS)
    parser.add_argument("arguments", nargs="*")
    parser.add_argument("--by")
    parser.add_argument("--as-is", action="store_true")
    parser.add_argument("--timeout", type=float, default=10)
    parser.add_argument("--exec")
    parser.add_argument("--carry", action="append", default=[])
    parser.add_argument("--stay", type=float, default=0)
    options = parser.parse_args()
    try:
        print(json.dumps(VERBS[options.verb](options), ensure_ascii=False))
    except (Unreachable, LineEnded) as error:
        print(error, file=sys.stderr)
        return UNREACHABLE
    except (Refused, Malformed) as error:
        print(f"refused: {error}", file=sys.stderr)
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main())
