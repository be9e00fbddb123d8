/* Cores made of bytes: what a whole one says, and what becomes of damaged ones. */
#include "support/elf_files.h"
#include "support/temporary.h"
#include "target/target.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

enum { HEAP = 0x10000, STACK = 0x20000, LAST = 0x30000 };

static void check(struct error *err)
{
	if (err)
		fail_msg("%s", err->message);
}

/** Opens a core that is expected to open. */
static struct target *open_core(const struct bytes *file)
{
	struct target *target = NULL;

	check(target_open_core(temporary_file("core", file->data, file->size), NULL, &target));
	return target;
}

/** Opens one that is not, and compares the message behind the path. */
static void assert_refused(const char *path, const char *expected)
{
	struct target *target = NULL;
	struct error *err = target_open_core(path, NULL, &target);

	assert_non_null(err);
	assert_null(target);
	assert_int_equal(err->code, ERROR_GENERAL);
	assert_memory_equal(err->message, path, strlen(path));
	assert_string_equal(err->message + strlen(path), expected);
	error_free(err);
}

static void assert_bytes_refused(const void *bytes, size_t size, const char *expected)
{
	assert_refused(temporary_file("core", bytes, size), expected);
}

static bool has_problem(const struct target *target, const char *kind)
{
	for (size_t i = 0; i < target->coverage.count; i++)
		if (!strcmp(target->coverage.problems[i].kind, kind))
			return true;
	return false;
}

/** Two threads, three segments, one mapped data file. */
static struct bytes small_core(bool extended)
{
	struct core_file core = {.extended = extended};
	uint8_t page[2 * ELF_PAGE];

	for (size_t i = 0; i < sizeof(page); i++)
		page[i] = i >> 4;
	core_file_thread(&core, 100, 6, STACK + 0x800);
	core_file_process(&core, 100, "python3 -c x\ty ");
	core_file_auxv(&core, AT_PAGESZ, ELF_PAGE);
	core_file_thread(&core, 101, 0, STACK + 0x900);
	core_file_load(&core, HEAP, page, sizeof(page), sizeof(page), PF_R | PF_W);
	core_file_load(&core, STACK, page, ELF_PAGE, ELF_PAGE, PF_R | PF_W);
	core_file_load(&core, LAST, page, 0, 2 * ELF_PAGE, PF_R);
	core_file_mapping(&core, LAST, LAST + ELF_PAGE, 0, "/nowhere/data.bin");
	return core_file_build(&core);
}

static void check_small_core(struct target *target)
{
	struct reader reader;
	uint8_t byte;

	assert_int_equal(target->kind, TARGET_CORE);
	assert_int_equal(target->pid, 100);
	assert_int_equal(target->signal, 6);
	assert_string_equal(target->command, "python3 -c x y");
	assert_int_equal(target->thread_count, 2);
	assert_int_equal(target->threads[0].tid, 100);
	assert_int_equal(target->threads[0].registers.rsp, STACK + 0x800);
	assert_int_equal(target->threads[1].tid, 101);
	assert_int_equal(target->threads[1].registers.rsp, STACK + 0x900);
	assert_int_equal(target->image->segment_count, 2);
	reader_init(&reader, target->image);
	assert_true(reader_u8(&reader, HEAP + 0x123, &byte));
	assert_int_equal(byte, 0x12);
	assert_true(reader_u8(&reader, STACK + 0xfff, &byte));
	assert_int_equal(byte, 0xff);
	assert_false(reader_u8(&reader, STACK + 0x1000, &byte));
	assert_false(reader_u8(&reader, LAST, &byte));
	assert_string_equal(image_hole(target->image, LAST)->reason, "data file, not dumped");
	assert_string_equal(image_hole(target->image, LAST + ELF_PAGE)->reason, "not dumped");
	assert_int_equal(target->modules->count, 0);
	assert_true(coverage_complete(&target->coverage));
	assert_int_equal(target->coverage.count, 0);
	assert_null(target_release(target));
}

static void test_whole(void **state)
{
	struct bytes file = small_core(false);
	struct target *target = open_core(&file);

	(void)state;
	assert_int_equal(target->size, file.size);
	check_small_core(target);
	target_close(target);
	target_close(NULL);
	free(file.data);
}

