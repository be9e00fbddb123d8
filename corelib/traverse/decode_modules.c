/*
 * Types of the standard library's C modules (Modules/_collectionsmodule.c, _functoolsmodule.c,
 * _operator.c, _asynciomodule.c, Objects/odictobject.c).
 */
#include "traverse/decoder.h"

enum { WORD = sizeof(uint64_t) };

static const struct field deque_iterator_fields[] = {
	OWN_TYPE,
	FIELD(dequeiterobject_deque, "deque"),
};

static const struct field defaultdict_fields[] = {
	OWN_TYPE,
	ATTRIBUTE(defdictobject_default_factory, "default_factory"),
};

static const struct field tuple_getter_fields[] = {
	OWN_TYPE,
	ATTRIBUTE(_tuplegetterobject_doc, "__doc__"),
};

static const struct field odict_fields[] = {
	ATTRIBUTE(PyODictObject_od_inst_dict, "__dict__"),
};

static const struct field odict_iterator_fields[] = {
	FIELD(odictiterobject_di_odict, "di_odict"),
	FIELD(odictiterobject_di_current, "di_current"),
	FIELD(odictiterobject_di_result, "di_result"),
};

static const struct field partial_fields[] = {
	OWN_TYPE,
	ATTRIBUTE(partialobject_fn, "func"),
	ATTRIBUTE(partialobject_args, "args"),
	ATTRIBUTE(partialobject_kw, "keywords"),
	ATTRIBUTE(partialobject_dict, "__dict__"),
};

static const struct field key_wrapper_fields[] = {
	OWN_TYPE,
	FIELD(keyobject_cmp, "cmp"),
	ATTRIBUTE(keyobject_object, "obj"),
};

static const struct field itemgetter_fields[] = {
	OWN_TYPE,
	FIELD(itemgetterobject_item, "item"),
};

static const struct field attrgetter_fields[] = {
	FIELD(attrgetterobject_attr, "attr"),
	OWN_TYPE,
};

static const struct field methodcaller_fields[] = {
	FIELD(methodcallerobject_args, "args"),
	FIELD(methodcallerobject_kwds, "kwds"),
};

/* The dict is a member up to 3.12; from 3.13 on it is managed. */
#define FUTURE                                                                                   \
	ATTRIBUTE(FutureObj_fut_loop, "_loop"), FIELD(FutureObj_fut_callback0, "fut_callback0"), \
		FIELD(FutureObj_fut_context0, "fut_context0"),                                   \
		ATTRIBUTE(FutureObj_fut_callbacks, "_callbacks"),                                \
		ATTRIBUTE(FutureObj_fut_result, "_result"),                                      \
		ATTRIBUTE(FutureObj_fut_exception, "_exception"),                                \
		FIELD(FutureObj_fut_exception_tb, "fut_exception_tb"),                           \
		ATTRIBUTE(FutureObj_fut_source_tb, "_source_traceback"),                         \
		ATTRIBUTE(FutureObj_fut_cancel_msg, "_cancel_message"),                          \
		FIELD(FutureObj_fut_cancelled_exc, "fut_cancelled_exc"),                         \
		FIELD(FutureObj_fut_awaited_by, "fut_awaited_by"),                               \
		ATTRIBUTE(FutureObj_dict, "__dict__"), FIELD(FutureObj_exc_type, "exc_type"),    \
		FIELD(FutureObj_exc_value, "exc_value"),                                         \
		FIELD(FutureObj_exc_traceback, "exc_traceback"), MANAGED_DICT

static const struct field future_fields[] = {OWN_TYPE, FUTURE};

static const struct field task_fields[] = {
	OWN_TYPE,
	FIELD(TaskObj_task_context, "task_context"),
	ATTRIBUTE(TaskObj_task_coro, "_coro"),
	FIELD(TaskObj_task_name, "task_name"),
	ATTRIBUTE(TaskObj_task_fut_waiter, "_fut_waiter"),
	FUTURE,
};

