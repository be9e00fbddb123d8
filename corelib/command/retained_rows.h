/**
 * @file
 * The tables of `retained`: what a list of things retains, one row each.
 */
#ifndef PYMEM_COMMAND_RETAINED_ROWS_H
#define PYMEM_COMMAND_RETAINED_ROWS_H

#include "traverse/traverse.h"

struct session;

/** What stands in a row. */
struct retained_row {
	uint32_t object; /**< of a type: the largest of it */
	uint32_t type;	 /**< index, HEAP_NONE: damaged */
	uint32_t module; /**< index in session->anchors->modules, of globals */
	uint64_t key;	 /**< address of a global's name */
	uint64_t objects;
	uint64_t own, retained; /**< bytes */
};

/** Rows, those that retain most first. Zero-initialised is empty. */
struct retained_rows {
	struct retained_row *items;
	size_t count, capacity;
};

/** Each global of each module; those that several have count for one. */
struct error *retained_by_global(const struct session *session, struct retained_rows *rows)
	__attribute__((warn_unused_result));

/** The namespace of each module. */
struct error *retained_by_module(const struct session *session, struct retained_rows *rows)
	__attribute__((warn_unused_result));

/** Each type. */
struct error *retained_by_type(const struct session *session, struct retained_rows *rows)
	__attribute__((warn_unused_result));

/** Each object that a node dominates and no other below it does. */
struct error *retained_below(const struct session *session, uint32_t node,
			     struct retained_rows *rows) __attribute__((warn_unused_result));

/** Frees them. */
void retained_rows_clear(struct retained_rows *rows);

/** The name of a module or of a global: "app.cache", "app.cache._entries". */
void retained_row_name(const struct session *session, const struct retained_row *row, char *name,
		       size_t size);

/** The references of the object whose children are shown. Zero-initialised is empty. */
struct retained_edges {
	uint32_t object;
	struct reference *items; /**< by target */
	size_t count;
};

/** Reads them. */
struct error *retained_edges_read(const struct session *session, uint32_t object,
				  struct retained_edges *edges) __attribute__((warn_unused_result));

/** The reference to a child. @return false if there is none: others hold it, below the object */
bool retained_edge(const struct session *session, const struct retained_edges *edges,
		   uint32_t child, struct edge_label *label);

/** Frees them. */
void retained_edges_clear(struct retained_edges *edges);

#endif
