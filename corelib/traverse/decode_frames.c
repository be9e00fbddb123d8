/*
 * Frames and what holds them: generators, coroutines, tracebacks (Objects/frameobject.c,
 * genobject.c, Python/traceback.c, frame.c).
 *
 * Up to 3.10 a frame is an object with everything in it. From 3.11 on the values are in a
 * _PyInterpreterFrame, which stands on a thread's data stack, in a generator, or in the frame
 * object. What stands on a data stack belongs to no object and is not visited.
 */
#include "traverse/decoder.h"

#include "cpython/frame.h"

enum { WORD = sizeof(uint64_t) };

/* FRAME_OWNED_BY_FRAME_OBJECT (enum _frameowner, pycore_interpframe_structs.h, 3.11+). */
enum { OWNED_BY_FRAME_OBJECT = 2 };

/*
 * _PyStackRef (Include/internal/pycore_stackref.h, 3.14+): bit 0 says that no refcount is held, 1
 * alone is NULL, and both low bits mean an integer in place of an object.
 */
enum { STACKREF_BORROWED = 1, STACKREF_INTEGER = 3, STACKREF_TAGS = 3 };

static const struct field traceback_fields[] = {
	ATTRIBUTE(PyTracebackObject_tb_next, "tb_next"),
	ATTRIBUTE(PyTracebackObject_tb_frame, "tb_frame"),
};

/* Members of frame objects of all releases; what comes behind them is different. */
static const struct field frame_fields[] = {
	ATTRIBUTE(PyFrameObject_f_back, "f_back"),
	ATTRIBUTE(PyFrameObject_f_code, "f_code"),
	ATTRIBUTE(PyFrameObject_f_builtins, "f_builtins"),
	ATTRIBUTE(PyFrameObject_f_globals, "f_globals"),
	ATTRIBUTE(PyFrameObject_f_locals, "f_locals"),
	ATTRIBUTE(PyFrameObject_f_trace, "f_trace"),
	FIELD(PyFrameObject_f_extra_locals, "f_extra_locals"),
	FIELD(PyFrameObject_f_locals_cache, "f_locals_cache"),
	FIELD(PyFrameObject_f_overwritten_fast_locals, "f_overwritten_fast_locals"),
};

/* gi_frame is up to 3.10, gi_code up to 3.11. */
#define GENERATOR                                                                               \
	ATTRIBUTE(PyGenObject_gi_frame, "gi_frame"), ATTRIBUTE(PyGenObject_gi_code, "gi_code"), \
		ATTRIBUTE(PyGenObject_gi_name, "__name__"),                                     \
		ATTRIBUTE(PyGenObject_gi_qualname, "__qualname__")

static const struct field generator_fields[] = {GENERATOR};

static const struct field async_generator_fields[] = {
	FIELD(PyAsyncGenObject_ag_finalizer, "ag_finalizer"),
	GENERATOR,
};

static const struct field coroutine_wrapper_fields[] = {
	FIELD(PyCoroWrapper_cw_coroutine, "cw_coroutine"),
};

static const struct field asend_fields[] = {
	FIELD(PyAsyncGenASend_ags_gen, "ags_gen"),
	FIELD(PyAsyncGenASend_ags_sendval, "ags_sendval"),
};

/* 3.15 has the three arguments of throw() instead of a tuple. */
static const struct field athrow_fields[] = {
	FIELD(PyAsyncGenAThrow_agt_gen, "agt_gen"),
	FIELD(PyAsyncGenAThrow_agt_args, "agt_args"),
	FIELD(PyAsyncGenAThrow_agt_tb, "agt_tb"),
	FIELD(PyAsyncGenAThrow_agt_val, "agt_val"),
};

static const struct field wrapped_value_fields[] = {
	FIELD(_PyAsyncGenWrappedValue_agw_val, "agw_val"),
};

static const struct field anext_fields[] = {
	FIELD(anextawaitableobject_wrapped, "wrapped"),
	FIELD(anextawaitableobject_default_value, "default_value"),
};

static const struct field locals_proxy_fields[] = {
	FIELD(PyFrameLocalsProxyObject_frame, "frame"),
};

/*
 * Interpreter frames, 3.11+
 */

static void put_stackref(struct traverser *traverser, uint64_t word, uint64_t slot)
{
	if ((word & STACKREF_TAGS) == STACKREF_INTEGER)
		return;
	visit_put(traverser, word & ~(uint64_t)STACKREF_TAGS, slot);
	if (word & ~(uint64_t)STACKREF_TAGS)
		traverser->references[traverser->count - 1].borrowed = word & STACKREF_BORROWED;
}

