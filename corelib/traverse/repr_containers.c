/*
 * repr of containers: what is in them, as many as the options allow.
 */
#include "traverse/repr_private.h"

#include <inttypes.h>

enum {
	WORD = sizeof(uint64_t),
	SCAN_MAX = REPR_SCAN_MAX,
	BLOCKS_MAX = 1024,	 // of a deque
	DEQUE_MAXLEN = 2 * WORD, // behind rightindex and state (Modules/_collectionsmodule.c)
	RANGE_START = 16,	 // Objects/rangeobject.c: start, stop, step, length
};

/* The word of an object at an offset of the layout. */
static uint64_t member(struct repr *repr, uint64_t object, uint32_t offset)
{
	uint64_t value = 0;

	if (layout_has(offset))
		repr_u64(repr, object + offset, &value);
	return value;
}

/*
 * list and tuple
 */

bool repr_list(struct repr *repr, uint64_t object, const struct type *type)
{
	uint64_t count, items;
	bool begun;

	if (!repr_count(repr, object, &count) ||
	    !repr_u64(repr, object + repr->traverser->layout->PyListObject_ob_item, &items))
		return false;
	if (!repr_open(repr, object, "[]", type->name, count))
		return true;
	begun = repr_begin_class(repr, type, "list");
	repr_add(repr, "[");
	repr_items(repr, items, count);
	repr_add(repr, "]");
	repr_end_class(repr, begun);
	repr_close(repr);
	return true;
}

/* A struct sequence: a tuple of C code with names for its items. */
static bool is_structseq(struct repr *repr, const struct type *type)
{
	return strcmp(type->name, "tuple") && type->dealloc != repr->python_dealloc &&
	       member(repr, type->address, repr->traverser->layout->PyTypeObject_tp_members);
}

/* The i-th item of a struct sequence is called like its i-th member (Objects/structseq.c). */
static void add_member_name(struct repr *repr, const struct type *type, uint64_t i)
{
	const struct layout *layout = repr->traverser->layout;
	uint64_t members = member(repr, type->address, layout->PyTypeObject_tp_members), name;
	char text[64];

	if (members &&
	    repr_u64(repr, members + i * layout->PyMemberDef_size + layout->PyMemberDef_name,
		     &name) &&
	    reader_string(&repr->traverser->reader, name, text, sizeof(text)))
		repr_addf(repr, "%s=", text);
}

static bool add_sequence(struct repr *repr, uint64_t object, const struct type *type,
			 uint64_t count)
{
	uint64_t items = object + repr->traverser->layout->PyTupleObject_ob_item, item;

	repr_addf(repr, "%s(", type->name);
	for (uint64_t i = 0; i < count && repr_next(repr, i, count); i++) {
		add_member_name(repr, type, i);
		repr_u64(repr, items + i * WORD, &item);
		repr_value(repr, item);
	}
	repr_add(repr, ")");
	return true;
}

bool repr_tuple(struct repr *repr, uint64_t object, const struct type *type)
{
	uint64_t count;
	bool begun;

	if (!repr_count(repr, object, &count))
		return false;
	if (!repr_open(repr, object, "()", type->name, count))
		return true;
	if (is_structseq(repr, type)) {
		add_sequence(repr, object, type, count);
	} else {
		begun = repr_begin_class(repr, type, "tuple");
		repr_add(repr, "(");
		repr_items(repr, object + repr->traverser->layout->PyTupleObject_ob_item, count);
		repr_add(repr, count == 1 ? ",)" : ")");
		repr_end_class(repr, begun);
	}
	repr_close(repr);
	return true;
}

/*
 * dict and what is made of one
 */

/** What is shown of a dict's entries. */
enum entry_part { ENTRY_KEY = 1, ENTRY_VALUE = 2, ENTRY_PAIR = 4 };

static void add_entry(struct repr *repr, uint64_t key, uint64_t value, enum entry_part part)
{
	if (part == ENTRY_PAIR)
		repr_add(repr, "(");
	if (part != ENTRY_VALUE)
		repr_value(repr, key);
	if (part != ENTRY_KEY && part != ENTRY_VALUE)
		repr_add(repr, part == ENTRY_PAIR ? ", " : ": ");
	if (part != ENTRY_KEY)
		repr_value(repr, value);
	if (part == ENTRY_PAIR)
		repr_add(repr, ")");
}

