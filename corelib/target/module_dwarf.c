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

/** Gives libdwfl the file that was chosen; never one that it would find by itself. */
static int find_elf(Dwfl_Module *mod, void **userdata, const char *name, Dwarf_Addr base,
		    char **file_name, Elf **elf)
{
	const char *path = *userdata;
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	(void)mod;
	(void)name;
	(void)base;
	(void)elf;
	if (fd >= 0)
		*file_name = strdup(path);
	return fd;
}

static Dwfl *begin(struct modules_private *private)
{
	private->callbacks.find_elf = find_elf;
	private->callbacks.find_debuginfo = dwfl_standard_find_debuginfo;
	private->callbacks.debuginfo_path = &private->debuginfo_path;
	return dwfl_begin(&private->callbacks);
}

/** Reports a module to libdwfl with the file to open for it. @return NULL if that fails */
static Dwfl_Module *report(Dwfl *dwfl, const struct module *module, const char *path)
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
	*userdata = (void *)path;
	return reported;
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

/** Looks for a module's file, or for its debug file, by build-id. @return the path, or NULL */
static char *find_by_build_id(struct modules_private *private, const struct module *module,
			      bool debug)
{
	// A session of its own: libdwfl keeps what it finds.
	Dwfl *dwfl = module->build_id_size ? begin(private) : NULL;
	Dwfl_Module *reported = dwfl ? report(dwfl, module, NULL) : NULL;
	char *path = NULL;
	Elf *elf = NULL;
	int fd = -1;

	if (reported && debug)
		fd = dwfl_build_id_find_debuginfo(reported, NULL, module->path, module->start, NULL,
						  NULL, 0, &path);
	else if (reported)
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

char *module_find_by_build_id(struct modules *modules, const struct module *module)
{
	return modules->private->has_debuginfo ? find_by_build_id(modules->private, module, false)
					       : NULL;
}

/** The file to give to libdwfl. If there is none, the debug file has the same program headers. */
static char *file_for_dwarf(struct modules *modules, const struct module *module)
{
	return module->file ? strdup(module->file)
			    : find_by_build_id(modules->private, module, true);
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
		state->dwarf_file = file_for_dwarf(modules, module);
		if (!private->dwfl)
		private->dwfl = begin(private);
		if (private->dwfl && state->dwarf_file)
			state->dwfl = report(private->dwfl, module, state->dwarf_file);
		if (state->dwfl)
			state->dwarf = dwfl_module_getdwarf(state->dwfl, &state->dwarf_bias);
	}
	*bias = state->dwarf_bias;
	return state->dwarf;
}
