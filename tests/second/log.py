"""Events, feeds and the log that holds them: SPEC 4 to 6."""

import os
import re
from dataclasses import dataclass, field

from wire import Malformed, Reader, decode, digest, encode, is_bin, is_uint, need

SCOPE = re.compile(r"town|office|village:[0-9]{12}")
KIND = re.compile(r"[a-z][a-z0-9_.-]{0,47}")
HEADER_MAX, BOX_MAX, EXT_MAX = 16384, 49152, 256


class VersionUnknown(Malformed):
    pass


def feed_check(feed):
    need(isinstance(feed, list) and len(feed) == 4, "feed")
    author, scope, lane, epoch = feed
    need(is_bin(author, 32), "author")
    need(isinstance(scope, str) and SCOPE.fullmatch(scope), "scope")
    need(is_uint(lane, 2), "lane")
    need(epoch is None or is_bin(epoch, 8), "epoch")
    return tuple(feed)


def feed_id(feed):
    return digest("sidan/feed", encode(list(feed)))


@dataclass
class Event:
    feed: tuple
    seq: int
    prev: bytes
    time: int
    kind: str
    subject: bytes
    depth: int
    seen: int
    by: bytes
    body: dict
    box_digest: bytes
    ext: dict
    salt: bytes = None
    box: bytes = None
    signature: bytes = None
    header: bytes = field(init=False)
    id: bytes = field(init=False)
    device: bytes = field(init=False, default=None)  # who its author is by his first key: 10.10

    def __post_init__(self):
        if self.box is not None:
            self.box_digest = digest("sidan/box", self.salt + self.box)
        self.header = encode([
            1, *self.feed, self.seq, self.prev, self.time, self.kind, self.subject,
            self.depth, self.seen, self.by, self.body, self.box_digest, self.ext])
        self.id = digest("sidan/event", self.header)

    @property
    def scope(self):
        return self.feed[1]

    @property
    def author(self):
        return self.feed[0]

    @property
    def ms(self):
        return self.time >> 16

    @property
    def thing(self):
        return self.subject or self.ms.to_bytes(6, "big") + self.id[:10]

    def check(self):
        """The form of 6.1; what it means is no matter here."""
        feed_check(list(self.feed))
        need(is_uint(self.seq) and self.seq > 0, "seq")
        need(self.prev is None if self.seq == 1 else is_bin(self.prev, 32), "prev")
        need(is_uint(self.time, (1 << 64) - 1), "time")
        need(isinstance(self.kind, str) and KIND.fullmatch(self.kind), "kind")
        need(self.subject is None or is_bin(self.subject, 16), "subject")
        need(is_uint(self.seen, 2**32 - 1) and is_uint(self.depth, self.seen), "depth, seen")
        need(self.subject or self.seen == 0, "a founding event that has seen something")
        need(self.by is None or is_bin(self.by, 16), "by")
        need(isinstance(self.body, dict) and all(isinstance(k, str) for k in self.body), "body")
        need(self.box_digest is None or is_bin(self.box_digest, 32), "box digest")
        if self.ext is not None:
            need(isinstance(self.ext, dict) and self.ext, "ext")
            need(all(is_uint(k, 2**64 - 1) and isinstance(v, bytes)
                     for k, v in self.ext.items()), "ext")
            need(len(encode(self.ext)) <= EXT_MAX, "ext")
        need(len(self.header) <= HEADER_MAX, "header")
        if self.box is not None:
            need(is_bin(self.salt, 8) and len(self.box) <= BOX_MAX, "box")
            box = decode(self.box, depth=6)
            need(isinstance(box, dict) and all(isinstance(k, str) for k in box), "box")
        return self

    @classmethod
    def from_header(cls, header, **rest):
        value = decode(header)
        need(isinstance(value, list) and len(value) == 16, "header")
        if value[0] != 1:
            raise VersionUnknown("suite")
        return cls(feed_check(value[1:5]), *value[5:], **rest).check()


class Log:
    """All events held, in memory and in a file that only grows."""

    def __init__(self, path):
        self.path, self.events, self.feeds, self.things, self.aside = path, {}, {}, {}, set()
        reader = Reader(path.read_bytes() if path.exists() else b"")
        while reader.at < len(reader.data):
            header, salt, box, signature = reader.value()
            self._take(Event.from_header(header, salt=salt, box=box, signature=signature))

    def _take(self, event):
        self.events[event.id] = event
        self.feeds.setdefault(event.feed, []).append(event)
        self.things.setdefault((event.scope, event.thing), []).append(event)

    def cut(self, cuts):
        """Takes away what does not count of the authors that are cut off, and gives back the rest:
        10.13. `cuts`: heads by author. True when anything changed."""
        aside = set()
        for feed, events in self.feeds.items():
            if feed[0] in cuts:
                aside |= {e.id for e in events} - self._counted(feed, events, cuts[feed[0]])
        changed, self.aside, self.things = aside != self.aside, aside, {}
        for event in self.events.values():
            if event.id not in aside:
                self.things.setdefault((event.scope, event.thing), []).append(event)
        return changed

    def _counted(self, feed, events, heads):
        counted, feed8 = set(), feed_id(feed)[:8]
        for seq, id16 in [(seq, id16) for named, seq, id16 in heads if named == feed8]:
            head = next((e for e in events if e.seq == seq and e.id.startswith(id16)), None)
            if head is None:
                counted |= {e.id for e in events if e.seq < seq}
            counted |= {e.id for e in self.branch(head)}
        return counted

    def append(self, events):
        """Stores what is new of them, on the disk when it returns; gives how many were."""
        fresh = [e for e in events if e.id not in self.events]
        with self.path.open("ab") as file:
            for event in fresh:
                file.write(encode([event.header, event.salt, event.box, event.signature]))
                self._take(event)
            file.flush()
            os.fsync(file.fileno())
        return len(fresh)

    def heads(self, feed):
        events = [e for e in self.feeds.get(feed, []) if e.id not in self.aside]
        followed = {e.prev for e in events}
        return [e for e in events if e.id not in followed]

    def find(self, feed, seq, id8):
        for event in self.feeds.get(feed, []):
            if event.seq == seq and event.id.startswith(id8):
                return event
        return None

    def branch(self, event):
        """The event and all before it, newest first."""
        while event:
            yield event
            event = self.events.get(event.prev)

    def scopes(self):
        return sorted({e.scope for e in self.events.values()})
