/*
 * Damage of the heap, place by place, with the neighbourhood of each.
 */
#include "analysis/block.h"
#include "command/command.h"
#include "command/fail_on.h"
#include "command/findings.h"
#include "command/leaked_report.h"

#include <inttypes.h>

enum { PLACES_USUALLY = 20, JSON_USUALLY = 100 };

static struct error *prepare(struct session *session)
{
	struct error *err = session_leaked(session);

	if (!err && session->no_census)
		err = error_create(ERROR_GENERAL, "the heap cannot be checked: %s",
				   session->no_census);
	return err;
}

static const struct type *type_of(const struct session *session, uint32_t object)
{
	uint32_t type = session->objects->types[object];

	return type == HEAP_NONE ? NULL : type_by_index(session->runtime->types, type);
}

/** Adds "list 0x7f…" and what it is called. */
static void add_object(const struct session *session, uint32_t object, const char *gap,
		       struct paragraph *paragraph)
{
	uint64_t address = session->objects->addresses[object];
	const struct type *type = type_of(session, object);

	paragraph_add(paragraph, gap, "%s 0x%" PRIx64,
		      screen_clean(paragraph->screen, report_type_name(type)).text, address);
	report_title(session, address, type, paragraph);
}

/** Adds "[3]" or ".name": which of the object's references stands in a slot. */
static void add_label(const struct session *session, const struct damage *damage,
		      struct paragraph *paragraph)
{
	const struct reference reference = {.target = damage->value, .slot = damage->address};
	const struct type *type = type_of(session, damage->object);
	struct edge_label label;

	if (!type || !damage->address)
		return;
	edge_label(session->heap->traverser, session->objects->addresses[damage->object], type,
		   &reference, &label);
	report_edge(&label, " ", paragraph);
}

/** What is wrong, in a sentence. */
static void print_damage(const struct session *session, const struct damage *damage,
			 struct paragraph *paragraph)
{
	switch (damage->kind) {
	case DAMAGE_FREED:
	case DAMAGE_NO_OBJECT:
	case DAMAGE_REFCOUNT:
		add_object(session, damage->object, "", paragraph);
		add_label(session, damage, paragraph);
		paragraph_add(paragraph, " ", "refers to %s,",
			      report_word(session, damage->value).text);
		paragraph_add(paragraph, " ", "%s",
			      damage->kind == DAMAGE_FREED	 ? "which is freed memory"
			      : damage->kind == DAMAGE_NO_OBJECT ? "which is no object"
								 : "which has refcount 0");
		break;
	case DAMAGE_TYPE:
		paragraph_add(paragraph, "", "the object at 0x%" PRIx64,
			      session->objects->addresses[damage->object]);
		paragraph_add(paragraph, " ", "has the type %s, where there is no type",
			      report_word(session, damage->value).text);
		break;
	case DAMAGE_LINK:
		if (damage->object != HEAP_NONE)
			add_object(session, damage->object, "", paragraph);
		else
			paragraph_add(paragraph, "", "a list of the collector");
		paragraph_add(paragraph, ": ", "_gc_next leads to %s",
			      report_word(session, damage->value).text);
		paragraph_add(paragraph, ", ", "where no tracked object is");
		break;
	case DAMAGE_BACK_LINK:
		if (damage->object != HEAP_NONE)
			add_object(session, damage->object, "", paragraph);
		else
			paragraph_add(paragraph, "", "a list of the collector");
		paragraph_add(paragraph, ": ", "_gc_prev is %s",
			      report_word(session, damage->value).text);
		paragraph_add(paragraph, ", ", "should be 0x%" PRIx64, damage->expected);
		break;
	case DAMAGE_POOL:
		paragraph_add(paragraph, "", "the pool at 0x%" PRIx64 ":", damage->address);
		paragraph_add(paragraph, " ",
			      "its list of free blocks leaves it, meets itself, or has not as many "
			      "as the header says");
		break;
	case DAMAGE_KINDS:
		break;
	}
}

static void print_block(const struct session *session, const char *what, const struct block *block,
			struct screen *screen)
{
	struct paragraph paragraph;

	if (block->owner == BLOCK_NONE || !block->start)
		return;
	paragraph = paragraph_begin(screen, 6);
	paragraph_add(&paragraph, "", "%s 0x%" PRIx64, what, block->start);
	paragraph_add(&paragraph, ", ", "%s", units_bytes(block->end - block->start).text);
	if (block->is_free)
		paragraph_add(&paragraph, ": ", "free");
	else if (block->object == HEAP_NONE)
		paragraph_add(&paragraph, ": ", "in use, no object");
	else
		add_object(session, block->object, ": ", &paragraph);
	paragraph_end(&paragraph);
}

/** The word's block, and its neighbours: for a reference, those of what it refers to. */
static void print_neighbours(const struct session *session, const struct damage *damage,
			     struct screen *screen)
{
	bool is_reference = damage->kind <= DAMAGE_REFCOUNT;
	struct block block =
		block_at(session->objects, is_reference ? damage->value : damage->address);
	struct block before = block_before(session->objects, &block);
	struct block behind = block_behind(session->objects, &block);

	print_block(session, "before:", &before, screen);
	print_block(session, "there: ", &block, screen);
	print_block(session, "behind:", &behind, screen);
}

static struct error *text(struct session *session, struct screen *screen)
{
	const struct heap_check *check = session->check;
	uint64_t limit = command_limit(session, PLACES_USUALLY);

	report_header(session, screen);
	report_coverage(session, screen);
	report_enumerated(session, screen);
	screen_print(screen, "\n");
	over_released_summary(session, limit, screen);
	if (!check->total) {
		damage_summary(session, screen);
		return NULL;
	}
	screen_styled(screen, STYLE_ALARM, "  Heap damage");
	screen_print(screen, "          %s\n", units_plural(check->total, "place").text);
	for (size_t i = 0; i < check->damage_count && i < limit; i++) {
		const struct damage *damage = &check->damages[i];
		struct paragraph paragraph = paragraph_begin(screen, 2);

		paragraph_add(&paragraph, "", "%-3zu ", i + 1);
		paragraph.indent = 6;
		print_damage(session, damage, &paragraph);
		paragraph_end(&paragraph);
		if (damage->address)
			screen_print(screen, "      the word is at 0x%" PRIx64 "\n",
				     damage->address);
		print_neighbours(session, damage, screen);
	}
	report_more(screen, 2, limit, check->total, "place");
	return NULL;
}

static struct error *json(struct session *session, struct document *document, json_t *result)
{
	uint64_t limit = command_limit(session, JSON_USUALLY);

	findings_over_released_json(session, limit, document, result);
	damage_json(session, limit, document, result);
	report_enumerated_json(session, document, result);
	return NULL;
}

const struct command command_check = {
	.description = "What cannot be in a healthy heap: objects that refer to freed memory, to "
		       "what is no\n"
		       "object or to an object with refcount 0; links of the collector's lists "
		       "that do not\n"
		       "match; types that are none; pools whose free list does not agree with "
		       "their header.\n"
		       "Each with the address of the word that is wrong, what it should be where "
		       "that is\n"
		       "known, and the blocks of memory beside it: what was overwritten was often "
		       "overwritten\n"
		       "from the block before.\n",
	.options = OPTION_BIT(FAIL_ON),
	.finds = FINDINGS_OF_HEAP,
	.prepare = prepare,
	.text = text,
	.json = json,
};
