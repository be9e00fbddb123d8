/*
 * Attributes and variables in expressions: members of C structs by the names that Python code has
 * for them, variables through f_locals.
 */
#include "traverse/expression_private.h"

#include "traverse/literal.h"
#include "traverse/lookup.h"

#include <stdio.h>

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
/* A value of the instance's __dict__ that stands outside of it. */
static bool write_value(struct traverser *traverser, struct expression *expression, uint64_t object,
			const struct type *type, const char *name)
{
	char literal[LITERAL_MAX];

	if (attribute_lookup(traverser, type, name) == LOOKUP_NONE && is_identifier(name)) {
		expression_format(expression, ".%s", name);
		return true;
	}
	/* U+FFFD stands for what is no character. */
	if (strstr(name, "\xef\xbf\xbd") || !text_literal(name, literal, sizeof(literal)))
		return false;
	expression_set_pending(expression, PENDING_DICT, object, type, 0);
	expression_settle(traverser, expression);
	expression_item(expression, NULL, literal);
	return true;
}

bool expression_attribute(struct traverser *traverser, struct expression *expression,
			  uint64_t object, const struct type *type,
			  const struct reference *reference, const char *label)
{
	const char *prefix = generator_prefix(type);
	enum lookup_result of_class;
	char name[64];

	if (strlen(label) >= sizeof(name))
		return false;
	if (reference->slot - object >= (uint64_t)type->basicsize)
		return write_value(traverser, expression, object, type, label);
	if (prefix && !strncmp(label, "gi_", 3))
		snprintf(name, sizeof(name), "%s%s", prefix, label + 2);
	else
		snprintf(name, sizeof(name), "%s", label);
	of_class = attribute_lookup(traverser, type, name);
	if (is_made_anew(traverser, type, name, reference->target) || of_class == LOOKUP_NONE ||
	    ((type->flags & TPFLAGS_HEAPTYPE) && of_class != LOOKUP_DATA))
		return false;
	expression_format(expression, ".%s", name);
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
bool expression_write_variable(struct traverser *traverser, struct expression *expression,
			       const char *frame, const char *name, uint64_t object,
			       const struct type *type, uint64_t target)
{
	char literal[sizeof(expression->variable) - 32];

	if (!text_literal(name, literal, sizeof(literal)))
		return false;
	if (!is_cell(traverser, target)) {
		expression_format(expression, "%s.f_locals[%s]", frame, literal);
		return true;
	}
	snprintf(expression->variable, sizeof(expression->variable), "%s.f_locals[%s]", frame,
		 literal);
	expression_set_pending(expression, PENDING_CELL, object, type, target);
	return true;
}

bool expression_local(struct traverser *traverser, struct expression *expression, uint64_t object,
		      const struct type *type, const struct reference *reference, const char *name)
{
	const char *prefix = generator_prefix(type);
	char frame[16] = "";

	if (!prefix && strcmp(type->name, "frame"))
		return false;
	if (prefix)
		snprintf(frame, sizeof(frame), ".%s_frame", prefix);
	return expression_write_variable(traverser, expression, frame, name, object, type,
					 reference->target);
}

/* 3.11+: the names of locals come first among those of all variables. */
bool expression_name(struct traverser *traverser, struct expression *expression, uint64_t index)
{
	uint32_t locals;

	if (!reader_u32(&traverser->reader,
			expression->holder + traverser->layout->PyCodeObject_co_nlocals, &locals) ||
	    index >= locals)
		return false;
	expression->pending = PENDING_NONE;
	expression_format(expression, ".co_varnames[%u]", (unsigned)index);
	return true;
}

bool expression_internal(struct expression *expression, uint64_t object, const struct type *type,
			 const struct reference *reference, const char *name)
{
	const char *prefix = generator_prefix(type);

	if (!strcmp(name, "__dict__")) {
		expression_set_pending(expression, PENDING_DICT, object, type, reference->target);
		return true;
	}
	if (!strcmp(name, "co_localsplusnames")) {
		expression_set_pending(expression, PENDING_NAMES, object, type, reference->target);
		return true;
	}
	if (prefix && !strcmp(name, "frame_obj"))
		expression_format(expression, ".%s_frame", prefix);
	else if (prefix && !strcmp(name, "f_code"))
		expression_format(expression, ".%s_code", prefix);
	else if (!strcmp(type->name, "frame") && !strcmp(name, "f_code"))
		expression_append(expression, ".f_code");
	else
		return false;
	return true;
}
