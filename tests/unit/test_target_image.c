/* The table of segments, readers, stitched copies, lazy segments and memory without known ranges.
 */
#include "target/image_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

/** Ends a test that fails; frees the error otherwise. */
static void check(struct error *err)
{
	if (err)
		fail_msg("%s", err->message);
}

/** Host bytes whose value tells where they are. */
static uint8_t *pattern(size_t size, unsigned int seed)
{
	uint8_t *bytes = malloc(size);

	assert_non_null(bytes);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(i * 7 + (i >> 8) + seed);
	return bytes;
}

static void test_empty(void **state)
{
	struct image *image = image_create();
	struct reader reader;
	uint8_t byte;

	(void)state;
	check(image_finish(image));
	reader_init(&reader, image);
	assert_null(image_segment(image, 0));
	assert_null(image_hole(image, 0));
	assert_null(reader_at(&reader, 0x1000, 1));
	assert_null(reader_at(&reader, UINT64_MAX, 1));
	assert_null(reader_at(&reader, 0, SIZE_MAX));
	assert_int_equal(reader_copy(&reader, 0, &byte, 1), 0);
	assert_true(image_is_concurrent(image));
	image_destroy(image);
	image_destroy(NULL);
}

static void test_neighbours_are_joined(void **state)
{
	uint8_t *bytes = pattern(0x3000, 1);
	struct image *image = image_create();

	(void)state;
	check(image_add(image, 0x12000, 0x1000, bytes + 0x2000, PF_R, SEGMENT_CORE));
	check(image_add(image, 0x10000, 0x1000, bytes, PF_R, SEGMENT_CORE));
	check(image_add(image, 0x11000, 0x1000, bytes + 0x1000, PF_R, SEGMENT_CORE));
	check(image_finish(image));
	assert_int_equal(image->segment_count, 1);
	assert_true(image->segments[0].start == 0x10000 && image->segments[0].end == 0x13000);
	assert_ptr_equal(image->segments[0].host, bytes);
	image_destroy(image);

	/* Not with other flags or another source: code must be told from data. */
	image = image_create();
	check(image_add(image, 0x10000, 0x1000, bytes, PF_R, SEGMENT_CORE));
	check(image_add(image, 0x11000, 0x1000, bytes + 0x1000, PF_R | PF_X, SEGMENT_CORE));
	check(image_add(image, 0x12000, 0x1000, bytes + 0x2000, PF_R | PF_X, SEGMENT_FILE));
	check(image_finish(image));
	assert_int_equal(image->segment_count, 3);
	image_destroy(image);
	free(bytes);
}

static void test_first_added_wins(void **state)
{
	uint8_t *first = pattern(0x1000, 1), *second = pattern(0x4000, 2), *third = pattern(16, 3);
	struct image *image = image_create();
	struct reader reader;
	uint64_t expected, word;

	(void)state;
	check(image_add(image, 0x2000, 0x1000, first, PF_R, SEGMENT_CORE));
	check(image_add(image, 0x1000, 0x4000, second, PF_R, SEGMENT_FILE));
	check(image_add(image, 0x4ff8, 16, third, PF_R, SEGMENT_CORE));
	check(image_finish(image));
	assert_int_equal(image->segment_count, 4);
	assert_true(image->segments[0].start == 0x1000 && image->segments[0].end == 0x2000);
	assert_true(image->segments[1].start == 0x2000 && image->segments[1].end == 0x3000);
	assert_true(image->segments[2].start == 0x3000 && image->segments[2].end == 0x5000);
	assert_true(image->segments[3].start == 0x5000 && image->segments[3].end == 0x5008);
	reader_init(&reader, image);
	assert_ptr_equal(reader_at(&reader, 0x2100, 8), first + 0x100);
	assert_ptr_equal(reader_at(&reader, 0x3100, 8), second + 0x2100);
	assert_ptr_equal(reader_at(&reader, 0x5000, 8), third + 8);
	memcpy(&expected, third + 8, 8);
	assert_true(reader_u64(&reader, 0x5000, &word));
	assert_true(word == expected);
	assert_false(reader_u64(&reader, 0x5001, &word));
	assert_true(word == 0);
	image_destroy(image);
	free(first);
	free(second);
	free(third);
}

