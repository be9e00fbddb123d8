/*
 * The dynamic linker's list of loaded files, read from memory made here: an executable that is not
 * position-independent, a library, the vDSO, and lists that are damaged or forged.
 */
#include "target/link_map.h"

#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PAGE = 4096, PAGES = 64 };

static const uint64_t memory_start = 0x3f0000, executable_base = 0x400000, library_base = 0x410000;
static const uint64_t debug_address = 0x3f0000, maps_address = 0x3f1000, names_address = 0x3f2000;

/** Memory from memory_start on. */
struct fixture {
	uint8_t memory[PAGES * PAGE];
	size_t reads;
};

static void *at(struct fixture *fixture, uint64_t address)
{
	return fixture->memory + (address - memory_start);
}

static size_t read_fixture(void *context, uint64_t address, void *buffer, size_t length)
{
	struct fixture *fixture = context;
	uint64_t offset = address - memory_start;

	fixture->reads++;
	if (offset >= sizeof(fixture->memory))
		return 0;
	if (length > sizeof(fixture->memory) - offset)
		length = sizeof(fixture->memory) - offset;
	memcpy(buffer, fixture->memory + offset, length);
	return length;
}

/** An ELF file with a code and a data segment, the dynamic section in the latter. */
static void put_file(struct fixture *fixture, uint64_t base, uint64_t bias)
{
	Elf64_Ehdr header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
					 ELFDATA2LSB, EV_CURRENT},
			     .e_type = bias ? ET_DYN : ET_EXEC,
			     .e_machine = EM_X86_64,
			     .e_version = EV_CURRENT,
			     .e_phoff = sizeof(header),
			     .e_ehsize = sizeof(header),
			     .e_phentsize = sizeof(Elf64_Phdr),
			     .e_phnum = 3};
	Elf64_Phdr programs[3] = {
		{.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_memsz = 0x2345},
		{.p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_offset = 0x2f00, .p_memsz = 0x900},
		{.p_type = PT_DYNAMIC, .p_flags = PF_R | PF_W, .p_memsz = 0x100},
	};

	programs[0].p_vaddr = base - bias;
	programs[1].p_vaddr = base - bias + 0x3f00;
	programs[2].p_vaddr = base - bias + 0x4000;
	memcpy(at(fixture, base), &header, sizeof(header));
	memcpy(at(fixture, base + sizeof(header)), programs, sizeof(programs));
}

/** The i-th entry of the list. */
static struct link_map *map_at(struct fixture *fixture, size_t i)
{
	return (struct link_map *)at(fixture, maps_address) + i;
}

static uint64_t map_address(size_t i)
{
	return maps_address + i * sizeof(struct link_map);
}

static void put_map(struct fixture *fixture, size_t i, uint64_t bias, const char *name,
		    uint64_t dynamic, uint64_t next)
{
	uint64_t name_address = names_address + i * 64;

	strcpy(at(fixture, name_address), name);
	*map_at(fixture, i) = (struct link_map){.l_addr = bias,
						.l_name = (char *)name_address,
						.l_ld = (Elf64_Dyn *)dynamic,
						.l_next = (struct link_map *)next};
}

static int make(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct r_debug debug = {.r_version = 1, .r_map = (struct link_map *)maps_address};

	memcpy(at(fixture, debug_address), &debug, sizeof(debug));
	put_file(fixture, executable_base, 0);
	put_file(fixture, library_base, library_base);
	put_map(fixture, 0, 0, "", executable_base + 0x4000, map_address(1));
	put_map(fixture, 1, 0x7fff0000, "linux-vdso.so.1", 0x7fff0300, map_address(2));
	put_map(fixture, 2, library_base, "/lib/libpython.so", library_base + 0x4000, 0);
	*state = fixture;
	return 0;
}

static int destroy(void **state)
{
	free(*state);
	return 0;
}

static struct mappings list(struct fixture *fixture, uint64_t debug, uint64_t *program_headers)
{
	struct mappings mappings = {0};

