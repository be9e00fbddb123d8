/* Modules in cores made of bytes: their files, build-ids and symbols. */
#include "support/elf_files.h"
#include "support/temporary.h"
#include "target/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static const uint64_t BASE = 0x7f0000000000, OTHER = 0x7f0000100000;

static const uint8_t id_a[20] = {0xaa, 0x01}, id_b[20] = {0xbb, 0x02};

static const struct module_symbol dynamic[] = {
	{"exported", MODULE_DATA + 0x100, 8},
	{"_PyRuntime", MODULE_BSS + 0x10, 0x200},
	{"in_constants", MODULE_CONSTANTS, 16},
	{NULL, 0, 0},
};
static const struct module_symbol fixed[] = {
	{"in_constants", MODULE_CONSTANTS, 16},
	{"local_function", MODULE_TEXT + 0x10, 0x20},
	{"outer_function", MODULE_TEXT, 0x100},
	{"without_size", MODULE_TEXT + 0x800, 0},
	{"optimised.lto_priv.12", MODULE_TEXT + 0x900, 8},
	{NULL, 0, 0},
};

static const struct module_file_spec spec_a = {.type = ET_DYN,
					       .build_id = id_a,
					       .build_id_size = sizeof(id_a),
					       .dynamic = dynamic,
					       .fixed = fixed,
					       .fill = 0xa1};

static void check(struct error *err)
{
	if (err)
		fail_msg("%s", err->message);
}

static struct target *open_core(struct core_file *core, const struct target_options *options)
{
	struct bytes file = core_file_build(core);
	struct target *target = NULL;

	check(target_open_core(temporary_file("core", file.data, file.size), options, &target));
	free(file.data);
	return target;
}

/** A core with one module at BASE, mapped from `path`. */
static struct target *open_with(const struct module_file_spec *mapped, const char *path,
				const struct target_options *options)
{
	struct core_file core = {0};
	struct bytes file = module_file_build(mapped);
	uint64_t bias = BASE - mapped->address;

	core_file_module(&core, &file, BASE, bias, path, false);
	core_file_auxv(&core, AT_PHDR, BASE + sizeof(Elf64_Ehdr));
	free(file.data);
	return open_core(&core, options);
}

/** Writes the file of a module. @return its path, to be freed */
static char *write_module(const char *name, const struct module_file_spec *spec)
{
	struct bytes file = module_file_build(spec);
	char *path = strdup(temporary_file(name, file.data, file.size));

	free(file.data);
	return path;
}

static const struct problem *problem(const struct target *target, const char *kind)
{
	for (size_t i = 0; i < target->coverage.count; i++)
		if (!strcmp(target->coverage.problems[i].kind, kind))
			return &target->coverage.problems[i];
	return NULL;
}

static void assert_byte(struct target *target, uint64_t address, int expected)
{
	struct reader reader;
	uint8_t byte;

	reader_init(&reader, target->image);
	assert_int_equal(reader_u8(&reader, address, &byte), expected >= 0);
	if (expected >= 0)
		assert_int_equal(byte, expected);
}

static void assert_symbol(struct target *target, const char *name, uint64_t address, uint64_t size)
{
	struct symbol symbol;

	assert_true(modules_symbol(target->modules, name, &symbol));
	assert_string_equal(symbol.name, name);
	assert_true(symbol.address == address);
	assert_int_equal(symbol.size, size);
	assert_ptr_equal(symbol.module, modules_at(target->modules, address));
}

