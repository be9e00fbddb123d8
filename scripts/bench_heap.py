"""Makes a heap of many tracked objects, for "make bench", and times gc.collect() in it.

usage: bench_heap.py OBJECTS

The heap is a shop: customers (instances) with orders (instances with a str, a bytes, a list of line
items, which are tuples, and a dict of notes). One in fifty orders is dropped while it
refers to itself: that is the garbage. What the collector stops tracking in a full collection is
collected once before, so that the heap is the same with and without a further collection.

Prints "ready OBJECTS GARBAGE", tracked objects and those of them that are garbage. After a line of
input prints "collect SECONDS" four times: the first collection frees the garbage, the others only
find that there is none.
"""

import gc
import sys
import time

gc.disable()


class Customer:
    def __init__(self, number):
        self.name = "customer %d" % number
        self.orders = []


class Order:
    def __init__(self, customer, number):
        self.customer = customer
        self.number = number
        self.label = "order %d of %s" % (number, customer.name)
        self.code = b"%012d" % number
        self.lines = [("article", [number, item]) for item in range(3)]
        self.notes = {"history": [], "total": number * 1.5}


def grow(objects):
    """Customers with orders, about so many tracked objects."""
    customers = []
    while objects > 0:
        customer = Customer(len(customers))
        customers.append(customer)
        for number in range(20):
            customer.orders.append(Order(customer, number))
        objects -= 2 + 20 * tracked_per_order()
    return customers


def tracked_per_order():
    """Order, list of lines, 3 tuples and their lists, notes and the list in them."""
    return 1 + 1 + 3 * 2 + 2


def leak(customer, orders):
    for number in range(orders):
        order = Order(customer, number)
        order.notes["history"].append(order)


def main():
    objects = int(sys.argv[1])
    customers = grow(objects)
    gc.collect()
    before = len(gc.get_objects())
    leak(customers[0], objects // tracked_per_order() // 50)
    tracked = len(gc.get_objects())
    print("ready", tracked, tracked - before, flush=True)
    sys.stdin.readline()
    for _ in range(4):
        start = time.perf_counter()
        gc.collect()
        print("collect", time.perf_counter() - start, flush=True)


main()
