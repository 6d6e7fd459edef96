"""The judge of the Excel reader: what openpyxl reads (`read`, names of workbooks on stdin), and workbooks that it
writes (`make FOLDER COUNT SEED`). Prints JSON."""
import datetime
import json
import random
import sys
import warnings

import openpyxl
from openpyxl.styles import Font

warnings.simplefilter("ignore")


def moment(value):
    # Microseconds of the rounding of a double do not count: to the millisecond, as Excel has it.
    return value.isoformat(timespec="milliseconds")


def told(value):
    if isinstance(value, bool):
        return ["b", "true" if value else "false"]
    if isinstance(value, (int, float)):
        return ["n", repr(value)]
    if isinstance(value, (datetime.datetime, datetime.time)):
        return ["d", moment(value)]
    if isinstance(value, datetime.date):
        return ["d", value.isoformat()]
    if isinstance(value, datetime.timedelta):
        return ["n", repr(value / datetime.timedelta(days=1))]
    return ["t", value]


def read(name):
    try:
        book = openpyxl.load_workbook(name, data_only=True)
        cells = {}
        # Not iter_rows, which makes all the cells that are not there.
        for (row, column), cell in book.worksheets[0]._cells.items():
            if cell.value is not None and cell.value != "":
                cells[f"{row},{column - 1}"] = told(cell.value)
        return {"cells": cells}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


TEXTS = ["plain", " blanks ", "two\nlines", "tab\there", "<tag> & \"quotes\" 'both'", "]]>", "Größe 日本語 😀 \u202eabc",
         "007", "1e5", "true", "#N/A is no error", "x" * 5000, "&amp;", "a\u0301"]
FORMATS = ["yyyy-mm-dd", "dd/mm/yyyy hh:mm:ss", "mm-dd-yy", "[$-409]d. mmmm yyyy;@", "h:mm:ss AM/PM"]


def value(chance, cell):
    cell.number_format = "General"
    kind = chance.randrange(9)
    if kind == 0:
        cell.value = chance.randrange(-10**9, 10**9)
    elif kind == 1:
        cell.value = chance.choice([0.1, 1e-7, 1e300, -2.5, chance.random() * 1e6, 1 / 3])
    elif kind == 2:
        cell.value = chance.random() < 0.5
    elif kind == 3:
        cell.value = datetime.datetime(1950, 1, 1) + datetime.timedelta(seconds=chance.randrange(4 * 10**9))
        cell.number_format = chance.choice(FORMATS)
    elif kind == 4:
        cell.value = datetime.date(1950, 1, 1) + datetime.timedelta(days=chance.randrange(50000))
    elif kind == 5:
        cell.value = datetime.time(chance.randrange(24), chance.randrange(60), chance.randrange(60))
    elif kind == 6:
        cell.value = chance.choice(["#N/A", "#DIV/0!", "#REF!"])
    else:
        cell.value = chance.choice(TEXTS)
        cell.font = Font(bold=chance.random() < 0.5)


def make(folder, count, seed):
    names = []
    for number in range(count):
        chance = random.Random(seed * 1000 + number)
        book = openpyxl.Workbook()
        if chance.random() < 0.3:
            book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
        sheet = book.active
        for _ in range(chance.randrange(1, 60)):
            value(chance, sheet.cell(row=chance.randrange(1, 40), column=chance.choice([1, 2, 3, 4, 5, 6, 28, 16384])))
        if chance.random() < 0.3:
            sheet.merge_cells("H50:J52")
        if chance.random() < 0.3:
            sheet.freeze_panes = "A2"
            sheet.auto_filter.ref = "A1:C9"
        sheet.row_dimensions[45].hidden = True
        name = f"{folder}/made-{number}.xlsx"
        book.save(name)
        names.append(name)
    return names


if sys.argv[1] == "make":
    print(json.dumps(make(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))))
else:
    print(json.dumps([read(name) for name in sys.stdin.read().splitlines()]))
