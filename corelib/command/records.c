/*
 * One line for each object. Everything that is the same for all objects of a type is made once: at
 * millions of lines the escaping of names would be most of the work.
 */
#include "command/records.h"

#include "command/fingerprints.h"
#include "command/json_text.h"
#include "command/leaked_report.h"
#include "command/report.h"

#include <errno.h>
#include <stdlib.h>

enum { CHECK_INTERVAL = 4096 };

/** A stream of lines. */
struct records {
	struct session *session;
	const struct output *output;
	struct json_text line;
	struct json_text *names; /**< by index of type, as JSON strings; made when first needed */
	size_t name_count;
	uint64_t written;
	uint64_t limit;
};

static struct error *records_begin(struct records *records, struct session *session,
				   const struct output *output)
{
	const struct options *options = &session->options;

	*records = (struct records){
		.session = session,
		.output = output,
		.name_count = type_count(session->runtime->types),
		.limit = options->limit_given && options->limit ? options->limit : UINT64_MAX,
	};
	records->names = calloc(records->name_count + 1, sizeof(*records->names));
	return records->names ? NULL : &error_no_memory;
}

static void records_end(struct records *records)
{
	for (size_t i = 0; records->names && i < records->name_count; i++)
		json_text_clear(&records->names[i]);
	free(records->names);
	json_text_clear(&records->line);
}

/** Appends the type's name, escaped once and kept. */
static void append_type(struct records *records, const struct type *type)
{
	struct json_text *name;

	if (!type || type->index >= records->name_count) {
		json_text_string(&records->line, type ? type->name : NULL);
		return;
	}
	name = &records->names[type->index];
	if (!name->length)
		json_text_string(name, type->name);
	if (name->failed)
		records->line.failed = true;
	else
		json_text_bytes(&records->line, name->bytes, name->length);
}

/** Begins a line: finding, address, type, size. */
static void line_begin(struct records *records, const char *finding, uint64_t address,
		       const struct type *type)
{
	struct json_text *line = &records->line;
	struct object_size size = {0};

	line->length = 0;
	json_text_raw(line, "{");
	if (finding) {
		json_text_raw(line, "\"finding\":");
		json_text_string(line, finding);
		json_text_raw(line, ",");
	}
	json_text_raw(line, "\"address\":");
	json_text_address(line, address);
	json_text_raw(line, ",\"type\":");
	append_type(records, type);
	if (type)
		object_measure(records->session->heap->traverser, address, type, &size);
	json_text_raw(line, ",\"size\":");
	json_text_count(line, size.object + size.header + size.out_of_line);
}

static void append_refcount(struct records *records, uint64_t address)
{
	struct object_header header;

	json_text_raw(&records->line, ",\"refcount\":");
	if (object_header(records->session->runtime, &records->session->heap->reader, address,
			  &header) &&
	    !header.immortal)
		json_text_integer(&records->line, header.refcount);
	else
		json_text_raw(&records->line, "null");
}

/** Writes the line; now and then looks whether to go on. */
static struct error *line_end(struct records *records, uint64_t total)
{
	struct json_text *line = &records->line;

	json_text_raw(line, "}\n");
	if (line->failed)
		return &error_no_memory;
	errno = 0;
	if (fwrite(line->bytes, 1, line->length, records->output->file) != line->length)
		return output_status(records->output);
	if (records->written++ % CHECK_INTERVAL)
		return NULL;
	return progress_step(&records->session->progress.progress, "writing objects",
			     records->written, total);
}

static void append_fingerprint(struct records *records, struct fingerprint_text fingerprint)
{
	json_text_raw(&records->line, ",\"fingerprint\":");
	json_text_string(&records->line, fingerprint.text);
}

static struct error *cycle_record(struct records *records, const char *finding, uint32_t index)
{
	struct session *session = records->session;
	const struct cycles *cycles = session->cycles;
	uint32_t object = session->unreachable->objects[index];
	struct json_text *line = &records->line;

	line_begin(records, finding, session->heap->addresses[object],
		   heap_type(session->heap, object));
	json_text_raw(line, ",\"group\":");
	json_text_count(line, (uint64_t)cycles->group_of[index] + 1);
	json_text_raw(line, ",\"member\":");
	json_text_raw(line, cycles->is_member[index] ? "true" : "false");
	json_text_raw(line, ",\"generation\":");
	json_text_count(line, session->heap->generation[object]);
	append_refcount(records, session->heap->addresses[object]);
	append_fingerprint(records, fingerprint_cycles(&cycles->groups[cycles->group_of[index]]));
	return line_end(records, session->unreachable->count);
}

struct error *records_cycles(struct session *session, const char *finding, uint32_t group,
			     const struct output *output)
{
	struct records records;
	struct error *err = records_begin(&records, session, output);

	for (uint32_t i = 0; !err && i < session->unreachable->count; i++) {
		if (group != RECORDS_ALL && session->cycles->group_of[i] != group)
			continue;
		if (records.written >= records.limit)
			break;
		err = cycle_record(&records, finding, i);
	}
	records_end(&records);
	return err;
}

