/*
 * DWARF through libdwfl, which finds separate debug files by build-id and debuglink, below the
 * directories of --debuginfo-path, and through debuginfod when DEBUGINFOD_URLS is set. Modules are
 * reported to it one by one, when their DWARF is first asked for.
 */
#include "target/module_private.h"

#include <fcntl.h>
#include <stdlib.h>

/** Gives libdwfl the file that was verified; never one that it would find by itself. */
static int find_elf(Dwfl_Module *mod, void **userdata, const char *name, Dwarf_Addr base,
		    char **file_name, Elf **elf)
{
	const struct module *module = *userdata;
	int fd;

	(void)mod;
	(void)name;
	(void)base;
	(void)elf;
	if (!module || !module->file)
		return -1;
	fd = open(module->file, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		*file_name = strdup(module->file);
	return fd;
}

static bool begin(struct modules_private *private)
{
	if (private->dwfl)
		return true;
	private->callbacks.find_elf = find_elf;
	private->callbacks.find_debuginfo = dwfl_standard_find_debuginfo;
	if (private->debuginfo_path)
	private->callbacks.debuginfo_path = &private->debuginfo_path;
	private->dwfl = dwfl_begin(&private->callbacks);
	return private->dwfl;
}

/** Reports a module to libdwfl. @return false if that fails */
static bool report(struct modules_private *private, const struct module *module,
		   struct module_state *state)
{
	void **userdata;

	dwfl_report_begin_add(private->dwfl);
	state->dwfl = dwfl_report_module(private->dwfl, module->path, module->start, module->end);
	if (state->dwfl && module->build_id_size)
		dwfl_module_report_build_id(state->dwfl, module->build_id, module->build_id_size,
					    0);
	dwfl_report_end(private->dwfl, NULL, NULL);
	if (!state->dwfl)
		return false;
	dwfl_module_info(state->dwfl, &userdata, NULL, NULL, NULL, NULL, NULL, NULL);
	*userdata = (void *)module;
	return true;
}

Dwarf *modules_dwarf(struct modules *modules, const struct module *module, uint64_t *bias)
{
	struct module_state *state;

	*bias = 0;
	if (!modules->private)
		return NULL;
	state = module_state(modules, module);
	if (!state->dwarf_tried && begin(modules->private)) {
		state->dwarf_tried = true;
		if (report(modules->private, module, state))
			state->dwarf = dwfl_module_getdwarf(state->dwfl, &state->dwarf_bias);
	}
	*bias = state->dwarf_bias;
	return state->dwarf;
}
