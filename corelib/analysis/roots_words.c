/*
 * Roots among the words that the census counts, and names of all roots.
 */
#include "analysis/roots_private.h"

#include "analysis/block.h"
#include "target/huge.h"
#include "traverse/title.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROGRESS_STEP = 1 << 16 };

/* A scan for words that point at what is not reached. */
struct word_search {
	struct root_search *search;
	struct word_map own; /* storage of the very objects that nothing reaches */
	uint8_t *wanted;     /* by object: 1 for those */
	uint32_t wanted_count;
	uint64_t low, high; /* their addresses */
};

/* @return the thread in whose C stack an address is; 0: none */
static pid_t stack_thread(const struct target *target, uint64_t address)
{
	for (size_t i = 0; i < target->thread_count; i++) {
		uint64_t top = target->threads[i].registers.rsp;
		const struct segment *segment = top ? image_segment(target->image, top) : NULL;

		if (segment && address >= segment->start && address < segment->end)
			return target->threads[i].tid;
	}
	return 0;
}

/* @return ROOT_KINDS for a word that holds nothing: of an object that is itself not reached */
static enum root_kind kind_of_word(const struct root_search *search, uint64_t address)
{
	const struct target *target = search->runtime->target;
	struct block block;

	if (target->modules && modules_at(target->modules, address))
		return ROOT_STATIC;
	/* Before the stacks: the kernel joins a stack and an arena above it to one mapping. */
	block = block_at(search->objects, address);
	if (block.object != HEAP_NONE)
		return search->roots->reached[block.object] == ROOT_UNREACHED ? ROOT_KINDS
									      : ROOT_OBJECT;
	if (block.owner != BLOCK_NONE)
		return ROOT_RAW;
	return stack_thread(target, address) ? ROOT_STACK : ROOT_MEMORY;
}

/* A word that points at a wanted object. */
static void take_root(struct word_search *words, struct root root, uint32_t object)
{
	struct root_search *search = words->search;

	if (search->roots->reached[object] != ROOT_UNREACHED ||
	    (root.word && word_map_is_dead(&words->own, root.word)))
		return;
	if (!root.name) {
		enum root_kind kind = kind_of_word(search, root.word);

		if (kind == ROOT_KINDS)
			return;
		root.kind = (uint8_t)kind;
	}
	root.object = object;
	root_add(search, &root);
}

static void take_word(void *context, const struct holder *word)
{
	struct word_search *words = context;
	uint32_t object = objects_find(words->search->objects, word->value);

	if (object != HEAP_NONE && words->wanted[object])
		take_root(words,
			  (struct root){
				  .word = word->address,
				  .name = word->name,
				  .thread = word->thread,
				  .kind = ROOT_REGISTER,
			  },
			  object);
}

static void want(struct word_search *words, uint32_t object)
{
	uint64_t address = words->search->objects->addresses[object];

	if (!words->wanted_count++)
		words->low = address;
	words->high = address;
	words->wanted[object] = 1;
}

/* The objects that nothing reaches, and the words in which they hold others: these make no roots.
 */
static struct error *mark_own(struct word_search *words)
{
	const struct root_search *search = words->search;
	const struct graph *graph = search->roots->graph;
	struct owned owned = {0};
	struct error *err = NULL;

	for (uint32_t i = 0; i < graph->count && !err; i++) {
		if (i % PROGRESS_STEP == 0)
			err = progress_step(search->progress, "looking for holders", i,
					    graph->count);
		if (err || search->roots->reached[i] != ROOT_UNREACHED)
			continue;
		if (!search->is_garbage[i])
			want(words, i);
		if (graph->first[i] == graph->first[i + 1])
			continue;
		if (!graph_references(search->objects, i, &owned))
			err = &error_no_memory;
		for (size_t j = 0; !err && j < owned.count; j++)
			if (!word_map_fill(&words->own, owned.items[j].slot,
					   owned.items[j].slot + sizeof(uint64_t), true))
				err = &error_no_memory;
	}
	owned_clear(&owned);
	return err;
}

/* The heaps and all other memory. */
static struct error *take_far(struct word_search *words)
{
	struct root_search *search = words->search;
	struct census_words found;
	struct error *err =
		census_find_words(search->census, words->wanted, search->progress, &found);

	for (size_t i = 0; !err && i < found.count; i++)
		take_root(words, (struct root){.word = found.items[i].address},
			  found.items[i].object);
	free(found.items);
	return err;
}

static struct error *search_words(struct word_search *words, enum roots_depth depth)
{
	struct root_search *search = words->search;
	struct error *err = mark_own(words);

