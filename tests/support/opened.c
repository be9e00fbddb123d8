/* From the target up to the objects. */
#include "support/opened.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

void opened_open(struct opened *opened, const struct interpreter_choice *choice,
		 const struct python_process *process, const char *core)
{
	const struct target_options options = {.sysroot = strcmp(choice->root, "/") ? choice->root
										    : NULL};

	assert_null(core ? target_open_core(core, &options, &opened->target)
			 : target_open_pid(process->pid, &options, &opened->target));
	assert_null(runtime_open(opened->target, &opened->runtime));
	assert_null(heap_open(opened->runtime, NULL, &opened->heap));
	assert_null(objects_open(opened->heap, NULL, NULL, &opened->objects));
}

void opened_close(struct opened *opened)
{
	objects_close(opened->objects);
	heap_close(opened->heap);
	runtime_close(opened->runtime);
	target_close(opened->target);
	*opened = (struct opened){0};
}

bool opened_all_found(const struct census *census, uint64_t address)
{
	const struct objects *objects = census->objects;
	uint32_t object = objects_find(objects, address);
	const struct type *type = object == HEAP_NONE ? NULL : objects_type(objects, object);

	if (!type) {
		print_error("no object at 0x%" PRIx64 "\n", address);
		return false;
	}
	if ((int64_t)census->found[object] >= objects->refcounts[object])
		return true;
	print_error("%s at 0x%" PRIx64 ": %d references, %u found\n", type->name, address,
		    objects->refcounts[object], census->found[object]);
	return false;
}
