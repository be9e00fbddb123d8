/*
 * The first lines of every text: what is this, can I trust the answer.
 */
#include "command/report.h"

#include "command/command.h"

#include <string.h>

const char *report_type_name(const struct type *type)
{
	return type ? type->name : "(damaged type)";
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
	struct screen *screen = paragraph->screen;

	if (target->kind == TARGET_CORE) {
		paragraph_add(paragraph, "   ", "%s, %s",
			      screen_clean(screen, base_name(target->name)).text,
			      units_bytes(target->size).text);
		if (target->signal) {
			const char *name = sigabbrev_np(target->signal);

			if (name)
				paragraph_add(paragraph, ", ", "killed by SIG%s", name);
			else
				paragraph_add(paragraph, ", ", "killed by signal %d",
					      target->signal);
		}
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
		paragraph_add(&paragraph, "   ", "pid %ld%s", (long)target->pid,
			      target->kind == TARGET_LIVE ? ", running" : "");
	if (target->command)
		paragraph_add(&paragraph, " ", "\"%s\"",
			      screen_clean(screen, target->command).text);
	add_origin(target, &paragraph);
	paragraph_end(&paragraph);
}

void report_problems(const struct session *session, enum problem_level level, struct screen *screen)
{
	const struct coverage *coverage = &session->target->coverage;
	uint64_t limit = command_limit(session, session->options.verbose ? UINT64_MAX : 3);
	uint64_t total = 0;

	for (size_t i = 0; i < coverage->count; i++) {
		const struct problem *problem = &coverage->problems[i];

		if (problem->level != level || total++ >= limit)
			continue;
		screen_styled(screen, STYLE_CAUTION, "%s",
			      level == PROBLEM_PARTIAL ? "Incomplete: " : "Note: ");
		screen_text(screen, problem->detail);
		screen_print(screen, "\n");
	}
	report_more(screen, 0, limit, total,
		    level == PROBLEM_PARTIAL ? "things that are missing" : "notes");
}

void report_more(struct screen *screen, unsigned indent, uint64_t shown, uint64_t total,
		 const char *what)
{
	if (shown < total)
		screen_print(screen, "%*s%s and %s more %s; --limit 0 shows all\n", (int)indent, "",
			     screen_ellipsis(screen), units_count(total - shown).text, what);
}

struct error *report_coverage(const struct session *session, struct screen *screen)
{
	const struct unreachable *unreachable = session->unreachable;
	uint64_t total = session->heap->count;
	uint64_t decoded =
		total - unreachable->partial - unreachable->unknown - unreachable->damaged;
	struct paragraph paragraph = paragraph_begin(screen, 0);
	struct tally undecoded;
	struct error *err;

	paragraph_add(&paragraph, "", "Decoded %s of %s objects", units_share(decoded, total).text,
		      units_count(total).text);
	if (unreachable->unknown) {
		err = tally_undecoded(session->heap, &undecoded);
		if (err)
			return err;
		paragraph_add(&paragraph, "; ", "%s of %s types have no decoder yet",
			      units_count(unreachable->unknown).text,
			      units_count(undecoded.count).text);
		tally_clear(&undecoded);
		paragraph_add(&paragraph, ": ", "what they hold counts as in use,");
		paragraph_add(&paragraph, " ", "which can hide a leak and never invents one");
	}
	if (unreachable->partial)
		paragraph_add(&paragraph, "; ", "%s in part",
			      units_count(unreachable->partial).text);
	if (unreachable->damaged)
		paragraph_add(&paragraph, "; ", "%s damaged",
			      units_count(unreachable->damaged).text);
	paragraph_end(&paragraph);
	report_problems(session, PROBLEM_PARTIAL, screen);
	if (session->options.verbose)
		report_problems(session, PROBLEM_NOTE, screen);
	return NULL;
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
		paragraph_add(&paragraph, ", ", "%s %s more types", screen_ellipsis(screen),
			      units_count(count - limit).text);
	paragraph_end(&paragraph);
}