static const struct field task_step_fields[] = {
	OWN_TYPE,
	FIELD(TaskStepMethWrapper_sw_task, "sw_task"),
	FIELD(TaskStepMethWrapper_sw_arg, "sw_arg"),
};

static const struct field future_iterator_fields[] = {
	OWN_TYPE,
	FIELD(futureiterobject_future, "future"),
};

/* 3.13 keeps the arguments for vectorcall as a bare array, which it does not visit; 3.14+ as a
 * tuple under the same name. The type comes last in all of them. */
static bool prepare_methodcaller(struct traverser *traverser, struct plan *plan)
{
	plan->count = traverser->runtime->minor >= 14 ? 2 : 0;
	return true;
}

static enum traverse_result decode_methodcaller(struct traverser *traverser,
						const struct plan *plan, uint64_t object)
{
	return exact_if(visit_words(traverser,
				    object + traverser->layout->methodcallerobject_vectorcall_args,
				    plan->count) &&
			(!plan->visits_type || visit_type(traverser, plan->type, object)));
}

/*
 * deque: blocks of pointers in a chain; leftindex and rightindex are the ends of what is used.
 */

struct deque_view {
	uint64_t count, left, left_block, block_items;
};

static bool open_deque(struct traverser *traverser, uint64_t object, struct deque_view *view)
{
	const struct layout *layout = traverser->layout;

	view->block_items = (layout->BLOCK_rightlink - layout->BLOCK_data) / WORD;
	return reader_u64(&traverser->reader, object + layout->PyVarObject_ob_size, &view->count) &&
	       reader_u64(&traverser->reader, object + layout->dequeobject_leftblock,
			  &view->left_block) &&
	       reader_u64(&traverser->reader, object + layout->dequeobject_leftindex,
			  &view->left) &&
	       (int64_t)view->count >= 0 && view->left < view->block_items;
}

/* How many of the next items stand in a block, from index `start` on. */
static uint64_t block_share(const struct deque_view *view, uint64_t start, uint64_t left)
{
	return left < view->block_items - start ? left : view->block_items - start;
}

static enum traverse_result decode_deque(struct traverser *traverser, const struct plan *plan,
					 uint64_t object)
{
	const struct layout *layout = traverser->layout;
	struct chain chain = {0};
	struct deque_view view;
	uint64_t block, start, left;

	if (plan->visits_type && !visit_type(traverser, plan->type, object))
		return TRAVERSE_DAMAGED;
	if (!open_deque(traverser, object, &view))
		return TRAVERSE_DAMAGED;
	block = view.left_block;
	start = view.left;
	for (left = view.count; left; start = 0) {
		uint64_t share = block_share(&view, start, left);

		if (!chain_step(&chain, block) ||
		    !visit_words(traverser, block + layout->BLOCK_data + start * WORD, share) ||
		    !reader_u64(&traverser->reader, block + layout->BLOCK_rightlink, &block))
			return TRAVERSE_DAMAGED;
		left -= share;
	}
	return TRAVERSE_EXACT;
}

static bool label_deque(struct traverser *traverser, const struct plan *plan, uint64_t object,
			const struct reference *reference, struct edge_label *label)
{
	const struct layout *layout = traverser->layout;
	struct chain chain = {0};
	struct deque_view view;
	uint64_t block, start, done = 0;

	(void)plan;
	if (!open_deque(traverser, object, &view))
		return false;
	block = view.left_block;
	for (start = view.left; done < view.count; start = 0) {
		uint64_t share = block_share(&view, start, view.count - done);
		uint64_t first = block + layout->BLOCK_data + start * WORD;

		if (reference->slot >= first && (reference->slot - first) / WORD < share) {
			label->kind = EDGE_INDEX;
			label->index = done + (reference->slot - first) / WORD;
			return true;
		}
		if (!chain_step(&chain, block) ||
		    !reader_u64(&traverser->reader, block + layout->BLOCK_rightlink, &block))
			return false;
		done += share;
	}
	return false;
}

