/* Which release it is: from the table in _PyRuntime, from symbols, and in the end from sys.version.
 */
#include "cpython/runtime_private.h"

#include <stdio.h>
#include <stdlib.h>

/* First words of _Py_DebugOffsets, the same in all releases that have it (pycore_debug_offsets.h).
 */
enum { DEBUG_OFFSETS_VERSION = 8, DEBUG_OFFSETS_FREE_THREADED = 16 };

static bool from_debug_offsets(struct runtime *runtime, struct reader *reader)
{
	const char *bytes = reader_at(reader, runtime->address, 24);
	uint64_t version, free_threaded;

	if (!bytes || memcmp(bytes, "xdebugpy", 8))
		return false;
	reader_u64(reader, runtime->address + DEBUG_OFFSETS_VERSION, &version);
	reader_u64(reader, runtime->address + DEBUG_OFFSETS_FREE_THREADED, &free_threaded);
	if (version >> 24 != 3)
		return false;
	runtime->hexversion = (uint32_t)version;
	runtime->free_threaded = free_threaded != 0;
	runtime->version_source = "_Py_DebugOffsets in the runtime";
	return true;
}

static bool from_py_version(struct runtime *runtime, struct reader *reader)
{
	struct modules *modules = runtime->target->modules;
	struct symbol symbol;
	uint64_t version;

	if (!modules || !modules_symbol(modules, "Py_Version", &symbol) ||
	    !reader_u64(reader, symbol.address, &version) || version >> 24 != 3)
		return false;
	runtime->hexversion = (uint32_t)version;
	runtime->version_source = "symbol Py_Version";
	return true;
}

/* The runtime struct of each early release has its own size. */
static bool from_runtime_size(struct runtime *runtime, uint64_t size)
{
	for (size_t i = 0; size && i < layout_row_count; i++) {
		if (layout_rows[i].layout.PyRuntime_size != size)
			continue;
		runtime->hexversion = layout_rows[i].hexversion;
		runtime->version_source = "size of _PyRuntime, then sys.version";
		return true;
	}
	return false;
}

/* "libpython3.9.so.1.0", "python3.9". */
static bool from_module_name(struct runtime *runtime)
{
	const char *at = runtime->module ? runtime->module->path : NULL;
	unsigned minor;

	while (at && (at = strstr(at, "python3."))) {
		if (sscanf(at, "python3.%u", &minor) == 1 && minor < 100) {
			runtime->hexversion = 0x03000000 | minor << 16;
			runtime->version_source = "name of the module, then sys.version";
			return true;
		}
		at++;
	}
	return false;
}

void version_detect(struct runtime *runtime, struct reader *reader, uint64_t runtime_size)
{
	if (!runtime->hexversion && !from_debug_offsets(runtime, reader) &&
	    !from_py_version(runtime, reader) && !from_runtime_size(runtime, runtime_size))
		from_module_name(runtime);
	runtime->minor = runtime->hexversion >> 16 & 0xff;
	version_format(runtime->hexversion, runtime->version, sizeof(runtime->version));
}

void version_format(uint32_t hexversion, char *buffer, size_t size)
{
	unsigned level = hexversion >> 4 & 0xf;
	int used = snprintf(buffer, size, "%u.%u.%u", hexversion >> 24, hexversion >> 16 & 0xff,
			    hexversion >> 8 & 0xff);

	if (used > 0 && (size_t)used < size && level >= 0xa && level <= 0xc)
		snprintf(buffer + used, size - (size_t)used, "%s%u",
			 level == 0xa ? "a" : (level == 0xb ? "b" : "rc"), hexversion & 0xf);
}

/* sys.version is "3.11.7 (main, Dec  4 2023, 18:10:11) [GCC 12.2.0]", on one or two lines. */
static void take_sys_version(struct runtime *runtime, const char *text)
{
	unsigned major, minor, micro;
	const char *space = strchr(text, ' ');

	if (sscanf(text, "%u.%u.%u", &major, &minor, &micro) != 3 || major != 3 ||
	    (int)minor != runtime->minor || micro > 255 || !space)
		return;
	if ((size_t)(space - text) < sizeof(runtime->version)) {
		memcpy(runtime->version, text, (size_t)(space - text));
		runtime->version[space - text] = '\0';
	}
	if ((runtime->hexversion >> 8 & 0xff) != micro || !(runtime->hexversion & 0xff))
		runtime->hexversion = 0x03000000 | minor << 16 | micro << 8 | 0xf0;
	free(runtime->build);
	runtime->build = strdup(space + 1);
	for (char *at = runtime->build; at && *at; at++)
		if (*at == '\n')
			*at = ' ';
}

void version_refine(struct runtime *runtime, struct reader *reader)
{
	uint64_t sysdict = runtime->interpreters[0].sysdict, version;
	char text[512];

	if (!sysdict)
		return;
	version = dict_find(runtime, reader, sysdict, "version");
	if (version && object_is_str(runtime, reader, version) &&
	    object_str(runtime, reader, version, text, sizeof(text)))
		take_sys_version(runtime, text);
	runtime->debug_build = dict_find(runtime, reader, sysdict, "gettotalrefcount") != 0;
}
