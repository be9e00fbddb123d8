/*
 * Writing an expression step by step. Some objects have no syntax of their own but what follows
 * has: an instance's __dict__ is left out of `instance.name`, the dict of a class cannot be had but
 * its items can, and a frame's f_locals leads through cells. Such an object is *pending* until the
 * next step says how it is written.
 */
#include "traverse/expression.h"

#include "traverse/lookup.h"
#include "traverse/decoder.h"
#include "traverse/literal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { LITERAL_MAX = 1024, PIECE_MAX = LITERAL_MAX + 128, STEPS_MAX = 400 };

/* Gives up: what is written stays, the rest is left out. */
static void fail(struct expression *expression)
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
		fail(expression);
		return false;
	}
	if (expression->length + more < expression->capacity)
		return true;
	while (capacity <= expression->length + more)
		capacity *= 2;
	text = realloc(expression->text, capacity);
	if (!text) {
		fail(expression);
		return false;
	}
	expression->text = text;
	expression->capacity = capacity;
	return true;
}

static void append(struct expression *expression, const char *text)
{
	size_t length = strlen(text);

	if (!reserve(expression, length))
		return;
	memcpy(expression->text + expression->length, text, length + 1);
	expression->length += length;
}

static void append_format(struct expression *expression, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void append_format(struct expression *expression, const char *format, ...)
{
	char piece[PIECE_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(piece, sizeof(piece), format, arguments);
	va_end(arguments);
	append(expression, piece);
}

/* Puts text in front of what is written. */
static void prepend(struct expression *expression, const char *text)
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
	prepend(expression, "next(x for x in gc.get_referents(");
	append_format(expression, ") if id(x) == 0x%" PRIx64 ")", target);
}

static void write_words(struct expression *expression, const char *what, const struct type *type)
{
	expression->evaluable = false;
	prepend(expression, " of ");
	prepend(expression, what);
	prepend(expression, "(");
	append_format(expression, ", a %.100s)", type ? type->name : "damaged object");
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

static void set_pending(struct expression *expression, enum expression_pending pending,
			uint64_t holder, const struct type *type, uint64_t target)
{
	expression->pending = pending;
	expression->holder = holder;
	expression->holder_type = type;
	expression->target = target;
}

/* Writes the __dict__ of an instance out. */
static void write_dict(struct traverser *traverser, struct expression *expression)
{
	if (attribute_lookup(traverser, expression->holder_type, "__dict__") == LOOKUP_DATA) {
		append(expression, ".__dict__");
		return;
	}
	prepend(expression, "object.__getattribute__(");
	append(expression, ", '__dict__')");
}

/* Writes what is pending out, as something that stands for the object itself. */
static void settle(struct traverser *traverser, struct expression *expression)
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
		append(expression, ".__dict__");
		prepend(expression, "gc.get_referents(");
		append(expression, ")[0]");
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
 * Dicts and sets
 */

/* How many entries of a dict before one are in use. */
static uint64_t entries_before(struct traverser *traverser, const struct dict_view *view,
			       uint64_t entry)
{
	uint64_t count = 0;

	for (uint64_t i = 0; i < entry; i++) {
		uint64_t key, value, slot;

		count += dict_entry(&traverser->reader, view, i, &key, &value, &slot);
	}
	return count;
}

/* `list(dict)[i]`: by position, for keys themselves and for values whose key has no literal. */
static void write_position(struct expression *expression, bool overridden, bool is_key,
			   uint64_t position)
{
	if (overridden) {
		prepend(expression, is_key ? "list(dict.keys(" : "list(dict.values(");
		append(expression, "))");
	} else {
		prepend(expression, "list(");
		append(expression, is_key ? ")" : ".values())");
	}
	append_format(expression, "[%" PRIu64 "]", position);
}

static void write_item(struct expression *expression, const char *class, const char *index)
{
	char piece[LITERAL_MAX + 8];

	if (!class) {
		append(expression, "[");
		append(expression, index);
		append(expression, "]");
		return;
	}
	prepend(expression, ".__getitem__(");
	prepend(expression, class);
	snprintf(piece, sizeof(piece), ", %s)", index);
	append(expression, piece);
}

/* `instance.name` for an item of the pending __dict__, `Class.name` for one of a class's. */
static bool write_attribute(struct traverser *traverser, struct expression *expression,
			    uint64_t key, uint64_t value)
{
	const struct type *type = expression->holder_type;
	char name[64];

	if (!object_is_str(traverser->runtime, &traverser->reader, key) ||
	    !object_str(traverser->runtime, &traverser->reader, key, name, sizeof(name)) ||
	    !is_identifier(name))
		return false;
	if (expression->pending == PENDING_DICT
		    ? attribute_lookup(traverser, type, name) != LOOKUP_NONE
		    : !class_value_is_plain(traverser, type, value, name))
		return false;
	expression->pending = PENDING_NONE;
	append(expression, ".");
	append(expression, name);
	return true;
}

/* @return false if the word is in no entry */
static bool step_dict(struct traverser *traverser, struct expression *expression, uint64_t object,
		      const struct type *type, const struct reference *reference)
{
	bool of_class = expression->pending == PENDING_CLASS, overridden, is_key;
	uint64_t entry, key, value, slot;
	char literal[LITERAL_MAX];
	struct dict_view view;

	if (!dict_open(traverser->runtime, &traverser->reader, object, &view) ||
	    !dict_slot(&view, reference->slot, &entry, &is_key) ||
	    !dict_entry(&traverser->reader, &view, entry, &key, &value, &slot))
		return false;
	if (!is_key && expression->pending != PENDING_NONE &&
	    write_attribute(traverser, expression, key, value))
		return true;
	if (of_class) {
		expression->pending = PENDING_NONE;
		append(expression, ".__dict__");
	} else {
		settle(traverser, expression);
	}
	overridden = type->flags & TPFLAGS_HEAPTYPE;
	if (is_key || !object_literal(traverser, key, literal, sizeof(literal)))
		write_position(expression, overridden, is_key,
			       entries_before(traverser, &view, entry));
	else
		write_item(expression,
			   class_overrides(traverser, type, "__getitem__") ? "dict" : NULL,
			   literal);
	return true;
}

/* The name of the builtin type that an object's type is, or is derived from; NULL: neither. */
static const char *set_class(const struct type *type)
{
	for (; type; type = type->base)
		if (!(type->flags & TPFLAGS_HEAPTYPE) &&
		    (!strcmp(type->name, "set") || !strcmp(type->name, "frozenset")))
			return type->name;
	return NULL;
}

/* How many elements of a set come before one: they are visited in the order of the table. */
static bool elements_before(struct traverser *traverser, uint64_t object, const struct type *type,
			    uint64_t slot, uint64_t *position)
{
	const struct reference *references;
	struct reference *copy;
	struct edge_label label;
	size_t count;

	traverse_object(traverser, object, type, &references, &count);
	copy = malloc((count + 1) * sizeof(*copy));
	if (!copy)
		return false;
	memcpy(copy, references, count * sizeof(*copy));
	*position = 0;
	/* A subclass has references of its own among them. */
	for (size_t i = 0; i < count && copy[i].slot != slot; i++) {
		edge_label(traverser, object, type, &copy[i], &label);
		*position += label.kind == EDGE_INTERNAL && !strcmp(label.name, "element");
	}
	free(copy);
	return true;
}

static bool step_set(struct traverser *traverser, struct expression *expression, uint64_t object,
		     const struct type *type, const struct reference *reference)
{
	const char *class = set_class(type);
	uint64_t position;

	if (!class || !elements_before(traverser, object, type, reference->slot, &position))
		return false;
	if (type->flags & TPFLAGS_HEAPTYPE) {
		prepend(expression, ".__iter__(");
		prepend(expression, class);
		append(expression, ")");
	}
	prepend(expression, "list(");
	append_format(expression, ")[%" PRIu64 "]", position);
	return true;
}

/*
 * The other kinds
 */

/* @return false if there is no index for it */
static bool step_index(struct traverser *traverser, struct expression *expression, uint64_t object,
		       const struct type *type, uint64_t index)
{
	bool is_list = type->flags & TPFLAGS_LIST_SUBCLASS;
	const char *class = is_list ? "list" : "tuple";
	const struct plan *plan = traverser_plan(traverser, type);
	uint64_t size;
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64, index);
	if (type->flags & (TPFLAGS_LIST_SUBCLASS | TPFLAGS_TUPLE_SUBCLASS)) {
		/* A struct sequence has items behind those that it shows. */
		if (!reader_u64(&traverser->reader, object + traverser->layout->PyVarObject_ob_size,
				&size) ||
		    index >= size)
			return false;
	} else if (plan && hidden_is_flat(traverser, plan, object)) {
		append(expression, ".ravel('K')");
		class = "";
	} else {
		class = "collections.deque";
		for (const struct type *base = type; strcmp(base->name, class); base = base->base)
			if (!base->base)
				return false;
	}
	if (!*class)
		write_item(expression, NULL, text);
	else
		write_item(expression,
			   class_overrides(traverser, type, "__getitem__") ? class : NULL, text);
	return true;
}

/* The letters that a generator's attributes begin with; NULL: it is none. */
static const char *generator_prefix(const struct type *type)
{
	static const struct {
		const char *type, *prefix;
	} prefixes[] = {{"generator", "gi"}, {"coroutine", "cr"}, {"async_generator", "ag"}};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (!strcmp(type->name, prefixes[i].type))
			return prefixes[i].prefix;
	return NULL;
}

/* Attributes of C whose name does not give the very object. */
static bool is_made_anew(struct traverser *traverser, const struct type *type, const char *name,
			 uint64_t target)
{
	struct object_header header;
	const struct type *of;

	if (!strcmp(name, "_callbacks") || !strncmp(type->name, "weakref.", 8) ||
	    !strcmp(type->name, "weakproxy") || !strcmp(type->name, "weakcallableproxy"))
		return strcmp(name, "__callback__") || strcmp(type->name, "weakref.ReferenceType");
	if (!strcmp(name, "__objclass__") && !strcmp(type->name, "builtin_method"))
		return true;
	if (strcmp(name, "__annotations__"))
		return false;
	/* A function has them as a tuple until somebody asks. */
	return !object_header(traverser->runtime, &traverser->reader, target, &header) ||
	       !(of = type_get(traverser->runtime->types, &traverser->reader, header.type)) ||
	       !(of->flags & TPFLAGS_DICT_SUBCLASS);
}

/* @return false if the attribute is not how people get the object */
static bool step_attribute(struct traverser *traverser, struct expression *expression,
			   uint64_t object, const struct type *type,
			   const struct reference *reference, const char *name)
{
	bool in_struct = reference->slot - object < (uint64_t)type->basicsize;
	enum lookup_result of_class = attribute_lookup(traverser, type, name);
	const char *prefix = generator_prefix(type);
	char literal[LITERAL_MAX];

	if (strlen(name) >= 64)
		return false;
	if (!in_struct) { /* a value of the instance's __dict__ */
		if (of_class == LOOKUP_NONE && is_identifier(name)) {
			append_format(expression, ".%s", name);
			return true;
		}
		if (!text_literal(name, literal, sizeof(literal)))
			return false;
		set_pending(expression, PENDING_DICT, object, type, 0);
		settle(traverser, expression);
		write_item(expression, NULL, literal);
		return true;
	}
	if (is_made_anew(traverser, type, name, reference->target) ||
	    ((type->flags & TPFLAGS_HEAPTYPE) && of_class != LOOKUP_DATA))
		return false;
	if (prefix && !strncmp(name, "gi_", 3))
		append_format(expression, ".%s%s", prefix, name + 2);
	else
		append_format(expression, ".%s", name);
	return true;
}

static bool is_cell(struct traverser *traverser, uint64_t object)
{
	struct object_header header;
	const struct type *type;

	if (!object_header(traverser->runtime, &traverser->reader, object, &header))
		return false;
	type = type_get(traverser->runtime->types, &traverser->reader, header.type);
	return type && !strcmp(type->name, "cell");
}

/* A variable, which f_locals has by name; through its cell, if it is in one. */
static bool write_variable(struct traverser *traverser, struct expression *expression,
			   const char *frame, const char *name, uint64_t object,
			   const struct type *type, uint64_t target)
{
	char literal[sizeof(expression->variable) - 32];

	if (!text_literal(name, literal, sizeof(literal)))
		return false;
	if (!is_cell(traverser, target)) {
		append_format(expression, "%s.f_locals[%s]", frame, literal);
		return true;
	}
	snprintf(expression->variable, sizeof(expression->variable), "%s.f_locals[%s]", frame,
		 literal);
	set_pending(expression, PENDING_CELL, object, type, target);
	return true;
}

static bool step_variable(struct traverser *traverser, struct expression *expression,
			  uint64_t object, const struct type *type,
			  const struct reference *reference, const char *name)
{
	const char *prefix = generator_prefix(type);
	char frame[16] = "";

	if (!prefix && strcmp(type->name, "frame"))
		return false;
	if (prefix)
		snprintf(frame, sizeof(frame), ".%s_frame", prefix);
	return write_variable(traverser, expression, frame, name, object, type, reference->target);
}

static bool step_internal(struct expression *expression, uint64_t object, const struct type *type,
			  const struct reference *reference, const char *name)
{
	const char *prefix = generator_prefix(type);

	if (!strcmp(name, "__dict__")) {
		set_pending(expression, PENDING_DICT, object, type, reference->target);
		return true;
	}
	if (prefix && !strcmp(name, "frame_obj"))
		append_format(expression, ".%s_frame", prefix);
	else if (prefix && !strcmp(name, "f_code"))
		append_format(expression, ".%s_code", prefix);
	else if (!strcmp(type->name, "frame") && !strcmp(name, "f_code"))
		append(expression, ".f_code");
	else
		return false;
	return true;
}

static bool step_label(struct traverser *traverser, struct expression *expression, uint64_t object,
		       const struct type *type, const struct reference *reference,
		       const struct edge_label *label)
{
	switch (label->kind) {
	case EDGE_ATTRIBUTE:
		if (strcmp(label->name, "__dict__"))
			return step_attribute(traverser, expression, object, type, reference,
					      label->name);
		set_pending(expression,
			    type->flags & TPFLAGS_TYPE_SUBCLASS ? PENDING_CLASS : PENDING_DICT,
			    object, type, reference->target);
		return true;
	case EDGE_INDEX:
		return step_index(traverser, expression, object, type, label->index);
	case EDGE_INTERNAL:
		return step_internal(expression, object, type, reference, label->name);
	case EDGE_LOCAL:
		return step_variable(traverser, expression, object, type, reference, label->name);
	case EDGE_TYPE:
		prepend(expression, "type(");
		append(expression, ")");
		return true;
	case EDGE_KEY:
	case EDGE_UNKNOWN:
		break;
	}
	return false;
}

/*
 * The ways in
 */

void expression_begin(struct expression *expression, const char *root, bool evaluable)
{
	*expression = (struct expression){.evaluable = evaluable};
	append(expression, root);
}

void expression_variable(struct traverser *traverser, struct expression *expression,
			 const char *name, uint64_t target)
{
	if (!write_variable(traverser, expression, "", name, 0, NULL, target))
		write_words(expression, "a variable", NULL);
}

void expression_step(struct traverser *traverser, struct expression *expression, uint64_t object,
		     const struct type *type, const struct reference *reference)
{
	struct edge_label label;

	if (expression->steps++ == STEPS_MAX) {
		append(expression, "...");
		fail(expression);
	}
	if (expression->failed || !type) {
		expression->evaluable = false;
		return;
	}
	if ((type->flags & TPFLAGS_DICT_SUBCLASS) &&
	    step_dict(traverser, expression, object, type, reference))
		return;
	edge_label(traverser, object, type, reference, &label);
	if (expression->pending == PENDING_CELL && !strcmp(label.name, "cell_contents")) {
		expression->pending = PENDING_NONE;
		append(expression, expression->variable);
		return;
	}
	settle(traverser, expression);
	if (label.kind == EDGE_INTERNAL && !strcmp(label.name, "element") &&
	    step_set(traverser, expression, object, type, reference))
		return;
	if (!step_label(traverser, expression, object, type, reference, &label))
		write_other(traverser, expression, object, type, reference->target,
			    *label.name ? label.name : "a reference");
}

void expression_end(struct traverser *traverser, struct expression *expression)
{
	settle(traverser, expression);
}

unsigned expression_cost(struct traverser *traverser, uint64_t object, const struct type *type,
			 const struct reference *reference)
{
	struct edge_label label;

	if (!type || !reference->slot)
		return 5;
	edge_label(traverser, object, type, reference, &label);
	switch (label.kind) {
	case EDGE_ATTRIBUTE:
	case EDGE_KEY:
	case EDGE_INDEX:
		return 0;
	case EDGE_LOCAL:
		return 1;
	case EDGE_TYPE:
		return 2;
	case EDGE_INTERNAL:
		return strcmp(label.name, "__dict__") ? 3 : 0;
	case EDGE_UNKNOWN:
		break;
	}
	return 4;
}

void expression_clear(struct expression *expression)
{
	free(expression->text);
	*expression = (struct expression){0};
}
