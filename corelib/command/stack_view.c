/* Frames as a traceback writes them. */
#include "command/stack_view.h"

#include "command/command.h"
#include "command/report.h"
#include "cpython/line_table.h"
#include "traverse/repr.h"
#include "traverse/title.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
	FRAMES_USUALLY = 30,
	FRAMES_OLDEST = 5, /* of a long stack, in front of what is left out */
	FRAMES_WITH_LOCALS = 2,
	LOCALS_USUALLY = 8,
	RUN_SHOWN = 3, /* of frames that are the same, as traceback does it */
	EXCEPTIONS_SHOWN = 5,
	JSON_FRAMES_USUALLY = 2000,
	JSON_LOCALS_USUALLY = 50,
	REPR_LEAST = 40,
	REPR_SIZE = 512,
	JSON_REPR_SIZE = 2048,
};

static bool given(const struct session *session, enum option_id id)
{
	return session->options.values[id].given;
}

static struct traverser *traverser_of(const struct session *session)
{
	return session->heap->traverser;
}

/*
 * Text
 */

static void print_place(const struct session *session, uint64_t code, int32_t line,
			struct screen *screen)
{
	struct code_names names;

	code_names_read(traverser_of(session), code, &names);
	screen_print(screen, "File \"");
	screen_text(screen, names.file);
	if (line == LINE_NONE)
		screen_print(screen, "\", line ?, in ");
	else
		screen_print(screen, "\", line %" PRId32 ", in ", line);
	screen_styled(screen, STYLE_HEADING, "%s", screen_clean(screen, names.qualname).text);
	screen_print(screen, "\n");
}

static void print_local(const struct session *session, const struct local *local, unsigned indent,
			struct screen *screen)
{
	const struct repr_options options = REPR_LINE;
	char repr[REPR_SIZE];
	size_t length = strlen(local->name);
	unsigned room = screen->columns > indent + length + 3 + REPR_LEAST
				? screen->columns - indent - (unsigned)length - 3
				: REPR_LEAST;

	repr_object(traverser_of(session), local->value, &options, repr,
		    room < sizeof(repr) ? room + 1 : sizeof(repr));
	screen_print(screen, "%*s", (int)indent, "");
	screen_text(screen, local->name);
	screen_print(screen, " = ");
	screen_text(screen, repr);
	screen_print(screen, "\n");
}

static void print_locals(const struct session *session, const struct stack_frame *at,
			 unsigned indent, struct screen *screen)
{
	struct heap *heap = session->heap;
	uint64_t limit = command_inner_limit(session, LOCALS_USUALLY), count = 0;
	struct locals locals;
	struct local local;
	struct frame frame;

	if (!frame_read(heap->runtime, &heap->reader, at->address, &frame))
		return;
	locals_begin(&locals, heap->runtime, &heap->reader, &frame);
	for (; locals_next(&locals, &local); count++)
		if (count < limit)
			print_local(session, &local, indent, screen);
	report_more(screen, indent, limit, count, "variable");
}

/** How many frames from `i` on are the same. */
static size_t run_length(const struct stack_frame *frames, size_t i, size_t count)
{
	size_t length = 1;

	while (i + length < count && frames[i + length].code == frames[i].code &&
	       frames[i + length].line == frames[i].line)
		length++;
	return length;
}

static bool shows_locals(const struct session *session, size_t from_newest)
{
	if (given(session, OPTION_NO_LOCALS))
		return false;
	return given(session, OPTION_LOCALS) || from_newest < FRAMES_WITH_LOCALS;
}

void stack_text(const struct session *session, const struct stack *stack, unsigned indent,
		struct screen *screen)
{
	const struct stack_frame *frames = session->stacks->frames + stack->first;
	uint64_t limit = command_inner_limit(session, FRAMES_USUALLY);
	size_t skipped = 0, shown = 0, run = 0;

	if (stack->damaged)
		screen_print(screen, "%*s%s older frames are unreadable\n", (int)indent, "",
			     screen_ellipsis(screen));
	if (!stack->count)
		screen_print(screen, "%*s(no Python code)\n", (int)indent, "");
	for (size_t i = 0; i < stack->count; i++) {
		if (shown >= FRAMES_OLDEST && !skipped &&
		    stack->count - i > limit - FRAMES_OLDEST) {
			skipped = stack->count - i - (limit - FRAMES_OLDEST);
			screen_print(screen, "%*s%s %s left out; --limit 0 shows all\n",
				     (int)indent, "", screen_ellipsis(screen),
				     units_plural(skipped, "frame").text);
			i += skipped;
		}
		run = run_length(frames, i, stack->count);
		for (size_t j = 0; j < run && j < RUN_SHOWN; j++, shown++) {
			screen_print(screen, "%*s", (int)indent, "");
			print_place(session, frames[i + j].code, frames[i + j].line, screen);
			if (shows_locals(session, stack->count - 1 - i - j))
				print_locals(session, &frames[i + j], indent + 4, screen);
		}
		if (run > RUN_SHOWN)
			screen_print(screen, "%*s[Previous line repeated %s more times]\n",
				     (int)indent, "", units_count(run - RUN_SHOWN).text);
		i += run - 1;
	}
}

