/*
 * Beginnings of expressions. What Python has a name for is written so that it can be typed in the
 * process; the rest is described.
 */
#include "analysis/root_expression.h"

#include "cpython/frame.h"
#include "cpython/line_table.h"
#include "traverse/attributes.h"
#include "traverse/literal.h"
#include "traverse/title.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	FRAMES_MAX = 1 << 20,
	DEPTH_MAX = 100,   /* ".f_back" that anybody would type */
	BASES_MAX = 16,	   /* of a static type up to one that has a name */
	ENTRIES_MAX = 256, /* of a dict that are looked at for whose it is */
};

static struct heap *heap_of(const struct roots *roots)
{
	return roots->graph->objects->heap;
}

/*
 * Interpreters and threads
 */

/* The interpreter that a thread, or a word of its structs, belongs to; NULL: none. */
static const struct interpreter *interpreter_of(const struct roots *roots, const struct root *root)
{
	const struct runtime *runtime = heap_of(roots)->runtime;
	const struct layout *layout = &runtime->layout;
	uint64_t address = 0;

	if (root->thread)
		reader_u64(&heap_of(roots)->reader, root->thread + layout->PyThreadState_interp,
			   &address);
	for (size_t i = 0; i < runtime->interpreter_count; i++) {
		const struct interpreter *interpreter = &runtime->interpreters[i];

		if (address ? interpreter->address == address
			    : root->word - interpreter->address < layout->PyInterpreterState_size)
			return interpreter;
	}
	return NULL;
}

/* Can somebody who types in the main interpreter get at it? */
static bool is_main(const struct roots *roots, const struct root *root)
{
	const struct runtime *runtime = heap_of(roots)->runtime;

	return runtime->interpreter_count == 1 ||
	       interpreter_of(roots, root) == &runtime->interpreters[0];
}

/* The newest frame of a thread (3.11+). */
static bool newest_frame(struct heap *heap, uint64_t thread, uint64_t *frame)
{
	const struct layout *layout = &heap->runtime->layout;
	uint64_t cframe;

	if (layout_has(layout->PyThreadState_current_frame))
		return reader_u64(&heap->reader, thread + layout->PyThreadState_current_frame,
				  frame);
	return layout_has(layout->PyThreadState_cframe) &&
	       reader_u64(&heap->reader, thread + layout->PyThreadState_cframe, &cframe) &&
	       reader_u64(&heap->reader, cframe + layout->_PyCFrame_current_frame, frame);
}

/*
 * Finds the frame whose storage a word is in: of those that begin before it, the nearest. Frames of
 * generators are elsewhere and count, as f_back leads through them.
 */
static bool find_in_chain(struct heap *heap, const struct root *root, struct root_frame *found,
			  struct frame *best)
{
	uint64_t chunk = root_data_chunk(heap->runtime, &heap->reader, root->thread, root->word);
	uint64_t address, depth = 0;
	struct frame frame;

	*best = (struct frame){0};
	if (!chunk || !newest_frame(heap, root->thread, &address))
		return false;
	for (int i = 0; address && i < FRAMES_MAX; i++, address = frame.previous) {
		if (!frame_read(heap->runtime, &heap->reader, address, &frame))
			break;
		if (frame.is_hidden)
			continue;
		if (address > chunk && address <= root->word && address > best->address) {
			*best = frame;
			found->depth = depth;
		}
		depth++;
	}
	return best->address;
}

bool root_frame_words(struct heap *heap, uint64_t address, char *text, size_t size)
{
	struct code_names names;
	struct frame frame;
	int32_t line;

	*text = '\0';
	if (!address || !frame_read(heap->runtime, &heap->reader, address, &frame) ||
	    !code_names_read(heap->traverser, frame.code, &names))
		return false;
	line = frame_line(heap->runtime, &heap->reader, &frame);
	if (line == LINE_NONE)
		snprintf(text, size, "%s() in %s", names.qualname, title_short_path(names.file));
	else
		snprintf(text, size, "%s() line %" PRId32 " in %s", names.qualname, line,
			 title_short_path(names.file));
	return true;
}

