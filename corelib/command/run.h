/**
 * @file
 * The steps from words that are understood to an answer that is written, for the front ends and the
 * library.
 */
#ifndef PYMEM_COMMAND_RUN_H
#define PYMEM_COMMAND_RUN_H

#include "command/request.h"

/** Checks what can be checked before there is a target. */
struct error *run_check(const struct options *options, const struct request *request,
			bool needs_target) __attribute__((warn_unused_result));

/** Help and version need no target. @return false if the words ask for neither */
bool run_help(enum front_end front_end, const struct options *options,
	      const struct request *request, FILE *out);

/** Computes and writes, on an open session; to the file of --output, else to session->io->out. */
struct error *run_request(struct session *session, const struct request *request)
	__attribute__((warn_unused_result));

#endif
