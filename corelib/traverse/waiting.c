/* Generators, tasks of asyncio (Modules/_asynciomodule.c, Lib/asyncio/tasks.py), greenlets. */
#include "traverse/waiting.h"

#include "traverse/attributes.h"
#include "traverse/decoder.h"

#include <inttypes.h>
#include <stdio.h>

enum {
	WORD = sizeof(uint64_t),
	BASES_MAX = 64,
	WRAPPERS_MAX = 8,
	FUTURE_PENDING = 0, /* fut_state */

	/* greenlet 1 to 3: the object has a pointer to the rest of it, or is all of it */
	GREENLET_WORDS = 16, /* of its state that are looked at: the frame is the 13th in 2.0 */
};

static const struct {
	const char *type;
	enum waiting_kind kind;
	bool is_python; /* a Python class */
} kinds[] = {
	{"generator", WAITING_GENERATOR, false},
	{"coroutine", WAITING_COROUTINE, false},
	{"async_generator", WAITING_ASYNC_GENERATOR, false},
	{"_asyncio.Task", WAITING_TASK, false},
	{"asyncio.tasks.Task", WAITING_TASK, true},
	{"asyncio.tasks._PyTask", WAITING_TASK, true},
	{"greenlet.greenlet", WAITING_GREENLET, false},
	{"greenlet._greenlet.greenlet", WAITING_GREENLET, false},
};

const char *waiting_kind_name(enum waiting_kind kind)
{
	static const char *const names[WAITING_KINDS] = {
		[WAITING_NONE] = "",
		[WAITING_TASK] = "task",
		[WAITING_COROUTINE] = "coroutine",
		[WAITING_ASYNC_GENERATOR] = "async generator",
		[WAITING_GENERATOR] = "generator",
		[WAITING_GREENLET] = "greenlet",
	};

	return names[kind];
}

enum waiting_kind waiting_kind(const struct type *type)
{
	for (int depth = 0; type && depth < BASES_MAX; type = type->base, depth++)
		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
			if (!strcmp(type->name, kinds[i].type))
				return kinds[i].kind;
	return WAITING_NONE;
}

static const struct type *type_of(struct traverser *traverser, uint64_t object)
{
	struct object_header header;

	return object && object_header(traverser->runtime, &traverser->reader, object, &header)
		       ? type_get(traverser->runtime->types, &traverser->reader, header.type)
		       : NULL;
}

static uint64_t word(struct traverser *traverser, uint64_t address)
{
	uint64_t value;

	reader_u64(&traverser->reader, address, &value);
	return value;
}

uint64_t awaited_object(struct traverser *traverser, uint64_t object)
{
	const struct layout *layout = traverser->layout;
	const struct {
		const char *type;
		uint32_t offset;
	} wrappers[] = {
		{"async_generator_asend", layout->PyAsyncGenASend_ags_gen},
		{"async_generator_athrow", layout->PyAsyncGenAThrow_agt_gen},
		{"coroutine_wrapper", layout->PyCoroWrapper_cw_coroutine},
		{"anext_awaitable", layout->anextawaitableobject_wrapped},
		{"_asyncio.FutureIter", layout->futureiterobject_future},
	};

	for (int depth = 0; depth < WRAPPERS_MAX; depth++) {
		const struct type *type = type_of(traverser, object);
		uint64_t behind = 0;

		for (size_t i = 0; type && i < sizeof(wrappers) / sizeof(wrappers[0]); i++)
			if (layout_has(wrappers[i].offset) && !strcmp(type->name, wrappers[i].type))
				behind = word(traverser, object + wrappers[i].offset);
		if (!behind)
			break;
		object = behind;
	}
	return object;
}

/* Names that nobody gave say nothing about anybody: they stay when values are hidden. */
static bool is_given_name(const char *name)
{
	static const char *const usual[] = {"MainThread",	   "Thread-", "Task-", "Dummy-",
					    "ThreadPoolExecutor-", "asyncio_"};

	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
		size_t length = strlen(usual[i]);

		if (!strncmp(name, usual[i], length) &&
		    !name[length + strspn(name + length, "0123456789_")])
			return false;
	}
	return true;
}

static bool read_name(struct traverser *traverser, uint64_t text, char *name, size_t size)
{
	if (!object_str(traverser->runtime, &traverser->reader, text, name, size))
		return false;
	if (traverser->redact && is_given_name(name))
		*name = '\0';
	return true;
}

/*
 * Tasks
 */

/* Without a name of its own a task has a number: an int up to 3.12 is made a str early. */
static void name_task(struct traverser *traverser, uint64_t name, struct task *task)
{
	const struct type *type = type_of(traverser, name);
	int64_t number;

	if (!type)
		return;
	if (type->flags & TPFLAGS_UNICODE_SUBCLASS)
		read_name(traverser, name, task->name, sizeof(task->name));
	else if ((type->flags & TPFLAGS_LONG_SUBCLASS) && read_int(traverser, name, &number))
		snprintf(task->name, sizeof(task->name), "Task-%" PRId64, number);
}

