/*
 * Functions in the shape of a tp_traverse, in many styles of C, for running natively and in the
 * emulator. Built with several options of the compiler. What they visit depends on all that they
 * compute, so that a wrong result shows.
 *
 *   traverse_functions FILE
 *
 * A child of the program calls each function with each node and writes a line for each call:
 *   NAME FAULT FUNCTION NODE VISITED...
 * FAULT is "-", or why the emulator must give the function up, which then was not called; for
 * "other-thread" it must not, but only another thread could call the function. The program itself,
 * in which no function has run, says "ready" and waits for the end of its input.
 */
#include <assert.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef int visit_function(void *target, void *argument);

int helper_never_bound_before(int value);
int helper_thread_value(void);
size_t helper_weight(const char *text, size_t length);

enum kind { KIND_LEAF, KIND_PAIR, KIND_ARRAY, KIND_TABLE, KIND_STRINGS, KIND_NUMBERS, KIND_CHAIN };

struct node {
	struct node *first, *second;
	enum kind kind;
	unsigned count : 5, flags : 9;
	int8_t small;
	uint16_t medium;
	int32_t number;
	int64_t large;
	double real;
	char name[24];
	struct node *items[8];
	struct node **table;
	uint32_t table_mask;
	struct {
		uint64_t words[6];
	} block;
};

#define VISIT(pointer)                                                    \
	do {                                                              \
		if (pointer) {                                            \
			int result_ = visit((void *)(pointer), argument); \
			if (result_)                                      \
				return result_;                           \
		}                                                         \
	} while (0)

#define TRAVERSE(name) static int name(struct node *node, visit_function *visit, void *argument)

// Visits a number as if it were a pointer: the test compares the numbers.
#define VISIT_NUMBER(number) VISIT((uintptr_t)(number) | 1)

TRAVERSE(fields)
{
	VISIT(node->first);
	VISIT(node->second);
	for (unsigned i = 0; i < node->count % 9; i++)
		VISIT(node->items[i]);
	return 0;
}

TRAVERSE(switches)
{
	switch (node->kind) {
	case KIND_LEAF:
		return 0;
	case KIND_PAIR:
		VISIT(node->first);
		VISIT(node->second);
		break;
	case KIND_ARRAY:
		for (int i = 7; i >= 0; i--)
			VISIT(node->items[i]);
		break;
	case KIND_TABLE:
		VISIT(node->table[node->number & node->table_mask]);
		break;
	case KIND_STRINGS:
		VISIT_NUMBER(strlen(node->name));
		break;
	case KIND_NUMBERS:
		VISIT_NUMBER(node->number);
		break;
	case KIND_CHAIN:
		VISIT(node);
		break;
	}
	return 0;
}

TRAVERSE(tables)
{
	for (uint32_t i = 0; i <= node->table_mask; i++)
		VISIT(node->table[(i * 2654435761u) & node->table_mask]);
	return 0;
}

TRAVERSE(integers)
{
	int64_t large = node->large;
	int32_t number = node->number;
	uint32_t bits = (uint32_t)number;

	VISIT_NUMBER(large * number);
	VISIT_NUMBER(large / (number | 1));
	VISIT_NUMBER(large % (number | 1));
	VISIT_NUMBER((uint64_t)large / (bits | 1));
	VISIT_NUMBER(number / 7 + number % 10);
	VISIT_NUMBER(large >> (number & 63));
	VISIT_NUMBER((uint64_t)large >> (number & 63));
	VISIT_NUMBER(bits << (number & 31) | bits >> (-number & 31));
	VISIT_NUMBER(__builtin_popcountll((uint64_t)large));
	VISIT_NUMBER(large ? __builtin_ctzll((uint64_t)large) : 64);
	VISIT_NUMBER(large ? __builtin_clzll((uint64_t)large) : 64);
	VISIT_NUMBER(__builtin_bswap64((uint64_t)large) ^ __builtin_bswap32(bits));
	VISIT_NUMBER(node->small * node->medium);
	VISIT_NUMBER(node->flags * 100 + node->count);
	VISIT_NUMBER((__uint128_t)large * bits >> 64);
	VISIT_NUMBER(((__int128_t)large << 60) / (number | 1));
	return 0;
}

