/*
 * From an object to its references: the plan of its type, made once, runs over the object. Which
 * function belongs to which decoder is bind.c's business, the decoders are in decode_*.c.
 */
#include "cpython/frame.h"
#include "traverse/decoder.h"
#include "traverse/emulator.h"

#include "target/jobs.h"

#include <stdio.h>
#include <stdlib.h>

enum { FIRST_CAPACITY = 256 };

/* What a release does and no offset tells. */
static void choose_behaviour(struct traverser *traverser)
{
	int minor = traverser->runtime->minor;

	traverser->heap_types_visited = minor >= 9; // bpo-40217
	traverser->frame_cleared = generator_cleared(traverser->runtime);
	traverser->general_lookup = code_find_lookdict(traverser);
	managed_dict_choose(traverser);
}

struct traverser *traverser_create(const struct runtime *runtime)
{
	struct traverser *traverser = jobs_memory(sizeof(*traverser));

	if (!traverser)
		return NULL;
	traverser->runtime = runtime;
	traverser->counting = true;
	traverser->layout = &runtime->layout;
	reader_init(&traverser->reader, runtime->target->image);
	if (!visit_room(traverser, FIRST_CAPACITY) || !bind_exported(traverser)) {
		traverser_destroy(traverser);
		return NULL;
	}
	choose_behaviour(traverser);
	return traverser;
}

struct traverser *traverser_clone(const struct traverser *traverser)
{
	struct traverser *clone = traverser_create(traverser->runtime);

	if (!clone)
		return NULL;
	if (!bindings_copy(clone, traverser)) {
		traverser_destroy(clone);
		return NULL;
	}
	clone->managed_dict = traverser->managed_dict;
	clone->managed_dict_rule = traverser->managed_dict_rule;
	clone->managed_dict_source = traverser->managed_dict_source;
	clone->rule_switched = traverser->rule_switched;
	clone->redact = traverser->redact;
	return clone;
}

void traverser_destroy(struct traverser *traverser)
{
	if (!traverser)
		return;
	for (size_t i = 0; i < traverser->plan_count; i++)
		plan_destroy(traverser->plans[i]);
	free(traverser->plans);
	emulator_destroy(traverser->emulator);
	bindings_destroy(traverser);
	free(traverser->references);
	free(traverser);
}

bool traverser_set_redact(struct traverser *traverser, bool redact)
{
	bool before = traverser->redact;

	traverser->redact = redact;
	return before;
}

/*
 * Plans
 */

static enum traverse_result run_none(struct traverser *traverser, const struct plan *plan,
				     uint64_t object)
{
	(void)traverser, (void)plan, (void)object;
	return TRAVERSE_NONE;
}

static enum traverse_result run_damaged(struct traverser *traverser, const struct plan *plan,
					uint64_t object)
{
	(void)traverser, (void)plan, (void)object;
	return TRAVERSE_DAMAGED;
}

/* Of the types that share the function of `definer`, the first: the one that brought it. */
static const struct type *root_definer(const struct type *definer)
{
	while (definer->base && definer->base->traverse == definer->traverse)
		definer = definer->base;
	return definer;
}

struct plan *plan_create(struct traverser *traverser, const struct type *type,
			 const struct type *definer)
{
	struct plan *plan = calloc(1, sizeof(*plan));
	const struct decoder *decoder;

	if (!plan)
		return NULL;
	plan->type = type;
	plan->run = run_none;
	if (!definer->traverse)
		return plan;
	definer = root_definer(definer);
	plan->binding = binding_of(traverser, definer);
	if (!plan->binding) {
		plan_destroy(plan);
		return NULL;
	}
	decoder = plan->binding->decoder;
	if (!decoder || plan->binding->info.check == CHECK_DIFFERS) {
		plan->run = decode_by_code;
		return plan;
	}
	plan->run = plan->binding->field_count ? decode_fields : decoder->decode;
	plan->visits_type =
		traverser->heap_types_visited && (definer->flags & TPFLAGS_HEAPTYPE) != 0;
	if (decoder->prepare && !decoder->prepare(traverser, plan))
		plan->run = run_damaged;
	return plan;
}

void plan_destroy(struct plan *plan)
{
	if (!plan)
		return;
	plan_destroy(plan->base);
	free(plan->slots);
	free(plan);
}

static bool grow_plans(struct traverser *traverser, uint32_t index)
{
	size_t count = traverser->plan_count ? traverser->plan_count : FIRST_CAPACITY;
	struct plan **plans;

	while (count <= index)
		count *= 2;
	plans = realloc(traverser->plans, count * sizeof(*plans));
	if (!plans)
		return false;
	memset(plans + traverser->plan_count, 0, (count - traverser->plan_count) * sizeof(*plans));
	traverser->plans = plans;
	traverser->plan_count = count;
	return true;
}

struct plan *traverser_make_plan(struct traverser *traverser, const struct type *type)
{
	if (type->index >= traverser->plan_count && !grow_plans(traverser, type->index))
		return NULL;
	if (!traverser->plans[type->index]) {
		struct plan *plan = plan_create(traverser, type, type);

		if (plan) {
			plan->hidden = hidden_decoder_of(traverser, type);
			plan->rest = rest_extent(traverser, type);
			plan->is_bytearray = !plan->base && is_bytearray_class(type);
		}
		traverser->plans[type->index] = plan;
	}
	return traverser->plans[type->index];
}

static void count_usage(struct traverser *traverser, struct plan *plan, enum traverse_result result)
{
	struct traverse_usage *usage = &plan->usage;

	if (traverser->emulated)
		usage->emulated++;
	else
		usage->native++;
	if (result == TRAVERSE_UNKNOWN || result == TRAVERSE_PARTIAL) {
		if (!usage->inexact++)
			snprintf(plan->reason, sizeof(plan->reason), "%s", traverser->failure);
	}
	if (plan->binding) {
		plan->binding->info.objects++;
		plan->binding->info.damaged += result == TRAVERSE_DAMAGED;
	}
}

