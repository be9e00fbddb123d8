/* Those who ask are observers of the graph. */
#include "analysis/survey.h"

#include "analysis/sizes.h"
#include "target/huge.h"
#include "target/jobs.h"

#include <stdlib.h>

/* What one thread has for the collector's verdict: tracked objects only, by their own numbers. */
struct verdict {
	struct deduction_piece *piece;
	uint32_t next; /* number of the next tracked object; HEAP_NONE: not known */
};

static void verdict_close(void *gathered)
{
	struct verdict *verdict = gathered;

	unreachable_piece_free(verdict->piece);
	free(verdict);
}

static void *verdict_open(void *deduction)
{
	struct verdict *verdict = jobs_memory(sizeof(*verdict));

	if (!verdict)
		return NULL;
	verdict->next = HEAP_NONE;
	verdict->piece = unreachable_piece(deduction);
	if (!verdict->piece) {
		verdict_close(verdict);
		return NULL;
	}
	return verdict;
}

static bool verdict_see(void *gathered, const struct sight *sight)
{
	struct verdict *verdict = gathered;
	const struct objects *objects = sight->objects;

	if (objects->places[sight->object] != OBJECT_TRACKED)
		return true;
	if (verdict->next == HEAP_NONE)
		verdict->next = heap_find(objects->heap, objects->addresses[sight->object]);
	return unreachable_see(verdict->piece, verdict->next++,
			       sight->left_out ? TRAVERSE_DAMAGED : sight->owned->result,
			       sight->owned->visited, sight->owned->visited_count);
}

static bool verdict_join(void *gathered)
{
	struct verdict *verdict = gathered;

	verdict->next = HEAP_NONE;
	return unreachable_join(verdict->piece);
}

/* Each thread writes the sizes of its own objects: nothing is gathered. */
static void *measuring_open(void *sizes)
{
	return sizes;
}

static void measuring_close(void *sizes)
{
	(void)sizes; // the survey's
}

static bool measuring_see(void *gathered, const struct sight *sight)
{
	uint64_t *sizes = gathered;

	sizes[sight->object] = object_bytes(sight->objects, sight->object);
	return true;
}

static bool measuring_join(void *gathered)
{
	(void)gathered;
	return true;
}

static struct error *begin(const struct objects *objects, const struct survey_wishes *wishes,
			   struct survey *survey)
{
	struct error *err = NULL;

	*survey = (struct survey){
		.sizes = huge_array((size_t)objects->count + 1, sizeof(*survey->sizes)),
	};
	if (!survey->sizes)
		err = &error_no_memory;
	if (!err && wishes->verdict)
		err = unreachable_begin(objects->heap, &survey->deduction);
	if (!err && wishes->check)
		err = heap_check_begin(objects, &survey->checking);
	return err;
}

struct error *survey_make(const struct objects *objects, const struct survey_wishes *wishes,
			  const struct progress *progress, struct survey *survey)
{
	struct graph_observer observers[GRAPH_OBSERVERS_MAX];
	struct error *err = begin(objects, wishes, survey);
	size_t count = 0;

	observers[count++] = (struct graph_observer){survey->sizes, measuring_open, measuring_close,
						     measuring_see, measuring_join};
	if (survey->deduction)
		observers[count++] = (struct graph_observer){
			survey->deduction, verdict_open, verdict_close, verdict_see, verdict_join};
	if (survey->checking)
		observers[count++] = heap_check_observer(survey->checking);
	if (!err)
		err = graph_build(objects, observers, count, progress, &survey->graph);
	if (err) {
		survey_clear(survey);
	} else if (survey->graph->left_out) {
		heap_checking_free(survey->checking);
		survey->checking = NULL;
	}
	return err;
}

void survey_clear(struct survey *survey)
{
	graph_free(survey->graph);
	unreachable_abandon(survey->deduction);
	heap_checking_free(survey->checking);
	free(survey->sizes);
	*survey = (struct survey){0};
}