bool root_frame_find(const struct roots *roots, const struct root *root, struct root_frame *found)
{
	struct heap *heap = heap_of(roots);
	const struct layout *layout = &heap->runtime->layout;
	const struct interpreter *interpreter = interpreter_of(roots, root);
	struct frame frame;
	char title[128];
	uint64_t tid = 0;

	*found = (struct root_frame){.label.kind = EDGE_UNKNOWN};
	if (!interpreter ||
	    !reader_u64(&heap->reader, root->thread + layout->PyThreadState_thread_id,
			&found->thread_id))
		return false;
	found->interpreter = interpreter->id;
	if (layout_has(layout->PyThreadState_native_thread_id))
		reader_u64(&heap->reader, root->thread + layout->PyThreadState_native_thread_id,
			   &tid);
	found->tid = (pid_t)tid;
	if (!layout_has(layout->PyThreadState_datastack_chunk)) {
		found->is_found = true;
		return true;
	}
	found->is_found = find_in_chain(heap, root, found, &frame) &&
			  frame_slot(heap->traverser, frame.address, root->word, &found->label,
				     title, sizeof(title));
	if (found->is_found)
		root_frame_words(heap, frame.address, found->function, sizeof(found->function));
	return true;
}

/*
 * Frames
 */

/* @return false: Python has no way to this word of a frame */
static bool write_frame_word(const struct roots *roots, const struct root *root,
			     const struct root_frame *frame, struct expression *expression)
{
	static const char *const attributes[][2] = {
		{"frame_obj", ""}, {"f_code", ".f_code"}, {"f_locals", ".f_locals"}};
	struct heap *heap = heap_of(roots);
	char text[64 + DEPTH_MAX * 8];
	int length = snprintf(text, sizeof(text), "sys._current_frames()[%" PRIu64 "]",
			      frame->thread_id);

	for (uint64_t i = 0; i < frame->depth; i++)
		length += snprintf(text + length, sizeof(text) - (size_t)length, ".f_back");
	if (frame->label.kind == EDGE_LOCAL) {
		expression_begin(expression, text, true);
		expression_variable(heap->traverser, expression, frame->label.name,
				    roots->graph->objects->addresses[root->object]);
		return true;
	}
	if (!layout_has(heap->runtime->layout.PyThreadState_datastack_chunk)) {
		expression_begin(expression, text, true);
		return true;
	}
	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++)
		if (!strcmp(frame->label.name, attributes[i][0])) {
			snprintf(text + length, sizeof(text) - (size_t)length, "%s",
				 attributes[i][1]);
			expression_begin(expression, text, true);
			return true;
		}
	return false;
}

static bool write_frame(const struct roots *roots, const struct root *root,
			struct expression *expression)
{
	struct root_frame frame;

	return is_main(roots, root) && root_frame_find(roots, root, &frame) && frame.is_found &&
	       frame.depth <= DEPTH_MAX && write_frame_word(roots, root, &frame, expression);
}

/*
 * Static types
 */

/* Has the module of a type the type under its name? */
static bool is_in_module(struct heap *heap, const struct type *type)
{
	const struct runtime *runtime = heap->runtime;
	uint64_t module = runtime->interpreter_count
				  ? dict_find(runtime, &heap->reader,
					      runtime->interpreters[0].modules, type->module)
				  : 0;
	struct object_header header;
	const struct type *of;
	uint64_t dict;

	if (!module || !is_identifier(type->short_name) ||
	    !object_header(runtime, &heap->reader, module, &header) ||
	    !(of = type_get(runtime->types, &heap->reader, header.type)) ||
	    strcmp(of->name, "module") != 0)
		return false;
	dict = object_dict(heap->traverser, module, of);
	return dict && dict_find(runtime, &heap->reader, dict, type->short_name) == type->address;
}

/* The type by its name, or among the subclasses of its base. @return NULL when out of memory */
static char *type_text(struct heap *heap, const struct type *type)
{
	const struct type *chain[BASES_MAX];
	size_t count = 0;
	char *text = NULL;

	for (; type && count < BASES_MAX && !is_in_module(heap, type); type = type->base)
		chain[count++] = type;
	if (!type || count == BASES_MAX)
		return NULL;
	if (asprintf(&text, strcmp(type->module, "builtins") ? "sys.modules['%s'].%s" : "%.0s%s",
		     type->module, type->short_name) < 0)
		return NULL;
	while (count--) {
		char *outer;
		int length = asprintf(&outer,
				      "next(t for t in type.__subclasses__(%s) if id(t) == "
				      "0x%" PRIx64 ")",
				      text, chain[count]->address);

		free(text);
		if (length < 0)
			return NULL;
		text = outer;
	}
	return text;
}

/* The static type whose struct a word is in; NULL: none. */
static const struct type *type_around(struct heap *heap, uint64_t word)
{
	struct type_cache *cache = heap->runtime->types;

	for (uint32_t i = 0; i < type_count(cache); i++) {
		const struct type *type = type_by_index(cache, i);

		if (word - type->address < heap->runtime->layout.PyTypeObject_size)
			return type;
	}
	return NULL;
}

