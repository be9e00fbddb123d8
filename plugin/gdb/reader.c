/*
 * pymem in GDB: a JIT reader that reads no JIT code. GDB offers C code no other way in: it calls
 * the reader's unwind() for the frames that it unwinds, and hands it a function that reads the
 * target. When the channel holds a request, unwind() runs it; it never unwinds anything.
 */
#include "../console.h"
#include "channel.h"
#include "inspect/lost_page.h"
#include "interrupt.h"
#include "locate.h"
#include "registers.h"
#include "reply.h"
#include "request.h"
#include "service.h"

#include "command/front_end.h"

#include <errno.h>
#include <langinfo.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#pragma GCC visibility push(default)
GDB_DECLARE_GPL_COMPATIBLE_READER
#pragma GCC visibility pop

/** One command under way, for the thread that runs the library. */
struct run {
	const struct request *request;
	const struct location *location;
	const struct registers *registers;
	struct service *service;
	struct reply *reply;
	struct console *console;
};

static bool stop_wanted(void *service)
{
	return service_stopped(service);
}

static bool read_memory(void *context, uint64_t address, void *buffer, size_t length)
{
	const struct run *run = context;

	return service_read(run->service, address, buffer, length);
}

static bool find_registers(void *context, pid_t thread, struct user_regs_struct *registers)
{
	const struct run *run = context;

	return registers_find(run->registers, thread, registers);
}

static int run_library(struct service *service, void *context)
{
	struct run *run = context;
	const struct pymem_debugger debugger = {
		.read = read_memory,
		.registers = find_registers,
		.context = run,
		.pid = run->location->pid,
		.core = run->location->core,
		.stack_pointer = run->request->stack_pointer,
		.runtime = run->request->runtime,
		.r_debug = run->request->r_debug,
		// The root of a process of this machine is known.
		.sysroot = run->location->pid ? NULL : run->request->sysroot,
	};
	const struct pymem_io io = {
		.out = run->reply->out,
		.err = run->console->err,
		.err_is_terminal = run->console->shows_progress,
		.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0, // as GDB's host-charset
		.columns = run->request->columns,
		.interrupted = stop_wanted,
		.lost = lost_page,
		.context = service,
	};

	run->service = service;
	return pymem_run(&debugger, run->request->count, run->request->words, &io);
}

// An answer that GDB cannot print any more is told on stderr; the command then fails by itself.
static void answer_failed(const char *what)
{
	fprintf(stderr, "pymem: %s: %s\n", what, strerror(errno));
}

// Messages of a command that failed are its answer. Of one that did not, they must not get between
// its output, which may be JSON on its way through "pipe".
static void place_messages(struct run *run, int status)
{
	const char *messages = console_messages(run->console);

	if (status == PYMEM_OK || status == PYMEM_PARTIAL || status == PYMEM_FINDINGS)
		fputs(messages, stderr);
	else if (status == PYMEM_INTERRUPTED && !*messages)
		fputs("pymem: interrupted\n", run->reply->out);
	else
		fputs(messages, run->reply->out);
}

// GDB takes some 10 us for a character of a script.
static void warn_if_long(const struct reply *reply)
{
	enum { LONG = 500000, BYTES_PER_SECOND = 100000 };

	fflush(reply->out);
	if (reply->size > LONG)
		fprintf(stderr,
			"pymem: GDB needs about %.0f s to print this answer of %.1f MB; "
			"--output FILE is quick\n",
			(double)reply->size / BYTES_PER_SECOND, (double)reply->size / 1e6);
}

// Runs the request. GDB may throw through it: everything it opens has a cleanup.
static void answer(const struct request *request, gdb_target_read *target_read)
{
	struct interrupt_guard guard __attribute__((cleanup(interrupt_end))) = {0};
	struct lost_page_guard pages __attribute__((cleanup(lost_page_end))) = {0};
	struct location location __attribute__((cleanup(location_clear))) = {0};
	struct registers registers __attribute__((cleanup(registers_clear))) = {0};
	struct console console __attribute__((cleanup(console_clear))) = {0};
	struct reply reply __attribute__((cleanup(reply_abandon))) = {0};
	struct run run = {request, &location, &registers, NULL, &reply, &console};
	int status = PYMEM_ERROR;

	interrupt_begin(&guard);
	lost_page_begin(&pages);
	locate(&location, request, target_read);
	registers_take(&registers, location.pid);
	if (!console_open(&console) || !reply_open(&reply)) {
		answer_failed("cannot answer");
		return;
	}
	if (!service_run(target_read, run_library, &run, &status))
		fprintf(console.err, "pymem: cannot start a thread: %s\n", strerror(errno));
	place_messages(&run, status);
	warn_if_long(&reply);
	if (!reply_close(&reply, status))
		answer_failed("cannot answer");
}

// The command file is of another version, or memory ran out.
static void refuse(void)
{
	struct reply reply;

	if (!reply_open(&reply)) {
		answer_failed("cannot answer");
		return;
	}
	fputs("pymem: the plugin does not understand its GDB commands: are pymem.gdb and "
	      "pymem-gdb.so of one version?\n",
	      reply.out);
	reply_close(&reply, PYMEM_ERROR);
}

static enum gdb_status unwind(struct gdb_reader_funcs *self, struct gdb_unwind_callbacks *callbacks)
{
	struct request request __attribute__((cleanup(request_clear))) = {0};
	size_t size;
	char *bytes = channel_take(&size);

	(void)self;
	if (!bytes)
		return GDB_FAIL;
	if (request_parse(&request, bytes, size))
		answer(&request, callbacks->target_read);
	else
		refuse();
	return GDB_FAIL; // the frame is for GDB's own unwinders
}

static enum gdb_status read_jit_code(struct gdb_reader_funcs *self,
				     struct gdb_symbol_callbacks *callbacks, void *memory,
				     long size)
{
	(void)self, (void)callbacks, (void)memory, (void)size;
	return GDB_FAIL; // GDB then tries its own readers
}

static struct gdb_frame_id frame_id(struct gdb_reader_funcs *self,
				    struct gdb_unwind_callbacks *callbacks)
{
	(void)self, (void)callbacks;
	return (struct gdb_frame_id){0}; // only asked for frames that unwind() took
}

// The channel stays open: the commands write to it by its number.
static void destroy(struct gdb_reader_funcs *self)
{
	free(self);
}

// GDB with Python ignores SIGPIPE already. Without, "pipe pymem leaks | head" would kill it.
static void ignore_broken_pipes(void)
{
	struct sigaction action;

	if (sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_DFL)
		signal(SIGPIPE, SIG_IGN);
}

struct gdb_reader_funcs *gdb_init_reader(void)
{
	// GDB would crash on NULL; another version makes it refuse the reader with an error.
	static struct gdb_reader_funcs refused = {.reader_version = -1};
	struct gdb_reader_funcs *reader = malloc(sizeof(*reader));
	char *problem = reader ? channel_open() : strdup("out of memory");

	if (!reader || problem) {
		fprintf(stderr, "pymem: %s\n", problem ? problem : "out of memory");
		free(problem);
		free(reader);
		return &refused;
	}
	ignore_broken_pipes();
	*reader = (struct gdb_reader_funcs){
		.reader_version = GDB_READER_INTERFACE_VERSION,
		.read = read_jit_code,
		.unwind = unwind,
		.get_frame_id = frame_id,
		.destroy = destroy,
	};
	return reader;
}
