/*
 * Writing an expression step by step. Some objects have no syntax of their own but what follows
 * has: an instance's __dict__ is left out of `instance.name`, the dict of a class cannot be had but
 * its items can, and a frame's f_locals leads through cells. Such an object is *pending* until the
 * next step says how it is written.
 */
#include "traverse/expression_private.h"

#include "traverse/lookup.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { PIECE_MAX = LITERAL_MAX + 128, STEPS_MAX = 400 };

/* Gives up: what is written stays, the rest is left out. */
void expression_fail(struct expression *expression)
{
	expression->failed = true;
	expression->evaluable = false;
}

static bool reserve(struct expression *expression, size_t more)
{
	size_t capacity = expression->capacity ? expression->capacity : 128;
	char *text;

	if (expression->failed)
		return false;
	if (expression->length + more >= EXPRESSION_MAX) {
		expression_fail(expression);
		return false;
	}
	if (expression->length + more < expression->capacity)
		return true;
	while (capacity <= expression->length + more)
		capacity *= 2;
	text = realloc(expression->text, capacity);
	if (!text) {
		expression_fail(expression);
		return false;
	}
	expression->text = text;
	expression->capacity = capacity;
	return true;
}

void expression_append(struct expression *expression, const char *text)
{
	size_t length = strlen(text);

	if (!reserve(expression, length))
		return;
	memcpy(expression->text + expression->length, text, length + 1);
	expression->length += length;
}

