"""The session with a peer: frames in, frames out; no socket and no clock: SPEC 8 and 9."""

from frame import (BYE, HELLO, HOLD, PIECE, POINTS_MAX, RECEIPT, REFUSE, RUN, WANT, common_version,
                   frame_read, have8, id8, piece_name, run_padded)
from run import BadSignature, DictionaryDiffers, TooLarge, pack, unpack
from wire import Malformed, digest, encode, need, sign, verify

WANT_PLAIN, WANT_ROSTER, WANT_HELLO = 1, 4, 8
WANTS_MAX = 3
CREDIT_START, CREDIT_GRANT, RUN_EVENTS, RUN_WEIGHT = 1 << 18, 1 << 20, 64, 1 << 16


class Refused(Exception):
    def __init__(self, code, text):
        super().__init__(f"{code}: {text}")
        self.code, self.text = code, text


def heads_vector(log, feeds):
    return sorted([id8(f), e.seq, e.id] for f in feeds for e in log.heads(f))


class Session:
    """`home` holds the log, the keys and what is remembered of the peer; `send` takes a frame."""

    def __init__(self, home, peer, send, now_ms):
        self.home, self.log, self.peer, self.now = home, home.log, peer, now_ms
        self._send = send
        self.hello = None  # the peer's
        self.held = False  # by the peer: 9.14
        self.granted = CREDIT_GRANT
        self.sent_bytes = self.received_bytes = 0
        self.credit = min(CREDIT_START, peer.credit)
        self.sent, self.plain, self.wants = set(), set(), {}
        self.announced = {}  # heads that the peer holds and we may lack
        self.views_agree = None
        self.refused = None
        self.counts = dict.fromkeys(("runs_sent", "runs_with_dictionary", "runs_received",
                                     "pieces", "receipts", "wants"), 0)
        self._views = (None, None)

    # --- what goes out ---------------------------------------------------------------------

    def start(self):
        self._hello(complete=not self.peer.vector_told)
        self._push()

    def _feeds(self, feeds=None):
        """Those of the feeds that the peer may hold, in the order of 9.7."""
        roster = self.home.roster
        feeds = [f for f in feeds or self.log.feeds
                 if roster.may_hold(self.peer.key, f[1]) or self.peer.key == self.home.acceptor]

        def place(feed):
            return (not self._of_roster(feed), feed[1] == "town", feed[2],
                    len(self.log.feeds.get(feed, [])))
        return sorted(feeds, key=place)

    def _of_roster(self, feed):
        return feed[1] == "town" and (self.home.roster.speaks_for_the_township(feed[0]) or
                                      "hub" in self.home.roster.roles(feed[0]))

    def _views8(self):
        if self._views[0] != len(self.log.events):
            self._views = (len(self.log.events), self.home.views8())
        return self._views[1]

    def _hello(self, complete):
        feeds = self._feeds()
        vector = heads_vector(self.log, feeds)
        told = self.peer.vector_told
        changed = [f for f in feeds if complete or heads_vector(self.log, [f]) != told.get(id8(f))]
        have = [[list(f), e.seq, e.id[:8]] for f in changed for e in self.log.heads(f)]
        self._send(encode([HELLO, 1, 1, self.home.authority[:8], self.now, True,
                           self.home.generation, 1024, "second 1", self.granted, self._views8(),
                           complete, have8(vector), have, self._unfinished()]))
        self.peer.vector_told = {id8(f): heads_vector(self.log, [f]) for f in feeds}

    def _unfinished(self):
        name, _, data = self.peer.unfinished or (None, 0, b"")
        return [name, len(data)] if data else None

    def _arrived(self, feed):
        held = set()
        for seq, start in self.peer.heads.get(id8(feed), []):
            event = self.log.find(feed, seq, start)
            held.update(e.id for e in self.log.branch(event))
        return held

    def pending(self):
        """The events that the peer lacks and was not sent, by branch: (base, events)."""
        for feed in self._feeds():
            if self.held and not self._of_roster(feed) and feed[2] != 0:
                continue
            passed = self._arrived(feed) | self.sent
            for head in self.log.heads(feed):
                events = []
                base = None
                for event in self.log.branch(head):
                    if event.id in passed:
                        base = event
                        break
                    events.insert(0, event)
                passed.update(e.id for e in events)
                while events:
                    part = self._part(events)
                    if not part:
                        break  # no signature covers the rest
                    yield base, part
                    base, events = part[-1], events[len(part):]

    @staticmethod
    def _part(events):
        weight, signed = 0, 0
        for count, event in enumerate(events[:RUN_EVENTS], 1):
            weight += len(event.header) + len(event.box or b"")
            if signed and weight > RUN_WEIGHT:
                break
            signed = count if event.signature else signed
        return events[:signed]

    def _push(self):
        for base, events in list(self.pending()):
            if self.sent_bytes >= self.credit:
                return
            feed = events[0].feed
            fields = pack(self.log, base, events, feed not in self.plain)
            name = id8(feed) if base else list(feed)
            frame = run_padded([RUN, name, *fields, None])
            self.counts["runs_sent"] += 1
            self.counts["runs_with_dictionary"] += fields[2]
            self.sent_bytes += len(frame)
            self.sent.update(e.id for e in events)
            self._send(frame)

    def _receipt(self, feeds):
        entries = heads_vector(self.log, feeds)
        self.granted = self.received_bytes + CREDIT_GRANT
        counter = self.home.receipt_next()
        body = encode([self.home.authority, self.home.key, self.peer.key, self.home.generation,
                       counter, self.now, entries])
        signature = sign(self.home.seed, "sidan/receipt", digest("sidan/receipt", body))
        self._send(encode([RECEIPT, counter, self.now, self.granted, self._views8(), entries,
                           signature]))

    def _want(self, name, feed, flags):
        key = feed or name
        self.wants[key] = self.wants.get(key, 0) + 1
        self.counts["wants"] += 1
        if self.wants[key] > WANTS_MAX:
            return
        points = [[e.seq, e.id[:8]] for head in self.log.heads(feed)
                  for e in self.log.branch(head)] if feed else []
        points.sort(reverse=True)
        self._send(encode([WANT, name, points[:POINTS_MAX], 0, flags]))

    def bye(self):
        self._send(encode([BYE]))

    # --- what comes in ---------------------------------------------------------------------

    def take(self, data):
        """Takes one frame; a peer that breaks the rules is told so and Refused is raised."""
        try:
            self._take(data)
        except BadSignature as error:
            self._refuse(4, error)
        except TooLarge as error:
            self._refuse(5, error)
        except Malformed as error:
            self._refuse(3, error)

    def _refuse(self, code, why):
        self._send(encode([REFUSE, code, str(why)]))
        raise Refused(code, f"by us: {why}")

    def _take(self, data):
        frame = frame_read(data)
        kind = frame[0]
        if kind == REFUSE:
            raise Refused(frame[1], frame[2])
        take = {HELLO: self._take_hello, RUN: self._take_run, PIECE: self._take_piece,
                WANT: self._take_want, RECEIPT: self._take_receipt}.get(kind)
        if kind == HOLD:
            self.held = frame[1]
            if self.hello is not None:
                self._push()
        if take is None:
            return
        if kind != HELLO and self.hello is None:
            self._refuse(8, "a frame before HELLO")
        if kind in (RUN, PIECE):
            if self.received_bytes >= max(self.granted, CREDIT_START):
                self._refuse(7, "more than was granted")
            self.received_bytes += len(data)
        take(frame)
        self._push()

    def _feed_named(self, name):
        """The feed that a frame names, None for one that is named short and not held."""
        if not isinstance(name, bytes):
            return tuple(name)
        return next((f for f in self.log.feeds if id8(f) == name), None)

    def _take_hello(self, frame):
        if not common_version(frame):
            self._refuse(1, "no common version")
        (_, _, _, township8, _, _, generation, _, _, credit, views, complete, vector8,
         have) = frame[:14]
        if township8 != self.home.authority[:8]:
            self._refuse(2, "another township")
        heads = {}
        for name, seq, start in have:
            heads.setdefault(id8(name), []).append((seq, start))
        self.peer.heads = heads if complete else {**self.peer.heads, **heads}
        known = [(f, seq, i) for f, points in self.peer.heads.items() for seq, i in points]
        if have8(known) != vector8:
            need(not complete, "have8")
            self._send(encode([WANT, None, [], 0, WANT_HELLO]))
        self.hello = True
        self.peer.generation = generation
        self.announced = {f: list(points) for f, points in self.peer.heads.items()}
        self._granted(credit)
        self._compare(views)

    def _granted(self, credit):
        self.credit = max(self.credit, credit)
        self.peer.credit = credit

    def _compare(self, views):
        if views is not None:
            self.views_agree = views == self._views8()

    def _take_run(self, frame):
        name, base_seq, base_id8 = frame[1:4]
        feed = self._feed_named(name)
        base = feed and base_seq and self.log.find(feed, base_seq, base_id8)
        self.counts["runs_received"] += 1
        if feed is None or base_seq and not base:
            self._want(name, feed, 0)
            return
        roster = self.home.roster
        if not roster.known(feed[0]) or feed[1] != "town" and not roster.known(self.home.key):
            self._send(encode([WANT, None, [], 0, WANT_ROSTER]))
            self._want(name, feed, 0)
            return
        if not (roster.may_author(feed[0], feed[1]) and self._feeds([feed])
                and (feed[1] == "town" or roster.may_hold(self.home.key, feed[1]))):
            self._refuse(6, "a feed that may not come here")
        try:
            events = unpack(self.log, feed, base or None, frame[4:10])
        except DictionaryDiffers:
            self._want(name, feed, WANT_PLAIN)
            return
        self.home.append(events)
        self._told_by_run(feed, base, events[-1])
        self.wants.pop(feed, None)
        self._receipt([feed])
        self._compare(frame[10])

    def _told_by_run(self, feed, base, last):
        heads = self.peer.heads.setdefault(id8(feed), [])
        if all(last.seq > seq for seq, _ in heads):
            if base and (base.seq, base.id[:8]) in heads:
                heads.remove((base.seq, base.id[:8]))
            heads.append((last.seq, last.id[:8]))

    def _take_piece(self, frame):
        name, size, offset, data = frame[1:5]
        held = self.peer.unfinished
        if held is None or held[0] != name:
            held = (name, size, b"")
        need(size == held[1] and offset <= len(held[2]), "a piece that does not continue the others")
        run = held[2] + data[len(held[2]) - offset:]
        self.peer.unfinished = (name, size, run)
        self.counts["pieces"] += 1
        if len(run) < size:
            return
        self.peer.unfinished = None
        if piece_name(run) != name:
            self.bye()
            raise Refused(0, "by us: pieces of another run")
        run = frame_read(run)
        need(run[0] == RUN, "pieces that make no RUN")
        self._take_run(run)

    def _take_want(self, frame):
        name, points, _, flags = frame[1:5]
        self.counts["wants"] += 1
        if flags & WANT_HELLO:
            self._hello(complete=True)
        feed = None if name is None else self._feed_named(name)
        if feed not in self.log.feeds or not self._feeds([feed]):
            return
        self.peer.heads[id8(feed)] = [tuple(point) for point in points]
        self.sent -= {e.id for e in self.log.feeds[feed]}
        if flags & WANT_PLAIN:
            self.plain.add(feed)

    def _take_receipt(self, frame):
        counter, time_ms, credit, views, entries, signature = frame[1:7]
        whole = [self._whole(entry) for entry in entries]
        if None in whole:
            self._send(encode([WANT, None, [], 0, WANT_HELLO]))
            return
        body = encode([self.home.authority, self.peer.key, self.home.key, self.peer.generation,
                       counter, time_ms, whole])
        if not verify(self.peer.key, "sidan/receipt", digest("sidan/receipt", body), signature):
            raise BadSignature("receipt")
        heads = {}
        for name, seq, head in entries:
            heads.setdefault(name, []).append((seq, head[:8]))
        self.peer.heads.update(heads)
        self.counts["receipts"] += 1
        self._granted(credit)
        self._compare(views)

    def _whole(self, entry):
        """An entry of a receipt with its whole id; None where the event is not here."""
        name, seq, start = entry
        feed = self._feed_named(name)
        event = feed and self.log.find(feed, seq, start[:8])
        if len(start) == 32:
            return entry
        return event and [name, seq, event.id]

    def done(self):
        """Everything has arrived on both sides, as far as the two have told."""
        if self.hello is None or next(self.pending(), None):
            return False
        feeds = {id8(f): f for f in self.log.feeds}
        if any(f not in feeds or not self.log.find(feeds[f], seq, i)
               for f, points in self.announced.items() for seq, i in points):
            return False
        return self.held or all(e.id in self._arrived(f) for f in self._feeds() for e in self.log.heads(f))