/* The same for a type that no object is of, so that nobody has asked for it. */
static const struct type *type_before(struct heap *heap, uint64_t word)
{
	const struct layout *layout = &heap->runtime->layout;
	const uint32_t members[] = {layout->PyTypeObject_tp_dict, layout->PyTypeObject_tp_mro,
				    layout->PyTypeObject_tp_bases};

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		const struct type *type =
			type_get(heap->runtime->types, &heap->reader, word - members[i]);

		if (type && !(type->flags & TPFLAGS_HEAPTYPE))
			return type;
	}
	return NULL;
}

/* Whose method, member or the like a descriptor is; 0: it is none. */
static uint64_t descriptor_class(struct heap *heap, uint64_t object)
{
	const struct runtime *runtime = heap->runtime;
	struct object_header header;
	const struct type *type;
	uint64_t class;

	if (!object_header(runtime, &heap->reader, object, &header) ||
	    !(type = type_get(runtime->types, &heap->reader, header.type)) ||
	    (type->flags & TPFLAGS_HEAPTYPE) || !strstr(type->name, "_descriptor") ||
	    !reader_u64(&heap->reader, object + runtime->layout.PyDescrObject_d_type, &class))
		return 0;
	return class;
}

/*
 * 3.12+: the dict of a static type of CPython stands in the interpreter's state (Objects/
 * typeobject.c lookup_tp_dict()), so it is known by what is in it: the type's descriptors.
 */
static const struct type *type_of_dict(struct heap *heap, uint64_t dict)
{
	const struct runtime *runtime = heap->runtime;
	struct dict_view view;
	const struct type *type;
	uint64_t found = 0;

	if (!dict_open(runtime, &heap->reader, dict, &view))
		return NULL;
	for (uint64_t i = 0; i < view.count && i < ENTRIES_MAX; i++) {
		uint64_t key, value, slot, class;

		if (!dict_entry(&heap->reader, &view, i, &key, &value, &slot) || !value)
			continue;
		class = descriptor_class(heap, value);
		if (class && found && class != found)
			return NULL;
		found = class ? class : found;
	}
	type = found ? type_get(runtime->types, &heap->reader, found) : NULL;
	return type && !(type->flags & TPFLAGS_HEAPTYPE) && !type->dict ? type : NULL;
}

static bool write_type(const struct roots *roots, const struct root *root,
		       struct expression *expression)
{
	struct heap *heap = heap_of(roots);
	uint64_t value = roots->graph->objects->addresses[root->object], slot = root->word;
	const struct type *type, *metatype;
	char *text;

	if (root->kind == ROOT_TYPE) {
		type = type_around(heap, root->word);
	} else if (root->kind == ROOT_STATIC) {
		type = type_before(heap, root->word);
	} else {
		type = type_of_dict(heap, value);
		slot = type ? type->address + heap->runtime->layout.PyTypeObject_tp_dict : 0;
	}
	metatype = type ? type_get(heap->runtime->types, &heap->reader, type->metatype) : NULL;
	text = metatype ? type_text(heap, type) : NULL;
	if (!text)
		return false;
	expression_begin(expression, text, true);
	free(text);
	expression_step(heap->traverser, expression, type->address, metatype,
			&(struct reference){.target = value, .slot = slot});
	return true;
}

static bool write_named(const struct roots *roots, const struct root *root,
			struct expression *expression)
{
	const char *name = !strcmp(root->name, "builtins.__dict__")
				   ? "sys.modules['builtins'].__dict__"
				   : root->name;

	if (!is_main(roots, root))
		return false;
	expression_begin(expression, name, true);
	return true;
}

/* What cannot be typed. */
static void write_words(const struct roots *roots, const struct root *root,
			struct expression *expression)
{
	char text[400], words[440];

	root_describe(roots, root, text, sizeof(text));
	snprintf(words, sizeof(words), "(%s)", text);
	expression_begin(expression, words, false);
}

void root_expression(const struct roots *roots, const struct root *root,
		     struct expression *expression)
{
	bool (*write)(const struct roots *, const struct root *, struct expression *) = NULL;

	if (root->kind == ROOT_MODULES || root->kind == ROOT_INTERPRETER)
		write = write_named;
	else if (root->kind == ROOT_FRAME)
		write = write_frame;
	else if (root->kind == ROOT_TYPE || root->kind == ROOT_STATE || root->kind == ROOT_STATIC)
		write = write_type;
	if (!write || !write(roots, root, expression))
		write_words(roots, root, expression);
}
