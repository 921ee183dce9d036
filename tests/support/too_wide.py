"""Prints the lines of stdin that take more columns of a terminal than the number given; exits 1 with
any of them. What is wide in Chinese type takes two."""
import sys
import unicodedata


def columns(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


wide = [line for line in sys.stdin.read().split("\n") if columns(line) > int(sys.argv[1])]
print("\n".join(wide))
sys.exit(1 if wide else 0)