static bool visit_stackrefs(struct traverser *traverser, uint64_t address, uint64_t count)
{
	const uint8_t *words;

	if (!count)
		return true;
	if (count > INT64_MAX / WORD)
		return false;
	words = reader_at(&traverser->reader, address, count * WORD);
	if (!words || !visit_room(traverser, count))
		return false;
	for (uint64_t i = 0; i < count; i++)
		put_stackref(traverser, host_u64(words + i * WORD), address + i * WORD);
	return true;
}

/* How many locals and stack items are there: none while the frame runs, the registers have them. */
static bool frame_depth(struct traverser *traverser, uint64_t frame, uint64_t *count)
{
	const struct layout *layout = traverser->layout;
	uint64_t first = frame + layout->_PyInterpreterFrame_localsplus, top;
	uint32_t stacktop;

	*count = 0;
	if (layout_has(layout->_PyInterpreterFrame_stackpointer)) {
		if (!reader_u64(&traverser->reader,
				frame + layout->_PyInterpreterFrame_stackpointer, &top))
			return false;
		if (top > first)
			*count = (top - first) / WORD;
		return true;
	}
	if (!reader_u32(&traverser->reader, frame + layout->_PyInterpreterFrame_stacktop,
			&stacktop))
		return false;
	if ((int32_t)stacktop > 0)
		*count = stacktop;
	return true;
}

/* _PyFrame_Traverse() */
static bool visit_interpreter_frame(struct traverser *traverser, uint64_t frame)
{
	const struct layout *layout = traverser->layout;
	bool tagged = layout_has(layout->_PyInterpreterFrame_stackpointer);
	bool (*visit)(struct traverser *, uint64_t, uint64_t) =
		tagged ? visit_stackrefs : visit_words;
	uint64_t count;

	return frame_depth(traverser, frame, &count) &&
	       visit_word(traverser, frame + layout->_PyInterpreterFrame_frame_obj) &&
	       visit_word(traverser, frame + layout->_PyInterpreterFrame_f_locals) &&
	       visit(traverser, frame + layout->_PyInterpreterFrame_f_funcobj, 1) &&
	       visit(traverser, frame + layout->_PyInterpreterFrame_f_executable, 1) &&
	       visit(traverser, frame + layout->_PyInterpreterFrame_localsplus, count);
}

/*
 * Frame objects
 */

/* 3.8-3.10: the value stack begins behind the locals, cells and free variables. */
static bool visit_old_frame(struct traverser *traverser, uint64_t object)
{
	uint64_t locals = object + traverser->layout->PyFrameObject_f_localsplus, stack, top;

	return frame_value_stack(traverser->runtime, &traverser->reader, object, &stack, &top) &&
	       visit_words(traverser, locals, (stack - locals) / WORD) &&
	       (!top || visit_words(traverser, stack, (top - stack) / WORD));
}

static enum traverse_result decode_frame(struct traverser *traverser, const struct plan *plan,
					 uint64_t object)
{
	const struct layout *layout = traverser->layout;
	uint64_t frame;
	uint8_t owner;

	(void)plan;
	if (!layout_has(layout->PyFrameObject_f_frame))
		return exact_if(visit_old_frame(traverser, object));
	if (!reader_u64(&traverser->reader, object + layout->PyFrameObject_f_frame, &frame) ||
	    !reader_u8(&traverser->reader, frame + layout->_PyInterpreterFrame_owner, &owner))
		return TRAVERSE_DAMAGED;
	return exact_if(owner != OWNED_BY_FRAME_OBJECT ||
			visit_interpreter_frame(traverser, frame));
}

/*
 * Generators
 */

static bool visit_exception_state(struct traverser *traverser, uint64_t object)
{
	const struct layout *layout = traverser->layout;

	if (!layout_has(layout->PyGenObject_exc_type))
		return visit_word(traverser, object + layout->PyGenObject_exc_value);
	return visit_word(traverser, object + layout->PyGenObject_exc_type) &&
	       visit_word(traverser, object + layout->PyGenObject_exc_value) &&
	       visit_word(traverser, object + layout->PyGenObject_exc_traceback);
}

