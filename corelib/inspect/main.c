/*
 * main() of pycore-inspect: the streams, the terminal, Ctrl-C.
 */
#include "command/front_end.h"
#include "journal.h"
#include "lost_page.h"

#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syslog.h>
#include <unistd.h>

/** Set by the first signal; the second one kills, because its default is back. */
static volatile sig_atomic_t stop_signal;

static void stop(int number)
{
	stop_signal = number;
}

static bool is_stopped(void *context)
{
	(void)context;
	return stop_signal != 0;
}

static void catch_signals(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action = {.sa_handler = stop, .sa_flags = (int)SA_RESETHAND};

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct sigaction before;

		// What is ignored stays ignored: nohup, a background job of a script.
		if (!sigaction(signals[i], NULL, &before) && before.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	}
}

/** A core opened as descriptor 1 would be written to: keeps 0 to 2 taken, but unusable. */
static void keep_standard_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			exit(PYMEM_ERROR);
}

static int terminal_columns(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		return 0;
	return size.ws_col;
}

/** Did the kernel start it for a core? */
static bool is_handler(int argc, char **argv)
{
	static const char option[] = "--handle-core";

	for (int i = 1; i < argc; i++)
		if (!strncmp(argv[i], option, sizeof(option) - 1))
			return true;
	return false;
}

/** What nobody reads goes to the log. What is written is for root's eyes. */
static void set_up_handler(struct pymem_io *io, bool out_open, bool err_open)
{
	FILE *journal = out_open && err_open ? NULL : journal_open(LOG_NOTICE);

	if (!out_open && journal)
		io->out = journal;
	if (!err_open && journal)
		io->err = journal;
	umask(077);
	// There is no environment that says so.
	setlocale(LC_CTYPE, "C.UTF-8");
}

int main(int argc, char **argv)
{
	bool out_open = fcntl(STDOUT_FILENO, F_GETFD) >= 0;
	bool err_open = fcntl(STDERR_FILENO, F_GETFD) >= 0;
	struct pymem_io io = {
		.out = stdout,
		.err = stderr,
		.interrupted = is_stopped,
		.lost = lost_page,
	};
	struct lost_page_guard guard = {0};

	keep_standard_streams();
	// A limit on the size of files is an error that is told, like a full disk.
	signal(SIGXFSZ, SIG_IGN);
	setlocale(LC_CTYPE, "");
	if (is_handler(argc, argv))
		set_up_handler(&io, out_open, err_open);
	io.out_is_terminal = out_open && isatty(STDOUT_FILENO);
	io.err_is_terminal = err_open && isatty(STDERR_FILENO);
	io.columns = terminal_columns();
	io.utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	catch_signals();
	lost_page_begin(&guard);
	return pymem_main(argc, argv, &io);
}
