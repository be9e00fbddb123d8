/* Listing interpreters, starting programs in them, cleaning up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/python_process.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Interpreters
 */

static bool same_minor(const char *a, const char *b)
{
	const char *a_end = strrchr(a, '.'), *b_end = strrchr(b, '.');

	return a_end && b_end && a_end - a == b_end - b && !strncmp(a, b, (size_t)(a_end - a));
}

static bool wanted(const struct interpreter_choice *choices, size_t count, const char *version)
{
	if (getenv("PYMEM_TEST_FULL"))
		return true;
	for (size_t i = 0; i < count; i++)
		if (same_minor(choices[i].version, version))
			return false;
	return true;
}

static char *copy(const char *text)
{
	char *copied = strdup(text);

	assert_non_null(copied);
	return copied;
}

struct interpreter_choice *interpreters_list(size_t *count)
{
	FILE *list = popen("scripts/interpreters list", "r");
	struct interpreter_choice *choices = NULL;
	char *line = NULL;
	size_t size = 0;

	assert_non_null(list);
	*count = 0;
	while (getline(&line, &size, list) > 0) {
		char *rest = line, *name = strsep(&rest, "\t"), *version = strsep(&rest, "\t");
		char *root = strsep(&rest, "\t"), *python = strsep(&rest, "\t\n");

		if (!python || !wanted(choices, *count, version))
			continue;
		choices = realloc(choices, (*count + 1) * sizeof(*choices));
		assert_non_null(choices);
		choices[(*count)++] = (struct interpreter_choice){copy(name), copy(version),
								  copy(root), copy(python)};
	}
	free(line);
	assert_int_equal(pclose(list), 0);
	return choices;
}

void interpreters_free(struct interpreter_choice *choices, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(choices[i].name);
		free(choices[i].version);
		free(choices[i].root);
		free(choices[i].python);
	}
	free(choices);
}

/*
 * Programs
 */

static void run_command(const char *format, ...)
{
	char command[16384];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	if (system(command))
		fail_msg("failed: %s", command);
}

/* In the child: becomes the program. `inside` is its folder below the root. */
static void become(const struct interpreter_choice *choice, const char *inside, const char *program,
		   int in, int out)
{
	char path[256], *arguments[16] = {choice->python, "-B", path};
	char *words = copy(program), *word = strtok(words, " ");
	size_t count = 3;

	snprintf(path, sizeof(path), "programs/%s", word);
	while (count < 15 && (word = strtok(NULL, " ")))
		arguments[count++] = word;
	dup2(in, 0);
	dup2(out, 1);
	for (int fd = 3; fd < 64; fd++)
		close(fd);
	if ((!strcmp(choice->root, "/") || chroot(choice->root) == 0) && chdir(inside) == 0)
		execv(choice->python, arguments);
	perror(choice->python);
	_exit(127);
}

static void wait_until_ready(struct python_process *process, int out)
{
	char text[4096];
	size_t used = 0;
	ssize_t got;

	while (used < sizeof(text) - 1 &&
	       (got = read(out, text + used, sizeof(text) - 1 - used)) > 0) {
		used += (size_t)got;
		text[used] = '\0';
		if (strstr(text, "ready\n"))
			return;
	}
	text[used] = '\0';
	program_end(process);
	fail_msg("the program ended before it was ready: %s", text);
}

struct python_process *program_start(const struct interpreter_choice *choice, const char *program)
{
	const char *root = strcmp(choice->root, "/") ? choice->root : "";
	struct python_process *process = calloc(1, sizeof(*process));
	int in[2], out[2];

	assert_non_null(process);
	snprintf(process->folder, sizeof(process->folder), "%s/tmp/pymem-test-XXXXXX", root);
	assert_non_null(mkdtemp(process->folder));
	run_command("cp -r tests/programs '%s/programs'", process->folder);
	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	process->pid = fork();
	assert_true(process->pid >= 0);
	if (process->pid == 0)
		become(choice, process->folder + strlen(root), program, in[0], out[1]);
	close(in[0]);
	close(out[1]);
	process->input = in[1];
	wait_until_ready(process, out[0]);
	close(out[0]);
	return process;
}

void program_end(struct python_process *process)
{
	if (!process)
		return;
	close(process->input);
	kill(process->pid, SIGKILL);
	waitpid(process->pid, NULL, 0);
	run_command("rm -rf '%s'", process->folder);
	free(process);
}
