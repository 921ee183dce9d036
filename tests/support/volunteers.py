#!/usr/bin/env python3
"""Prints a sheet of plainly invented volunteers as an office keeps it: volunteers.py VILLAGES.csv
ROWS [utf-8|gb18030]. Names are numbered, phones begin with 199; every 500th name has a character of
four bytes, dates are written as spreadsheets do."""
import csv
import sys

SKILLS = ['理发', '水电维修', '代取快递', '代买', '照护老人', '医疗', '']
CATEGORIES = ['助老', '助老、便民', '环保，巡查', '应急', '']


def main():
    with open(sys.argv[1], encoding='utf-8-sig', newline='') as f:
        villages = [row['name'] for row in csv.DictReader(f)]
    rows = int(sys.argv[2])
    encoding = sys.argv[3] if len(sys.argv) > 3 else 'utf-8'
    lines = ['村,姓名,电话,特长,服务类别,加入日期,同意书']
    for i in range(rows):
        name = ('𠮷' if i % 500 == 499 else '志') + f'愿甲{i + 1}'
        lines.append(','.join([
            villages[i * len(villages) // rows], name, f'199{i:08d}', SKILLS[i % len(SKILLS)],
            f'"{CATEGORIES[i % len(CATEGORIES)]}"', f'2022/{i % 12 + 1}/{i % 28 + 1}',
            f'同意书-{i + 1:04d}' if i % 9 else '']))
    sys.stdout.buffer.write('\r\n'.join(lines + ['']).encode(encoding))


main()
