/*
 * What leaks in a process or core, and how many objects of some types it has.
 *
 *	cc -o leaks leaks.c $(pkg-config --cflags --libs pymem)
 *	./leaks PID|CORE ['app.*']
 *
 * The document of `leaks --json` goes to standard output, everything else to standard error.
 */
#include <pymem.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Shows what goes on. A program with a window would move a bar, or ask whether to go on. */
static void show_progress(void *context, const char *phase, uint64_t done, uint64_t total)
{
	(void)context;
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%-40s %3u %%\r", phase,
			total ? (unsigned)((double)done / (double)total * 100) : 0);
}

struct sum {
	unsigned long objects;
	unsigned long long bytes;
};

static bool add(void *context, const struct pymem_object *object)
{
	struct sum *sum = context;

	sum->objects++;
	sum->bytes += object->size;
	return true;
}

static int count_objects(struct pymem *process, const char *type)
{
	struct sum sum = {0, 0};
	int status = pymem_each_object(process, type, add, &sum);

	if (status == PYMEM_OK || status == PYMEM_PARTIAL)
		fprintf(stderr, "%s: %lu objects, %llu bytes\n", type, sum.objects, sum.bytes);
	return status;
}

/* Says what limits the answers; they can be used all the same. */
static void show_problems(struct pymem *process)
{
	const struct pymem_problem *problem;

	for (size_t i = 0; (problem = pymem_problem_at(process, i)); i++)
		if (problem->partial)
			fprintf(stderr, "not whole (%s): %s\n", problem->kind, problem->detail);
}

int main(int argc, char **argv)
{
	const char *const words[] = {"leaks", "--json", NULL};
	struct pymem_options options = {.size = sizeof(options), .progress = show_progress};
	struct pymem *process;
	int status;

	if (argc < 2) {
		fprintf(stderr, "usage: %s PID|CORE [TYPE]\n", argv[0]);
		return PYMEM_USAGE;
	}
	if (argv[1][strspn(argv[1], "0123456789")] == '\0')
		status = pymem_open_pid((pid_t)atoi(argv[1]), &options, &process);
	else
		status = pymem_open_core(argv[1], &options, &process);
	if (status == PYMEM_OK)
		status = pymem_write(process, words, stdout);
	if (argc > 2 && (status == PYMEM_OK || status == PYMEM_PARTIAL))
		status = count_objects(process, argv[2]);
	if (status == PYMEM_PARTIAL)
		show_problems(process);
	else if (status != PYMEM_OK)
		fprintf(stderr, "%s: %s\n", argv[1], pymem_error(process));
	pymem_close(process);
	return status;
}
