/*
 * list, tuple, struct sequences and set (Objects/listobject.c, tupleobject.c, structseq.c,
 * setobject.c), and the table of containers. dict has a file of its own.
 */
#include "traverse/decoder.h"

enum { WORD = sizeof(uint64_t) };

/* ob_size of an object as a count; false if it is not readable or negative. */
static bool read_count(struct traverser *traverser, uint64_t object, uint64_t *count)
{
	return reader_u64(&traverser->reader, object + traverser->layout->PyVarObject_ob_size,
			  count) &&
	       (int64_t)*count >= 0;
}

/*
 * list and tuple
 */

static enum traverse_result decode_list(struct traverser *traverser, const struct plan *plan,
					uint64_t object)
{
	uint64_t count, items;

	(void)plan;
	return exact_if(read_count(traverser, object, &count) &&
			reader_u64(&traverser->reader,
				   object + traverser->layout->PyListObject_ob_item, &items) &&
			visit_words_backwards(traverser, items, count));
}

enum traverse_result decode_tuple(struct traverser *traverser, const struct plan *plan,
				  uint64_t object)
{
	uint64_t count;

	(void)plan;
	return exact_if(read_count(traverser, object, &count) &&
			visit_words_backwards(traverser,
					      object + traverser->layout->PyTupleObject_ob_item,
					      count));
}

static bool label_index(uint64_t first, uint64_t count, const struct reference *reference,
			struct edge_label *label)
{
	uint64_t index = (reference->slot - first) / WORD;

	if (reference->slot < first || index >= count)
		return false;
	label->kind = EDGE_INDEX;
	label->index = index;
	return true;
}

static bool label_list(struct traverser *traverser, const struct plan *plan, uint64_t object,
		       const struct reference *reference, struct edge_label *label)
{
	uint64_t count, items;

	(void)plan;
	return read_count(traverser, object, &count) &&
	       reader_u64(&traverser->reader, object + traverser->layout->PyListObject_ob_item,
			  &items) &&
	       label_index(items, count, reference, label);
}

static bool label_tuple(struct traverser *traverser, const struct plan *plan, uint64_t object,
			const struct reference *reference, struct edge_label *label)
{
	uint64_t count;

	(void)plan;
	return read_count(traverser, object, &count) &&
	       label_index(object + traverser->layout->PyTupleObject_ob_item, count, reference,
			   label);
}

static uint64_t list_storage(struct traverser *traverser, const struct plan *plan, uint64_t object)
{
	uint64_t allocated;

	(void)plan;
	reader_u64(&traverser->reader, object + traverser->layout->PyListObject_allocated,
		   &allocated);
	return allocated <= INT64_MAX / WORD ? allocated * WORD : 0;
}

/*
 * Struct sequences are tuples whose ob_size hides the items behind the visible ones. How many there
 * are in all is "n_fields" of the type's dict, which static types of 3.12+ keep elsewhere; the
 * offset of the last member in tp_members says the same (only visible items may be unnamed).
 */

enum { MEMBERS_MAX = 1024 };

static uint64_t count_structseq_items(struct traverser *traverser, const struct type *type)
{
	const struct layout *layout = traverser->layout;
	uint64_t member, name, offset, count = 0;

	if (!reader_u64(&traverser->reader, type->address + layout->PyTypeObject_tp_members,
			&member))
		return 0;
	for (int i = 0; i < MEMBERS_MAX; i++, member += layout->PyMemberDef_size) {
		if (!reader_u64(&traverser->reader, member + layout->PyMemberDef_name, &name) ||
		    !name ||
		    !reader_u64(&traverser->reader, member + layout->PyMemberDef_offset, &offset))
			break;
		if (offset >= layout->PyTupleObject_ob_item && offset < INT32_MAX &&
		    (offset - layout->PyTupleObject_ob_item) / WORD + 1 > count)
			count = (offset - layout->PyTupleObject_ob_item) / WORD + 1;
	}
	return count;
}

static bool prepare_structseq(struct traverser *traverser, struct plan *plan)
{
	plan->count = count_structseq_items(traverser, plan->type);
	plan->visits_type =
		traverser->heap_types_visited && (plan->type->flags & TPFLAGS_HEAPTYPE) != 0;
	return true;
}

