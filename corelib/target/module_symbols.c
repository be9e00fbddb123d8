/*
 * Symbols by name and by address over all modules. Names that are exported are found by the hash
 * table of each module's .dynsym; only for other names, and for addresses, an index of all symbols
 * is made.
 */
#include "target/module_private.h"
#include "target/symbol_table.h"

#include <stdlib.h>

/** A symbol in the index; its tables tell the rest. */
struct indexed {
	uint64_t value; /**< st_value */
	uint64_t size;
	uint32_t hash; /**< of the plain name */
	bool local;
	const char *name;
};

/** All that is known of a module's symbols; the arrays are made when they are first needed. */
struct symbol_index {
	struct symbol_table dynamic, fixed; /**< .dynsym and .symtab */
	struct gnu_hash hash;
	struct indexed *symbols; /**< of both tables, in their order */
	size_t count;
	uint64_t *by_name;    /**< hash in the upper half, index in the lower; sorted */
	uint32_t *by_address; /**< indexes sorted by value, then global before local */
};

void symbol_index_free(struct symbol_index *index)
{
	if (!index)
		return;
	free(index->symbols);
	free(index->by_name);
	free(index->by_address);
	free(index);
}

/** The tables of a module, found on first use. @return NULL when out of memory */
static struct symbol_index *tables(struct modules *modules, const struct module *module)
{
	struct module_state *state = module_state(modules, module);

	if (state->index)
		return state->index;
	state->index = calloc(1, sizeof(*state->index));
	if (!state->index)
		return NULL;
	for (size_t i = 0; i < state->program_count; i++) {
		const Elf64_Phdr *program = &state->programs[i];

		if (program->p_type == PT_DYNAMIC &&
		    symbol_table_dynamic(&modules->private->reader, module->bias + program->p_vaddr,
					 program->p_memsz, module->bias, &state->index->dynamic,
					 &state->index->hash))
			break;
		if (program->p_type == PT_DYNAMIC)
			state->index->dynamic = (struct symbol_table){0};
	}
	symbol_table_static(state->file, &state->index->fixed);
	return state->index;
}

/** The length of a name without what gcc's link-time optimisation appends to those of static
 * functions and variables. */
static size_t plain_length(const char *name)
{
	const char *suffix = strstr(name, ".lto_priv.");

	return suffix && suffix != name ? (size_t)(suffix - name) : strlen(name);
}

/** Is a symbol the one that was asked for? */
static bool is_named(const char *symbol, const char *name)
{
	return !strcmp(symbol, name) ||
	       (plain_length(symbol) == strlen(name) && !strncmp(symbol, name, strlen(name)));
}

static void append_table(struct symbol_index *index, const struct symbol_table *table)
{
	Elf64_Sym symbol;

	for (size_t i = 0; i < table->count; i++) {
		const char *name = symbol_table_get(table, i, &symbol);

		if (name)
			index->symbols[index->count++] =
				(struct indexed){symbol.st_value, symbol.st_size,
						 gnu_hash_name(name, plain_length(name)),
						 ELF64_ST_BIND(symbol.st_info) == STB_LOCAL, name};
	}
}

/** Makes the array of symbols. @return false when out of memory */
static bool collect(struct symbol_index *index)
{
	size_t count = index->dynamic.count + index->fixed.count;

	if (index->symbols)
		return true;
	if (count > UINT32_MAX)
		return false;
	index->symbols = calloc(count + 1, sizeof(*index->symbols));
	if (!index->symbols)
		return false;
	append_table(index, &index->dynamic);
	append_table(index, &index->fixed);
	return true;
}

