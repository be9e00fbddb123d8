/**
 * @file
 * --ndjson: one line of JSON for each object, streamed; there may be many millions.
 */
#ifndef PYMEM_COMMAND_RECORDS_H
#define PYMEM_COMMAND_RECORDS_H

#include "command/output.h"
#include "command/session.h"

/** Every group. */
#define RECORDS_ALL UINT32_MAX

/**
 * Writes the unreachable objects of a group in order of address: address, type, size in bytes
 * (object, header and out-of-line storage), group (numbered from 1), member, generation, refcount.
 * @param finding written as "finding" in front if it is not NULL
 * @param group index of the group, or RECORDS_ALL
 */
struct error *records_cycles(struct session *session, const char *finding, uint32_t group,
			     const struct output *output) __attribute__((warn_unused_result));

/** Writes the objects of gc.garbage: finding "garbage", address, type, size, refcount. */
struct error *records_garbage(struct session *session, const struct output *output)
	__attribute__((warn_unused_result));

/**
 * Writes a line for each object whose refcount does not fit: address, type, size in bytes,
 * refcount, found, excess, kind (excess, lost, over-released), group, kept_objects, kept_bytes,
 * suspicion.
 * @param finding as above
 */
struct error *records_refcounts(struct session *session, const char *finding,
				const struct output *output) __attribute__((warn_unused_result));

/** Writes the objects that session->search found: address, type, size, refcount, repr. */
struct error *records_search(struct session *session, const struct output *output)
	__attribute__((warn_unused_result));

#endif
