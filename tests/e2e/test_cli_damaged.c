/*
 * Cores with damaged memory: words changed at random, in ways that a crash or an attacker may. The
 * tool answers, in whole or in part, or refuses; it never crashes, never hangs, and what it writes
 * is whole.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/run.h"
#include "support/specimen.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define AUTO_RUN struct run __attribute__((cleanup(run_clear)))

enum { ROUNDS = 12, ROUNDS_FULL = 150, SECONDS_MAX = 60, PATH_SIZE = 8192 };

/* A core mapped for writing; nothing of it reaches the original. */
struct copy {
	char path[PATH_SIZE];
	uint64_t *words;
	size_t count;
};

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void open_copy(struct copy *copy, const char *name)
{
	AUTO_RUN run = {0};
	struct stat status;
	int fd;

	snprintf(copy->path, sizeof(copy->path), "%s", specimen_path(name));
	run_program(&run, RUN_ARGUMENTS("cp", specimen.core, copy->path));
	assert_int_equal(run.status, 0);
	fd = open(copy->path, O_RDWR | O_CLOEXEC);
	assert_int_equal(fstat(fd, &status), 0);
	copy->count = (size_t)status.st_size / sizeof(*copy->words);
	copy->words = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(copy->words != MAP_FAILED);
	close(fd);
}

static void close_copy(struct copy *copy)
{
	munmap(copy->words, copy->count * sizeof(*copy->words));
	unlink(copy->path);
}

// One word of the memory part, in one of the ways.
static void damage_word(struct copy *copy, uint64_t *seed)
{
	static const size_t headers = 4096 / sizeof(uint64_t);
	size_t span = copy->count - headers - 1;
	uint64_t *word = &copy->words[headers + next_random(seed) % span];

	switch (next_random(seed) % 7) {
	case 0:
		*word = next_random(seed);
		break;
	case 1:
		*word = 0;
		break;
	case 2:
		*word = UINT64_MAX;
		break;
	case 3:
		*word += 16;
		break;
	case 4:
		*word ^= 1ull << next_random(seed) % 64;
		break;
	case 5: // a pointer to somewhere else
		*word = copy->words[headers + next_random(seed) % span];
		break;
	case 6: // a cycle where there is none
		word[0] = word[1] = copy->words[headers + next_random(seed) % span];
		break;
	}
}

static void check_answer(const struct run *run, bool in_time, uint64_t seed)
{
	json_error_t error;
	json_t *json;

	if (!in_time)
		fail_msg("seed %#llx: stopped after %d s", (unsigned long long)seed, SECONDS_MAX);
	if (run->status != 0 && run->status != 1 && run->status != 3 && run->status != 4)
		fail_msg("seed %#llx: exit code %d: %s", (unsigned long long)seed, run->status,
			 run->err);
	if (run->status == 1 || run->status == 3) {
		assert_string_equal(run->out, "");
		return;
	}
	json = json_loads(run->out, JSON_REJECT_DUPLICATES, &error);
	if (!json)
		fail_msg("seed %#llx: no JSON: %s", (unsigned long long)seed, error.text);
	json_decref(json);
}

static void test_random_damage(void **state)
{
	static const char *const commands[] = {"leaks", "cycles", "triage", "info"};
	int rounds = getenv("PYMEM_TEST_FULL") ? ROUNDS_FULL : ROUNDS;
	int answered = 0;

	(void)state;
	for (int round = 0; round < rounds; round++) {
		uint64_t seed = 0x9e3779b97f4a7c15u * (uint64_t)(round + 1), first = seed;
		const char *command = commands[round % 4];
		// From a few words to some in every page.
		size_t count = (size_t)8 << round % 11;
		struct copy copy;
		AUTO_RUN run = {0};
		bool in_time;

		open_copy(&copy, "damaged");
		while (count--)
			damage_word(&copy, &seed);
		run_start(&run, NULL,
			  RUN_ARGUMENTS(run_tool_path(), "-c", copy.path, command, "--json"));
		in_time = run_finish(&run, SECONDS_MAX);
		check_answer(&run, in_time, first);
		answered += run.status == 0 || run.status == 4;
		close_copy(&copy);
	}
	assert_true(answered > rounds / 3); // else it tests only refusals
}

// The same words, all of one kind: every pointer of the heap leads to one place.
static void test_all_words_alike(void **state)
{
	static const uint64_t values[] = {0, 1, 0x10, UINT64_MAX, 0x5555555555555555};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		struct copy copy;
		AUTO_RUN run = {0};
		bool in_time;

		open_copy(&copy, "alike");
		for (size_t word = copy.count / 4; word < copy.count / 2; word++)
			copy.words[word] = values[i];
		run_start(&run, NULL,
			  RUN_ARGUMENTS(run_tool_path(), "-c", copy.path, "leaks", "--json"));
		in_time = run_finish(&run, SECONDS_MAX);
		check_answer(&run, in_time, values[i]);
		close_copy(&copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_damage),
		cmocka_unit_test(test_all_words_alike),
	};

	return cmocka_run_group_tests_name("damaged cores", tests, specimen_setup,
					   specimen_teardown);
}
