"""What can be by all that the township ever published: SPEC 14.15."""

import datetime

DAY_MS, ZONE_MS, HOUR_MS = 86400_000, 8 * 3600_000, 3600_000
EXTENSION = [10, "wd"]


def day(ms):
    return (ms + ZONE_MS) // DAY_MS


def date_day(text):
    return (datetime.date.fromisoformat(text) - datetime.date(1970, 1, 1)).days


class Bounds:
    """`things`: rules and calendars that have a row."""

    def __init__(self, things=()):
        self.codes, self.extensions, self.off = None, [], set()
        for thing in things:
            fields = thing.state["fields"]
            if thing.type == "calendar":
                self._calendar(fields)
            elif fields["type"] == "category":
                self.codes = (self.codes or set()) | {row[0] for row in fields["categories"]}
            elif fields["type"] == "sla":
                self._limits(fields["limits"])

    def _limits(self, rows):
        steps = {step: [amount, unit] for step, amount, unit in rows}
        if len(steps) == len(rows) <= 11:
            self.extensions.append(steps.get("extension", EXTENSION))

    def _calendar(self, fields):
        year, dates = fields["year"], [date for date, _, _ in fields["days"]]
        if (2000 <= year <= 2099 and len(set(dates)) == len(dates)
                and all(f"{year - 1}-12-01" <= date <= f"{year}-12-31" for date in dates)):
            self.off |= {date_day(date) for date, off, _ in fields["days"] if off}

    def _works(self, at):
        return (at + 3) % 7 < 5 and at not in self.off

    def _latest(self, due, amount, unit):
        if unit == "d":
            return day(due) + amount
        if unit == "h":
            return day(due + amount * HOUR_MS)
        at = day(due) + (amount > 0)
        left = (amount or 1) - self._works(at)
        while left:
            at += 1
            left -= self._works(at)
        return at

    def allow_category(self, code):
        return self.codes is None or code in self.codes

    def allow_extension(self, due, until):
        return not self.extensions or any(
            day(until) <= self._latest(due, *extension) for extension in self.extensions)