/* The blocks in use, and those kept for the next items (3.11+). */
static uint64_t deque_storage(struct traverser *traverser, const struct plan *plan, uint64_t object)
{
	const struct layout *layout = traverser->layout;
	struct deque_view view;
	uint64_t blocks, spare = 0;

	(void)plan;
	if (!open_deque(traverser, object, &view) || view.count > INT64_MAX / WORD)
		return 0;
	blocks = (view.left + view.count + view.block_items - 1) / view.block_items;
	if (layout_has(layout->dequeobject_numfreeblocks))
		reader_u64(&traverser->reader, object + layout->dequeobject_numfreeblocks, &spare);
	return ((blocks ? blocks : 1) + (spare <= 64 ? spare : 0)) * layout->BLOCK_size;
}

/*
 * OrderedDict: the keys in its linked list once more, and then the dict that it is.
 */

static enum traverse_result decode_odict(struct traverser *traverser, const struct plan *plan,
					 uint64_t object)
{
	const struct layout *layout = traverser->layout;
	struct chain chain = {0};
	uint64_t node;

	if (!reader_u64(&traverser->reader, object + layout->PyODictObject_od_first, &node))
		return TRAVERSE_DAMAGED;
	while (node)
		if (!chain_step(&chain, node) ||
		    !visit_word(traverser, node + layout->_ODictNode_key) ||
		    !reader_u64(&traverser->reader, node + layout->_ODictNode_next, &node))
			return TRAVERSE_DAMAGED;
	return decode_dict(traverser, plan, object);
}

static bool label_odict(struct traverser *traverser, const struct plan *plan, uint64_t object,
			const struct reference *reference, struct edge_label *label)
{
	if (label_dict(traverser, plan, object, reference, label))
		return true;
	label->kind = EDGE_INTERNAL;
	label_text(label, "key");
	return true;
}

static uint64_t odict_storage(struct traverser *traverser, const struct plan *plan, uint64_t object)
{
	const struct layout *layout = traverser->layout;
	uint64_t used, nodes;

	reader_u64(&traverser->reader, object + layout->PyDictObject_ma_used, &used);
	reader_u64(&traverser->reader, object + layout->PyODictObject_od_fast_nodes_size, &nodes);
	if (used > INT32_MAX || nodes > INT32_MAX)
		return 0;
	return dict_storage(traverser, plan, object) + nodes * WORD +
	       used * layout->_ODictNode_size;
}

/*
 * functools.lru_cache: a ring of links, each a Python object of its own whose references the cache
 * visits for it.
 */

static bool visit_link(struct traverser *traverser, const struct plan *plan, uint64_t link)
{
	const struct layout *layout = traverser->layout;

	return visit_word(traverser, link + layout->lru_list_elem_key) &&
	       visit_word(traverser, link + layout->lru_list_elem_result) &&
	       (!plan->visits_type || visit_word(traverser, link + layout->PyObject_ob_type));
}

static bool visit_present(struct traverser *traverser, uint64_t object, uint32_t offset)
{
	return !layout_has(offset) || visit_word(traverser, object + offset);
}

static enum traverse_result decode_lru_cache(struct traverser *traverser, const struct plan *plan,
					     uint64_t object)
{
	const struct layout *layout = traverser->layout;
	uint64_t root = object + layout->lru_cache_object_root_next - layout->lru_list_elem_next;
	/* The function comes before the cache up to 3.9, which have no kwd_mark. */
	bool new_order = layout_has(layout->lru_cache_object_kwd_mark);
	uint32_t first = new_order ? layout->lru_cache_object_cache : layout->lru_cache_object_func;
	uint32_t second =
		new_order ? layout->lru_cache_object_func : layout->lru_cache_object_cache;
	struct chain chain = {0};
	uint64_t link;

	if ((plan->visits_type && !visit_type(traverser, plan->type, object)) ||
	    !reader_u64(&traverser->reader, object + layout->lru_cache_object_root_next, &link))
		return TRAVERSE_DAMAGED;
	while (link != root)
		if (!chain_step(&chain, link) || !visit_link(traverser, plan, link) ||
		    !reader_u64(&traverser->reader, link + layout->lru_list_elem_next, &link))
			return TRAVERSE_DAMAGED;
	return exact_if(
		visit_present(traverser, object, first) &&
		visit_present(traverser, object, second) &&
		visit_present(traverser, object, layout->lru_cache_object_kwd_mark) &&
		visit_present(traverser, object, layout->lru_cache_object_lru_list_elem_type) &&
		visit_present(traverser, object, layout->lru_cache_object_cache_info_type) &&
		visit_present(traverser, object, layout->lru_cache_object_dict));
}

