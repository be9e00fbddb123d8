/*
 * What objects refer to. Several threads may look at the same time, each with a checker of its own;
 * what is dying at this moment is no damage.
 */
#include "analysis/heap_check_private.h"

#include "analysis/block.h"
#include "analysis/dying.h"
#include "target/jobs.h"

#include <stdlib.h>

enum { GOOD_SLOTS = 4096, PROGRESS_STEP = 1 << 16 };

/* Each of a few threads may be about to add one more. */
#define OWNERS_MAX (UINT32_MAX - 64)

/* Damages, the first ones of each row of objects, and the number of all. */
struct damages {
	struct damage *items; /* room for DAMAGES_MAX */
	size_t count;
	uint64_t kind_counts[DAMAGE_KINDS];
};

/* What looks at references, one a thread. */
struct checker {
	struct heap_checking *work;
	struct reader reader;
	uint64_t good[GOOD_SLOTS]; /* objects outside of the allocators, met before */
	struct damages damages;
};

void heap_check_note_facts(struct heap_checking *work, const struct objects *objects)
{
	for (uint32_t i = 0; i < objects->count; i++)
		work->facts[i] =
			(objects->places[i] != OBJECT_TRACKED ? FACT_UNTRACKED : 0) |
			(objects->refcounts[i] == HEAP_IMMORTAL || objects->refcounts[i] > 0
				 ? FACT_ALIVE
				 : 0);
}

/* Takes over what a checker has found. */
static void take_damages(struct heap_checking *work, struct damages *damages)
{
	struct heap_check *check = work->check;

	for (size_t i = 0; i < damages->count && check->damage_count < DAMAGES_MAX; i++)
		check->damages[check->damage_count++] = damages->items[i];
	damages->count = 0;
	for (unsigned kind = 0; kind < DAMAGE_KINDS; kind++) {
		check->total += damages->kind_counts[kind];
		check->kind_counts[kind] += damages->kind_counts[kind];
		damages->kind_counts[kind] = 0;
	}
}

static void checker_free(void *context)
{
	struct checker *checker = context;

	if (!checker)
		return;
	free(checker->damages.items);
	free(checker);
}

static void *checker_create(void *context)
{
	struct heap_checking *work = context;
	struct checker *checker = jobs_memory(sizeof(*checker));

	if (!checker)
		return NULL;
	checker->work = work;
	reader_init(&checker->reader, work->runtime->target->image);
	checker->damages.items = calloc(DAMAGES_MAX, sizeof(*checker->damages.items));
	if (!checker->damages.items) {
		checker_free(checker);
		return NULL;
	}
	return checker;
}

/* Something is referred to that was not found in the allocators. @return false: it is all right */
static bool is_damaged(struct checker *checker, const struct objects *objects, uint64_t target,
		       enum damage_kind *kind)
{
	const struct runtime *runtime = checker->work->runtime;
	const struct dead_object *dead = dying_dead_at(objects, target);
	struct object_header header;
	struct block block;

	*kind = DAMAGE_FREED;
	if (dead)
		return !dying_is(dead);
	block = block_at(objects, target);
	if (block.is_free)
		return true;
	*kind = DAMAGE_NO_OBJECT;
	if (!object_header(runtime, &checker->reader, target, &header))
		// A core without the file of a module lacks its read-only data.
		return !image_hole(checker->reader.image, target);
	if (!type_get(runtime->types, &checker->reader, header.type))
		return true;
	*kind = DAMAGE_REFCOUNT;
	return !header.immortal && header.refcount <= 0;
}

static void check_target(struct checker *checker, const struct objects *objects, uint32_t object,
			 const struct reference *reference, uint32_t target)
{
	size_t slot = (reference->target >> 4) % GOOD_SLOTS;
	enum damage_kind kind = DAMAGE_REFCOUNT;
	struct damages *damages = &checker->damages;

	if (target != HEAP_NONE) {
		if (checker->work->facts[target] & FACT_ALIVE)
			return;
	} else {
		if (checker->good[slot] == reference->target)
			return;
		if (!is_damaged(checker, objects, reference->target, &kind)) {
			checker->good[slot] = reference->target;
			return;
		}
	}
	damages->kind_counts[kind]++;
	if (damages->count < DAMAGES_MAX)
		damages->items[damages->count++] = (struct damage){
			.kind = kind,
			.address = reference->slot,
			.value = reference->target,
			.object = object,
		};
}

/* Counts for an object that the collector does not. Other threads may do so at the same time. */
static void add_owner(const struct heap_checking *work, uint32_t target)
{
	if (target != HEAP_NONE && (work->facts[target] & FACT_UNTRACKED) &&
	    __atomic_load_n(&work->owners[target], __ATOMIC_RELAXED) < OWNERS_MAX)
		__atomic_fetch_add(&work->owners[target], 1, __ATOMIC_RELAXED);
}

static bool see(void *context, const struct sight *sight)
{
	struct checker *checker = context;

	if (sight->objects->places[sight->object] != OBJECT_TRACKED)
		return true;
	for (size_t i = 0; i < sight->owned->count; i++) {
		add_owner(checker->work, sight->targets[i]);
		check_target(checker, sight->objects, sight->object, &sight->owned->items[i],
			     sight->targets[i]);
	}
	return true;
}

static bool join(void *context)
{
	struct checker *checker = context;

	take_damages(checker->work, &checker->damages);
	return true;
}

struct graph_observer heap_check_observer(struct heap_checking *checking)
{
	return (struct graph_observer){
		.context = checking,
		.open = checker_create,
		.close = checker_free,
		.see = see,
		.join = join,
	};
}

bool heap_check_is_believed(const struct heap_checking *work, uint32_t object)
{
	return work->objects->places[object] == OBJECT_TRACKED || work->census->found[object];
}

static bool is_checked(const struct heap_checking *work, uint32_t object, bool tracked)
{
	return (work->objects->places[object] == OBJECT_TRACKED) == tracked &&
	       (tracked || heap_check_is_believed(work, object));
}

/* The references of all tracked objects, or of all believed others. */
static struct error *check_with(struct checker *checker, struct owned *owned, bool tracked,
				const struct progress *progress)
{
	struct heap_checking *work = checker->work;
	const struct objects *objects = work->objects;

	for (uint32_t i = 0; i < objects->count; i++) {
		if (i % PROGRESS_STEP == 0) {
			struct error *err =
				progress_step(progress, "checking objects", i, objects->count);

			if (err)
				return err;
		}
		if (!is_checked(work, i, tracked))
			continue;
		if (!owned_read(objects, i, owned))
			return &error_no_memory;
		for (size_t j = 0; j < owned->count; j++) {
			uint32_t target = objects_find(objects, owned->items[j].target);

			add_owner(work, target);
			check_target(checker, objects, i, &owned->items[j], target);
		}
		take_damages(work, &checker->damages);
	}
	return NULL;
}

struct error *heap_check_references(struct heap_checking *work, bool tracked,
				    const struct progress *progress)
{
	struct checker *checker = checker_create(work);
	struct owned owned = {0};
	struct error *err =
		checker ? check_with(checker, &owned, tracked, progress) : &error_no_memory;

	owned_clear(&owned);
	checker_free(checker);
	return err;
}
