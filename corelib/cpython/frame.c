/* Frames of all releases, and the generators that own some of them. */
#include "cpython/frame.h"

#include "cpython/line_table.h"
#include "cpython/type.h"

#include <string.h>

enum {
	WORD = sizeof(uint64_t),
	CODE_UNIT = 2, /* bytes of an instruction with its argument */
	TRACEBACKS_MAX = 1 << 20,

	/* enum _frameowner, 3.12+: 3 and 4 are the interpreter's own entries from C */
	OWNED_BY_GENERATOR = 1,
	OWNED_BY_ENTRY = 3,

	OPCODE_YIELD_FROM = 72,	     /* Include/opcode.h, 3.8-3.10 */
	RESUME_AFTER_YIELD_FROM = 2, /* argument of RESUME, and 3 after an await; 3.11, 3.12 */
};

/* Tags of _PyStackRef, 3.14+. */
#define TAGS UINT64_C(7)

/** The numbers that tell what a generator is doing (enum _framestate). */
struct frame_states {
	int minor; /**< from this release on */
	int8_t created, suspended, suspended_yield_from, executing, cleared;
	bool tells_yield_from;	  /**< suspended up to suspended_yield_from: two states */
	uint8_t awaited_on_stack; /**< what it waits for is this far from the top of its stack */
};

static const struct frame_states frame_states[] = {
	{15, .created = 0, .suspended = 1, .suspended_yield_from = 2, .executing = 4, .cleared = 5,
	 .tells_yield_from = true, .awaited_on_stack = 2}, /* an index is above it */
	{13, .created = -3, .suspended = -2, .suspended_yield_from = -1, .executing = 0,
	 .cleared = 4, .tells_yield_from = true, .awaited_on_stack = 1},
	{0, .created = -2, .suspended = -1, .suspended_yield_from = -1, .executing = 0,
	 .cleared = 4, .awaited_on_stack = 1},
};

static const struct frame_states *states_of(const struct runtime *runtime)
{
	const struct frame_states *states = frame_states;

	while (runtime->minor < states->minor)
		states++;
	return states;
}

uint8_t generator_cleared(const struct runtime *runtime)
{
	return (uint8_t)states_of(runtime)->cleared;
}

static bool is_code(const struct runtime *runtime, struct reader *reader, uint64_t object)
{
	struct object_header header;
	const struct type *type;

	if (!object || !object_header(runtime, reader, object, &header))
		return false;
	type = type_get(runtime->types, reader, header.type);
	return type && !strcmp(type->name, "code");
}

/* Up to 3.10. f_lasti counts bytes, and instructions in 3.10, where f_state came. */
static bool read_old(const struct runtime *runtime, struct reader *reader, struct frame *frame)
{
	const struct layout *layout = &runtime->layout;
	uint32_t lasti;

	frame->object = frame->address;
	if (!reader_u64(reader, frame->address + layout->PyFrameObject_f_code, &frame->code) ||
	    !reader_u64(reader, frame->address + layout->PyFrameObject_f_back, &frame->previous) ||
	    !reader_u32(reader, frame->address + layout->PyFrameObject_f_lasti, &lasti) ||
	    !is_code(runtime, reader, frame->code))
		return false;
	frame->offset = (int32_t)lasti;
	if (layout_has(layout->PyFrameObject_f_state))
		frame->offset *= CODE_UNIT;
	return true;
}

/* _PyFrame_IsIncomplete() */
static bool is_incomplete(const struct runtime *runtime, struct reader *reader,
			  const struct frame *frame, uint8_t owner)
{
	uint32_t first;

	return owner != OWNED_BY_GENERATOR &&
	       reader_u32(reader, frame->code + runtime->layout.PyCodeObject__co_firsttraceable,
			  &first) &&
	       frame->offset < (int64_t)first * CODE_UNIT;
}

bool frame_read(const struct runtime *runtime, struct reader *reader, uint64_t address,
		struct frame *frame)
{
	const struct layout *layout = &runtime->layout;
	uint64_t instruction;
	uint8_t owner;

	*frame = (struct frame){.address = address};
	if (layout_has(layout->PyFrameObject_f_lasti))
		return read_old(runtime, reader, frame);
	if (!reader_u8(reader, address + layout->_PyInterpreterFrame_owner, &owner) ||
	    !reader_u64(reader, address + layout->_PyInterpreterFrame_previous, &frame->previous))
		return false;
	frame->is_hidden = owner >= OWNED_BY_ENTRY;
	if (frame->is_hidden)
		return true;
	if (!reader_u64(reader, address + layout->_PyInterpreterFrame_f_executable, &frame->code) ||
	    !reader_u64(reader, address + layout->_PyInterpreterFrame_instr_ptr, &instruction) ||
	    !reader_u64(reader, address + layout->_PyInterpreterFrame_frame_obj, &frame->object))
		return false;
	frame->code &= ~TAGS;
	if (!is_code(runtime, reader, frame->code))
		return false;
	frame->offset =
		(int64_t)(instruction - frame->code - layout->PyCodeObject_co_code_adaptive);
	frame->is_hidden = is_incomplete(runtime, reader, frame, owner);
	return true;
}

