/*
 * The parts of the GDB plugin that need no GDB: the request that GDB's commands write, the answer
 * that GDB prints, and the thread that the library runs on.
 */
#include "../../plugin/gdb/channel.h"
#include "../../plugin/console.h"
#include "../../plugin/gdb/interrupt.h"
#include "../../plugin/gdb/reply.h"
#include "../../plugin/gdb/request.h"
#include "../../plugin/gdb/service.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

// A literal with the zero bytes inside it, without the one that ends it.
#define BYTES(literal) (literal), sizeof(literal) - 1

static void check_unquote(const char *quoted, const char *expected)
{
	char *word = strdup(quoted);

	request_unquote(word);
	assert_string_equal(word, expected);
	free(word);
}

static void unquotes_as_gdb_splits(void **state)
{
	(void)state;
	check_unquote("--json", "--json");
	check_unquote("\"a b\"", "a b");
	check_unquote("'a b'", "a b");
	check_unquote("a' 'b", "a b");
	check_unquote("it\\'s", "it's");
	check_unquote("'it\\'s'", "it's");
	check_unquote("\"'\"", "'");
	check_unquote("'\"'", "\"");
	check_unquote("a\\\\b", "a\\b");
	check_unquote("\\ ", " ");
	check_unquote("\"\"", "");
	check_unquote("", "");
	check_unquote("end\\", "end\\");
	check_unquote("'open", "open");
	check_unquote("%d $x `id` $(id) h\xc3\xa9", "%d $x `id` $(id) h\xc3\xa9");
}

static bool parse(struct request *request, const char *bytes, size_t size)
{
	char *copy = calloc(1, size + 1);

	memcpy(copy, bytes, size);
	return request_parse(request, copy, size);
}

static void parses_what_gdb_writes(void **state)
{
	struct request request __attribute__((cleanup(request_clear))) = {0};

	(void)state;
	// GDB 13 writes no NUL behind a string, GDB 16 one: both ways in one request.
	assert_true(
		parse(&request,
		      BYTES(CHANNEL_MAGIC
			    "\0\0'sp=7ffc0000beef fs_base=7f00 runtime=0 r_debug=7f1000 columns=80'"
			    "\0\0=/srv/image 'a\\b'\0"
			    "\0\0leaks.\0--output.\0\0'a b\\''.\0\"\".\0\0" CHANNEL_END "\0")));
	assert_int_equal(request.stack_pointer, 0x7ffc0000beef);
	assert_int_equal(request.fs_base, 0x7f00);
	assert_int_equal(request.runtime, 0);
	assert_int_equal(request.r_debug, 0x7f1000);
	assert_int_equal(request.columns, 80);
	assert_string_equal(request.sysroot, "/srv/image 'a\\b'");
	assert_int_equal(request.count, 4);
	assert_string_equal(request.words[0], "leaks");
	assert_string_equal(request.words[1], "--output");
	assert_string_equal(request.words[2], "a b'");
	assert_string_equal(request.words[3], "");
	assert_null(request.words[4]);
}

static void check_sysroot(const char *bytes, size_t size)
{
	struct request request __attribute__((cleanup(request_clear))) = {0};

	assert_true(parse(&request, bytes, size));
	assert_null(request.sysroot);
	assert_int_equal(request.count, 1);
}

static void takes_only_folders_as_sysroot(void **state)
{
#define WITH_SYSROOT(text)                                                           \
	BYTES(CHANNEL_MAGIC "\0sp=1 fs_base=2 runtime=3 r_debug=0 columns=4\0=" text \
			    "\0\0leaks.\0" CHANNEL_END)
	(void)state;
	check_sysroot(WITH_SYSROOT(""));
	check_sysroot(WITH_SYSROOT("/"));
	check_sysroot(WITH_SYSROOT("target:"));
	check_sysroot(WITH_SYSROOT("target:/srv"));
	check_sysroot(WITH_SYSROOT("remote:/srv"));
}

static void check_refused(const char *bytes, size_t size)
{
	struct request request __attribute__((cleanup(request_clear))) = {0};

	assert_false(parse(&request, bytes, size));
}

