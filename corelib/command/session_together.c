/*
 * Steps of a session that do not need each other, two at a time. The second works on a copy of the
 * session with views of the heap and the objects; what it made is taken over when both are done.
 */
#include "command/session.h"
#include "target/jobs.h"

/* One step of session.h. */
typedef struct error *session_step(struct session *session);

/* A step and the session that it works on. */
struct step {
	session_step *run;
	struct session *session;
};

static struct error *run_first(void *context, const struct progress *progress)
{
	const struct step *step = context;

	(void)progress; // that of the session
	return step->run(step->session);
}

static struct error *run_second(void *context, const struct progress *progress)
{
	const struct step *step = context;

	step->session->progress.progress = *progress;
	return step->run(step->session);
}

/* What the copy made; the views are gone after this. */
static void take_over(struct session *session, const struct session *copy)
{
	if (!session->objects && copy->objects) {
		session->objects = copy->objects;
		session->objects->heap = session->heap;
	}
	if (!session->graph && copy->graph) {
		session->graph = copy->graph;
		session->graph->objects = session->objects;
	}
	session->checking = session->checking ? session->checking : copy->checking;
	session->memory = session->memory ? session->memory : copy->memory;
	session->sizes = session->sizes ? session->sizes : copy->sizes;
	session->no_census = session->no_census ? session->no_census : copy->no_census;
}

static struct error *run_both(struct session *session, session_step *first, session_step *second)
{
	struct session copy = *session;
	struct objects objects;
	struct step steps[] = {{first, session}, {second, &copy}};
	size_t problems = session->target->coverage.count;
	struct error *err = heap_view_open(session->heap, &copy.heap);

	if (err)
		return err;
	copy.checking = NULL; // the first may use up its own
	if (session->objects) {
		objects = *session->objects;
		objects.heap = copy.heap;
		copy.objects = &objects;
	}
	err = jobs_run(&(struct job){run_first, &steps[0]}, &(struct job){run_second, &steps[1]},
		       true, &session->progress.progress);
	take_over(session, &copy);
	heap_view_close(copy.heap);
	coverage_sort(&session->target->coverage, problems);
	return err;
}

static struct error *together(struct session *session, session_step *first, session_step *second)
{
	size_t problems = session->target->coverage.count;
	struct error *err;

	if (image_is_concurrent(session->target->image))
		return run_both(session, first, second);
	err = first(session);
	if (!err)
		err = second(session);
	coverage_sort(&session->target->coverage, problems);
	return err;
}

struct error *session_basis(struct session *session)
{
	struct error *err = session_heap(session);

	if (err || (session->unreachable && session->objects))
		return err;
	return together(session, session_unreachable, session_objects);
}

struct error *session_basis_of_roots(struct session *session)
{
	struct error *err = session_basis(session);

	if (err || session->no_census || (session->census && session->graph))
		return err;
	return together(session, session_census, session_graph);
}

/* What an object owns is read once for both. */
static struct error *graph_and_check(struct session *session)
{
	const struct progress *progress = &session->progress.progress;
	struct graph_observer observer = {.owned = heap_check_owned};
	struct error *err;

	if (session->graph || session->check)
		return session_graph(session);
	err = heap_check_begin(session->objects, &session->checking);
	if (err)
		return err;
	observer.context = session->checking;
	err = graph_build(session->objects, &observer, progress, &session->graph);
	// Where not all was read, the check reads for itself.
	if (err || session->graph->left_out) {
		heap_checking_free(session->checking);
		session->checking = NULL;
	}
	return err ? err : graph_reverse(session->graph, progress);
}

static struct error *count_references(struct session *session)
{
	struct error *err = session_cycles(session);

	if (!err)
		err = session_census(session);
	return err ? err : session_sizes(session);
}

static struct error *findings_and_retained(struct session *session)
{
	struct error *err = session_findings(session);

	return err ? err : session_retained(session, ROOTS_ALL);
}

struct error *session_overview(struct session *session)
{
	struct error *err = session_basis(session);

	if (err || session->no_census || session->runtime->free_threaded) {
		if (!err)
			err = findings_and_retained(session);
		return err ? err : session_memory(session);
	}
	err = together(session, count_references, graph_and_check);
	return err ? err : together(session, findings_and_retained, session_memory);
}