enum traverse_result traverse_object(struct traverser *traverser, uint64_t object,
				     const struct type *type, const struct reference **references,
				     size_t *count)
{
	struct plan *plan = traverser_plan(traverser, type);
	enum traverse_result result = TRAVERSE_DAMAGED;

	traverser->count = 0;
	traverser->emulated = false;
	if (plan)
		result = plan->run(traverser, plan, object);
	if (result != TRAVERSE_EXACT && result != TRAVERSE_PARTIAL)
		traverser->count = 0;
	if (plan && traverser->counting)
		count_usage(traverser, plan, result);
	*references = traverser->references;
	*count = traverser->count;
	return result;
}

struct traverse_usage traverser_usage(const struct traverser *traverser, const struct type *type)
{
	const struct plan *plan =
		type->index < traverser->plan_count ? traverser->plans[type->index] : NULL;
	struct traverse_usage usage = {0};

	if (!plan)
		return usage;
	usage = plan->usage;
	usage.reason = usage.inexact ? plan->reason : NULL;
	return usage;
}

void traverser_set_counting(struct traverser *traverser, bool counting)
{
	traverser->counting = counting;
}

static void collect_usage(struct plan *plan, struct plan *from)
{
	if (from->usage.inexact && !plan->usage.inexact)
		strcpy(plan->reason, from->reason);
	plan->usage.native += from->usage.native;
	plan->usage.emulated += from->usage.emulated;
	plan->usage.inexact += from->usage.inexact;
	from->usage = (struct traverse_usage){0};
	if (plan->binding && from->binding) {
		plan->binding->info.objects += from->binding->info.objects;
		plan->binding->info.damaged += from->binding->info.damaged;
		from->binding->info.objects = from->binding->info.damaged = 0;
	}
}

void traverser_collect_usage(struct traverser *traverser, struct traverser *clone)
{
	for (size_t i = 0; i < clone->plan_count; i++) {
		struct plan *from = clone->plans[i], *plan;

		if (!from || !(from->usage.native + from->usage.emulated))
			continue;
		plan = traverser_plan(traverser, from->type);
		if (plan)
			collect_usage(plan, from);
	}
}

/*
 * Visiting
 */

bool visit_grow(struct traverser *traverser, size_t more)
{
	size_t capacity = traverser->capacity ? traverser->capacity : FIRST_CAPACITY;
	struct reference *references;

	while (capacity - traverser->count < more) {
		if (capacity > SIZE_MAX / 2 / sizeof(*references))
			return false;
		capacity *= 2;
	}
	references = realloc(traverser->references, capacity * sizeof(*references));
	if (!references)
		return false;
	traverser->references = references;
	traverser->capacity = capacity;
	return true;
}

bool visit_words(struct traverser *traverser, uint64_t address, uint64_t count)
{
	const uint8_t *host;

	if (!count)
		return true;
	if (count > INT64_MAX / sizeof(uint64_t))
		return false;
	host = reader_at(&traverser->reader, address, count * sizeof(uint64_t));
	if (!host || !visit_room(traverser, count))
		return false;
	for (uint64_t i = 0; i < count; i++)
		visit_put(traverser, host_u64(host + i * sizeof(uint64_t)),
			  address + i * sizeof(uint64_t));
	return true;
}

bool visit_words_backwards(struct traverser *traverser, uint64_t address, uint64_t count)
{
	const uint8_t *host;

	if (!count)
		return true;
	if (count > INT64_MAX / sizeof(uint64_t))
		return false;
	host = reader_at(&traverser->reader, address, count * sizeof(uint64_t));
	if (!host || !visit_room(traverser, count))
		return false;
	for (uint64_t i = count; i-- > 0;)
		visit_put(traverser, host_u64(host + i * sizeof(uint64_t)),
			  address + i * sizeof(uint64_t));
	return true;
}

bool visit_word(struct traverser *traverser, uint64_t address)
{
	return visit_words(traverser, address, 1);
}

bool visit_type(struct traverser *traverser, const struct type *type, uint64_t object)
{
	if (!visit_room(traverser, 1))
		return false;
	visit_put(traverser, type->address, object + traverser->layout->PyObject_ob_type);
	return true;
}

/*
 * Fields
 */

/* One line of a table. The object's bytes are at `body`, and there is room. */
static bool visit_field(struct traverser *traverser, const struct plan *plan, const uint8_t *body,
			uint64_t object, uint32_t offset)
{
	switch (offset) {
	case FIELD_FACT_TYPE:
		return !plan->visits_type || visit_type(traverser, plan->type, object);
	case FIELD_FACT_MANAGED_DICT:
		return !(plan->type->flags & TPFLAGS_MANAGED_DICT) ||
		       traverser->managed_dict->visit(traverser, plan->type, object);
	default:
		if (!visit_room(traverser, 1))
			return false;
		visit_member(traverser, body, object, offset);
		return true;
	}
}

enum traverse_result decode_fields(struct traverser *traverser, const struct plan *plan,
				   uint64_t object)
{
	const struct binding *binding = plan->binding;
	const uint8_t *body = reader_at(&traverser->reader, object, binding->extent);

	if (!body)
		return TRAVERSE_DAMAGED;
	for (size_t i = 0; i < binding->field_count; i++)
		if (!visit_field(traverser, plan, body, object, binding->fields[i].offset))
			return TRAVERSE_DAMAGED;
	if (binding->decoder->decode)
		return binding->decoder->decode(traverser, plan, object);
	return TRAVERSE_EXACT;
}