/** Random overlapping ranges against a byte map that is filled backwards. */
static void test_overlaps_like_a_byte_map(void **state)
{
	enum { SPACE = 4096, RANGES = 60, ROUNDS = 300 };
	uint8_t *bytes = pattern(SPACE, 5);
	unsigned int seed = 7;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct image *image = image_create();
		const uint8_t *expected[SPACE] = {0};
		struct reader reader;

		for (int i = 0; i < RANGES; i++) {
			unsigned int start = rand_r(&seed) % SPACE, size, from;

			size = rand_r(&seed) % 200;
			if (size > SPACE - start)
				size = SPACE - start;
			from = rand_r(&seed) % (SPACE - size);
			check(image_add(image, start, size, bytes + from, PF_R, SEGMENT_CORE));
			for (unsigned int k = 0; k < size; k++)
				if (!expected[start + k])
					expected[start + k] = bytes + from + k;
		}
		check(image_finish(image));
		for (size_t i = 1; i < image->segment_count; i++)
			assert_true(image->segments[i - 1].end <= image->segments[i].start);
		reader_init(&reader, image);
		for (unsigned int i = 0; i < SPACE; i++)
			assert_ptr_equal(reader_at(&reader, i, 1), expected[i]);
		image_destroy(image);
	}
	free(bytes);
}

static void test_ends_of_the_address_space(void **state)
{
	uint8_t *bytes = pattern(0x2000, 1);
	struct image *image = image_create();
	struct reader reader;
	uint64_t top = UINT64_MAX - 0xfff;

	(void)state;
	check(image_add(image, 0, 0x1000, bytes, PF_R, SEGMENT_CORE));
	check(image_add(image, top, 0x1000, bytes + 0x1000, PF_R, SEGMENT_CORE));
	check(image_add(image, 0xffffffffff600000, UINT64_MAX, bytes, PF_R, SEGMENT_CORE));
	check(image_finish(image));
	reader_init(&reader, image);
	assert_ptr_equal(reader_at(&reader, 0, 0x1000), bytes);
	assert_ptr_equal(reader_at(&reader, top, 8), bytes + 0x1000);
	/* The very last byte is given up. */
	assert_ptr_equal(reader_at(&reader, top, 0xfff), bytes + 0x1000);
	assert_null(reader_at(&reader, top, 0x1000));
	assert_null(reader_at(&reader, top + 8, UINT64_MAX));
	assert_null(reader_at(&reader, UINT64_MAX, 1));
	assert_null(reader_at(&reader, UINT64_MAX, 2));
	assert_null(reader_at(&reader, 8, SIZE_MAX));
	assert_null(reader_at(&reader, 8, SIZE_MAX - 7));
	image_destroy(image);
	free(bytes);
}

static void test_zero_length(void **state)
{
	uint8_t *bytes = pattern(64, 1);
	struct image *image = image_create();
	struct reader reader;

	(void)state;
	check(image_add(image, 0x1000, 64, bytes, PF_R, SEGMENT_CORE));
	check(image_add(image, 0x2000, 0, bytes, PF_R, SEGMENT_CORE));
	check(image_finish(image));
	assert_int_equal(image->segment_count, 1);
	reader_init(&reader, image);
	assert_non_null(reader_at(&reader, 0x1000, 0));
	assert_non_null(reader_at(&reader, 0x99999, 0));
	assert_non_null(reader_at(&reader, UINT64_MAX, 0));
	assert_int_equal(reader_copy(&reader, 0x1000, NULL, 0), 0);
	image_destroy(image);
	free(bytes);
}

static void test_slots_do_not_mix_ranges(void **state)
{
	uint8_t *low = pattern(0x1000, 1), *high = pattern(0x1000, 2);
	struct image *image = image_create();
	struct reader reader;
	/* Both addresses use the same slot. */
	uint64_t other = 0x1000 + ((uint64_t)READER_SLOTS << 20);

	(void)state;
	check(image_add(image, 0x1000, 0x1000, low, PF_R, SEGMENT_CORE));
	check(image_add(image, other, 0x1000, high, PF_R, SEGMENT_CORE));
	check(image_finish(image));
	reader_init(&reader, image);
	for (int i = 0; i < 3; i++) {
		assert_ptr_equal(reader_at(&reader, 0x1ff8, 8), low + 0xff8);
		assert_ptr_equal(reader_at(&reader, other, 8), high);
		assert_null(reader_at(&reader, other - 1, 1));
		assert_null(reader_at(&reader, 0x1ff9, 8));
		assert_null(reader_at(&reader, other + 0x1000, 1));
	}
	image_destroy(image);
	free(low);
	free(high);
}