/** Opens a core with one thread, killed by `signal`, and two notes on signals. */
static struct target *open_killed(int signal, int first, int second, uint64_t rsp)
{
	struct core_file core = {0};
	uint8_t page[ELF_PAGE] = {0};

	page[0xa00] = 1;
	core_file_thread(&core, 100, signal, rsp);
	core_file_siginfo(&core, first, SEGV_MAPERR, 0x60);
	core_file_siginfo(&core, second, SEGV_ACCERR, 0x70);
	core_file_load(&core, STACK, page, sizeof(page), sizeof(page), PF_R | PF_W);

	struct bytes file = core_file_build(&core);
	struct target *target = open_core(&file);

	free(file.data);
	return target;
}

static void test_signal(void **state)
{
	struct target *target = open_killed(SIGSEGV, SIGSEGV, SIGSEGV, STACK + 0x800);

	(void)state;
	assert_int_equal(target->siginfo.si_signo, SIGSEGV);
	assert_int_equal(target->siginfo.si_code, SEGV_MAPERR);
	assert_int_equal((uint64_t)target->siginfo.si_addr, 0x60);
	assert_false(has_problem(target, "missing-stacks"));
	target_close(target);
	// Of a signal that did not kill it.
	target = open_killed(SIGABRT, SIGSEGV, SIGABRT, STACK + 0x800);
	assert_int_equal(target->signal, SIGABRT);
	assert_int_equal(target->siginfo.si_signo, 0);
	target_close(target);
}

static void test_stack_of_zeros(void **state)
{
	struct target *target = open_killed(SIGSEGV, SIGSEGV, SIGSEGV, STACK + 0x200);

	(void)state;
	assert_true(target->threads[0].stack_missing);
	assert_true(has_problem(target, "missing-stacks"));
	assert_true(coverage_complete(&target->coverage));
	target_close(target);
	// Nothing is known of a stack that is not there at all.
	target = open_killed(SIGSEGV, SIGSEGV, SIGSEGV, LAST);
	assert_false(has_problem(target, "missing-stacks"));
	target_close(target);
}

static void test_more_than_65535_program_headers(void **state)
{
	struct bytes file = small_core(true);
	struct target *target = open_core(&file);
	struct core_file core = {.extended = true};
	uint64_t word = 0x1122334455667788;
	struct reader reader;

	(void)state;
	check_small_core(target);
	target_close(target);
	free(file.data);

	for (uint64_t i = 0; i < 70000; i++)
		core_file_load(&core, HEAP + i * 0x10000, &word, i % 7000 ? 0 : 8, ELF_PAGE, PF_R);
	file = core_file_build(&core);
	target = open_core(&file);
	assert_int_equal(target->image->segment_count, 10);
	assert_int_equal(target->image->hole_count, 70000);
	reader_init(&reader, target->image);
	assert_true(reader_u64(&reader, HEAP + 63000ull * 0x10000, &word));
	assert_true(word == 0x1122334455667788);
	target_close(target);

	/* The count stands at the end of the file, which is cut off first. */
	file.size -= 1;
	target = open_core(&file);
	assert_true(has_problem(target, "truncated-core"));
	assert_int_equal(target->image->segment_count, 10);
	target_close(target);
	free(file.data);
}

