/* Threads as text and JSON. */
#include "command/thread_report.h"

#include "command/command.h"
#include "command/report.h"
#include "command/signal_report.h"
#include "command/stack_view.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS_USUALLY = 30, JSON_THREADS_USUALLY = 1000, TIDS_IN_LINE = 5 };

static struct clean_text thread_title(const struct thread_stack *thread,
				      const struct screen *screen)
{
	struct clean_text title;
	char tid[32];

	/* Up to 3.10 a thread is known by its pthread_t where the kernel's threads are not at hand.
	 */
	if (thread->thread->tid)
		snprintf(tid, sizeof(tid), "%d", (int)thread->thread->tid);
	else
		snprintf(tid, sizeof(tid), "0x%" PRIx64, thread->thread->pthread);
	title = screen_clean(screen, thread->name);
	if (*thread->name) {
		char named[sizeof(title.text)];

		snprintf(named, sizeof(named), "%s \"%.100s\"", tid, title.text);
		memcpy(title.text, named, sizeof(named));
	} else {
		snprintf(title.text, sizeof(title.text), "%s", tid);
	}
	return title;
}

static bool thread_call(const struct session *session, const struct thread_stack *thread,
			char *text, size_t size)
{
	return thread->thread->kernel != THREAD_NONE &&
	       kernel_thread_call(&session->heap->reader,
				  &session->target->threads[thread->thread->kernel], text, size);
}

/* "took SIGSEGV at address 0x10 (not mapped) in PyList_Append+0x12 (libfoo.so)" */
static void add_signal(const struct session *session, struct paragraph *paragraph)
{
	const struct target *target = session->target;
	struct signal_text reason = signal_reason(target), code = signal_code(target);

	paragraph_add(paragraph, "  ", "took %s", signal_name(target).text);
	if (*reason.text)
		paragraph_add(paragraph, " ", "%s", reason.text);
	if (*code.text)
		paragraph_add(paragraph, " ", "in %s",
			      screen_clean(paragraph->screen, code.text).text);
}

/* What it does: "holds the GIL", "waits for the GIL", "in epoll_wait". */
static void add_state(const struct session *session, const struct thread_stack *thread,
		      struct paragraph *paragraph)
{
	const char *gap = "  ";
	char call[32];

	if (thread->has_signal) {
		add_signal(session, paragraph);
		gap = ", ";
	}
	if (thread->thread->gil == GIL_HOLDS) {
		paragraph_add(paragraph, gap, "holds the GIL");
		gap = ", ";
	}
	if (thread->thread->gil == GIL_WAITS)
		paragraph_add(paragraph, gap, "waits for the GIL");
	else if (thread_call(session, thread, call, sizeof(call)) && !thread->has_signal)
		paragraph_add(paragraph, gap, "in %s", call);
	if (session->runtime->interpreter_count > 1)
		paragraph_add(paragraph, "  ", "interpreter %" PRId64,
			      session->runtime->interpreters[thread->thread->interpreter].id);
}

/*
 * The summary
 */

/* "4711 "worker" took SIGSEGV in PyList_Append+0x12 (libfoo.so), holds the GIL: app.py:41 run": the
 * header has told why. */
static void add_newest(const struct session *session, const struct thread_stack *thread,
		       struct paragraph *paragraph)
{
	struct signal_text code = signal_code(session->target);
	char place[512];

	paragraph_add(paragraph, ", ", "%s", thread_title(thread, paragraph->screen).text);
	if (thread->has_signal) {
		paragraph_add(paragraph, " ", "took %s", signal_name(session->target).text);
		if (*code.text)
			paragraph_add(paragraph, " ", "in %s",
				      screen_clean(paragraph->screen, code.text).text);
	}
	stack_newest(session, &thread->stack, place, sizeof(place));
	if (thread->thread->gil == GIL_HOLDS)
		paragraph_add(paragraph, thread->has_signal ? ", " : " ", "holds the GIL%s",
			      *place ? ":" : "");
	else if (*place)
		paragraph_add(paragraph, "", ":");
	if (*place)
		paragraph_add(paragraph, " ", "%s", screen_clean(paragraph->screen, place).text);
}

