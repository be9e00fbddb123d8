/*
 * The object of commands that take an address.
 */
#include "command/asked.h"
#include "analysis/block.h"
#include "command/report.h"
#include "traverse/title.h"

#include <inttypes.h>

bool asked_takes(const char *word)
{
	uint64_t address;

	return units_parse_address(word, &address);
}

struct error *asked_parse(const struct session *session, const char *command, uint64_t *address)
{
	if (!session->argument)
		return error_create(ERROR_USAGE, "%s takes an address: %s 0x7f3c12a4e0d0", command,
				    command);
	if (!units_parse_address(session->argument, address))
		return error_create(ERROR_USAGE, "%s is no address", session->argument);
	return NULL;
}

/** The object that a header begins at an address; NULL: none does. */
static const struct type *type_of(const struct session *session, uint64_t address,
				  struct object_header *header)
{
	if (!object_header(session->runtime, &session->heap->reader, address, header))
		return NULL;
	return type_get(session->runtime->types, &session->heap->reader, header->type);
}

/**
 * Is the address inside the static object that a symbol names? A type is as large as its symbol,
 * which may be an array for other objects.
 */
static bool find_symbol(const struct session *session, struct asked *asked)
{
	struct object_header header;
	struct object_size size;
	const struct type *type;
	struct symbol symbol;

	if (!session->target->modules ||
	    !modules_symbol_at(session->target->modules, asked->typed, &symbol) ||
	    symbol.address == asked->typed || asked->typed - symbol.address >= symbol.size)
		return false;
	type = type_of(session, symbol.address, &header);
	if (!type)
		return false;
	object_measure(session->heap->traverser, symbol.address, type, &size);
	if (!(type->flags & TPFLAGS_TYPE_SUBCLASS) && asked->typed - symbol.address >= size.object)
		return false;
	asked->address = symbol.address;
	asked->header = header;
	asked->type = type;
	return true;
}

/** Not in an allocator: a static object, if it has a header. */
static struct error *find_static(const struct session *session, struct asked *asked)
{
	const struct block block = block_at(session->objects, asked->typed);

	asked->address = asked->typed;
	asked->object = HEAP_NONE;
	if (block.is_free)
		return error_create_at(ERROR_GENERAL, asked->typed,
				       "no object: the memory is free");
	if (block.owner != BLOCK_NONE)
		return error_create_at(ERROR_GENERAL, asked->typed,
				       "no object: a block of %" PRIu64 " bytes that holds none",
				       block.end - block.start);
	if (find_symbol(session, asked))
		return NULL;
	asked->type = type_of(session, asked->address, &asked->header);
	if (!asked->type)
		return error_create_at(ERROR_GENERAL, asked->typed, "no object");
	return NULL;
}

struct error *asked_find(const struct session *session, const char *command, struct asked *asked)
{
	struct error *err = asked_parse(session, command, &asked->typed);

	return err ? err : asked_find_typed(session, asked);
}

struct error *asked_find_typed(const struct session *session, struct asked *asked)
{
	struct block block;

	asked->type = NULL;
	asked->object = objects_find(session->objects, asked->typed);
	if (asked->object == HEAP_NONE) {
		block = block_at(session->objects, asked->typed);
		asked->object = block.object;
	}
	if (asked->object == HEAP_NONE)
		return find_static(session, asked);
	asked->address = session->objects->addresses[asked->object];
	if (session->objects->types[asked->object] != HEAP_NONE)
		asked->type = type_by_index(session->runtime->types,
					    session->objects->types[asked->object]);
	if (!object_header(session->runtime, &session->heap->reader, asked->address,
			   &asked->header))
		return error_create_at(ERROR_GENERAL, asked->address, "the object is unreadable");
	return NULL;
}

struct error *asked_open(struct session *session, const char *command)
{
	uint64_t typed;
	struct error *err = asked_parse(session, command, &typed);

	if (!err)
		err = session_unreachable(session);
	if (!err)
		err = session_objects(session);
	if (!err && session->no_census)
		err = error_create(ERROR_GENERAL, "objects cannot be listed: %s",
				   session->no_census);
	return err;
}

void asked_text(const struct session *session, const struct asked *asked, struct screen *screen)
{
	struct paragraph paragraph = paragraph_begin(screen, 0);
	char text[200];

	if (asked->typed != asked->address)
		paragraph_add(&paragraph, "", "0x%" PRIx64 " is inside", asked->typed);
	paragraph_add(&paragraph, asked->typed != asked->address ? " " : "", "0x%" PRIx64 " %s",
		      asked->address, screen_clean(screen, report_type_name(asked->type)).text);
	report_describe(session, asked->address, asked->type, NULL, text, sizeof(text));
	report_fit(&paragraph, text);
	paragraph_end(&paragraph);
}

void asked_json(const struct asked *asked, struct document *document, json_t *result)
{
	document_set_address(document, result, "address", asked->address);
	document_set_string(document, result, "type", asked->type ? asked->type->name : NULL);
	document_set(document, result, "refcount",
		     asked->header.immortal ? json_null() : json_integer(asked->header.refcount));
	document_set_bool(document, result, "immortal", asked->header.immortal);
}