	if (!err && words->wanted_count)
		err = census_scan_part(search->census, CENSUS_NEAR, search->progress, words->low,
				       words->high, take_word, words);
	if (!err && words->wanted_count && depth == ROOTS_ALL && search->unreached)
		err = take_far(words);
	return err;
}

struct error *roots_of_words(struct root_search *search, enum roots_depth depth)
{
	struct word_search *words = calloc(1, sizeof(*words));
	struct error *err = &error_no_memory;

	if (!words)
		return err;
	words->search = search;
	words->wanted = huge_zeroed((size_t)search->objects->count + 1, 1);
	if (words->wanted)
		err = search_words(words, depth);
	word_map_clear(&words->own);
	free(words->wanted);
	free(words);
	return err;
}

/*
 * Names
 */

static void describe_frame(const struct roots *roots, const struct root *root, char *text,
			   size_t size)
{
	struct heap *heap = roots->graph->objects->heap;
	const struct layout *layout = &heap->runtime->layout;
	struct edge_label label;
	char function[128];
	uint64_t chunk;

	if (!layout_has(layout->PyThreadState_datastack_chunk)) {
		snprintf(text, size, "running function");
		return;
	}
	chunk = root_data_chunk(heap->runtime, &heap->reader, root->thread, root->word);
	if (chunk && frame_slot(heap->traverser, chunk + layout->_PyStackChunk_data, root->word,
				&label, function, sizeof(function)))
		snprintf(text, size, "%s: %s", function, label.name);
	else
		snprintf(text, size, "frame at 0x%" PRIx64, root->word);
}

static void describe_static(const struct roots *roots, const struct root *root, char *text,
			    size_t size)
{
	struct modules *modules = roots->graph->objects->heap->runtime->target->modules;
	const struct module *module = modules_at(modules, root->word);
	const char *path = module && module->path ? module->path : "?";
	const char *file = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	struct symbol symbol;

	if (modules_symbol_at(modules, root->word, &symbol))
		snprintf(text, size, "%s: %s+0x%" PRIx64, file, symbol.name,
			 root->word - symbol.address);
	else
		snprintf(text, size, "%s: static data at 0x%" PRIx64, file, root->word);
}

static void describe_object(const struct roots *roots, const struct root *root, char *text,
			    size_t size)
{
	const struct objects *objects = roots->graph->objects;
	struct block block = block_at(objects, root->word);
	const struct type *type =
		block.object == HEAP_NONE ? NULL : objects_type(objects, block.object);

	snprintf(text, size, "a word of %s at 0x%" PRIx64, type ? type->name : "an object",
		 block.object == HEAP_NONE ? root->word : objects->addresses[block.object]);
}

/* Up to 3.11 it is a static variable of unicodeobject.c. */
static bool is_interned(const struct objects *objects, uint32_t object)
{
	for (size_t i = 0; i < objects->interned_count; i++)
		if (objects->interned[i] == object)
			return true;
	return false;
}

void root_describe(const struct roots *roots, const struct root *root, char *text, size_t size)
{
	const struct target *target = roots->graph->objects->heap->runtime->target;

	switch ((enum root_kind)root->kind) {
	case ROOT_MODULES:
	case ROOT_INTERPRETER:
		snprintf(text, size, "%s", root->name);
		break;
	case ROOT_FRAME:
		describe_frame(roots, root, text, size);
		break;
	case ROOT_STATE:
		snprintf(text, size, "interpreter state");
		break;
	case ROOT_THREAD:
		snprintf(text, size, "thread state");
		break;
	case ROOT_TYPE:
		snprintf(text, size, "static type");
		break;
	case ROOT_INTERNED:
		snprintf(text, size, "interned str");
		break;
	case ROOT_STATIC:
		if (is_interned(roots->graph->objects, root->object))
			snprintf(text, size, "table of interned str");
		else
			describe_static(roots, root, text, size);
		break;
	case ROOT_STACK:
		snprintf(text, size, "C stack of thread %ld, at 0x%" PRIx64,
			 (long)stack_thread(target, root->word), root->word);
		break;
	case ROOT_REGISTER:
		snprintf(text, size, "register %s of thread %d", root->name,
			 root->thread < target->thread_count
				 ? (int)target->threads[root->thread].tid
				 : 0);
		break;
	case ROOT_OBJECT:
		describe_object(roots, root, text, size);
		break;
	case ROOT_RAW:
		snprintf(text, size, "raw memory at 0x%" PRIx64, root->word);
		break;
	case ROOT_MEMORY:
		snprintf(text, size, "memory at 0x%" PRIx64, root->word);
		break;
	case ROOT_GARBAGE:
		snprintf(text, size, "nothing: gc.collect() would free it");
		break;
	default:
		snprintf(text, size, "nothing that was found");
	}
}
