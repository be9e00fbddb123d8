/*
 * Finds the types of layout_fields.def among the top-level DIEs of all units, then their members.
 * One pass over the units; only the types asked for are kept.
 */
#include "cpython/layout_dwarf.h"

#include <dwarf.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

enum { SPELLING_MAX = 80, PATH_DEPTH_MAX = 8 };

/* A type that layout_fields.def names, and where it is. */
struct wanted {
	char name[SPELLING_MAX];
	Dwarf_Die die;
	bool found;
};

struct wanted_set {
	struct wanted *items;
	size_t count;
};

/* Copies the next '|'-separated spelling; returns what follows it, NULL at the end. */
static const char *next_spelling(const char *spellings, char *buffer)
{
	size_t length = strcspn(spellings, "|");
	size_t kept = length < SPELLING_MAX ? length : SPELLING_MAX - 1;

	memcpy(buffer, spellings, kept);
	buffer[kept] = '\0';
	return spellings[length] ? spellings + length + 1 : NULL;
}

static int wanted_compare(const void *left, const void *right)
{
	return strcmp(((const struct wanted *)left)->name, ((const struct wanted *)right)->name);
}

static struct wanted *wanted_find(const struct wanted_set *set, const char *name)
{
	struct wanted key;
	size_t length = strlen(name);

	if (length >= SPELLING_MAX)
		return NULL;
	memcpy(key.name, name, length + 1);
	return bsearch(&key, set->items, set->count, sizeof(key), wanted_compare);
}

/* All spellings of all types, sorted, each once. */
static bool wanted_collect(struct wanted_set *set)
{
	size_t capacity = layout_field_count * 3, kept = 0;

	set->items = calloc(capacity, sizeof(*set->items));
	set->count = 0;
	if (!set->items)
		return false;
	for (size_t i = 0; i < layout_field_count; i++) {
		const char *spelling = layout_fields[i].types;

		while (spelling && set->count < capacity)
			spelling = next_spelling(spelling, set->items[set->count++].name);
	}
	qsort(set->items, set->count, sizeof(*set->items), wanted_compare);
	for (size_t i = 0; i < set->count; i++)
		if (!kept || wanted_compare(&set->items[kept - 1], &set->items[i]))
			set->items[kept++] = set->items[i];
	set->count = kept;
	return true;
}

/* Follows typedefs and qualifiers to the type itself. */
static bool peel(Dwarf_Die *die)
{
	for (int depth = 0; depth < 16; depth++) {
		Dwarf_Attribute attribute;
		int tag = dwarf_tag(die);

		if (tag != DW_TAG_typedef && tag != DW_TAG_const_type &&
		    tag != DW_TAG_volatile_type)
			return true;
		if (!dwarf_attr_integrate(die, DW_AT_type, &attribute) ||
		    !dwarf_formref_die(&attribute, die))
			return false;
	}
	return false;
}

static bool is_complete(Dwarf_Die *die)
{
	Dwarf_Word size;

	return !dwarf_hasattr(die, DW_AT_declaration) && dwarf_aggregate_size(die, &size) == 0;
}

/* Looks at one top-level DIE. A struct's own name wins over a typedef's only by coming first. */
static void consider(struct wanted_set *set, Dwarf_Die *die)
{
	int tag = dwarf_tag(die);
	const char *name;
	struct wanted *wanted;
	Dwarf_Die type = *die;

	if (tag != DW_TAG_structure_type && tag != DW_TAG_union_type && tag != DW_TAG_typedef)
		return;
	name = dwarf_diename(die);
	wanted = name ? wanted_find(set, name) : NULL;
	if (!wanted || wanted->found || !peel(&type) || !is_complete(&type))
		return;
	wanted->die = type;
	wanted->found = true;
}

static void scan_units(struct wanted_set *set, Dwarf *dwarf)
{
	Dwarf_CU *unit = NULL;
	Dwarf_Die root, die;

	while (dwarf_get_units(dwarf, unit, &unit, NULL, NULL, &root, NULL) == 0) {
		if (dwarf_child(&root, &die) != 0)
			continue;
		do {
			consider(set, &die);
		} while (dwarf_siblingof(&die, &die) == 0);
	}
}

