/*
 * Titles of objects. "A function" says nothing to the reader of a report, "load (app/web.py:41)"
 * says where to look. Which members an object has is known from the decoder of its tp_traverse, as
 * everywhere in this room.
 */
#include "traverse/title.h"

#include "traverse/decoder.h"

#include <inttypes.h>
#include <stdio.h>

/** Does one of the plan's parts have this decoder? */
static bool has_decoder(const struct plan *plan, const char *name)
{
	for (; plan; plan = plan->base)
		if (plan->binding && plan->binding->decoder &&
		    !strcmp(plan->binding->decoder->name, name))
			return true;
	return false;
}

static const struct type *type_of(struct traverser *traverser, uint64_t object)
{
	struct object_header header;

	if (!object || !object_header(traverser->runtime, &traverser->reader, object, &header))
		return NULL;
	return type_get(traverser->runtime->types, &traverser->reader, header.type);
}

/** The object that a member points at; 0 if the build has no such member or it is unreadable. */
static uint64_t member(struct traverser *traverser, uint64_t object, uint32_t offset)
{
	uint64_t value;

	if (!object || !layout_has(offset))
		return 0;
	reader_u64(&traverser->reader, object + offset, &value);
	return value;
}

/** Copies a member that is a str. */
static bool text_member(struct traverser *traverser, uint64_t object, uint32_t offset, char *buffer,
			size_t size)
{
	uint64_t text = member(traverser, object, offset);
	const struct type *type = type_of(traverser, text);

	return type && (type->flags & TPFLAGS_UNICODE_SUBCLASS) &&
	       object_str(traverser->runtime, &traverser->reader, text, buffer, size);
}

const char *title_short_path(const char *path)
{
	const char *end = path + strlen(path);
	unsigned slashes = 0;

	while (end > path && !(end[-1] == '/' && ++slashes == 2))
		end--;
	return end;
}

/** Writes "name (file:line)" of a code object; `name` NULL means co_name. */
static bool code_title(struct traverser *traverser, uint64_t code, const char *name, char *buffer,
		       size_t size)
{
	const struct layout *layout = traverser->layout;
	const struct type *type = type_of(traverser, code);
	char own_name[96], file[256];
	uint32_t line;

	if (!type || strcmp(type->name, "code"))
		return false;
	if (!name) {
		if (!text_member(traverser, code, layout->PyCodeObject_co_name, own_name,
				 sizeof(own_name)))
			return false;
		name = own_name;
	}
	if (!text_member(traverser, code, layout->PyCodeObject_co_filename, file, sizeof(file)) ||
	    !layout_has(layout->PyCodeObject_co_firstlineno) ||
	    !reader_u32(&traverser->reader, code + layout->PyCodeObject_co_firstlineno, &line))
		return false;
	snprintf(buffer, size, "%s (%s:%" PRIu32 ")", name, title_short_path(file), line);
	return true;
}

bool code_names_read(struct traverser *traverser, uint64_t code, struct code_names *names)
{
	const struct layout *layout = traverser->layout;
	const struct type *type = type_of(traverser, code);

	*names = (struct code_names){"?", "?", "?"};
	if (!type || strcmp(type->name, "code") ||
	    !text_member(traverser, code, layout->PyCodeObject_co_filename, names->file,
			 sizeof(names->file)) ||
	    !text_member(traverser, code, layout->PyCodeObject_co_name, names->function,
			 sizeof(names->function)))
		return false;
	if (!layout_has(layout->PyCodeObject_co_qualname) ||
	    !text_member(traverser, code, layout->PyCodeObject_co_qualname, names->qualname,
			 sizeof(names->qualname)))
		snprintf(names->qualname, sizeof(names->qualname), "%s", names->function);
	return true;
}

static bool function_title(struct traverser *traverser, uint64_t function, char *buffer,
			   size_t size)
{
	const struct layout *layout = traverser->layout;
	char name[128];

	return text_member(traverser, function, layout->PyFunctionObject_func_qualname, name,
			   sizeof(name)) &&
	       code_title(traverser,
			  member(traverser, function, layout->PyFunctionObject_func_code), name,
			  buffer, size);
}