static void test_not_a_core(void **state)
{
	struct bytes file = small_core(false);
	Elf64_Ehdr *header = (Elf64_Ehdr *)file.data;
	struct module_file_spec spec = {.type = ET_DYN};
	struct bytes module = module_file_build(&spec);

	(void)state;
	assert_refused(temporary_path("none"), ": No such file or directory");
	assert_refused(temporary_path("."), ": Is a directory");
	assert_int_equal(mkfifo(temporary_path("fifo"), 0600), 0);
	assert_refused(temporary_path("fifo"), ": empty");
	assert_refused("/dev/null", ": not a regular file");
	assert_bytes_refused("", 0, ": empty file");
	assert_bytes_refused("hello, world", 12, ": not an ELF file");
	assert_bytes_refused("\177EL", 3, ": truncated in the ELF header");
	assert_bytes_refused("\x28\xb5\x2f\xfd\0\0\0", 7, ": Truncated zstd input after 0 bytes");
	assert_bytes_refused(module.data, module.size,
			     ": not a core file: ELF shared object (ET_DYN)");
	header->e_type = ET_EXEC;
	assert_bytes_refused(file.data, file.size, ": not a core file: ELF executable (ET_EXEC)");
	header->e_type = ET_REL;
	assert_bytes_refused(file.data, file.size, ": not a core file: ELF object file (ET_REL)");
	header->e_type = 77;
	assert_bytes_refused(file.data, file.size, ": not a core file: ELF file of unknown type");
	header->e_type = ET_CORE;
	header->e_machine = EM_AARCH64;
	assert_bytes_refused(file.data, file.size, ": ELF file of another architecture (AArch64)");
	header->e_machine = EM_386;
	header->e_ident[EI_CLASS] = ELFCLASS32;
	assert_bytes_refused(file.data, file.size, ": ELF file of another architecture (i386)");
	header->e_machine = EM_X86_64;
	assert_bytes_refused(file.data, file.size, ": ELF file of another architecture (x32)");
	header->e_ident[EI_CLASS] = ELFCLASS64;
	header->e_ident[EI_DATA] = ELFDATA2MSB;
	assert_bytes_refused(file.data, file.size,
			     ": ELF file of another architecture (big-endian)");
	header->e_ident[EI_DATA] = ELFDATA2LSB;
	header->e_phnum = 0;
	assert_bytes_refused(file.data, file.size, ": there is no memory in it");
	free(file.data);
	free(module.data);
}

static void test_not_permitted(void **state)
{
	const char *path = temporary_file("secret", "x", 1);

	uid_t user = geteuid();

	(void)state;
	assert_int_equal(chmod(path, 0), 0);
	/* Root may read everything, so be somebody else for a while. */
	if (!user)
		assert_int_equal(seteuid(65534), 0);
	assert_refused(path, ": Permission denied");
	if (!user)
		assert_int_equal(seteuid(user), 0);
}

static void test_file_type(void **state)
{
	struct bytes core = small_core(false);
	struct module_file_spec spec = {.type = ET_DYN};
	struct bytes module = module_file_build(&spec);
	enum target_file type;
	struct error *err;

	(void)state;
	check(target_file_type(temporary_file("a", core.data, core.size), &type));
	assert_int_equal(type, TARGET_FILE_CORE);
	check(target_file_type(temporary_file("a", module.data, module.size), &type));
	assert_int_equal(type, TARGET_FILE_SHARED_OBJECT);
	((Elf64_Dyn *)(module.data + MODULE_DATA))[4] = (Elf64_Dyn){DT_FLAGS_1, {DF_1_PIE}};
	check(target_file_type(temporary_file("a", module.data, module.size), &type));
	assert_int_equal(type, TARGET_FILE_EXECUTABLE);
	((Elf64_Ehdr *)core.data)->e_type = ET_EXEC;
	check(target_file_type(temporary_file("a", core.data, core.size), &type));
	assert_int_equal(type, TARGET_FILE_EXECUTABLE);
	((Elf64_Ehdr *)core.data)->e_type = ET_REL;
	check(target_file_type(temporary_file("a", core.data, core.size), &type));
	assert_int_equal(type, TARGET_FILE_OTHER);
	((Elf64_Ehdr *)core.data)->e_machine = EM_RISCV;
	check(target_file_type(temporary_file("a", core.data, core.size), &type));
	assert_int_equal(type, TARGET_FILE_OTHER_MACHINE);
	check(target_file_type(temporary_file("a", "#!/bin/sh\n", 10), &type));
	assert_int_equal(type, TARGET_FILE_OTHER);
	check(target_file_type(temporary_file("a", "\177ELF", 4), &type));
	assert_int_equal(type, TARGET_FILE_OTHER);
	check(target_file_type(temporary_file("a", "\x1f\x8b\x08", 3), &type));
	assert_int_equal(type, TARGET_FILE_CORE);
	check(target_file_type("-", &type));
	assert_int_equal(type, TARGET_FILE_CORE);
	err = target_file_type(temporary_path("none"), &type);
	assert_non_null(err);
	error_free(err);
	free(core.data);
	free(module.data);
}

