/*
 * What stands between a call and its function in a dynamically linked process: the resolver that
 * binds a function at its first call, and libc's choice among variants of a function (IFUNC).
 *
 * A lazily bound function is looked up in the scope that glibc would search: the lists of link_maps
 * that the caller's link_map names. Where its struct link_map keeps them differs between releases
 * of glibc; the places are found by what they contain (find_scope_offsets).
 */
#include "traverse/emulator_cpu.h"
#include "traverse/emulator_elf.h"

#include <stdlib.h>

enum {
	RESOLVERS = 8,
	LIBRARY_ENTRIES = 128,
	LIBRARIES = 2,		 // modules that say they are libc, at most
	VARIANT_BUDGET = 20000,	 // instructions that choose a variant
	MODULE_BUDGET = 1 << 16, // for reading a module's headers
	BINDINGS = 256,
	MODULE_LIMIT = 65536,
	SCOPE_LISTS = 64,     // of one link_map
	SCOPE_OBJECTS = 8192, // of one list
	LINK_MAP_SIZE = 2048, // more than struct link_map is long in any glibc

	// struct link_map (link.h)
	LINK_MAP_LD = 16,
	LINK_MAP_PREV = 32,
	LINK_MAP_PRIVATE = 40,
	// struct r_scope_elem (include/link.h of glibc): r_list, r_nlist
	SCOPE_COUNT = 8,
};

/** A libc function where the target has it. */
struct library_entry {
	uint64_t address;
	uint64_t function; /**< index in library_functions */
};

/** A resolved call. */
struct binding {
	uint64_t link_map, index, address;
};

struct linkage {
	struct elf_object *objects; /**< sorted by their dynamic section */
	size_t object_count;
	uint64_t resolvers[RESOLVERS];
	size_t resolver_count;
	struct library_entry library[LIBRARY_ENTRIES];
	size_t library_count;
	struct binding bindings[BINDINGS];
	uint64_t searchlist_offset, scope_offset; /**< in struct link_map; 0: not found yet */
};

static bool is_inside(const struct elf_object *object, uint64_t address)
{
	return address >= object->start && address < object->end;
}

// The third word of a module's GOT is the resolver, if the linker prepared it for lazy binding.
static void note_resolver(struct linkage *linkage, struct elf_access *access,
			  const struct elf_object *object)
{
	uint64_t resolver;

	if (!object->pltgot || !elf_read(access, object->pltgot + 16, &resolver, 8) || !resolver ||
	    is_inside(object, resolver) || linkage->resolver_count == RESOLVERS)
		return;
	for (size_t i = 0; i < linkage->resolver_count; i++)
		if (linkage->resolvers[i] == resolver)
			return;
	linkage->resolvers[linkage->resolver_count++] = resolver;
}

static int compare_dynamic(const void *left, const void *right)
{
	const struct elf_object *a = left, *b = right;

	return a->dynamic < b->dynamic ? -1 : a->dynamic > b->dynamic;
}

static void open_objects(struct linkage *linkage, const struct target *target, size_t count)
{
	struct reader reader;

	reader_init(&reader, target->image);
	for (size_t i = 0; i < count; i++) {
		struct elf_object *object = &linkage->objects[linkage->object_count];
		int64_t budget = MODULE_BUDGET;
		struct elf_access access = {&reader, &budget};

		if (elf_object_open(&access, &target->modules->items[i], object)) {
			note_resolver(linkage, &access, object);
			linkage->object_count++;
		}
	}
	qsort(linkage->objects, linkage->object_count, sizeof(*linkage->objects), compare_dynamic);
}

struct linkage *linkage_create(const struct target *target)
{
	size_t count = target->modules ? target->modules->count : 0;
	struct linkage *linkage = calloc(1, sizeof(*linkage));

	if (!linkage)
		return NULL;
	count = count < MODULE_LIMIT ? count : MODULE_LIMIT;
	linkage->objects = calloc(count + 1, sizeof(*linkage->objects));
	if (!linkage->objects) {
		free(linkage);
		return NULL;
	}
	open_objects(linkage, target, count);
	return linkage;
}

void linkage_destroy(struct linkage *linkage)
{
	if (!linkage)
		return;
	free(linkage->objects);
	free(linkage);
}

/*
 * libc's functions
 */

static void add_library_entry(struct linkage *linkage, uint64_t address, uint64_t function)
{
	if (address && linkage->library_count < LIBRARY_ENTRIES)
		linkage->library[linkage->library_count++] =
			(struct library_entry){address, function};
}