	assert_null(link_map_list((struct peek){read_fixture, fixture}, debug, &mappings,
				  program_headers));
	return mappings;
}

static void check_mapping(const struct mapping *mapping, uint64_t start, uint64_t end,
			  uint64_t offset, uint32_t flags, const char *path)
{
	assert_int_equal(mapping->start, start);
	assert_int_equal(mapping->end, end);
	assert_int_equal(mapping->offset, offset);
	assert_int_equal(mapping->flags, flags);
	assert_true(mapping->flags_known);
	assert_string_equal(mapping->path, path);
}

static void lists_segments(void **state)
{
	uint64_t headers;
	struct mappings mappings = list(*state, debug_address, &headers);

	assert_int_equal(headers, executable_base + sizeof(Elf64_Ehdr));
	assert_int_equal(mappings.count, 4);
	check_mapping(&mappings.items[0], 0x400000, 0x403000, 0, PF_R | PF_X, LINK_MAP_MAIN);
	check_mapping(&mappings.items[1], 0x403000, 0x405000, 0x2000, PF_R | PF_W, LINK_MAP_MAIN);
	check_mapping(&mappings.items[2], 0x410000, 0x413000, 0, PF_R | PF_X, "/lib/libpython.so");
	check_mapping(&mappings.items[3], 0x413000, 0x415000, 0x2000, PF_R | PF_W,
		      "/lib/libpython.so");
	mappings_clear(&mappings);
}

static void searches_for_unusual_places(void **state)
{
	struct fixture *fixture = *state;
	uint64_t headers;

	memset(at(fixture, executable_base), 0, PAGE);
	put_file(fixture, 0x406000, 0);
	map_at(fixture, 0)->l_ld = (Elf64_Dyn *)(uintptr_t)0x40a000;
	struct mappings mappings = list(fixture, debug_address, &headers);

	assert_int_equal(headers, 0x406000 + sizeof(Elf64_Ehdr));
	assert_int_equal(mappings.items[0].start, 0x406000);
	mappings_clear(&mappings);
}

static void does_without_what_is_not_there(void **state)
{
	struct fixture *fixture = *state;
	uint64_t headers;
	struct mappings mappings = list(fixture, 0x10000, &headers);

	assert_int_equal(mappings.count, 0);
	assert_int_equal(headers, 0);
	// A list that leads out of memory, a file without headers, a name that does not end.
	map_at(fixture, 1)->l_next = (struct link_map *)0x10000;
	mappings = list(fixture, debug_address, &headers);
	assert_int_equal(mappings.count, 2);
	mappings_clear(&mappings);
	map_at(fixture, 1)->l_next = (struct link_map *)map_address(2);
	memset(at(fixture, executable_base), 0, PAGE);
	map_at(fixture, 2)->l_name = (char *)(memory_start + PAGES * PAGE - 5);
	memcpy(at(fixture, memory_start + PAGES * PAGE - 5), "/open", 5);
	mappings = list(fixture, debug_address, &headers);
	assert_int_equal(mappings.count, 0);
	assert_int_equal(headers, 0);
}

static void ends_on_a_ring(void **state)
{
	struct fixture *fixture = *state;
	uint64_t headers;

	map_at(fixture, 2)->l_next = (struct link_map *)map_address(0);
	// Every round looks for headers that are not there.
	map_at(fixture, 0)->l_ld = (Elf64_Dyn *)(uintptr_t)(memory_start + (PAGES - 1) * PAGE);
	struct mappings mappings = list(fixture, debug_address, &headers);

	assert_in_range(fixture->reads, 1, 400000);
	mappings_clear(&mappings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lists_segments, make, destroy),
		cmocka_unit_test_setup_teardown(searches_for_unusual_places, make, destroy),
		cmocka_unit_test_setup_teardown(does_without_what_is_not_there, make, destroy),
		cmocka_unit_test_setup_teardown(ends_on_a_ring, make, destroy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