TRAVERSE(comparisons)
{
	unsigned mask = 0;
	int64_t a = node->large, b = node->number;

	mask |= (a < b) | (a <= b) << 1 | (a > b) << 2 | (a >= b) << 3 | (a == b) << 4;
	mask |= ((uint64_t)a < (uint64_t)b) << 5 | ((uint64_t)a > (uint64_t)b) << 6;
	mask |= (node->small < (int8_t)node->medium) << 7;
	mask |= (node->real < 0.5) << 8 | (node->real == 0.0) << 9 | (node->real >= 1e10) << 10;
	mask |= __builtin_add_overflow_p(a, b, (int64_t)0) << 11;
	mask |= __builtin_mul_overflow_p(a, b, (int32_t)0) << 12;
	VISIT_NUMBER(mask);
	VISIT(a < b ? node->first : node->second);
	return 0;
}

TRAVERSE(strings)
{
	char copy[sizeof(node->name)];
	const char *found = strchr(node->name, 'e');

	memcpy(copy, node->name, sizeof(copy));
	memmove(copy + 1, copy, sizeof(copy) - 2);
	VISIT_NUMBER(helper_weight(copy, sizeof(copy)));
	VISIT_NUMBER(strcmp(copy, node->name) < 0);
	VISIT_NUMBER(strncmp(copy, "node", (size_t)node->count % 6) > 0);
	VISIT_NUMBER(memcmp(node->name, "node 12", 7) + 1000);
	VISIT_NUMBER(found ? found - node->name : 99);
	memset(copy, node->number, node->count % sizeof(copy));
	VISIT_NUMBER(helper_weight(copy, sizeof(copy)));
	VISIT_NUMBER(strnlen(node->name, node->count));
	return 0;
}

TRAVERSE(structures)
{
	__typeof__(node->block) copy = node->block, blocks[5];
	struct node whole = *node;

	for (size_t i = 0; i < 5; i++) {
		blocks[i] = copy;
		blocks[i].words[i] += i;
	}
	for (size_t i = 0; i < 5; i++)
		for (size_t j = 0; j < 6; j++)
			VISIT_NUMBER(blocks[i].words[j] ^ blocks[4 - i].words[5 - j]);
	whole.items[whole.count % 8] = node;
	for (size_t i = 0; i < 8; i++)
		VISIT(whole.items[i]);
	return 0;
}

// Loops that the compiler makes vector code of.
TRAVERSE(sums)
{
	uint64_t sum = 0, most = 0;
	uint32_t narrow[16];
	uint8_t equal = 0;

	for (size_t i = 0; i < 16; i++)
		narrow[i] = (uint32_t)node->block.words[i % 6] + (uint32_t)i;
	for (size_t i = 0; i < 16; i++)
		sum += narrow[i];
	for (size_t i = 0; i < 6; i++)
		most = node->block.words[i] > most ? node->block.words[i] : most;
	for (size_t i = 0; i < sizeof(node->name); i++)
		equal += node->name[i] == 'o';
	VISIT_NUMBER(sum);
	VISIT_NUMBER(most);
	VISIT_NUMBER(equal);
	return 0;
}

static int compare_nodes(const void *left, const void *right)
{
	const struct node *a = *(struct node *const *)left, *b = *(struct node *const *)right;
	int64_t x = a ? a->large : 0, y = b ? b->large : 0;

	return x < y ? -1 : x > y;
}

// Calls through pointers, and of libc's qsort with a callback.
TRAVERSE(callbacks)
{
	struct node *sorted[8];

	memcpy(sorted, node->items, sizeof(sorted));
	qsort(sorted, 8, sizeof(sorted[0]), compare_nodes);
	for (size_t i = 0; i < 8; i++)
		VISIT(sorted[i]);
	return 0;
}

static int walk(struct node *node, visit_function *visit, void *argument, int depth)
{
	VISIT(node->first);
	if (depth > 0 && node->first)
		return walk(node->first, visit, argument, depth - 1) ||
		       walk(node->first, visit, argument, depth - 2);
	return 0;
}

