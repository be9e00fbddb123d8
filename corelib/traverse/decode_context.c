/*
 * Context variables (Python/context.c) and the hash array mapped tries that contexts are made of
 * (Python/hamt.c). A node of a trie is a GC object of its own: it visits its array only.
 */
#include "traverse/decoder.h"

static const struct field context_fields[] = {
	FIELD(PyContext_ctx_prev, "ctx_prev"),
	FIELD(PyContext_ctx_vars, "ctx_vars"),
};

static const struct field variable_fields[] = {
	ATTRIBUTE(PyContextVar_var_name, "name"),
	FIELD(PyContextVar_var_default, "default"),
};

static const struct field token_fields[] = {
	FIELD(PyContextToken_tok_ctx, "tok_ctx"),
	ATTRIBUTE(PyContextToken_tok_var, "var"),
	ATTRIBUTE(PyContextToken_tok_oldval, "old_value"),
};

static const struct field hamt_fields[] = {FIELD(PyHamtObject_h_root, "h_root")};

/* Bitmap and collision nodes: keys and values in turn, from the last to the first. */
static enum traverse_result visit_pairs(struct traverser *traverser, uint64_t object,
					uint32_t array)
{
	uint64_t count;

	return exact_if(reader_u64(&traverser->reader,
				   object + traverser->layout->PyVarObject_ob_size, &count) &&
			visit_words_backwards(traverser, object + array, count));
}

static enum traverse_result decode_bitmap(struct traverser *traverser, const struct plan *plan,
					  uint64_t object)
{
	(void)plan;
	return visit_pairs(traverser, object, traverser->layout->PyHamtNode_Bitmap_b_array);
}

static enum traverse_result decode_collision(struct traverser *traverser, const struct plan *plan,
					     uint64_t object)
{
	(void)plan;
	return visit_pairs(traverser, object, traverser->layout->PyHamtNode_Collision_c_array);
}

static enum traverse_result decode_array(struct traverser *traverser, const struct plan *plan,
					 uint64_t object)
{
	const struct layout *layout = traverser->layout;

	(void)plan;
	return exact_if(visit_words(
		traverser, object + layout->PyHamtNode_Array_a_array,
		(layout->PyHamtNode_Array_a_count - layout->PyHamtNode_Array_a_array) / 8));
}

const struct decoder context_decoders[] = {
	{
		.name = "Context",
		.symbols = "PyContext_Type",
		.types = "Context|_contextvars.Context",
		FIELDS(context_fields),
	},
	{
		.name = "ContextVar",
		.symbols = "PyContextVar_Type",
		.types = "ContextVar|_contextvars.ContextVar",
		FIELDS(variable_fields),
	},
	{
		.name = "Token",
		.symbols = "PyContextToken_Type",
		.types = "Token|_contextvars.Token",
		FIELDS(token_fields),
	},
	{
		.name = "hamt",
		.symbols = "_PyHamt_Type",
		.types = "hamt",
		FIELDS(hamt_fields),
	},
	{
		.name = "hamt bitmap node",
		.symbols = "_PyHamt_BitmapNode_Type",
		.types = "hamt_bitmap_node",
		.decode = decode_bitmap,
	},
	{
		.name = "hamt array node",
		.symbols = "_PyHamt_ArrayNode_Type",
		.types = "hamt_array_node",
		.decode = decode_array,
	},
	{
		.name = "hamt collision node",
		.symbols = "_PyHamt_CollisionNode_Type",
		.types = "hamt_collision_node",
		.decode = decode_collision,
	},
	{0},
};
