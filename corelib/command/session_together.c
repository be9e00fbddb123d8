/*
 * Steps of a session that do not need each other, two at a time. The second works on a copy of the
 * session with views of the heap and the objects; what it made is taken over when both are done.
 */
#include "analysis/survey.h"
#include "command/session.h"
#include "target/jobs.h"

#include <stdlib.h>

/* Steps one after the other, NULL behind the last. */
struct steps {
	session_step *items[3];
};

/* Steps and the session that they work on. */
struct work {
	const struct steps *steps;
	struct session *session;
};

static struct error *run_steps(struct session *session, const struct steps *steps)
{
	struct error *err = NULL;

	for (size_t i = 0; !err && steps->items[i]; i++)
		err = steps->items[i](session);
	return err;
}

static struct error *run_first(void *context, const struct progress *progress)
{
	const struct work *work = context;

	(void)progress; // that of the session
	return run_steps(work->session, work->steps);
}

static struct error *run_second(void *context, const struct progress *progress)
{
	const struct work *work = context;

	work->session->progress.progress = *progress;
	return run_steps(work->session, work->steps);
}

/* What the copy made; the views are gone after this. */
static void take_over(struct session *session, const struct session *copy)
{
	if (!session->census && copy->census) {
		session->census = copy->census;
		session->census->objects = session->objects;
	}
	session->memory = session->memory ? session->memory : copy->memory;
	session->no_census = session->no_census ? session->no_census : copy->no_census;
}

static struct error *run_both(struct session *session, const struct steps *first,
			      const struct steps *second)
{
	struct session copy = *session;
	struct objects objects = *session->objects;
	struct work works[] = {{first, session}, {second, &copy}};
	size_t problems = session->target->coverage.count;
	struct error *err = heap_view_open(session->heap, &copy.heap);

	if (err)
		return err;
	copy.checking = NULL; // the first may use up its own
	copy.deduction = NULL;
	objects.heap = copy.heap;
	copy.objects = &objects;
	err = jobs_run(&(struct job){run_first, &works[0]}, &(struct job){run_second, &works[1]},
		       true, &session->progress.progress);
	take_over(session, &copy);
	heap_view_close(copy.heap);
	coverage_sort(&session->target->coverage, problems);
	return err;
}

/* The objects are there. */
static struct error *together(struct session *session, const struct steps *first,
			      const struct steps *second)
{
	size_t problems = session->target->coverage.count;
	struct error *err;

	if (image_is_concurrent(session->target->image))
		return run_both(session, first, second);
	err = run_steps(session, first);
	if (!err)
		err = run_steps(session, second);
	coverage_sort(&session->target->coverage, problems);
	return err;
}

static struct error *read_heap(void *context, const struct progress *progress)
{
	(void)progress; // that of the session
	return session_heap(context);
}

static struct error *read_allocators(void *context, const struct progress *progress)
{
	struct session *session = context;

	(void)progress; // it takes less time than the heap
	return allocators_open(session->runtime, &session->allocators);
}

struct error *session_heap_and_allocators(struct session *session)
{
	size_t problems = session->target->coverage.count;
	struct error *err;

	if (session->heap || session->allocators || !image_is_concurrent(session->target->image))
		return session_heap(session);
	err = jobs_run(&(struct job){read_heap, session}, &(struct job){read_allocators, session},
		       true, &session->progress.progress);
	coverage_sort(&session->target->coverage, problems);
	return err;
}

/* Each of these has all processors. */
struct error *session_basis(struct session *session)
{
	size_t problems = session->target->coverage.count;
	struct error *err = session_objects(session);

	if (!err)
		err = session_unreachable(session);
	coverage_sort(&session->target->coverage, problems);
	return err;
}

/* All that takes to read every object, which is done once. */
static struct error *survey(struct session *session, bool check)
{
	const struct survey_wishes wishes = {
		.verdict = !session->unreachable && !session->deduction,
		.check = check && !session->check && !session->checking,
	};
	struct survey survey;
	struct error *err = session_objects(session);

	if (!err && !session->no_census && session->runtime->free_threaded)
		err = session_census_begin(session); // which says why not
	if (err || session->no_census || session->graph)
		return err;
	err = survey_make(session->objects, &wishes, &session->progress.progress, &survey);
	if (err)
		return err;
	session->graph = survey.graph;
	session->sizes = survey.sizes;
	session->checking = wishes.check ? survey.checking : session->checking;
	if (!wishes.verdict)
		return NULL;
	session->deduction = survey.deduction;
	// Now each object was traversed once; what comes later decodes some of them again.
	return tally_inexact(session->heap, &session->inexact);
}

static struct error *reverse(struct session *session)
{
	return graph_reverse(session->graph, &session->progress.progress);
}

struct error *session_basis_of_roots(struct session *session)
{
	const struct steps first = {{session_unreachable, reverse}};
	const struct steps second = {{session_census_begin}};
	struct error *err = survey(session, false);

	if (err || session->no_census)
		return err ? err : session_unreachable(session);
	if (session->unreachable && session->census && session->graph->sources)
		return NULL;
	return together(session, &first, &second);
}

static struct error *retained(struct session *session)
{
	return session_retained(session, ROOTS_ALL);
}

struct error *session_overview(struct session *session, session_step *also)
{
	const struct steps first = {{retained, also}}, second = {{session_memory}};
	struct error *err = survey(session, true);

	if (!err)
		err = session_basis_of_roots(session);
	if (!err && !session->no_census)
		err = together(session, &first, &second);
	return err ? err : session_findings(session);
}
