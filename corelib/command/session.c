/*
 * The steps from a target to its cycles, each taken when it is first needed.
 */
#include "command/session.h"

#include "command/path_report.h"

#include <stdlib.h>

enum { NO_STOP_ATTEMPTS = 10 };

static struct error *open_target(struct session *session, const struct pymem_debugger *debugger)
{
	const struct options *options = &session->options;
	const struct target_options target_options = {
		.executable = options->executable,
		.sysroot = options->sysroot,
		.debuginfo_path = options->debuginfo_path,
		.no_stop = options->no_stop,
		.keep = options->keep_core,
		.dumped = options->handle_core,
		.progress = &session->progress.progress,
	};

	if (debugger) {
		const struct target_callbacks callbacks = {
			.read = debugger->read,
			.registers = debugger->registers,
			.context = debugger->context,
			.pid = debugger->pid,
			.core = debugger->core,
			.stack_pointer = debugger->stack_pointer,
			.r_debug = debugger->r_debug,
		};

		return target_open_debugger(&callbacks, &target_options, &session->target);
	}
	if (options->pid)
		return target_open_pid(options->pid, &target_options, &session->target);
	return target_open_core(options->core, &target_options, &session->target);
}

/** A process that ended while it was read looks like many things; says what it is instead. */
static struct error *or_gone(const struct session *session, struct error *err)
{
	struct error *gone = err && session->target ? target_gone(session->target) : NULL;

	if (!gone)
		return err;
	error_free(err);
	return gone;
}

static struct error *open_once(struct session *session, const struct pymem_debugger *debugger)
{
	struct error *err = open_target(session, debugger);

	if (!err && debugger)
		session->target->runtime_hint = debugger->runtime;
	if (!err)
		err = runtime_open(session->target, &session->runtime);
	// From here on writable memory and module files do: a live process need not wait.
	if (!err)
		err = target_release(session->target);
	return or_gone(session, err);
}

struct error *session_open(struct session *session, const struct pymem_debugger *debugger)
{
	struct error *err = open_once(session, debugger);

	// A process that is not stopped may change a list just when it is checked.
	for (int i = 1; err && err->code == ERROR_NOT_PYTHON && session->options.no_stop &&
			i < NO_STOP_ATTEMPTS;
	     i++) {
		error_free(err);
		runtime_close(session->runtime);
		session->runtime = NULL;
		target_close(session->target);
		session->target = NULL;
		err = open_once(session, debugger);
	}
	return err;
}

struct error *session_heap(struct session *session)
{
	struct error *err;

	if (session->heap)
		return NULL;
	err = heap_open(session->runtime, &session->progress.progress, &session->heap);
	if (!err)
		traverser_set_redact(session->heap->traverser, session->options.redact);
	return err;
}

struct error *session_unreachable(struct session *session)
{
	struct error *err = session_heap(session);

	if (err || session->unreachable)
		return err;
	if (session->deduction) {
		err = unreachable_end(session->deduction, &session->progress.progress,
				      &session->unreachable);
		unreachable_abandon(session->deduction);
		session->deduction = NULL;
		return err;
	}
	err = unreachable_compute(session->heap, &session->progress.progress,
				  &session->unreachable);
	// Now each object was traversed once; what comes later decodes some of them again.
	return err ? err : tally_inexact(session->heap, &session->inexact);
}

struct error *session_cycles(struct session *session)
{
	struct error *err = session_unreachable(session);

	if (err || session->cycles)
		return err;
	return cycles_group(session->unreachable, &session->progress.progress, &session->cycles);
}

struct error *session_objects(struct session *session)
{
	struct error *err = session_heap_and_allocators(session);
	struct allocators *allocators;

	if (err || session->objects || session->no_census)
		return err;
	if (!session->target->image->segment_count) {
		session->no_census = "it takes a map of the memory, which is not known here";
		return NULL;
	}
	allocators = session->allocators;
	session->allocators = NULL;
	return objects_open(session->heap, allocators, &session->progress.progress,
			    &session->objects);
}

struct error *session_memory(struct session *session)
{
	struct error *err = session_objects(session);

	if (err || session->memory || session->no_census)
		return err;
	return memory_map_make(session->objects, &session->progress.progress, &session->memory);
}

struct error *session_census_begin(struct session *session)
{
	struct error *err = session_objects(session);

	if (err || session->census || session->no_census)
		return err;
	if (session->runtime->free_threaded) {
		session->no_census =
			"the refcounts of free-threaded Python are spread over threads";
		return NULL;
	}
	return census_begin(session->objects, &session->progress.progress, &session->census);
}

struct error *session_census(struct session *session)
{
	struct error *err = session_census_begin(session);

	return err || session->no_census
		       ? err
		       : census_count(session->census, &session->progress.progress);
}

struct error *session_leaked(struct session *session)
{
	const struct progress *progress = &session->progress.progress;
	struct error *err = session_basis(session);

	if (!err)
		err = session_census(session);
	if (err || session->leaked || session->no_census)
		return err;
	err = session->checking ? heap_check_end(session->checking, session->census,
						 session->unreachable, progress, &session->check)
				: heap_check_run(session->census, session->unreachable, progress,
						 &session->check);
	heap_checking_free(session->checking);
	session->checking = NULL;
	if (!err)
		err = leaked_compute(session->census, session->unreachable, progress,
				     &session->leaked);
	return err;
}

struct error *session_roots(struct session *session, enum roots_depth depth)
{
	struct error *err = session_basis_of_roots(session);