static uint64_t structseq_count(struct traverser *traverser, const struct plan *plan,
				uint64_t object)
{
	uint64_t count;

	if (!read_count(traverser, object, &count))
		return 0;
	return count < plan->count ? plan->count : count;
}

static enum traverse_result decode_structseq(struct traverser *traverser, const struct plan *plan,
					     uint64_t object)
{
	uint64_t items = object + traverser->layout->PyTupleObject_ob_item;

	return exact_if((!plan->visits_type || visit_type(traverser, plan->type, object)) &&
			visit_words(traverser, items, structseq_count(traverser, plan, object)));
}

static bool label_structseq(struct traverser *traverser, const struct plan *plan, uint64_t object,
			    const struct reference *reference, struct edge_label *label)
{
	return label_index(object + traverser->layout->PyTupleObject_ob_item,
			   structseq_count(traverser, plan, object), reference, label);
}

/*
 * set and frozenset: every slot of the table that is neither empty nor a dummy; a dummy's hash is
 * -1, which no object has.
 */

static bool open_set(struct traverser *traverser, uint64_t object, uint64_t *table, uint64_t *count)
{
	const struct layout *layout = traverser->layout;
	uint64_t mask;

	if (!reader_u64(&traverser->reader, object + layout->PySetObject_mask, &mask) ||
	    !reader_u64(&traverser->reader, object + layout->PySetObject_table, table) ||
	    mask >= INT64_MAX / layout->setentry_size)
		return false;
	*count = mask + 1;
	return true;
}

static enum traverse_result decode_set(struct traverser *traverser, const struct plan *plan,
				       uint64_t object)
{
	const struct layout *layout = traverser->layout;
	uint64_t table, count;
	const uint8_t *entry;

	(void)plan;
	if (!open_set(traverser, object, &table, &count))
		return TRAVERSE_DAMAGED;
	entry = reader_at(&traverser->reader, table, count * layout->setentry_size);
	if (!entry || !visit_room(traverser, count))
		return TRAVERSE_DAMAGED;
	for (uint64_t i = 0; i < count; i++, entry += layout->setentry_size)
		if (host_u64(entry + layout->setentry_hash) != UINT64_MAX)
			visit_put(traverser, host_u64(entry + layout->setentry_key),
				  table + i * layout->setentry_size + layout->setentry_key);
	return TRAVERSE_EXACT;
}

/* Up to eight entries stand in the object itself. */
static uint64_t set_storage(struct traverser *traverser, const struct plan *plan, uint64_t object)
{
	const struct layout *layout = traverser->layout;
	uint64_t table, count;

	(void)plan;
	if (!open_set(traverser, object, &table, &count) ||
	    table == object + layout->PySetObject_smalltable)
		return 0;
	return count * layout->setentry_size;
}

static bool label_set(struct traverser *traverser, const struct plan *plan, uint64_t object,
		      const struct reference *reference, struct edge_label *label)
{
	const struct layout *layout = traverser->layout;
	uint64_t table, count;

	(void)plan;
	if (!open_set(traverser, object, &table, &count) || reference->slot < table ||
	    (reference->slot - table) / layout->setentry_size >= count)
		return false;
	label->kind = EDGE_INTERNAL;
	strcpy(label->name, "element");
	return true;
}

const struct decoder container_decoders[] = {
	{
		.name = "list",
		.symbols = "PyList_Type",
		.types = "list",
		.decode = decode_list,
		.label = label_list,
		.out_of_line = list_storage,
	},
	{
		.name = "tuple",
		.symbols = "PyTuple_Type",
		.types = "tuple",
		.decode = decode_tuple,
		.label = label_tuple,
	},
	{
		.name = "struct sequence",
		.types = "sys.version_info|time.struct_time|os.stat_result",
		.instances = "sys:version_info sys:flags",
		.prepare = prepare_structseq,
		.decode = decode_structseq,
		.label = label_structseq,
	},
	{
		.name = "dict",
		.symbols = "PyDict_Type",
		.types = "dict",
		.decode = decode_dict,
		.label = label_dict,
		.out_of_line = dict_storage,
	},
	{
		.name = "set",
		.symbols = "PySet_Type PyFrozenSet_Type",
		.types = "set|frozenset",
		.decode = decode_set,
		.label = label_set,
		.out_of_line = set_storage,
	},
	{0},
};
