/*
 * The emulator's view of memory: the image for reading, a private stack, and copies of the pages
 * that the current call has written to, which are forgotten when it ends.
 */
#include "traverse/emulator_cpu.h"

#include <stdlib.h>

// What a page that is not at hand costs in instructions, so that thrashing ends by the budget too.
enum { PAGE_COST = 8 };

bool memory_open(struct cpu *cpu)
{
	for (size_t i = 0; i < READ_SLOTS; i++)
		cpu->read_slots[i].page = UINT64_MAX;
	for (size_t i = 0; i < WRITE_SLOTS; i++)
		cpu->write_slots[i].page = UINT64_MAX;
	cpu->stack = calloc(1, STACK_SIZE);
	return cpu->stack;
}

void memory_close(struct cpu *cpu)
{
	for (size_t i = 0; i < cpu->copies_allocated; i++)
		free(cpu->copies[i].bytes);
	free(cpu->stack);
}

static void forget_page(struct page_slot *slot, uint64_t page)
{
	if (slot->page == page)
		slot->page = UINT64_MAX;
}

void memory_reset(struct cpu *cpu)
{
	for (size_t i = 0; i < cpu->copy_count; i++) {
		uint64_t page = cpu->copies[i].page;

		forget_page(&cpu->read_slots[page % READ_SLOTS], page);
		forget_page(&cpu->write_slots[page % WRITE_SLOTS], page);
	}
	cpu->copy_count = 0;
}

static bool is_private(uint64_t address)
{
	return address >= PRIVATE_BASE && address < PRIVATE_END;
}

static struct page_copy *copy_of(struct cpu *cpu, uint64_t page)
{
	for (size_t i = 0; i < cpu->copy_count; i++)
		if (cpu->copies[i].page == page)
			return &cpu->copies[i];
	return NULL;
}

// Host address of a whole page for reading; NULL if the image does not have all of it.
static const uint8_t *readable_page(struct cpu *cpu, uint64_t page)
{
	if (is_private(page * PAGE))
		return cpu->stack + (page * PAGE - PRIVATE_BASE);
	struct page_copy *copy = copy_of(cpu, page);
	return copy ? copy->bytes : reader_at(&cpu->reader, page * PAGE, PAGE);
}

const uint8_t *memory_page_rest(struct cpu *cpu, uint64_t address, size_t *length)
{
	uint64_t page = address / PAGE;
	struct page_slot *slot = &cpu->read_slots[page % READ_SLOTS];

	*length = PAGE - address % PAGE;
	if (slot->page == page)
		return slot->host + address % PAGE;
	cpu->budget -= PAGE_COST;
	const uint8_t *host = readable_page(cpu, page);
	if (host) {
		*slot = (struct page_slot){page, (uint8_t *)host};
		return host + address % PAGE;
	}
	// The end of a segment may lie inside of the page.
	while (*length > 1 && !reader_at(&cpu->reader, address, *length))
		*length /= 2;
	host = reader_at(&cpu->reader, address, *length);
	if (!host)
		cpu_fault(cpu, EMULATOR_READ, address);
	return host;
}

bool memory_read(struct cpu *cpu, uint64_t address, void *bytes, size_t length)
{
	uint8_t *to = bytes;

	while (length) {
		size_t part;
		const uint8_t *from = memory_page_rest(cpu, address, &part);

		if (!from)
			return false;
		part = part < length ? part : length;
		memcpy(to, from, part);
		to += part;
		address += part;
		length -= part;
	}
	return true;
}

// Makes the copy of a page that the target could have written to. Code may not be written: blocks
// are decoded from the image.
static struct page_copy *copy_page(struct cpu *cpu, uint64_t page)
{
	const struct segment *segment = image_segment(cpu->target->image, page * PAGE);
	const uint8_t *host = reader_at(&cpu->reader, page * PAGE, PAGE);

	if (!host || !segment || (segment->flags & (PF_W | PF_X)) != PF_W ||
	    cpu->copy_count == COPIED_PAGES) {
		cpu_fault(cpu, EMULATOR_WRITE, page * PAGE);
		return NULL;
	}
	struct page_copy *copy = &cpu->copies[cpu->copy_count];
	if (cpu->copy_count == cpu->copies_allocated) {
		copy->bytes = malloc(PAGE);
		if (!copy->bytes) {
			cpu_fault(cpu, EMULATOR_MEMORY, 0);
			return NULL;
		}
		cpu->copies_allocated++;
	}
	memcpy(copy->bytes, host, PAGE);
	copy->page = page;
	cpu->copy_count++;
	cpu->statistics.pages_copied++;
	forget_page(&cpu->read_slots[page % READ_SLOTS], page);
	return copy;
}

static uint8_t *writable_page(struct cpu *cpu, uint64_t page)
{
	struct page_slot *slot = &cpu->write_slots[page % WRITE_SLOTS];

	if (slot->page == page)
		return slot->host;
	cpu->budget -= PAGE_COST;
	if (is_private(page * PAGE)) {
		*slot = (struct page_slot){page, cpu->stack + (page * PAGE - PRIVATE_BASE)};
		return slot->host;
	}
	struct page_copy *copy = copy_of(cpu, page);
	if (!copy)
		copy = copy_page(cpu, page);
	if (!copy)
		return NULL;
	*slot = (struct page_slot){page, copy->bytes};
	return slot->host;
}

bool memory_write(struct cpu *cpu, uint64_t address, const void *bytes, size_t length)
{
	const uint8_t *from = bytes;

	while (length) {
		size_t part = PAGE - address % PAGE;
		uint8_t *page = writable_page(cpu, address / PAGE);

		if (!page)
			return false;
		part = part < length ? part : length;
		memcpy(page + address % PAGE, from, part);
		from += part;
		address += part;
		length -= part;
	}
	return true;
}