static bool is_none(struct traverser *traverser, uint64_t object)
{
	const struct type *type = type_of(traverser, object);

	return type && !strcmp(type->name, "NoneType");
}

/* A Task of Lib/asyncio/tasks.py: everything is in attributes. */
static void read_python_task(struct traverser *traverser, uint64_t object, const struct type *type,
			     struct task *task)
{
	uint64_t state = attribute_find(traverser, object, type, "_state");
	char text[16] = "PENDING"; /* also where the class has it: nothing happened yet */

	if (state)
		object_str(traverser->runtime, &traverser->reader, state, text, sizeof(text));
	task->is_done = strcmp(text, "PENDING") != 0;
	task->coroutine = attribute_find(traverser, object, type, "_coro");
	task->waiter = attribute_find(traverser, object, type, "_fut_waiter");
	name_task(traverser, attribute_find(traverser, object, type, "_name"), task);
}

static bool is_python_task(const struct type *type)
{
	for (int depth = 0; type && depth < BASES_MAX; type = type->base, depth++)
		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
			if (kinds[i].kind == WAITING_TASK && !strcmp(type->name, kinds[i].type))
				return kinds[i].is_python;
	return false;
}

bool task_read(struct traverser *traverser, uint64_t object, const struct type *type,
	       struct task *task)
{
	const struct layout *layout = traverser->layout;
	uint32_t state;

	*task = (struct task){0};
	if (is_python_task(type)) {
		read_python_task(traverser, object, type, task);
	} else {
		if (!layout_has(layout->TaskObj_task_coro) ||
		    !reader_u32(&traverser->reader, object + layout->FutureObj_fut_state, &state))
			return false;
		task->is_done = state != FUTURE_PENDING;
		task->coroutine = word(traverser, object + layout->TaskObj_task_coro);
		task->waiter = word(traverser, object + layout->TaskObj_task_fut_waiter);
		name_task(traverser, word(traverser, object + layout->TaskObj_task_name), task);
	}
	if (is_none(traverser, task->waiter))
		task->waiter = 0;
	return true;
}

/*
 * Greenlets
 */

static bool is_frame(struct traverser *traverser, uint64_t object)
{
	const struct type *type = object % WORD ? NULL : type_of(traverser, object);

	return type && !strcmp(type->name, "frame");
}

/*
 * Since 2.0 the state is a C++ object behind a pointer, and the frame object a word of it; before
 * that it was a word of the greenlet. Only the place differs, so it is looked for.
 */
static uint64_t find_frame(struct traverser *traverser, uint64_t start, uint64_t end)
{
	for (uint64_t at = start; at < end; at += WORD) {
		uint64_t value;

		if (!reader_u64(&traverser->reader, at, &value))
			return 0;
		if (value && is_frame(traverser, value))
			return value;
	}
	return 0;
}

uint64_t greenlet_frame(struct traverser *traverser, uint64_t object)
{
	const struct type *type = type_of(traverser, object);
	uint64_t start = object + traverser->layout->PyObject_ob_type + WORD, frame;
	uint64_t end = object + (type && type->basicsize > 0 && type->basicsize < 4096
					 ? (uint64_t)type->basicsize
					 : 0);

	frame = end > start ? find_frame(traverser, start, end) : 0;
	for (uint64_t at = start; !frame && at < end; at += WORD) {
		uint64_t state = word(traverser, at);

		if (state && state % WORD == 0 && !type_of(traverser, state))
			frame = find_frame(traverser, state, state + GREENLET_WORDS * WORD);
	}
	return frame;
}

/*
 * Threads
 */

size_t named_threads_read(struct traverser *traverser, uint64_t modules,
			  struct named_thread *threads, size_t max)
{
	const struct runtime *runtime = traverser->runtime;
	uint64_t module = dict_find(runtime, &traverser->reader, modules, "threading");
	struct dict_view active;
	uint64_t dict;
	size_t count = 0;

	dict = module ? word(traverser, module + traverser->layout->PyModuleObject_md_dict) : 0;
	dict = dict ? dict_find(runtime, &traverser->reader, dict, "_active") : 0;
	if (!dict || !dict_open(runtime, &traverser->reader, dict, &active))
		return 0;
	for (uint64_t i = 0; i < active.count && count < max; i++) {
		struct named_thread *thread = &threads[count];
		uint64_t key, value, slot, name;
		const struct type *type;
		int64_t ident, tid;

		if (!dict_entry(&traverser->reader, &active, i, &key, &value, &slot) || !value ||
		    !read_int(traverser, key, &ident))
			continue;
		type = type_of(traverser, value);
		name = type ? attribute_find(traverser, value, type, "_name") : 0;
		thread->pthread = (uint64_t)ident;
		slot = type ? attribute_find(traverser, value, type, "_native_id") : 0;
		thread->tid = slot && read_int(traverser, slot, &tid) ? (pid_t)tid : 0;
		count += name && object_is_str(runtime, &traverser->reader, name) &&
			 read_name(traverser, name, thread->name, sizeof(thread->name));
	}
	return count;
}