/* A finished generator has no frame any more; 3.14+ still visits the code of it. */
static bool visit_generator_frame(struct traverser *traverser, uint64_t object)
{
	const struct layout *layout = traverser->layout;
	uint64_t frame = object + layout->PyGenObject_gi_iframe;
	uint8_t state;

	if (!layout_has(layout->PyGenObject_gi_iframe))
		return true;
	if (!reader_u8(&traverser->reader, object + layout->PyGenObject_gi_frame_state, &state))
		return false;
	if (state != traverser->frame_cleared)
		return visit_interpreter_frame(traverser, frame);
	return !layout_has(layout->_PyInterpreterFrame_stackpointer) ||
	       visit_stackrefs(traverser, frame + layout->_PyInterpreterFrame_f_executable, 1);
}

static enum traverse_result decode_generator(struct traverser *traverser, const struct plan *plan,
					     uint64_t object)
{
	(void)plan;
	return exact_if(visit_generator_frame(traverser, object) &&
			visit_exception_state(traverser, object));
}

/*
 * A generator that runs does not visit its locals: the collector takes what is on the stack for
 * reachable. They are owned all the same; its stack items are not known without the registers.
 */
bool generator_visit_running(struct traverser *traverser, uint64_t object)
{
	const struct layout *layout = traverser->layout;
	uint64_t frame = object + layout->PyGenObject_gi_iframe, code, count;
	uint32_t locals;
	uint8_t state;

	if (!layout_has(layout->PyGenObject_gi_iframe))
		return true;
	if (!reader_u8(&traverser->reader, object + layout->PyGenObject_gi_frame_state, &state) ||
	    !frame_depth(traverser, frame, &count))
		return false;
	if (state == traverser->frame_cleared || count)
		return true;
	if (!reader_u64(&traverser->reader, frame + layout->_PyInterpreterFrame_f_executable,
			&code) ||
	    !reader_u32(&traverser->reader,
			(code & ~(uint64_t)STACKREF_TAGS) + layout->PyCodeObject_co_nlocalsplus,
			&locals) ||
	    locals > INT16_MAX)
		return false;
	return layout_has(layout->_PyInterpreterFrame_stackpointer)
		       ? visit_stackrefs(traverser, frame + layout->_PyInterpreterFrame_localsplus,
					 locals)
		       : visit_words(traverser, frame + layout->_PyInterpreterFrame_localsplus,
				     locals);
}

/*
 * Sizes. From 3.11 on neither frames nor generators have an ob_size: it is the code object that
 * says how many words the locals and the stack need.
 */

static uint64_t frame_words(struct traverser *traverser, uint64_t frame)
{
	const struct layout *layout = traverser->layout;
	struct object_header header;
	uint32_t locals, stack;
	const struct type *type;
	uint64_t code;

	if (!reader_u64(&traverser->reader, frame + layout->_PyInterpreterFrame_f_executable,
			&code))
		return 0;
	code &= ~(uint64_t)STACKREF_TAGS;
	if (!object_header(traverser->runtime, &traverser->reader, code, &header))
		return 0;
	type = type_get(traverser->runtime->types, &traverser->reader, header.type);
	if (!type || strcmp(type->name, "code") ||
	    !reader_u32(&traverser->reader, code + layout->PyCodeObject_co_nlocalsplus, &locals) ||
	    !reader_u32(&traverser->reader, code + layout->PyCodeObject_co_stacksize, &stack))
		return 0;
	return (uint64_t)locals + stack;
}

static uint64_t frame_items(struct traverser *traverser, const struct plan *plan, uint64_t object)
{
	const struct layout *layout = traverser->layout;
	uint64_t frame, count;

	(void)plan;
	if (layout_has(layout->PyFrameObject_f_frame))
		return reader_u64(&traverser->reader, object + layout->PyFrameObject_f_frame,
				  &frame)
			       ? frame_words(traverser, frame)
			       : 0;
	reader_u64(&traverser->reader, object + layout->PyVarObject_ob_size, &count);
	return count;
}

static uint64_t generator_items(struct traverser *traverser, const struct plan *plan,
				uint64_t object)
{
	(void)plan;
	return frame_words(traverser, object + traverser->layout->PyGenObject_gi_iframe);
}

/*
 * Labels: local variables by their names in the code object.
 */

static bool label_local(struct traverser *traverser, uint64_t code, uint64_t first,
			const struct reference *reference, struct edge_label *label)
{
	uint64_t name;

	if (reference->slot < first)
		return false;
	label->kind = EDGE_LOCAL;
	name = code_slot_name(traverser->layout, &traverser->reader, code,
			      (reference->slot - first) / WORD);
	if (!name || !object_is_str(traverser->runtime, &traverser->reader, name) ||
	    !object_str(traverser->runtime, &traverser->reader, name, label->name,
			sizeof(label->name))) {
		label->kind = EDGE_INTERNAL;
		label_text(label, "stack");
	}
	return true;
}

