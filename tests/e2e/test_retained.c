/*
 * What objects retain, against what the process itself finds by taking them away; how many objects
 * of each type there are; and which object is said to hold a heap that grows.
 */
#include "support/answer.h"
#include "support/inspection.h"
#include "support/jobs.h"
#include "support/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What growing.py puts into each place. */
enum { ENTRIES = 20000 };

/* An object of the dominator tree. */
struct node {
	uint64_t address, dominator; /* 0: none */
	json_int_t own, retained;
	json_int_t sum; /* of own bytes below it and its own */
};

struct tree {
	struct node *nodes; /* by address */
	size_t count;
};

static int compare_nodes(const void *left, const void *right)
{
	const struct node *a = left, *b = right;

	return a->address < b->address ? -1 : a->address > b->address;
}

static struct node *find(const struct tree *tree, uint64_t address)
{
	const struct node key = {.address = address};

	return address ? bsearch(&key, tree->nodes, tree->count, sizeof(key), compare_nodes) : NULL;
}

static void add_line(struct tree *tree, const char *line)
{
	json_t *json = inspect_parse(line);
	const char *dominator = json_string_value(json_object_get(json, "dominator"));
	struct node *node;

	if (!(tree->count & (tree->count - 1)))
		tree->nodes = realloc(tree->nodes,
				      (tree->count ? tree->count * 2 : 1) * sizeof(*tree->nodes));
	assert_non_null(tree->nodes);
	node = &tree->nodes[tree->count++];
	*node = (struct node){
		.address = strtoull(json_string_value(json_object_get(json, "address")), NULL, 16),
		.dominator = dominator ? strtoull(dominator, NULL, 16) : 0,
		.own = json_integer_value(json_object_get(json, "bytes")),
		.retained = json_integer_value(json_object_get(json, "retained_bytes")),
	};
	node->sum = node->own;
	json_decref(json);
}

/* The lines come with each object before those that it dominates. */
static struct tree read_tree(const struct view *view)
{
	char *text = inspect(view, "retained", "--ndjson", NULL), *rest = text, *line;
	struct tree tree = {0};
	uint64_t *order;
	size_t count;

	while ((line = strsep(&rest, "\n")) && *line)
		add_line(&tree, line);
	count = tree.count;
	order = calloc(count + 1, sizeof(*order));
	assert_non_null(order);
	for (size_t i = 0; i < count; i++)
		order[i] = tree.nodes[i].address;
	qsort(tree.nodes, count, sizeof(*tree.nodes), compare_nodes);
	for (size_t i = count; i-- > 0;) {
		const struct node *node = find(&tree, order[i]);
		struct node *above = find(&tree, node->dominator);

		if (above)
			above->sum += node->sum;
	}
	for (size_t i = 0; i < count; i++)
		assert_int_equal(tree.nodes[i].sum, tree.nodes[i].retained);
	free(order);
	free(text);
	return tree;
}

/* Is the object at `above` among those that dominate the one at `address`, or that one? */
static bool is_below(const struct tree *tree, uint64_t address, uint64_t above)
{
	const struct node *node = find(tree, address);

	if (!node)
		fail_msg("no object at 0x%" PRIx64, address);
	for (; node; node = find(tree, node->dominator))
		if (node->address == above)
			return true;
	return false;
}

/* Runs a command with an option, which must answer. @return what was written, to be freed */
static char *ask(const struct view *view, const char *command, const char *option,
		 const char *format)
{
	struct run run __attribute__((cleanup(run_clear))) = {0};
	char pid[16], *out;

	snprintf(pid, sizeof(pid), "%d", (int)view->process->pid);
	run_tool(&run, RUN_ARGUMENTS("--sysroot", view->python->root, "-p", pid, command, option,
				     format));
	if (run.status)
		fail_msg("%s %s: exit code %d: %s", command, option, run.status, run.err);
	out = run.out;
	run.out = NULL;
	return out;
}

/* Says who holds what another object was to retain. */
static void print_holders(const struct view *view, uint64_t address)
{
	char word[32], *text;

	snprintf(word, sizeof(word), "0x%" PRIx64, address);
	text = ask(view, "referrers", word, "--color=never");
	print_error("%s\n", text);
	free(text);
}

/* All objects of the file are the structures; which of them each retains is in its line. */
static size_t check_retained(const struct view *view, const struct tree *tree)
{
	FILE *file = program_file(view->process, "retained");
	size_t size = 0, count = 0, wrong = 0;
	uint64_t *all = NULL;
	char *line = NULL;

	for (; getline(&line, &size, file) > 0; count++) {
		all = realloc(all, (count + 1) * sizeof(*all));
		assert_non_null(all);
		all[count] = strtoull(line, NULL, 16);
	}
	rewind(file);
	while (getline(&line, &size, file) > 0) {
		char *next = line;
		uint64_t above = strtoull(next, &next, 16), address;
		size_t expected = 0, found = 0;

		while ((address = strtoull(next, &next, 16))) {
			expected++;
			if (is_below(tree, address, above) || wrong++ >= 3)
				continue;
			print_error("0x%" PRIx64 " does not retain 0x%" PRIx64 "\n", above,
				    address);
			print_holders(view, address);
		}
		for (size_t i = 0; i < count; i++)
			found += is_below(tree, all[i], above);
		if (found != expected && wrong++ < 10)
			print_error("0x%" PRIx64 " retains %zu objects, not %zu\n", above, found,
				    expected);
	}
	assert_int_equal(wrong, 0);
	fclose(file);
	free(line);
	free(all);
	return count;
}

