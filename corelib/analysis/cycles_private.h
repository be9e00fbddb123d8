/**
 * @file
 * Between cycles.c, which makes groups, cycle_shape.c, which says what is alike, cycle_edges.c,
 * which describes one cycle of a group, and cycle_fingerprint.c, which says what is the same in
 * other processes.
 */
#ifndef PYMEM_ANALYSIS_CYCLES_PRIVATE_H
#define PYMEM_ANALYSIS_CYCLES_PRIVATE_H

#include "analysis/components.h"
#include "analysis/cycles.h"

/** Positions of the unreachable objects, those of each owner together. */
struct clusters {
	uint32_t *positions; /**< ordered by owner, then ascending */
	uint32_t *start;     /**< of owner c: positions[start[c] .. start[c + 1]) */
};

/** Makes the clusters. @return false when out of memory */
bool clusters_init(struct clusters *clusters, const struct components *components, uint32_t count);

/** Frees what they hold. */
void clusters_clear(struct clusters *clusters);

/**
 * A number that is equal for cycles of equal shape: of the same types that reference each other in
 * the same way, however many objects there are of each.
 * @return false when out of memory
 */
bool cycle_shape(const struct unreachable *unreachable, const struct components *components,
		 const struct clusters *clusters, uint32_t owner, uint64_t *shape);

/** Fills example, edges and edges_cut of a group from its cycle `owner`. */
struct error *cycle_describe(const struct unreachable *unreachable,
			     const struct components *components, const struct clusters *clusters,
			     uint32_t owner, struct cycle_group *group)
	__attribute__((warn_unused_result));

/** Computes the fingerprint of a group from its cycles. */
struct error *cycle_fingerprint(const struct unreachable *unreachable,
				const struct components *components,
				const struct clusters *clusters, const uint32_t *owners,
				uint32_t owner_count, uint64_t *fingerprint)
	__attribute__((warn_unused_result));

/** The position of an address that is a member of the cycle `owner`; else COMPONENT_NONE. */
uint32_t cycle_member_at(const struct unreachable *unreachable, const struct components *components,
			 uint32_t owner, uint64_t address);

/**
 * The references of an object, copied: the traverser's array is gone at its next call.
 * @return to be freed; NULL when out of memory
 */
struct reference *cycle_references(struct heap *heap, uint64_t address, const struct type *type,
				   size_t *count);

/** Writes a reference as people do: ".name", "['key']", "[3]"; "" if it has no name. */
void cycle_edge_text(const struct edge_label *label, bool through_dict, char *text, size_t size);

#endif