static bool add_entries(struct repr *repr, uint64_t dict, enum entry_part part)
{
	uint64_t written = 0, key, value, slot;
	uint64_t used = member(repr, dict, repr->traverser->layout->PyDictObject_ma_used);
	struct dict_view view;

	if (!dict_open(repr->traverser->runtime, &repr->traverser->reader, dict, &view))
		return false;
	for (uint64_t i = 0; i < dict_ordinals(&view) && i < SCAN_MAX; i++) {
		uint64_t entry = dict_ordinal(&repr->traverser->reader, &view, i);

		if (!dict_entry(&repr->traverser->reader, &view, entry, &key, &value, &slot))
			continue;
		if (!repr_next(repr, written, used))
			break;
		add_entry(repr, key, value, part);
		written++;
	}
	return true;
}

/* The value behind a key that is this very object. */
static uint64_t find_value(struct repr *repr, const struct dict_view *view, uint64_t wanted)
{
	uint64_t key, value, slot;

	for (uint64_t i = 0; i < view->count && i < SCAN_MAX; i++)
		if (dict_entry(&repr->traverser->reader, view, i, &key, &value, &slot) &&
		    key == wanted)
			return value;
	return 0;
}

/* In the order of the nodes, which move_to_end() makes another than that of the table. */
static bool add_ordered(struct repr *repr, uint64_t dict)
{
	const struct layout *layout = repr->traverser->layout;
	uint64_t node = member(repr, dict, layout->PyODictObject_od_first);
	uint64_t used = member(repr, dict, layout->PyDictObject_ma_used), key;
	struct dict_view view;

	if (!dict_open(repr->traverser->runtime, &repr->traverser->reader, dict, &view))
		return false;
	for (uint64_t written = 0; node && written < used; written++) {
		if (!repr_next(repr, written, used))
			break;
		if (!repr_u64(repr, node + layout->_ODictNode_key, &key))
			return false;
		add_entry(repr, key, find_value(repr, &view, key), ENTRY_KEY | ENTRY_VALUE);
		node = member(repr, node, layout->_ODictNode_next);
	}
	return true;
}

static bool is_below(const struct type *type, const char *name)
{
	for (int i = 0; type && i < 256; i++, type = type->base)
		if (!strcmp(type->name, name))
			return true;
	return false;
}

static bool add_dict(struct repr *repr, uint64_t object, const struct type *type)
{
	const struct layout *layout = repr->traverser->layout;
	bool begun = repr_begin_class(repr, type, "dict"), ok;

	if (is_below(type, "collections.defaultdict")) {
		repr_value(repr, member(repr, object, layout->defdictobject_default_factory));
		repr_add(repr, ", ");
	}
	repr_add(repr, "{");
	ok = is_below(type, "collections.OrderedDict")
		     ? add_ordered(repr, object)
		     : add_entries(repr, object, ENTRY_KEY | ENTRY_VALUE);
	repr_add(repr, "}");
	repr_end_class(repr, begun);
	return ok;
}

bool repr_dict(struct repr *repr, uint64_t object, const struct type *type)
{
	uint64_t used;
	bool ok;

	if (!repr_u64(repr, object + repr->traverser->layout->PyDictObject_ma_used, &used))
		return false;
	if (!repr_open(repr, object, "{}", type->name, used))
		return true;
	ok = add_dict(repr, object, type);
	repr_close(repr);
	return ok;
}

static bool repr_dict_view(struct repr *repr, uint64_t object, const struct type *type)
{
	uint64_t dict = member(repr, object, repr->traverser->layout->_PyDictViewObject_dv_dict);
	uint64_t used = member(repr, dict, repr->traverser->layout->PyDictObject_ma_used);
	enum entry_part part = strstr(type->name, "keys")     ? ENTRY_KEY
			       : strstr(type->name, "values") ? ENTRY_VALUE
							      : ENTRY_PAIR;
	bool ok;

	if (!repr_open(repr, object, "[]", type->name, used))
		return true;
	repr_addf(repr, "%s([", type->name);
	ok = add_entries(repr, dict, part);
	repr_add(repr, "])");
	repr_close(repr);
	return ok;
}

static bool repr_mappingproxy(struct repr *repr, uint64_t object, const struct type *type)
{
	(void)type;
	if (!repr_open(repr, object, "{}", "mappingproxy", 1))
		return true;
	repr_add(repr, "mappingproxy(");
	repr_value(repr, member(repr, object, repr->traverser->layout->mappingproxyobject_mapping));
	repr_add(repr, ")");
	repr_close(repr);
	return true;
}

/*
 * set and frozenset
 */