/** The code of an interpreter frame; from 3.14 on the reference is tagged (_PyStackRef). */
static uint64_t frame_code(struct traverser *traverser, uint64_t frame)
{
	return member(traverser, frame, traverser->layout->_PyInterpreterFrame_f_executable) &
	       ~UINT64_C(7);
}

static bool generator_title(struct traverser *traverser, uint64_t generator, char *buffer,
			    size_t size)
{
	const struct layout *layout = traverser->layout;
	uint64_t code = member(traverser, generator, layout->PyGenObject_gi_code);
	char name[128];

	if (!code && layout_has(layout->PyGenObject_gi_iframe))
		code = frame_code(traverser, generator + layout->PyGenObject_gi_iframe);
	if (!text_member(traverser, generator, layout->PyGenObject_gi_qualname, name, sizeof(name)))
		return false;
	if (!code_title(traverser, code, name, buffer, size))
		snprintf(buffer, size, "%s", name);
	return true;
}

static bool frame_title(struct traverser *traverser, uint64_t frame, char *buffer, size_t size)
{
	const struct layout *layout = traverser->layout;
	uint64_t code = member(traverser, frame, layout->PyFrameObject_f_code);

	if (!code)
		code = frame_code(traverser,
				  member(traverser, frame, layout->PyFrameObject_f_frame));
	return code_title(traverser, code, NULL, buffer, size);
}

/** repr() of the first argument. */
static bool exception_title(struct traverser *traverser, uint64_t exception, char *buffer,
			    size_t size)
{
	const struct layout *layout = traverser->layout;
	uint64_t args = member(traverser, exception, layout->PyBaseExceptionObject_args);
	const struct type *type = type_of(traverser, args);
	uint64_t count;

	if (!type || !(type->flags & TPFLAGS_TUPLE_SUBCLASS) ||
	    !reader_u64(&traverser->reader, args + layout->PyVarObject_ob_size, &count) || !count)
		return false;
	label_repr(traverser, member(traverser, args, layout->PyTupleObject_ob_item), buffer, size);
	return true;
}

static bool type_title(struct traverser *traverser, uint64_t object, char *buffer, size_t size)
{
	const struct type *type = type_get(traverser->runtime->types, &traverser->reader, object);

	if (!type)
		return false;
	snprintf(buffer, size, "%s", type->name);
	return true;
}

static bool find_title(struct traverser *traverser, uint64_t object, const struct type *type,
		       char *buffer, size_t size)
{
	const struct layout *layout = traverser->layout;
	const struct plan *plan;

	if (type->flags & TPFLAGS_TYPE_SUBCLASS)
		return type_title(traverser, object, buffer, size);
	if (type->flags & TPFLAGS_BASE_EXC_SUBCLASS)
		return exception_title(traverser, object, buffer, size);
	if (!strcmp(type->name, "code"))
		return code_title(traverser, object, NULL, buffer, size);
	plan = traverser_plan(traverser, type);
	if (has_decoder(plan, "function"))
		return function_title(traverser, object, buffer, size);
	if (has_decoder(plan, "method"))
		return function_title(traverser,
				      member(traverser, object, layout->PyMethodObject_im_func),
				      buffer, size);
	if (has_decoder(plan, "generator") || has_decoder(plan, "async_generator"))
		return generator_title(traverser, object, buffer, size);
	if (has_decoder(plan, "frame"))
		return frame_title(traverser, object, buffer, size);
	if (has_decoder(plan, "module"))
		return text_member(traverser, object, layout->PyModuleObject_md_name, buffer, size);
	return false;
}

bool object_title(struct traverser *traverser, uint64_t object, const struct type *type,
		  char *buffer, size_t size)
{
	*buffer = '\0';
	if (type && find_title(traverser, object, type, buffer, size))
		return true;
	*buffer = '\0';
	return false;
}
