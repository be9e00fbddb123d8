/*
 * Files and processes of this machine. See host.h.
 */
#include "host.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool host_is_core(int fd)
{
	Elf64_Ehdr header;

	return pread(fd, &header, sizeof(header), 0) == sizeof(header) &&
	       memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 && header.e_type == ET_CORE;
}

pid_t host_tracer_of(pid_t pid)
{
	char path[64], line[256];
	int tracer = 0;
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	status = fopen(path, "re");
	if (!status)
		return 0;
	while (fgets(line, sizeof(line), status) && sscanf(line, "TracerPid: %d", &tracer) != 1)
		continue;
	fclose(status);
	return tracer;
}
