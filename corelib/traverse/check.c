/*
 * The self-check: before decoders are trusted, they are compared with the target's own code on a
 * sample of the target's own objects. So an unknown micro release, a vendor's patch or a custom
 * build come out right: where a decoder differs, the code is interpreted instead of it.
 *
 * What counts is the multiset of visited GC objects, and from 3.14 on which of the references are
 * borrowed: decoders leave out referents that the collector does not see, and the order makes no
 * difference to it.
 *
 * Of an instance of a Python class several functions are concerned: subtype_traverse(), the
 * function of its C base, and the rule of managed dicts. A difference is put down to the base if
 * the base alone differs, then to the rule if the other rule agrees, else to the function.
 */
#include "traverse/decoder.h"
#include "traverse/emulator.h"

#include <stdlib.h>

enum {
	SAMPLE_OF_FUNCTION = 64, // and from there on at each power of two
	SAMPLE_OF_TYPE = 4,
	SAMPLE_MATERIALISED = 16,     // instances with inline values and a dict
	MATERIALISED_SOUGHT = 100000, // among so many
	VISITS_LIMIT = 65536,	      // larger objects would take too long
	DICT_POINTER = 24,	      // in front of an object, 3.13+
};

/*
 * The sample
 */

static bool is_power_of_two(uint64_t number)
{
	return (number & (number - 1)) == 0;
}

// The objects in which the rules of managed dicts differ: both inline values and a dict are there.
static bool is_materialised(struct traverser *traverser, uint64_t object, const struct type *type)
{
	uint64_t dict;

	if ((type->flags & (TPFLAGS_INLINE_VALUES | TPFLAGS_MANAGED_DICT)) !=
		    (TPFLAGS_INLINE_VALUES | TPFLAGS_MANAGED_DICT) ||
	    traverser->runtime->minor < 13 || traverser->materialised >= SAMPLE_MATERIALISED ||
	    traverser->materialised_sought++ >= MATERIALISED_SOUGHT)
		return false;
	if (!reader_u64(&traverser->reader, object - DICT_POINTER, &dict) || !dict)
		return false;
	traverser->materialised++;
	return true;
}

static bool is_wanted(struct traverser *traverser, struct plan *plan, uint64_t object)
{
	struct binding *binding = plan->binding;
	bool wanted = is_materialised(traverser, object, plan->type);

	if (plan->sampled < SAMPLE_OF_TYPE) {
		plan->sampled++;
		wanted = true;
	}
	binding->sampled++;
	return wanted || binding->sampled <= SAMPLE_OF_FUNCTION ||
	       is_power_of_two(binding->sampled);
}

/*
 * Comparing
 */

static bool is_gc(struct traverser *traverser, uint64_t object)
{
	const struct runtime *runtime = traverser->runtime;
	struct object_header header;
	const struct type *type;

	if (!object_header(runtime, &traverser->reader, object, &header))
		return false;
	type = type_get(runtime->types, &traverser->reader, header.type);
	return type && type_object_is_gc(runtime, &traverser->reader, type, object);
}

