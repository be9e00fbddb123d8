/* What waits, as text and JSON. */
#include "command/command.h"
#include "command/report.h"
#include "command/stack_view.h"
#include "command/thread_report.h"

#include "traverse/repr.h"

#include <inttypes.h>

enum { GROUPS_USUALLY = 10, REPR_SIZE = 256 };

/* Generators are everywhere: fewer say nothing. */
enum { MANY = 100 };

/** Its name: of a task, or of the task that it waits for. */
static bool read_name(const struct session *session, uint64_t object, struct task *task)
{
	struct heap *heap = session->heap;
	struct object_header header;
	const struct type *type;

	if (!object_header(heap->runtime, &heap->reader, object, &header))
		return false;
	type = type_get(heap->runtime->types, &heap->reader, header.type);
	return type && waiting_kind(type) == WAITING_TASK &&
	       task_read(heap->traverser, object, type, task) && *task->name;
}

static void add_name(const struct session *session, uint64_t object, struct paragraph *paragraph)
{
	struct task task;

	if (read_name(session, object, &task))
		paragraph_add(paragraph, " ", "\"%s\"",
			      screen_clean(paragraph->screen, task.name).text);
}

static void print_awaits(const struct session *session, const struct suspended *suspended,
			 struct screen *screen)
{
	struct paragraph paragraph;

	if (!suspended->awaits)
		return;
	paragraph = paragraph_begin(screen, 2);
	paragraph_add(&paragraph, "", "waits for %s",
		      screen_clean(screen, report_type_name(suspended->awaits_type)).text);
	add_name(session, suspended->awaits, &paragraph);
	paragraph_add(&paragraph, " ", "0x%" PRIx64, suspended->awaits);
	paragraph_end(&paragraph);
}

static void print_group(const struct session *session, const struct suspended_group *group,
			struct screen *screen)
{
	const struct suspended *example = &session->stacks->suspended[group->example];
	struct paragraph paragraph;

	screen_print(screen, "\n");
	screen_styled(screen, STYLE_HEADING, "%s%s",
		      units_plural(group->count, waiting_kind_name(example->kind)).text,
		      group->count > 1 ? " at the same place" : "");
	paragraph = paragraph_continue(screen, 2, 40);
	paragraph.empty = false;
	if (example->is_created)
		paragraph_add(&paragraph, ", ", "not begun");
	paragraph_add(&paragraph, ", ", "%s0x%" PRIx64, group->count > 1 ? "e.g. " : "",
		      example->object);
	add_name(session, example->object, &paragraph);
	paragraph_end(&paragraph);
	stack_text(session, &example->stack, 2, screen);
	print_awaits(session, example, screen);
}

/* "Waiting    20,001 tasks, 3 generators": those of which there are as many, or one task. */
static struct paragraph begin_counts(const struct stacks *stacks, uint64_t least,
				     struct screen *screen)
{
	struct paragraph paragraph;
	const char *gap = "";

	screen_print(screen, "Waiting    ");
	paragraph = paragraph_continue(screen, 11, 11);
	for (int kind = 0; kind < WAITING_KINDS; kind++) {
		uint64_t count = stacks->kind_counts[kind];

		if (!count || (count < least && kind != WAITING_TASK && kind != WAITING_GREENLET))
			continue;
		paragraph_add(&paragraph, gap, "%s",
			      units_plural(count, waiting_kind_name(kind)).text);
		gap = ", ";
	}
	return paragraph;
}

void suspended_summary(const struct session *session, struct screen *screen)
{
	const struct stacks *stacks = session->stacks;
	const struct suspended_group *largest = NULL;
	struct paragraph paragraph;
	char place[512];
	bool shown = stacks->kind_counts[WAITING_TASK] || stacks->kind_counts[WAITING_GREENLET];

	for (int kind = 0; kind < WAITING_KINDS; kind++)
		shown = shown || stacks->kind_counts[kind] >= MANY;
	if (!shown)
		return;
	paragraph = begin_counts(stacks, MANY, screen);
	for (uint32_t i = 0; i < stacks->group_count; i++)
		if (!largest || stacks->groups[i].count > largest->count)
			largest = &stacks->groups[i];
	stack_oldest(session, &stacks->suspended[largest->example].stack, place, sizeof(place));
	if (largest->count > 1 && *place) {
		struct unit_text count = units_count(largest->count);
		bool all = largest->count == stacks->suspended_count;

		paragraph_add(&paragraph, ", ", "%s at the same place:", all ? "all" : count.text);
		paragraph_add(&paragraph, " ", "%s", screen_clean(screen, place).text);
	}
	paragraph_end(&paragraph);
}