static bool label_lru_cache(struct traverser *traverser, const struct plan *plan, uint64_t object,
			    const struct reference *reference, struct edge_label *label)
{
	const struct layout *layout = traverser->layout;

	(void)plan;
	label->kind = EDGE_ATTRIBUTE;
	if (reference->slot == object + layout->lru_cache_object_func) {
		label_text(label, "__wrapped__");
	} else if (reference->slot == object + layout->lru_cache_object_dict) {
		label_text(label, "__dict__");
	} else {
		label->kind = EDGE_INTERNAL;
		label_text(label, reference->slot == object + layout->lru_cache_object_cache
					  ? "cache"
					  : "cached");
	}
	return true;
}

const struct decoder module_decoders[] = {
	{
		.name = "deque",
		.types = "collections.deque",
		.required = offsetof(struct layout, dequeobject_leftblock),
		.decode = decode_deque,
		.label = label_deque,
		.out_of_line = deque_storage,
	},
	{
		.name = "deque iterator",
		.types = "_collections._deque_iterator|_collections._deque_reverse_iterator|"
			 "collections._deque_iterator|collections._deque_reverse_iterator",
		FIELDS(deque_iterator_fields),
	},
	{
		.name = "defaultdict",
		.types = "collections.defaultdict",
		FIELDS(defaultdict_fields),
		.decode = decode_dict,
		.label = label_dict,
		.out_of_line = dict_storage,
	},
	{
		.name = "tuplegetter",
		.types = "_collections._tuplegetter|collections._tuplegetter",
		FIELDS(tuple_getter_fields),
	},
	{
		.name = "OrderedDict",
		.symbols = "PyODict_Type",
		.types = "collections.OrderedDict",
		FIELDS(odict_fields),
		.decode = decode_odict,
		.label = label_odict,
		.out_of_line = odict_storage,
	},
	{
		.name = "odict_iterator",
		.symbols = "PyODictIter_Type",
		.types = "odict_iterator",
		FIELDS(odict_iterator_fields),
	},
	{.name = "partial", .types = "functools.partial", FIELDS(partial_fields)},
	{.name = "KeyWrapper", .types = "functools.KeyWrapper", FIELDS(key_wrapper_fields)},
	{
		.name = "lru_cache",
		.types = "functools._lru_cache_wrapper",
		.required = offsetof(struct layout, lru_cache_object_root_next),
		.decode = decode_lru_cache,
		.label = label_lru_cache,
	},
	{.name = "itemgetter", .types = "operator.itemgetter", FIELDS(itemgetter_fields)},
	{.name = "attrgetter", .types = "operator.attrgetter", FIELDS(attrgetter_fields)},
	{
		.name = "methodcaller",
		.types = "operator.methodcaller",
		FIELDS(methodcaller_fields),
		.prepare = prepare_methodcaller,
		.decode = decode_methodcaller,
	},
	{.name = "Future", .types = "_asyncio.Future", FIELDS(future_fields)},
	{.name = "Task", .types = "_asyncio.Task", FIELDS(task_fields)},
	{
		.name = "TaskStep",
		.types = "TaskStepMethWrapper|_asyncio.TaskStepMethWrapper",
		FIELDS(task_step_fields),
	},
	{.name = "FutureIter", .types = "_asyncio.FutureIter", FIELDS(future_iterator_fields)},
	{0},
};
