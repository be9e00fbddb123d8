/*
 * Paths as text and as JSON.
 */
#include "command/path_report.h"

#include "analysis/root_expression.h"
#include "command/command.h"
#include "command/link.h"
#include "command/places.h"
#include "command/report.h"

#include <inttypes.h>
#include <stdlib.h>

enum { TITLE_SHORT = 32 };

void path_answers_free(struct path_answers *answers)
{
	if (!answers)
		return;
	for (size_t i = 0; answers->items && i < answers->count; i++) {
		error_free(answers->items[i].error);
		paths_clear(&answers->items[i].paths);
	}
	free(answers->items);
	free(answers);
}

/* The reference that leads to the i-th object of a path. */
static void step_label(const struct session *session, const struct path *path, size_t i,
		       struct edge_label *label)
{
	const struct objects *objects = session->objects;
	uint32_t from = path->objects[i - 1];
	const struct type *type = objects_type(objects, from);

	*label = (struct edge_label){.kind = EDGE_UNKNOWN};
	if (type)
		edge_label(session->heap->traverser, objects->addresses[from], type,
			   &path->references[i - 1], label);
}

/* What to call a root, for people. */
static const char *root_words(enum root_kind kind)
{
	static const char *const words[ROOT_KINDS] = {
		[ROOT_MODULES] = "modules",
		[ROOT_INTERPRETER] = "the interpreter",
		[ROOT_FRAME] = "a running function",
		[ROOT_STATE] = "the interpreter's state, in C",
		[ROOT_THREAD] = "a thread's state, in C",
		[ROOT_TYPE] = "a static type, in C",
		[ROOT_INTERNED] = "the table of interned str",
		[ROOT_STATIC] = "static data of C code",
		[ROOT_STACK] = "a C stack",
		[ROOT_REGISTER] = "a register",
		[ROOT_OBJECT] = "an object, by a word that its type says nothing of",
		[ROOT_RAW] = "memory of C code",
		[ROOT_MEMORY] = "memory that nothing is known of",
		[ROOT_GARBAGE] = "nothing",
		[ROOT_NOTHING] = "nothing",
	};

	return words[kind];
}

static void print_root(const struct session *session, const struct path *path,
		       struct screen *screen)
{
	struct paragraph paragraph = paragraph_begin(screen, 4);
	struct root_frame frame;
	char text[400];

	paragraph_add(&paragraph, "", "held by %s", root_words(path->root->kind));
	if (path->root->kind == ROOT_FRAME && root_frame_find(session->roots, path->root, &frame)) {
		if (frame.tid)
			paragraph_add(&paragraph, ", ", "thread %ld", (long)frame.tid);
		else
			paragraph_add(&paragraph, ", ", "thread 0x%" PRIx64, frame.thread_id);
		if (*frame.function)
			paragraph_add(&paragraph, ": ", "%s",
				      screen_clean(screen, frame.function).text);
	} else {
		root_describe(session->roots, path->root, text, sizeof(text));
		paragraph_add(&paragraph, ": ", "%s", screen_clean(screen, text).text);
	}
	paragraph_end(&paragraph);
}

/* The values of containers on the way say little; names, and short values, say what it is. */
static bool is_telling(const struct session *session, uint64_t address,
		       const struct described *described, bool is_last)
{
	return *described->title && (is_last || utf8_length(described->title) <= TITLE_SHORT ||
				     report_has_title(session, address, described->type));
}

static void print_step(const struct session *session, const struct path *path, size_t i,
		       struct screen *screen)
{
	uint64_t address = session->objects->addresses[path->objects[i]];
	struct edge_label label = {.kind = EDGE_UNKNOWN};
	struct described described;
	struct paragraph paragraph;

	if (i)
		step_label(session, path, i, &label);
	link_describe(session, address, &described);
	screen_print(screen, "    ");
	screen_styled(screen, STYLE_FAINT, "0x%012" PRIx64, address);
	screen_print(screen, "  ");
	paragraph = paragraph_continue(screen, 20, 20);
	if (label.kind != EDGE_UNKNOWN)
		report_edge(&label, "", &paragraph);
	else if (i)
		paragraph_add(&paragraph, "", "a reference");
	paragraph_add(&paragraph, i ? "  " : "", "%s",
		      screen_clean(screen, report_type_name(described.type)).text);
	if (is_telling(session, address, &described, i + 1 == path->count))
		paragraph_add(&paragraph, " ", "%s", screen_clean(screen, described.title).text);
	paragraph_add(&paragraph, ", ", "%s", units_bytes(described.size).text);
	paragraph_end(&paragraph);
}

/* A long path is shown from both ends. */
static void print_steps(const struct session *session, const struct path *path,
			struct screen *screen)
{
	uint64_t limit = link_limit(session);
	size_t head = path->count <= limit ? path->count : limit / 2;
	size_t tail = path->count <= limit ? path->count : path->count - (limit - head);

	for (size_t i = 0; i < head; i++)
		print_step(session, path, i, screen);
	if (head < tail)
		screen_print(screen, "    %s %s more; --limit 0 shows all\n",
			     screen_ellipsis(screen), units_plural(tail - head, "step").text);
	for (size_t i = tail; i < path->count; i++)
		print_step(session, path, i, screen);
}

static void print_path(const struct session *session, const struct path *path,
		       struct screen *screen)
{
	screen_print(screen, "\n  ");
	screen_text(screen, path->readable ? path->readable : path->expression);
	screen_print(screen, "\n");
	if (path->readable && path->evaluable) {
		screen_print(screen, "  ");
		screen_text(screen, path->expression);
		screen_print(screen, "\n");
	}
	print_root(session, path, screen);
	print_steps(session, path, screen);
}