static void test_reads_across_segments(void **state)
{
	uint8_t *bytes = pattern(0x9000, 1), *low = malloc(0x3000), *high = malloc(0x6000);
	struct image *image = image_create();
	const void *first, *again;
	struct reader reader, other;
	uint8_t copy[0x9000];

	(void)state;
	memcpy(low, bytes, 0x3000);
	memcpy(high, bytes + 0x3000, 0x6000);
	check(image_add(image, 0x10000, 0x3000, low, PF_R, SEGMENT_CORE));
	check(image_add(image, 0x13000, 0x6000, high, PF_R | PF_W, SEGMENT_CORE));
	check(image_finish(image));
	reader_init(&reader, image);
	reader_init(&other, image);
	first = reader_at(&reader, 0x12ffc, 8);
	assert_memory_equal(first, bytes + 0x2ffc, 8);
	/* One copy for all, that stays. */
	again = reader_at(&other, 0x12ffc, 8);
	assert_ptr_equal(first, again);
	assert_int_equal(image->private->stitch_count, 1);
	assert_memory_equal(reader_at(&reader, 0x12f00, 0x200), bytes + 0x2f00, 0x200);
	assert_int_equal(image->private->stitch_count, 1);
	assert_memory_equal(reader_at(&reader, 0x10001, 0x8ffe), bytes + 1, 0x8ffe);
	assert_int_equal(image->private->stitch_count, 2);
	assert_memory_equal(reader_at(&reader, 0x10000, 0x9000), bytes, 0x9000);
	assert_null(reader_at(&reader, 0x10000, 0x9001));
	assert_null(reader_at(&reader, 0xffff, 8));
	assert_memory_equal(first, bytes + 0x2ffc, 8);
	assert_int_equal(reader_copy(&reader, 0x10000, copy, sizeof(copy)), 0x9000);
	assert_memory_equal(copy, bytes, 0x9000);
	assert_int_equal(reader_copy(&reader, 0x18ff0, copy, 100), 0x10);
	image_destroy(image);
	free(bytes);
	free(low);
	free(high);
}

static void test_contiguous_on_the_host_is_not_copied(void **state)
{
	uint8_t *bytes = pattern(0x2000, 1);
	struct image *image = image_create();
	struct reader reader;

	(void)state;
	check(image_add(image, 0x10000, 0x1000, bytes, PF_R, SEGMENT_CORE));
	check(image_add(image, 0x11000, 0x1000, bytes + 0x1000, PF_R | PF_W, SEGMENT_CORE));
	check(image_finish(image));
	reader_init(&reader, image);
	assert_ptr_equal(reader_at(&reader, 0x10ffc, 8), bytes + 0xffc);
	assert_int_equal(image->private->stitch_count, 0);
	image_destroy(image);
	free(bytes);
}

static void test_strings(void **state)
{
	static const char text[] = "hello";
	char *page = calloc(1, 0x2000), *behind = calloc(1, 0x1000), buffer[16];
	struct image *image = image_create();
	struct reader reader;

	(void)state;
	memcpy(page + 0x1ffd, text, 3);
	memcpy(behind, text + 3, 3);
	memset(page, 'x', 0x100);
	check(image_add(image, 0x10000, 0x2000, page, PF_R, SEGMENT_CORE));
	check(image_add(image, 0x12000, 0x1000, behind, PF_R, SEGMENT_CORE));
	check(image_add(image, 0x20000, 0x1000, page, PF_R, SEGMENT_CORE));
	check(image_finish(image));
	reader_init(&reader, image);
	assert_true(reader_string(&reader, 0x11ffd, buffer, sizeof(buffer)));
	assert_string_equal(buffer, "hello");
	assert_true(reader_string(&reader, 0x11ffd, buffer, 6));
	assert_string_equal(buffer, "hello");
	assert_false(reader_string(&reader, 0x11ffd, buffer, 5));
	assert_string_equal(buffer, "hell");
	assert_false(reader_string(&reader, 0x10000, buffer, sizeof(buffer)));
	assert_string_equal(buffer, "xxxxxxxxxxxxxxx");
	assert_false(reader_string(&reader, 0x10000, buffer, 1));
	assert_string_equal(buffer, "");
	assert_false(reader_string(&reader, 0x10000, NULL, 0));
	assert_false(reader_string(&reader, 0x9000, buffer, sizeof(buffer)));
	assert_string_equal(buffer, "");
	/* Runs into the end of what is there. */
	memset(page + 0xff0, 'y', 0x10);
	assert_false(reader_string(&reader, 0x20ff8, buffer, sizeof(buffer)));
	assert_string_equal(buffer, "yyyyyyyy");
	image_destroy(image);
	free(page);
	free(behind);
}

