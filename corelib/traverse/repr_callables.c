/*
 * repr of functions, classes, modules and other things that are mostly a name.
 */
#include "traverse/repr_private.h"
#include "traverse/title.h"

#include <inttypes.h>

enum { TITLE_SIZE = 256 };

static uint64_t member(struct repr *repr, uint64_t object, uint32_t offset)
{
	uint64_t value = 0;

	if (layout_has(offset))
		repr_u64(repr, object + offset, &value);
	return value;
}

/* Adds what people call it: "load (app/web.py:41)". */
static void add_title(struct repr *repr, uint64_t object, const struct type *type,
		      const char *before)
{
	char title[TITLE_SIZE];

	if (object_title(repr->traverser, object, type, title, sizeof(title))) {
		repr_add(repr, before);
		repr_add(repr, title);
	}
}

static bool repr_type_object(struct repr *repr, uint64_t object, const struct type *type)
{
	(void)type;
	const struct type *self =
		type_get(repr->traverser->runtime->types, &repr->traverser->reader, object);

	if (!self)
		return false;
	repr_addf(repr, "<class '%s'>", self->name);
	return true;
}

static bool repr_module(struct repr *repr, uint64_t object, const struct type *type)
{
	repr_add(repr, "<module");
	add_title(repr, object, type, " ");
	repr_add(repr, ">");
	return true;
}

static bool repr_function_object(struct repr *repr, uint64_t object, const struct type *type)
{
	repr_add(repr, "<function");
	add_title(repr, object, type, " ");
	repr_add_address(repr, object);
	repr_add(repr, ">");
	return true;
}

/* code, frame, generator and their like. */
static bool repr_titled(struct repr *repr, uint64_t object, const struct type *type)
{
	repr_addf(repr, "<%s", type->name);
	if (!strcmp(type->name, "code") || strstr(type->name, "gen") ||
	    !strcmp(type->name, "coroutine"))
		repr_add(repr, " object");
	add_title(repr, object, type, " ");
	repr_add_address(repr, object);
	repr_add(repr, ">");
	return true;
}

/* The object that something is bound to, one level down. */
static void add_bound(struct repr *repr, uint64_t object, uint64_t self)
{
	if (!repr_open(repr, object, "<>", "", 1))
		return;
	repr_value(repr, self);
	repr_close(repr);
}

static bool repr_method(struct repr *repr, uint64_t object, const struct type *type)
{
	uint64_t self = member(repr, object, repr->traverser->layout->PyMethodObject_im_self);
	const struct type *self_type = repr_type(repr, self);

	repr_add(repr, "<bound method");
	add_title(repr, object, type, " ");
	repr_add(repr, " of ");
	if (repr->level < repr->options.depth)
		add_bound(repr, object, self);
	else
		repr_add(repr, self_type ? self_type->name : "?");
	repr_add(repr, ">");
	return true;
}

/* Objects/methodobject.c meth_repr(): a function if m_self is a module. */
static bool repr_builtin(struct repr *repr, uint64_t object, const struct type *type)
{
	const struct layout *layout = repr->traverser->layout;
	uint64_t definition = member(repr, object, layout->PyCFunctionObject_m_ml), name;
	uint64_t self = member(repr, object, layout->PyCFunctionObject_m_self);
	const struct type *self_type = repr_type(repr, self);
	char text[96];

	(void)type;
	if (!repr_u64(repr, definition, &name) ||
	    !reader_string(&repr->traverser->reader, name, text, sizeof(text)))
		return false;
	if (!self || (self_type && !strcmp(self_type->name, "module"))) {
		repr_addf(repr, "<built-in function %s>", text);
		return true;
	}
	repr_addf(repr, "<built-in method %s of %s", text, self_type ? self_type->name : "?");
	if (repr->options.addresses)
		repr_add(repr, " object");
	repr_add_address(repr, self);
	repr_add(repr, ">");
	return true;
}