static struct error *garbage_record(struct records *records, uint64_t address)
{
	struct heap *heap = records->session->heap;
	struct object_header header;
	const struct type *type = NULL;

	if (object_header(heap->runtime, &heap->reader, address, &header))
		type = type_get(heap->runtime->types, &heap->reader, header.type);
	line_begin(records, "garbage", address, type);
	append_refcount(records, address);
	append_fingerprint(records, fingerprint_type("garbage", type));
	return line_end(records, records->session->garbage.count);
}

struct error *records_garbage(struct session *session, const struct output *output)
{
	struct records records;
	struct error *err = records_begin(&records, session, output);

	for (size_t i = 0; !err && i < session->garbage.count; i++) {
		if (records.written >= records.limit)
			break;
		err = garbage_record(&records, session->garbage.objects[i]);
	}
	records_end(&records);
	return err;
}

static void append_count(struct records *records, const char *name, uint64_t count)
{
	json_text_raw(&records->line, name);
	json_text_count(&records->line, count);
}

static void begin_anomaly(struct records *records, const char *finding, uint32_t object,
			  enum anomaly_kind kind, int64_t refcount, uint64_t found)
{
	const struct session *session = records->session;
	uint32_t type = session->objects->types[object];

	line_begin(records, finding, session->objects->addresses[object],
		   type == HEAP_NONE ? NULL : type_by_index(session->runtime->types, type));
	json_text_raw(&records->line, ",\"refcount\":");
	json_text_integer(&records->line, refcount);
	append_count(records, ",\"found\":", found);
	json_text_raw(&records->line, ",\"kind\":");
	json_text_string(&records->line, anomaly_name(kind));
}

static struct error *leaked_record(struct records *records, const char *finding,
				   const struct leaked_head *head,
				   const struct fingerprint_text *fingerprints)
{
	const struct session *session = records->session;

	begin_anomaly(records, finding, head->object, head->kind, head->refcount, head->found);
	append_count(records, ",\"excess\":", head->excess);
	append_count(records, ",\"group\":", (uint64_t)head->group + 1);
	append_count(records, ",\"kept_objects\":", head->kept_objects);
	append_count(records, ",\"kept_bytes\":", head->kept_bytes);
	json_text_raw(&records->line, ",\"suspicion\":");
	json_text_raw(&records->line, session->census->suspicion ? "true" : "false");
	append_fingerprint(records, fingerprints[head->group]);
	return line_end(records, session->leaked->head_count);
}

static struct error *over_released_record(struct records *records, const char *finding,
					  const struct anomaly *anomaly)
{
	const struct session *session = records->session;
	uint32_t type = session->objects->types[anomaly->object];

	begin_anomaly(records, finding, anomaly->object, anomaly->kind, anomaly->refcount,
		      anomaly->found);
	append_fingerprint(
		records,
		fingerprint_type("over-released",
				 type == HEAP_NONE ? NULL
						   : type_by_index(session->runtime->types, type)));
	return line_end(records, session->check->over_released_count);
}

/** The fingerprint of each group. @return to be freed; NULL when out of memory */
static struct fingerprint_text *leaked_fingerprints(const struct session *session)
{
	uint32_t count = session->leaked ? session->leaked->group_count : 0;
	struct fingerprint_text *fingerprints = calloc(count + 1, sizeof(*fingerprints));

	for (uint32_t i = 0; fingerprints && i < count; i++)
		fingerprints[i] = fingerprint_leaked(session, &session->leaked->groups[i]);
	return fingerprints;
}

struct error *records_refcounts(struct session *session, const char *finding,
				const struct output *output)
{
	struct records records;
	struct error *err = records_begin(&records, session, output);
	struct fingerprint_text *fingerprints = leaked_fingerprints(session);
	const struct leaked *leaked = session->leaked;
	const struct heap_check *check = session->check;

	if (!err && !fingerprints)
		err = &error_no_memory;
	for (uint32_t i = 0;
	     !err && leaked && i < leaked->head_count && records.written < records.limit; i++)
		err = leaked_record(&records, finding, &leaked->heads[i], fingerprints);
	for (size_t i = 0;
	     !err && check && i < check->over_released_count && records.written < records.limit;
	     i++)
		err = over_released_record(&records, finding, &check->over_released[i]);
	free(fingerprints);
	records_end(&records);
	return err;
}

struct error *records_search(struct session *session, const struct output *output)
{
	const struct search *search = &session->search;
	const struct objects *objects = session->objects;
	struct records records;
	struct error *err = records_begin(&records, session, output);
	char repr[256];

	for (uint32_t i = 0; !err && i < search->count && i < records.limit; i++) {
		uint64_t address = objects->addresses[search->objects[i]];

		line_begin(&records, NULL, address, objects_type(objects, search->objects[i]));
		append_refcount(&records, address);
		repr_object(session->heap->traverser, address, &REPR_LINE, repr, sizeof(repr));
		json_text_raw(&records.line, ",\"repr\":");
		json_text_string(&records.line, repr);
		err = line_end(&records, search->count);
	}
	records_end(&records);
	return err;
}
