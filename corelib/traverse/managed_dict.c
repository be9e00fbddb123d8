/*
 * Where 3.11+ keeps the __dict__ of an instance that has Py_TPFLAGS_MANAGED_DICT, and who visits
 * its values (Objects/dictobject.c, typeobject.c):
 *
 *   3.11   in front of the object a pointer to the dict and one to an array of values; both are
 *          visited, at most one is there
 *   3.12   one word: a dict, or with bit 0 set the address of the values less one
 *   3.13+  a pointer to the dict; the values are inside the object, behind tp_basicsize, and stay
 *          there when a dict is made for them. Up to some micro release the instance visits them
 *          and dict_traverse() skips values that are embedded; then (gh-130327) the instance
 *          visits its dict and the dict visits them. The version does not decide, vendors patch:
 *          the machine code of dict_traverse() does, by whether it looks at `embedded`.
 */
#include "traverse/decoder.h"

/* Words in front of the object, counted down: GC head 2, dict pointer, values or weak references.
 */
enum { WORD = sizeof(uint64_t), DICT_POINTER = 3 * WORD, VALUES_POINTER = 4 * WORD };

/* First releases whose upstream source has the newer rule. */
enum { NEW_RULE_3_13 = 0x030d0d00, NEW_RULE_3_14 = 0x030e0400, FIRST_3_14 = 0x030e0000 };

/* The names behind values that are outside of a dict: their number is how many values there are. */
static bool shared_names(struct traverser *traverser, const struct type *type,
			 struct dict_view *names)
{
	return type->cached_keys &&
	       dict_open_keys(traverser->runtime, &traverser->reader, type->cached_keys, names);
}

/* Values that stand outside of the object. */
static bool outside_values(struct traverser *traverser, const struct type *type, uint64_t values,
			   uint64_t *first, uint64_t *count)
{
	struct dict_view names;

	if (!shared_names(traverser, type, &names))
		return false;
	*first = values + traverser->layout->PyDictValues_values;
	*count = names.count;
	return true;
}

static bool values_3_11(struct traverser *traverser, const struct type *type, uint64_t object,
			uint64_t *first, uint64_t *count)
{
	uint64_t values;

	return reader_u64(&traverser->reader, object - VALUES_POINTER, &values) && values &&
	       outside_values(traverser, type, values, first, count);
}

static bool visit_3_11(struct traverser *traverser, const struct type *type, uint64_t object)
{
	uint64_t first, count;

	if (values_3_11(traverser, type, object, &first, &count) &&
	    !visit_words(traverser, first, count))
		return false;
	return visit_word(traverser, object - DICT_POINTER);
}

static bool values_3_12(struct traverser *traverser, const struct type *type, uint64_t object,
			uint64_t *first, uint64_t *count)
{
	uint64_t word;

	return reader_u64(&traverser->reader, object - DICT_POINTER, &word) && (word & 1) &&
	       outside_values(traverser, type, word + 1, first, count);
}

static bool visit_3_12(struct traverser *traverser, const struct type *type, uint64_t object)
{
	uint64_t word, first, count;

	if (!reader_u64(&traverser->reader, object - DICT_POINTER, &word))
		return false;
	if (!(word & 1))
		return visit_word(traverser, object - DICT_POINTER);
	return values_3_12(traverser, type, object, &first, &count) &&
	       visit_words(traverser, first, count);
}

/* Values inside the object. false: there are none, or they have moved into a dict. */
static bool inline_values(struct traverser *traverser, const struct type *type, uint64_t object,
			  uint64_t *first, uint64_t *count)
{
	const struct layout *layout = traverser->layout;
	uint64_t values = object + (uint64_t)type->basicsize;
	uint8_t capacity, valid;

	if (!(type->flags & TPFLAGS_INLINE_VALUES) ||
	    !reader_u8(&traverser->reader, values + layout->PyDictValues_capacity, &capacity) ||
	    !reader_u8(&traverser->reader, values + layout->PyDictValues_valid, &valid) || !valid)
		return false;
	*first = values + layout->PyDictValues_values;
	*count = capacity;
	return true;
}

static bool visit_values_first(struct traverser *traverser, const struct type *type,
			       uint64_t object)
{
	uint64_t first, count;

	if (inline_values(traverser, type, object, &first, &count))
		return visit_words(traverser, first, count);
	return visit_word(traverser, object - DICT_POINTER);
}

static bool visit_dict_first(struct traverser *traverser, const struct type *type, uint64_t object)
{
	uint64_t dict, first, count;

	if (!reader_u64(&traverser->reader, object - DICT_POINTER, &dict))
		return false;
	if (dict)
		return visit_word(traverser, object - DICT_POINTER);
	return !inline_values(traverser, type, object, &first, &count) ||
	       visit_words(traverser, first, count);
}

bool managed_dict_visit_hidden(struct traverser *traverser, const struct type *type,
			       uint64_t object)
{
	uint64_t first, count;

	return traverser->runtime->minor < 13 ||
	       traverser->managed_dict_rule != MANAGED_DICT_VALUES ||
	       !inline_values(traverser, type, object, &first, &count) ||
	       visit_word(traverser, object - DICT_POINTER);
}

