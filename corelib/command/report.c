/*
 * The first lines of every text: what is this, can I trust the answer.
 */
#include "command/report.h"

#include "command/command.h"
#include "command/signal_report.h"
#include "traverse/title.h"

#include <inttypes.h>
#include <string.h>

enum { INEXACT_IN_LINE = 3, VALUE_MIN = 8 };

const char *report_type_name(const struct type *type)
{
	return type ? type->name : "(damaged type)";
}

bool report_may_show(const struct session *session, uint64_t word)
{
	const struct image *image = session->target->image;

	return !session->options.redact || !word || image_segment(image, word) ||
	       image_hole(image, word);
}

struct unit_text report_word(const struct session *session, uint64_t word)
{
	struct unit_text text;

	if (report_may_show(session, word))
		snprintf(text.text, sizeof(text.text), "0x%" PRIx64, word);
	else
		snprintf(text.text, sizeof(text.text), "a hidden value");
	return text;
}

/** "shared" when _PyRuntime is in libpython, "static" when it is in the executable. */
static const char *linkage(const struct module *module)
{
	const char *name;

	if (!module)
		return NULL;
	name = strrchr(module->path, '/');
	name = name ? name + 1 : module->path;
	return strncmp(name, "libpython", 9) ? "static" : "shared";
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void add_origin(const struct target *target, struct paragraph *paragraph)
{
	struct signal_text reason = signal_reason(target);
	struct screen *screen = paragraph->screen;

	if (target->kind == TARGET_CORE) {
		paragraph_add(paragraph, "   ", "%s, %s%s%s",
			      screen_clean(screen, base_name(target->name)).text,
			      units_bytes(target->size).text,
			      target->compression ? " unpacked from " : "",
			      target->compression ? target->compression : "");
	}
	if (target->signal) {
		paragraph_add(paragraph, ", ", "killed by %s", signal_name(target).text);
		if (*reason.text)
			paragraph_add(paragraph, " ", "%s", reason.text);
	}
}

void report_header(const struct session *session, struct screen *screen)
{
	const struct runtime *runtime = session->runtime;
	const struct target *target = session->target;
	const char *link = linkage(runtime->module);
	struct paragraph paragraph = paragraph_begin(screen, 0);

	paragraph_add(&paragraph, "", "CPython %s (%s%s%s%s)", runtime->version, link ? link : "",
		      link ? ", " : "", runtime->debug_build ? "debug" : "release",
		      runtime->free_threaded ? ", free-threaded" : "");
	if (target->pid)
		paragraph_add(&paragraph, "   ", "pid %ld", (long)target->pid);
	if (target->inner_pid)
		paragraph_add(&paragraph, " ", "(%ld in its container)", (long)target->inner_pid);
	if (target->kind == TARGET_LIVE)
		paragraph_add(&paragraph, ", ", "running");
	if (target->command && !session->options.redact)
		paragraph_add(&paragraph, " ", "\"%s\"",
			      screen_clean(screen, target->command).text);
	add_origin(target, &paragraph);
	if (session->options.redact)
		paragraph_add(&paragraph, "   ", "values hidden (--redact)");
	paragraph_end(&paragraph);
}

/** Is the problem the file of a module, of which there can be dozens with one cause? */
static bool is_about_file(const struct problem *problem)
{
	return !strcmp(problem->kind, "missing-file") ||
	       !strcmp(problem->kind, "build-id-mismatch");
}

/** The problems of the same kind and level in [from, to). */
static uint64_t count_alike(const struct coverage *coverage, const struct problem *problem,
			    size_t from, size_t to)
{
	uint64_t count = 0;

	for (size_t i = from; i < to; i++)
		count += coverage->problems[i].level == problem->level &&
			 !strcmp(coverage->problems[i].kind, problem->kind);
	return count;
}

void report_problems(const struct session *session, enum problem_level level, struct screen *screen)
{
	const struct coverage *coverage = &session->target->coverage;
	uint64_t limit = command_limit(session, session->options.verbose ? UINT64_MAX : 3);
	uint64_t total = 0;

	for (size_t i = 0; i < coverage->count; i++) {
		const struct problem *problem = &coverage->problems[i];
		bool grouped = limit != UINT64_MAX && is_about_file(problem);
		uint64_t alike;

		if (problem->level != level || (grouped && count_alike(coverage, problem, 0, i)) ||
		    total++ >= limit)
			continue;
		alike = grouped ? count_alike(coverage, problem, i + 1, coverage->count) : 0;
		screen_styled(screen, STYLE_CAUTION, "%s",
			      level == PROBLEM_PARTIAL ? "Incomplete: " : "Note: ");
		screen_text(screen, problem->detail);
		if (alike)
			screen_print(screen,
				     " (and %s more file%s; --sysroot=DIR says where they are)",
				     units_count(alike).text, alike == 1 ? "" : "s");
		screen_print(screen, "\n");
	}
	report_more(screen, 0, limit, total, level == PROBLEM_PARTIAL ? "problem" : "note");
}

void report_more(struct screen *screen, unsigned indent, uint64_t shown, uint64_t total,
		 const char *noun)
{
	char more[48];

	if (shown >= total)
		return;
	snprintf(more, sizeof(more), "more %s", noun);
	screen_print(screen, "%*s%s and %s; --limit 0 shows all\n", (int)indent, "",
		     screen_ellipsis(screen), units_plural(total - shown, more).text);
}

/** Adds "(re.Pattern, _abc._abc_data, ...):"; each interpreter may have its own type of a name. */
static void add_inexact_names(const struct tally *inexact, struct paragraph *paragraph)
{
	struct screen *screen = paragraph->screen;
	const char *before = NULL;
	size_t i, shown = 0;

	for (i = 0; i < inexact->count && shown < INEXACT_IN_LINE; i++) {
		const char *name = report_type_name(inexact->types[i].type);

		if (before && !strcmp(before, name))
			continue;
		paragraph_add(paragraph, before ? ", " : " ", "%s%s", before ? "" : "(",
			      screen_clean(screen, name).text);
		before = name;
		shown++;
	}
	paragraph_add(paragraph, i < inexact->count ? ", " : "",
		      "%s):", i < inexact->count ? screen_ellipsis(screen) : "");
}

/** Prints which objects were not decoded, and what that means for the answer. */
static void add_inexact(const struct tally *inexact, struct paragraph *paragraph)
{
	paragraph_add(paragraph, " ", "Not all references of %s of %s are known",
		      units_plural(inexact->objects, "object").text,
		      units_plural(inexact->count, "type").text);
	add_inexact_names(inexact, paragraph);
	paragraph_add(paragraph, " ", "taken as in use, which can hide a leak");
	paragraph_add(paragraph, " ", "but never invents one.");
}

void report_coverage(const struct session *session, struct screen *screen)
{
	const struct unreachable *unreachable = session->unreachable;
	uint64_t total = session->heap->count;
	uint64_t decoded =
		total - unreachable->partial - unreachable->unknown - unreachable->damaged;
	struct paragraph paragraph = paragraph_begin(screen, 0);

	paragraph_add(&paragraph, "", "Decoded %s of %s", units_share(decoded, total).text,
		      units_plural(total, "object").text);
	if (unreachable->partial)
		paragraph_add(&paragraph, ", ", "%s in part",
			      units_count(unreachable->partial).text);
	if (unreachable->damaged)
		paragraph_add(&paragraph, ", ", "%s damaged",
			      units_count(unreachable->damaged).text);
	paragraph_add(&paragraph, "", ".");
	if (session->inexact.count)
		add_inexact(&session->inexact, &paragraph);
	paragraph_end(&paragraph);
	report_problems(session, PROBLEM_PARTIAL, screen);
	if (session->options.verbose)
		report_problems(session, PROBLEM_NOTE, screen);
}

struct clean_text report_object(const struct session *session, uint64_t address,
				const struct type *type, const struct screen *screen)
{
	char title[200], text[400];

	if (!type || !object_title(session->heap->traverser, address, type, title, sizeof(title)))
		return screen_clean(screen, report_type_name(type));
	snprintf(text, sizeof(text), "%s %s",
		 type->flags & TPFLAGS_TYPE_SUBCLASS ? "class" : type->name, title);
	return screen_clean(screen, text);
}

bool report_has_title(const struct session *session, uint64_t address, const struct type *type)
{
	char title[8];

	return object_title(session->heap->traverser, address, type, title, sizeof(title));
}

bool report_title(const struct session *session, uint64_t address, const struct type *type,
		  struct paragraph *paragraph)
{
	char title[200];

	if (!object_title(session->heap->traverser, address, type, title, sizeof(title)))
		return false;
	paragraph_add(paragraph, " ", "%s", screen_clean(paragraph->screen, title).text);
	return true;
}

void report_describe(const struct session *session, uint64_t address, const struct type *type,
		     const struct repr_options *options, char *text, size_t size)
{
	struct traverser *traverser = session->heap->traverser;
	size_t name = type ? strlen(type->name) : 0, length;

	if (object_title(traverser, address, type, text, size))
		return;
	if (options)
		repr_object(traverser, address, options, text, size);
	else
		object_repr(traverser, address, text, size);
	/* The type stands beside it already: "str[6]", "app.Point(x=1)", "<app.Session user='x'>".
	 */
	if (*text != '<') {
		if (name && !strncmp(text, type->name, name) &&
		    (!text[name] || strchr("[({", text[name])))
			memmove(text, text + name, strlen(text + name) + 1);
		return;
	}
	if (!name || strncmp(text + 1, type->name, name) || text[1 + name] != ' ') {
		*text = '\0';
		return;
	}
	length = strlen(text) - name - 2;
	memmove(text, text + name + 2, length + 1);
	if (text[length - 1] == '>')
		text[length - 1] = '\0';
}

void report_fit(struct paragraph *paragraph, const char *text)
{
	const struct screen *screen = paragraph->screen;
	char clean[256];
	size_t room;

	if (!*text || paragraph->column + VALUE_MIN > screen->columns)
		return;
	room = screen->columns - paragraph->column;
	utf8_clean(clean, room < sizeof(clean) ? room : sizeof(clean), text, screen->utf8);
	paragraph_add(paragraph, " ", "%s", clean);
}

void report_next(const struct session *session, struct screen *screen, const char *const *commands,
		 size_t count)
{
	const char *prefix = session->front_end == FRONT_END_DEBUGGER ? "pymem " : "";
	struct paragraph paragraph;
	const char *gap = "";

	screen_print(screen, "\nNext:  ");
	paragraph = paragraph_continue(screen, 7, 7);
	for (size_t i = 0; i < count; i++) {
		if (!commands[i])
			continue;
		paragraph_add(&paragraph, gap, "%s%s", prefix, commands[i]);
		gap = "   ";
	}
	paragraph_end(&paragraph);
}

void report_types(struct screen *screen, unsigned indent, const char *lead,
		  const struct type_tally *types, size_t count, uint64_t limit)
{
	struct paragraph paragraph = paragraph_begin(screen, indent);

	for (size_t i = 0; i < count && i < limit; i++) {
		const char *name = report_type_name(types[i].type);

		paragraph_add(&paragraph, ", ", "%s%s %s %s", i ? "" : lead,
			      units_count(types[i].objects).text, screen_times(screen),
			      screen_clean(screen, name).text);
	}
	if (count > limit)
		paragraph_add(&paragraph, ", ", "%s %s", screen_ellipsis(screen),
			      units_plural(count - limit, "more type").text);
	paragraph_end(&paragraph);
}

void report_enumerated(const struct session *session, struct screen *screen)
{
	const struct objects *objects = session->objects;
	struct paragraph paragraph;

	if (!session->census)
		return;
	paragraph = paragraph_begin(screen, 0);
	paragraph_add(&paragraph, "", "Counted the references to %s",
		      units_plural(objects->count, "object").text);
	paragraph_add(&paragraph, " ", "(%s tracked by the collector,",
		      units_count(objects->place_counts[OBJECT_TRACKED]).text);
	paragraph_add(&paragraph, " ", "%s others)",
		      units_count(objects->place_counts[OBJECT_POOLED] +
				  objects->place_counts[OBJECT_MALLOCED])
			      .text);
	paragraph_add(&paragraph, " ", "in %s of memory,",
		      units_bytes(session->census->scanned).text);
	paragraph_add(&paragraph, " ", "%s of it dead.",
		      units_bytes(session->census->dead_bytes).text);
	paragraph_end(&paragraph);
}

void report_edge(const struct edge_label *label, const char *gap, struct paragraph *paragraph)
{
	struct clean_text name = screen_clean(paragraph->screen, label->name);

	switch (label->kind) {
	case EDGE_ATTRIBUTE:
		paragraph_add(paragraph, gap, ".%s", name.text);
		break;
	case EDGE_KEY:
		paragraph_add(paragraph, gap, "[%s]", name.text);
		break;
	case EDGE_INDEX:
		paragraph_add(paragraph, gap, "[%" PRIu64 "]", label->index);
		break;
	case EDGE_INTERNAL:
	case EDGE_LOCAL:
	case EDGE_TYPE:
		paragraph_add(paragraph, gap, "%s", name.text);
		break;
	case EDGE_UNKNOWN:
		break;
	}
}