static void test_cut_in_memory(void **state)
{
	struct bytes file = small_core(false);
	size_t whole = file.size;
	struct target *target;
	struct reader reader;

	(void)state;
	/* In the middle of the heap; the stack is gone. */
	file.size -= 2 * ELF_PAGE + 0x10;
	target = open_core(&file);
	assert_false(coverage_complete(&target->coverage));
	assert_int_equal(target->coverage.count, 1);
	assert_string_equal(target->coverage.problems[0].kind, "truncated-core");
	assert_non_null(strstr(target->coverage.problems[0].detail, "segments that are cut: 2"));
	reader_init(&reader, target->image);
	assert_non_null(reader_at(&reader, HEAP, ELF_PAGE - 0x10));
	assert_null(reader_at(&reader, HEAP, ELF_PAGE - 0xf));
	assert_string_equal(image_hole(target->image, HEAP + 0x1800)->reason, "truncated");
	assert_string_equal(image_hole(target->image, STACK)->reason, "truncated");
	assert_int_equal(target->thread_count, 2);
	target_close(target);
	file.size = whole;
	free(file.data);
}

/** Opens whatever it is and reads all that it claims to have. */
static void exercise(const char *path)
{
	struct target *target = NULL;
	struct error *err = target_open_core(path, NULL, &target);
	struct reader reader;
	unsigned int sum = 0;

	if (err) {
		assert_null(target);
		assert_non_null(err->message);
		assert_null(strchr(err->message, '\n'));
		error_free(err);
		return;
	}
	reader_init(&reader, target->image);
	for (size_t i = 0; i < target->image->segment_count; i++) {
		const struct segment *segment = &target->image->segments[i];
		const uint8_t *bytes =
			reader_at(&reader, segment->start, segment->end - segment->start);

		assert_non_null(bytes);
		for (uint64_t at = 0; at < segment->end - segment->start; at += 64)
			sum += bytes[at];
	}
	for (uint64_t address = 0; address < LAST + 4 * ELF_PAGE; address += ELF_PAGE / 2) {
		struct symbol symbol;

		if (reader_at(&reader, address, 16))
			sum++;
		modules_symbol_at(target->modules, address, &symbol);
	}
	target_close(target);
	assert_true(sum != UINT32_MAX);
}

static void test_cut_anywhere(void **state)
{
	struct bytes file = small_core(false);
	const char *path = temporary_file("cut", file.data, file.size);
	size_t headers = file.size - 3 * ELF_PAGE;

	(void)state;
	/* Every byte of the headers and notes, then every page and its neighbours. */
	for (size_t size = file.size; size-- > 0;) {
		if (size > headers && size % ELF_PAGE > 1 && size % ELF_PAGE < ELF_PAGE - 1)
			continue;
		assert_int_equal(truncate(path, size), 0);
		exercise(path);
	}
	free(file.data);
}

static void test_cut_core_is_never_whole(void **state)
{
	struct bytes file = small_core(false);
	size_t whole = file.size;

	(void)state;
	for (; file.size > sizeof(Elf64_Ehdr); file.size -= 24) {
		struct target *target = NULL;
		const char *path = temporary_file("core", file.data, file.size);
		struct error *err = target_open_core(path, NULL, &target);

		if (!err)
			assert_int_equal(coverage_complete(&target->coverage), file.size == whole);
		else
			assert_non_null(strstr(err->message, "truncated"));
		error_free(err);
		target_close(target);
	}
	free(file.data);
}

static void test_flipped_bytes(void **state)
{
	struct bytes file = small_core(false);
	size_t headers = file.size - 3 * ELF_PAGE;
	const char *path = temporary_file("flipped", file.data, file.size);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	static const uint8_t values[] = {0x00, 0x01, 0x80, 0xff};

	(void)state;
	assert_true(fd >= 0);
	for (size_t at = 0; at < headers; at++) {
		for (size_t i = 0; i < sizeof(values); i++) {
			uint8_t byte = i ? file.data[at] ^ values[i] : 0;

			if (byte == file.data[at])
				continue;
			assert_int_equal(pwrite(fd, &byte, 1, at), 1);
			exercise(path);
		}
		assert_int_equal(pwrite(fd, &file.data[at], 1, at), 1);
	}
	close(fd);
	free(file.data);
}

