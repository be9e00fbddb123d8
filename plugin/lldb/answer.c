/*
 * Runs the library for LLDB: its streams, and the process or core file behind the target. See
 * answer.h.
 */
#include "answer.h"

#include "../console.h"
#include "../host.h"
#include "core_file.h"
#include "inspect/lost_page.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

// LLDB takes the output as C strings.
static ssize_t write_out(void *cookie, const char *bytes, size_t size)
{
	const struct lldb_request *request = cookie;
	size_t done = 0;

	while (done < size) {
		size_t length = strnlen(bytes + done, size - done);

		request->print(request->context, bytes + done, length);
		done += length;
		if (done < size) {
			request->print(request->context, "?", 1);
			done++;
		}
	}
	return (ssize_t)size;
}

static FILE *open_out(const struct lldb_request *request)
{
	static const cookie_io_functions_t functions = {.write = write_out};

	return fopencookie((void *)request, "w", functions);
}

// That of the user's environment; LLDB's own locale may be "C".
static bool takes_utf8(void)
{
	locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
	bool result;

	if (!locale)
		return false;
	result = strcmp(nl_langinfo_l(CODESET, locale), "UTF-8") == 0;
	freelocale(locale);
	return result;
}

// LLDB's pid may be one of another machine. A process of this one that is debugged is traced.
static void locate(const struct lldb_request *request, struct pymem_debugger *debugger,
		   char **found)
{
	*found = NULL;
	if (!request->is_core && !host_tracer_of(debugger->pid))
		debugger->pid = 0;
	if (request->is_core && !debugger->core)
		debugger->core = *found = core_file_find();
}

static int run(const struct lldb_request *request, FILE *out, const struct console *console)
{
	struct pymem_debugger debugger = request->debugger;
	const struct pymem_io io = {
		.out = out,
		.err = console->err,
		.out_is_terminal = request->out_is_terminal,
		.err_is_terminal = console->shows_progress,
		.columns = request->columns,
		.utf8 = takes_utf8(),
		.interrupted = request->interrupted,
		.lost = lost_page,
		.context = request->context,
	};
	struct lost_page_guard pages __attribute__((cleanup(lost_page_end))) = {0};
	char *found;
	int status;

	lost_page_begin(&pages);
	locate(request, &debugger, &found);
	status = pymem_run(&debugger, request->count, request->words, &io);
	free(found);
	return status;
}

int lldb_answer(const struct lldb_request *request, char **messages)
{
	struct console console __attribute__((cleanup(console_clear))) = {0};
	int status = PYMEM_ERROR;
	FILE *out;

	if (!console_open(&console) || !(out = open_out(request))) {
		*messages = strdup(strerror(errno));
		return status;
	}
	status = run(request, out, &console);
	fclose(out);
	if (status == PYMEM_INTERRUPTED)
		fprintf(console.err, "pymem: interrupted\n");
	if (status != PYMEM_OK && status != PYMEM_PARTIAL)
		fprintf(console.err, "pymem: exit status %d\n", status);
	*messages = strdup(console_messages(&console));
	return status;
}
