/*
 * How fast references are found: by decoders, and by interpreting each type's own code.
 *
 * usage: bench_traverse CORE [SYSROOT]
 *
 * Prints, for the tracked objects of a core: how many there are and what the traverser takes for
 * all of them; how many of them needed the emulator, and how many stayed inexact; what the
 * self-check of the decoders took; and what the emulator alone takes for all objects, the first
 * time and again. Then what the census of references takes: finding all objects, and counting the
 * words that point at them, beside adding up the same words. Last, the dominator tree: its time and
 * the bytes that it takes, at most while it is made and then, besides the graph. Times are those of
 * the processor, not of the clock on the wall.
 */
#include "analysis/census.h"
#include "analysis/dominators.h"
#include "analysis/survey.h"
#include "traverse/emulator.h"

#include <elf.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double check_all(struct heap *heap, struct traverser *traverser)
{
	double start = now();

	for (uint32_t i = 0; i < heap->count; i++)
		if (heap_type(heap, i))
			traverser_check(traverser, heap->addresses[i], heap_type(heap, i));
	return now() - start;
}

static double traverse_all(struct heap *heap, struct traverser *traverser, uint64_t *visits)
{
	const struct reference *references;
	double start = now();
	size_t count;

	*visits = 0;
	for (uint32_t i = 0; i < heap->count; i++) {
		const struct type *type = heap_type(heap, i);

		if (!type)
			continue;
		traverse_object(traverser, heap->addresses[i], type, &references, &count);
		*visits += count;
	}
	return now() - start;
}

static double emulate_all(struct heap *heap, struct emulator *emulator, uint64_t *visits)
{
	const struct reference *references;
	double start = now();
	size_t count;

	*visits = 0;
	for (uint32_t i = 0; i < heap->count; i++) {
		const struct type *type = heap_type(heap, i);

		if (type && type->traverse)
			emulator_traverse(emulator, heap->addresses[i], type->traverse, &references,
					  &count);
		*visits += count;
	}
	return now() - start;
}

static void print_shares(struct heap *heap, const struct traverser *traverser)
{
	uint64_t native = 0, emulated = 0, inexact = 0;

	for (uint32_t i = 0; i < type_count(heap->runtime->types); i++) {
		struct traverse_usage usage =
			traverser_usage(traverser, type_by_index(heap->runtime->types, i));

		native += usage.native;
		emulated += usage.emulated;
		inexact += usage.inexact;
	}
	printf("  %lu objects by decoders, %lu (%.2f %%) by their own code, %lu inexact\n", native,
	       emulated, 100.0 * (double)emulated / (double)(native + emulated), inexact);
}

static void print_speed(const char *what, const struct heap *heap, double seconds, uint64_t visits)
{
	printf("  %-16s %7.3f s  %6.2f million objects/s  %7.2f million visits/s\n", what, seconds,
	       heap->count / seconds / 1e6, (double)visits / seconds / 1e6);
}

static void print_rate(const char *what, double seconds, uint64_t bytes)
{
	printf("  %-16s %7.3f s  %6.2f GB/s\n", what, seconds, (double)bytes / seconds / 1e9);
}

/* Adds up the words that the census looks at. */
static uint64_t read_plain(const struct image *image, uint64_t *bytes)
{
	uint64_t sum = 0, word;

	*bytes = 0;
	for (size_t i = 0; i < image->segment_count; i++) {
		const struct segment *segment = &image->segments[i];
		uint64_t size = (segment->end - segment->start) & ~UINT64_C(7);

		if (!(segment->flags & PF_W))
			continue;
		for (uint64_t at = 0; at < size; at += sizeof(word)) {
			memcpy(&word, segment->host + at, sizeof(word));
			sum += word;
		}
		*bytes += size;
	}
	return sum;
}