void threads_summary(const struct session *session, struct screen *screen)
{
	const struct stacks *stacks = session->stacks;
	struct paragraph paragraph;
	bool held = false;

	screen_print(screen, "Threads    ");
	paragraph = paragraph_continue(screen, 11, 11);
	paragraph_add(&paragraph, "", "%s", units_count(stacks->python.count).text);
	if (stacks->kernel_only)
		paragraph_add(&paragraph, " ", "and %s without Python",
			      units_count(stacks->kernel_only).text);
	for (size_t i = 0; i < stacks->python.count; i++) {
		const struct thread_stack *thread = &stacks->threads[i];

		held = held || thread->thread->gil == GIL_HOLDS;
		if (thread->has_signal || thread->thread->gil == GIL_HOLDS)
			add_newest(session, thread, &paragraph);
	}
	if (!held && stacks->python.gil_known)
		paragraph_add(&paragraph, ", ", "nobody holds the GIL");
	paragraph_end(&paragraph);
}

/*
 * Stacks
 */

/** The order in which threads are shown: those of interest first. */
static unsigned rank(const struct thread_stack *thread)
{
	return thread->has_signal ? 0 : thread->thread->gil == GIL_HOLDS ? 1 : 2;
}

/** The address of the type of what it handles; 0: nothing. */
static uint64_t exception_type(const struct session *session, const struct thread_stack *thread)
{
	struct object_header header;

	return thread->thread->exception && object_header(session->runtime, &session->heap->reader,
							  thread->thread->exception, &header)
		       ? header.type
		       : 0;
}

static bool alike(const struct session *session, const struct thread_stack *a,
		  const struct thread_stack *b)
{
	return rank(a) == 2 && rank(b) == 2 && a->thread->gil == b->thread->gil &&
	       exception_type(session, a) == exception_type(session, b) &&
	       a->thread->interpreter == b->thread->interpreter &&
	       stack_equal(session->stacks, &a->stack, &b->stack);
}

/** Prints one thread, or several with the same stack. @param is_shown of all threads, set for those
 * that are */
static void print_threads(const struct session *session, size_t first, uint8_t *is_shown,
			  struct screen *screen)
{
	const struct stacks *stacks = session->stacks;
	const struct thread_stack *thread = &stacks->threads[first];
	struct paragraph paragraph;
	size_t others = 0;

	for (size_t i = first + 1; i < stacks->python.count; i++)
		if (!is_shown[i] && alike(session, thread, &stacks->threads[i]))
			others++;
	screen_print(screen, "\n");
	screen_styled(screen, STYLE_HEADING, "Thread %s", thread_title(thread, screen).text);
	paragraph = paragraph_continue(
		screen, 2, 7 + (unsigned)utf8_length(thread_title(thread, screen).text));
	paragraph.empty = false;
	if (others)
		paragraph_add(&paragraph, " ",
			      "and %s more at the same place:", units_count(others).text);
	for (size_t i = first + 1, listed = 0; others && i < stacks->python.count; i++) {
		if (is_shown[i] || !alike(session, thread, &stacks->threads[i]))
			continue;
		is_shown[i] = 1;
		if (listed < TIDS_IN_LINE)
			paragraph_add(&paragraph, listed ? ", " : " ", "%s",
				      thread_title(&stacks->threads[i], screen).text);
		if (listed++ == TIDS_IN_LINE)
			paragraph_add(&paragraph, ", ", "%s", screen_ellipsis(screen));
	}
	add_state(session, thread, &paragraph);
	paragraph_end(&paragraph);
	stack_text(session, &thread->stack, 2, screen);
	exception_text(session, thread->thread->exception, 2, screen);
	is_shown[first] = 1;
}

void threads_text(const struct session *session, struct screen *screen)
{
	const struct stacks *stacks = session->stacks;
	uint64_t limit = command_limit(session, THREADS_USUALLY), shown = 0;
	uint8_t *is_shown = calloc(stacks->python.count + 1, 1);
	size_t left = 0;

	if (!is_shown)
		return;
	for (unsigned wanted = 0; wanted <= 2; wanted++)
		for (size_t i = 0; i < stacks->python.count && shown < limit; i++)
			if (!is_shown[i] && rank(&stacks->threads[i]) == wanted) {
				print_threads(session, i, is_shown, screen);
				shown++;
			}
	for (size_t i = 0; i < stacks->python.count; i++)
		left += !is_shown[i];
	screen_print(screen, left ? "\n" : "");
	report_more(screen, 0, stacks->python.count - left, stacks->python.count, "thread");
	free(is_shown);
}

