/*
 * The schema is one file for all commands; for a single one what it refers to is picked out, so
 * that tools that make code from a schema get no more than they need.
 */
#include "command/schema.h"

#include <string.h>

__asm__(".pushsection .rodata\n"
	"schema_text:\n"
	".incbin \"docs/schema/pymem.schema.json\"\n"
	"schema_end:\n"
	".balign 8\n"
	"schema_size: .quad schema_end - schema_text\n"
	".popsection\n");

extern const char schema_text[] __attribute__((visibility("hidden")));
extern const uint64_t schema_size __attribute__((visibility("hidden")));

static const char reference_prefix[] = "#/$defs/";

/* Adds all definitions that a schema refers to, and what these refer to; the depth is that of our
 * own file. */
static bool pick(json_t *part, json_t *all, json_t *picked)
{
	const char *key, *reference = json_string_value(json_object_get(part, "$ref"));
	bool ok = true;
	json_t *value;
	size_t i;

	if (reference && !strncmp(reference, reference_prefix, strlen(reference_prefix))) {
		const char *name = reference + strlen(reference_prefix);
		json_t *target = json_object_get(all, name);

		if (target && !json_object_get(picked, name))
			ok = !json_object_set(picked, name, target) && pick(target, all, picked);
	}
	json_object_foreach(part, key, value) ok = ok && pick(value, all, picked);
	json_array_foreach(part, i, value) ok = ok && pick(value, all, picked);
	return ok;
}

/* In the order of the file, so that equal words give equal bytes. */
static json_t *in_order(json_t *all, json_t *picked)
{
	json_t *ordered = json_object(), *value;
	const char *name;

	json_object_foreach(all, name, value)
	{
		if (json_object_get(picked, name) && json_object_set(ordered, name, value)) {
			json_decref(ordered);
			return NULL;
		}
	}
	return ordered;
}

static json_t *reference_to(const char *command, const char *kind)
{
	json_t *reference = json_object();

	json_object_set_new(reference, "$ref",
			    json_sprintf("%s%s_%s", reference_prefix, command, kind));
	return reference;
}

/* Makes the schema of all documents that of one command. */
static void narrow_to_document(json_t *schema, const char *name)
{
	json_t *properties = json_object_get(schema, "properties");

	json_object_del(schema, "allOf");
	json_object_set_new(json_object_get(properties, "command"), "const", json_string(name));
	json_object_del(json_object_get(properties, "command"), "x-values");
	json_object_set_new(properties, "result", reference_to(name, "result"));
}

static void narrow_to_line(json_t *schema, const char *name)
{
	static const char *const documents[] = {"allOf", "type", "required", "properties"};

	for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++)
		json_object_del(schema, documents[i]);
	json_object_update_new(schema, reference_to(name, "line"));
}

static struct error *print_one(const char *name, bool lines, const struct output *output)
{
	json_t *schema = json_loadb(schema_text, schema_size, 0, NULL);
	json_t *all = json_incref(json_object_get(schema, "$defs")), *picked = json_object();
	struct error *err = NULL;

	json_object_del(schema, "$defs");
	json_object_set_new(schema, "$id",
			    json_sprintf("%s:%s:%s",
					 json_string_value(json_object_get(schema, "$id")), name,
					 lines ? "line" : "document"));
	json_object_set_new(schema, "title",
			    json_sprintf("%s of pymem %s %s, schema_version 1",
					 lines ? "A line" : "The document", name,
					 lines ? "--ndjson" : "--json"));
	if (lines)
		narrow_to_line(schema, name);
	else
		narrow_to_document(schema, name);
	if (!pick(schema, all, picked) ||
	    json_object_set_new(schema, "$defs", in_order(all, picked)))
		err = &error_no_memory;
	else if (json_dumpf(schema, output->file, JSON_INDENT(2)) ||
		 fputc('\n', output->file) == EOF)
		err = output_status(output);
	json_decref(picked);
	json_decref(all);
	json_decref(schema);
	return err;
}

struct error *schema_print(const struct command *command, bool lines, const struct output *output)
{
	const char *name = command ? command_names(command)->name : NULL;

	if (!command && lines)
		return error_create(ERROR_USAGE,
				    "--schema --ndjson needs a command: the lines of each differ");
	if (command && ((lines && !command->ndjson) || !command->json))
		return error_create(ERROR_USAGE, "%s has no %s", name,
				    lines ? "--ndjson" : "--json");
	if (command)
		return print_one(name, lines, output);
	if (fwrite(schema_text, 1, schema_size, output->file) == schema_size)
		return NULL;
	return output_status(output);
}