// A variant is chosen by code that only looks at what the linker found out about the processor.
static uint64_t chosen_variant(struct cpu *cpu, const struct elf_symbol *symbol)
{
	static const uint64_t arguments[3];

	if (!symbol->is_ifunc)
		return symbol->address;
	return cpu_call(cpu, symbol->address, arguments) ? 0 : cpu->gpr[RAX];
}

static bool is_libc(const struct elf_object *object)
{
	return strncmp(object->soname, "libc.so.", 8) == 0;
}

static void find_library_function(struct cpu *cpu, const struct elf_object *object,
				  uint64_t function)
{
	struct elf_wanted wanted = {.any_version = true};
	struct elf_symbol symbols[8];

	int64_t budget = MODULE_BUDGET;
	struct elf_access access = {&cpu->reader, &budget};

	strcpy(wanted.name, library_functions[function].name);
	size_t count = elf_object_find(&access, object, &wanted, symbols, 8);
	for (size_t i = 0; i < count; i++)
		add_library_entry(cpu->linkage, chosen_variant(cpu, &symbols[i]), function);
}

static int compare_entries(const void *left, const void *right)
{
	const struct library_entry *a = left, *b = right;

	return a->address < b->address ? -1 : a->address > b->address;
}

void linkage_find_library(struct cpu *cpu)
{
	struct linkage *linkage = cpu->linkage;
	int64_t call_budget = cpu->call_budget;
	size_t libraries = 0;

	cpu->call_budget = VARIANT_BUDGET;
	for (size_t i = 0; i < linkage->object_count && libraries < LIBRARIES; i++) {
		if (!is_libc(&linkage->objects[i]))
			continue;
		for (uint64_t f = 0; library_functions[f].name; f++)
			find_library_function(cpu, &linkage->objects[i], f);
		libraries++;
	}
	qsort(linkage->library, linkage->library_count, sizeof(linkage->library[0]),
	      compare_entries);
	// What was decoded on the way did not know these traps.
	blocks_clear(cpu);
	cpu->statistics = (struct emulator_statistics){0};
	cpu->call_budget = call_budget;
}

execute_function *linkage_trap(const struct linkage *linkage, uint64_t address, uint64_t *immediate)
{
	struct library_entry wanted = {.address = address};
	const struct library_entry *entry;

	if (address >= TRAP_LIBRARY && address < TRAP_LIBRARY + LIBRARY_TRAPS * TRAP_STEP) {
		*immediate = (address - TRAP_LIBRARY) / TRAP_STEP;
		return library_functions[*immediate].execute;
	}
	for (size_t i = 0; i < linkage->resolver_count; i++)
		if (linkage->resolvers[i] == address)
			return trap_resolver;
	entry = bsearch(&wanted, linkage->library, linkage->library_count, sizeof(wanted),
			compare_entries);
	if (!entry)
		return NULL;
	*immediate = entry->function;
	return library_functions[entry->function].execute;
}

/*
 * Lazy binding
 */

static const struct elf_object *object_of(const struct linkage *linkage, struct elf_access *access,
					  uint64_t link_map)
{
	struct elf_object wanted;

	if (!elf_read(access, link_map + LINK_MAP_LD, &wanted.dynamic, 8) || !wanted.dynamic)
		return NULL;
	return bsearch(&wanted, linkage->objects, linkage->object_count, sizeof(wanted),
		       compare_dynamic);
}

// The link_map of the main program is the first of their list.
static uint64_t first_link_map(struct elf_access *access, uint64_t link_map)
{
	uint64_t previous;

	for (size_t i = 0; i < MODULE_LIMIT; i++) {
		if (!elf_read(access, link_map + LINK_MAP_PREV, &previous, 8))
			return 0;
		if (!previous)
			return link_map;
		link_map = previous;
	}
	return 0;
}

// Is there a struct r_scope_elem whose list begins with `link_map` and has only link_maps?
static bool is_searchlist(const struct linkage *linkage, struct elf_access *access,
			  uint64_t address, uint64_t link_map)
{
	uint64_t list, member;
	uint32_t count;

	if (!elf_read(access, address, &list, 8) ||
	    !elf_read(access, address + SCOPE_COUNT, &count, 4) || !count ||
	    count > SCOPE_OBJECTS || !elf_read(access, list, &member, 8) || member != link_map)
		return false;
	for (uint32_t i = 1; i < count; i++)
		if (!elf_read(access, list + 8 * (uint64_t)i, &member, 8) ||
		    !object_of(linkage, access, member))
			return false;
	return true;
}

