/*
 * Reads the files of /proc/PID.
 */
#include "target/proc.h"

#include <ctype.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void proc_close(FILE **file)
{
	if (*file)
		fclose(*file);
}

FILE *proc_open(pid_t pid, const char *name)
{
	char path[64];

	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	else
		snprintf(path, sizeof(path), "/proc/%s", name);
	return fopen(path, "re");
}

DIR *proc_tasks(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	return opendir(path);
}

uint64_t proc_number(pid_t pid, const char *name, const char *word)
{
	__attribute__((cleanup(proc_close))) FILE *file = proc_open(pid, name);
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, word, strlen(word)))
			return strtoull(line + strlen(word), NULL, 10);
	return 0;
}

bool proc_status(pid_t pid, struct proc_status *status)
{
	__attribute__((cleanup(proc_close))) FILE *file = proc_open(pid, "status");
	char line[256];
	int value;

	*status = (struct proc_status){0};
	if (!file)
		return false;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "Name: %63[^\n]", status->name) == 1 ||
		    sscanf(line, "State: %c", &status->state) == 1)
			continue;
		if (sscanf(line, "Tgid: %d", &value) == 1)
			status->process = value;
		else if (sscanf(line, "TracerPid: %d", &value) == 1)
			status->tracer = value;
		else if (!strncmp(line, "VmSize:", 7))
			status->has_memory = true;
	}
	return true;
}

pid_t proc_inner_pid(pid_t pid)
{
	__attribute__((cleanup(proc_close))) FILE *file = proc_open(pid, "status");
	char line[1024];
	const char *last;

	while (file && fgets(line, sizeof(line), file)) {
		// One number for each namespace, from ours to its own.
		if (strncmp(line, "NSpid:", 6) != 0)
			continue;
		last = strrchr(line, '\t');
		return last && atoi(last) != pid ? atoi(last) : 0;
	}
	return 0;
}

/** The kernel writes a newline in a path as \012. */
static void unescape(char *path)
{
	char *to = path;

	for (const char *from = path; *from;) {
		if (!strncmp(from, "\\012", 4)) {
			*to++ = '\n';
			from += 4;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
}

/** Takes one line of maps. @return false when out of memory */
static bool add_line(struct mappings *mappings, char *line)
{
	struct mapping mapping = {.flags_known = true};
	char permissions[5];
	int path = 0;

	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, "%lx-%lx %4s %lx %*x:%*x %lu %n", &mapping.start, &mapping.end,
		   permissions, &mapping.offset, &mapping.inode, &path) < 5 ||
	    mapping.start >= mapping.end)
		return true;
	mapping.flags = (permissions[0] == 'r' ? PF_R : 0) | (permissions[1] == 'w' ? PF_W : 0) |
			(permissions[2] == 'x' ? PF_X : 0);
	mapping.shared = permissions[3] == 's';
	unescape(line + path);
	return mappings_add(mappings, mapping, line[path] ? line + path : NULL);
}

struct error *proc_mappings(pid_t pid, struct mappings *mappings)
{
	__attribute__((cleanup(proc_close))) FILE *file = proc_open(pid, "maps");
	char *line = NULL;
	size_t size = 0;
	bool fits = true;

	if (!file)
		return error_system(errno, "pid %d: cannot read its memory map", (int)pid);
	while (fits && getline(&line, &size, file) > 0)
		fits = add_line(mappings, line);
	free(line);
	if (!fits)
		return &error_no_memory;
	if (ferror(file))
		return error_system(errno, "pid %d: cannot read its memory map", (int)pid);
	mappings_sort(mappings);
	return NULL;
}

char *proc_command(pid_t pid)
{
	__attribute__((cleanup(proc_close))) FILE *file = proc_open(pid, "cmdline");
	char text[4096];
	size_t length;

	if (!file)
		return NULL;
	length = fread(text, 1, sizeof(text), file);
	while (length && !text[length - 1])
		length--;
	if (!length)
		return NULL;
	for (size_t i = 0; i < length; i++)
		if (iscntrl((unsigned char)text[i]))
			text[i] = ' ';
	return strndup(text, length);
}

uint64_t proc_auxv(pid_t pid, uint64_t type)
{
	__attribute__((cleanup(proc_close))) FILE *file = proc_open(pid, "auxv");
	Elf64_auxv_t entry;

	while (file && fread(&entry, sizeof(entry), 1, file) == 1 && entry.a_type != AT_NULL)
		if (entry.a_type == type)
			return entry.a_un.a_val;
	return 0;
}

bool proc_system_call(pid_t thread, int64_t *number)
{
	__attribute__((cleanup(proc_close))) FILE *file = proc_open(thread, "syscall");

	return file && fscanf(file, "%" SCNd64, number) == 1;
}

/** Do both paths lead to the same inode? True if that cannot be seen. */
static bool same_inode(const char *left, const char *right)
{
	struct stat a, b;

	if (stat(left, &a) || stat(right, &b))
		return true;
	return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

void proc_enter_link(const char *link, struct mappings *mappings)
{
	char root[PATH_MAX];
	ssize_t length = readlink(link, root, sizeof(root) - 1);

	if (length <= 0)
		return;
	root[length] = '\0';
	mappings_enter(mappings, root);
}

void proc_enter_root(pid_t pid, struct mappings *mappings)
{
	char link[64];

	snprintf(link, sizeof(link), "/proc/%d/root", (int)pid);
	proc_enter_link(link, mappings);
}

char *proc_root(pid_t pid)
{
	char root[64], namespace[64], *prefix;

	snprintf(root, sizeof(root), "/proc/%d/root", (int)pid);
	snprintf(namespace, sizeof(namespace), "/proc/%d/ns/mnt", (int)pid);
	prefix = same_inode(root, "/") && same_inode(namespace, "/proc/self/ns/mnt") ? "" : root;
	return strdup(prefix);
}
