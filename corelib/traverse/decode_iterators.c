/*
 * Iterators and views of the builtin types (Objects/, Python/bltinmodule.c) and of itertools
 * (Modules/itertoolsmodule.c, whose types are heap types from 3.12 on).
 */
#include "traverse/decoder.h"

static const struct field list_iterator_fields[] = {FIELD(listiterobject_it_seq, "it_seq")};
static const struct field list_reverse_fields[] = {FIELD(listreviterobject_it_seq, "it_seq")};
static const struct field tuple_iterator_fields[] = {FIELD(tupleiterobject_it_seq, "it_seq")};
static const struct field sequence_iterator_fields[] = {FIELD(seqiterobject_it_seq, "it_seq")};
static const struct field str_iterator_fields[] = {FIELD(unicodeiterobject_it_seq, "it_seq")};
static const struct field bytes_iterator_fields[] = {FIELD(striterobject_it_seq, "it_seq")};
static const struct field memory_iterator_fields[] = {FIELD(memoryiterobject_it_seq, "it_seq")};
static const struct field dict_view_fields[] = {FIELD(_PyDictViewObject_dv_dict, "dv_dict")};
static const struct field set_iterator_fields[] = {FIELD(setiterobject_si_set, "si_set")};
static const struct field reversed_fields[] = {FIELD(reversedobject_seq, "seq")};

static const struct field callable_iterator_fields[] = {
	FIELD(calliterobject_it_callable, "it_callable"),
	FIELD(calliterobject_it_sentinel, "it_sentinel"),
};

static const struct field dict_iterator_fields[] = {
	FIELD(dictiterobject_di_dict, "di_dict"),
	FIELD(dictiterobject_di_result, "di_result"),
};

static const struct field enumerate_fields[] = {
	FIELD(enumobject_en_sit, "en_sit"),
	FIELD(enumobject_en_result, "en_result"),
	FIELD(enumobject_en_longindex, "en_longindex"),
};

static const struct field zip_fields[] = {
	FIELD(zipobject_ittuple, "ittuple"),
	FIELD(zipobject_result, "result"),
};

static const struct field map_fields[] = {
	FIELD(mapobject_iters, "iters"),
	FIELD(mapobject_func, "func"),
};

static const struct field filter_fields[] = {
	FIELD(filterobject_it, "it"),
	FIELD(filterobject_func, "func"),
};

/*
 * itertools
 */

static const struct field accumulate_fields[] = {
	OWN_TYPE,
	FIELD(accumulateobject_binop, "binop"),
	FIELD(accumulateobject_it, "it"),
	FIELD(accumulateobject_total, "total"),
	FIELD(accumulateobject_initial, "initial"),
};

static const struct field batched_fields[] = {OWN_TYPE, FIELD(batchedobject_it, "it")};

static const struct field chain_fields[] = {
	OWN_TYPE,
	FIELD(chainobject_source, "source"),
	FIELD(chainobject_active, "active"),
};

static const struct field combinations_fields[] = {
	OWN_TYPE,
	FIELD(combinationsobject_pool, "pool"),
	FIELD(combinationsobject_result, "result"),
};

static const struct field compress_fields[] = {
	OWN_TYPE,
	FIELD(compressobject_data, "data"),
	FIELD(compressobject_selectors, "selectors"),
};

static const struct field count_fields[] = {
	OWN_TYPE,
	FIELD(countobject_long_cnt, "long_cnt"),
	FIELD(countobject_long_step, "long_step"),
};

static const struct field replacement_fields[] = {
	OWN_TYPE,
	FIELD(cwrobject_pool, "pool"),
	FIELD(cwrobject_result, "result"),
};

static const struct field cycle_fields[] = {
	OWN_TYPE,
	FIELD(cycleobject_it, "it"),
	FIELD(cycleobject_saved, "saved"),
};

static const struct field dropwhile_fields[] = {
	OWN_TYPE,
	FIELD(dropwhileobject_it, "it"),
	FIELD(dropwhileobject_func, "func"),
};

static const struct field filterfalse_fields[] = {
	OWN_TYPE,
	FIELD(filterfalseobject_it, "it"),
	FIELD(filterfalseobject_func, "func"),
};