uint64_t frame_of_object(const struct runtime *runtime, struct reader *reader, uint64_t object)
{
	uint64_t frame = object;

	if (layout_has(runtime->layout.PyFrameObject_f_frame))
		reader_u64(reader, object + runtime->layout.PyFrameObject_f_frame, &frame);
	return frame;
}

/* f_lineno is kept while the frame is traced, by pdb or coverage, and else counts for nothing. */
static int32_t traced_line(const struct layout *layout, struct reader *reader, uint64_t object)
{
	uint64_t trace;
	uint32_t line;

	if (!object || !reader_u32(reader, object + layout->PyFrameObject_f_lineno, &line))
		return 0;
	if (layout_has(layout->PyFrameObject_f_executing) &&
	    (!reader_u64(reader, object + layout->PyFrameObject_f_trace, &trace) || !trace))
		return 0;
	return (int32_t)line;
}

int32_t frame_line(const struct runtime *runtime, struct reader *reader, const struct frame *frame)
{
	int32_t line = traced_line(&runtime->layout, reader, frame->object);

	return line > 0 ? line : code_line(runtime, reader, frame->code, frame->offset);
}

/* Since 3.12 tb_lineno is -1 until somebody asks for it. */
static int32_t traceback_line(const struct runtime *runtime, struct reader *reader,
			      uint64_t traceback, uint64_t code)
{
	const struct layout *layout = &runtime->layout;
	uint32_t line, lasti;

	if (!reader_u32(reader, traceback + layout->PyTracebackObject_tb_lineno, &line) ||
	    !reader_u32(reader, traceback + layout->PyTracebackObject_tb_lasti, &lasti))
		return LINE_NONE;
	return (int32_t)line < 0 ? code_line(runtime, reader, code, (int32_t)lasti) : (int32_t)line;
}

bool exception_origin(const struct runtime *runtime, struct reader *reader, uint64_t exception,
		      uint64_t *code, int32_t *line)
{
	const struct layout *layout = &runtime->layout;
	uint64_t traceback, next, object;
	struct frame frame;

	if (!reader_u64(reader, exception + layout->PyBaseExceptionObject_traceback, &traceback) ||
	    !traceback)
		return false;
	for (int i = 0; i < TRACEBACKS_MAX; i++) {
		if (!reader_u64(reader, traceback + layout->PyTracebackObject_tb_next, &next) ||
		    !next)
			break;
		traceback = next;
	}
	if (!reader_u64(reader, traceback + layout->PyTracebackObject_tb_frame, &object) ||
	    !frame_read(runtime, reader, frame_of_object(runtime, reader, object), &frame) ||
	    !frame.code)
		return false;
	*code = frame.code;
	*line = traceback_line(runtime, reader, traceback, frame.code);
	return true;
}

/*
 * Generators
 */

static enum generator_state old_state(const struct runtime *runtime, struct reader *reader,
				      uint64_t frame)
{
	const struct layout *layout = &runtime->layout;
	uint32_t lasti;
	uint8_t state;

	if (!frame)
		return GENERATOR_FINISHED;
	if (layout_has(layout->PyFrameObject_f_state)) {
		const struct frame_states *states = states_of(runtime);

		if (!reader_u8(reader, frame + layout->PyFrameObject_f_state, &state))
			return GENERATOR_DAMAGED;
		if ((int8_t)state == states->created)
			return GENERATOR_CREATED;
		if ((int8_t)state == states->suspended)
			return GENERATOR_SUSPENDED;
		return (int8_t)state == states->executing ? GENERATOR_RUNNING : GENERATOR_FINISHED;
	}
	if (!reader_u8(reader, frame + layout->PyFrameObject_f_executing, &state) ||
	    !reader_u32(reader, frame + layout->PyFrameObject_f_lasti, &lasti))
		return GENERATOR_DAMAGED;
	if (state)
		return GENERATOR_RUNNING;
	return (int32_t)lasti < 0 ? GENERATOR_CREATED : GENERATOR_SUSPENDED;
}

uint64_t generator_frame(const struct runtime *runtime, struct reader *reader, uint64_t generator)
{
	const struct layout *layout = &runtime->layout;
	uint64_t frame;

	if (layout_has(layout->PyGenObject_gi_iframe))
		return generator + layout->PyGenObject_gi_iframe;
	reader_u64(reader, generator + layout->PyGenObject_gi_frame, &frame);
	return frame;
}