static int compare_keys(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

static bool sort_by_name(struct symbol_index *index)
{
	if (index->by_name)
		return true;
	if (!collect(index))
		return false;
	index->by_name = calloc(index->count + 1, sizeof(*index->by_name));
	if (!index->by_name)
		return false;
	for (size_t i = 0; i < index->count; i++)
		index->by_name[i] = (uint64_t)index->symbols[i].hash << 32 | i;
	qsort(index->by_name, index->count, sizeof(*index->by_name), compare_keys);
	return true;
}

static int compare_addresses(const void *left, const void *right, void *context)
{
	const struct indexed *symbols = context;
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

	if (symbols[a].value != symbols[b].value)
		return symbols[a].value < symbols[b].value ? -1 : 1;
	if (symbols[a].local != symbols[b].local)
		return symbols[a].local ? 1 : -1;
	return (a > b) - (a < b);
}

static bool sort_by_address(struct symbol_index *index)
{
	if (index->by_address)
		return true;
	if (!collect(index))
		return false;
	index->by_address = calloc(index->count + 1, sizeof(*index->by_address));
	if (!index->by_address)
		return false;
	for (size_t i = 0; i < index->count; i++)
		index->by_address[i] = i;
	qsort_r(index->by_address, index->count, sizeof(*index->by_address), compare_addresses,
		index->symbols);
	return true;
}

static void fill(const struct module *module, const char *name, uint64_t value, uint64_t size,
		 struct symbol *symbol)
{
	*symbol = (struct symbol){
		.name = name, .address = module->bias + value, .size = size, .module = module};
}

/** Looks an exported name up. */
static bool find_exported(struct modules *modules, const struct module *module, const char *name,
			  struct symbol *symbol)
{
	struct symbol_index *index = tables(modules, module);
	Elf64_Sym found;
	size_t at;

	if (!index || !index->dynamic.count || !index->hash.words.size)
		return false;
	at = symbol_table_lookup(&index->dynamic, &index->hash, name, &found);
	if (!at)
		return false;
	fill(module, symbol_table_get(&index->dynamic, at, &found), found.st_value, found.st_size,
	     symbol);
	return true;
}

/** The number of keys that are below `key`. */
static size_t search_names(const struct symbol_index *index, uint64_t key)
{
	size_t low = 0, count = index->count;

	while (count) {
		size_t half = count / 2;

		if (index->by_name[low + half] < key) {
			low += half + 1;
			count -= half + 1;
		} else {
			count = half;
		}
	}
	return low;
}

/** Looks any name up, global ones first. */
static bool find_indexed(struct modules *modules, const struct module *module, const char *name,
			 struct symbol *symbol)
{
	struct symbol_index *index = tables(modules, module);
	const struct indexed *best = NULL;
	uint32_t hash = gnu_hash_name(name, plain_length(name));

	if (!index || !sort_by_name(index))
		return false;
	for (size_t i = search_names(index, (uint64_t)hash << 32);
	     i < index->count && index->by_name[i] >> 32 == hash; i++) {
		const struct indexed *at = &index->symbols[(uint32_t)index->by_name[i]];

		if ((!best || (best->local && !at->local)) && is_named(at->name, name))
			best = at;
	}
	if (!best)
		return false;
	fill(module, best->name, best->value, best->size, symbol);
	return true;
}

/** Looks a name up in separate debug info that was opened already. */
static bool find_debug(struct modules *modules, const struct module *module, const char *name,
		       struct symbol *symbol)
{
	struct module_state *state = module_state(modules, module);
	int count = state->dwarf ? dwfl_module_getsymtab(state->dwfl) : 0;

	for (int i = 0; i < count; i++) {
		GElf_Sym found;
		GElf_Addr address;
		const char *at =
			dwfl_module_getsym_info(state->dwfl, i, &found, &address, NULL, NULL, NULL);

		if (!at || found.st_shndx == SHN_UNDEF || found.st_shndx == SHN_ABS ||
		    !found.st_value || !is_named(at, name))
			continue;
		*symbol = (struct symbol){at, address, found.st_size, module};
		return true;
	}
	return false;
}

/** Tries one way of looking up in the main executable, then in the others. */
static bool find_in_all(struct modules *modules, const char *name, struct symbol *symbol,
			bool (*find)(struct modules *, const struct module *, const char *,
				     struct symbol *))
{
	for (int main = 1; main >= 0; main--)
		for (size_t i = 0; i < modules->count; i++)
			if (modules->private->states[i].is_main == main &&
			    find(modules, &modules->items[i], name, symbol))
				return true;
	return false;
}

bool modules_symbol(struct modules *modules, const char *name, struct symbol *symbol)
{
	*symbol = (struct symbol){0};
	if (!modules->private)
		return false;
	return find_in_all(modules, name, symbol, find_exported) ||
	       find_in_all(modules, name, symbol, find_indexed) ||
	       find_in_all(modules, name, symbol, find_debug);
}

bool modules_exported(struct modules *modules, const struct module *module, const char *name,
		      struct symbol *symbol)
{
	*symbol = (struct symbol){0};
	return modules->private && find_exported(modules, module, name, symbol);
}

/** How many symbols below an address are tried: one may lie inside another. */
enum { ENCLOSING_MAX = 16 };

/** The number of symbols that start at or below a value. */
static size_t search_addresses(const struct symbol_index *index, uint64_t value)
{
	size_t low = 0, count = index->count;

	while (count) {
		size_t half = count / 2;

		if (index->symbols[index->by_address[low + half]].value <= value) {
			low += half + 1;
			count -= half + 1;
		} else {
			count = half;
		}
	}
	return low;
}

bool modules_symbol_at(struct modules *modules, uint64_t address, struct symbol *symbol)
{
	const struct module *module = modules_at(modules, address);
	struct symbol_index *index = module && modules->private ? tables(modules, module) : NULL;
	const struct indexed *best = NULL;
	size_t below;

	*symbol = (struct symbol){0};
	if (!index || !sort_by_address(index))
		return false;
	address -= module->bias;
	below = search_addresses(index, address);
	for (size_t tries = 0; below-- && tries < ENCLOSING_MAX; tries++) {
		const struct indexed *at = &index->symbols[index->by_address[below]];

		// Of several names for one start, the one that is first in the order.
		if (best && at->value != best->value)
			break;
		if (address - at->value < at->size)
			best = at;
	}
	if (!best)
		return false;
	fill(module, best->name, best->value, best->size, symbol);
	return true;
}