bool label_interpreter_frame(struct traverser *traverser, uint64_t frame,
			     const struct reference *reference, struct edge_label *label)
{
	const struct layout *layout = traverser->layout;
	const struct {
		uint32_t offset;
		const char *name;
	} members[] = {
		{layout->_PyInterpreterFrame_frame_obj, "frame_obj"},
		{layout->_PyInterpreterFrame_f_locals, "f_locals"},
		{layout->_PyInterpreterFrame_f_funcobj, "f_func"},
		{layout->_PyInterpreterFrame_f_executable, "f_code"},
	};
	uint64_t code;

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (reference->slot == frame + members[i].offset) {
			label->kind = EDGE_INTERNAL;
			label_text(label, members[i].name);
			return true;
		}
	return reader_u64(&traverser->reader, frame + layout->_PyInterpreterFrame_f_executable,
			  &code) &&
	       label_local(traverser, code & ~(uint64_t)STACKREF_TAGS,
			   frame + layout->_PyInterpreterFrame_localsplus, reference, label);
}

static bool label_frame(struct traverser *traverser, const struct plan *plan, uint64_t object,
			const struct reference *reference, struct edge_label *label)
{
	const struct layout *layout = traverser->layout;
	uint64_t word;

	(void)plan;
	if (layout_has(layout->PyFrameObject_f_frame))
		return reader_u64(&traverser->reader, object + layout->PyFrameObject_f_frame,
				  &word) &&
		       label_interpreter_frame(traverser, word, reference, label);
	return reader_u64(&traverser->reader, object + layout->PyFrameObject_f_code, &word) &&
	       label_local(traverser, word, object + layout->PyFrameObject_f_localsplus, reference,
			   label);
}

static bool label_generator(struct traverser *traverser, const struct plan *plan, uint64_t object,
			    const struct reference *reference, struct edge_label *label)
{
	const struct layout *layout = traverser->layout;

	(void)plan;
	if (reference->slot == object + layout->PyGenObject_exc_value) {
		label->kind = EDGE_INTERNAL;
		label_text(label, "exc_value");
		return true;
	}
	return layout_has(layout->PyGenObject_gi_iframe) &&
	       label_interpreter_frame(traverser, object + layout->PyGenObject_gi_iframe, reference,
				       label);
}

const struct decoder frame_decoders[] = {
	{
		.name = "frame",
		.symbols = "PyFrame_Type",
		.types = "frame",
		FIELDS(frame_fields),
		.decode = decode_frame,
		.label = label_frame,
		.items = frame_items,
	},
	{
		.name = "generator",
		.symbols = "PyGen_Type PyCoro_Type",
		.types = "generator|coroutine",
		FIELDS(generator_fields),
		.decode = decode_generator,
		.label = label_generator,
		.items = generator_items,
	},
	{
		.name = "async_generator",
		.symbols = "PyAsyncGen_Type",
		.types = "async_generator",
		FIELDS(async_generator_fields),
		.decode = decode_generator,
		.label = label_generator,
		.items = generator_items,
	},
	{
		.name = "coroutine_wrapper",
		.symbols = "_PyCoroWrapper_Type",
		.types = "coroutine_wrapper",
		FIELDS(coroutine_wrapper_fields),
	},
	{
		.name = "async_generator_asend",
		.symbols = "_PyAsyncGenASend_Type",
		.types = "async_generator_asend",
		FIELDS(asend_fields),
	},
	{
		.name = "async_generator_athrow",
		.symbols = "_PyAsyncGenAThrow_Type",
		.types = "async_generator_athrow",
		FIELDS(athrow_fields),
	},
	{
		.name = "async_generator_wrapped_value",
		.symbols = "_PyAsyncGenWrappedValue_Type",
		.types = "async_generator_wrapped_value",
		FIELDS(wrapped_value_fields),
	},
	{.name = "anext_awaitable", .types = "anext_awaitable", FIELDS(anext_fields)},
	{
		.name = "traceback",
		.symbols = "PyTraceBack_Type",
		.types = "traceback",
		FIELDS(traceback_fields),
	},
	{
		.name = "FrameLocalsProxy",
		.symbols = "PyFrameLocalsProxy_Type",
		.types = "FrameLocalsProxy",
		FIELDS(locals_proxy_fields),
	},
	{0},
};