static bool repr_weakref(struct repr *repr, uint64_t object, const struct type *type)
{
	uint64_t held = member(repr, object, repr->traverser->layout->PyWeakReference_wr_object);
	const struct type *held_type = repr_type(repr, held);

	repr_add(repr, strstr(type->name, "proxy") ? "<weakproxy" : "<weakref");
	repr_add_address(repr, object);
	if (held_type && strcmp(held_type->name, "NoneType")) {
		repr_addf(repr, "; to '%s'", held_type->name);
		repr_add_address(repr, held);
	} else {
		repr_add(repr, "; dead");
	}
	repr_add(repr, ">");
	return true;
}

/* Modules/_functoolsmodule.c partial_repr(). */
static bool repr_partial(struct repr *repr, uint64_t object, const struct type *type)
{
	const struct layout *layout = repr->traverser->layout;
	uint64_t args = member(repr, object, layout->partialobject_args);
	uint64_t keywords = member(repr, object, layout->partialobject_kw), count, key, value, slot;
	struct dict_view view;
	char name[96];

	if (!repr_count(repr, args, &count))
		return false;
	if (!repr_open(repr, object, "()", type->name, count))
		return true;
	repr_addf(repr, "%s(", type->name);
	repr_value(repr, member(repr, object, layout->partialobject_fn));
	for (uint64_t i = 0; i < count && i < repr->options.items; i++) {
		repr_add(repr, ", ");
		repr_value(repr,
			   member(repr, args, layout->PyTupleObject_ob_item + (uint32_t)i * 8));
	}
	if (dict_open(repr->traverser->runtime, &repr->traverser->reader, keywords, &view))
		for (uint64_t i = 0; i < view.count && i < repr->options.items; i++)
			if (dict_entry(&repr->traverser->reader, &view, i, &key, &value, &slot) &&
			    object_str(repr->traverser->runtime, &repr->traverser->reader, key,
				       name, sizeof(name))) {
				repr_addf(repr, ", %s=", name);
				repr_value(repr, value);
			}
	repr_add(repr, ")");
	repr_close(repr);
	return true;
}

/* Descriptors of C types: their name and class. */
static bool repr_descriptor(struct repr *repr, uint64_t object, const struct type *type)
{
	const struct layout *layout = repr->traverser->layout;
	uint64_t class = member(repr, object, layout->PyDescrObject_d_type);
	uint64_t name = member(repr, object, layout->PyDescrObject_d_name);
	const struct type *owner =
		type_get(repr->traverser->runtime->types, &repr->traverser->reader, class);
	char text[96];

	if (!owner || !object_is_str(repr->traverser->runtime, &repr->traverser->reader, name) ||
	    !object_str(repr->traverser->runtime, &repr->traverser->reader, name, text,
			sizeof(text)))
		return false;
	repr_addf(repr, "<%s %s.%s>", type->name, owner->name, text);
	return true;
}

static bool repr_cell(struct repr *repr, uint64_t object, const struct type *type)
{
	uint64_t held = member(repr, object, repr->traverser->layout->PyCellObject_ob_ref);

	(void)type;
	repr_add(repr, "<cell");
	repr_add_address(repr, object);
	if (!held) {
		repr_add(repr, ": empty");
	} else if (repr->level < repr->options.depth) {
		repr_add(repr, ": ");
		add_bound(repr, object, held);
	}
	repr_add(repr, ">");
	return true;
}

const struct repr_kind repr_callable_kinds[] = {
	{"type", repr_type_object},
	{"module", repr_module},
	{"function", repr_function_object},
	{"method", repr_method},
	{"builtin_function_or_method", repr_builtin},
	{"builtin_method", repr_builtin},
	{"code", repr_titled},
	{"frame", repr_titled},
	{"generator", repr_titled},
	{"coroutine", repr_titled},
	{"async_generator", repr_titled},
	{"property", repr_plain},
	{"cell", repr_cell},
	{"weakref", repr_weakref},
	{"weakref.ReferenceType", repr_weakref},
	{"weakproxy", repr_weakref},
	{"weakref.ProxyType", repr_weakref},
	{"weakcallableproxy", repr_weakref},
	{"weakref.CallableProxyType", repr_weakref},
	{"functools.partial", repr_partial},
	{"method_descriptor", repr_descriptor},
	{"classmethod_descriptor", repr_descriptor},
	{"getset_descriptor", repr_descriptor},
	{"member_descriptor", repr_descriptor},
	{"wrapper_descriptor", repr_descriptor},
	{NULL, NULL},
};
