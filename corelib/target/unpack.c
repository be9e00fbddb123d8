/*
 * Unpacks with libarchive, whose "raw" format is one file without a name, under any filters.
 */
#include "target/unpack.h"

#include "target/file.h"

#include <archive.h>
#include <archive_entry.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
	INPUT_BYTES = 1 << 18,
	OUTPUT_BYTES = 1 << 20,
	PAGE_BYTES = 4096,
	POLL_MILLISECONDS = 200,
	SPACE_CHECK_BYTES = 64 << 20,
};

/** At least one part in RESERVE of the free space stays free, but no more than RESERVE_MAX. */
#define RESERVE	    16
#define RESERVE_MAX (UINT64_C(1) << 30)

/** Zeros take no space, but time: more than this many times the free space is no core. */
#define SPARSE_MAX 16

/** How compressed files begin. */
static const struct {
	const char *format;
	const char *magic;
	size_t length;
} formats[] = {
	{"zstd", "\x28\xb5\x2f\xfd", 4},
	{"lz4", "\x04\x22\x4d\x18", 4},
	{"xz",
	 "\xfd"
	 "7zXZ",
	 6},
	{"gzip", "\x1f\x8b", 2},
	{"bzip2", "BZh", 3},
};

const char *unpack_format(const void *bytes, size_t size)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++)
		if (size >= formats[i].length &&
		    !memcmp(bytes, formats[i].magic, formats[i].length))
			return formats[i].format;
	return NULL;
}

/** An unpacking under way. */
struct work {
	struct archive *archive;
	const char *name;
	int in;
	uint64_t packed, packed_size; /**< read so far; of all, 0: not known */
	const struct progress *progress;
	struct error *error; /**< of a callback, that libarchive cannot carry */
	uint8_t *input, *output;
	size_t filled; /**< bytes in `output` */
	struct unpacked *unpacked;
	const char *folder;
	uint64_t free_first; /**< bytes that were free there at the beginning */
	char *temporary;  /**< name of a file to keep, until it gets its own; NULL: it has none */
	uint64_t written; /**< bytes that are no holes */
	uint64_t checked; /**< of them when the free space was looked at last */
};

static void work_clear(struct work *work)
{
	archive_read_free(work->archive);
	error_free(work->error);
	free(work->input);
	free(work->output);
	if (work->temporary)
		unlink(work->temporary);
	free(work->temporary);
}

void unpacked_clear(struct unpacked *unpacked)
{
	file_close(&unpacked->fd);
	free(unpacked->format);
	free(unpacked->unfinished);
	free(unpacked->not_kept);
	*unpacked = (struct unpacked){.fd = -1};
}

/*
 * The packed bytes
 */

static struct error *step(const struct work *work)
{
	if (work->packed_size)
		return progress_step(work->progress, "unpacking the core", work->packed,
				     work->packed_size);
	return progress_step(work->progress, "reading the core, MiB", work->packed >> 20, 0);
}

/** Reads what there is. A pipe may be silent for long, and the user may want to stop meanwhile. */
static la_ssize_t read_packed(struct archive *archive, void *context, const void **buffer)
{
	struct work *work = context;
	struct pollfd wait = {.fd = work->in, .events = POLLIN};
	// A named pipe that nobody has opened for writing is at its end, but poll() would wait.
	bool ready = fcntl(work->in, F_GETFL) & O_NONBLOCK;

	*buffer = work->input;
	for (;; ready = false) {
		ssize_t length;

		work->error = step(work);
		if (work->error)
			return -1;
		if (!ready && !poll(&wait, 1, POLL_MILLISECONDS))
			continue;
		length = read(work->in, work->input, INPUT_BYTES);
		if (length >= 0) {
			work->packed += (uint64_t)length;
			return length;
		}
		if (errno != EINTR && errno != EAGAIN)
			break;
	}
	archive_set_error(archive, errno, "%s", strerror(errno));
	return -1;
}

static struct error *open_archive(struct work *work)
{
	struct archive *archive = work->archive = archive_read_new();

	if (!archive)
		return &error_no_memory;
	// What this libarchive was built without is found out when it meets it.
	archive_read_support_filter_zstd(archive);
	archive_read_support_filter_lz4(archive);
	archive_read_support_filter_xz(archive);
	archive_read_support_filter_gzip(archive);
	archive_read_support_filter_bzip2(archive);
	archive_read_support_format_raw(archive);
	archive_read_support_format_empty(archive);
	archive_read_open(archive, work, NULL, read_packed, NULL);
	return NULL;
}