static void test_file_matches(void **state)
{
	char *path = write_module("liba.so", &spec_a);
	struct target *target = open_with(&spec_a, path, NULL);
	const struct module *module = &target->modules->items[0];
	struct symbol symbol;

	(void)state;
	assert_int_equal(target->modules->count, 1);
	assert_int_equal(module->status, MODULE_FILE_MATCHES);
	assert_string_equal(module->path, path);
	assert_string_equal(module->file, path);
	assert_true(module->start == BASE && module->bias == BASE);
	assert_true(module->end == BASE + MODULE_END);
	assert_int_equal(module->build_id_size, sizeof(id_a));
	assert_memory_equal(module->build_id, id_a, sizeof(id_a));
	assert_int_equal(target->coverage.count, 0);

	/* What was not dumped comes from the file. */
	assert_byte(target, BASE + MODULE_TEXT, 0xa1);
	assert_byte(target, BASE + MODULE_CONSTANTS + 0xfff, 0xa1);
	assert_int_equal(image_segment(target->image, BASE + MODULE_TEXT)->source, SEGMENT_FILE);
	assert_int_equal(image_segment(target->image, BASE + MODULE_TEXT)->flags, PF_R | PF_X);
	assert_int_equal(image_segment(target->image, BASE)->source, SEGMENT_CORE);
	assert_int_equal(image_segment(target->image, BASE + MODULE_DATA)->source, SEGMENT_CORE);

	assert_symbol(target, "exported", BASE + MODULE_DATA + 0x100, 8);
	assert_symbol(target, "_PyRuntime", BASE + MODULE_BSS + 0x10, 0x200);
	assert_symbol(target, "local_function", BASE + MODULE_TEXT + 0x10, 0x20);
	assert_true(modules_symbol(target->modules, "optimised", &symbol));
	assert_true(symbol.address == BASE + MODULE_TEXT + 0x900);
	assert_false(modules_symbol(target->modules, "optimise", &symbol));
	assert_true(modules_symbol(target->modules, "optimised.lto_priv.12", &symbol));
	assert_false(modules_symbol(target->modules, "optimised.lto_priv.1", &symbol));
	assert_false(modules_symbol(target->modules, "absent", &symbol));
	assert_false(modules_symbol(target->modules, "", &symbol));
	assert_null(modules_at(target->modules, BASE - 1));
	assert_null(modules_at(target->modules, BASE + MODULE_END));
	target_close(target);
	free(path);
}

static void test_symbol_by_address(void **state)
{
	char *path = write_module("liba.so", &spec_a);
	struct target *target = open_with(&spec_a, path, NULL);
	struct modules *modules = target->modules;
	struct symbol symbol;

	(void)state;
	assert_true(modules_symbol_at(modules, BASE + MODULE_TEXT + 0x10, &symbol));
	assert_string_equal(symbol.name, "local_function");
	assert_true(modules_symbol_at(modules, BASE + MODULE_TEXT + 0x2f, &symbol));
	assert_string_equal(symbol.name, "local_function");
	assert_true(modules_symbol_at(modules, BASE + MODULE_TEXT + 0x30, &symbol));
	assert_string_equal(symbol.name, "outer_function");
	assert_true(symbol.address == BASE + MODULE_TEXT && symbol.size == 0x100);
	assert_true(modules_symbol_at(modules, BASE + MODULE_CONSTANTS + 15, &symbol));
	assert_string_equal(symbol.name, "in_constants");
	assert_false(modules_symbol_at(modules, BASE + MODULE_TEXT + 0x100, &symbol));
	assert_false(modules_symbol_at(modules, BASE + MODULE_TEXT + 0x800, &symbol));
	assert_false(modules_symbol_at(modules, BASE, &symbol));
	assert_false(modules_symbol_at(modules, 0, &symbol));
	assert_false(modules_symbol_at(modules, UINT64_MAX, &symbol));
	target_close(target);
	free(path);
}

