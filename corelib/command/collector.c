/*
 * Why it was not collected. The collector frees unreachable objects by itself sooner or later, so
 * the first question about a leak of cycles is whether it is enabled and what it waits for.
 */
#include "command/collector.h"

#include <inttypes.h>
#include <stdlib.h>

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

static void explain_waiting(const struct interpreter *interpreter, const struct waiting *waiting,
			    struct paragraph *paragraph)
{
	const char *gap = " ";

	for (unsigned g = 0; g < GENERATION_COUNT; g++) {
		const struct generation *generation = &interpreter->generations[g];

		if (!waiting->objects[g])
			continue;
		paragraph_add(paragraph, gap,
			      "%s in generation %u (count %" PRId64 ", threshold %" PRId64 ")",
			      units_count(waiting->objects[g]).text, g, generation->count,
			      generation->threshold);
		gap = ", ";
	}
}

static void explain(const struct interpreter *interpreter, const struct waiting *waiting,
		    bool several, unsigned indent, struct screen *screen)
{
	struct paragraph paragraph = paragraph_begin(screen, indent);

	if (several)
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
		explain_waiting(interpreter, waiting, &paragraph);
		break;
	}
	paragraph_end(&paragraph);
}

struct error *collector_explain(const struct session *session, unsigned indent,
				struct screen *screen)
{
	const struct runtime *runtime = session->runtime;
	struct waiting *waiting = count_waiting(session->unreachable);

	if (!waiting)
		return &error_no_memory;
	for (size_t i = 0; i < runtime->interpreter_count; i++)
		if (waiting[i].total)
			explain(&runtime->interpreters[i], &waiting[i],
				runtime->interpreter_count > 1, indent, screen);
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