static bool add_elements(struct repr *repr, uint64_t object, uint64_t used)
{
	const struct layout *layout = repr->traverser->layout;
	uint64_t mask, table, key, hash, written = 0;

	if (!repr_u64(repr, object + layout->PySetObject_mask, &mask) ||
	    !repr_u64(repr, object + layout->PySetObject_table, &table))
		return false;
	for (uint64_t i = 0; i <= mask && i < SCAN_MAX; i++) {
		uint64_t entry = table + i * layout->setentry_size;

		if (!repr_u64(repr, entry + layout->setentry_key, &key) ||
		    !repr_u64(repr, entry + layout->setentry_hash, &hash))
			return false;
		if (!key || hash == UINT64_MAX)
			continue;
		if (!repr_next(repr, written++, used))
			break;
		repr_value(repr, key);
	}
	return true;
}

bool repr_set(struct repr *repr, uint64_t object, const struct type *type)
{
	uint64_t used;
	bool begun, ok;

	if (!repr_u64(repr, object + repr->traverser->layout->PySetObject_used, &used))
		return false;
	if (!repr_open(repr, object, used ? "{}" : "()", type->name, used))
		return true;
	begun = repr_begin_class(repr, type, used ? "set" : "");
	repr_add(repr, used ? "{" : "");
	ok = add_elements(repr, object, used);
	repr_add(repr, used ? "}" : "");
	repr_end_class(repr, begun);
	repr_close(repr);
	return ok;
}

/*
 * deque: a chain of blocks, filled from leftindex of the first on
 */

static void add_deque(struct repr *repr, uint64_t object, uint64_t count)
{
	const struct layout *layout = repr->traverser->layout;
	uint64_t block = member(repr, object, layout->dequeobject_leftblock);
	uint64_t index = member(repr, object, layout->dequeobject_leftindex), item;
	uint64_t room = (layout->BLOCK_size - 2 * WORD) / WORD;

	for (uint64_t i = 0; i < count && block && repr_next(repr, i, count); i++) {
		if (index >= room) {
			block = member(repr, block, layout->BLOCK_rightlink);
			index = 0;
		}
		repr_u64(repr, block + layout->BLOCK_data + index++ * WORD, &item);
		repr_value(repr, item);
	}
}

static bool repr_deque(struct repr *repr, uint64_t object, const struct type *type)
{
	const struct layout *layout = repr->traverser->layout;
	uint64_t count, maxlen;

	if (!repr_count(repr, object, &count) ||
	    !repr_u64(repr, object + layout->dequeobject_rightindex + DEQUE_MAXLEN, &maxlen))
		return false;
	if (!repr_open(repr, object, "[]", type->name, count))
		return true;
	repr_add_class(repr, type);
	repr_add(repr, "([");
	add_deque(repr, object, count);
	repr_add(repr, "]");
	if ((int64_t)maxlen >= 0)
		repr_addf(repr, ", maxlen=%" PRIu64, maxlen);
	repr_add(repr, ")");
	repr_close(repr);
	return true;
}

/*
 * range and slice
 */

static bool repr_range(struct repr *repr, uint64_t object, const struct type *type)
{
	uint64_t start, stop, step;
	int64_t number;

	if (!repr_u64(repr, object + RANGE_START, &start) ||
	    !repr_u64(repr, object + RANGE_START + WORD, &stop) ||
	    !repr_u64(repr, object + RANGE_START + 2 * WORD, &step))
		return false;
	repr_addf(repr, "%s(", type->name);
	repr_value(repr, start);
	repr_add(repr, ", ");
	repr_value(repr, stop);
	if (!read_int(repr->traverser, step, &number) || number != 1) {
		repr_add(repr, ", ");
		repr_value(repr, step);
	}
	repr_add(repr, ")");
	return true;
}

static bool repr_slice(struct repr *repr, uint64_t object, const struct type *type)
{
	const struct layout *layout = repr->traverser->layout;

	if (!repr_open(repr, object, "()", type->name, 3))
		return true;
	repr_add(repr, "slice(");
	repr_value(repr, member(repr, object, layout->PySliceObject_start));
	repr_add(repr, ", ");
	repr_value(repr, member(repr, object, layout->PySliceObject_stop));
	repr_add(repr, ", ");
	repr_value(repr, member(repr, object, layout->PySliceObject_step));
	repr_add(repr, ")");
	repr_close(repr);
	return true;
}

const struct repr_kind repr_container_kinds[] = {
	{"set", repr_set},
	{"frozenset", repr_set},
	{"bytearray", repr_bytearray},
	{"collections.deque", repr_deque},
	{"dict_keys", repr_dict_view},
	{"dict_values", repr_dict_view},
	{"dict_items", repr_dict_view},
	{"mappingproxy", repr_mappingproxy},
	{"range", repr_range},
	{"slice", repr_slice},
	{NULL, NULL},
};