static void print_lost(const struct path_answer *answer, struct screen *screen)
{
	struct paragraph paragraph = paragraph_begin(screen, 2);

	if (answer->found) {
		paragraph_add(&paragraph, "", "Held only by what nothing holds itself:");
		paragraph_add(&paragraph, " ", "%s in memory, refcount %" PRId64,
			      units_plural(answer->found, "word").text,
			      answer->asked.header.refcount);
	} else {
		paragraph_add(&paragraph, "", "Lost: nothing in memory points at it,");
		paragraph_add(&paragraph, " ", "refcount %" PRId64 "; it will never be freed",
			      answer->asked.header.refcount);
	}
	paragraph_end(&paragraph);
}

static void print_garbage(const struct session *session, const struct path_answer *answer,
			  struct screen *screen)
{
	const char *prefix = session->front_end == FRONT_END_DEBUGGER ? "pymem " : "";
	struct paragraph paragraph = paragraph_begin(screen, 2);

	paragraph_add(&paragraph, "", "Nothing holds it but unreachable cycles:");
	paragraph_add(&paragraph, " ", "gc.collect() would free it");
	if (answer->group)
		paragraph_add(&paragraph, "; ", "%scycles %zu shows them", prefix, answer->group);
	paragraph_end(&paragraph);
}

void path_text(const struct session *session, const struct path_answer *answer,
	       struct screen *screen)
{
	if (answer->verdict == PATH_ERROR) {
		screen_print(screen, "0x%" PRIx64 ": ", answer->typed);
		screen_text(screen, answer->error->message);
		screen_print(screen, "\n");
		return;
	}
	asked_text(session, &answer->asked, screen);
	switch (answer->verdict) {
	case PATH_HELD:
		for (size_t i = 0; i < answer->paths.count; i++)
			print_path(session, &answer->paths.items[i], screen);
		break;
	case PATH_STATIC:
		screen_print(screen,
			     "  Static: it was not allocated, and nothing needs to hold it\n");
		break;
	case PATH_GARBAGE:
		print_garbage(session, answer, screen);
		break;
	case PATH_LOST:
		print_lost(answer, screen);
		break;
	case PATH_ERROR:
		break;
	}
}

/*
 * JSON
 */

static void root_json(const struct session *session, const struct path *path,
		      struct document *document, json_t *object)
{
	struct root_frame frame;
	char text[400];

	root_describe(session->roots, path->root, text, sizeof(text));
	document_set_string(document, object, "kind", root_kind_name(path->root->kind));
	document_set_string(document, object, "description", text);
	if (path->root->word)
		document_set_address(document, object, "word", path->root->word);
	if (path->root->kind != ROOT_FRAME || !root_frame_find(session->roots, path->root, &frame))
		return;
	document_set(document, object, "thread", frame.tid ? json_integer(frame.tid) : json_null());
	document_set_count(document, object, "thread_id", frame.thread_id);
	if (*frame.function)
		document_set_string(document, object, "function", frame.function);
	label_json(&frame.label, document, object);
}

static void step_json(const struct session *session, const struct path *path, size_t i,
		      struct document *document, json_t *object)
{
	uint64_t address = session->objects->addresses[path->objects[i]];
	struct described described;
	struct edge_label label;

	link_describe(session, address, &described);
	document_set_address(document, object, "address", address);
	document_set_string(document, object, "type", described.type ? described.type->name : NULL);
	if (*described.title)
		document_set_string(document, object, "title", described.title);
	document_set_count(document, object, "size", described.size);
	if (!i)
		return;
	step_label(session, path, i, &label);
	label_json(&label, document, object);
}

static void one_path_json(const struct session *session, const struct path *path,
			  struct document *document, json_t *object)
{
	uint64_t limit = link_limit(session);
	json_t *steps;

	root_json(session, path, document, document_set_object(document, object, "root"));
	document_set_string(document, object, "expression", path->expression);
	document_set_bool(document, object, "evaluable", path->evaluable);
	if (path->readable)
		document_set_string(document, object, "readable", path->readable);
	document_set_count(document, object, "length", path->count);
	steps = document_set_array(document, object, "steps");
	for (size_t i = 0; i < path->count && i < limit; i++)
		step_json(session, path, i, document, document_append_object(document, steps));
}

void path_json(const struct session *session, const struct path_answer *answer,
	       struct document *document, json_t *object)
{
	static const char *const verdicts[] = {
		[PATH_HELD] = "held", [PATH_STATIC] = "static", [PATH_GARBAGE] = "garbage",
		[PATH_LOST] = "lost", [PATH_ERROR] = "error",
	};
	json_t *paths;

	if (answer->verdict == PATH_ERROR) {
		document_set_address(document, object, "address", answer->typed);
		document_set_string(document, object, "verdict", "error");
		document_set_string(document, object, "error", answer->error->message);
		return;
	}
	asked_json(&answer->asked, document, object);
	document_set_string(document, object, "verdict", verdicts[answer->verdict]);
	if (answer->verdict == PATH_GARBAGE && answer->group)
		document_set_count(document, object, "group", answer->group);
	if (answer->verdict == PATH_LOST)
		document_set_count(document, object, "found", answer->found);
	paths = document_set_array(document, object, "paths");
	for (size_t i = 0; i < answer->paths.count; i++)
		one_path_json(session, &answer->paths.items[i], document,
			      document_append_object(document, paths));
}