static void test_holes(void **state)
{
	uint8_t byte = 1;
	struct image *image = image_create();
	uint64_t start, end;

	(void)state;
	check(image_add(image, 0x3000, 1, &byte, PF_R, SEGMENT_CORE));
	check(image_add_hole(image, 0x5000, 0x6000, PF_R, "truncated"));
	check(image_add_hole(image, 0x1000, 0x2000, PF_R, "not dumped"));
	check(image_add_hole(image, 0x1800, 0x2800, 0, "not dumped"));
	check(image_add_hole(image, 0x7000, 0x7000, 0, "empty"));
	check(image_finish(image));
	assert_string_equal(image_hole(image, 0x1fff)->reason, "not dumped");
	assert_string_equal(image_hole(image, 0x27ff)->reason, "not dumped");
	assert_string_equal(image_hole(image, 0x5000)->reason, "truncated");
	assert_null(image_hole(image, 0x2800));
	assert_null(image_hole(image, 0xfff));
	assert_null(image_hole(image, 0x6000));
	assert_null(image_hole(image, 0x7000));
	assert_true(image_next_gap(image, 0x1500, 0x9000, &start, &end));
	assert_true(start == 0x2800 && end == 0x3000);
	assert_true(image_next_gap(image, end, 0x9000, &start, &end));
	assert_true(start == 0x3001 && end == 0x5000);
	assert_true(image_next_gap(image, end, 0x9000, &start, &end));
	assert_true(start == 0x6000 && end == 0x9000);
	assert_false(image_next_gap(image, end, 0x9000, &start, &end));
	image_destroy(image);
}

/* Memory that was never written reads as zeros, but is no segment. */
static void test_never_written(void **state)
{
	static const uint64_t end = 0x402000;
	uint8_t page[0x1000], copy[16];
	struct image *image = image_create();
	struct reader reader;
	uint64_t word = 1;
	const uint8_t *bytes;

	(void)state;
	memset(page, 'x', sizeof(page));
	check(image_add(image, 0x1000, sizeof(page), page, PF_R, SEGMENT_CORE));
	check(image_add_hole(image, 0x2000, end, PF_R, hole_never_written));
	check(image_add_hole(image, end, end + 0x1000, PF_R, "not dumped"));
	check(image_finish(image));
	reader_init(&reader, image);
	assert_null(image_segment(image, 0x2000));
	assert_true(reader_u64(&reader, 0x3000, &word) && !word);
	assert_true(reader_u64(&reader, end - 8, &word) && !word);
	assert_false(reader_u64(&reader, end - 7, &word));
	assert_false(reader_u64(&reader, end, &word));
	bytes = reader_at(&reader, 0x1ffe, end - 0x1ffe);
	assert_non_null(bytes);
	assert_true(bytes[0] == 'x' && bytes[1] == 'x');
	for (size_t i = 2; i < end - 0x1ffe; i++)
		assert_false(bytes[i]);
	assert_int_equal(reader_copy(&reader, end - 4, copy, sizeof(copy)), 4);
	assert_true(reader_string(&reader, 0x1ffe, (char *)copy, sizeof(copy)));
	assert_string_equal((char *)copy, "xx");
	image_destroy(image);
}