TRAVERSE(recursion)
{
	return walk(node, visit, argument, node->count % 6);
}

static _Thread_local struct node *current;
static _Thread_local int calls = 42;

TRAVERSE(thread_storage)
{
	VISIT(current);
	VISIT_NUMBER(calls);
	// The library's own storage is found by __tls_get_addr(). What it counts up is thrown away.
	VISIT_NUMBER(helper_thread_value() > 7);
	return 0;
}

// Storage that only one thread, not the first, has set up.
static _Thread_local struct node *owned;
static sem_t owner_ready;

TRAVERSE(storage_of_another_thread)
{
	VISIT(owned->items[0]);
	VISIT(node);
	return 0;
}

static void *own(void *node)
{
	owned = node;
	sem_post(&owner_ready);
	pause();
	return NULL;
}

// Writes to the object and to a static counter: thrown away after the call.
static int counter;

TRAVERSE(writes)
{
	int before = counter++;

	node->number ^= 0x5a5a;
	__atomic_add_fetch(&node->large, node->number, __ATOMIC_SEQ_CST);
	VISIT_NUMBER(node->large);
	VISIT_NUMBER(node->number);
	VISIT_NUMBER(counter);
	__atomic_sub_fetch(&node->large, node->number, __ATOMIC_SEQ_CST);
	node->number ^= 0x5a5a;
	counter = before;
	return 0;
}

TRAVERSE(lazily_bound)
{
	VISIT_NUMBER(helper_never_bound_before(node->number));
	return 0;
}

TRAVERSE(locals)
{
	size_t count = node->count + 1;
	struct node **copies = __builtin_alloca(count * sizeof(*copies));

	for (size_t i = 0; i < count; i++)
		copies[i] = node->items[i % 8];
	for (size_t i = 0; i < count; i++)
		VISIT(copies[count - 1 - i]);
	assert(count < 1000);
	return 0;
}

/*
 * Functions that the emulator has to give up, each with its reason
 */

TRAVERSE(endless)
{
	volatile int go_on = 1;

	(void)node, (void)visit, (void)argument;
	while (go_on)
		;
	return 0;
}

TRAVERSE(endless_visits)
{
	for (;;)
		VISIT(node);
}

TRAVERSE(endless_recursion)
{
	volatile char room[100];

	room[0] = 1;
	return endless_recursion(node, visit, argument) + room[0];
}

TRAVERSE(null_read)
{
	struct node *volatile none = NULL;

	(void)node;
	VISIT(none->first);
	return 0;
}

TRAVERSE(constant_write)
{
	static const int constant = 1;

	(void)node, (void)visit, (void)argument;
	*(volatile int *)&constant = 2;
	return 0;
}

TRAVERSE(far_jump)
{
	visit_function *volatile nowhere = (visit_function *)0x12345678;

	(void)visit;
	return nowhere(node, argument);
}

TRAVERSE(data_jump)
{
	(void)visit;
	return ((visit_function *)(void *)node->name)(node, argument);
}

TRAVERSE(system_call)
{
	(void)node, (void)visit, (void)argument;
	return (int)syscall(39);
}

TRAVERSE(aborts)
{
	(void)node, (void)visit, (void)argument;
	abort();
}

TRAVERSE(divides)
{
	volatile int zero = 0;

	(void)node, (void)visit, (void)argument;
	return 100 / zero;
}

TRAVERSE(asks_processor)
{
	unsigned a = 0, b, c, d;

	(void)node, (void)visit, (void)argument;
	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
	return 0;
}

// A function; `fault` names the reason for which the emulator must give it up.
struct traverse_case {
	const char *name;
	int (*function)(struct node *, visit_function *, void *);
	const char *fault;
};

#define CASE(function)                   \
	{                                \
#function, function, "-" \
	}
#define FAULT(function, fault)             \
	{                                  \
#function, function, fault \
	}

