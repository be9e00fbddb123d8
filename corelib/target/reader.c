/*
 * The slow way of a reader: find the segment, fetch it if it is lazy, copy what is apart on the
 * host. The fast way, a look into the reader's slots, is in image.h.
 */
#include "target/image_private.h"

void reader_init(struct reader *reader, const struct image *image)
{
	memset(reader, 0, sizeof(*reader));
	reader->image = image;
}

/** Remembers the range that holds `address`, all of which is there. */
static void remember(struct reader *reader, const struct segment *segment, uint64_t address)
{
	uint64_t start = segment->start, end = segment->end;

	if (segment->fetched && !lazy_run(segment, address, &start, &end))
		return;
	reader->slots[(address >> 20) % READER_SLOTS] =
		(struct reader_slot){.start = start,
				     .size = end - start,
				     .host = segment->host + (start - segment->start)};
}

/** The same where no segment is. */
static const void *find_zeros(const struct image *image, uint64_t address, size_t length)
{
	size_t available;
	const uint8_t *host = image_zeros(image, address, &available);

	if (!host || available >= length)
		return host;
	return stitch_find(image, address, length);
}

const void *reader_find(struct reader *reader, uint64_t address, size_t length)
{
	static const uint8_t nothing[1];
	const struct segment *segment;
	const uint8_t *host;
	size_t available;

	if (!length)
		return nothing;
	if (length > UINT64_MAX - address)
		return NULL;
	segment = image_segment(reader->image, address);
	if (!segment)
		return find_zeros(reader->image, address, length);
	if (segment->fetched) {
		host = lazy_piece(reader->image->private, segment, address, length, &available);
	} else {
		host = segment->host + (address - segment->start);
		available = segment->end - address;
	}
	if (!host)
		return NULL;
	if (available >= length) {
		remember(reader, segment, address);
		return host;
	}
	// A lazy segment that lacks a byte in its middle has no neighbour to go on in.
	if (segment->end - address != available)
		return NULL;
	return stitch_find(reader->image, address, length);
}

size_t reader_copy(struct reader *reader, uint64_t address, void *buffer, size_t length)
{
	uint8_t *to = buffer;
	size_t done = 0;

	while (done < length) {
		size_t available;
		const uint8_t *host =
			image_piece(reader->image, address + done, length - done, &available);

		if (!host)
			break;
		if (available > length - done)
			available = length - done;
		memcpy(to + done, host, available);
		done += available;
		if (address + done < address)
			break;
	}
	return done;
}

bool reader_string(struct reader *reader, uint64_t address, char *buffer, size_t size)
{
	size_t done = 0;

	while (done < size) {
		size_t wanted = size - done, length, available;
		const uint8_t *host;

		// No farther than the next page: the string may end just before memory that is
		// lazy.
		if (wanted > TARGET_PAGE - (address + done) % TARGET_PAGE)
			wanted = TARGET_PAGE - (address + done) % TARGET_PAGE;
		host = image_piece(reader->image, address + done, wanted, &available);
		if (!host)
			break;
		if (available > wanted)
			available = wanted;
		length = strnlen((const char *)host, available);
		memcpy(buffer + done, host, length);
		done += length;
		if (length < available) {
			buffer[done] = '\0';
			return true;
		}
	}
	if (size)
		buffer[done < size ? done : size - 1] = '\0';
	return false;
}