static const struct field groupby_fields[] = {
	OWN_TYPE,
	FIELD(groupbyobject_it, "it"),
	FIELD(groupbyobject_keyfunc, "keyfunc"),
	FIELD(groupbyobject_tgtkey, "tgtkey"),
	FIELD(groupbyobject_currkey, "currkey"),
	FIELD(groupbyobject_currvalue, "currvalue"),
};

static const struct field grouper_fields[] = {
	OWN_TYPE,
	FIELD(_grouperobject_parent, "parent"),
	FIELD(_grouperobject_tgtkey, "tgtkey"),
};

static const struct field islice_fields[] = {OWN_TYPE, FIELD(isliceobject_it, "it")};

static const struct field pairwise_fields[] = {
	OWN_TYPE,
	FIELD(pairwiseobject_it, "it"),
	FIELD(pairwiseobject_old, "old"),
	FIELD(pairwiseobject_result, "result"),
};

static const struct field permutations_fields[] = {
	OWN_TYPE,
	FIELD(permutationsobject_pool, "pool"),
	FIELD(permutationsobject_result, "result"),
};

static const struct field product_fields[] = {
	OWN_TYPE,
	FIELD(productobject_pools, "pools"),
	FIELD(productobject_result, "result"),
};

static const struct field repeat_fields[] = {OWN_TYPE, FIELD(repeatobject_element, "element")};

static const struct field starmap_fields[] = {
	OWN_TYPE,
	FIELD(starmapobject_it, "it"),
	FIELD(starmapobject_func, "func"),
};

static const struct field takewhile_fields[] = {
	OWN_TYPE,
	FIELD(takewhileobject_it, "it"),
	FIELD(takewhileobject_func, "func"),
};

static const struct field tee_fields[] = {OWN_TYPE, FIELD(teeobject_dataobj, "dataobj")};

static const struct field tee_data_fields[] = {OWN_TYPE, FIELD(teedataobject_it, "it")};

static const struct field zip_longest_fields[] = {
	OWN_TYPE,
	FIELD(ziplongestobject_ittuple, "ittuple"),
	FIELD(ziplongestobject_result, "result"),
	FIELD(ziplongestobject_fillvalue, "fillvalue"),
};

/* The items that a tee has read so far, and the link to the next of these blocks. */
static enum traverse_result decode_tee_data(struct traverser *traverser, const struct plan *plan,
					    uint64_t object)
{
	const struct layout *layout = traverser->layout;
	uint32_t numread;
	int64_t room = (plan->type->basicsize - layout->teedataobject_values) / 8;

	return exact_if(
		reader_u32(&traverser->reader, object + layout->teedataobject_numread, &numread) &&
		numread <= room &&
		visit_words(traverser, object + layout->teedataobject_values, numread) &&
		visit_word(traverser, object + layout->teedataobject_nextlink));
}

static bool label_tee_data(struct traverser *traverser, const struct plan *plan, uint64_t object,
			   const struct reference *reference, struct edge_label *label)
{
	const struct layout *layout = traverser->layout;

	(void)plan;
	if (reference->slot == object + layout->teedataobject_nextlink) {
		label->kind = EDGE_INTERNAL;
		label_text(label, "nextlink");
		return true;
	}
	if (reference->slot < object + layout->teedataobject_values)
		return false;
	label->kind = EDGE_INDEX;
	label->index = (reference->slot - object - layout->teedataobject_values) / 8;
	return true;
}

