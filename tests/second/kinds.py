"""The kinds and their fields, read out of the table in SPEC 13.6; the check of 13.3."""

import datetime
import re
from dataclasses import dataclass, field
from pathlib import Path

from wire import decode, is_uint

SPEC = Path(__file__).parents[2] / "proto/SPEC.md"
ROLES = ("authority", "village", "dispatch", "callback", "office", "finance", "unit", "mirror",
         "hub", "recovery")
TIME_MAX = (1 << 48) - 1


@dataclass
class Kind:
    name: str
    founds: bool
    type: str
    authors: set
    scopes: set
    fields: dict = field(default_factory=dict)


@dataclass
class Field:
    type: str
    bounds: str
    in_box: bool
    required: bool
    unless: tuple = None  # (field, value)
    columns: list = ()    # of rows: (Field, may be nil)

    def missing_from(self, body):
        """Is it required although it is not there?"""
        if self.unless:
            return body.get(self.unless[0]) != self.unless[1]
        return self.required

    def range(self):
        low, _, high = self.bounds.partition(" to ")
        return int(low), int(high or low)

    def good(self, value):
        if self.type == "bool":
            return isinstance(value, bool)
        if self.type == "time":
            return is_uint(value, TIME_MAX)
        if self.type == "thing":
            return isinstance(value, bytes) and len(value) == 16
        if self.type == "rows":
            return (isinstance(value, list) and self.range()[0] <= len(value) <= self.range()[1]
                    and all(self._row_good(row) for row in value))
        if self.type == "int":
            return (isinstance(value, int) and not isinstance(value, bool)
                    and self.range()[0] <= value <= self.range()[1])
        if self.type == "uint":
            return is_uint(value) and self.range()[0] <= value <= self.range()[1]
        if self.type == "bytes":
            return isinstance(value, bytes) and self.range()[0] <= len(value) <= self.range()[1]
        if self.type == "list":
            return (isinstance(value, list) and self.range()[0] <= len(value) <= self.range()[1]
                    and all(isinstance(v, str) and 1 <= len(v.encode()) <= 64 for v in value))
        return isinstance(value, str) and self._text_good(value)

    def for_office(self, value):
        """A choice in parentheses: 13.4."""
        return self.type == "choice" and f"({value})" in self.bounds.split(", ")

    def _row_good(self, row):
        return (isinstance(row, list) and len(row) == len(self.columns)
                and all(nil and value is None or column.good(value)
                        for (column, nil), value in zip(self.columns, row)))

    def _text_good(self, value):
        if self.type == "choice":
            return value in self.bounds.replace("(", "").replace(")", "").split(", ")
        if self.type == "code":
            return re.fullmatch(f"[0-9]{{{self.bounds}}}", value) is not None
        if self.type == "date":
            try:
                return bool(re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", value)
                            and datetime.date.fromisoformat(value))
            except ValueError:
                return False
        return self.range()[0] <= len(value.encode()) <= self.range()[1]


def _field(form, bounds, place, needed):
    unless = re.match(r"required unless (\w+)=(\w+)$", needed)
    if unless:
        name, value = unless.groups()
        unless = name, {"true": True, "false": False}.get(value, value)
    columns = []
    if form == "rows":
        bounds, _, listed = bounds.partition(" of (")
        for column in listed[:-1].split("; "):
            column, nil = re.subn(" or nil$", "", column)
            _, column_form, column_bounds = column.split(" ", 2)
            columns.append((_field(column_form, column_bounds, place, "required"), bool(nil)))
    return Field(form, bounds, place == "box", needed == "required", unless, columns)


def _table():
    kinds = {}
    text = SPEC.read_text().partition("<!-- kinds -->")[2].partition("<!-- end of kinds -->")[0]
    for line in text.splitlines():
        head = re.match(r"\*\*(\S+)\*\* .*: (founds|acts on) a thing of type (\w+)\. "
                        r"Authors: (\S+)\. Scopes: (.*)\.$", line)
        if head:
            name, how, kind_type, authors, scopes = head.groups()
            kind = kinds[name] = Kind(name, how == "founds", kind_type, set(authors.split(",")),
                                      set(scopes.split(", ")))
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == 7 and cells[5] in ("body", "box"):
            kind.fields[cells[0]] = _field(*cells[3:7])
    return kinds


KINDS = _table()


def fields_good(kind, event):
    """13.3; the box is looked at only by who records, never by the fold."""
    for name, form in kind.fields.items():
        if form.in_box:
            if name in event.body:
                return False
        elif name not in event.body:
            if form.missing_from(event.body):
                return False
        elif not form.good(event.body[name]):
            return False
        elif event.scope != "office" and form.for_office(event.body[name]):
            return False
    return True


def box_good(kind, event):
    box = decode(event.box) if event.box else {}
    return all(form.good(box[name]) if name in box else not form.missing_from(event.body)
               for name, form in kind.fields.items() if form.in_box)