/* 3.12: the word is the address of values where bit 0 is set. */
uint64_t managed_dict_pointer(struct traverser *traverser, uint64_t object)
{
	uint64_t word;

	reader_u64(&traverser->reader, object - DICT_POINTER, &word);
	return word & 1 ? 0 : word;
}

/*
 * Storage
 */

/* 3.11, 3.12: an array of values, as many as names are possible, with the insertion order in front.
 */
static uint64_t outside_storage(struct traverser *traverser, const struct type *type,
				uint64_t object)
{
	struct dict_view names;
	uint64_t usable;

	(void)object;
	if (!shared_names(traverser, type, &names) ||
	    !reader_u64(&traverser->reader,
			names.keys + traverser->layout->PyDictKeysObject_dk_usable, &usable) ||
	    usable > UINT16_MAX)
		return 0;
	usable += names.count;
	return ((usable + 2 + 7) & ~UINT64_C(7)) + usable * WORD;
}

/* 3.13+: behind the object, valid or not, with the insertion order behind the values. */
static uint64_t inline_storage(struct traverser *traverser, const struct type *type,
			       uint64_t object)
{
	const struct layout *layout = traverser->layout;
	uint8_t capacity;

	if (!(type->flags & TPFLAGS_INLINE_VALUES) ||
	    !reader_u8(&traverser->reader,
		       object + (uint64_t)type->basicsize + layout->PyDictValues_capacity,
		       &capacity))
		return 0;
	return layout->PyDictValues_values + capacity * WORD +
	       (((uint64_t)capacity + 7) & ~UINT64_C(7));
}

/*
 * The four ways
 */

static const struct managed_dict scheme_3_11 = {visit_3_11, values_3_11, outside_storage};
static const struct managed_dict scheme_3_12 = {visit_3_12, values_3_12, outside_storage};
static const struct managed_dict scheme_values = {visit_values_first, inline_values,
						  inline_storage};
static const struct managed_dict scheme_dict = {visit_dict_first, inline_values, inline_storage};

enum managed_dict_rule traverser_managed_dict_rule(const struct traverser *traverser,
						   const char **source)
{
	*source = traverser->managed_dict_source;
	return traverser->managed_dict_rule;
}

void traverser_set_managed_dict_rule(struct traverser *traverser, enum managed_dict_rule rule,
				     const char *source)
{
	traverser->managed_dict_rule = rule;
	traverser->managed_dict_source = source;
	traverser->managed_dict = rule == MANAGED_DICT_VALUES ? &scheme_values : &scheme_dict;
}

static enum managed_dict_rule rule_of_version(uint32_t hexversion)
{
	bool new_rule =
		hexversion < FIRST_3_14 ? hexversion >= NEW_RULE_3_13 : hexversion >= NEW_RULE_3_14;

	return new_rule ? MANAGED_DICT_DICT : MANAGED_DICT_VALUES;
}

void managed_dict_choose(struct traverser *traverser)
{
	const struct runtime *runtime = traverser->runtime;
	int reads_embedded;

	if (runtime->minor < 13) {
		traverser->managed_dict_rule = MANAGED_DICT_DICT;
		traverser->managed_dict_source = "the version has no inline values";
		traverser->managed_dict = runtime->minor == 12 ? &scheme_3_12 : &scheme_3_11;
		return;
	}
	reads_embedded = code_reads_embedded(traverser);
	if (reads_embedded >= 0)
		traverser_set_managed_dict_rule(
			traverser, reads_embedded ? MANAGED_DICT_VALUES : MANAGED_DICT_DICT,
			"the code of dict_traverse");
	else
		traverser_set_managed_dict_rule(traverser, rule_of_version(runtime->hexversion),
						"the version");
}

/*
 * Labels
 */

bool managed_dict_label(struct traverser *traverser, const struct type *type, uint64_t object,
			const struct reference *reference, struct edge_label *label)
{
	struct dict_view names;
	uint64_t first, count, name;

	if (reference->slot == object - DICT_POINTER) {
		label->kind = EDGE_INTERNAL;
		label_text(label, "__dict__");
		return true;
	}
	if (!traverser->managed_dict->values(traverser, type, object, &first, &count) ||
	    !shared_names(traverser, type, &names) || reference->slot < first ||
	    (reference->slot - first) / WORD >= names.count)
		return false;
	label->kind = EDGE_ATTRIBUTE;
	return reader_u64(&traverser->reader,
			  names.entries + (reference->slot - first) / WORD * names.entry_size +
				  names.key_offset,
			  &name) &&
	       object_is_str(traverser->runtime, &traverser->reader, name) &&
	       object_str(traverser->runtime, &traverser->reader, name, label->name,
			  sizeof(label->name));
}

uint64_t managed_dict_storage(struct traverser *traverser, const struct type *type, uint64_t object)
{
	uint64_t first, count;

	if (!(type->flags & TPFLAGS_INLINE_VALUES) &&
	    !traverser->managed_dict->values(traverser, type, object, &first, &count))
		return 0;
	return traverser->managed_dict->storage(traverser, type, object);
}