static void test_other_build(void **state)
{
	struct module_file_spec other = spec_a;
	struct target *target;
	struct symbol symbol;
	char *path;

	(void)state;
	other.build_id = id_b;
	other.fill = 0xb2;
	path = write_module("liba.so", &other);
	target = open_with(&spec_a, path, NULL);
	assert_int_equal(target->modules->items[0].status, MODULE_FILE_MISMATCH);
	assert_null(target->modules->items[0].file);
	assert_byte(target, BASE + MODULE_TEXT, -1);
	assert_string_equal(image_hole(target->image, BASE + MODULE_TEXT)->reason,
			    "file is another build");
	assert_int_equal(problem(target, "build-id-mismatch")->level, PROBLEM_PARTIAL);
	/* Both ids and the file are named. */
	assert_non_null(strstr(problem(target, "build-id-mismatch")->detail, "aa01"));
	assert_non_null(strstr(problem(target, "build-id-mismatch")->detail, "bb02"));
	assert_non_null(strstr(problem(target, "build-id-mismatch")->detail, path));
	assert_false(coverage_complete(&target->coverage));
	/* Its symbols are not used either. */
	assert_false(modules_symbol(target->modules, "exported", &symbol));
	assert_false(modules_symbol(target->modules, "local_function", &symbol));
	target_close(target);

	/* A file without a build-id is not that of a module with one. */
	other.build_id_size = 0;
	free(path);
	path = write_module("liba.so", &other);
	target = open_with(&spec_a, path, NULL);
	assert_int_equal(target->modules->items[0].status, MODULE_FILE_MISMATCH);
	assert_non_null(strstr(problem(target, "build-id-mismatch")->detail, "none"));
	target_close(target);
	free(path);
}

static void test_missing_file(void **state)
{
	struct target *target = open_with(&spec_a, "/nowhere/liba.so", NULL);
	const struct problem *missing = problem(target, "missing-file");

	(void)state;
	assert_int_equal(target->modules->items[0].status, MODULE_FILE_MISSING);
	assert_int_equal(missing->level, PROBLEM_PARTIAL);
	assert_non_null(strstr(missing->detail, "/nowhere/liba.so: not found (build-id aa01"));
	assert_string_equal(image_hole(target->image, BASE + MODULE_TEXT)->reason, "file missing");
	target_close(target);

	target = open_with(&spec_a, "/nowhere/liba.so (deleted)", NULL);
	assert_string_equal(target->modules->items[0].path, "/nowhere/liba.so");
	assert_non_null(strstr(problem(target, "missing-file")->detail, "deleted"));
	target_close(target);
}

static void test_file_is_something_else(void **state)
{
	const char *path = temporary_file("liba.so", "no ELF file", 11);
	struct target *target = open_with(&spec_a, path, NULL);

	(void)state;
	assert_int_equal(target->modules->items[0].status, MODULE_FILE_MISMATCH);
	assert_false(coverage_complete(&target->coverage));
	target_close(target);
	target = open_with(&spec_a, temporary_path("."), NULL);
	assert_int_equal(target->modules->items[0].status, MODULE_FILE_MISSING);
	target_close(target);
}

static void test_without_build_id(void **state)
{
	struct module_file_spec bare = spec_a;
	struct target *target;
	char *path;

	(void)state;
	bare.build_id_size = 0;
	path = write_module("liba.so", &bare);
	target = open_with(&bare, path, NULL);
	assert_int_equal(target->modules->items[0].status, MODULE_FILE_UNVERIFIED);
	assert_byte(target, BASE + MODULE_TEXT, 0xa1);
	assert_int_equal(problem(target, "unverified-file")->level, PROBLEM_NOTE);
	assert_true(coverage_complete(&target->coverage));
	target_close(target);

	/* The page of the headers shows that it is another file. */
	bare.type = ET_EXEC;
	free(path);
	path = write_module("liba.so", &bare);
	bare.type = ET_DYN;
	target = open_with(&bare, path, NULL);
	assert_int_equal(target->modules->items[0].status, MODULE_FILE_MISMATCH);
	target_close(target);
	free(path);
}

/** Maps a module of which only data was dumped, not the page of the headers. */
static struct target *open_without_header(const char *path, uint64_t text_offset)
{
	struct core_file core = {0};
	struct bytes file = module_file_build(&spec_a);
	uint8_t *data = module_file_data(&file, BASE);

