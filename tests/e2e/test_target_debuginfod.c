/* A module's file that is not on this machine comes from a debuginfod server. */
#include "support/child.h"
#include "support/elf_files.h"
#include "support/temporary.h"
#include "target/target.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const uint64_t BASE = 0x7f0000000000;
static const uint8_t build_id[20] = {0xab, 0xcd, 0x01};

static const char server[] = "import http.server, sys\n"
			     "class Handler(http.server.SimpleHTTPRequestHandler):\n"
			     "    def log_message(self, *_): pass\n"
			     "s = http.server.HTTPServer(('127.0.0.1', 0), Handler)\n"
			     "print('ready'); print(s.server_port, flush=True)\n"
			     "s.serve_forever()\n";

static struct target *open_core(const char *path)
{
	struct target *target = NULL;
	struct error *err = target_open_core(path, NULL, &target);

	if (err)
		fail_msg("%s", err->message);
	return target;
}

static void test_file_from_server(void **state)
{
	struct module_file_spec spec = {.type = ET_DYN,
					.build_id = build_id,
					.build_id_size = sizeof(build_id),
					.fill = 0x5a};
	struct bytes module = module_file_build(&spec), file;
	struct core_file core = {0};
	struct interpreter_file *interpreters;
	size_t count;
	struct child child;
	char port[16], url[64], path[1024], core_path[1024];
	struct target *target;
	struct reader reader;
	uint8_t byte;

	(void)state;
	interpreters = interpreter_files(&count);
	if (!count || !dlopen("libdebuginfod.so.1", RTLD_NOW)) {
		print_message("needs a Python interpreter and libdebuginfod\n");
		free(module.data);
		free(interpreters);
		skip();
	}
	strcpy(path, "server/buildid/");
	for (size_t i = 0; i < sizeof(build_id); i++)
		sprintf(path + strlen(path), "%02x", build_id[i]);
	strcat(path, "/executable");
	temporary_file(path, module.data, module.size);
	core_file_module(&core, &module, BASE, BASE, "/nowhere/liba.so", false);
	file = core_file_build(&core);
	strcpy(core_path, temporary_file("core", file.data, file.size));
	free(file.data);
	free(module.data);

	target = open_core(core_path);
	assert_null(target->modules->items[0].file);
	assert_false(coverage_complete(&target->coverage));
	target_close(target);

	child = child_start(&interpreters[0], server, temporary_path("server"));
	free(interpreters);
	assert_true(child_line(&child, port, sizeof(port)));
	snprintf(url, sizeof(url), "http://127.0.0.1:%s", port);
	setenv("no_proxy", "127.0.0.1", 1);
	setenv("DEBUGINFOD_CACHE_PATH", temporary_path("cache"), 1);
	setenv("DEBUGINFOD_URLS", url, 1);
	target = open_core(core_path);
	child_kill(&child, SIGKILL);
	assert_int_equal(target->modules->items[0].status, MODULE_FILE_MATCHES);
	assert_non_null(strstr(target->modules->items[0].file, "cache"));
	assert_true(coverage_complete(&target->coverage));
	reader_init(&reader, target->image);
	assert_true(reader_u8(&reader, BASE + MODULE_TEXT, &byte));
	assert_int_equal(byte, 0x5a);
	target_close(target);
	unsetenv("DEBUGINFOD_URLS");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file_from_server),
	};

	return cmocka_run_group_tests(tests, temporary_setup, temporary_teardown);
}
