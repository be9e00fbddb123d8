/*
 * Looks for a core file among the files that LLDB has mapped. See core_file.h.
 */
#include "core_file.h"

#include "../host.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/** A mapped file, as /proc/self/maps names it. */
struct mapped {
	dev_t device;
	ino_t inode; // 0: no file
	char *path;  // points into the line
};

static bool parse(char *line, struct mapped *mapped)
{
	unsigned major, minor;
	unsigned long inode;
	int path = 0;

	line[strcspn(line, "\n")] = 0;
	if (sscanf(line, "%*x-%*x %*s %*x %x:%x %lu %n", &major, &minor, &inode, &path) != 3 ||
	    !inode || line[path] != '/')
		return false;
	*mapped = (struct mapped){makedev(major, minor), inode, line + path};
	return true;
}

// Is it a core, and the very file that is mapped? Only regular files are opened.
static bool is_mapped_core(const struct mapped *mapped)
{
	struct stat file;
	bool result;
	int fd;

	if (stat(mapped->path, &file) < 0 || !S_ISREG(file.st_mode) || file.st_ino != mapped->inode)
		return false;
	fd = open(mapped->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	result = host_is_core(fd);
	close(fd);
	return result;
}

char *core_file_find(void)
{
	struct mapped mapped, last = {0};
	char *line = NULL, *found = NULL;
	bool several = false;
	size_t size = 0;
	FILE *maps = fopen("/proc/self/maps", "re");

	while (maps && !several && getline(&line, &size, maps) > 0) {
		if (!parse(line, &mapped) ||
		    (mapped.device == last.device && mapped.inode == last.inode))
			continue;
		last = mapped;
		if (!is_mapped_core(&mapped) || (found && strcmp(found, mapped.path) == 0))
			continue;
		several = found != NULL;
		if (!found)
			found = strdup(mapped.path);
	}
	if (maps)
		fclose(maps);
	free(line);
	if (several) {
		free(found);
		found = NULL;
	}
	return found;
}
