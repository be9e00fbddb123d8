/*
 * Decoding by the target's own code: functions without a decoder, those whose decoder is not
 * trusted, and the parts of extension modules that only their own code knows.
 */
#include "traverse/decoder.h"
#include "traverse/emulator.h"

#include <stdio.h>

struct emulator *traverser_emulator(struct traverser *traverser)
{
	if (!traverser->emulator)
		traverser->emulator = emulator_create(traverser->runtime->target);
	return traverser->emulator;
}

/*
 * Slots of frames that hold no refcount are tagged so from 3.14 on, see struct reference. Code of
 * extensions may use the same bit for what it likes.
 */
static bool knows_borrowed(const struct traverser *traverser, const struct plan *plan)
{
	return traverser->runtime->minor >= 14 &&
	       is_cpython_code(traverser, plan->binding->info.address);
}

static bool take_over(struct traverser *traverser, const struct plan *plan,
		      const struct reference *references, size_t count)
{
	struct reference *first = NULL;

	if (!visit_room(traverser, count))
		return false;
	first = &traverser->references[traverser->count];
	if (count)
		memcpy(first, references, count * sizeof(*references));
	traverser->count += count;
	if (!knows_borrowed(traverser, plan))
		for (size_t i = 0; i < count; i++)
			first[i].borrowed = 0;
	return true;
}

enum traverse_result decode_by_code(struct traverser *traverser, const struct plan *plan,
				    uint64_t object)
{
	struct emulator *emulator = traverser_emulator(traverser);
	const struct reference *references;
	size_t count;

	traverser->emulated = true;
	snprintf(traverser->failure, sizeof(traverser->failure), "out of memory");
	if (!emulator)
		return TRAVERSE_UNKNOWN;
	if (emulator_traverse(emulator, object, plan->binding->info.address, &references, &count)) {
		emulator_failure_text(emulator_failure(emulator), traverser->failure,
				      sizeof(traverser->failure));
		return TRAVERSE_UNKNOWN;
	}
	return take_over(traverser, plan, references, count) ? TRAVERSE_EXACT : TRAVERSE_UNKNOWN;
}
