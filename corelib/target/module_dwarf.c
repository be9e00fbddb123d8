/*
 * DWARF through libdwfl, which finds separate debug files by build-id and debuglink, below the
 * directories of --debuginfo-path, and through debuginfod when DEBUGINFOD_URLS is set. Modules are
 * reported to it one by one, when their DWARF is first asked for.
 */
#include "target/module_private.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

/**
 * Gives libdwfl the file that was verified. Without one, what is kept by build-id will do: the
 * file, or its debug file, which has the same program headers.
 */
static int find_elf(Dwfl_Module *mod, void **userdata, const char *name, Dwarf_Addr base,
		    char **file_name, Elf **elf)
{
	const struct module *module = *userdata;
	int fd;

	if (!module)
		return -1;
	if (!module->file) {
		fd = dwfl_build_id_find_elf(mod, userdata, name, base, file_name, elf);
		if (fd >= 0 || *elf)
			return fd;
		return dwfl_build_id_find_debuginfo(mod, userdata, name, base, NULL, NULL, 0,
						    file_name);
	}
	fd = open(module->file, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		*file_name = strdup(module->file);
	return fd;
}

static Dwfl *begin(struct modules_private *private)
{
	private->callbacks.find_elf = find_elf;
	private->callbacks.find_debuginfo = dwfl_standard_find_debuginfo;
	private->callbacks.debuginfo_path = &private->debuginfo_path;
	return dwfl_begin(&private->callbacks);
}

/** Reports a module to libdwfl. @return NULL if that fails */
static Dwfl_Module *report(Dwfl *dwfl, const struct module *module)
{
	Dwfl_Module *reported;
	void **userdata;

	dwfl_report_begin_add(dwfl);
	reported = dwfl_report_module(dwfl, module->path, module->start, module->end);
	if (reported && module->build_id_size)
		dwfl_module_report_build_id(reported, module->build_id, module->build_id_size, 0);
	dwfl_report_end(dwfl, NULL, NULL);
	if (!reported)
		return NULL;
	dwfl_module_info(reported, &userdata, NULL, NULL, NULL, NULL, NULL, NULL);
	*userdata = (void *)module;
	return reported;
}

Dwarf *modules_dwarf(struct modules *modules, const struct module *module, uint64_t *bias)
{
	struct modules_private *private = modules->private;
	struct module_state *state;

	*bias = 0;
	if (!private)
		return NULL;
	state = module_state(modules, module);
	if (!state->dwarf_tried) {
		state->dwarf_tried = true;
		if (!private->dwfl)
		private->dwfl = begin(private);
		if (private->dwfl)
			state->dwfl = report(private->dwfl, module);
		if (state->dwfl)
			state->dwarf = dwfl_module_getdwarf(state->dwfl, &state->dwarf_bias);
	}
	*bias = state->dwarf_bias;
	return state->dwarf;
}

/** The path of an open file; NULL if it has none. */
static char *path_of(int fd)
{
	char link[64], path[PATH_MAX];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path));
	return length > 0 && length < (ssize_t)sizeof(path) ? strndup(path, length) : NULL;
}

char *module_find_by_build_id(struct modules *modules, const struct module *module)
{
	char *path = NULL;
	Elf *elf = NULL;
	Dwfl *dwfl;
	Dwfl_Module *reported;
	int fd = -1;

	if (!modules->private->has_debuginfo || !module->build_id_size)
		return NULL;
	// A session of its own: the list of modules still moves in memory.
	dwfl = begin(modules->private);
	reported = dwfl ? report(dwfl, module) : NULL;
	if (reported)
		fd = dwfl_build_id_find_elf(reported, NULL, module->path, module->start, &path,
					    &elf);
	elf_end(elf);
	// A file from debuginfod comes without its name.
	if (fd >= 0 && !path)
		path = path_of(fd);
	if (fd >= 0)
		close(fd);
	if (dwfl)
		dwfl_end(dwfl);
	return path;
}