/*
 * In the main program's link_map, l_searchlist is a r_scope_elem whose list begins with the main
 * program, and l_scope points at an array whose first element is the address of l_searchlist.
 */
static bool find_scope_offsets(struct linkage *linkage, struct elf_access *access,
			       uint64_t link_map)
{
	uint64_t first = first_link_map(access, link_map), offset, scope, element;

	if (!first)
		return false;
	for (offset = LINK_MAP_PRIVATE; offset < LINK_MAP_SIZE; offset += 8)
		if (is_searchlist(linkage, access, first + offset, first))
			break;
	linkage->searchlist_offset = offset;
	for (offset = LINK_MAP_PRIVATE; offset < LINK_MAP_SIZE; offset += 8) {
		if (!elf_read(access, first + offset, &scope, 8) ||
		    !elf_read(access, scope, &element, 8) ||
		    element != first + linkage->searchlist_offset)
			continue;
		linkage->scope_offset = offset;
		return true;
	}
	return false;
}

// Searches the objects of a r_scope_elem in order. @return false if none defines the function
static bool find_in_list(struct linkage *linkage, struct elf_access *access, uint64_t element,
			 const struct elf_wanted *wanted, struct elf_symbol *symbol)
{
	uint64_t list, link_map;
	uint32_t count;

	if (!elf_read(access, element, &list, 8) ||
	    !elf_read(access, element + SCOPE_COUNT, &count, 4))
		return false;
	for (uint32_t i = 0; i < count && i < SCOPE_OBJECTS; i++) {
		if (!elf_read(access, list + 8 * (uint64_t)i, &link_map, 8))
			return false;
		const struct elf_object *object = object_of(linkage, access, link_map);
		if (object && elf_object_find(access, object, wanted, symbol, 1))
			return true;
	}
	return false;
}

static bool find_in_scope(struct linkage *linkage, struct elf_access *access, uint64_t link_map,
			  const struct elf_wanted *wanted, struct elf_symbol *symbol)
{
	uint64_t scope, element;

	if (!linkage->scope_offset && !find_scope_offsets(linkage, access, link_map))
		return false;
	if (!elf_read(access, link_map + linkage->scope_offset, &scope, 8))
		return false;
	for (uint64_t i = 0; i < SCOPE_LISTS; i++) {
		if (!elf_read(access, scope + 8 * i, &element, 8) || !element)
			return false;
		if (find_in_list(linkage, access, element, wanted, symbol))
			return true;
	}
	return false;
}

// The trap of a libc function by name; 0 if it is not answered here.
static uint64_t library_trap(const char *name)
{
	for (uint64_t i = 0; library_functions[i].name; i++)
		if (strcmp(library_functions[i].name, name) == 0)
			return TRAP_LIBRARY + i * TRAP_STEP;
	return 0;
}

static bool resolve(struct cpu *cpu, uint64_t link_map, uint64_t index, uint64_t *address)
{
	struct linkage *linkage = cpu->linkage;
	struct elf_access access = {&cpu->reader, &cpu->budget};
	const struct elf_object *object = object_of(linkage, &access, link_map);
	struct elf_wanted wanted;
	struct elf_symbol symbol;

	if (!object || !elf_object_relocation(&access, object, index, &wanted))
		return cpu_fault(cpu, EMULATOR_SYMBOL, link_map);
	if (!find_in_scope(linkage, &access, link_map, &wanted, &symbol))
		return cpu_fault_named(cpu, EMULATOR_SYMBOL, link_map, wanted.name);
	*address = symbol.is_ifunc ? library_trap(wanted.name) : symbol.address;
	return *address || cpu_fault_named(cpu, EMULATOR_SYMBOL, link_map, wanted.name);
}

bool linkage_resolve(struct cpu *cpu, uint64_t link_map, uint64_t index, uint64_t *address)
{
	struct linkage *linkage = cpu->linkage;
	struct binding *binding = &linkage->bindings[(link_map / 16 + index) % BINDINGS];

	if (!binding->address || binding->link_map != link_map || binding->index != index) {
		if (!resolve(cpu, link_map, index, address))
			return false;
		*binding = (struct binding){link_map, index, *address};
	}
	*address = binding->address;
	return true;
}