enum generator_state generator_state(const struct runtime *runtime, struct reader *reader,
				     uint64_t generator)
{
	const struct frame_states *states = states_of(runtime);
	const struct layout *layout = &runtime->layout;
	uint8_t byte;
	int8_t state;

	if (!layout_has(layout->PyGenObject_gi_iframe))
		return old_state(runtime, reader, generator_frame(runtime, reader, generator));
	if (!reader_u8(reader, generator + layout->PyGenObject_gi_frame_state, &byte))
		return GENERATOR_DAMAGED;
	state = (int8_t)byte;
	if (state == states->created)
		return GENERATOR_CREATED;
	if (state >= states->suspended && state < states->executing)
		return GENERATOR_SUSPENDED;
	return state == states->executing ? GENERATOR_RUNNING : GENERATOR_FINISHED;
}

bool frame_value_stack(const struct runtime *runtime, struct reader *reader, uint64_t object,
		       uint64_t *bottom, uint64_t *top)
{
	const struct layout *layout = &runtime->layout;
	uint32_t depth;

	*top = 0;
	if (!reader_u64(reader, object + layout->PyFrameObject_f_valuestack, bottom) ||
	    *bottom < object + layout->PyFrameObject_f_localsplus)
		return false;
	if (!layout_has(layout->PyFrameObject_f_stackdepth))
		return reader_u64(reader, object + layout->PyFrameObject_f_stacktop, top) &&
		       (!*top || *top >= *bottom);
	if (!reader_u32(reader, object + layout->PyFrameObject_f_stackdepth, &depth))
		return false;
	if ((int32_t)depth >= 0)
		*top = *bottom + (uint64_t)depth * WORD;
	return true;
}

/* 3.8-3.10: the instruction that comes next is YIELD_FROM, and what it waits for is on top. */
static uint64_t old_awaits(const struct runtime *runtime, struct reader *reader, uint64_t address)
{
	const struct layout *layout = &runtime->layout;
	struct frame frame;
	uint64_t code, bottom, top, result = 0;
	uint8_t opcode;

	if (!frame_read(runtime, reader, address, &frame) || frame.offset < 0 ||
	    !reader_u64(reader, frame.code + layout->PyCodeObject_co_code, &code) ||
	    !reader_u8(reader,
		       code + layout->PyBytesObject_ob_sval + (uint64_t)frame.offset + CODE_UNIT,
		       &opcode) ||
	    opcode != OPCODE_YIELD_FROM ||
	    !frame_value_stack(runtime, reader, address, &bottom, &top) || top <= bottom)
		return 0;
	reader_u64(reader, top - WORD, &result);
	return result;
}

/* Does a suspended generator wait for another: a state of its own from 3.13 on, before that told by
 * the argument of the RESUME that comes next. */
static bool is_delegating(const struct runtime *runtime, struct reader *reader, uint64_t generator)
{
	const struct frame_states *states = states_of(runtime);
	const struct layout *layout = &runtime->layout;
	uint64_t frame = generator + layout->PyGenObject_gi_iframe, instruction;
	uint8_t state, argument;

	if (states->tells_yield_from)
		return reader_u8(reader, generator + layout->PyGenObject_gi_frame_state, &state) &&
		       (int8_t)state >= states->suspended_yield_from &&
		       (int8_t)state < states->executing;
	return reader_u64(reader, frame + layout->_PyInterpreterFrame_instr_ptr, &instruction) &&
	       reader_u8(reader, instruction + CODE_UNIT + 1, &argument) &&
	       argument >= RESUME_AFTER_YIELD_FROM;
}

uint64_t generator_awaits(const struct runtime *runtime, struct reader *reader, uint64_t generator)
{
	const struct layout *layout = &runtime->layout;
	uint64_t frame = generator_frame(runtime, reader, generator), top, result;
	uint32_t stacktop;

	if (generator_state(runtime, reader, generator) != GENERATOR_SUSPENDED)
		return 0;
	if (!layout_has(layout->PyGenObject_gi_iframe))
		return old_awaits(runtime, reader, frame);
	if (!is_delegating(runtime, reader, generator))
		return 0;
	if (layout_has(layout->_PyInterpreterFrame_stackpointer)) {
		if (!reader_u64(reader, frame + layout->_PyInterpreterFrame_stackpointer, &top))
			return 0;
	} else {
		if (!reader_u32(reader, frame + layout->_PyInterpreterFrame_stacktop, &stacktop) ||
		    (int32_t)stacktop <= 0)
			return 0;
		top = frame + layout->_PyInterpreterFrame_localsplus + (uint64_t)stacktop * WORD;
	}
	reader_u64(reader, top - (uint64_t)states_of(runtime)->awaited_on_stack * WORD, &result);
	return result & ~TAGS;
}
