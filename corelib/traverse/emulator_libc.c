/*
 * The functions of libc that the emulator answers itself: memory and strings, which glibc has in
 * variants for each processor, and those that end the process.
 */
#include "traverse/emulator_cpu.h"

enum { CHUNK = 512 };

// Takes `length` bytes of work from the budget. @return false at a fault
static bool charge(struct cpu *cpu, uint64_t length)
{
	uint64_t cost = 4 + length / 8;

	if (cost > CALL_BUDGET || (cpu->budget -= (int64_t)cost) < 0)
		return cpu_fault(cpu, EMULATOR_BUDGET, 0);
	return true;
}

static bool finish(struct cpu *cpu, uint64_t result)
{
	cpu->gpr[RAX] = result;
	cpu->statistics.library_calls++;
	return trap_finish(cpu);
}

static bool copy_chunk(struct cpu *cpu, uint64_t to, uint64_t from, size_t length)
{
	uint8_t bytes[CHUNK];

	return memory_read(cpu, from, bytes, length) && memory_write(cpu, to, bytes, length);
}

// From the end if the ranges overlap and a copy from the start would read what it wrote.
static bool copy(struct cpu *cpu, uint64_t to, uint64_t from, uint64_t length)
{
	bool backwards = to - from < length;

	while (length) {
		size_t part = length < CHUNK ? length : CHUNK;
		uint64_t offset = backwards ? length - part : 0;

		if (!copy_chunk(cpu, to + offset, from + offset, part))
			return false;
		length -= part;
		to += backwards ? 0 : part;
		from += backwards ? 0 : part;
	}
	return true;
}

// void *memmove(void *to, const void *from, size_t length)
static bool library_memmove(struct cpu *cpu, struct operation *op)
{
	uint64_t to = cpu->gpr[RDI], length = cpu->gpr[RDX];

	(void)op;
	return charge(cpu, length) && copy(cpu, to, cpu->gpr[RSI], length) && finish(cpu, to);
}

// void *mempcpy(void *to, const void *from, size_t length)
static bool library_mempcpy(struct cpu *cpu, struct operation *op)
{
	uint64_t to = cpu->gpr[RDI], length = cpu->gpr[RDX];

	(void)op;
	return charge(cpu, length) && copy(cpu, to, cpu->gpr[RSI], length) &&
	       finish(cpu, to + length);
}

// void *memset(void *to, int byte, size_t length)
static bool library_memset(struct cpu *cpu, struct operation *op)
{
	uint64_t to = cpu->gpr[RDI], length = cpu->gpr[RDX], done = 0;
	uint8_t bytes[CHUNK];

	(void)op;
	if (!charge(cpu, length))
		return false;
	memset(bytes, (int)cpu->gpr[RSI], sizeof(bytes));
	for (; done < length; done += CHUNK) {
		size_t part = length - done < CHUNK ? length - done : CHUNK;

		if (!memory_write(cpu, to + done, bytes, part))
			return false;
	}
	return finish(cpu, to);
}

// A position in memory, with the readable bytes from there to the end of its page.
struct cursor {
	uint64_t address;
	const uint8_t *bytes;
	size_t length;
};

static bool cursor_advance(struct cpu *cpu, struct cursor *cursor)
{
	cursor->address++;
	if (cursor->length > 1) {
		cursor->bytes++;
		cursor->length--;
		return true;
	}
	cursor->bytes = memory_page_rest(cpu, cursor->address, &cursor->length);
	return cursor->bytes && charge(cpu, cursor->length);
}

static bool cursor_open(struct cpu *cpu, struct cursor *cursor, uint64_t address)
{
	*cursor = (struct cursor){.address = address - 1};
	return cursor_advance(cpu, cursor);
}

/*
 * Compares up to `length` bytes, up to a NUL too if `strings`. *order is the difference of the
 * first bytes that differ. Nothing behind the byte that decides is read.
 */
static bool compare(struct cpu *cpu, uint64_t length, bool strings, int *order)
{
	struct cursor left, right;

	*order = 0;
	if (!length)
		return true;
	if (!cursor_open(cpu, &left, cpu->gpr[RDI]) || !cursor_open(cpu, &right, cpu->gpr[RSI]))
		return false;
	for (;;) {
		*order = *left.bytes - *right.bytes;
		if (*order || --length == 0 || (strings && !*left.bytes))
			return true;
		if (!cursor_advance(cpu, &left) || !cursor_advance(cpu, &right))
			return false;
	}
}

static bool finish_compare(struct cpu *cpu, uint64_t length, bool strings)
{
	int order;

	return compare(cpu, length, strings, &order) && finish(cpu, (uint32_t)order);
}

// int memcmp(const void *left, const void *right, size_t length)
static bool library_memcmp(struct cpu *cpu, struct operation *op)
{
	(void)op;
	return finish_compare(cpu, cpu->gpr[RDX], false);
}

// int strcmp(const char *left, const char *right)
static bool library_strcmp(struct cpu *cpu, struct operation *op)
{
	(void)op;
	return finish_compare(cpu, UINT64_MAX, true);
}

