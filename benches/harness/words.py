"""What a person may say to `benches/run`."""

import argparse

ROWS = {
    "startup": "`opsctl --version`, beside `true`",
    "steps": "50 steps on one host: in all, one step more, CPU",
    "far": "the same over a line with 10 ms of round trip, and how many round trips a step takes",
    "hosts": "5 steps on each of 20 hosts, all at once",
    "journal": "one durable record, beside an append with fdatasync",
    "memory": "in the middle of 50 steps, with ssh",
    "guarantees": "what receipts and syncing cost",
}
LAB_ROWS = {
    "backup": "a backup of 1 GiB, beside `pg_dump`",
    "restore": "loading it, beside `pg_restore` and `psql`",
    "flat": "the memory of opsctl in both, with 64 MiB and with 1 GiB",
}


def parse():
    parser = argparse.ArgumentParser(
        prog="benches/run",
        description="What opsctl costs, beside what else a person would use.",
        epilog=f"rows:\n{listed(ROWS)}rows of the lab, which are measured only when they are asked for:\n{listed(LAB_ROWS)}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=positive, default=5, metavar="N", help="rounds in which each tool takes its turn (5)")
    parser.add_argument("--only", type=rows, default=list(ROWS), metavar="ROW,...", help="these rows")
    parser.add_argument("--json", action="store_true", help="every figure of every round, as JSON")
    parser.add_argument("--opsctl", metavar="FILE", help="measure this binary, and build none")
    parser.add_argument("--cache", help=argparse.SUPPRESS)
    return parser.parse_args()


def listed(rows):
    return "".join(f"  {name:11} {about}\n" for name, about in rows.items())


def positive(word):
    number = int(word)
    if number < 1:
        raise ValueError
    return number


def rows(word):
    names = word.split(",")
    known = ROWS | LAB_ROWS
    for name in names:
        if name not in known:
            raise argparse.ArgumentTypeError(f"no row is called `{name}`; there are {', '.join(known)}")
    return [name for name in known if name in names]


if __name__ == "__main__":
    parse()