static void test_many_segments(void **state)
{
	enum { COUNT = 20000 };
	uint8_t *bytes = pattern(COUNT * 16, 1);
	struct image *image = image_create();
	struct reader reader;

	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		size_t at = i * 7919 % COUNT;

		check(image_add(image, 0x10000 + at * 0x2000, 16, bytes + at * 16, PF_R,
				SEGMENT_CORE));
	}
	check(image_finish(image));
	assert_int_equal(image->segment_count, COUNT);
	reader_init(&reader, image);
	for (size_t i = 0; i < COUNT; i++) {
		assert_ptr_equal(reader_at(&reader, 0x10000 + i * 0x2000, 16), bytes + i * 16);
		assert_null(reader_at(&reader, 0x10000 + i * 0x2000 + 1, 16));
	}
	image_destroy(image);
	free(bytes);
}

/** A process of which some pages cannot be read. */
struct fake_process {
	uint64_t start, end; /**< readable but for the bad pages */
	uint64_t bad[8];     /**< addresses of pages; 0: none */
	size_t calls, bytes;
	bool closed; /**< no call may come */
};

static uint8_t byte_at(uint64_t address)
{
	return (uint8_t)(address * 31 + (address >> 12));
}

static bool fake_read(void *context, uint64_t address, void *buffer, size_t length)
{
	struct fake_process *process = context;

	assert_false(process->closed);
	assert_true(length <= FETCH_SIZE);
	process->calls++;
	process->bytes += length;
	if (address < process->start || address + length > process->end)
		return false;
	for (size_t i = 0; i < sizeof(process->bad) / sizeof(*process->bad); i++)
		if (process->bad[i] && process->bad[i] < address + length &&
		    address < process->bad[i] + TARGET_PAGE)
			return false;
	for (size_t i = 0; i < length; i++)
		((uint8_t *)buffer)[i] = byte_at(address + i);
	return true;
}

static void assert_bytes(struct reader *reader, uint64_t address, size_t length)
{
	const uint8_t *bytes = reader_at(reader, address, length);

	assert_non_null(bytes);
	for (size_t i = 0; i < length; i++)
		if (bytes[i] != byte_at(address + i))
			fail_msg("wrong byte at %#lx", address + i);
}

static void test_lazy_fetches_what_is_read(void **state)
{
	struct fake_process process = {.start = 0x100000, .end = 0x900000};
	struct image *image = image_create();
	struct reader reader;

	(void)state;
	check(image_add_lazy(image, 0x100000, 0x800000, PF_R, SEGMENT_LIVE));
	image->private->fetcher = (struct fetcher){fake_read, &process};
	check(image_finish(image));
	assert_int_equal(process.calls, 0);
	reader_init(&reader, image);
	assert_bytes(&reader, 0x123456, 8);
	assert_int_equal(process.calls, 1);
	assert_int_equal(process.bytes, CHUNK_SIZE);
	assert_bytes(&reader, 0x123456, 100);
	assert_bytes(&reader, 0x120000, CHUNK_SIZE);
	assert_int_equal(process.calls, 1);
	/* The slot must not promise more than what was fetched. */
	assert_bytes(&reader, 0x12fffc, 8);
	assert_int_equal(process.calls, 2);
	assert_bytes(&reader, 0x100000, 0x500000);
	assert_null(reader_at(&reader, 0x8ffffc, 8));
	assert_bytes(&reader, 0x8ffffc, 4);
	assert_null(reader_at(&reader, 0x900000, 1));
	assert_null(reader_at(&reader, 0x100000, 0x800001));
	image_destroy(image);
}

static void test_lazy_by_pages_where_a_chunk_is_not_whole(void **state)
{
	struct fake_process process = {
		.start = 0x100000, .end = 0x200000, .bad = {0x103000, 0x10f000, 0x130000}};
	struct image *image = image_create();
	struct reader reader;
	uint8_t copy[0x100000];
	size_t calls;

	(void)state;
	check(image_add_lazy(image, 0x100000, 0x100000, PF_R, SEGMENT_LIVE));
	image->private->fetcher = (struct fetcher){fake_read, &process};
	check(image_finish(image));
	reader_init(&reader, image);
	assert_bytes(&reader, 0x100000, 0x3000);
	assert_null(reader_at(&reader, 0x102ffc, 8));
	assert_null(reader_at(&reader, 0x103000, 1));
	assert_null(reader_at(&reader, 0x103fff, 2));
	assert_bytes(&reader, 0x104000, 0xb000);
	assert_null(reader_at(&reader, 0x10effc, 8));
	assert_null(reader_at(&reader, 0x100000, 0x10000));
	assert_bytes(&reader, 0x110000, 0x20000);
	assert_null(reader_at(&reader, 0x110000, 0x20001));
	assert_bytes(&reader, 0x131000, 0xcf000);
	assert_int_equal(reader_copy(&reader, 0x104000, copy, sizeof(copy)), 0xb000);
	assert_int_equal(copy[5], byte_at(0x104005));
	calls = process.calls;
	assert_null(reader_at(&reader, 0x130000, 1));
	assert_int_equal(process.calls, calls);
	image_destroy(image);
}

