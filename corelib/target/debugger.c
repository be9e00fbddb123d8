/*
 * The memory of a debugger: refused until it is built.
 */
#include "target/target.h"

struct error *target_open_debugger(const struct target_callbacks *callbacks,
				   const struct target_options *options, struct target **target)
{
	(void)callbacks;
	(void)options;
	(void)target;
	return error_create(ERROR_GENERAL, "a debugger's memory is not supported yet");
}