static bool member_type(Dwarf_Die *member, Dwarf_Die *type)
{
	Dwarf_Attribute attribute;

	return dwarf_attr_integrate(member, DW_AT_type, &attribute) &&
	       dwarf_formref_die(&attribute, type) && peel(type);
}

/* Offset in bits: what DWARF 5 gives for a bit-field. */
static Dwarf_Word member_offset(Dwarf_Die *member)
{
	Dwarf_Attribute attribute;
	Dwarf_Word offset = 0;

	if (dwarf_attr(member, DW_AT_data_bit_offset, &attribute)) {
		dwarf_formudata(&attribute, &offset);
		return offset;
	}
	/* Absent for the members of a union: 0. */
	if (dwarf_attr(member, DW_AT_data_member_location, &attribute))
		dwarf_formudata(&attribute, &offset);
	return offset * 8;
}

/* Finds a member by name, in anonymous structs and unions too. The depth is that of CPython's
 * source. */
static bool find_member(Dwarf_Die *type, const char *name, size_t length, int depth,
			Dwarf_Word *offset, Dwarf_Die *found)
{
	Dwarf_Die member, inner;

	if (depth > PATH_DEPTH_MAX || dwarf_child(type, &member) != 0)
		return false;
	do {
		const char *member_name = dwarf_diename(&member);

		if (dwarf_tag(&member) != DW_TAG_member)
			continue;
		if (member_name) {
			if (strlen(member_name) != length || memcmp(member_name, name, length))
				continue;
			*offset += member_offset(&member);
			*found = member;
			return true;
		}
		if (member_type(&member, &inner)) {
			Dwarf_Word inside = *offset + member_offset(&member);

			if (find_member(&inner, name, length, depth + 1, &inside, found)) {
				*offset = inside;
				return true;
			}
		}
	} while (dwarf_siblingof(&member, &member) == 0);
	return false;
}

/* Resolves a path such as "threads.head" to an offset in bits. */
static bool find_path(Dwarf_Die type, const char *path, uint32_t *value)
{
	Dwarf_Word offset = 0;
	Dwarf_Die member;

	for (;;) {
		size_t length = strcspn(path, ".");

		if (!find_member(&type, path, length, 0, &offset, &member))
			return false;
		if (!path[length])
			break;
		path += length + 1;
		if (!member_type(&member, &type))
			return false;
	}
	*value = (uint32_t)offset;
	return offset < LAYOUT_ABSENT;
}

static bool resolve_in(Dwarf_Die *type, const struct layout_field *field, uint32_t *value)
{
	const char *members = field->members;
	char path[SPELLING_MAX];
	Dwarf_Word size;

	if (!members) {
		if (dwarf_aggregate_size(type, &size) != 0 || size >= LAYOUT_ABSENT)
			return false;
		*value = (uint32_t)size;
		return true;
	}
	while (members) {
		members = next_spelling(members, path);
		if (!find_path(*type, path, value))
			continue;
		if (!field->bits)
			*value /= 8;
		return true;
	}
	return false;
}

static bool resolve(const struct wanted_set *set, const struct layout_field *field, uint32_t *value)
{
	const char *types = field->types;
	char name[SPELLING_MAX];

	while (types) {
		struct wanted *wanted;

		types = next_spelling(types, name);
		wanted = wanted_find(set, name);
		if (wanted && wanted->found && resolve_in(&wanted->die, field, value))
			return true;
	}
	return false;
}

size_t layout_from_dwarf(Dwarf **dwarfs, size_t count, struct layout *layout)
{
	struct wanted_set set;
	size_t found = 0;

	if (!wanted_collect(&set))
		return 0;
	for (size_t i = 0; i < count; i++)
		scan_units(&set, dwarfs[i]);
	for (size_t i = 0; i < layout_field_count; i++) {
		uint32_t *value = layout_value(layout, &layout_fields[i]);

		*value = LAYOUT_ABSENT;
		found += resolve(&set, &layout_fields[i], value);
	}
	free(set.items);
	return found;
}
