/**
 * @file
 * A chain of references as a Python expression that evaluates to the object at its end, as far as
 * there is one: "sys.modules['app.cache']._entries['user:17'][3].session".
 *
 * Every step is what a person can type, and exact: an attribute is written with a dot only where
 * the class lets the instance's own value through, a key only where it has a literal. What has no
 * syntax but is visited by the collector is looked up in gc.get_referents() by its address. What
 * has neither is said in words.
 */
#ifndef PYMEM_TRAVERSE_EXPRESSION_H
#define PYMEM_TRAVERSE_EXPRESSION_H

#include "traverse/traverse.h"

/** The longest expression; one that grows beyond ends in words. */
enum { EXPRESSION_MAX = 1 << 16 };

/** An expression that is written from left to right. Zero-initialised is empty. */
struct expression {
	char *text; /**< UTF-8 of the target's; clean it before it goes to a terminal */
	size_t length, capacity;
	unsigned steps;
	bool evaluable; /**< Python can evaluate it, given the modules sys, gc and collections */
	bool failed;	/**< memory ran out, or it grew too long */
	/** What the text stands for still depends on the next step: see expression.c. */
	enum expression_pending {
		PENDING_NONE,
		PENDING_DICT,  /**< the __dict__ of what the text says */
		PENDING_CLASS, /**< the dict of the class that the text says */
		PENDING_NAMES, /**< names of the local variables of the code that the text says */
		PENDING_CELL,  /**< the cell of a variable of the frame that the text says */
	} pending;
	uint64_t holder; /**< of it: the object that the text says */
	const struct type *holder_type;
	uint64_t target;    /**< what is pending */
	bool is_visited;    /**< the holder's tp_traverse visits it */
	char variable[160]; /**< PENDING_CELL: ".f_locals['x']" */
};

/** Begins with an expression of a root. @param evaluable false: it is in words */
void expression_begin(struct expression *expression, const char *root, bool evaluable);

/** Goes on to a variable of the frame that the text says. @param target what the variable holds */
void expression_variable(struct traverser *traverser, struct expression *expression,
			 const char *name, uint64_t target);

/** Goes on along a reference of the object that the expression has come to. */
void expression_step(struct traverser *traverser, struct expression *expression, uint64_t object,
		     const struct type *type, const struct reference *reference);

/** Ends: the text is whole. */
void expression_end(struct traverser *traverser, struct expression *expression);

/** What expression_cost() counts in. */
enum {
	EXPRESSION_COST_STEP = 16,  /**< an attribute or an item: the best there is */
	EXPRESSION_COST_WORDS = 96, /**< what a reference that can only be said in words is worse */
};

/**
 * How well a reference can be written, as a step from an expression. To choose among several ways
 * to the same object.
 * @return 0 for a __dict__, which is left out of what people type; from EXPRESSION_COST_STEP on
 */
unsigned expression_cost(struct traverser *traverser, uint64_t object, const struct type *type,
			 const struct reference *reference);

/** Frees the text. */
void expression_clear(struct expression *expression);

#endif