static void refuses_what_it_does_not_know(void **state)
{
	(void)state;
	check_refused(BYTES(CHANNEL_MAGIC "\0"));
	check_refused(BYTES(CHANNEL_MAGIC "\0" CHANNEL_END "\0"));
	check_refused(BYTES(CHANNEL_MAGIC "\0leaks.\0" CHANNEL_END));
	check_refused(BYTES(CHANNEL_MAGIC "\0sp=1 fs_base=2 runtime=3\0" CHANNEL_END));
	check_refused(
		BYTES(CHANNEL_MAGIC
		      "\0sp=1 fs_base=2 runtime=3 r_debug=0 columns=4\0=\0leaks\0" CHANNEL_END));
	check_refused(
		BYTES(CHANNEL_MAGIC
		      "\0sp=1 fs_base=2 runtime=3 r_debug=0 columns=4\0leaks.\0" CHANNEL_END));
	check_refused(BYTES(CHANNEL_MAGIC
			    "\0sp=1 fs_base=2 runtime=3 r_debug=0 columns=4\0" CHANNEL_END));
}

static void write_channel(const char *bytes, size_t size)
{
	FILE *file = channel_answer();

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static char *read_channel(void)
{
	off_t size = lseek(CHANNEL_FD, 0, SEEK_END);
	char *text = calloc(1, size + 1);

	assert_int_equal(pread(CHANNEL_FD, text, size, 0), size);
	return text;
}

static void takes_whole_requests_once(void **state)
{
	size_t size;
	char *bytes;

	(void)state;
	write_channel(BYTES("set $pymem_status = 0\n"));
	assert_null(channel_take(&size));
	// One that is being written stays.
	write_channel(BYTES(CHANNEL_MAGIC "\0sp=1"));
	assert_null(channel_take(&size));
	assert_int_equal(lseek(CHANNEL_FD, 0, SEEK_END), sizeof(CHANNEL_MAGIC) + 4);

	write_channel(BYTES(CHANNEL_MAGIC "\0x\0" CHANNEL_END "\0"));
	bytes = channel_take(&size);
	assert_non_null(bytes);
	assert_memory_equal(bytes, CHANNEL_MAGIC "\0x", sizeof(CHANNEL_MAGIC) + 2);
	free(bytes);
	assert_null(channel_take(&size));
	assert_int_equal(lseek(CHANNEL_FD, 0, SEEK_END), 0);
}

static void keeps_the_channel_open(void **state)
{
	(void)state;
	write_channel(BYTES("something"));
	assert_null(channel_open()); // the plugin is loaded again
	assert_int_equal(lseek(CHANNEL_FD, 0, SEEK_END), 9);
}

static void check_reply(const char *text, size_t size, int status, const char *expected)
{
	struct reply reply __attribute__((cleanup(reply_abandon))) = {0};
	char *script;

	assert_true(reply_open(&reply));
	assert_int_equal(fwrite(text, 1, size, reply.out), size);
	assert_true(reply_close(&reply, status));
	script = read_channel();
	assert_string_equal(script, expected);
	free(script);
}

static void answers_with_a_script(void **state)
{
	(void)state;
	check_reply("", 0, 130, "set $_pymem_answered = 1\nset $pymem_status =  130\n");
	check_reply(BYTES("a\n%s \"q\" \\ \t\r\0$x h\xc3\xa9"), 0,
		    "set $_pymem_answered = 1\nset $pymem_status =    0\n"
		    "printf \"a\\n%%s \\\"q\\\" \\\\ \\t\\r?$x h\xc3\xa9\"\n");
}

static void gives_an_answer_up(void **state)
{
	struct reply reply;

	(void)state;
	assert_true(reply_open(&reply));
	fputs("half", reply.out);
	reply_abandon(&reply);
	assert_int_equal(lseek(CHANNEL_FD, 0, SEEK_END), 0);
}

static void keeps_messages_apart_from_progress(void **state)
{
	struct console console __attribute__((cleanup(console_clear))) = {0};

	(void)state;
	assert_true(console_open(&console));
	fprintf(console.err, "\rreading: 1 %%");
	fflush(console.err);
	fprintf(console.err, "\r            \r");
	fflush(console.err);
	fprintf(console.err, "pymem: first\npymem: second\n");
	assert_string_equal(console_messages(&console), "pymem: first\npymem: second\n");
}

/*
 * The service. This target has the bytes 0, 1, 2, … at address 0x1000, 4 MiB of them.
 */
enum { TARGET_START = 0x1000, TARGET_SIZE = 4 << 20, READERS = 4, ROUNDS = 200 };

static pthread_t gdb_thread;

static enum gdb_status read_test_target(GDB_CORE_ADDR address, void *buffer, int length)
{
	uint8_t *bytes = buffer;

	assert_true(pthread_equal(pthread_self(), gdb_thread));
	if (address < TARGET_START || address - TARGET_START > (uint64_t)TARGET_SIZE - length)
		return GDB_FAIL;
	for (int i = 0; i < length; i++)
		bytes[i] = (uint8_t)(address - TARGET_START + i);
	return GDB_SUCCESS;
}

static void *read_much(void *service)
{
	size_t failed = 0;

	for (int round = 0; round < ROUNDS; round++) {
		uint8_t bytes[64];
		uint64_t offset = round * 977;

		if (!service_read(service, TARGET_START + offset, bytes, sizeof(bytes)))
			failed++;
		for (size_t i = 0; i < sizeof(bytes); i++)
			failed += bytes[i] != (uint8_t)(offset + i);
	}
	return (void *)failed;
}

static int work_with_threads(struct service *service, void *context)
{
	pthread_t threads[READERS];
	sigset_t blocked;
	int failed = 0;

	(void)context;
	pthread_sigmask(SIG_BLOCK, NULL, &blocked);
	failed += !sigismember(&blocked, SIGINT) || !sigismember(&blocked, SIGCHLD);
	for (int i = 0; i < READERS; i++)
		pthread_create(&threads[i], NULL, read_much, service);
	for (int i = 0; i < READERS; i++) {
		void *result;

		pthread_join(threads[i], &result);
		failed += (int)(size_t)result;
	}
	return failed;
}

static void serves_reads_on_the_caller_s_thread(void **state)
{
	int result = -1;

	(void)state;
	gdb_thread = pthread_self();
	assert_true(service_run(read_test_target, work_with_threads, NULL, &result));
	assert_int_equal(result, 0);
}

static int read_edges(struct service *service, void *buffer)
{
	int failed = 0;

	failed += !service_read(service, TARGET_START, buffer, TARGET_SIZE);
	failed += ((uint8_t *)buffer)[TARGET_SIZE - 1] != 0xff;
	failed += service_read(service, TARGET_START + 1, buffer, TARGET_SIZE);
	failed += service_read(service, 0, buffer, 8);
	failed += service_read(service, UINT64_MAX - 3, buffer, 8);
	failed += service_stopped(service);
	return failed;
}

static void reads_all_or_nothing(void **state)
{
	void *buffer = malloc(TARGET_SIZE);
	int result = -1;

	(void)state;
	gdb_thread = pthread_self();
	assert_true(service_run(read_test_target, read_edges, buffer, &result));
	assert_int_equal(result, 0);
	free(buffer);
}

static int gdb_interrupts;

static void on_gdb_interrupt(int signal)
{
	(void)signal;
	gdb_interrupts++;
}

static int wait_for_interrupt(struct service *service, void *context)
{
	uint8_t byte;

	(void)context;
	kill(getpid(), SIGINT);
	while (!service_stopped(service))
		usleep(1000);
	// It is the library that stops; until then it reads what is there.
	return service_read(service, TARGET_START, &byte, 1) ? 130 : 1;
}

static void ctrl_c_stops_the_work(void **state)
{
	struct interrupt_guard guard __attribute__((cleanup(interrupt_end))) = {0};
	int result = -1;

	(void)state;
	gdb_interrupts = 0;
	signal(SIGINT, on_gdb_interrupt);
	gdb_thread = pthread_self();
	interrupt_begin(&guard);
	assert_true(service_run(read_test_target, wait_for_interrupt, NULL, &result));
	assert_int_equal(result, 130);
	assert_true(interrupt_requested());
	assert_int_equal(gdb_interrupts, 0);
	raise(SIGINT); // the second goes on to GDB
	assert_int_equal(gdb_interrupts, 1);
	interrupt_end(&guard);
	raise(SIGINT);
	assert_int_equal(gdb_interrupts, 2);
	signal(SIGINT, SIG_DFL);
}

static int open_channel(void **state)
{
	char *problem = channel_open();

	(void)state;
	if (problem)
		print_error("%s\n", problem);
	free(problem);
	return problem ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unquotes_as_gdb_splits),
		cmocka_unit_test(parses_what_gdb_writes),
		cmocka_unit_test(takes_only_folders_as_sysroot),
		cmocka_unit_test(refuses_what_it_does_not_know),
		cmocka_unit_test(takes_whole_requests_once),
		cmocka_unit_test(keeps_the_channel_open),
		cmocka_unit_test(answers_with_a_script),
		cmocka_unit_test(gives_an_answer_up),
		cmocka_unit_test(keeps_messages_apart_from_progress),
		cmocka_unit_test(serves_reads_on_the_caller_s_thread),
		cmocka_unit_test(reads_all_or_nothing),
		cmocka_unit_test(ctrl_c_stops_the_work),
	};

	return cmocka_run_group_tests(tests, open_channel, NULL);
}