static const struct traverse_case cases[] = {
	CASE(fields),
	CASE(switches),
	CASE(tables),
	CASE(integers),
	CASE(comparisons),
	CASE(strings),
	CASE(structures),
	CASE(sums),
	CASE(callbacks),
	CASE(recursion),
	CASE(writes),
	CASE(lazily_bound),
	CASE(locals),
	CASE(thread_storage),
	FAULT(storage_of_another_thread, "other-thread"),
	FAULT(endless, "budget"),
	FAULT(endless_visits, "budget"),
	FAULT(endless_recursion, "write"),
	FAULT(null_read, "read"),
	FAULT(constant_write, "write"),
	FAULT(far_jump, "fetch"),
	FAULT(data_jump, "fetch"),
	FAULT(system_call, "syscall"),
	FAULT(aborts, "abort"),
	FAULT(divides, "divide"),
	FAULT(asks_processor, "unsupported"),
	{NULL, NULL, NULL},
};

// A graph of nodes with random contents.
static struct node **build(size_t count)
{
	struct node **nodes = calloc(count, sizeof(*nodes));
	uint64_t seed = 88172645463325252u;

#define RANDOM (seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17)
	for (size_t i = 0; i < count; i++)
		nodes[i] = calloc(1, sizeof(struct node));
	for (size_t i = 0; i < count; i++) {
		struct node *node = nodes[i];

		node->first = RANDOM % 4 ? nodes[RANDOM % count] : NULL;
		node->second = RANDOM % 4 ? nodes[RANDOM % count] : NULL;
		node->kind = RANDOM % 7;
		node->count = RANDOM % 32;
		node->flags = RANDOM % 512;
		node->small = (int8_t)RANDOM;
		node->medium = (uint16_t)RANDOM;
		node->number = (int32_t)RANDOM;
		node->large = (int64_t)(RANDOM >> RANDOM % 64);
		node->real = (double)(int64_t)RANDOM / 3.0;
		memcpy(node->name, "node 1234567890 eleven", 23);
		node->name[RANDOM % 20] = (char)('a' + RANDOM % 26);
		for (size_t j = 0; j < 8; j++)
			node->items[j] = RANDOM % 3 ? nodes[RANDOM % count] : NULL;
		node->table_mask = (2u << RANDOM % 5) - 1;
		node->table = calloc(node->table_mask + 1, sizeof(*node->table));
		for (size_t j = 0; j <= node->table_mask; j++)
			node->table[j] = RANDOM % 2 ? nodes[RANDOM % count] : NULL;
		for (size_t j = 0; j < 6; j++)
			node->block.words[j] = RANDOM;
	}
	current = nodes[0];
	return nodes;
}

static int print_visit(void *target, void *argument)
{
	fprintf(argument, " %p", target);
	return 0;
}

static void call_all(FILE *file, struct node **nodes, size_t count)
{
	for (const struct traverse_case *with = cases; with->name; with++)
		for (size_t i = 0; i < count; i++) {
			fprintf(file, "%s %s %p %p", with->name, with->fault,
				(void *)with->function, (void *)nodes[i]);
			if (with->fault[0] == '-')
				with->function(nodes[i], print_visit, file);
			if (with->function == storage_of_another_thread) {
				print_visit(nodes[0]->items[0], file);
				print_visit(nodes[i], file);
			}
			fprintf(file, "\n");
		}
}

int main(int argc, char **argv)
{
	enum { NODES = 40 };
	struct node **nodes = build(NODES);
	pthread_t owner;
	int status;
	char byte;

	nodes[0]->items[0] = nodes[1];
	sem_init(&owner_ready, 0, 0);
	if (pthread_create(&owner, NULL, own, nodes[0]))
		return 1;
	sem_wait(&owner_ready);
	pid_t child = fork();

	if (child == 0) {
		FILE *file = fopen(argv[argc - 1], "w");

		call_all(file, nodes, NODES);
		_exit(fclose(file) ? 1 : 0);
	}
	if (waitpid(child, &status, 0) != child || status || write(1, "ready\n", 6) != 6)
		return 1;
	_exit(read(0, &byte, 1) < 0);
}