	if (err || session->roots || session->no_census)
		return err;
	return roots_find(session->graph, session->census, session->unreachable, depth,
			  &session->progress.progress, &session->roots);
}

struct error *session_retained(struct session *session, enum roots_depth depth)
{
	struct error *err = session_roots(session, depth);

	if (err || session->dominators || session->no_census)
		return err;
	err = dominators_compute(session->graph, session->roots, session->sizes,
				 &session->progress.progress, &session->dominators);
	return err ? err : anchors_open(session->dominators, &session->anchors);
}

/** An example that somebody holds. */
struct held_example {
	uint64_t address;
	uint32_t group;
};

static int compare_held(const void *left, const void *right)
{
	const struct held_example *a = left, *b = right;

	return a->address < b->address ? -1 : a->address > b->address;
}

/** The examples with holders of the first groups, by address. */
static size_t list_held(const struct session *session, uint64_t groups, struct held_example *held)
{
	const struct leaked *leaked = session->leaked;
	size_t count = 0;

	for (uint32_t i = 0; i < leaked->group_count && i < groups; i++) {
		const struct leaked_head *head = &leaked->heads[leaked->groups[i].example];

		if (head->found)
			held[count++] =
				(struct held_example){session->objects->addresses[head->object], i};
	}
	if (count)
		qsort(held, count, sizeof(*held), compare_held);
	return count;
}

struct error *session_holders(struct session *session, uint64_t groups)
{
	enum { HOLDERS_MAX = 3 };
	size_t all = session->leaked ? session->leaked->group_count : 0, count;
	struct held_example *held = calloc(all + 1, sizeof(*held));
	uint64_t *addresses = calloc(all + 1, sizeof(*addresses));
	struct places *places = calloc(all + 1, sizeof(*places));
	struct error *err = &error_no_memory;

	if (!session->group_holders)
		session->group_holders = calloc(all + 1, sizeof(*session->group_holders));
	if (held && addresses && places && session->group_holders) {
		count = all ? list_held(session, groups, held) : 0;
		for (size_t i = 0; i < count; i++)
			addresses[i] = held[i].address;
		err = places_read_many(session->census, &session->progress.progress, addresses,
				       count, HOLDERS_MAX, places);
		for (size_t i = 0; !err && i < count; i++)
			session->group_holders[held[i].group] = places[i];
	}
	free(held);
	free(addresses);
	free(places);
	return err;
}

static void clear_holders(struct session *session)
{
	for (uint32_t i = 0; session->group_holders && i < session->leaked->group_count; i++)
		places_clear(&session->group_holders[i]);
	free(session->group_holders);
}

struct error *session_findings(struct session *session)
{
	struct error *err = session_basis(session);

	if (!err)
		err = session_cycles(session);
	if (!err && !session->has_garbage) {
		session->has_garbage = true;
		err = garbage_read(session->heap, &session->garbage);
	}
	return err ? err : session_leaked(session);
}

struct error *session_stacks(struct session *session, enum stacks_extent extent)
{
	struct error *err = session_heap(session);

	if (err || session->stacks)
		return err;
	return stacks_read(session->heap, extent, &session->progress.progress, &session->stacks);
}

void session_forget(struct session *session)
{
	stacks_free(session->stacks);
	session->stacks = NULL;
	places_clear(&session->places);
	referents_clear(&session->referents);
	referrers_clear(&session->referrers);
	if (session->leaked)
		clear_holders(session);
	session->group_holders = NULL;
	leaked_free(session->leaked);
	path_answers_free(session->paths);
	session->paths = NULL;
	session->leaked = NULL;
	histogram_clear(&session->histogram);
	search_clear(&session->search);
	contents_clear(&session->contents);
	retained_rows_clear(&session->rows);
	retainers_clear(&session->retainers);
	anchors_close(session->anchors);
	session->anchors = NULL;
	dominators_free(session->dominators);
	session->dominators = NULL;
	free(session->sizes);
	session->sizes = NULL;
	roots_free(session->roots);
	session->roots = NULL;
	graph_free(session->graph);
	session->graph = NULL;
	heap_checking_free(session->checking);
	session->checking = NULL;
	heap_check_free(session->check);
	session->check = NULL;
	census_free(session->census);
	session->census = NULL;
	memory_map_free(session->memory);
	session->memory = NULL;
	objects_close(session->objects);
	session->objects = NULL;
	allocators_close(session->allocators);
	session->allocators = NULL;
	garbage_clear(&session->garbage);
	session->has_garbage = false;
	cycles_free(session->cycles);
	session->cycles = NULL;
}

void session_renew(struct session *session)
{
	session_forget(session);
	tally_clear(&session->inexact);
	unreachable_abandon(session->deduction);
	session->deduction = NULL;
	unreachable_free(session->unreachable);
	session->unreachable = NULL;
	heap_close(session->heap);
	session->heap = NULL;
	runtime_close(session->runtime);
	session->runtime = NULL;
	session->no_census = NULL;
}

void session_reset(struct session *session)
{
	session_renew(session);
	target_close(session->target);
	session->target = NULL;
}

void session_clear_request(struct session *session)
{
	growth_clear(&session->growth);
	history_clear(&session->history);
	options_clear(&session->options);
	session->options = (struct options){0};
	session->argument = NULL;
	session->argument_first = false;
}

void session_close(struct session *session)
{
	session_reset(session);
	session_clear_request(session);
	*session = (struct session){0};
}