	core_file_load(&core, BASE, NULL, 0, MODULE_TEXT, PF_R);
	core_file_load(&core, BASE + MODULE_TEXT, NULL, 0, ELF_PAGE, PF_R | PF_X);
	core_file_load(&core, BASE + MODULE_CONSTANTS, NULL, 0, ELF_PAGE, PF_R);
	core_file_load(&core, BASE + MODULE_DATA, data, ELF_PAGE, ELF_PAGE, PF_R | PF_W);
	core_file_mapping(&core, BASE, BASE + MODULE_TEXT, 0, path);
	core_file_mapping(&core, BASE + MODULE_TEXT, BASE + MODULE_CONSTANTS, text_offset, path);
	core_file_mapping(&core, BASE + MODULE_CONSTANTS, BASE + MODULE_DATA, MODULE_CONSTANTS,
			  path);
	core_file_mapping(&core, BASE + MODULE_DATA, BASE + MODULE_BSS, MODULE_DATA, path);
	free(data);
	free(file.data);
	return open_core(&core, NULL);
}

static void test_header_not_dumped(void **state)
{
	char *path = write_module("liba.so", &spec_a);
	struct target *target = open_without_header(path, MODULE_TEXT);

	(void)state;
	assert_int_equal(target->modules->count, 1);
	assert_int_equal(target->modules->items[0].status, MODULE_FILE_UNVERIFIED);
	assert_byte(target, BASE + MODULE_TEXT, 0xa1);
	assert_symbol(target, "exported", BASE + MODULE_DATA + 0x100, 8);
	assert_true(coverage_complete(&target->coverage));
	target_close(target);

	/* Its segments are not where the process had them. */
	target = open_without_header(path, MODULE_TEXT + ELF_PAGE);
	assert_int_equal(target->modules->items[0].status, MODULE_FILE_MISMATCH);
	target_close(target);

	/* Nothing is left but the list of mappings. */
	target = open_without_header("/nowhere/liba.so", MODULE_TEXT);
	assert_int_equal(target->modules->count, 1);
	assert_int_equal(target->modules->items[0].status, MODULE_FILE_MISSING);
	assert_true(target->modules->items[0].end == BASE + MODULE_BSS);
	assert_false(coverage_complete(&target->coverage));
	target_close(target);
	free(path);
}

static void test_sysroot(void **state)
{
	char *path = write_module("root/usr/lib/liba.so", &spec_a), *root = strdup(path);
	struct target_options options = {.sysroot = root};
	struct target *target;

	(void)state;
	root[strlen(root) - strlen("/usr/lib/liba.so")] = '\0';
	target = open_with(&spec_a, "/usr/lib/liba.so", &options);
	assert_string_equal(target->modules->items[0].path, "/usr/lib/liba.so");
	assert_string_equal(target->modules->items[0].file, path);
	assert_true(coverage_complete(&target->coverage));
	target_close(target);
	free(path);
	free(root);
}

static void test_executable(void **state)
{
	struct module_file_spec other = spec_a;
	char *right = write_module("right", &spec_a), *wrong;
	struct target_options options = {.executable = right};
	struct target *target = open_with(&spec_a, "/nowhere/python3", &options);

	(void)state;
	assert_string_equal(target->modules->items[0].file, right);
	assert_true(coverage_complete(&target->coverage));
	target_close(target);

	other.build_id = id_b;
	wrong = write_module("wrong", &other);
	options.executable = wrong;
	target = open_with(&spec_a, "/nowhere/python3", &options);
	assert_null(target->modules->items[0].file);
	assert_int_equal(problem(target, "build-id-mismatch")->level, PROBLEM_PARTIAL);
	assert_non_null(strstr(problem(target, "build-id-mismatch")->detail, wrong));
	target_close(target);

	/* The file that the process names is right: worth a note, but nothing is missing. */
	target = open_with(&spec_a, right, &options);
	assert_string_equal(target->modules->items[0].file, right);
	assert_int_equal(problem(target, "build-id-mismatch")->level, PROBLEM_NOTE);
	assert_true(coverage_complete(&target->coverage));
	target_close(target);

	options.executable = "/nowhere/at/all";
	target = open_with(&spec_a, right, &options);
	assert_string_equal(target->modules->items[0].file, right);
	target_close(target);
	free(right);
	free(wrong);
}

