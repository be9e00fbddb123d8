/**
 * @file
 * Stacks, shown: frames with their variables, in Python's own form.
 */
#ifndef PYMEM_COMMAND_STACK_VIEW_H
#define PYMEM_COMMAND_STACK_VIEW_H

#include "command/document.h"
#include "command/json_text.h"
#include "command/screen.h"
#include "command/session.h"

/** Prints the frames, most recent last; runs of the same frame once. Long stacks are cut in the
 * middle. */
void stack_text(const struct session *session, const struct stack *stack, unsigned indent,
		struct screen *screen);

/** Prints an exception and those that it came up while handling, each with where it was raised. */
void exception_text(const struct session *session, uint64_t exception, unsigned indent,
		    struct screen *screen);

/** Sets "frames", the newest that --limit allows, and "frames_total" and "damaged". */
void stack_json(const struct session *session, const struct stack *stack, struct document *document,
		json_t *object);

/** Sets "exception" to an object: type, address, repr, file, line, function, context. */
void exception_json(const struct session *session, uint64_t exception, struct document *document,
		    json_t *object);

/** Writes "json/decoder.py:353 raw_decode" for the newest frame; "" for an empty stack. */
void stack_newest(const struct session *session, const struct stack *stack, char *text,
		  size_t size);

/** The same for the oldest one: what a task was made of. */
void stack_oldest(const struct session *session, const struct stack *stack, char *text,
		  size_t size);

#endif
