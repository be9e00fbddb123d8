/*
 * Groups of cycles as text and as JSON, from groups made by hand: nothing of a target is needed.
 */
#include "command/edge_chains.h"
#include "command/groups.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct type session_type = {
	.name = "app.web.Session", .module = "app.web", .short_name = "Session", .index = 0};
static const struct type node_type = {.name = "app.web.Node",
				      .module = "app.web",
				      .short_name = "Node",
				      .index = 1,
				      .has_del = true};
static const struct type list_type = {
	.name = "list", .module = "builtins", .short_name = "list", .index = 2};
static const struct type evil_type = {
	.name = "x.\033[2J", .module = "x", .short_name = "\033[2J", .index = 3};

static struct type_tally members[] = {{&session_type, 10000, 480000}, {&node_type, 10000, 480000}};
static struct type_tally attached[] = {{&list_type, 20000, 1120000}};
static struct type_tally evil_members[] = {{&evil_type, 1, 48}, {NULL, 1, 16}};
static struct cycle_edge edges[] = {{&session_type, &node_type, (char *)".node"},
				    {&node_type, &session_type, (char *)".session"}};
static struct cycle_edge apart[] = {{&session_type, &node_type, (char *)".a"},
				    {&session_type, &list_type, (char *)"['k']"}};

static struct cycle_group groups[] = {
	{
		.cycles = 10000,
		.members = 20000,
		.attached = 20000,
		.bytes = 2080000,
		.example = 0x7f3c12a4e0d0,
		.has_del = true,
		.member_types = members,
		.member_type_count = 2,
		.attached_types = attached,
		.attached_type_count = 1,
		.edges = edges,
		.edge_count = 2,
	},
	{
		.cycles = 1,
		.members = 2,
		.bytes = 64,
		.example = 0x1000,
		.member_types = evil_members,
		.member_type_count = 2,
		.edges = apart,
		.edge_count = 2,
		.edges_cut = true,
	},
};

static struct cycles cycles = {
	.groups = groups, .count = 2, .objects = 40002, .bytes = 2080064, .cycle_count = 10001};

static const struct session session = {.cycles = &cycles};

/** Prints with one of the functions of groups.h. @return to be freed */
static char *show(void (*print)(struct screen *screen), unsigned columns)
{
	char *text = NULL;
	size_t size;
	struct screen screen = {.out = open_memstream(&text, &size), .columns = columns};

	print(&screen);
	fclose(screen.out);
	return text;
}

static void first_block(struct screen *screen)
{
	groups_block(&session, 0, 6, screen);
}

static void evil_block(struct screen *screen)
{
	groups_block(&session, 1, 6, screen);
}

static void block_of_one(struct screen *screen)
{
	groups_block(&session, 0, 1, screen);
}

static void both_lines(struct screen *screen)
{
	groups_line(&session, 0, screen);
	groups_line(&session, 1, screen);
}

static void assert_shown(void (*print)(struct screen *screen), unsigned columns,
			 const char *expected)
{
	char *text = show(print, columns);

	assert_string_equal(text, expected);
	free(text);
}

static void test_a_block_says_all_about_a_group(void **state)
{
	(void)state;
	assert_shown(first_block, 100,
		     "  1   10,000 cycles, 40,000 objects, 2.0 MiB\n"
		     "      10,000 x app.web.Session, 10,000 x app.web.Node\n"
		     "      Session.node -> Node.session -> Session\n"
		     "      attached: 20,000 x list\n"
		     "      with __del__: app.web.Node\n"
		     "      e.g. 0x7f3c12a4e0d0\n");
}

static void test_a_limit_leaves_out_and_says_so(void **state)
{
	(void)state;
	assert_shown(block_of_one, 100,
		     "  1   10,000 cycles, 40,000 objects, 2.0 MiB\n"
		     "      10,000 x app.web.Session, ... 1 more type\n"
		     "      Session.node -> Node.session -> Session\n"
		     "      attached: 20,000 x list\n"
		     "      with __del__: app.web.Node\n"
		     "      e.g. 0x7f3c12a4e0d0\n");
}

static void test_names_of_the_target_are_cleaned(void **state)
{
	char *text = show(evil_block, 100);

	(void)state;
	assert_null(strchr(text, '\033'));
	assert_non_null(strstr(text, "1 x x.\\x1b[2J, 1 x (damaged type)"));
	assert_non_null(strstr(text, "      Session.a -> Node\n      Session['k'] -> list\n"
				     "      ... and more references\n"));
	free(text);
}

/** A cycle is read round, whatever the order in which its references were met. */
static void test_references_are_put_in_order(void **state)
{
	static struct cycle_edge mixed[] = {
		{&session_type, &list_type, (char *)".nodes"},
		{&session_type, &node_type, (char *)".first"},
		{&list_type, &node_type, (char *)"[0]"},
		{&node_type, &node_type, (char *)".next"},
		{&node_type, &session_type, (char *)".session"},
	};
	const struct cycle_group group = {.edges = mixed, .edge_count = 5};
	static const size_t expected[] = {0, 2, 4, 1, 3};
	static const bool ends[] = {false, false, true, true, true};
	struct edge_chains chains;

	(void)state;
	edge_chains_make(&group, &chains);
	assert_int_equal(chains.count, 5);
	for (size_t i = 0; i < chains.count; i++) {
		assert_ptr_equal(chains.edges[i], &mixed[expected[i]]);
		assert_int_equal(chains.ends_chain[i], ends[i]);
	}
}

static void test_lines_keep_to_the_width(void **state)
{
	(void)state;
	for (unsigned columns = 60; columns <= 120; columns += 20) {
		char *text = show(both_lines, columns), *rest = text, *line;

		while ((line = strsep(&rest, "\n")))
			assert_true(strlen(line) <= columns);
		free(text);
	}
}

static void test_json_has_the_same_facts(void **state)
{
	struct document document;
	json_t *group, *edge;

	(void)state;
	document_init(&document);
	groups_json(&session, &document, document.root, 1);
	assert_false(document.failed);
	assert_int_equal(json_integer_value(json_object_get(document.root, "objects")), 40002);
	assert_int_equal(json_integer_value(json_object_get(document.root, "groups_total")), 2);
	assert_int_equal(json_array_size(json_object_get(document.root, "groups")), 1);
	group = json_array_get(json_object_get(document.root, "groups"), 0);
	assert_int_equal(json_integer_value(json_object_get(group, "group")), 1);
	assert_int_equal(json_integer_value(json_object_get(group, "cycles")), 10000);
	assert_string_equal(json_string_value(json_object_get(group, "example")), "0x7f3c12a4e0d0");
	assert_true(json_is_true(json_object_get(group, "has_del")));
	assert_int_equal(json_array_size(json_object_get(group, "member_types")), 2);
	edge = json_array_get(json_object_get(group, "references"), 0);
	assert_string_equal(json_string_value(json_object_get(edge, "from")), "app.web.Session");
	assert_string_equal(json_string_value(json_object_get(edge, "name")), ".node");
	assert_string_equal(json_string_value(json_object_get(edge, "to")), "app.web.Node");
	assert_false(json_is_true(json_object_get(group, "references_cut")));
	document_clear(&document);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_block_says_all_about_a_group),
		cmocka_unit_test(test_a_limit_leaves_out_and_says_so),
		cmocka_unit_test(test_names_of_the_target_are_cleaned),
		cmocka_unit_test(test_references_are_put_in_order),
		cmocka_unit_test(test_lines_keep_to_the_width),
		cmocka_unit_test(test_json_has_the_same_facts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
