/*
 * Who keeps most: found, described, shown.
 */
#include "command/retainers.h"

#include "command/report.h"
#include "command/session.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What stands out keeps at least this much, and this part of all Python objects. */
enum { LEAST_BYTES = 1 << 20, LEAST_PART = 20 };

/* A type that keeps less than so many per cent of the whole does not describe it. */
enum { MOSTLY = 50 };

uint64_t retainers_heap_bytes(const struct session *session)
{
	return session->dominators->retained[NODE_OUTSIDE];
}

uint64_t retainers_threshold(const struct session *session)
{
	uint64_t part = retainers_heap_bytes(session) / LEAST_PART;

	return part > LEAST_BYTES ? part : LEAST_BYTES;
}

static const struct type *type_of(const struct session *session, uint32_t index)
{
	return index == HEAP_NONE ? NULL : type_by_index(session->runtime->types, index);
}

static int compare_fills(const void *left, const void *right)
{
	const struct histogram_row *a = left, *b = right;

	if (a->retained != b->retained)
		return a->retained > b->retained ? -1 : 1;
	return a->type < b->type ? -1 : a->type > b->type;
}

/* A class of the program says more than the dict or tuple around it, if it keeps about as much. */
static size_t choose_mostly(const struct session *session, const struct retainer *retainer,
			    const struct histogram *fills)
{
	size_t limit = fills->count < RETAINER_FILLS ? fills->count : RETAINER_FILLS;
	uint64_t least = retainer->suspect.retained / 100 * MOSTLY;

	for (size_t i = 0; i < limit; i++) {
		const struct type *type = type_of(session, fills->rows[i].type);

		if (fills->rows[i].retained >= least && type && (type->flags & TPFLAGS_HEAPTYPE) &&
		    !(type->flags & TPFLAGS_IMMUTABLETYPE))
			return i;
	}
	return limit && fills->rows[0].retained >= least ? 0 : RETAINER_FILLS;
}

static struct error *find_fills(const struct session *session, struct retainer *retainer)
{
	const struct histogram_filter filter = {
		.generation = -1,
		.under = session->dominators->node_of[retainer->suspect.object],
	};
	struct histogram fills;
	struct error *err = histogram_make(session->dominators, &filter, false,
					   &session->progress.progress, &fills);

	if (err)
		return err;
	if (fills.count)
		qsort(fills.rows, fills.count, sizeof(*fills.rows), compare_fills);
	retainer->mostly = choose_mostly(session, retainer, &fills);
	for (size_t i = 0; i < fills.count && i < RETAINER_FILLS; i++)
		retainer->fills[retainer->fill_count++] = fills.rows[i];
	histogram_clear(&fills);
	return NULL;
}

struct error *retainers_describe(const struct session *session, struct retainer *retainer)
{
	const struct suspect *suspect = &retainer->suspect;
	const struct objects *objects = session->objects;
	const struct type *type;

	retainer->mostly = RETAINER_FILLS;
	type = objects_type(objects, suspect->object);
	retainer->has_length =
		type && object_length(session->heap->traverser, objects->addresses[suspect->object],
				      type, &retainer->length);
	if (!suspect->group) {
		struct error *err = find_fills(session, retainer);

		if (err)
			return err;
	}
	return anchors_name(session->anchors, suspect->object, &retainer->name);
}

struct error *retainers_find(const struct session *session, uint64_t least, uint64_t limit,
			     struct retainers *retainers)
{
	struct suspects suspects = {0};
	struct error *err = suspects_find(session->dominators, session->anchors, least,
					  &session->progress.progress, &suspects);

	retainers_clear(retainers);
	if (err)
		return err;
	retainers->total = suspects.count;
	if (limit > suspects.count)
		limit = suspects.count;
	retainers->items = calloc(limit + 1, sizeof(*retainers->items));
	if (!retainers->items)
		err = &error_no_memory;
	while (!err && retainers->count < limit) {
		struct retainer *retainer = &retainers->items[retainers->count];

		retainer->suspect = suspects.items[retainers->count++];
		err = retainers_describe(session, retainer);
	}
	suspects_clear(&suspects);
	if (err)
		retainers_clear(retainers);
	return err;
}

void retainer_clear(struct retainer *retainer)
{
	free(retainer->name);
	*retainer = (struct retainer){0};
}

void retainers_clear(struct retainers *retainers)
{
	for (size_t i = 0; i < retainers->count; i++)
		retainer_clear(&retainers->items[i]);
	free(retainers->items);
	*retainers = (struct retainers){0};
}

/*
 * Text
 */

static const char *type_name(const struct session *session, uint32_t index)
{
	return report_type_name(type_of(session, index));
}

void retainers_add_name(const struct session *session, const struct retainer *retainer,
			const char *gap, struct paragraph *paragraph)
{
	const struct screen *screen = paragraph->screen;
	uint32_t object = retainer->suspect.object;

	if (retainer->name)
		paragraph_add(paragraph, gap, "%s", screen_clean(screen, retainer->name).text);
	else
		paragraph_add(paragraph, gap, "%s at 0x%" PRIx64,
			      report_object(session, session->objects->addresses[object],
					    objects_type(session->objects, object), screen)
				      .text,
			      session->objects->addresses[object]);
}