/* The exceptions that were being handled when this one came up: __cause__, or else __context__. */
static uint64_t exception_before(const struct session *session, uint64_t exception)
{
	const struct layout *layout = &session->runtime->layout;
	uint64_t before;

	if (!reader_u64(&session->heap->reader, exception + layout->PyBaseExceptionObject_cause,
			&before) ||
	    !before)
		reader_u64(&session->heap->reader,
			   exception + layout->PyBaseExceptionObject_context, &before);
	return before;
}

void exception_text(const struct session *session, uint64_t exception, unsigned indent,
		    struct screen *screen)
{
	const struct repr_options options = REPR_LINE;
	struct heap *heap = session->heap;

	for (int i = 0; exception && i < EXCEPTIONS_SHOWN; i++) {
		char repr[REPR_SIZE];
		uint64_t code;
		int32_t line;

		repr_object(traverser_of(session), exception, &options, repr, sizeof(repr));
		screen_print(screen, "%*s%s", (int)indent, "",
			     i ? "which came up while handling " : "Handling ");
		screen_text(screen, repr);
		if (exception_origin(heap->runtime, &heap->reader, exception, &code, &line)) {
			screen_print(screen, ", raised at\n%*s", (int)indent + 2, "");
			print_place(session, code, line, screen);
		} else {
			screen_print(screen, "\n");
		}
		exception = exception_before(session, exception);
	}
}

static void write_place(const struct session *session, const struct stack_frame *frame, char *text,
			size_t size)
{
	struct code_names names;

	code_names_read(traverser_of(session), frame->code, &names);
	snprintf(text, size, "%s:%" PRId32 " %s", title_short_path(names.file),
		 frame->line == LINE_NONE ? 0 : frame->line, names.qualname);
}

void stack_newest(const struct session *session, const struct stack *stack, char *text, size_t size)
{
	*text = '\0';
	if (stack->count)
		write_place(session, &session->stacks->frames[stack->first + stack->count - 1],
			    text, size);
}

void stack_oldest(const struct session *session, const struct stack *stack, char *text, size_t size)
{
	*text = '\0';
	if (stack->count)
		write_place(session, &session->stacks->frames[stack->first], text, size);
}

/*
 * JSON
 */

static void place_json(const struct session *session, uint64_t code, int32_t line,
		       struct document *document, json_t *object)
{
	struct code_names names;

	code_names_read(traverser_of(session), code, &names);
	document_set_string(document, object, "file", names.file);
	document_set(document, object, "line",
		     line == LINE_NONE ? json_null() : json_integer(line));
	document_set_string(document, object, "function", names.function);
	document_set_string(document, object, "qualname", names.qualname);
}

static void value_json(const struct session *session, uint64_t value, struct document *document,
		       json_t *object)
{
	const struct repr_options options = {
		.depth = 1, .items = 10, .text = 200, .addresses = true};
	struct heap *heap = session->heap;
	struct object_header header;
	char repr[JSON_REPR_SIZE];

	document_set_address(document, object, "address", value);
	document_set_string(document, object, "type",
			    object_header(heap->runtime, &heap->reader, value, &header)
				    ? report_type_name(type_get(heap->runtime->types, &heap->reader,
								header.type))
				    : NULL);
	repr_object(traverser_of(session), value, &options, repr, sizeof(repr));
	document_set_string(document, object, "repr", repr);
}

static void locals_json(const struct session *session, const struct frame *frame,
			struct document *document, json_t *object)
{
	struct heap *heap = session->heap;
	uint64_t limit = command_inner_limit(session, JSON_LOCALS_USUALLY), count = 0;
	json_t *array = document_set_array(document, object, "locals");
	struct locals locals;
	struct local local;

	locals_begin(&locals, heap->runtime, &heap->reader, frame);
	for (; locals_next(&locals, &local); count++) {
		json_t *variable;

		if (count >= limit)
			continue;
		variable = document_append_object(document, array);
		document_set_string(document, variable, "name", local.name);
		value_json(session, local.value, document, variable);
	}
	document_set_count(document, object, "locals_total", count);
}

void stack_json(const struct session *session, const struct stack *stack, struct document *document,
		json_t *object)
{
	const struct stack_frame *frames = session->stacks->frames + stack->first;
	uint64_t limit = command_inner_limit(session, JSON_FRAMES_USUALLY);
	struct heap *heap = session->heap;
	json_t *array;

	document_set_count(document, object, "frames_total", stack->count);
	document_set_bool(document, object, "damaged", stack->damaged);
	array = document_set_array(document, object, "frames");
	for (size_t i = stack->count > limit ? stack->count - limit : 0; i < stack->count; i++) {
		json_t *item = document_append_object(document, array);
		struct frame frame;

		place_json(session, frames[i].code, frames[i].line, document, item);
		document_set_address(document, item, "code", frames[i].code);
		if (!given(session, OPTION_NO_LOCALS) &&
		    frame_read(heap->runtime, &heap->reader, frames[i].address, &frame))
			locals_json(session, &frame, document, item);
	}
}

void exception_json(const struct session *session, uint64_t exception, struct document *document,
		    json_t *object)
{
	struct heap *heap = session->heap;
	const char *key = "exception";

	for (int i = 0; exception && i < EXCEPTIONS_SHOWN; i++) {
		uint64_t code;
		int32_t line;

		object = document_set_object(document, object, key);
		value_json(session, exception, document, object);
		if (exception_origin(heap->runtime, &heap->reader, exception, &code, &line))
			place_json(session, code, line, document, object);
		exception = exception_before(session, exception);
		key = "context";
	}
	document_set(document, object, key, json_null());
}
