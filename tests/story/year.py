"""The township's year 2022, as the newspaper told it: 81 requests of which 72 were closed; a blocked
drain that came in by a comment; 45 disused wells restored at home and 4 in other villages; a year of
points with a pool of 200,000 yuan. Persons are numbered: nobody here exists."""

import json

from town import Town, milliseconds, moment

VILLAGES = {"琅塘街": "431322111001", "五星": "431322111003", "谭家坊": "431322111201"}
DRAIN, WELLS = "谭家坊", "五星"
REQUESTS_OF_MONTH = (7, 7, 7, 7, 7, 7, 6, 6, 6, 6, 5, 9)  # and the drain in July: 81
LAST_MONTH = 12                                           # its nine are not closed in the year
CLOSED_LATE = 3                                           # one each in March, June, September
PERSONS = 70
POINTS = [120, 101, 93] + [83] * 22 + [82] * 45           # together 5,830
CATEGORIES = ("0101", "0102", "0301", "0302", "0501", "1001")


class Year:
    def __init__(self, folder):
        self.town = Town(folder)
        self.actors = {}
        self.drain = None
        self.persons = []  # (village, subject), in the order of POINTS
        self.wells = []

    def at(self, text):
        when = moment(f"2022-{text}")
        assert when >= self.town.now, f"the story goes back to {text}"
        self.town.now = when

    def scope(self, village):
        return f"village:{VILLAGES[village]}"

    def market(self, text):
        self.at(text)
        self.town.market(VILLAGES)

    # --- January: the township begins ---

    def found(self):
        self.at("01-04 09:00")
        self.town.found(VILLAGES)
        for name, role, unit in (("信访办一号", "dispatcher", "信访办"), ("镇长", "mayor", "镇政府"),
                                 ("回访员一号", "callback", "信访办"), ("财政所一号", "finance", "财政所")):
            self.actors["hub", role] = self.town.actor("hub", name, role, unit)
        self.town.run("hub", "clock", "--set")
        for village in VILLAGES:
            self.town.run(village, "clock", "--set")
            self.actors[village, "clerk"] = self.town.actor(village, "文书", "clerk", village)
            self.actors[village, "secretary"] = self.town.actor(village, "支书", "secretary", village)

    def put_rules(self):
        """What the villagers' meeting passed: a point for each half hour, the pool shared by points."""
        self.at("01-04 16:00")
        for name, fields in (
                ("points", {"points": [["half-hour", "hour", 20, 30, 100, None, 0, 0, 0, 0, True]],
                            "public_days": 7}),
                ("redeem", {"scheme": "share", "round": "yuan", "rounding": "floor"})):
            path = self.town.folder / f"{name}.json"
            path.write_text(json.dumps({"type": name, "ver": 2, "effective": "2022-01-05",
                                        "approved_by": "村民代表会议", "doc_ref": "琅发1号",
                                        **fields}), encoding="utf-8")
            self.town.run("hub", "rule", "put", path, "--by", self.actors["hub", "dispatcher"])

    # --- every month: requests go their way between market days ---

    def play_month(self, month):
        count = REQUESTS_OF_MONTH[month - 1]
        self.at(f"{month:02d}-08 10:00")
        for i, village in enumerate(VILLAGES):
            self.town.record(village, (self.register(village, month, n)
                                       for n in range(count) if n % len(VILLAGES) == i))
        if month == 7:
            self.play_drain_begin()
        self.market(f"{month:02d}-12 14:00")
        self.at(f"{month:02d}-13 09:00")
        self.accept_and_issue()
        self.market(f"{month:02d}-13 15:00")
        self.at(f"{month:02d}-14 09:00")
        self.sign(month)
        if month == LAST_MONTH:
            self.leave_open()
            return
        self.report()
        if month == 7:
            self.play_drain_end()
        self.market(f"{month:02d}-16 14:00")
        self.at(f"{month:02d}-16 17:00")
        self.call_back_and_close(leave=1 if month % 3 == 0 else 0)
        self.at(f"{month:02d}-26 10:00")
        self.call_back_and_close(leave=0)

    def register(self, village, month, n):
        return {"kind": "request.register", "scope": self.scope(village),
                "by": self.actors[village, "clerk"],
                "body": {"channel": "village", "received": milliseconds(self.town.now),
                         "nature": "help", "category": CATEGORIES[(month + n) % 6], "urgency": 1},
                "box": {"name": f"村民{n}", "place": f"{n}组", "content": f"{month}月第{n}件: 请来看看"}}

    def open_requests(self, home, state):
        return [r for r in self.town.json(home, "requests", "--state", state)["requests"]]

    def accept_and_issue(self):
        by, mayor = self.actors["hub", "dispatcher"], self.actors["hub", "mayor"]
        waiting = self.open_requests("hub", "registered")
        for r in waiting:
            self.town.run("hub", "accept", r["no"], "--by", by)
        self.town.record("hub", ({
            "kind": "order.issue", "subject": r["no"], "by": by,
            "body": {"unit": f"{r['village_name']}村委会", "signed_by": mayor}} for r in waiting))

    def sign(self, month):
        for village in VILLAGES:
            by = self.actors[village, "clerk"]
            orders = self.open_requests(village, "assigned")
            for kind, fields, box in (("order.sign", {}, {"receiver": "文书"}),
                                      ("contact.log", {"method": "phone", "reached": True}, {})):
                self.town.record(village, ({"kind": kind, "subject": r["no"], "by": by,
                                            "body": fields, "box": box} for r in orders))

    def report(self):
        for village in VILLAGES:
            self.town.record(village, ({
                "kind": "order.report", "subject": r["no"], "by": self.actors[village, "clerk"],
                "body": {"solved": "yes", "contacted": True}, "box": {"measure": "已办好"}}
                for r in self.open_requests(village, "in_progress") if r["no"] != self.drain))

    def leave_open(self):
        """December: each village sends one back, the township suspends one, the others wait."""
        for village in VILLAGES:
            first, *_ = self.open_requests(village, "in_progress")
            self.town.run(village, "return", first["no"], "--reason", "no_power", "--why",
                          "这段渠道归县水利局管, 村里没有权限动", "--by", self.actors[village, "clerk"])
        self.market(f"{LAST_MONTH}-16 14:00")
        for r in self.open_requests("hub", "in_progress")[:3]:
            self.town.run("hub", "suspend", r["no"], "--reason", "upper_unit", "--review",
                          "2023-01-20", "--by", self.actors["hub", "dispatcher"])

    def call_back_and_close(self, leave):
        """All but `leave` of those reported."""
        reported = self.open_requests("hub", "reported")
        reported = reported[:len(reported) - leave]
        by = self.actors["hub", "callback"]
        self.town.record("hub", ({
            "kind": "callback.record", "subject": r["no"], "by": by,
            "body": {"attempt": 1, "method": "phone", "reached": True, "contacted_in_time": True,
                     "solved": "yes", "rating": 5 if n % 4 else 3}} for n, r in enumerate(reported)))
        self.town.record("hub", ({
            "kind": "request.close", "subject": r["no"], "by": self.actors["hub", "dispatcher"],
            "body": {"result": "solved", "public": True}} for r in reported))

    # --- July: the blocked drain ---

    def play_drain_begin(self):
        """A comment under the article; accepted, ordered and signed for on the same day, the person
        called about it the next morning."""
        dispatcher = self.actors["hub", "dispatcher"]
        clerk, secretary = self.actors[DRAIN, "clerk"], self.actors[DRAIN, "secretary"]
        self.at("07-11 09:30")
        self.drain = self.town.json(
            "hub", "register", "--village", DRAIN, "--channel", "wechat_comment", "--channel-ref",
            "article-7/comment-3", "--nature", "help", "--category", "0102", "--urgency", "2",
            "--name", "留言人", "--content", "污水管网堵塞, 老人家里进了水", "--by", dispatcher)["no"]
        self.town.run("hub", "accept", self.drain, "--by", dispatcher)
        self.at("07-11 16:00")
        self.town.run("hub", "assign", self.drain, "--to", f"{DRAIN}村委会", "--person", "支书",
                      "--doc-no", "琅信交〔2022〕12号", "--signed-by", self.actors["hub", "mayor"],
                      "--due", "2022-07-18", "--task", "查明堵塞原因, 限期疏通", "--by", dispatcher)
        self.town.market([DRAIN])
        self.town.run(DRAIN, "sign", self.drain, "--receiver", "支书", "--by", secretary)
        self.at("07-12 08:20")
        self.town.record(DRAIN, [
            {"kind": "contact.log", "subject": self.drain, "by": secretary,
             "body": {"method": "phone", "reached": True}, "box": {"note": "问清楚哪一段"}},
            {"kind": "progress.note", "subject": self.drain, "by": secretary,
             "box": {"note": "到现场, 三号井到河边一段堵死"}}])
        self.call = self.town.record(DRAIN, [{
            "kind": "call.publish", "scope": self.scope(DRAIN), "by": clerk,
            "body": {"title": "清理污水管网", "category": "environment", "place": f"{DRAIN}三组",
                     "start": milliseconds(moment("2022-07-15 08:00")), "need": 5,
                     "risk": "下井前通风, 两人以上", "hazard": True,
                     "insurance_ref": "2022-意外-07"}}])[0]["subject"]
        self.helpers = [subject for village, subject in self.persons if village == DRAIN][:6]
        self.town.record(DRAIN, ({"kind": "call.signup", "subject": self.call, "by": clerk,
                                  "body": {"person": helper, "by_proxy": "in_person"}}
                                 for helper in self.helpers))

    def play_drain_end(self):
        clerk, secretary = self.actors[DRAIN, "clerk"], self.actors[DRAIN, "secretary"]
        self.at("07-15 18:00")
        self.town.record(DRAIN, [self.activity(DRAIN, DRAIN, "environment", "2022-07-15", 12,
                                               [["drains_cleared", 1]], self.call)])
        self.town.record(DRAIN, [{"kind": "call.close", "subject": self.call, "by": clerk,
                                  "body": {"reason": "held"}}])
        self.town.run(DRAIN, "report", self.drain, "--solved", "yes", "--measure", "疏通管网40米",
                      "--contacted", "yes", "--volunteers", len(self.helpers), "--by", secretary)

    def thank(self):
        self.at("11-28 10:00")
        self.town.record("hub", [{
            "kind": "thanks.record", "scope": self.scope(DRAIN),
            "by": self.actors["hub", "dispatcher"],
            "body": {"received": "2022-11-08", "consent_ref": "来信第3号"},
            "box": {"from": "留言人", "text": "人在外地, 家里的事有人管, 谢谢"}}])

    # --- volunteers, wells ---

    def activity(self, village, host, category, date, helped, outcome, call=None):
        body = {"title": "义务劳动", "category": category, "date": date, "place": host,
                "host": VILLAGES[host], "people_helped": helped, "outcome": outcome}
        if call:
            body["call"] = call
        return {"kind": "activity.record", "scope": "town", "by": self.actors[village, "clerk"],
                "body": body}

    def register_volunteers(self):
        self.at("01-05 09:00")
        places = [list(VILLAGES)[n % len(VILLAGES)] for n in range(PERSONS)]
        self.persons = [(village, self.town.record(village, [{
            "kind": "volunteer.register", "scope": self.scope(village),
            "by": self.actors[village, "clerk"],
            "body": {"joined": "2022-01-05", "categories": ["convenience"],
                     "consent_ref": f"{village}-{n}"},
            "box": {"name": f"志愿者{n}", "phone": f"1380000{n:04d}"}}])[0]["subject"])
            for n, village in enumerate(places)]

    def restore_wells(self):
        """45 wells of the own village, 4 of others, counted first (摸底), then restored."""
        self.at("03-01 09:00")
        by = self.actors[WELLS, "clerk"]
        wells = self.town.record(WELLS, ({
            "kind": "asset.record", "scope": "town", "by": by,
            "body": {"name": f"{n + 1}号井", "type": "well", "place": WELLS, "quality": "good",
                     "worth": True, "condition": "disused"}} for n in range(49)))
        for day, count, host, helped in (("03-04", 15, WELLS, 400), ("03-05", 15, WELLS, 300),
                                         ("03-06", 15, WELLS, 300), ("03-07", 4, "琅塘街", 60)):
            self.at(f"{day} 18:00")
            held = self.town.record(WELLS, [self.activity(
                WELLS, host, "water", f"2022-{day}", helped, [["wells_restored", count]])])[0]
            done, wells = wells[:count], wells[count:]
            self.town.record(WELLS, ({
                "kind": "asset.change", "subject": well["subject"], "by": by,
                "body": {"condition": "in_use", "activity": held["subject"]}} for well in done))

    # --- services: ten Saturdays together in each village, the rest one by one ---

    def serve(self):
        """Hours that come to POINTS at one point for each half hour, verified by another person."""
        self.at("06-01 09:00")
        for village in VILLAGES:
            people = [(n, subject) for n, (home, subject) in enumerate(self.persons)
                      if home == village]
            sheets = self.town.record(village, (self.sheet(village, people, day)
                                                for day in range(10)))
            logs = self.town.record(village, (entry for n, subject in people
                                              for entry in self.logs(village, n, subject)))
            self.town.record(village, ({
                "kind": "service.verify", "subject": made["subject"],
                "by": self.actors[village, "secretary"], "body": {"decision": "ok"}}
                for made in sheets + logs))

    def sheet(self, village, people, day):
        """Four hours for everybody: 8 points."""
        activity = self.town.record(village, [self.activity(
            village, village, "convenience", f"2022-04-{day + 1:02d}", 20, [])])[0]
        return {"kind": "attendance.record", "scope": self.scope(village),
                "by": self.actors[village, "clerk"],
                "body": {"activity": activity["subject"], "category": "convenience",
                         "date": f"2022-04-{day + 1:02d}", "method": "paper",
                         "rows": [[{"$bin": subject}, 480, 720, 240] for _, subject in people]}}

    def logs(self, village, n, subject):
        """What is left after the ten Saturdays, at most eight hours a day."""
        left = (POINTS[n] - 80) * 30
        for day in range(10):
            minutes = min(left, 480)
            if minutes <= 0:
                return
            left -= minutes
            yield {"kind": "service.log", "scope": self.scope(village),
                   "by": self.actors[village, "clerk"],
                   "body": {"person": subject, "category": "elderly", "confirm": "sign",
                            "date": f"2022-05-{day + 1:02d}", "minutes": minutes},
                   "box": {"beneficiary": "独居老人", "note": "理发"}}

    # --- the year ---

    def play(self):
        self.found()
        self.put_rules()
        self.register_volunteers()
        for month in range(1, 13):
            if month == 3:
                self.restore_wells()
            if month == 6:
                self.serve()
            self.play_month(month)
            if month == 11:
                self.thank()
        self.market("12-30 10:00")

    # --- January after: points are counted, made public, and shared out ---

    def count_points(self):
        self.town.now = moment("2023-01-03 09:00")
        self.town.run("hub", "points", "run", 2022)
        self.town.run("hub", "points", "check", 2022)
        self.town.run("hub", "points", "publish", 2022, "town", "--place", "村务公开栏", "--by",
                      self.actors["hub", "dispatcher"])

    def share_out(self):
        self.town.now = moment("2023-01-12 09:00")
        by = ("--by", self.actors["hub", "finance"])
        self.town.run("hub", "redeem", "open", 2022, "--pool", "20万", "--doc-ref", "琅党3号",
                      "--signed-by", self.actors["hub", "mayor"], *by)
        self.town.run("hub", "redeem", "grant", *by)

    def meet(self):
        """All come to market once more, so that everybody holds all."""
        self.town.now = moment("2023-01-13 10:00")
        self.town.market(VILLAGES)
