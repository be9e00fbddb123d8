/*
 * The parts of `memory` against what the process says of itself: mallinfo2(),
 * sys._debugmallocstats(), /proc/PID/smaps. The numbers must be the same, not near.
 */
#include "support/inspection.h"
#include "support/jobs.h"
#include "support/opened.h"
#include "support/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/** What the program of each word does, and what the verdict on it must be. */
static const struct {
	const char *word, *verdict;
	bool fragmented;
	json_int_t threads;
} programs[] = {
	{"fragmented", "pymalloc-fragmentation", true, 1},
	{"healthy", "python-objects", false, 1},
	{"large", "python-objects", false, 1},
	{"leaking", "raw-blocks", false, 1},
	{"threads", "python-objects", false, 9},
};

static json_int_t number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_integer(value))
		fail_msg("no number %s", key);
	return json_integer_value(value);
}

/* The sum of a member over kinds, whose words are separated by spaces. */
static json_int_t sum(const json_t *result, const char *words, const char *key)
{
	char list[256], *rest = list, *word;
	json_int_t total = 0;
	const json_t *kind;
	size_t i;

	snprintf(list, sizeof(list), "%s", words);
	while ((word = strsep(&rest, " "))) {
		bool found = false;

		json_array_foreach(json_object_get(result, "kinds"), i, kind)
		{
			if (strcmp(json_string_value(json_object_get(kind, "kind")), word) != 0)
				continue;
			found = true;
			total += number(kind, key);
		}
		if (!found)
			fail_msg("no kind %s", word);
	}
	return total;
}

static void check_malloc(const json_t *result, const struct python_process *process)
{
	static const char mapped[] = "objects_mapped storage_mapped malloc_mapped";
	FILE *file = program_file(process, "mallinfo");
	long long arena, unused, count, bytes;

	assert_int_equal(fscanf(file, "%lld %lld %lld %lld", &arena, &unused, &count, &bytes), 4);
	fclose(file);
	assert_int_equal(sum(result,
			     "objects_malloc storage_malloc free_lists_malloc malloc_raw "
			     "malloc_free malloc_cached malloc_top malloc_own",
			     "mapped"),
			 arena);
	assert_int_equal(sum(result, "malloc_free malloc_top", "mapped"), unused);
	assert_int_equal(sum(result, mapped, "count"), count);
	/* glibc 2.43 counts 16 bytes too many for each realloc() of such a chunk, which is always
	 * whole pages. */
	assert_int_equal(sum(result, mapped, "mapped"), bytes - bytes % 4096);
}

static const json_t *find_class(const json_t *result, json_int_t size)
{
	const json_t *class;
	size_t i;

	json_array_foreach(json_object_get(json_object_get(result, "pymalloc"), "classes"), i,
			   class) if (number(class, "size") == size) return class;
	return NULL;
}

static void check_pymalloc(const json_t *result, const struct python_process *process)
{
	static const char arenas_line[] = "# arenas allocated current         = %lld";
	const json_t *pymalloc = json_object_get(result, "pymalloc");
	FILE *file = program_file(process, "stats");
	size_t classes = 0, size = 0;
	long long class, block, pools, used, unused, arenas = -1;
	char *line = NULL;

	while (getline(&line, &size, file) > 0) {
		const json_t *found;

		sscanf(line, arenas_line, &arenas);
		if (sscanf(line, " %lld %lld %lld %lld %lld", &class, &block, &pools, &used,
			   &unused) != 5)
			continue;
		found = find_class(result, block);
		assert_non_null(found);
		if (number(found, "pools") != pools || number(found, "used") != used ||
		    number(found, "free") != unused)
			fail_msg("blocks of %lld bytes: %lld pools, %lld used, %lld free; the "
				 "process says %lld, %lld, %lld",
				 block, number(found, "pools"), number(found, "used"),
				 number(found, "free"), pools, used, unused);
		classes++;
	}
	free(line);
	fclose(file);
	assert_int_equal(json_array_size(json_object_get(pymalloc, "classes")), classes);
	assert_int_equal(number(pymalloc, "arenas"), arenas);
}

/* Objects of types of which sys._debugmallocstats() tells how many are on a free list. */
static const struct {
	const char *type, *said;
} free_lists[] = {
	{"dict", "PyDictObjects"},
	{"float", "PyFloatObjects"},
	{"frame", "PyFrameObjects"},
	{"list", "PyListObjects"},
	{"tuple", "-sized PyTupleObjects"},
	{"method", "PyMethodObjects"},
	{"builtin_function_or_method", "PyCFunctionObjects"},
};

enum { FREE_LISTS = sizeof(free_lists) / sizeof(free_lists[0]) };

/* What is written of each; -1: nothing. */
static void read_free_lists(const struct python_process *process, long long counts[FREE_LISTS])
{
	FILE *file = program_file(process, "stats");
	char *line = NULL;
	size_t size = 0;

	for (size_t i = 0; i < FREE_LISTS; i++)
		counts[i] = -1;
	while (getline(&line, &size, file) > 0) {
		long long count;
		char *free_word = strstr(line, " free ");

		if (!free_word || sscanf(line, " %lld free ", &count) != 1)
			continue;
		for (size_t i = 0; i < FREE_LISTS; i++)
			if (strstr(free_word, free_lists[i].said))
				counts[i] = count + (counts[i] < 0 ? 0 : counts[i]);
	}
	free(line);
	fclose(file);
}

