/*
 * Why it was not collected. The collector frees unreachable objects by itself sooner or later, so
 * the first question about a leak of cycles is whether it is enabled and what it waits for.
 */
#include "command/collector.h"

#include "command/command.h"
#include "command/report.h"

#include <inttypes.h>
#include <stdlib.h>

enum { INTERPRETERS_USUALLY = 5 };

/** Unreachable objects of one interpreter by generation. */
struct waiting {
	uint64_t objects[GENERATION_LISTS];
	uint64_t total;
};

enum collector_state collector_state(const struct interpreter *interpreter)
{
	if (interpreter->collecting)
		return COLLECTOR_RUNNING;
	if (!interpreter->gc_enabled)
		return COLLECTOR_DISABLED;
	if (!interpreter->generations[0].threshold)
		return COLLECTOR_MANUAL;
	return COLLECTOR_ON;
}

const char *collector_state_name(enum collector_state state)
{
	static const char *const names[] = {
		[COLLECTOR_ON] = "enabled",
		[COLLECTOR_RUNNING] = "collecting",
		[COLLECTOR_DISABLED] = "disabled",
		[COLLECTOR_MANUAL] = "threshold 0",
	};

	return names[state];
}

size_t collector_count(const struct runtime *runtime)
{
	size_t count = 0;

	for (size_t i = 0; i < runtime->interpreter_count; i++)
		count += !runtime->interpreters[i].shares_gc;
	return count;
}

/** @return an array, one for each interpreter, to be freed; NULL when out of memory */
static struct waiting *count_waiting(const struct unreachable *unreachable)
{
	const struct heap *heap = unreachable->heap;
	struct waiting *waiting = calloc(heap->runtime->interpreter_count + 1, sizeof(*waiting));

	for (uint32_t i = 0; waiting && i < unreachable->count; i++) {
		uint32_t object = unreachable->objects[i];
		struct waiting *of = &waiting[heap->interpreter[object]];

		of->objects[heap->generation[object]]++;
		of->total++;
	}
	return waiting;
}

/**
 * Where the objects wait. When the count of generation 2 has passed its threshold, a full
 * collection still waits until the objects that are new in it are a quarter of the old ones
 * (Modules/gcmodule.c, Python/gc.c: long_lived_pending).
 */
static void explain_waiting(const struct interpreter *interpreter, const struct waiting *waiting,
			    bool incremental, struct paragraph *paragraph)
{
	const char *gap = " ";

	for (unsigned g = 0; g < GENERATION_COUNT; g++) {
		const struct generation *generation = &interpreter->generations[g];

		if (!waiting->objects[g])
			continue;
		paragraph_add(paragraph, gap,
			      "%s in generation %u (count %" PRId64 ", threshold %" PRId64 "%s)",
			      units_count(waiting->objects[g]).text, g, generation->count,
			      generation->threshold,
			      g == 2 && !incremental && generation->count > generation->threshold
				      ? ": waits until a quarter are new"
				      : "");
		gap = ", ";
	}
}

static void explain(const struct runtime *runtime, const struct interpreter *interpreter,
		    const struct waiting *waiting, unsigned indent, struct screen *screen)
{
	struct paragraph paragraph = paragraph_begin(screen, indent);

	if (collector_count(runtime) > 1)
		paragraph_add(&paragraph, "", "interpreter %" PRId64 ":", interpreter->id);
	switch (collector_state(interpreter)) {
	case COLLECTOR_DISABLED:
		paragraph_add(&paragraph, " ", "not collected: gc is disabled");
		break;
	case COLLECTOR_MANUAL:
		paragraph_add(&paragraph, " ",
			      "not collected: automatic collection is off (threshold 0)");
		break;
	case COLLECTOR_RUNNING:
		paragraph_add(&paragraph, " ",
			      "a collection was under way and may have been about to free them");
		break;
	case COLLECTOR_ON:
		paragraph_add(&paragraph, " ", "not collected yet, gc is enabled:");
		explain_waiting(interpreter, waiting, runtime->incremental_gc, &paragraph);
		break;
	}
	paragraph_end(&paragraph);
}

struct error *collector_explain(const struct session *session, unsigned indent,
				struct screen *screen)
{
	const struct runtime *runtime = session->runtime;
	struct waiting *waiting = count_waiting(session->unreachable);
	uint64_t limit = command_limit(session, INTERPRETERS_USUALLY);
	uint64_t total = 0;

	if (!waiting)
		return &error_no_memory;
	for (size_t i = 0; i < runtime->interpreter_count; i++)
		if (waiting[i].total && total++ < limit)
			explain(runtime, &runtime->interpreters[i], &waiting[i], indent, screen);
	report_more(screen, indent, limit, total, "interpreter");
	free(waiting);
	return NULL;
}

struct error *collector_json(const struct session *session, struct document *document,
			     json_t *result)
{
	const struct runtime *runtime = session->runtime;
	struct waiting *waiting = count_waiting(session->unreachable);
	json_t *array;

	if (!waiting)
		return &error_no_memory;
	array = document_set_array(document, result, "collectors");
	for (size_t i = 0; i < runtime->interpreter_count; i++) {
		const struct interpreter *interpreter = &runtime->interpreters[i];
		json_t *object, *list;

		if (interpreter->shares_gc)
			continue;
		object = document_append_object(document, array);
		document_set(document, object, "interpreter", json_integer(interpreter->id));
		document_set_string(document, object, "state",
				    collector_state_name(collector_state(interpreter)));
		list = document_set_array(document, object, "unreachable_by_generation");
		for (unsigned g = 0; g < GENERATION_COUNT; g++)
			document_append(document, list,
					json_integer((json_int_t)waiting[i].objects[g]));
	}
	free(waiting);
	return NULL;
}