/*
 * JSON
 */

static void thread_facts_json(const struct session *session, const struct thread_stack *thread,
			      struct document *document, json_t *object)
{
	static const char *const gil[] = {
		[GIL_NONE] = "none", [GIL_HOLDS] = "holds", [GIL_WAITS] = "waits"};
	const struct python_thread *python = thread->thread;

	document_set(document, object, "tid",
		     python->tid ? json_integer(python->tid) : json_null());
	document_set_address(document, object, "ident", python->pthread);
	document_set_string(document, object, "name", *thread->name ? thread->name : NULL);
	document_set(document, object, "interpreter",
		     json_integer(session->runtime->interpreters[python->interpreter].id));
	document_set_address(document, object, "thread_state", python->address);
	document_set_string(document, object, "gil", gil[python->gil]);
	document_set_bool(document, object, "took_signal", thread->has_signal);
}

static void thread_json(const struct session *session, const struct thread_stack *thread,
			struct document *document, json_t *object)
{
	char call[32];

	thread_facts_json(session, thread, document, object);
	document_set_string(document, object, "system_call",
			    thread_call(session, thread, call, sizeof(call)) ? call : NULL);
	stack_json(session, &thread->stack, document, object);
	exception_json(session, thread->thread->exception, document, object);
}

void threads_summary_json(const struct session *session, struct document *document, json_t *result)
{
	const struct stacks *stacks = session->stacks;
	json_t *array;

	document_set_count(document, result, "threads_total", stacks->python.count);
	document_set(document, result, "threads_without_python",
		     stacks->kernel_known ? json_integer((json_int_t)stacks->kernel_only)
					  : json_null());
	document_set_bool(document, result, "gil_known", stacks->python.gil_known);
	signal_json(session, document, result);
	array = document_set_array(document, result, "current");
	for (size_t i = 0; i < stacks->python.count; i++) {
		const struct thread_stack *thread = &stacks->threads[i];
		char place[512];
		json_t *object;

		if (rank(thread) == 2)
			continue;
		object = document_append_object(document, array);
		thread_facts_json(session, thread, document, object);
		stack_newest(session, &thread->stack, place, sizeof(place));
		document_set_string(document, object, "place", *place ? place : NULL);
	}
}

void threads_json(const struct session *session, struct document *document, json_t *result)
{
	const struct stacks *stacks = session->stacks;
	uint64_t limit = command_limit(session, JSON_THREADS_USUALLY);
	json_t *array;

	threads_summary_json(session, document, result);
	array = document_set_array(document, result, "threads");
	for (size_t i = 0; i < stacks->python.count && i < limit; i++)
		thread_json(session, &stacks->threads[i], document,
			    document_append_object(document, array));
}

/** Writes a document as a line and frees it. */
static struct error *write_line(struct document *document, const struct output *output)
{
	struct error *err = NULL;

	if (document->failed)
		err = &error_no_memory;
	else if (!document_write_line(document, output->file))
		err = output_status(output);
	document_clear(document);
	return err;
}

struct error *threads_ndjson(const struct session *session, const struct output *output)
{
	const struct stacks *stacks = session->stacks;
	uint64_t limit = command_limit(session, UINT64_MAX);
	struct error *err = NULL;

	for (size_t i = 0; !err && i < stacks->python.count && i < limit; i++) {
		struct document document;

		document_init(&document);
		document_set_string(&document, document.root, "record", "thread");
		thread_json(session, &stacks->threads[i], &document, document.root);
		err = write_line(&document, output);
	}
	for (uint32_t i = 0; !err && i < stacks->suspended_count && i < limit; i++) {
		struct document document;

		document_init(&document);
		suspended_one_json(session, &stacks->suspended[i], &document, document.root);
		err = write_line(&document, output);
	}
	return err;
}