static void test_lazy_fetch_all(void **state)
{
	struct fake_process process = {.start = 0x100000, .end = 0x700000, .bad = {0x650000}};
	struct image *image = image_create();
	struct reader reader;

	(void)state;
	check(image_add_lazy(image, 0x100000, 0x401000, PF_R, SEGMENT_LIVE));
	check(image_add_lazy(image, 0x600000, 0x100000, PF_R, SEGMENT_LIVE));
	check(image_add_lazy(image, 0x900000, 0x100000, PF_R, SEGMENT_LIVE));
	image->private->fetcher = (struct fetcher){fake_read, &process};
	check(image_finish(image));
	reader_init(&reader, image);
	assert_bytes(&reader, 0x210000, 8);
	for (size_t i = 0; i < 3; i++) {
		struct segment *segment = &image->segments[i];

		for (uint64_t at = segment->start; at < segment->end;)
			at = lazy_fetch(image->private, segment, at, at + 0x1000);
		assert_int_equal(lazy_fetch(image->private, segment, segment->start, segment->end),
				 segment->end);
		lazy_settle(segment);
	}
	process.closed = true;
	image->private->closed = true;
	assert_null(image->segments[0].fetched);
	assert_non_null(image->segments[1].fetched);
	assert_bytes(&reader, 0x100000, 0x401000);
	assert_bytes(&reader, 0x600000, 0x50000);
	assert_null(reader_at(&reader, 0x650000, 1));
	assert_bytes(&reader, 0x651000, 0xaf000);
	assert_null(reader_at(&reader, 0x900000, 1));
	image_destroy(image);
}

static void test_lazy_beside_others(void **state)
{
	struct fake_process process = {.start = 0x100000, .end = 0x200000, .bad = {0x1ff000}};
	uint8_t behind[64];
	struct image *image = image_create();
	struct reader reader;

	(void)state;
	for (size_t i = 0; i < sizeof(behind); i++)
		behind[i] = byte_at(0x180000 + i);
	check(image_add_lazy(image, 0x100000, 0x80000, PF_R, SEGMENT_LIVE));
	check(image_add(image, 0x180000, sizeof(behind), behind, PF_R, SEGMENT_FILE));
	check(image_add_lazy(image, 0x1f0000, 0x10000, PF_R, SEGMENT_LIVE));
	check(image_add(image, 0x200000, sizeof(behind), behind, PF_R, SEGMENT_FILE));
	image->private->fetcher = (struct fetcher){fake_read, &process};
	check(image_finish(image));
	reader_init(&reader, image);
	assert_bytes(&reader, 0x17fff0, 32);
	assert_bytes(&reader, 0x17fff0, 16 + sizeof(behind));
	assert_null(reader_at(&reader, 0x17fff0, 17 + sizeof(behind)));
	assert_null(reader_at(&reader, 0x1ffff0, 32));
	image_destroy(image);
}

static void test_closed_memory_is_absent(void **state)
{
	struct fake_process process = {.start = 0x100000, .end = 0x200000};
	struct image *image = image_create();
	struct reader reader;

	(void)state;
	check(image_add_lazy(image, 0x100000, 0x100000, PF_R, SEGMENT_LIVE));
	image->private->fetcher = (struct fetcher){fake_read, &process};
	check(image_finish(image));
	reader_init(&reader, image);
	assert_bytes(&reader, 0x110000, 8);
	image->private->closed = process.closed = true;
	assert_bytes(&reader, 0x110000, 16);
	assert_null(reader_at(&reader, 0x120000, 1));
	image_destroy(image);
}