static void test_everything_dumped(void **state)
{
	struct core_file core = {0};
	struct bytes file = module_file_build(&spec_a);
	struct target *target;
	struct symbol symbol;

	(void)state;
	core_file_module(&core, &file, BASE, BASE, "/nowhere/liba.so", true);
	target = open_core(&core, NULL);
	assert_true(coverage_complete(&target->coverage));
	assert_int_equal(target->coverage.count, 0);
	assert_byte(target, BASE + MODULE_TEXT, 0xa1);
	/* .dynsym from memory; .symtab is in no memory. */
	assert_symbol(target, "exported", BASE + MODULE_DATA + 0x100, 8);
	assert_true(modules_symbol_at(target->modules, BASE + MODULE_CONSTANTS, &symbol));
	assert_false(modules_symbol(target->modules, "local_function", &symbol));
	target_close(target);
	free(file.data);
}

static void test_sysv_hash(void **state)
{
	struct core_file core = {0};
	struct module_file_spec spec = spec_a;
	struct bytes file;
	struct target *target;

	(void)state;
	spec.sysv_hash = true;
	file = module_file_build(&spec);
	core_file_module(&core, &file, BASE, BASE, "/nowhere/liba.so", true);
	target = open_core(&core, NULL);
	assert_symbol(target, "exported", BASE + MODULE_DATA + 0x100, 8);
	target_close(target);

	/* A dynamic linker that leaves the dynamic segment as it is. */
	core_file_module(&core, &file, BASE, 0, "/nowhere/liba.so", true);
	target = open_core(&core, NULL);
	assert_symbol(target, "exported", BASE + MODULE_DATA + 0x100, 8);
	target_close(target);
	free(file.data);
}

static void test_main_executable_first(void **state)
{
	struct module_file_spec main = spec_a;
	struct bytes library = module_file_build(&spec_a), executable;
	struct core_file core = {0};
	struct target *target;

	(void)state;
	main.type = ET_EXEC;
	main.address = OTHER;
	executable = module_file_build(&main);
	core_file_module(&core, &library, BASE, BASE, "/nowhere/liba.so", true);
	core_file_module(&core, &executable, OTHER, 0, "/nowhere/main", true);
	core_file_auxv(&core, AT_PHDR, OTHER + sizeof(Elf64_Ehdr));
	target = open_core(&core, NULL);
	assert_int_equal(target->modules->count, 2);
	assert_true(target->modules->items[1].bias == 0);
	assert_symbol(target, "exported", OTHER + MODULE_DATA + 0x100, 8);
	target_close(target);

	/* Without the note of where it is, the lower one. */
	core_file_module(&core, &library, BASE, BASE, "/nowhere/liba.so", true);
	core_file_module(&core, &executable, OTHER, 0, "/nowhere/main", true);
	target = open_core(&core, NULL);
	assert_symbol(target, "exported", BASE + MODULE_DATA + 0x100, 8);
	target_close(target);
	free(library.data);
	free(executable.data);
}

static void test_data_files_are_no_modules(void **state)
{
	struct core_file core = {0};
	struct bytes file = module_file_build(&spec_a);
	char *path = write_module("liba.so", &spec_a);
	struct target *target;

	(void)state;
	/* An ELF file that was mapped to be read, and files that are not ELF. */
	core_file_load(&core, BASE, file.data, ELF_PAGE, file.size, PF_R);
	core_file_mapping(&core, BASE, BASE + file.size, 0, path);
	core_file_load(&core, OTHER, NULL, 0, ELF_PAGE, PF_R);
	core_file_mapping(&core, OTHER, OTHER + ELF_PAGE, 0, "/nowhere/locale-archive");
	core_file_load(&core, OTHER + 0x10000, NULL, 0, ELF_PAGE, PF_R);
	core_file_mapping(&core, OTHER + 0x10000, OTHER + 0x11000, 0, "/dev/zero (deleted)");
	core_file_load(&core, OTHER + 0x20000, NULL, 0, ELF_PAGE, PF_R | PF_X);
	core_file_mapping(&core, OTHER + 0x20000, OTHER + 0x21000, 0, "/memfd:jit (deleted)");
	target = open_core(&core, NULL);
	assert_int_equal(target->modules->count, 0);
	assert_int_equal(target->coverage.count, 0);
	assert_non_null(image_hole(target->image, OTHER));
	assert_byte(target, BASE + MODULE_TEXT, -1);
	target_close(target);
	free(file.data);
	free(path);
}

