/**
 * @file
 * Frames: which function runs or waits, where in it, with which variables.
 *
 * Up to 3.10 a frame is an object. From 3.11 on it is a _PyInterpreterFrame, on a thread's data
 * stack, in a generator or in a frame object (Include/internal/pycore_frame.h,
 * pycore_interpframe_structs.h).
 */
#ifndef PYMEM_CPYTHON_FRAME_H
#define PYMEM_CPYTHON_FRAME_H

#include "cpython/object.h"

/** A frame. */
struct frame {
	uint64_t address; /**< of the frame object up to 3.10, then of the _PyInterpreterFrame */
	uint64_t object;  /**< the frame object; 0: none was made */
	uint64_t code;
	int64_t offset;	   /**< of the last instruction, in bytes; below 0: not begun */
	uint64_t previous; /**< the caller's address; 0: none. Of a suspended generator's it means
			      nothing */
	bool is_hidden; /**< Python shows it to nobody: an entry from C (3.12+), or not begun yet.
			   Only `previous` is set then */
};

/** Reads a frame. @return false if there is none: unreadable, or its code is no code object */
bool frame_read(const struct runtime *runtime, struct reader *reader, uint64_t address,
		struct frame *frame);

/**
 * Up to 3.10: where the value stack of a frame object begins, and where what is on it ends. What
 * stands behind is of the block's last owner or of values long gone (Objects/frameobject.c
 * frame_traverse).
 * @param top set to 0 while the frame runs: only the C code knows it then
 * @return false if they are not readable or make no sense
 */
bool frame_value_stack(const struct runtime *runtime, struct reader *reader, uint64_t object,
		       uint64_t *bottom, uint64_t *top) __attribute__((warn_unused_result));

/** The frame behind a frame object. @return its address; 0: damaged */
uint64_t frame_of_object(const struct runtime *runtime, struct reader *reader, uint64_t object);

/** Its line as f_lineno gives it, LINE_NONE (line_table.h) if it has none. */
int32_t frame_line(const struct runtime *runtime, struct reader *reader, const struct frame *frame);

/**
 * Where an exception was raised: the last entry of its traceback.
 * @return false if it has none, or is damaged
 */
bool exception_origin(const struct runtime *runtime, struct reader *reader, uint64_t exception,
		      uint64_t *code, int32_t *line);

/** What a generator, coroutine or async generator is doing. */
enum generator_state {
	GENERATOR_CREATED,   /**< not begun */
	GENERATOR_SUSPENDED, /**< at a yield or an await */
	GENERATOR_RUNNING,
	GENERATOR_FINISHED, /**< it has no frame any more */
	GENERATOR_DAMAGED,
};

/** The state of a generator, coroutine or async generator. */
enum generator_state generator_state(const struct runtime *runtime, struct reader *reader,
				     uint64_t generator);

/** The address of its frame, for frame_read(). @return 0: none */
uint64_t generator_frame(const struct runtime *runtime, struct reader *reader, uint64_t generator);

/** What it waits for: gi_yieldfrom, cr_await, ag_await (Objects/genobject.c _PyGen_yf()).
 * @return 0: nothing */
uint64_t generator_awaits(const struct runtime *runtime, struct reader *reader, uint64_t generator);

/** The gi_frame_state of a finished generator (3.11+): FRAME_CLEARED. */
uint8_t generator_cleared(const struct runtime *runtime);

/** The i-th name that a code object has for the slots of its frame. @return a str; 0: behind the
 * last, or damaged */
uint64_t code_slot_name(const struct layout *layout, struct reader *reader, uint64_t code,
			uint64_t i);

/** One variable of a frame that has a value. */
struct local {
	char name[96];	/**< UTF-8, cut with "…" */
	uint64_t value; /**< the object; of a variable that is shared with other functions the
			   content of its cell */
};

/** Goes through the variables of one frame. Members are internal. */
struct locals {
	const struct runtime *runtime;
	struct reader *reader;
	uint64_t code, slots;
	uint64_t next, count, plain; /**< of the slots the first are no cells, up to 3.10 */
	struct dict_view names;	     /**< of code whose variables are in a dict: a class body */
};

/**
 * Starts at the first variable, in the order of f_locals: the arguments, then the others. A
 * module's are its globals; they are left out.
 */
void locals_begin(struct locals *locals, const struct runtime *runtime, struct reader *reader,
		  const struct frame *frame);

/** The next variable. @return false behind the last */
bool locals_next(struct locals *locals, struct local *local);

#endif