void expression_format(struct expression *expression, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

void expression_format(struct expression *expression, const char *format, ...)
{
	char piece[PIECE_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(piece, sizeof(piece), format, arguments);
	va_end(arguments);
	expression_append(expression, piece);
}

/* Puts text in front of what is written. */
void expression_prepend(struct expression *expression, const char *text)
{
	size_t length = strlen(text);

	if (!reserve(expression, length))
		return;
	memmove(expression->text + length, expression->text, expression->length + 1);
	memcpy(expression->text, text, length);
	expression->length += length;
}

/*
 * What has no syntax
 */

/* Is it among what gc.get_referents() gives of the object? */
static bool is_visited(struct traverser *traverser, uint64_t object, const struct type *type,
		       uint64_t target)
{
	const struct reference *references;
	size_t count;

	if (!type->traverse ||
	    !type_object_is_gc(traverser->runtime, &traverser->reader, type, object))
		return false;
	traverse_object(traverser, object, type, &references, &count);
	for (size_t i = 0; i < count; i++)
		if (references[i].target == target)
			return true;
	return false;
}

static void write_referent(struct expression *expression, uint64_t target)
{
	expression_prepend(expression, "next(x for x in gc.get_referents(");
	expression_format(expression, ") if id(x) == 0x%" PRIx64 ")", target);
}

static void write_words(struct expression *expression, const char *what, const struct type *type)
{
	expression->evaluable = false;
	expression_prepend(expression, " of ");
	expression_prepend(expression, what);
	expression_prepend(expression, "(");
	expression_format(expression, ", a %.100s)", type ? type->name : "damaged object");
}

/* The last resort: by address, or in words. */
static void write_other(struct traverser *traverser, struct expression *expression, uint64_t object,
			const struct type *type, uint64_t target, const char *what)
{
	if (is_visited(traverser, object, type, target))
		write_referent(expression, target);
	else
		write_words(expression, what, type);
}

/*
 * Pending
 */

void expression_set_pending(struct expression *expression, enum expression_pending pending,
			    uint64_t holder, const struct type *type, uint64_t target)
{
	expression->pending = pending;
	expression->holder = holder;
	expression->holder_type = type;
	expression->target = target;
}

/* Writes the __dict__ of an instance out. Some C types have one and do not show it. */
static void write_dict(struct traverser *traverser, struct expression *expression)
{
	switch (attribute_lookup(traverser, expression->holder_type, "__dict__")) {
	case LOOKUP_DATA:
		expression_append(expression, ".__dict__");
		break;
	case LOOKUP_NONE:
		write_other(traverser, expression, expression->holder, expression->holder_type,
			    expression->target, "__dict__");
		break;
	case LOOKUP_OTHER:
		expression_prepend(expression, "object.__getattribute__(");
		expression_append(expression, ", '__dict__')");
		break;
	}
}

/* Writes what is pending out, as something that stands for the object itself. */
void expression_settle(struct traverser *traverser, struct expression *expression)
{
	enum expression_pending pending = expression->pending;

	expression->pending = PENDING_NONE;
	switch (pending) {
	case PENDING_NONE:
		break;
	case PENDING_DICT:
		write_dict(traverser, expression);
		break;
	case PENDING_CLASS:
		/* What __dict__ gives is a mappingproxy, and that refers to the dict alone. */
		expression_append(expression, ".__dict__");
		expression_prepend(expression, "gc.get_referents(");
		expression_append(expression, ")[0]");
		break;
	case PENDING_NAMES:
		write_words(expression, "co_localsplusnames", expression->holder_type);
		break;
	case PENDING_CELL:
		if (expression->holder_type)
			write_other(traverser, expression, expression->holder,
				    expression->holder_type, expression->target, "a cell");
		else
			write_words(expression, "a cell", NULL);
		break;
	}
}

/*
 * The ways in
 */

static bool step_label(struct traverser *traverser, struct expression *expression, uint64_t object,
		       const struct type *type, const struct reference *reference,
		       const struct edge_label *label)
{
	switch (label->kind) {
	case EDGE_ATTRIBUTE:
		if (strcmp(label->name, "__dict__"))
			return expression_attribute(traverser, expression, object, type, reference,
						    label->name);
		expression_set_pending(expression,
				       type->flags & TPFLAGS_TYPE_SUBCLASS ? PENDING_CLASS
									   : PENDING_DICT,
				       object, type, reference->target);
		return true;
	case EDGE_INDEX:
		return expression_index(traverser, expression, object, type, label->index);
	case EDGE_INTERNAL:
		return expression_internal(expression, object, type, reference, label->name);
	case EDGE_LOCAL:
		return expression_local(traverser, expression, object, type, reference,
					label->name);
	case EDGE_TYPE:
		expression_prepend(expression, "type(");
		expression_append(expression, ")");
		return true;
	case EDGE_KEY:
	case EDGE_UNKNOWN:
		break;
	}
	return false;
}

void expression_begin(struct expression *expression, const char *root, bool evaluable)
{
	*expression = (struct expression){.evaluable = evaluable};
	expression_append(expression, root);
}

void expression_variable(struct traverser *traverser, struct expression *expression,
			 const char *name, uint64_t target)
{
	if (!expression_write_variable(traverser, expression, "", name, 0, NULL, target))
		write_words(expression, "a variable", NULL);
}

void expression_step(struct traverser *traverser, struct expression *expression, uint64_t object,
		     const struct type *type, const struct reference *reference)
{
	struct edge_label label;

	if (expression->steps++ == STEPS_MAX) {
		expression_append(expression, "...");
		expression_fail(expression);
	}
	if (expression->failed || !type) {
		expression->evaluable = false;
		return;
	}
	if ((type->flags & TPFLAGS_DICT_SUBCLASS) &&
	    expression_dict(traverser, expression, object, type, reference))
		return;
	edge_label(traverser, object, type, reference, &label);
	if (expression->pending == PENDING_CELL && !strcmp(label.name, "cell_contents")) {
		expression->pending = PENDING_NONE;
		expression_append(expression, expression->variable);
		return;
	}
	if (expression->pending == PENDING_NAMES && label.kind == EDGE_INDEX &&
	    expression_name(traverser, expression, label.index))
		return;
	expression_settle(traverser, expression);
	if (label.kind == EDGE_INTERNAL && !strcmp(label.name, "element") &&
	    expression_set(traverser, expression, object, type, reference))
		return;
	if (!step_label(traverser, expression, object, type, reference, &label))
		write_other(traverser, expression, object, type, reference->target,
			    *label.name ? label.name : "a reference");
}

void expression_end(struct traverser *traverser, struct expression *expression)
{
	expression_settle(traverser, expression);
}

unsigned expression_cost(struct traverser *traverser, uint64_t object, const struct type *type,
			 const struct reference *reference)
{
	struct expression one = {0};
	unsigned cost;

	expression_begin(&one, "x", true);
	expression_step(traverser, &one, object, type, reference);
	if (!one.evaluable)
		cost = EXPRESSION_COST_STEP + EXPRESSION_COST_WORDS;
	else if (one.pending == PENDING_DICT || one.pending == PENDING_CLASS)
		cost = 0;
	else if (one.pending != PENDING_NONE)
		cost = EXPRESSION_COST_STEP + 1;
	else if (!strncmp(one.text, "x.__", 4))
		cost = EXPRESSION_COST_STEP + 2;
	else if (*one.text == 'x')
		cost = EXPRESSION_COST_STEP;
	else
		cost = EXPRESSION_COST_STEP + (strstr(one.text, "get_referents") ? 8 : 3);
	expression_clear(&one);
	return cost;
}

void expression_clear(struct expression *expression)
{
	free(expression->text);
	*expression = (struct expression){0};
}
