/* With one worker its view is the heap itself: nothing to copy, nothing to collect. */
#include "analysis/views.h"

struct error *views_open(struct heap *heap, const struct objects *objects, struct views *views)
{
	size_t wanted = jobs_workers(image_is_concurrent(heap->runtime->target->image));

	*views = (struct views){
		.heap = heap,
		.problems = heap->runtime->target->coverage.count,
	};
	for (size_t i = 0; i < wanted; i++) {
		if (wanted == 1) {
			views->heaps[i] = heap;
		} else {
			struct error *err = heap_view_open(heap, &views->heaps[i]);

			if (err) {
				views_close(views);
				return err;
			}
		}
		if (objects) {
			views->objects[i] = *objects;
			views->objects[i].heap = views->heaps[i];
		}
		views->count++;
	}
	return NULL;
}

void views_collect(struct views *views, size_t index)
{
	if (views->heaps[index] != views->heap)
		traverser_collect_usage(views->heap->traverser, views->heaps[index]->traverser);
}

void views_close(struct views *views)
{
	for (size_t i = 0; i < views->count; i++)
		if (views->heaps[i] != views->heap)
			heap_view_close(views->heaps[i]);
	if (views->count > 1)
		coverage_sort(&views->heap->runtime->target->coverage, views->problems);
	*views = (struct views){0};
}