// int strncmp(const char *left, const char *right, size_t length)
static bool library_strncmp(struct cpu *cpu, struct operation *op)
{
	(void)op;
	return finish_compare(cpu, cpu->gpr[RDX], true);
}

// What a scan for a byte looks for.
struct scan {
	uint64_t length; /**< at most so many bytes */
	uint8_t byte;
	bool string; /**< ends at a NUL */
	bool last;   /**< the last occurrence */
};

// Scans from rdi on. *found: address of the byte or 0; *end: where the scan stopped.
static bool scan(struct cpu *cpu, const struct scan *what, uint64_t *found, uint64_t *end)
{
	struct cursor at;
	uint64_t length = what->length;

	*found = 0;
	*end = cpu->gpr[RDI];
	if (!length)
		return true;
	if (!cursor_open(cpu, &at, cpu->gpr[RDI]))
		return false;
	for (;; (*end)++) {
		if (*at.bytes == what->byte)
			*found = at.address;
		if ((*found && !what->last) || (what->string && !*at.bytes))
			return true;
		if (--length == 0) {
			(*end)++;
			return true;
		}
		if (!cursor_advance(cpu, &at))
			return false;
	}
}

// void *memchr(const void *memory, int byte, size_t length)
static bool library_memchr(struct cpu *cpu, struct operation *op)
{
	struct scan what = {.length = cpu->gpr[RDX], .byte = (uint8_t)cpu->gpr[RSI]};
	uint64_t found, end;

	(void)op;
	return scan(cpu, &what, &found, &end) && finish(cpu, found);
}

// void *memrchr(const void *memory, int byte, size_t length)
static bool library_memrchr(struct cpu *cpu, struct operation *op)
{
	struct scan what = {.length = cpu->gpr[RDX], .byte = (uint8_t)cpu->gpr[RSI], .last = true};
	uint64_t found, end;

	(void)op;
	return scan(cpu, &what, &found, &end) && finish(cpu, found);
}

// size_t strlen(const char *string)
static bool library_strlen(struct cpu *cpu, struct operation *op)
{
	struct scan what = {.length = UINT64_MAX, .string = true};
	uint64_t found, end;

	(void)op;
	return scan(cpu, &what, &found, &end) && finish(cpu, end - cpu->gpr[RDI]);
}

// size_t strnlen(const char *string, size_t length)
static bool library_strnlen(struct cpu *cpu, struct operation *op)
{
	struct scan what = {.length = cpu->gpr[RSI], .string = true};
	uint64_t found, end;

	(void)op;
	return scan(cpu, &what, &found, &end) && finish(cpu, end - cpu->gpr[RDI]);
}

// char *strchr(const char *string, int byte)
static bool library_strchr(struct cpu *cpu, struct operation *op)
{
	struct scan what = {.length = UINT64_MAX, .byte = (uint8_t)cpu->gpr[RSI], .string = true};
	uint64_t found, end;

	(void)op;
	return scan(cpu, &what, &found, &end) && finish(cpu, found);
}

// char *strrchr(const char *string, int byte)
static bool library_strrchr(struct cpu *cpu, struct operation *op)
{
	struct scan what = {
		.length = UINT64_MAX, .byte = (uint8_t)cpu->gpr[RSI], .string = true, .last = true};
	uint64_t found, end;

	(void)op;
	return scan(cpu, &what, &found, &end) && finish(cpu, found);
}

// A function that does not come back.
static bool library_abort(struct cpu *cpu, struct operation *op)
{
	return cpu_fault_named(cpu, EMULATOR_ABORT, 0, library_functions[op->immediate].name);
}

// The checked variants have the size of the destination as a fourth argument.
static bool library_memmove_chk(struct cpu *cpu, struct operation *op)
{
	return cpu->gpr[RCX] < cpu->gpr[RDX] ? library_abort(cpu, op) : library_memmove(cpu, op);
}

static bool library_memset_chk(struct cpu *cpu, struct operation *op)
{
	return cpu->gpr[RCX] < cpu->gpr[RDX] ? library_abort(cpu, op) : library_memset(cpu, op);
}

const struct library_function library_functions[] = {
	{"memcpy", library_memmove},
	{"memmove", library_memmove},
	{"mempcpy", library_mempcpy},
	{"memset", library_memset},
	{"memcmp", library_memcmp},
	{"bcmp", library_memcmp},
	{"__memcmpeq", library_memcmp},
	{"memchr", library_memchr},
	{"memrchr", library_memrchr},
	{"strlen", library_strlen},
	{"strnlen", library_strnlen},
	{"strcmp", library_strcmp},
	{"strncmp", library_strncmp},
	{"strchr", library_strchr},
	{"index", library_strchr},
	{"strrchr", library_strrchr},
	{"rindex", library_strrchr},
	{"__memcpy_chk", library_memmove_chk},
	{"__memmove_chk", library_memmove_chk},
	{"__memset_chk", library_memset_chk},
	{"abort", library_abort},
	{"exit", library_abort},
	{"_exit", library_abort},
	{"__stack_chk_fail", library_abort},
	{"__chk_fail", library_abort},
	{"__assert_fail", library_abort},
	{NULL, NULL},
};
