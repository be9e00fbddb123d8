/*
 * What `show` says of an object must be what the process itself knows of it, on every interpreter.
 */
#include "command/command.h"
#include "support/jobs.h"
#include "support/python_process.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A process looked at, address by address. */
struct subject {
	const struct interpreter_choice *choice;
	struct python_process *process;
	struct session session;
	size_t objects, with_attributes, with_items;
};

/* What `show` answers: the "result" of its document. */
static json_t *show(struct subject *subject, uint64_t address)
{
	struct document document;
	char argument[32];

	snprintf(argument, sizeof(argument), "0x%" PRIx64, address);
	subject->session.argument = argument;
	struct error *err = command_show.prepare(&subject->session);

	if (err)
		fail_msg("show %s: %s", argument, err->message);
	document_init(&document);
	err = command_show.json(&subject->session, &document, document.root);
	assert_null(err);
	assert_false(document.failed);
	return document.root;
}

static const json_t *member(const json_t *object, const char *path)
{
	char copy[64], *rest = copy, *name;

	snprintf(copy, sizeof(copy), "%s", path);
	while ((name = strsep(&rest, ".")))
		object = json_object_get(object, name);
	return object;
}

/* The facts of the process and the answer must be equal, where the process knows. */
static void check_equal(const json_t *fact, const char *name, const json_t *answer,
			const char *path)
{
	const json_t *expected = json_object_get(fact, name), *is = member(answer, path);

	if (json_is_null(expected) || json_equal(expected, is))
		return;
	fail_msg("%s of %s is %s, not %s", path,
		 json_dumps(json_object_get(answer, "repr"), JSON_ENCODE_ANY),
		 json_dumps(is, JSON_ENCODE_ANY), json_dumps(expected, JSON_ENCODE_ANY));
}

static uint64_t address_of(const json_t *entry)
{
	const char *text = json_string_value(json_object_get(entry, "object"));

	return text ? strtoull(text, NULL, 16) : 0;
}

static void check_attributes(struct subject *subject, const json_t *fact, const json_t *answer)
{
	json_t *expected = json_object_get(fact, "attributes"), *entry;
	size_t count = json_object_size(expected), i;

	if (json_is_null(expected))
		return;
	assert_int_equal(json_integer_value(member(answer, "attributes.total")), count);
	json_array_foreach((json_t *)member(answer, "attributes.entries"), i, entry)
	{
		const char *name = json_string_value(json_object_get(entry, "name"));
		uint64_t is = address_of(entry);

		if ((uint64_t)json_integer_value(json_object_get(expected, name)) != is)
			fail_msg("%s.%s is 0x%" PRIx64,
				 json_string_value(json_object_get(answer, "repr")), name, is);
	}
	assert_int_equal(i, count);
	subject->with_attributes += count > 0;
}

