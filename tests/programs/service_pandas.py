"""A batch job that makes a report of each day with pandas, and keeps the tables that they are from.

usage: service_pandas.py COUNT     does so many days, says "ready", and as many again for each line
of its input, of which a byte in the file "done" tells
"""

import sys

import numpy
import pandas


class Report:
    def __init__(self, day, table):
        self.day = day
        self.table = table
        self.total = table["amount"].sum()


def table_of(day):
    random = numpy.random.default_rng(day)
    table = pandas.DataFrame(
        {
            "user": random.integers(0, 1000, 4000),
            "amount": random.random(4000),
            "name": ["customer %d of day %d" % (i % 100, day) for i in range(4000)],
        }
    )
    return table[table["amount"] > 0.2]


def run(days, reports):
    for day in days:
        reports[day] = Report(day, table_of(day))
        reports[day].table.groupby("user").agg({"amount": ["sum", "mean"]})


def main():
    count = int(sys.argv[1])
    reports = {}
    run(range(count), reports)
    print("ready", flush=True)
    for done, line in enumerate(sys.stdin, 1):
        run(range(done * count, (done + 1) * count), reports)
        with open("done", "a") as file:
            file.write("x")


main()
