/*
 * Items in expressions: of dicts, sets, sequences. A key that has no literal, and keys themselves,
 * are counted; a set has nothing but the order of its table.
 */
#include "traverse/expression_private.h"

#include "traverse/literal.h"
#include "traverse/lookup.h"
#include "traverse/title.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

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
		expression_prepend(expression, is_key ? "list(dict.keys(" : "list(dict.values(");
		expression_append(expression, "))");
	} else {
		expression_prepend(expression, "list(");
		expression_append(expression, is_key ? ")" : ".values())");
	}
	expression_format(expression, "[%" PRIu64 "]", position);
}

void expression_item(struct expression *expression, const char *class, const char *index)
{
	char piece[LITERAL_MAX + 8];

	if (!class) {
		expression_append(expression, "[");
		expression_append(expression, index);
		expression_append(expression, "]");
		return;
	}
	expression_prepend(expression, ".__getitem__(");
	expression_prepend(expression, class);
	snprintf(piece, sizeof(piece), ", %s)", index);
	expression_append(expression, piece);
}

/* 3.15: an import that is done when somebody asks the module for it. */
static bool is_lazy(struct traverser *traverser, uint64_t value)
{
	struct object_header header;
	const struct type *type;

	if (!object_header(traverser->runtime, &traverser->reader, value, &header))
		return false;
	type = type_get(traverser->runtime->types, &traverser->reader, header.type);
	return type && !(type->flags & TPFLAGS_HEAPTYPE) && !strcmp(type->name, "lazy_import");
}

/* `instance.name` for an item of the pending __dict__, `Class.name` for one of a class's. */
static bool write_attribute(struct traverser *traverser, struct expression *expression,
			    uint64_t key, uint64_t value)
{
	const struct type *type = expression->holder_type;
	char name[64];

	if (!object_is_str(traverser->runtime, &traverser->reader, key) ||
	    !object_str(traverser->runtime, &traverser->reader, key, name, sizeof(name)) ||
	    !is_identifier(name) || is_lazy(traverser, value))
		return false;
	if (expression->pending == PENDING_DICT
		    ? attribute_lookup(traverser, type, name) != LOOKUP_NONE
		    : !class_value_is_plain(traverser, type, value, name))
		return false;
	expression->pending = PENDING_NONE;
	expression_append(expression, ".");
	expression_append(expression, name);
	return true;
}

/* The name under which a module stands in sys.modules is shown even where values are hidden. */
static bool module_literal(struct traverser *traverser, uint64_t key, uint64_t value, char *literal,
			   size_t size)
{
	struct object_header header;
	const struct type *type;
	char name[128], title[128];

	return object_header(traverser->runtime, &traverser->reader, value, &header) &&
	       (type = type_get(traverser->runtime->types, &traverser->reader, header.type)) &&
	       !strcmp(type->name, "module") &&
	       object_title(traverser, value, type, title, sizeof(title)) &&
	       object_is_str(traverser->runtime, &traverser->reader, key) &&
	       object_str(traverser->runtime, &traverser->reader, key, name, sizeof(name)) &&
	       !strcmp(name, title) && text_literal(name, literal, size);
}

bool expression_dict(struct traverser *traverser, struct expression *expression, uint64_t object,
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
		expression_append(expression, ".__dict__");
	} else {
		expression_settle(traverser, expression);
	}
	/* An OrderedDict has an order of its own. */
	overridden =
		(type->flags & TPFLAGS_HEAPTYPE) || !strcmp(type->name, "collections.OrderedDict");
	if (is_key || (!object_literal(traverser, key, literal, sizeof(literal)) &&
		       !module_literal(traverser, key, value, literal, sizeof(literal))))
		write_position(expression, overridden, is_key,
			       entries_before(traverser, &view, entry));
	else
		expression_item(expression,
				class_overrides(traverser, type, "dict", "__getitem__") ? "dict"
											: NULL,
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

bool expression_set(struct traverser *traverser, struct expression *expression, uint64_t object,
		    const struct type *type, const struct reference *reference)
{
	const char *class = set_class(type);
	uint64_t position;

	if (!class || !elements_before(traverser, object, type, reference->slot, &position))
		return false;
	if (type->flags & TPFLAGS_HEAPTYPE) {
		expression_prepend(expression, ".__iter__(");
		expression_prepend(expression, class);
		expression_append(expression, ")");
	}
	expression_prepend(expression, "list(");
	expression_format(expression, ")[%" PRIu64 "]", position);
	return true;
}

/* @return false if there is no index for it */
bool expression_index(struct traverser *traverser, struct expression *expression, uint64_t object,
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
		expression_append(expression, ".ravel('K')");
		class = "";
	} else {
		class = "collections.deque";
		for (const struct type *base = type; strcmp(base->name, class); base = base->base)
			if (!base->base)
				return false;
	}
	if (!*class)
		expression_item(expression, NULL, text);
	else
		expression_item(
			expression,
			class_overrides(traverser, type, class, "__getitem__") ? class : NULL,
			text);
	return true;
}
