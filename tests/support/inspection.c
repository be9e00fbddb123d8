/*
 * A program in a chroot is looked at with --sysroot.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/inspection.h"

#include "support/run.h"

#include <stdio.h>
#include <string.h>

enum { EXIT_PARTIAL = 4 };

char *inspect(const struct view *view, const char *command, const char *format, bool *partial)
{
	struct run run __attribute__((cleanup(run_clear))) = {0};
	const char *arguments[16];
	size_t count = 0;
	char pid[16], *out;

	snprintf(pid, sizeof(pid), "%d", (int)view->process->pid);
	if (strcmp(view->python->root, "/") != 0) {
		arguments[count++] = "--sysroot";
		arguments[count++] = view->python->root;
	}
	arguments[count++] = view->core ? "-c" : "-p";
	arguments[count++] = view->core ? view->core : pid;
	arguments[count++] = command;
	arguments[count++] = format;
	arguments[count++] = "--limit=0";
	arguments[count] = NULL;
	run_tool(&run, arguments);
	if (partial)
		*partial = run.status == EXIT_PARTIAL;
	if ((run.status && !(partial && *partial)) || (run.err[0] && !partial))
		fail_msg("%s %s %s: exit code %d: %s", view->core ? view->core : "-p", command,
			 format, run.status, run.err);
	out = run.out;
	run.out = NULL;
	return out;
}

json_t *inspect_parse(const char *text)
{
	json_error_t error;
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &error);

	if (!json)
		fail_msg("no JSON: %s", error.text);
	return json;
}