static int compare_words(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

// Objects are aligned: the lowest bit of a reference's word says that it is borrowed.
static uint64_t reference_word(const struct traverser *traverser, const struct reference *reference)
{
	bool counts = traverser->runtime->minor >= 14;

	return reference->target | (counts && reference->borrowed);
}

// The visited GC objects, sorted. @return NULL when out of memory
static uint64_t *visited_objects(struct traverser *traverser, const struct reference *references,
				 size_t count, size_t *objects)
{
	uint64_t *words = malloc((count + 1) * sizeof(*words));

	*objects = 0;
	if (!words)
		return NULL;
	for (size_t i = 0; i < count; i++)
		if (is_gc(traverser, references[i].target))
			words[(*objects)++] = reference_word(traverser, &references[i]);
	qsort(words, *objects, sizeof(*words), compare_words);
	return words;
}

static bool same_sequence(const struct traverser *traverser, const struct reference *right,
			  size_t right_count)
{
	const struct reference *left = traverser->references;

	if (traverser->count != right_count)
		return false;
	for (size_t i = 0; i < right_count; i++)
		if (reference_word(traverser, &left[i]) != reference_word(traverser, &right[i]))
			return false;
	return true;
}

// Are the references of the traverser those of the code, as far as the collector can tell?
static bool same_objects(struct traverser *traverser, const struct reference *code, size_t count)
{
	size_t left_count, right_count;
	uint64_t *left = NULL, *right = NULL;
	bool same;

	if (same_sequence(traverser, code, count))
		return true;
	left = visited_objects(traverser, traverser->references, traverser->count, &left_count);
	right = visited_objects(traverser, code, count, &right_count);
	same = !left || !right ||
	       (left_count == right_count && !memcmp(left, right, left_count * sizeof(*left)));
	free(left);
	free(right);
	return same;
}

enum verdict { VERDICT_SAME, VERDICT_DIFFERENT, VERDICT_OPEN };

// Compares what a plan and the function that it stands for visit.
static enum verdict compare(struct traverser *traverser, struct plan *plan, uint64_t object)
{
	struct traverse_binding *info = &plan->binding->info;
	struct emulator *emulator = traverser_emulator(traverser);
	const struct reference *code;
	enum traverse_result result;
	size_t count;

	traverser->count = 0;
	result = plan->run(traverser, plan, object);
	if (!emulator || result == TRAVERSE_PARTIAL || traverser->count > VISITS_LIMIT)
		return VERDICT_OPEN;
	if (emulator_traverse(emulator, object, info->address, &code, &count)) {
		if (emulator_failure(emulator)->fault == EMULATOR_FETCH &&
		    info->check == CHECK_NONE)
			info->check = CHECK_NO_CODE;
		return VERDICT_OPEN;
	}
	info->compared++;
	if (info->check != CHECK_DIFFERS)
		info->check = CHECK_AGREES;
	// Code that gets along with an object that the decoder calls damaged is right.
	if (result != TRAVERSE_EXACT)
		return VERDICT_DIFFERENT;
	return same_objects(traverser, code, count) ? VERDICT_SAME : VERDICT_DIFFERENT;
}

/*
 * Consequences
 */

static void interpret_from_now_on(struct traverser *traverser, struct binding *binding)
{
	binding->info.check = CHECK_DIFFERS;
	for (size_t i = 0; i < traverser->plan_count; i++)
		for (struct plan *plan = traverser->plans[i]; plan; plan = plan->base)
			if (plan->binding == binding)
				plan->run = decode_by_code;
}

static bool depends_on_rule(const struct traverser *traverser, const struct plan *plan)
{
	return traverser->runtime->minor >= 13 && !traverser->rule_switched &&
	       (plan->type->flags & (TPFLAGS_INLINE_VALUES | TPFLAGS_DICT_SUBCLASS));
}

// Tries the other rule of managed dicts. @return true if it agrees with the code and is in use now
static bool switch_rule(struct traverser *traverser, struct plan *plan, uint64_t object)
{
	enum managed_dict_rule rule = traverser->managed_dict_rule;
	const char *source = traverser->managed_dict_source;

	if (!depends_on_rule(traverser, plan))
		return false;
	traverser_set_managed_dict_rule(
		traverser, rule == MANAGED_DICT_VALUES ? MANAGED_DICT_DICT : MANAGED_DICT_VALUES,
		"a comparison with the code");
	if (compare(traverser, plan, object) == VERDICT_SAME) {
		traverser->rule_switched = true;
		return true;
	}
	traverser_set_managed_dict_rule(traverser, rule, source);
	return false;
}

// Finds out which part of a plan differs, and interprets that from now on.
static void settle(struct traverser *traverser, struct plan *plan, uint64_t object)
{
	if (plan->base && plan->base->binding && plan->base->binding->decoder &&
	    plan->base->run != decode_by_code &&
	    compare(traverser, plan->base, object) == VERDICT_DIFFERENT)
		settle(traverser, plan->base, object);
	if (compare(traverser, plan, object) != VERDICT_DIFFERENT ||
	    switch_rule(traverser, plan, object))
		return;
	interpret_from_now_on(traverser, plan->binding);
}

void traverser_check(struct traverser *traverser, uint64_t object, const struct type *type)
{
	struct plan *plan = traverser_plan(traverser, type);

	if (!plan || !plan->binding || !plan->binding->decoder || plan->run == decode_by_code ||
	    plan->binding->info.check == CHECK_NO_CODE || !is_wanted(traverser, plan, object))
		return;
	if (compare(traverser, plan, object) == VERDICT_DIFFERENT)
		settle(traverser, plan, object);
}

/*
 * Reporting
 */

static const char *example_name(const struct binding *binding)
{
	return binding->info.example ? binding->info.example->name : binding->info.decoder;
}

void traverser_report(const struct traverser *traverser, struct coverage *coverage)
{
	size_t unchecked = 0;

	for (size_t i = 0; i < traverser->binding_count; i++) {
		const struct binding *binding = traverser->bindings[i];

		if (binding->info.check == CHECK_DIFFERS)
			coverage_add(coverage, PROBLEM_NOTE, "decoder-differs",
				     "this build's traverse function of %s at 0x%lx visits other "
				     "objects than the built-in decoder: it is interpreted",
				     example_name(binding), (unsigned long)binding->info.address);
		unchecked += binding->decoder && binding->info.check == CHECK_NO_CODE;
	}
	if (unchecked)
		coverage_add(coverage, PROBLEM_NOTE, "decoders-unchecked",
			     "%zu built-in decoders could not be compared with the target's code, "
			     "which is not at hand",
			     unchecked);
	if (traverser->rule_switched)
		coverage_add(coverage, PROBLEM_NOTE, "managed-dict-rule",
			     "this build visits instance dicts in another way than its version "
			     "does: taken from its code");
}
