/**
 * @file
 * Roots as the beginning of a Python expression: `sys.modules`, a variable of a frame of
 * `sys._current_frames()`, the attribute of a static type.
 */
#ifndef PYMEM_ANALYSIS_ROOT_EXPRESSION_H
#define PYMEM_ANALYSIS_ROOT_EXPRESSION_H

#include "analysis/roots.h"
#include "traverse/expression.h"

/**
 * Begins an expression that stands for what a root holds. Where Python has none it is in words, and
 * expression->evaluable is false.
 */
void root_expression(const struct roots *roots, const struct root *root,
		     struct expression *expression);

/** A word of a running function's frame. */
struct root_frame {
	pid_t tid;		 /**< of the thread; 0: not known */
	uint64_t thread_id;	 /**< what threading.get_ident() says there */
	char function[192];	 /**< as root_frame_words() says it; "" up to 3.10 */
	struct edge_label label; /**< of the word in it; EDGE_UNKNOWN up to 3.10 */
	bool is_found;		 /**< the frame is in the thread's chain */
	uint64_t depth;		 /**< how many functions it has called, one from the other */
	int64_t interpreter;	 /**< id */
};

/** Says where a frame is: "load() line 41 in app/web.py". @param address as for frame_read()
 * @return false, and an empty text, if that is not known */
bool root_frame_words(struct heap *heap, uint64_t address, char *text, size_t size);

/** Finds the frame of a ROOT_FRAME. @return false if the thread cannot be read */
bool root_frame_find(const struct roots *roots, const struct root *root, struct root_frame *frame);

#endif