static void test_file_shorter_than_mapped(void **state)
{
	struct bytes file = module_file_build(&spec_a);
	char *path = strdup(temporary_file("liba.so", file.data, MODULE_TEXT + 0x10));
	struct target *target = open_with(&spec_a, path, NULL);

	(void)state;
	assert_int_equal(target->modules->items[0].status, MODULE_FILE_MATCHES);
	assert_byte(target, BASE + MODULE_TEXT, 0xa1);
	assert_byte(target, BASE + MODULE_TEXT + 0x10, 0);
	assert_byte(target, BASE + MODULE_CONSTANTS, -1);
	assert_string_equal(image_hole(target->image, BASE + MODULE_CONSTANTS)->reason,
			    "behind the end of the file");
	target_close(target);
	free(path);
	free(file.data);
}

/** Flips bytes of everything that is read of a module: nothing may crash. */
static void test_forged_module(void **state)
{
	struct bytes file = module_file_build(&spec_a);
	static const uint64_t words[] = {
		0, 1, 0xffffffff, UINT64_MAX, 1ull << 63, 0x7f0000000000, 0x7fffffff};
	unsigned int seed = 3;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		struct core_file core = {0};
		struct bytes forged = {0};
		struct target *target;
		struct symbol symbol;

		bytes_add(&forged, file.data, file.size);
		for (int i = 0; i < 3; i++) {
			static const size_t areas[] = {16, ELF_PAGE, MODULE_DATA};
			size_t at = areas[rand_r(&seed) % 3] + rand_r(&seed) % 60 * 8;

			memcpy(forged.data + at, &words[rand_r(&seed) % 7], 8);
		}
		core_file_module(&core, &forged, BASE, BASE, "/nowhere/liba.so", true);
		target = open_core(&core, NULL);
		modules_symbol(target->modules, "exported", &symbol);
		modules_symbol(target->modules, "local_function", &symbol);
		for (size_t at = 0; at < MODULE_END; at += 0x100)
			modules_symbol_at(target->modules, BASE + at, &symbol);
		target_close(target);
		free(forged.data);
	}
	free(file.data);
}

static void test_no_dwarf(void **state)
{
	char *path = write_module("liba.so", &spec_a);
	struct target_options options = {.debuginfo_path = "/nowhere"};
	struct target *target = open_with(&spec_a, path, &options);
	uint64_t bias = 1;

	(void)state;
	assert_null(modules_dwarf(target->modules, &target->modules->items[0], &bias));
	assert_null(modules_dwarf(target->modules, &target->modules->items[0], &bias));
	assert_int_equal(bias, 0);
	target_close(target);
	target = open_with(&spec_a, "/nowhere/liba.so", &options);
	assert_null(modules_dwarf(target->modules, &target->modules->items[0], &bias));
	target_close(target);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file_matches),
		cmocka_unit_test(test_symbol_by_address),
		cmocka_unit_test(test_other_build),
		cmocka_unit_test(test_missing_file),
		cmocka_unit_test(test_file_is_something_else),
		cmocka_unit_test(test_without_build_id),
		cmocka_unit_test(test_header_not_dumped),
		cmocka_unit_test(test_sysroot),
		cmocka_unit_test(test_executable),
		cmocka_unit_test(test_everything_dumped),
		cmocka_unit_test(test_sysv_hash),
		cmocka_unit_test(test_main_executable_first),
		cmocka_unit_test(test_data_files_are_no_modules),
		cmocka_unit_test(test_file_shorter_than_mapped),
		cmocka_unit_test(test_forged_module),
		cmocka_unit_test(test_no_dwarf),
	};

	return cmocka_run_group_tests(tests, temporary_setup, temporary_teardown);
}
