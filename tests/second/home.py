"""A device's folder: its keys, its log, and what it remembers of the hub."""

import os
from pathlib import Path

import fold
from kinds import KINDS, box_good, fields_good
from log import Event, Log
from sealed import seal
from wire import decode, encode, need, sign, signing_key

DAY_MS, CHINA_MS = 86_400_000, 28_800_000


class Peer:
    """The hub: the heads it told, what it was told of ours, its last credit and generation,
    the beginning of a run that was cut: (name, size, bytes)."""

    def __init__(self, key, memory=None):
        self.key = key
        heads, told, self.credit, self.generation, self.unfinished = memory or (
            [], [], 1 << 18, None, None)
        self.heads = {feed: [tuple(point) for point in points] for feed, points in heads}
        self.vector_told = dict(told)

    def memory(self):
        return [[list(pair) for pair in self.heads.items()],
                [list(pair) for pair in self.vector_told.items()], self.credit, self.generation,
                self.unfinished]


class Home:
    def __init__(self, folder, state=None):
        self.folder = Path(folder)
        self.state = state or decode((self.folder / "device").read_bytes())
        self.seed, self.secret = self.state["seed"], self.state["secret"]
        self.authority, self.acceptor = self.state["authority"], self.state["acceptor"]
        self.village, self.generation = self.state["village"], self.state["generation"]
        self.key = signing_key(self.seed)
        self.peer = Peer(self.acceptor, self.state.get("peer"))
        self.log = Log(self.folder / "log")
        self.roster = fold.roster_fold(self.log, self.authority)

    @classmethod
    def create(cls, folder, invite):
        """New keys for an invite; a home that is there keeps its own."""
        folder = Path(folder)
        folder.mkdir(mode=0o700, exist_ok=True)
        if not (folder / "device").exists():
            cls(folder, {
                "seed": os.urandom(32), "secret": os.urandom(32), "generation": os.urandom(8),
                "authority": invite.authority, "acceptor": invite.acceptor,
                "acceptor_transport": invite.acceptor_transport, "village": invite.village,
                "address": invite.addresses[0], "receipts": 0}).save()
        return cls(folder)

    def save(self):
        self.state["peer"] = self.peer.memory()
        temporary = self.folder / "device.new"
        temporary.write_bytes(encode(self.state))
        temporary.chmod(0o600)
        temporary.rename(self.folder / "device")

    def receipt_next(self):
        self.state["receipts"] += 1
        self.save()
        return self.state["receipts"]

    def append(self, events):
        if self.log.append(events) and any(e.scope == "town" for e in events):
            self.roster = fold.roster_fold(self.log, self.authority)

    def views8(self):
        return fold.views8(self.log, self.roster, self.village)

    @property
    def scope(self):
        return "village:" + self.village

    def office(self):
        """The township's newest office key."""
        return next(thing.state["office"]
                    for thing in fold.things_shown(self.log, self.roster, "town")
                    if thing.type == "township")

    def accuse(self, ms, body, box, by=None, office=None):
        """Seals a registration for the township's office: 19."""
        sealed = seal(office or self.office(), "request.register", ms << 16, by, body, box)
        day = (ms + CHINA_MS) // DAY_MS * DAY_MS - CHINA_MS
        return self.record(day, "sealed", {}, {"sealed": sealed}, scope="office", time=day << 16)

    def record(self, ms, kind, body, box=None, by=None, subject=None,
               as_is=False, scope=None, time=None):
        """Signs and stores an act, in the village's scope unless said: 5.3, 6.5."""
        feed = (self.key, scope or self.scope, 1, None)
        heads = self.log.heads(feed)
        need(len(heads) < 2, "the feed has forked")
        head = heads[0] if heads else None
        if time is not None:
            pass
        elif head and ms <= head.ms:
            time = (head.time >> 1) + 1 << 1
        else:
            time = ms << 16
        depth, seen = (0, 0) if subject is None else fold.standing(
            self.log, self.roster, self.scope, subject)
        event = Event(feed, head.seq + 1 if head else 1, head and head.id, time, kind, subject,
                      depth, seen, by, body, None, None,
                      salt=box and os.urandom(8), box=box and encode(box)).check()
        known = KINDS.get(kind)
        need(as_is or known and fields_good(known, event) and box_good(known, event),
             "a kind or field is wrong")
        event.signature = sign(self.seed, "sidan/event", event.id)
        self.append([event])
        return event
