/*
 * What is common to all kinds of targets: making, filling from files, closing.
 */
#include "target/target_private.h"

#include <stdlib.h>

struct target *target_create(enum target_kind kind, const char *name)
{
	struct target *target = calloc(1, sizeof(*target));

	if (!target)
		return NULL;
	target->kind = kind;
	target->name = strdup(name);
	target->image = image_create();
	target->private = calloc(1, sizeof(*target->private));
	if (target->name && target->image && target->private)
		return target;
	target_close(target);
	return NULL;
}

void target_close(struct target *target)
{
	if (!target)
		return;
	if (target->private)
		live_close(target);
	modules_destroy(target->modules);
	image_destroy(target->image);
	coverage_clear(&target->coverage);
	free(target->threads);
	free(target->command);
	free(target->name);
	free(target->private);
	free(target);
}

void target_cleanup(struct target **target)
{
	target_close(*target);
	*target = NULL;
}

struct error *target_release(struct target *target)
{
	return live_release(target);
}

/** Fills one gap of a file mapping. *needed grows by what only the file has. */
static struct error *fill_gap(struct target *target, const struct mapping *mapping,
			      const struct module *module, uint64_t start, uint64_t end,
			      uint64_t *needed)
{
	struct elf_view bytes = {NULL, 0};
	struct error *err = NULL;

	if (module) {
		// Padding between segments that nobody may read is no loss.
		if (!mapping->flags_known || mapping->flags & PF_R)
			*needed += end - start;
		bytes = module_file_bytes(module_state(target->modules, module), mapping, start,
					  end);
	}
	if (bytes.size)
		err = image_add(target->image, start, bytes.size, bytes.data, mapping->flags,
				SEGMENT_FILE);
	if (!err)
		err = image_add_hole(target->image, start + bytes.size, end, mapping->flags,
				     module ? module_hole_reason(module) : "data file, not dumped");
	return err;
}

struct error *target_fill_from_files(struct target *target, const struct mappings *mappings)
{
	struct modules *modules = target->modules;
	uint64_t *needed = calloc(modules->count + 1, sizeof(*needed));
	struct error *err = needed ? NULL : &error_no_memory;

	for (size_t i = 0; i < mappings->count && !err; i++) {
		const struct mapping *mapping = &mappings->items[i];
		const struct module *module = modules_at(modules, mapping->start);
		uint64_t start = mapping->start, end;
		size_t index;

		if (!mapping->path)
			continue;
		if (module && strcmp(module->path, mapping->path))
			module = NULL;
		index = module ? (size_t)(module - modules->items) : modules->count;
		while (!err && image_next_gap(target->image, start, mapping->end, &start, &end)) {
			err = fill_gap(target, mapping, module, start, end, &needed[index]);
			start = end;
		}
	}
	for (size_t i = 0; i < modules->count && !err; i++)
		module_problem(modules, &modules->items[i], needed[i], &target->coverage);
	free(needed);
	return err;
}
