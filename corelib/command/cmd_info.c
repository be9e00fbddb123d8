/*
 * What the target is: Python, build, interpreters, collector, and how much of it can be decoded.
 */
#include "command/collector.h"
#include "command/command.h"
#include "command/report.h"

#include <inttypes.h>

enum { TYPES_USUALLY = 8, JSON_USUALLY = 100 };

static struct error *prepare(struct session *session)
{
	return session_unreachable(session);
}

static void print_python(const struct runtime *runtime, struct screen *screen)
{
	screen_heading(screen, "Python");
	screen_print(screen, "  version        %s, from %s\n", runtime->version,
		     runtime->version_source);
	if (runtime->build) {
		screen_print(screen, "  build          ");
		screen_text(screen, runtime->build);
		screen_print(screen, "\n");
	}
	screen_print(screen, "  layout         %s\n", runtime->layout_source);
	screen_print(screen, "  _PyRuntime     0x%" PRIx64 " in ", runtime->address);
	screen_text(screen, runtime->module ? runtime->module->path : "an unknown module");
	screen_print(screen, "\n");
	if (runtime->incremental_gc)
		screen_print(screen, "  collector      incremental\n");
}

static void print_count(const struct screen *screen, int64_t number)
{
	if (number < 0)
		fprintf(screen->out, "%15s", "?");
	else
		fprintf(screen->out, "%15s", units_count((uint64_t)number).text);
}

static void print_generations(const struct interpreter *interpreter, const uint64_t *objects,
			      struct screen *screen)
{
	screen_print(screen, "  generation        objects          count      threshold    "
			     "collections      collected\n");
	for (unsigned g = 0; g < GENERATION_COUNT; g++) {
		const struct generation *generation = &interpreter->generations[g];

		screen_print(screen, "  %u         ", g);
		print_count(screen, (int64_t)objects[g]);
		print_count(screen, generation->count);
		print_count(screen, generation->threshold);
		print_count(screen, generation->collections);
		print_count(screen, generation->collected);
		screen_print(screen, "\n");
	}
	screen_print(screen, "  frozen    %15s\n", units_count(objects[GENERATION_PERMANENT]).text);
}

static void print_interpreter(const struct session *session, size_t i, struct screen *screen)
{
	const struct interpreter *interpreter = &session->runtime->interpreters[i];
	uint64_t garbage = garbage_count(session->heap, interpreter);

	screen_heading(screen, "Interpreter %" PRId64 "", interpreter->id);
	screen_print(screen, "  threads        %zu\n", interpreter->thread_count);
	if (interpreter->shares_gc) {
		screen_print(screen, "  collector      that of the first interpreter\n");
		return;
	}
	screen_print(screen, "  collector      %s\n",
		     collector_state_name(collector_state(interpreter)));
	screen_print(screen, "  gc.garbage     %s\n", units_plural(garbage, "object").text);
	print_generations(interpreter, session->heap->list_counts[i], screen);
}

static void print_modules(const struct modules *modules, struct screen *screen)
{
	static const char *const names[] = {
		[MODULE_FILE_MATCHES] = "",
		[MODULE_FILE_UNVERIFIED] = "   file not verified: no build-id",
		[MODULE_FILE_MISMATCH] = "   file is another build",
		[MODULE_FILE_MISSING] = "   file missing",
	};

	screen_heading(screen, "Modules");
	for (size_t i = 0; modules && i < modules->count; i++) {
		screen_print(screen, "  0x%012" PRIx64 "  ", modules->items[i].start);
		screen_text(screen, modules->items[i].path);
		screen_print(screen, "%s\n", names[modules->items[i].status]);
	}
}

static struct error *print_heap(const struct session *session, struct screen *screen)
{
	uint64_t limit =
		command_limit(session, session->options.verbose ? UINT64_MAX : TYPES_USUALLY);
	struct tally tally;
	struct error *err = tally_heap(session->heap, &session->progress.progress, &tally);

	if (err)
		return err;
	screen_heading(screen, "Tracked objects");
	screen_print(screen, "  %s of %s, %s\n", units_plural(tally.objects, "object").text,
		     units_plural(tally.count, "type").text, units_bytes(tally.bytes).text);
	for (size_t i = 0; i < tally.count && i < limit; i++)
		screen_print(screen, "  %15s  %9s  %s\n", units_count(tally.types[i].objects).text,
			     units_bytes(tally.types[i].bytes).text,
			     screen_clean(screen, report_type_name(tally.types[i].type)).text);
	report_more(screen, 2, limit, tally.count, "type");
	tally_clear(&tally);
	if (session->inexact.count) {
		screen_heading(screen, "Types whose references are not all known");
		report_types(screen, 2, "", session->inexact.types, session->inexact.count, limit);
	}
	return NULL;
}