/*
 * The temporary file
 */

/** Makes a file without a name in a folder. @return -1 with errno */
static int nameless_file(const char *folder)
{
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	char path[4096];

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
		return fd;
	// This file system needs a name, for a moment.
	if (snprintf(path, sizeof(path), "%s/pymem-XXXXXX", folder) >= (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

static bool free_space(int fd, uint64_t *bytes)
{
	struct statvfs status;

	if (fstatvfs(fd, &status))
		return false;
	*bytes = (uint64_t)status.f_bavail * status.f_frsize;
	return true;
}

/** Says why the core is not kept. @return false when out of memory */
static bool note_not_kept(struct work *work, const char *path, int number)
{
	if (asprintf(&work->unpacked->not_kept, "%s: the core is not kept: %s", path,
		     strerror(number)) >= 0)
		return true;
	work->unpacked->not_kept = NULL;
	return false;
}

static struct error *open_output(struct work *work, const char *keep)
{
	const char *folder = getenv("TMPDIR");

	work->folder = folder && *folder ? folder : "/var/tmp";
	if (keep) {
		work->unpacked->fd = file_create_beside(keep, 0600, &work->temporary);
		if (work->temporary)
			work->folder = keep;
		else if (!note_not_kept(work, keep, errno))
			return &error_no_memory;
	}
	if (work->unpacked->fd < 0)
		work->unpacked->fd = nameless_file(work->folder);
	if (work->unpacked->fd < 0)
		return error_system(errno, "%s: cannot make a file in %s to unpack it into",
				    work->name, work->folder);
	if (!free_space(work->unpacked->fd, &work->free_first))
		work->free_first = UINT64_MAX / SPARSE_MAX;
	return NULL;
}

static struct error *stop_early(struct work *work, const char *reason)
{
	char text[200];

	if (work->unpacked->unfinished)
		return NULL;
	snprintf(text, sizeof(text), "%s", reason);
	error_one_line(text);
	if (asprintf(&work->unpacked->unfinished, "%s: %s after %" PRIu64 " bytes", work->name,
		     text, work->unpacked->size) < 0) {
		work->unpacked->unfinished = NULL;
		return &error_no_memory;
	}
	return NULL;
}

static struct error *stop_full(struct work *work, const char *why)
{
	char text[160];

	snprintf(text, sizeof(text), "no room to unpack it: %s in %.60s%s", why, work->folder,
		 work->temporary ? "" : " (TMPDIR names another folder)");
	return stop_early(work, text);
}

/** Stops before the file system is full, or before zeros go on for ever. */
static struct error *check_space(struct work *work)
{
	uint64_t reserve = work->free_first / RESERVE, left;

	if (work->unpacked->size / SPARSE_MAX > work->free_first)
		return stop_full(work, "it is many times what is free");
	if (work->written - work->checked < SPACE_CHECK_BYTES && work->checked)
		return NULL;
	work->checked = work->written;
	if (reserve > RESERVE_MAX)
		reserve = RESERVE_MAX;
	if (free_space(work->unpacked->fd, &left) && left < reserve)
		return stop_full(work, "too little is free");
	return NULL;
}

/** Writes whole pages of the output at an offset. @return false with errno */
static bool write_pages(struct work *work, size_t from, size_t to)
{
	while (from < to) {
		ssize_t length = pwrite(work->unpacked->fd, work->output + from, to - from,
					(off_t)(work->unpacked->size + from));

		if (length < 0 && errno == EINTR)
			continue;
		if (length <= 0)
			return false;
		work->written += (uint64_t)length;
		from += (size_t)length;
	}
	return true;
}

static bool is_zero(const uint8_t *bytes, size_t length)
{
	return !bytes[0] && !memcmp(bytes, bytes + 1, length - 1);
}

/** Writes the output's pages but for those of zeros. */
static struct error *flush_output(struct work *work)
{
	size_t start = 0, at = 0;
	bool fits = true;

	while (fits && at < work->filled) {
		size_t left = work->filled - at, length = left < PAGE_BYTES ? left : PAGE_BYTES;

		if (is_zero(work->output + at, length)) {
			fits = write_pages(work, start, at);
			start = at + length;
		}
		at += length;
	}
	fits = fits && write_pages(work, start, work->filled);
	if (!fits)
		return stop_full(work, strerror(errno));
	work->unpacked->size += work->filled;
	work->filled = 0;
	return check_space(work);
}

/** Anything but an ELF file is not worth the space. */
static struct error *check_kind(const struct work *work)
{
	if (work->unpacked->size || work->filled < SELFMAG ||
	    !memcmp(work->output, ELFMAG, SELFMAG))
		return NULL;
	return error_create(ERROR_GENERAL, "%s: not an ELF file%s", work->name,
			    work->unpacked->format ? " when unpacked" : "");
}

static struct error *add_output(struct work *work, const uint8_t *bytes, size_t length)
{
	struct error *err = NULL;

	while (!err && length && !work->unpacked->unfinished) {
		size_t room = OUTPUT_BYTES - work->filled, part = length < room ? length : room;

		memcpy(work->output + work->filled, bytes, part);
		work->filled += part;
		bytes += part;
		length -= part;
		err = check_kind(work);
		if (!err && work->filled == OUTPUT_BYTES)
			err = flush_output(work);
	}
	return err;
}

/*
 * From one to the other
 */

/** What libarchive says of its failure, or what a callback met. */
static struct error *take_failure(struct work *work)
{
	const char *text = archive_error_string(work->archive);
	struct error *err = work->error;

	work->error = NULL;
	if (err)
		return err;
	err = flush_output(work);
	return err ? err : stop_early(work, text ? text : "cannot be unpacked");
}

static struct error *take_format(struct work *work)
{
	const char *name = archive_filter_name(work->archive, 0);

	if (!name || !strcmp(name, "none"))
		return NULL;
	work->unpacked->format = strdup(name);
	return work->unpacked->format ? NULL : &error_no_memory;
}

static struct error *copy(struct work *work)
{
	struct archive_entry *entry;
	int status = archive_read_next_header(work->archive, &entry);
	struct error *err = NULL;

	if (status == ARCHIVE_OK || status == ARCHIVE_WARN)
		err = take_format(work);
	while (!err && !work->unpacked->unfinished &&
	       (status == ARCHIVE_OK || status == ARCHIVE_WARN)) {
		const void *bytes;
		la_int64_t offset;
		size_t length;

		status = archive_read_data_block(work->archive, &bytes, &length, &offset);
		if (status == ARCHIVE_OK || status == ARCHIVE_WARN)
			err = add_output(work, bytes, length);
	}
	if (!err && status == ARCHIVE_EOF)
		return flush_output(work);
	return err || work->unpacked->unfinished ? err : take_failure(work);
}

/** Makes the file as long as the core, which may end in zeros. */
static struct error *set_length(struct work *work)
{
	struct unpacked *unpacked = work->unpacked;
	struct stat status;
	int number;

	if (!ftruncate(unpacked->fd, (off_t)unpacked->size))
		return NULL;
	number = errno;
	unpacked->size = fstat(unpacked->fd, &status) ? 0 : (uint64_t)status.st_size;
	return stop_full(work, strerror(number));
}

static struct error *finish(struct work *work)
{
	struct error *err = set_length(work);

	if (err || work->unpacked->size)
		return err;
	if (work->unpacked->unfinished)
		return error_create(ERROR_GENERAL, "%s", work->unpacked->unfinished);
	return error_create(ERROR_GENERAL, "%s: empty", work->name);
}

/** Gives the file its name, whatever became of the work, if there is anything in it. */
static struct error *name_kept(struct work *work, const char *path)
{
	if (!work->temporary || !work->unpacked->size)
		return NULL;
	if (rename(work->temporary, path))
		return note_not_kept(work, path, errno) ? NULL : &error_no_memory;
	free(work->temporary);
	work->temporary = NULL;
	return NULL;
}

struct error *unpack(const struct packed *packed, const struct progress *progress,
		     struct unpacked *unpacked)
{
	__attribute__((cleanup(work_clear))) struct work work = {
		.name = packed->name,
		.in = packed->fd,
		.packed_size = packed->size,
		.progress = progress,
		.input = malloc(INPUT_BYTES),
		.output = malloc(OUTPUT_BYTES),
		.unpacked = unpacked,
	};
	struct error *err, *unnamed;

	*unpacked = (struct unpacked){.fd = -1};
	if (!work.input || !work.output)
		return &error_no_memory;
	err = open_output(&work, packed->keep);
	if (!err)
		err = open_archive(&work);
	if (!err)
		err = copy(&work);
	if (!err)
		err = finish(&work);
	unnamed = name_kept(&work, packed->keep);
	if (err)
		error_free(unnamed);
	else
		err = unnamed;
	if (err)
		unpacked_clear(unpacked);
	return err;
}