/* Types whose sys.getsizeof() is all that an object alone owns, see measure.c. */
static const char *const sized[] = {"list",	"tuple",  "set",	 "frozenset",
				    "function", "cell",	  "method",	 "slice",
				    "property", "module", "staticmethod"};

static bool is_sized(const char *type)
{
	for (size_t i = 0; i < sizeof(sized) / sizeof(*sized); i++)
		if (strcmp(type, sized[i]) == 0)
			return true;
	return false;
}

/* Adds a generation's objects and bytes of each type to objects of JSON. */
static void add_types(const struct view *view, const char *generation, json_t *objects,
		      json_t *bytes)
{
	char *text = ask(view, "types", generation, "--ndjson"), *rest = text, *line;

	while ((line = strsep(&rest, "\n")) && *line) {
		json_t *json = inspect_parse(line);
		const char *type = json_string_value(json_object_get(json, "type"));
		json_int_t count = json_integer_value(json_object_get(json, "objects"));
		json_int_t size = json_integer_value(json_object_get(json, "bytes"));

		count += json_integer_value(json_object_get(objects, type));
		size += json_integer_value(json_object_get(bytes, type));
		json_object_set_new(objects, type, json_integer(count));
		json_object_set_new(bytes, type, json_integer(size));
		json_decref(json);
	}
	free(text);
}

/* The frozen generation is not among gc.get_objects(). */
static size_t check_types(const struct view *view)
{
	json_t *objects = json_object(), *bytes = json_object();
	FILE *file = program_file(view->process, "types");
	size_t compared = 0, wrong = 0;
	json_int_t count, size;
	char type[256];

	add_types(view, "--generation=0", objects, bytes);
	add_types(view, "--generation=1", objects, bytes);
	add_types(view, "--generation=2", objects, bytes);
	while (fscanf(file, "%255s %" SCNd64 " %" SCNd64, type, (int64_t *)&count,
		      (int64_t *)&size) == 3) {
		json_int_t found = json_integer_value(json_object_get(objects, type));
		json_int_t measured = json_integer_value(json_object_get(bytes, type));

		compared++;
		if ((found != count || (is_sized(type) && measured != size)) && wrong++ < 10)
			print_error("%s: %lld objects of %lld bytes, not %lld of %lld\n", type,
				    (long long)found, (long long)measured, (long long)count,
				    (long long)size);
	}
	assert_int_equal(wrong, 0);
	fclose(file);
	json_decref(objects);
	json_decref(bytes);
	return compared;
}

static void retained_is_what_goes(void **state)
{
	struct view view = {.python = *state};
	struct python_process *process = program_start(view.python, "retained.py");
	size_t objects, types;
	struct tree tree;

	view.process = process;
	tree = read_tree(&view);
	objects = check_retained(&view, &tree);
	types = check_types(&view);
	print_message("%s: %zu objects of %zu, %zu types\n", view.python->name, objects, tree.count,
		      types);
	assert_true(objects > 250 && types > 50);
	free(tree.nodes);
	program_end(process);
}

/* What the overview says of the program. */
static void check_growth(const struct interpreter_choice *python, const char *place,
			 const char *sentence, const char *mostly)
{
	struct view view = {.python = python};
	char program[64], *text, *line;
	struct python_process *process;
	json_t *json, *suspects;

	snprintf(program, sizeof(program), "growing.py %s", place);
	process = program_start(python, program);
	view.process = process;
	text = inspect(&view, "triage", "--color=never", NULL);
	while ((line = strstr(text, "\n      "))) // a sentence may be broken
		memmove(line + 1, line + 7, strlen(line + 7) + 1), *line = ' ';
	assert_contains(text, sentence);
	free(text);
	text = inspect(&view, "triage", "--json", NULL);
	json = inspect_parse(text);
	suspects = json_object_get(json_object_get(json, "result"), "suspects");
	if (mostly) {
		json_t *first = json_array_get(suspects, 0);
		json_t *fills = json_array_get(json_object_get(first, "fills"), 0);

		if (!fills)
			fills = json_object_get(first, "group");
		assert_string_equal(json_string_value(json_object_get(fills, "type")), mostly);
		// One may be on the stack of a function, in memory or by a word left there.
		assert_in_range(json_integer_value(json_object_get(fills, "objects")), ENTRIES - 1,
				ENTRIES);
	} else {
		assert_int_equal(json_array_size(suspects), 0);
	}
	json_decref(json);
	free(text);
	program_end(process);
}

static void growth_is_named(void **state)
{
	check_growth(*state, "cache", "__main__.cache._entries (dict, 20,000 items) keeps ",
		     "__main__.Session");
	check_growth(*state, "local", "): batch (list, 20,000 items) keeps ", "tuple");
	check_growth(*state, "names", "__main__.names (list, 20,000 items) keeps ", "str");
	check_growth(*state, "both", "held by several, most of them by __main__.",
		     "__main__.Session");
	check_growth(*state, "healthy", "nothing stands out among ", NULL);
}

int main(int argc, char **argv)
{
	size_t count;
	struct interpreter_choice *choices = interpreters_list(&count);
	struct CMUnitTest *tests = calloc(count * 2 + 1, sizeof(*tests));
	int failed;

	for (size_t i = 0; tests && i < count; i++) {
		tests[i] = (struct CMUnitTest){choices[i].name, retained_is_what_goes, NULL, NULL,
					       &choices[i]};
		tests[count + i] = (struct CMUnitTest){choices[i].name, growth_is_named, NULL, NULL,
						       &choices[i]};
	}
	failed = jobs_run_tests("retained", tests, count * 2, 2, argc, argv);
	free(tests);
	interpreters_free(choices, count);
	return failed;
}
