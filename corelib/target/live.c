/*
 * Live processes and debuggers: refused until they are built.
 */
#include "target/target.h"

struct error *target_open_pid(pid_t pid, const struct target_options *options,
			      struct target **target)
{
	(void)options;
	(void)target;
	return error_create(ERROR_GENERAL, "pid %d: live processes are not supported yet", pid);
}

struct error *target_open_debugger(const struct target_callbacks *callbacks,
				   const struct target_options *options, struct target **target)
{
	(void)callbacks;
	(void)options;
	(void)target;
	return error_create(ERROR_GENERAL, "a debugger's memory is not supported yet");
}
