/* From the anomalies of a census to heads of leaks, and those to groups. */
#include "analysis/leaked_private.h"

#include <stdlib.h>

static struct error *list_heads(struct leaked *leaked)
{
	const struct census *census = leaked->census;

	leaked->heads = calloc(census->anomaly_count + 1, sizeof(*leaked->heads));
	if (!leaked->heads)
		return &error_no_memory;
	for (size_t i = 0; i < census->anomaly_count; i++) {
		const struct anomaly *anomaly = &census->anomalies[i];

		if (anomaly->kind == ANOMALY_OVER_RELEASED)
			continue;
		leaked->heads[leaked->head_count++] = (struct leaked_head){
			.object = anomaly->object,
			.kind = anomaly->kind,
			.refcount = anomaly->refcount,
			.found = anomaly->found,
			.excess = (uint64_t)anomaly->refcount - anomaly->found,
		};
	}
	return NULL;
}

struct error *leaked_compute(const struct census *census, const struct unreachable *unreachable,
			     const struct progress *progress, struct leaked **result)
{
	struct leaked *leaked = calloc(1, sizeof(*leaked));
	struct kept_objects kept = {0};
	struct error *err;

	*result = NULL;
	if (!leaked)
		return &error_no_memory;
	leaked->census = census;
	err = progress_step(progress, "following leaked references", 0, census->anomaly_count);
	if (!err)
		err = list_heads(leaked);
	if (!err && leaked->head_count)
		err = leaked_keep(leaked, unreachable, &kept);
	if (!err && leaked->head_count)
		err = leaked_group(leaked, &kept);
	free(kept.items);
	if (err) {
		leaked_free(leaked);
		return err;
	}
	*result = leaked;
	return NULL;
}

void leaked_free(struct leaked *leaked)
{
	if (!leaked)
		return;
	for (uint32_t i = 0; i < leaked->group_count; i++)
		free(leaked->groups[i].kept_types);
	free(leaked->groups);
	free(leaked->heads);
	free(leaked);
}
