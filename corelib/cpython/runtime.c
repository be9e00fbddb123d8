/*
 * Opens a runtime: finds it, asks for its version, tries the layouts that may fit until one holds
 * when its lists are walked. What is not understood is refused, with what was found and what is
 * missing.
 */
#include "cpython/runtime_private.h"
#include "cpython/type_names.h"

#include <stdlib.h>

enum { MINOR_OLDEST = 8 };

/* Tries layouts until the interpreters read with one are consistent. */
static struct error *settle_layout(struct runtime *runtime, struct reader *reader)
{
	struct error *first = NULL;
	unsigned attempt = 0;

	while (layout_next(runtime, reader, &attempt)) {
		struct error *err = interpreters_read(runtime, reader);

		if (!err) {
			error_free(first);
			return NULL;
		}
		if (first)
			error_free(err);
		else
			first = err;
		/* Types were decoded with a layout that does not hold. */
		type_cache_destroy(runtime->types);
		runtime->types = type_cache_create(runtime);
		if (!runtime->types) {
			error_free(first);
			return &error_no_memory;
		}
	}
	if (first) {
		struct error *err = error_create(
			ERROR_NOT_PYTHON, "%s: CPython %s found (%s), but it cannot be decoded: %s",
			runtime->target->name, runtime->version, runtime->version_source,
			first->message);

		error_free(first);
		return err;
	}
	return error_create(
		ERROR_NOT_PYTHON,
		"%s: CPython %s found (%s), but its memory layout is not known here and "
		"%s has no debug information to read it from",
		runtime->target->name, runtime->version, runtime->version_source,
		runtime->module ? runtime->module->path : "its module");
}

static struct error *check_supported(const struct runtime *runtime)
{
	const char *where = runtime->module ? runtime->module->path : "memory";

	if (!runtime->hexversion)
		return error_create_at(
			ERROR_NOT_PYTHON, runtime->address,
			"%s: _PyRuntime found in %s, but nothing tells which version "
			"of CPython it is",
			runtime->target->name, where);
	if (runtime->free_threaded)
		return error_create(
			ERROR_NOT_PYTHON,
			"%s: CPython %s found in %s is a free-threaded build, whose heap "
			"cannot be decoded yet",
			runtime->target->name, runtime->version, where);
	if (runtime->minor < MINOR_OLDEST)
		return error_create(ERROR_NOT_PYTHON,
				    "%s: CPython %u.%u found in %s; 3.8 to 3.15 are supported",
				    runtime->target->name, runtime->hexversion >> 24,
				    runtime->minor, where);
	return NULL;
}

/** Without the files of the interpreter its static types have no names but those in modules. */
static struct error *recover_names(struct runtime *runtime, struct reader *reader)
{
	struct error *err = type_names_collect(runtime, reader, &runtime->type_names);

	if (err || !runtime->type_names)
		return err;
	// Types that were looked at before had no names.
	type_cache_destroy(runtime->types);
	runtime->types = type_cache_create(runtime);
	if (!runtime->types)
		return &error_no_memory;
	coverage_add(&runtime->target->coverage, PROBLEM_PARTIAL, "types-without-file",
		     "the file with CPython's code and type names is not here: types are named by "
		     "the modules that hold them, and only decoders that are built in are used");
	return NULL;
}

static struct error *open_once(struct target *target, struct runtime **result)
{
	struct runtime *runtime = calloc(1, sizeof(*runtime));
	struct reader reader;
	struct error *err;
	uint64_t size;

	*result = NULL;
	if (!runtime)
		return &error_no_memory;
	runtime->target = target;
	reader_init(&reader, target->image);
	runtime->types = type_cache_create(runtime);
	err = runtime->types ? runtime_find(runtime, &reader, &size) : &error_no_memory;
	if (!err) {
		version_detect(runtime, &reader, size);
		err = check_supported(runtime);
	}
	if (!err)
		err = settle_layout(runtime, &reader);
	if (!err)
		err = recover_names(runtime, &reader);
	if (err) {
		runtime_close(runtime);
		return err;
	}
	version_refine(runtime, &reader);
	*result = runtime;
	return NULL;
}

struct error *runtime_open(struct target *target, struct runtime **result)
{
	struct error *err = open_once(target, result), *second;

	if (!err || err->code != ERROR_NOT_PYTHON || !target->runtime_hint)
		return err;
	// A debugger may have the symbols of another build: LLDB 14 and 16 take the executable that
	// this machine has at its path for that of the core.
	target->runtime_hint = 0;
	second = open_once(target, result);
	if (second && second->code == ERROR_NOT_PYTHON) {
		error_free(second);
		return err;
	}
	error_free(err);
	return second;
}

void runtime_close(struct runtime *runtime)
{
	if (!runtime)
		return;
	type_cache_destroy(runtime->types);
	type_names_free(runtime->type_names);
	free(runtime->interpreters);
	free(runtime->build);
	free(runtime);
}