static int compare_addresses(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

static void check_items(struct subject *subject, const json_t *fact, const json_t *answer)
{
	json_t *expected = json_object_get(fact, "items"), *entry;
	size_t count = json_array_size(expected), i;
	uint64_t *addresses = calloc(count + 1, sizeof(*addresses));

	assert_non_null(addresses);
	assert_int_equal(json_integer_value(member(answer, "items.total")), count);
	json_array_foreach((json_t *)member(answer, "items.entries"), i, entry) addresses[i] =
		address_of(entry);
	assert_int_equal(i, count);
	/* Sets have no order. */
	if (json_is_true(json_object_get(fact, "is_set")) && count)
		qsort(addresses, count, sizeof(*addresses), compare_addresses);
	for (i = 0; i < count; i++)
		if ((uint64_t)json_integer_value(json_array_get(expected, i)) != addresses[i])
			fail_msg("item %zu of %s is 0x%" PRIx64, i,
				 json_string_value(json_object_get(answer, "repr")), addresses[i]);
	free(addresses);
	subject->with_items += count > 0;
}

/* An address in the object, and one in its header, are answered for the object. */
static void check_inside(struct subject *subject, uint64_t address, const json_t *answer)
{
	bool has_header = json_is_true(member(answer, "collector.collectable"));
	json_t *inside = show(subject, address + 9), *header = show(subject, address - 16);

	if (!json_equal(json_object_get(inside, "address"), json_object_get(answer, "address")))
		fail_msg("%s: inside is %s", json_string_value(json_object_get(answer, "repr")),
			 json_dumps(json_object_get(inside, "address"), JSON_ENCODE_ANY));
	if (has_header)
		assert_true(json_equal(json_object_get(header, "address"),
				       json_object_get(answer, "address")));
	json_decref(inside);
	json_decref(header);
}

static void check_object(struct subject *subject, const json_t *fact)
{
	uint64_t address = (uint64_t)json_integer_value(json_object_get(fact, "address"));
	json_t *answer = show(subject, address);

	subject->objects++;
	check_equal(fact, "unreachable", answer, "collector.unreachable");
	if (json_is_true(json_object_get(fact, "unreachable"))) {
		json_decref(answer);
		return;
	}
	check_equal(fact, "type_mro", answer, "type_mro");
	check_equal(fact, "mro", answer, "mro");
	check_equal(fact, "module", answer, "module");
	check_equal(fact, "tracked", answer, "collector.tracked");
	check_equal(fact, "finalized", answer, "collector.finalized");
	check_equal(fact, "generation", answer, "collector.generation");
	check_equal(fact, "size", answer, "size.total");
	check_equal(fact, "length", answer, "length");
	check_equal(fact, "repr", answer, "repr");
	check_equal(fact, "refcount", answer, "refcount");
	check_attributes(subject, fact, answer);
	check_items(subject, fact, answer);
	if (objects_find(subject->session.objects, address) != HEAP_NONE)
		check_inside(subject, address, answer);
	json_decref(answer);
}

/* Where no object is, what is there, and the object that owns it or points at it. */
static void check_place(struct subject *subject, uint64_t address, const char *kind, uint64_t owner)
{
	json_t *answer = show(subject, address);
	const json_t *object = member(answer, "place.object");

	if (!strcmp(kind, "inside")) {
		object = member(answer, "address");
	} else {
		assert_true(json_is_null(member(answer, "address")));
		assert_string_equal(json_string_value(member(answer, "place.in")), kind);
	}
	if (owner)
		assert_int_equal(strtoull(json_string_value(object), NULL, 16), owner);
	if (!strcmp(kind, "static"))
		assert_string_equal(json_string_value(member(answer, "place.symbol")),
				    "Py_OptimizeFlag");
	json_decref(answer);
}

static void check_places(struct subject *subject)
{
	uint64_t address, owner;
	char kind[32];
	size_t count = 0;
	FILE *file;

	file = program_file(subject->process, "places");
	for (; fscanf(file, "%" SCNx64 " %31s %" SCNx64, &address, kind, &owner) == 3; count++)
		check_place(subject, address, kind, owner);
	fclose(file);
	assert_int_equal(count, 6);
}

static void open_subject(struct subject *subject, const struct interpreter_choice *choice,
			 const struct pymem_io *io)
{
	*subject = (struct subject){.choice = choice};
	subject->process = program_start(choice, "showable.py");
	// It may still be on its way to where it waits, with an object or a free block in hand.
	program_wait_idle(subject->process);
	subject->session.io = io;
	subject->session.options = (struct options){
		.pid = subject->process->pid,
		.sysroot = strcmp(choice->root, "/") ? choice->root : NULL,
		.format = FORMAT_JSON,
		.limit_given = true,
	};
	assert_null(session_open(&subject->session, NULL));
}

static void it_is_what_the_process_knows(void **state)
{
	const struct pymem_io io = {.out = stdout, .err = stderr};
	struct subject subject;
	char *line = NULL;
	size_t size = 0;
	FILE *file;

	open_subject(&subject, *state, &io);
	file = program_file(subject.process, "objects");
	while (getline(&line, &size, file) > 0) {
		json_t *fact = json_loads(line, 0, NULL);

		assert_non_null(fact);
		check_object(&subject, fact);
		json_decref(fact);
	}
	fclose(file);
	free(line);
	print_message("%s: %zu objects, %zu with attributes, %zu with items\n",
		      subject.choice->name, subject.objects, subject.with_attributes,
		      subject.with_items);
	assert_true(subject.objects > 70 && subject.with_attributes >= 10 &&
		    subject.with_items > 20);
	check_places(&subject);
	session_close(&subject.session);
	program_end(subject.process);
}

int main(int argc, char **argv)
{
	return jobs_run_on_interpreters("show", it_is_what_the_process_knows, argc, argv);
}