static void test_random_words(void **state)
{
	struct bytes file = small_core(false);
	size_t words = (file.size - 3 * ELF_PAGE) / 8;
	static const uint64_t values[] = {0,
					  1,
					  0xfff,
					  HEAP,
					  LAST,
					  UINT64_MAX,
					  UINT64_MAX - 7,
					  1ull << 63,
					  0x7fffffffffffffff,
					  0xffffffff};
	unsigned int seed = 1;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		struct bytes copy = {0};

		bytes_add(&copy, file.data, file.size);
		for (int i = 0; i < 4; i++) {
			size_t at = 4 + rand_r(&seed) % (words - 4);

			memcpy(copy.data + at * 8, &values[rand_r(&seed) % 10], 8);
		}
		exercise(temporary_file("random", copy.data, copy.size));
		free(copy.data);
	}
	free(file.data);
}

static void test_damaged_notes(void **state)
{
	struct core_file core = {0};
	struct bytes file;
	struct target *target;
	uint64_t files[] = {1, ELF_PAGE, HEAP, HEAP + ELF_PAGE, 0};
	uint64_t many[] = {UINT64_MAX / 2, ELF_PAGE};
	uint8_t byte = 0;

	(void)state;
	core_file_load(&core, HEAP, &byte, 1, 1, PF_R);
	bytes_note(&core.notes, "CORE", NT_PRSTATUS, &byte, 1);
	bytes_note(&core.notes, "CORE", NT_PRPSINFO, &byte, 1);
	bytes_note(&core.notes, "CORE", NT_AUXV, &byte, 1);
	bytes_note(&core.notes, "CORE", NT_FILE, files, sizeof(files));
	bytes_note(&core.notes, "CORE", NT_FILE, many, sizeof(many));
	bytes_note(&core.notes, "CORE", NT_FILE, &byte, 1);
	bytes_note(&core.notes, "OTHER", NT_PRSTATUS, &byte, 1);
	file = core_file_build(&core);
	target = open_core(&file);
	assert_true(has_problem(target, "damaged-notes"));
	assert_false(coverage_complete(&target->coverage));
	assert_int_equal(target->thread_count, 0);
	assert_null(target->command);
	assert_int_equal(target->pid, 0);
	target_close(target);
	free(file.data);
}

static void test_overlapping_segments(void **state)
{
	struct core_file core = {0};
	uint8_t first[ELF_PAGE], second[ELF_PAGE];
	struct bytes file;
	struct target *target;
	struct reader reader;
	uint8_t byte;

	(void)state;
	memset(first, 1, sizeof(first));
	memset(second, 2, sizeof(second));
	core_file_load(&core, HEAP, first, ELF_PAGE, ELF_PAGE, PF_R);
	core_file_load(&core, HEAP - 0x800, second, ELF_PAGE, ELF_PAGE, PF_R);
	core_file_load(&core, UINT64_MAX - 0xff, second, ELF_PAGE, ELF_PAGE, PF_R);
	file = core_file_build(&core);
	target = open_core(&file);
	reader_init(&reader, target->image);
	assert_true(reader_u8(&reader, HEAP, &byte) && byte == 1);
	assert_true(reader_u8(&reader, HEAP - 1, &byte) && byte == 2);
	assert_true(reader_u8(&reader, UINT64_MAX - 1, &byte) && byte == 2);
	assert_false(reader_u8(&reader, 0, &byte));
	target_close(target);
	free(file.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_signal),
		cmocka_unit_test(test_stack_of_zeros),
		cmocka_unit_test(test_more_than_65535_program_headers),
		cmocka_unit_test(test_not_a_core),
		cmocka_unit_test(test_not_permitted),
		cmocka_unit_test(test_file_type),
		cmocka_unit_test(test_cut_in_memory),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_cut_core_is_never_whole),
		cmocka_unit_test(test_flipped_bytes),
		cmocka_unit_test(test_random_words),
		cmocka_unit_test(test_damaged_notes),
		cmocka_unit_test(test_overlapping_segments),
	};

	return cmocka_run_group_tests(tests, temporary_setup, temporary_teardown);
}