static void add_shape(const struct session *session, const struct retainer *retainer,
		      const char *gap, const char *before, const char *after,
		      struct paragraph *paragraph)
{
	const char *name = type_name(session, session->objects->types[retainer->suspect.object]);
	struct clean_text type = screen_clean(paragraph->screen, name);

	if (retainer->has_length)
		paragraph_add(paragraph, gap, "%s%s, %s%s", before, type.text,
			      units_plural(retainer->length, "item").text, after);
	else
		paragraph_add(paragraph, gap, "%s%s%s", before, type.text, after);
}

static void add_fill(const struct session *session, const struct histogram_row *fill,
		     const char *gap, const char *before, struct paragraph *paragraph)
{
	paragraph_add(paragraph, gap, "%s%s %s %s", before, units_count(fill->objects).text,
		      screen_times(paragraph->screen),
		      screen_clean(paragraph->screen, type_name(session, fill->type)).text);
}

/* "mostly 1,204 × app.Session"; the largest types where none is most of it. */
static void add_fills(const struct session *session, const struct retainer *retainer,
		      struct paragraph *paragraph)
{
	if (retainer->mostly < retainer->fill_count)
		add_fill(session, &retainer->fills[retainer->mostly], ", ", "mostly ", paragraph);
	else if (retainer->suspect.own < retainer->suspect.retained / 2)
		for (size_t i = 0; i < retainer->fill_count; i++)
			add_fill(session, &retainer->fills[i], ", ", i ? "" : "among it ",
				 paragraph);
}

void retainers_add_content(const struct session *session, const struct retainer *retainer,
			   const char *gap, struct paragraph *paragraph)
{
	add_shape(session, retainer, gap, "", "", paragraph);
	add_fills(session, retainer, paragraph);
}

/* "1,204 x app.Session" */
static void add_members(const struct session *session, const struct retainer *retainer,
			struct paragraph *paragraph)
{
	const struct suspect *suspect = &retainer->suspect;

	paragraph_add(paragraph, "", "%s %s %s", units_count(suspect->group).text,
		      screen_times(paragraph->screen),
		      screen_clean(paragraph->screen, type_name(session, suspect->type)).text);
}

static void add_group_holder(const struct session *session, const struct retainer *retainer,
			     struct paragraph *paragraph)
{
	paragraph_add(paragraph, ", ", "held by several, most of them by");
	retainers_add_name(session, retainer, " ", paragraph);
	add_shape(session, retainer, " ", "(", ")", paragraph);
}

void retainers_add_group(const struct session *session, const struct retainer *retainer,
			 struct paragraph *paragraph)
{
	add_members(session, retainer, paragraph);
	add_group_holder(session, retainer, paragraph);
}

void retainers_sentence(const struct session *session, const struct retainer *retainer,
			unsigned indent, unsigned column, struct screen *screen)
{
	const struct suspect *suspect = &retainer->suspect;
	struct paragraph paragraph = paragraph_continue(screen, indent, column);

	if (suspect->group) {
		add_members(session, retainer, &paragraph);
	} else {
		retainers_add_name(session, retainer, "", &paragraph);
		add_shape(session, retainer, " ", "(", ")", &paragraph);
	}
	paragraph_add(&paragraph, " ", "%s %s,", suspect->group ? "take" : "keeps",
		      units_bytes(suspect->retained).text);
	paragraph_add(&paragraph, " ", "%s of the Python heap",
		      units_share(suspect->retained, retainers_heap_bytes(session)).text);
	if (suspect->group)
		add_group_holder(session, retainer, &paragraph);
	else
		add_fills(session, retainer, &paragraph);
	paragraph_add(&paragraph, "   ", "e.g. 0x%" PRIx64,
		      session->objects->addresses[suspect->example]);
	paragraph_end(&paragraph);
}

/*
 * JSON
 */

static void fills_json(const struct session *session, const struct retainer *retainer,
		       struct document *document, json_t *array)
{
	for (size_t i = 0; i < retainer->fill_count; i++) {
		const struct histogram_row *fill = &retainer->fills[i];
		json_t *object = document_append_object(document, array);

		document_set_string(document, object, "type", type_name(session, fill->type));
		document_set_count(document, object, "objects", fill->objects);
		document_set_count(document, object, "bytes", fill->bytes);
		document_set_count(document, object, "retained_bytes", fill->retained);
	}
}

void retainers_json(const struct session *session, const struct retainer *retainer,
		    struct document *document, json_t *object)
{
	const struct suspect *suspect = &retainer->suspect;
	const struct objects *objects = session->objects;

	document_set_address(document, object, "address", objects->addresses[suspect->object]);
	document_set_string(document, object, "type",
			    type_name(session, objects->types[suspect->object]));
	document_set_string(document, object, "name", retainer->name);
	if (retainer->has_length)
		document_set_count(document, object, "items", retainer->length);
	document_set_count(document, object, "bytes", suspect->own);
	document_set_count(document, object, "retained_bytes", suspect->retained);
	if (suspect->group) {
		json_t *group = document_set_object(document, object, "group");

		document_set_string(document, group, "type", type_name(session, suspect->type));
		document_set_count(document, group, "objects", suspect->group);
		document_set_address(document, group, "example",
				     objects->addresses[suspect->example]);
	} else {
		fills_json(session, retainer, document,
			   document_set_array(document, object, "fills"));
	}
}