const struct decoder iterator_decoders[] = {
	{
		.name = "list_iterator",
		.symbols = "PyListIter_Type",
		.types = "list_iterator",
		FIELDS(list_iterator_fields),
	},
	{
		.name = "list_reverseiterator",
		.symbols = "PyListRevIter_Type",
		.types = "list_reverseiterator",
		FIELDS(list_reverse_fields),
	},
	{
		.name = "tuple_iterator",
		.symbols = "PyTupleIter_Type",
		.types = "tuple_iterator",
		FIELDS(tuple_iterator_fields),
	},
	{
		.name = "iterator",
		.symbols = "PySeqIter_Type",
		.types = "iterator",
		FIELDS(sequence_iterator_fields),
	},
	{
		.name = "str_iterator",
		.symbols = "PyUnicodeIter_Type",
		.types = "str_iterator|str_ascii_iterator",
		FIELDS(str_iterator_fields),
	},
	{
		.name = "bytes_iterator",
		.symbols = "PyBytesIter_Type PyByteArrayIter_Type",
		.types = "bytes_iterator|bytearray_iterator",
		FIELDS(bytes_iterator_fields),
	},
	{
		.name = "memory_iterator",
		.types = "memory_iterator",
		FIELDS(memory_iterator_fields),
	},
	{
		.name = "callable_iterator",
		.symbols = "PyCallIter_Type",
		.types = "callable_iterator",
		FIELDS(callable_iterator_fields),
	},
	{
		.name = "dict iterator",
		.symbols = "PyDictIterKey_Type PyDictIterValue_Type PyDictIterItem_Type "
			   "PyDictRevIterKey_Type PyDictRevIterValue_Type PyDictRevIterItem_Type",
		.types = "dict_keyiterator|dict_valueiterator|dict_itemiterator|"
			 "dict_reversekeyiterator|dict_reversevalueiterator|"
			 "dict_reverseitemiterator",
		FIELDS(dict_iterator_fields),
	},
	{
		.name = "dict view",
		.symbols = "PyDictKeys_Type PyDictValues_Type PyDictItems_Type",
		.types = "dict_keys|dict_values|dict_items",
		FIELDS(dict_view_fields),
	},
	{
		.name = "set_iterator",
		.symbols = "PySetIter_Type",
		.types = "set_iterator",
		FIELDS(set_iterator_fields),
	},
	{
		.name = "enumerate",
		.symbols = "PyEnum_Type",
		.types = "enumerate",
		FIELDS(enumerate_fields),
	},
	{
		.name = "reversed",
		.symbols = "PyReversed_Type",
		.types = "reversed",
		FIELDS(reversed_fields),
	},
	{.name = "zip", .symbols = "PyZip_Type", .types = "zip", FIELDS(zip_fields)},
	{.name = "map", .symbols = "PyMap_Type", .types = "map", FIELDS(map_fields)},
	{.name = "filter", .symbols = "PyFilter_Type", .types = "filter", FIELDS(filter_fields)},
	{.name = "accumulate", .types = "itertools.accumulate", FIELDS(accumulate_fields)},
	{.name = "batched", .types = "itertools.batched", FIELDS(batched_fields)},
	{.name = "chain", .types = "itertools.chain", FIELDS(chain_fields)},
	{.name = "combinations", .types = "itertools.combinations", FIELDS(combinations_fields)},
	{.name = "compress", .types = "itertools.compress", FIELDS(compress_fields)},
	{.name = "count", .types = "itertools.count", FIELDS(count_fields)},
	{
		.name = "combinations_with_replacement",
		.types = "itertools.combinations_with_replacement",
		FIELDS(replacement_fields),
	},
	{.name = "cycle", .types = "itertools.cycle", FIELDS(cycle_fields)},
	{.name = "dropwhile", .types = "itertools.dropwhile", FIELDS(dropwhile_fields)},
	{.name = "filterfalse", .types = "itertools.filterfalse", FIELDS(filterfalse_fields)},
	{.name = "groupby", .types = "itertools.groupby", FIELDS(groupby_fields)},
	{.name = "grouper", .types = "itertools._grouper", FIELDS(grouper_fields)},
	{.name = "islice", .types = "itertools.islice", FIELDS(islice_fields)},
	{.name = "pairwise", .types = "itertools.pairwise", FIELDS(pairwise_fields)},
	{.name = "permutations", .types = "itertools.permutations", FIELDS(permutations_fields)},
	{.name = "product", .types = "itertools.product", FIELDS(product_fields)},
	{.name = "repeat", .types = "itertools.repeat", FIELDS(repeat_fields)},
	{.name = "starmap", .types = "itertools.starmap", FIELDS(starmap_fields)},
	{.name = "takewhile", .types = "itertools.takewhile", FIELDS(takewhile_fields)},
	{.name = "tee", .types = "itertools._tee", FIELDS(tee_fields)},
	{
		.name = "tee data",
		.types = "itertools._tee_dataobject",
		FIELDS(tee_data_fields),
		.decode = decode_tee_data,
		.label = label_tee_data,
	},
	{.name = "zip_longest", .types = "itertools.zip_longest", FIELDS(zip_longest_fields)},
	{0},
};