static void count_dead(const struct objects *objects, long long counts[FREE_LISTS])
{
	const struct runtime *runtime = objects->heap->runtime;
	struct reader *reader = &objects->heap->reader;

	for (size_t i = 0; i < objects->dead_count; i++) {
		struct object_header header;
		const struct type *type;

		if (!object_header(runtime, reader, objects->dead[i].address, &header))
			continue;
		type = type_get(runtime->types, reader, header.type);
		for (size_t j = 0; type && j < FREE_LISTS; j++)
			counts[j] += !strcmp(type->name, free_lists[j].type);
	}
}

/* What is on CPython's free lists is known of each object. */
static void check_free_lists(const struct view *view)
{
	long long said[FREE_LISTS], found[FREE_LISTS] = {0};
	struct opened opened;

	opened_open(&opened, view->python, view->process, NULL);
	read_free_lists(view->process, said);
	count_dead(opened.objects, found);
	for (size_t i = 0; i < FREE_LISTS; i++) {
		/* Up to 3.13 a free float has the link in place of its type; up to 3.10 each code
		 * object keeps a frame of its own, too. */
		if (said[i] < 0 ||
		    (!strcmp(free_lists[i].type, "float") && opened.runtime->minor < 14))
			continue;
		if (!strcmp(free_lists[i].type, "frame") ? found[i] < said[i] : found[i] != said[i])
			fail_msg("%s: %lld on its free list, not %lld", free_lists[i].type,
				 found[i], said[i]);
	}
	opened_close(&opened);
}

/* PAGEMAP_SCAN came with Linux 6.7; without it, pages that were read but never written count. */
static bool kernel_tells_zero_pages(void)
{
	struct utsname name;
	int major = 0, minor = 0;

	assert_int_equal(uname(&name), 0);
	sscanf(name.release, "%d.%d", &major, &minor);
	return major > 6 || (major == 6 && minor >= 7);
}

/** Bytes that the kernel says are there. */
struct smaps {
	long long size, resident;
};

static struct smaps read_smaps(const struct python_process *process)
{
	struct smaps smaps = {0};
	char path[64], *line = NULL;
	long long kilobytes;
	size_t size = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/smaps", (int)process->pid);
	file = fopen(path, "r");
	assert_non_null(file);
	while (getline(&line, &size, file) > 0) {
		/* The last page is the kernel's, in its half of the address space. */
		if (strstr(line, "[vsyscall]"))
			break;
		if (sscanf(line, "Size: %lld kB", &kilobytes) == 1)
			smaps.size += kilobytes * 1024;
		else if (sscanf(line, "Rss: %lld kB", &kilobytes) == 1)
			smaps.resident += kilobytes * 1024;
	}
	free(line);
	fclose(file);
	return smaps;
}

static void check_total(const json_t *result, const struct smaps *smaps)
{
	const json_t *total = json_object_get(result, "total"), *kind;
	json_int_t mapped = 0, resident = 0;
	size_t i;

	json_array_foreach(json_object_get(result, "kinds"), i, kind)
	{
		mapped += number(kind, "mapped");
		resident += number(kind, "resident");
	}
	assert_int_equal(number(total, "mapped"), mapped);
	assert_int_equal(number(total, "resident"), resident);
	assert_int_equal(mapped, smaps->size);
	if (kernel_tells_zero_pages())
		assert_int_equal(resident, smaps->resident);
}

static json_t *ask(const struct view *view, json_t **document)
{
	char *text = inspect(view, "memory", "--json", NULL);

	*document = inspect_parse(text);
	free(text);
	return json_object_get(*document, "result");
}

/* A core tells of the allocators what the process told. */
static void check_core(const struct view *live, const json_t *result)
{
	struct view view = *live;
	char *core = program_gcore(live->process);
	json_t *document, *dumped;
	const char *verdict =
		json_string_value(json_object_get(json_object_get(result, "verdict"), "kind"));

	view.core = core;
	dumped = ask(&view, &document);
	assert_string_equal(json_string_value(json_object_get(dumped, "measure")), "dumped");
	assert_true(json_equal(json_object_get(dumped, "pymalloc"),
			       json_object_get(result, "pymalloc")));
	assert_int_equal(sum(dumped, "objects_pooled", "dumped"),
			 sum(result, "objects_pooled", "mapped"));
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(dumped, "verdict"), "kind")),
		verdict);
	json_decref(document);
	free(core);
}

static void check_program(const struct interpreter_choice *choice, size_t i)
{
	char program[64];
	struct python_process *process;
	struct view view = {.python = choice};
	struct smaps smaps;
	json_t *document, *result, *verdict;

	snprintf(program, sizeof(program), "memory.py %s", programs[i].word);
	process = program_start(choice, program);
	view.process = process;
	program_wait_idle(process);
	/* Reading a page of a file brings it into memory. */
	smaps = read_smaps(process);
	result = ask(&view, &document);
	verdict = json_object_get(result, "verdict");
	print_message("%s, %s: %s\n", choice->name, programs[i].word,
		      json_string_value(json_object_get(verdict, "text")));
	assert_string_equal(json_string_value(json_object_get(verdict, "kind")),
			    programs[i].verdict);
	assert_int_equal(json_is_true(json_object_get(verdict, "fragmented")),
			 programs[i].fragmented);
	assert_int_equal(number(result, "threads"), programs[i].threads);
	check_malloc(result, process);
	check_pymalloc(result, process);
	check_total(result, &smaps);
	check_free_lists(&view);
	if (!i)
		check_core(&view, result);
	json_decref(document);
	program_end(process);
}

static void memory_is_what_the_process_says(void **state)
{
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		check_program(*state, i);
}

int main(int argc, char **argv)
{
	return jobs_run_on_interpreters("memory", memory_is_what_the_process_says, argc, argv);
}
