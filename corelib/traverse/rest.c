/*
 * The words of a C struct that no tp_traverse speaks of: a code object's names and tables, the name
 * of a descriptor, the encoding of a file. Which of them are references nobody says; whoever knows
 * all objects picks those that point at one.
 */
#include "traverse/decoder.h"

enum { WORD = sizeof(uint64_t), STRUCT_MAX = 1 << 12 };

/* Is this a class of Python code? Its slots and its dict are visited, all of them. */
static bool is_python_class(struct traverser *traverser, const struct type *type)
{
	const struct binding *binding;

	if (!(type->flags & TPFLAGS_HEAPTYPE) || !type->traverse)
		return false;
	binding = binding_of(traverser, type);
	return binding && binding->decoder == &instance_decoders[0];
}

/*
 * Types whose struct has no other references than those visited, and those that there are many of.
 * What a frame does not visit is not initialised: its block stack, up to 3.10.
 */
static bool has_no_rest(const struct type *type)
{
	static const char *const names[] = {"object", "float", "complex", "set", "cell",
					    "frozenset", "function", "method",
					    // A word of its stack may be left from before.
					    "frame"};
	const uint64_t flags = TPFLAGS_LONG_SUBCLASS | TPFLAGS_LIST_SUBCLASS |
			       TPFLAGS_TUPLE_SUBCLASS | TPFLAGS_BYTES_SUBCLASS |
			       TPFLAGS_UNICODE_SUBCLASS | TPFLAGS_DICT_SUBCLASS;

	if (type->flags & flags)
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(type->name, names[i]))
			return true;
	return false;
}

/*
 * 3.11+: a generator ends in its frame, whose stack may hold words that are left from before, and
 * only a coroutine sets the word in front of that (cr_origin), which is visited. Its names come
 * first.
 */
static bool has_frame_inside(const struct traverser *traverser, const struct type *type)
{
	return layout_has(traverser->layout->PyGenObject_gi_iframe) &&
	       layout_has(traverser->layout->PyGenObject_exc_value) &&
	       (!strcmp(type->name, "generator") || !strcmp(type->name, "coroutine") ||
		!strcmp(type->name, "async_generator"));
}

static bool is_code(const struct traverser *traverser, const struct type *type)
{
	return layout_has(traverser->layout->PyCodeObject_co_code_adaptive) &&
	       !strcmp(type->name, "code");
}

uint32_t code_references_end(const struct layout *layout)
{
	return layout->PyCodeObject_co_linetable + 3 * WORD;
}

uint32_t rest_extent(struct traverser *traverser, const struct type *type)
{
	while (type && is_python_class(traverser, type))
		type = type->base;
	if (!type || has_no_rest(type) || type->basicsize > STRUCT_MAX)
		return 0;
	if (has_frame_inside(traverser, type))
		return traverser->layout->PyGenObject_exc_value;
	if (is_code(traverser, type))
		return code_references_end(traverser->layout);
	return (uint32_t)type->basicsize & ~(uint32_t)(WORD - 1);
}

void traverse_rest(struct traverser *traverser, uint64_t object, const struct type *type,
		   const struct reference **references, size_t *count)
{
	const struct plan *plan = traverser_plan(traverser, type);
	uint64_t first = traverser->layout->PyObject_size;

	traverser->count = 0;
	if (plan && plan->rest > first &&
	    !visit_words(traverser, object + first, (plan->rest - first) / WORD))
		traverser->count = 0;
	*references = traverser->references;
	*count = traverser->count;
}

bool traverse_is_all(struct traverser *traverser, const struct type *type)
{
	const struct plan *plan = traverser_plan(traverser, type);

	return plan && !plan->hidden && plan->dict_place != DICT_MANAGED &&
	       plan->rest <= traverser->layout->PyObject_size;
}
