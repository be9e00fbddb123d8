/**
 * @file
 * --schema: the JSON Schema of the answers, docs/schema/pymem.schema.json, which is built in.
 */
#ifndef PYMEM_COMMAND_SCHEMA_H
#define PYMEM_COMMAND_SCHEMA_H

#include "command/command.h"

/**
 * Prints the schema of all documents, or one that stands alone: of a command's document or lines.
 * @param command NULL: all
 * @param lines of --ndjson
 * @return ERROR_USAGE if there are no such answers
 */
struct error *schema_print(const struct command *command, bool lines, const struct output *output)
	__attribute__((warn_unused_result));

#endif
