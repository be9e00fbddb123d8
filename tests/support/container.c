/* unshare(1) makes the namespaces, a script the mounts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/container.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* $1: mount point; $2: root of the interpreter; $3: its path; $4: program; $5: folder to share. A
 * shell is the first process: the kernel dumps no such one. */
static const char script[] =
	"set -e\n"
	"mount -t tmpfs none \"$1\"\n"
	"mkdir \"$1/root\"\n"
	"mount --rbind \"$2\" \"$1/root\"\n"
	"mount -t tmpfs none \"$1/root/tmp\"\n"
	"mkdir \"$1/root/tmp/shared\"\n"
	"mount --rbind \"$5\" \"$1/root/tmp/shared\"\n"
	"cp -r tests/programs \"$1/root/tmp/programs\"\n"
	"exec 3<&0\n"
	"chroot \"$1/root\" \"$3\" -B -c 'import os, runpy, sys\n"
	"os.chdir(\"/tmp/shared\")\n"
	"sys.argv = sys.argv[1:]\n"
	"sys.path.insert(0, \"/tmp/programs\")\n"
	"runpy.run_path(\"/tmp/programs/\" + sys.argv[0], run_name=\"__main__\")' $4 <&3 &\n"
	"wait || true\n"
	"exec sleep 600\n";

/* A test that fails jumps over its cleanup: what it started is ended when this process ends. */
static struct container *running;

static void end_all(void)
{
	while (running)
		container_end(running);
}

static void remember(struct container *container)
{
	static bool registered;

	container->next = running;
	running = container;
	if (!registered)
		registered = atexit(end_all) == 0;
}

static void forget(const struct container *container)
{
	struct container **link = &running;

	while (*link && *link != container)
		link = &(*link)->next;
	if (*link)
		*link = container->next;
}

static pid_t only_child(pid_t pid)
{
	char path[64], text[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	fclose(file);
	return atoi(text);
}

static void become(const struct interpreter_choice *choice, const char *program, bool user,
		   const struct container *container, int in, int out)
{
	const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	const char *const words[] = {
		"unshare",	"-m",
		"-p",		"--fork",
		"--kill-child", "sh",
		"-c",		script,
		"sh",		container->mount,
		choice->root,	choice->python,
		program,	container->shared,
		NULL,
	};
	const char *all[24] = {"unshare"};
	size_t count = 1;

	if (user)
		all[count++] = "-Ur";
	memcpy(&all[count], &words[1], sizeof(words) - sizeof(words[0]));
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setrlimit(RLIMIT_CORE, &unlimited);
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	for (int fd = 3; fd < 64; fd++)
		close(fd);
	execvp(all[0], (char *const *)all);
	_exit(127);
}

/* Waits until the program says that it is ready. */
static bool is_ready(int out)
{
	char text[64] = "";
	FILE *file = fdopen(out, "r");
	bool ready = file && fgets(text, sizeof(text), file) && !strncmp(text, "ready", 5);

	if (file)
		fclose(file);
	return ready;
}

static void make_folder(const char *path)
{
	assert_int_equal(mkdir(path, 0755), 0);
}

static void make_folders(struct container *container)
{
	const char *parent = getenv("TMPDIR");

	snprintf(container->folder, sizeof(container->folder), "%s/pymem-container-XXXXXX",
		 parent && *parent ? parent : P_tmpdir);
	assert_non_null(mkdtemp(container->folder));
	snprintf(container->mount, sizeof(container->mount), "%s/mount", container->folder);
	snprintf(container->shared, sizeof(container->shared), "%s/shared", container->folder);
	make_folder(container->mount);
	make_folder(container->shared);
}

struct container *container_start(const struct interpreter_choice *choice, const char *program,
				  bool user, const char **why)
{
	struct container *container = calloc(1, sizeof(*container));
	int in[2], out[2];
	bool ready;

	assert_non_null(container);
	make_folders(container);
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	container->keeper = fork();
	assert_true(container->keeper >= 0);
	if (container->keeper)
		remember(container);
	if (!container->keeper)
		become(choice, program, user, container, in[0], out[1]);
	close(in[0]);
	close(out[1]);
	container->input = in[1];
	ready = is_ready(out[0]);
	container->init = only_child(container->keeper);
	container->pid = container->init ? only_child(container->init) : 0;
	snprintf(container->root, sizeof(container->root), "/proc/%d/root%s/root",
		 (int)container->init, container->mount);
	if (ready && container->pid)
		return container;
	container_end(container);
	*why = "no namespaces can be made here";
	return NULL;
}

void container_end(struct container *container)
{
	char command[600];

	if (!container)
		return;
	forget(container);
	kill(container->keeper, SIGKILL);
	waitpid(container->keeper, NULL, 0);
	close(container->input);
	snprintf(command, sizeof(command), "rm -rf '%s'", container->folder);
	if (system(command))
		print_error("left behind: %s\n", container->folder);
	free(container);
}