/* Bytes that are allocated now. */
static size_t allocated(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static void note_peak(void *context, const char *phase, uint64_t done, uint64_t total)
{
	size_t *peak = context, bytes = allocated();

	(void)phase, (void)done, (void)total;
	*peak = bytes > *peak ? bytes : *peak;
}

static struct error *measure_tree(struct graph *graph, const uint64_t *sizes,
				  const struct roots *roots)
{
	size_t before, peak = 0;
	const struct progress progress = {.report = note_peak, .context = &peak};
	struct dominators *tree = NULL;
	struct error *err = graph_reverse(graph, NULL);
	double start;

	before = allocated();
	start = now();
	if (!err)
		err = dominators_compute(graph, roots, sizes, &progress, &tree);
	if (!err)
		printf("  dominator tree   %7.3f s  %5.1f bytes an object, %.1f while it is made\n",
		       now() - start, (double)(allocated() - before) / graph->count,
		       (double)(peak - before) / graph->count);
	dominators_free(tree);
	return err;
}

static struct error *measure_graph(struct objects *objects, struct census *census)
{
	struct unreachable *unreachable = NULL;
	const struct survey_wishes wishes = {.verdict = true, .check = true};
	struct survey survey = {0};
	struct roots *roots = NULL;
	double start = now();
	struct error *err = survey_make(objects, &wishes, NULL, &survey);

	if (!err) {
		printf("  looking at all   %7.3f s  %.1f references an object\n", now() - start,
		       (double)survey.graph->edge_count / survey.graph->count);
		err = unreachable_end(survey.deduction, NULL, &unreachable);
	}
	if (!err)
		err = roots_find(survey.graph, census, unreachable, ROOTS_ALL, NULL, &roots);
	if (!err)
		err = measure_tree(survey.graph, survey.sizes, roots);
	roots_free(roots);
	survey_clear(&survey);
	unreachable_free(unreachable);
	return err;
}

static struct error *measure_census(struct heap *heap)
{
	struct objects *objects;
	struct census *census = NULL;
	double start = now(), opened, taken;
	struct error *err = objects_open(heap, NULL, NULL, &objects);
	volatile uint64_t sum;
	uint64_t bytes;

	if (err)
		return err;
	opened = now();
	err = census_take(objects, NULL, &census);
	taken = now();
	if (!err) {
		printf("  %u objects, %llu of them not tracked\n", objects->count,
		       (unsigned long long)objects->count - heap->count);
		print_rate("finding objects", opened - start, census->scanned);
		print_rate("census", taken - opened, census->scanned);
		start = now();
		sum = read_plain(heap->runtime->target->image, &bytes);
		print_rate("plain reading", now() - start, bytes);
		(void)sum;
		err = measure_graph(objects, census);
	}
	census_free(census);
	objects_close(objects);
	return err;
}

static int measure(struct heap *heap)
{
	struct traverser *traverser = traverser_create(heap->runtime);
	double start = now();
	struct emulator *emulator = emulator_create(heap->runtime->target);
	double created = now() - start;
	uint64_t visits;

	if (!traverser || !emulator)
		return 1;
	printf("  self-check %.3f s, preparing the emulator %.3f s\n", check_all(heap, traverser),
	       created);
	traverse_all(heap, traverser, &visits);
	print_shares(heap, traverser);
	double seconds = traverse_all(heap, traverser, &visits);
	print_speed("traverser", heap, seconds, visits);
	for (int warm = 0; warm < 2; warm++) {
		seconds = emulate_all(heap, emulator, &visits);
		print_speed(warm ? "emulator, warm" : "emulator, cold", heap, seconds, visits);
	}
	emulator_destroy(emulator);
	traverser_destroy(traverser);
	return 0;
}

int main(int argc, char **argv)
{
	const struct target_options options = {.sysroot = argc > 2 ? argv[2] : NULL};
	struct runtime *runtime = NULL;
	struct target *target = NULL;
	struct heap *heap = NULL;
	struct error *err;
	int status = 1;

	if (argc < 2) {
		fprintf(stderr, "usage: bench_traverse CORE [SYSROOT]\n");
		return 2;
	}
	err = target_open_core(argv[1], &options, &target);
	if (!err)
		err = runtime_open(target, &runtime);
	if (!err)
		err = heap_open(runtime, NULL, &heap);
	if (!err)
		status = measure(heap);
	if (!err)
		err = measure_census(heap);
	if (err) {
		fprintf(stderr, "%s: %s\n", argv[1], err->message);
		status = 1;
	}
	error_free(err);
	heap_close(heap);
	runtime_close(runtime);
	target_close(target);
	return status;
}