static struct error *text(struct session *session, struct screen *screen)
{
	const struct target *target = session->target;
	struct error *err;

	report_header(session, screen);
	report_coverage(session, screen);
	print_python(session->runtime, screen);
	screen_print(screen, "  threads        %zu of the process\n", target->thread_count);
	for (size_t i = 0; i < session->runtime->interpreter_count; i++)
		print_interpreter(session, i, screen);
	err = print_heap(session, screen);
	if (!err && session->options.verbose)
		print_modules(target->modules, screen);
	return err;
}

static void python_json(const struct runtime *runtime, struct document *document, json_t *result)
{
	json_t *object = document_set_object(document, result, "python");

	document_set_string(document, object, "version", runtime->version);
	document_set_address(document, object, "hexversion", runtime->hexversion);
	document_set_string(document, object, "version_source", runtime->version_source);
	document_set_string(document, object, "build", runtime->build);
	document_set_string(document, object, "layout_source", runtime->layout_source);
	document_set_bool(document, object, "debug", runtime->debug_build);
	document_set_bool(document, object, "free_threaded", runtime->free_threaded);
	document_set_bool(document, object, "incremental_gc", runtime->incremental_gc);
	document_set_address(document, object, "runtime", runtime->address);
	document_set_string(document, object, "module",
			    runtime->module ? runtime->module->path : NULL);
}

static json_t *known_count(int64_t number)
{
	return number < 0 ? json_null() : json_integer(number);
}

static void generations_json(const struct interpreter *interpreter, const uint64_t *objects,
			     struct document *document, json_t *item)
{
	json_t *array = document_set_array(document, item, "generations");

	for (unsigned g = 0; g < GENERATION_COUNT; g++) {
		const struct generation *generation = &interpreter->generations[g];
		json_t *object = document_append_object(document, array);

		document_set_count(document, object, "generation", g);
		document_set_count(document, object, "objects", objects[g]);
		document_set(document, object, "count", json_integer(generation->count));
		document_set(document, object, "threshold", json_integer(generation->threshold));
		document_set(document, object, "collections", known_count(generation->collections));
		document_set(document, object, "collected", known_count(generation->collected));
		document_set(document, object, "uncollectable",
			     known_count(generation->uncollectable));
	}
	document_set_count(document, item, "frozen", objects[GENERATION_PERMANENT]);
}

static void interpreters_json(const struct session *session, struct document *document,
			      json_t *result)
{
	const struct runtime *runtime = session->runtime;
	json_t *array = document_set_array(document, result, "interpreters");

	for (size_t i = 0; i < runtime->interpreter_count; i++) {
		const struct interpreter *interpreter = &runtime->interpreters[i];
		json_t *object = document_append_object(document, array);

		document_set(document, object, "id", json_integer(interpreter->id));
		document_set_address(document, object, "address", interpreter->address);
		document_set_count(document, object, "threads", interpreter->thread_count);
		document_set_bool(document, object, "shares_gc", interpreter->shares_gc);
		if (interpreter->shares_gc)
			continue;
		document_set_bool(document, object, "gc_enabled", interpreter->gc_enabled);
		document_set_bool(document, object, "collecting", interpreter->collecting);
		document_set_count(document, object, "garbage",
				   garbage_count(session->heap, interpreter));
		generations_json(interpreter, session->heap->list_counts[i], document, object);
	}
}

static struct error *json(struct session *session, struct document *document, json_t *result)
{
	struct tally tally;
	struct error *err = tally_heap(session->heap, &session->progress.progress, &tally);
	json_t *object, *array;

	if (err)
		return err;
	python_json(session->runtime, document, result);
	interpreters_json(session, document, result);
	object = document_set_object(document, result, "tracked");
	document_set_count(document, object, "objects", tally.objects);
	document_set_count(document, object, "bytes", tally.bytes);
	document_set_count(document, object, "types_total", tally.count);
	array = document_set_array(document, object, "types");
	report_types_json(document, array, tally.types, tally.count,
			  command_limit(session, JSON_USUALLY));
	tally_clear(&tally);
	return NULL;
}

const struct command command_info = {
	.description = "The Python version and how it was found, the build, the "
		       "interpreters with their\n"
		       "threads and generations, whether the collector is enabled, what is "
		       "in gc.garbage,\n"
		       "how many objects there are and how many of them could be decoded. "
		       "--verbose adds\n"
		       "the modules and every type without a decoder.\n",
	.prepare = prepare,
	.text = text,
	.json = json,
};