static void test_demand(void **state)
{
	struct fake_process process = {
		.start = 0x7ffff0000000, .end = 0x7ffff9000000, .bad = {0x7ffff0005000}};
	struct image *image = image_create();
	struct reader reader;
	char text[8];
	size_t calls;

	(void)state;
	check(demand_enable(image, (struct fetcher){fake_read, &process}));
	assert_false(image_is_concurrent(image));
	reader_init(&reader, image);
	/* No question for what cannot be an address. */
	assert_null(reader_at(&reader, 0, 1));
	assert_null(reader_at(&reader, 0xfff8, 8));
	assert_null(reader_at(&reader, 0xffffffffff600000, 8));
	assert_null(reader_at(&reader, 0x800000000000, 8));
	assert_null(reader_at(&reader, UINT64_MAX, 1));
	assert_int_equal(process.calls, 0);
	assert_null(reader_at(&reader, 0x123456789000, 8));
	assert_int_equal(process.calls, 1);
	assert_null(reader_at(&reader, 0x123456789100, 8));
	assert_int_equal(process.calls, 1);
	assert_bytes(&reader, 0x7ffff0010000, 8);
	assert_bytes(&reader, 0x7ffff0000000, 0x5000);
	assert_null(reader_at(&reader, 0x7ffff0004ffc, 8));
	/* Across the border of two regions, and out of the end. */
	assert_bytes(&reader, 0x7ffff3fffff0, 32);
	assert_bytes(&reader, 0x7ffff3ff0000, 0x20000);
	assert_bytes(&reader, 0x7ffff8fffff8, 8);
	assert_null(reader_at(&reader, 0x7ffff8fffff8, 16));
	assert_null(reader_at(&reader, 0x7ffff8fffff8, SIZE_MAX));
	assert_false(reader_string(&reader, 0x7ffff8fffffc, text, sizeof(text)));
	calls = process.calls;
	assert_bytes(&reader, 0x7ffff0010000, 0x10000);
	assert_null(reader_at(&reader, 0x7ffff0005008, 8));
	assert_int_equal(process.calls, calls);
	assert_int_equal(image_segment(image, 0x7ffff0010000)->source, SEGMENT_DEBUGGER);
	image_destroy(image);
}

/** Readers of several threads that fetch and stitch the same ranges. */
static void *read_all(void *context)
{
	struct image *image = context;
	struct reader reader;
	bool same = true;

	reader_init(&reader, image);
	for (uint64_t address = 0x100000; address + 24 < 0x500000; address += 4088) {
		const uint8_t *bytes = reader_at(&reader, address, 24);

		for (size_t i = 0; i < 24; i++)
			same = same && bytes && bytes[i] == byte_at(address + i);
	}
	return same ? context : NULL;
}

static void test_threads_share_an_image(void **state)
{
	struct fake_process process = {.start = 0x100000, .end = 0x500000};
	struct image *image = image_create();
	pthread_t threads[4];
	void *result;

	(void)state;
	for (uint64_t at = 0x100000; at < 0x500000; at += 0x11000)
		check(image_add_lazy(image, at, at + 0x11000 < 0x500000 ? 0x11000 : 0x500000 - at,
				     PF_R, SEGMENT_LIVE));
	image->private->fetcher = (struct fetcher){fake_read, &process};
	check(image_finish(image));
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_all, image), 0);
	for (size_t i = 0; i < 4; i++) {
		pthread_join(threads[i], &result);
		assert_ptr_equal(result, image);
	}
	image_destroy(image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_neighbours_are_joined),
		cmocka_unit_test(test_first_added_wins),
		cmocka_unit_test(test_overlaps_like_a_byte_map),
		cmocka_unit_test(test_ends_of_the_address_space),
		cmocka_unit_test(test_zero_length),
		cmocka_unit_test(test_slots_do_not_mix_ranges),
		cmocka_unit_test(test_reads_across_segments),
		cmocka_unit_test(test_contiguous_on_the_host_is_not_copied),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_holes),
		cmocka_unit_test(test_never_written),
		cmocka_unit_test(test_many_segments),
		cmocka_unit_test(test_lazy_fetches_what_is_read),
		cmocka_unit_test(test_lazy_by_pages_where_a_chunk_is_not_whole),
		cmocka_unit_test(test_lazy_fetch_all),
		cmocka_unit_test(test_lazy_beside_others),
		cmocka_unit_test(test_closed_memory_is_absent),
		cmocka_unit_test(test_demand),
		cmocka_unit_test(test_threads_share_an_image),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
