/*
 * Compiling, starting and reading the program.
 */
#include "support/functions_program.h"

#include "support/temporary.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void compile(const char *output, const char *source, const char *options)
{
	char command[1024];

	snprintf(command, sizeof(command), "gcc -std=gnu11 -o %s tests/programs/%s %s", output,
		 source, options);
	assert_int_equal(system(command), 0);
}

static void start(struct functions_program *program, const char *path, const char *calls)
{
	int in[2], out[2];
	char byte;

	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	program->pid = fork();
	if (program->pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		execl(path, path, calls, NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	program->in = in[1];
	assert_int_equal(read(out[0], &byte, 1), 1);
	close(out[0]);
}

void functions_open(struct functions_program *program, const char *options)
{
	const struct target_options target_options = {0};
	char more[512];

	snprintf(more, sizeof(more), "%s -Wl,-z,lazy -L%s -lhelper -Wl,-rpath,%s", options,
		 temporary_path(""), temporary_path(""));
	compile(temporary_path("libhelper.so"), "traverse_helper.c", "-O2 -shared -fPIC");
	compile(temporary_path("functions"), "traverse_functions.c", more);
	start(program, temporary_path("functions"), temporary_path("calls"));
	program->calls = fopen(temporary_path("calls"), "r");
	assert_non_null(program->calls);
	struct error *err = target_open_pid(program->pid, &target_options, &program->target);
	if (err)
		fail_msg("%s", err->message);
	program->emulator = emulator_create(program->target);
	assert_non_null(program->emulator);
}

void functions_close(struct functions_program *program)
{
	emulator_destroy(program->emulator);
	target_close(program->target);
	close(program->in);
	assert_int_equal(waitpid(program->pid, NULL, 0), program->pid);
	fclose(program->calls);
}

bool functions_next(struct functions_program *program, struct functions_call *call,
		    char line[FUNCTIONS_LINE])
{
	int length;

	if (!fgets(line, FUNCTIONS_LINE, program->calls))
		return false;
	assert_int_equal(sscanf(line, "%63s %63s %lx %lx%n", call->name, call->fault,
				&call->function, &call->node, &length),
			 4);
	call->visited = line + length;
	return true;
}
