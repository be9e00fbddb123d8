/*
 * What is the same in every process that has the same leak: the types of a group's members and the
 * names by which they refer to each other, as a set. Left out is what differs from process to
 * process: addresses, counts, order, indexes, the keys of dicts. An instance's __dict__ is looked
 * through, since whether there is one depends on what the program did to the instance.
 */
#include "analysis/cycles_private.h"
#include "analysis/fingerprint.h"

#include <stdlib.h>
#include <string.h>

/* Enough to meet every name that such a cycle has; more would cost time on large heaps. */
enum { OBJECTS_SAMPLED = 5000 };

/* The members that are looked at, and what was found. */
struct sample {
	const struct unreachable *unreachable;
	const struct components *components;
	uint32_t *members; /* positions */
	uint32_t count;
	struct number_set parts;
	struct number_set instance_dicts; /* positions */
};

static const struct type *type_at(const struct sample *sample, uint32_t position)
{
	return heap_type(sample->unreachable->heap, sample->unreachable->objects[position]);
}

/* Positions of members, those of the first cycles. */
static bool choose_members(struct sample *sample, const struct clusters *clusters,
			   const uint32_t *owners, uint32_t owner_count)
{
	sample->members = malloc(OBJECTS_SAMPLED * sizeof(*sample->members));
	for (uint32_t c = 0; sample->members && c < owner_count; c++)
		for (uint32_t i = clusters->start[owners[c]]; i < clusters->start[owners[c] + 1];
		     i++) {
			uint32_t position = clusters->positions[i];

			if (sample->count == OBJECTS_SAMPLED)
				return true;
			if (sample->components->of[position] == owners[c])
				sample->members[sample->count++] = position;
		}
	return sample->members;
}

static bool add_edge(struct sample *sample, const struct type *from, const char *label,
		     const struct type *to)
{
	return number_set_add(&sample->parts,
			      fingerprint_part((const char *const[]){from ? from->name : "?",
								     *label == '[' ? "[]" : label,
								     to ? to->name : "?"},
					       3));
}

/*
 * Adds the references of a member to others of its cycle, under the type that they are shown as.
 * @param is_instance a reference to its __dict__ is not one of them: it is noted
 */
static bool add_references(struct sample *sample, uint32_t position, const struct type *from,
			   bool through_dict, bool is_instance, uint32_t *dict)
{
	const struct unreachable *unreachable = sample->unreachable;
	struct heap *heap = unreachable->heap;
	uint32_t object = unreachable->objects[position];
	const struct type *type = heap_type(heap, object);
	size_t count = 0;
	struct reference *references =
		cycle_references(heap, heap->addresses[object], type, &count);
	bool ok = references;

	for (size_t i = 0; ok && i < count; i++) {
		uint32_t target =
			cycle_member_at(unreachable, sample->components,
					sample->components->of[position], references[i].target);
		struct edge_label label;
		char text[sizeof(label.name) + 8];

		if (target == COMPONENT_NONE)
			continue;
		edge_label(heap->traverser, heap->addresses[object], type, &references[i], &label);
		if (is_instance && label.kind == EDGE_INTERNAL && !strcmp(label.name, "__dict__")) {
			*dict = target;
			continue;
		}
		cycle_edge_text(&label, through_dict, text, sizeof(text));
		ok = add_edge(sample, from, text, type_at(sample, target));
	}
	free(references);
	return ok;
}

/* Those that may be the __dict__ of an instance; subclasses have one of their own. */
static bool is_dict(const struct type *type)
{
	return type && type->flags & TPFLAGS_DICT_SUBCLASS && !strcmp(type->name, "dict");
}

static bool add_member(struct sample *sample, uint32_t position)
{
	const struct type *type = type_at(sample, position);
	uint32_t dict = COMPONENT_NONE;

	if (!type)
		return add_edge(sample, NULL, "", NULL);
	if (!add_edge(sample, type, "", type) ||
	    !add_references(sample, position, type, false, true, &dict))
		return false;
	return dict == COMPONENT_NONE || (number_set_add(&sample->instance_dicts, dict) &&
					  add_references(sample, dict, type, true, false, NULL));
}

/* Instances first: which dicts are theirs is known then. */
static bool add_members(struct sample *sample)
{
	bool ok = true;

	for (uint32_t i = 0; ok && i < sample->count; i++)
		if (!is_dict(type_at(sample, sample->members[i])))
			ok = add_member(sample, sample->members[i]);
	number_set_finish(&sample->instance_dicts);
	for (uint32_t i = 0; ok && i < sample->count; i++)
		if (is_dict(type_at(sample, sample->members[i])) &&
		    !number_set_has(&sample->instance_dicts, sample->members[i]))
			ok = add_member(sample, sample->members[i]);
	return ok;
}

struct error *cycle_fingerprint(const struct unreachable *unreachable,
				const struct components *components,
				const struct clusters *clusters, const uint32_t *owners,
				uint32_t owner_count, uint64_t *fingerprint)
{
	struct sample sample = {.unreachable = unreachable, .components = components};
	struct traverser *traverser = unreachable->heap->traverser;
	// Nothing of it is shown, and it has to be the same whether values are hidden or not.
	bool redact = traverser_set_redact(traverser, false);
	bool ok = choose_members(&sample, clusters, owners, owner_count) && add_members(&sample);

	traverser_set_redact(traverser, redact);
	*fingerprint = number_set_hash(&sample.parts);
	free(sample.members);
	number_set_clear(&sample.parts);
	number_set_clear(&sample.instance_dicts);
	return ok ? NULL : &error_no_memory;
}