void suspended_text(const struct session *session, struct screen *screen)
{
	const struct stacks *stacks = session->stacks;
	uint64_t limit = command_limit(session, GROUPS_USUALLY);
	struct paragraph paragraph;

	if (!stacks->suspended_count)
		return;
	screen_print(screen, "\n");
	paragraph = begin_counts(stacks, 0, screen);
	paragraph_end(&paragraph);
	for (uint32_t i = 0; i < stacks->group_count && i < limit; i++)
		print_group(session, &stacks->groups[i], screen);
	screen_print(screen, stacks->group_count > limit ? "\n" : "");
	report_more(screen, 0, limit, stacks->group_count, "place");
}

void threads_next(const struct session *session, char *text, size_t size)
{
	const struct stacks *stacks = session->stacks;

	*text = '\0';
	if (stacks->group_count)
		snprintf(text, size, "referrers 0x%" PRIx64,
			 stacks->suspended[stacks->groups[0].example].object);
}

static void awaits_json(const struct session *session, const struct suspended *suspended,
			struct document *document, json_t *object)
{
	const struct repr_options options = REPR_LINE;
	char repr[REPR_SIZE];
	struct task task;

	if (!suspended->awaits) {
		document_set(document, object, "awaits", json_null());
		return;
	}
	object = document_set_object(document, object, "awaits");
	document_set_address(document, object, "address", suspended->awaits);
	document_set_string(document, object, "type", report_type_name(suspended->awaits_type));
	repr_object(session->heap->traverser, suspended->awaits, &options, repr, sizeof(repr));
	document_set_string(document, object, "repr", repr);
	document_set_string(document, object, "name",
			    read_name(session, suspended->awaits, &task) ? task.name : NULL);
}

void suspended_one_json(const struct session *session, const struct suspended *suspended,
			struct document *document, json_t *object)
{
	struct task task;

	document_set_string(document, object, "record", waiting_kind_name(suspended->kind));
	document_set_address(document, object, "address", suspended->object);
	document_set_string(document, object, "name",
			    suspended->kind == WAITING_TASK &&
					    read_name(session, suspended->object, &task)
				    ? task.name
				    : NULL);
	document_set_bool(document, object, "begun", !suspended->is_created);
	document_set_count(document, object, "group", suspended->group + UINT64_C(1));
	stack_json(session, &suspended->stack, document, object);
	awaits_json(session, suspended, document, object);
}

void suspended_json(const struct session *session, uint64_t limit, struct document *document,
		    json_t *result)
{
	static const char *const keys[WAITING_KINDS] = {
		[WAITING_TASK] = "tasks",
		[WAITING_COROUTINE] = "coroutines",
		[WAITING_ASYNC_GENERATOR] = "async_generators",
		[WAITING_GENERATOR] = "generators",
		[WAITING_GREENLET] = "greenlets",
	};
	const struct stacks *stacks = session->stacks;
	json_t *array, *counts = document_set_object(document, result, "suspended");

	for (int kind = WAITING_NONE + 1; kind < WAITING_KINDS; kind++)
		document_set_count(document, counts, keys[kind], stacks->kind_counts[kind]);
	document_set_count(document, result, "groups_total", stacks->group_count);
	array = document_set_array(document, result, "groups");
	for (uint32_t i = 0; i < stacks->group_count && i < limit; i++) {
		json_t *object = document_append_object(document, array);

		document_set_count(document, object, "count", stacks->groups[i].count);
		suspended_one_json(session, &stacks->suspended[stacks->groups[i].example], document,
				   object);
	}
}
