/**
 * @file
 * What the decoders of this room share; not for other rooms.
 *
 * Nouns: a *decoder* knows one tp_traverse of CPython. A *binding* says that the function at an
 * address is that decoder's, with the layout facts resolved. A *plan* is a binding prepared for one
 * type: what is the same for all objects of the type is worked out once, so that an object costs
 * no more than its own words. Instances of Python classes have a plan whose `base` is the plan for
 * the part of the object that a builtin base class traverses.
 */
#ifndef PYMEM_TRAVERSE_DECODER_H
#define PYMEM_TRAVERSE_DECODER_H

#include "traverse/traverse.h"

struct plan;

/** Adds the references of an object, in the order of tp_traverse. */
typedef enum traverse_result decode_function(struct traverser *traverser, const struct plan *plan,
					     uint64_t object);

/** A member of an object that tp_traverse visits, as a line of a table. */
struct field {
	uint32_t fact;	   /**< place of the member's offset in struct layout, or a special below */
	const char *label; /**< name of the edge */
	bool attribute;	   /**< people write it as .label; else it is internal */
};

/** Visit the object's type, if the type that defines the function is a heap type. */
#define FIELD_FACT_TYPE UINT32_MAX
/** Visit the managed dict, if the object's type has one (PyObject_VisitManagedDict). */
#define FIELD_FACT_MANAGED_DICT (UINT32_MAX - 1)

/* Lines of a table of fields; the member's fact is named as in layout_fields.def. */
#define FIELD(fact, label)                                  \
	{                                                   \
		offsetof(struct layout, fact), label, false \
	}
#define ATTRIBUTE(fact, label)                             \
	{                                                  \
		offsetof(struct layout, fact), label, true \
	}
#define OWN_TYPE                             \
	{                                    \
		FIELD_FACT_TYPE, NULL, false \
	}
#define MANAGED_DICT                                 \
	{                                            \
		FIELD_FACT_MANAGED_DICT, NULL, false \
	}
#define FIELDS(table) .fields = table, .field_count = sizeof(table) / sizeof((table)[0])

/** One tp_traverse of CPython. All of these are constants. */
struct decoder {
	const char *name;    /**< "list" */
	const char *symbols; /**< exported types whose tp_traverse it is, separated by spaces */
	/** tp_name of the types that define the function, separated by '|': for types that are not
	 * exported. Counts only for functions of CPython's own ELF files. */
	const char *types;
	/** Exported functions that are a tp_traverse themselves, separated by spaces. */
	const char *functions;
	/** "module:name" of classes that have the function; what most of them have counts. */
	const char *classes;
	/** "module:name" of objects whose type has the function. */
	const char *instances;
	/** Members visited first, in order, those that the build has. */
	const struct field *fields;
	size_t field_count;
	/** Place in struct layout of a fact without which the build cannot be decoded, for decoders
	 * without fields. 0: none. */
	uint32_t required;
	/** Visits what the fields do not say, behind them; may be NULL. */
	decode_function *decode;
	/** Prepares a plan, may be NULL. @return false if the type makes no sense */
	bool (*prepare)(struct traverser *traverser, struct plan *plan);
	/** Names an edge that no field names, may be NULL. @return false if it is not its edge */
	bool (*label)(struct traverser *traverser, const struct plan *plan, uint64_t object,
		      const struct reference *reference, struct edge_label *label);
	/** Number of tp_itemsize items of an object that has no ob_size; may be NULL. */
	uint64_t (*items)(struct traverser *traverser, const struct plan *plan, uint64_t object);
	/** Storage outside the object that it alone owns, in bytes; may be NULL. */
	uint64_t (*out_of_line)(struct traverser *traverser, const struct plan *plan,
				uint64_t object);
};

/** A table of decoders, ends with one without a name. */
extern const struct decoder container_decoders[];
extern const struct decoder instance_decoders[];
extern const struct decoder callable_decoders[];
extern const struct decoder descriptor_decoders[];
extern const struct decoder object_decoders[];
extern const struct decoder frame_decoders[];
extern const struct decoder exception_decoders[];
extern const struct decoder context_decoders[];
extern const struct decoder iterator_decoders[];
extern const struct decoder module_decoders[];

/** A field with its offset in this build. */
struct bound_field {
	uint32_t offset; /**< in the object, or a FIELD_FACT_ special */
	const struct field *field;
};

/** An address of tp_traverse and what is known of it. */
struct binding {
	struct traverse_binding info;  /**< the public part */
	const struct decoder *decoder; /**< NULL: none */
	uint64_t sampled;	       /**< objects that traverser_check() saw */
	struct bound_field *fields;
	size_t field_count;
	uint32_t extent; /**< bytes of an object that hold all fields */
};

/** How an instance of a Python class keeps its __dict__. */
enum dict_place {
	DICT_NONE,    /**< it has none, or its base class visits it */
	DICT_OFFSET,  /**< at tp_dictoffset from the start */
	DICT_END,     /**< tp_dictoffset is negative: counted from the end of a var-sized object */
	DICT_MANAGED, /**< in front of the object, see managed_dict.c */
};

/** How to traverse the objects of one type, or the part of them that one base class knows. */
struct plan {
	const struct type *type;
	struct binding *binding; /**< of the function that this part stands for */
	/** Visits the whole of an object; never NULL. */
	decode_function *run;
	struct plan *base; /**< instance: the part of its builtin base; NULL: none */
	bool visits_type;  /**< at a FIELD_FACT_TYPE, or behind an instance's __dict__ */
	enum dict_place dict_place;
	int64_t *slots; /**< instance: offsets of its __slots__, bases' behind its own */
	size_t slot_count;
	uint32_t extent;   /**< instance: bytes of an object that hold slots and dict */
	bool is_bytearray; /**< or derived from it, when no base class has a decoder */
	uint64_t count;	   /**< struct sequence: items, the unnamed and invisible ones included */
	const struct hidden_decoder *hidden; /**< for traverse_hidden(); NULL: none */
	uint32_t rest; /**< for traverse_rest(): where the C struct ends; 0: nothing to look for */
	struct traverse_usage usage; /**< of the objects of this very type */
	char reason[112];	     /**< of usage.inexact */
	uint32_t sampled;	     /**< objects that traverser_check() saw */
};

/** How a release keeps the __dict__ of an instance outside of tp_basicsize; see managed_dict.c. */
struct managed_dict {
	/** Visits what PyObject_VisitManagedDict would. @return false if it makes no sense */
	bool (*visit)(struct traverser *traverser, const struct type *type, uint64_t object);
	/** Finds the values that stand in no dict's own table. @return false if there are none */
	bool (*values)(struct traverser *traverser, const struct type *type, uint64_t object,
		       uint64_t *first, uint64_t *count);
	/** Bytes of these values. */
	uint64_t (*storage)(struct traverser *traverser, const struct type *type, uint64_t object);
};

enum { BINDING_BUCKETS = 1024 };

struct traverser {
	const struct runtime *runtime;
	const struct layout *layout; /**< of the runtime */
	struct reader reader;
	/* References of the object at hand. */
	struct reference *references;
	size_t count, capacity;
	/* Addresses of tp_traverse, and a hash table of them: index + 1, 0 is empty. */
	struct binding **bindings;
	size_t binding_count;
	uint32_t *buckets; /**< BINDING_BUCKETS of them, then doubled as needed */
	size_t bucket_count;
	struct plan **plans; /**< by type->index; NULL: not made yet */
	size_t plan_count;
	/* Chosen once per runtime. */
	const struct managed_dict *managed_dict;
	enum managed_dict_rule managed_dict_rule;
	const char *managed_dict_source;
	bool redact;		 /**< see traverser_set_redact() */
	bool counting;		 /**< see traverser_set_counting() */
	bool heap_types_visited; /**< 3.9+: C code of heap types visits the type (bpo-40217) */
	uint64_t general_lookup; /**< 3.8-3.10: lookdict, dk_lookup of general tables; 0: unknown */
	uint8_t frame_cleared;	 /**< gi_frame_state of a finished generator, 3.11+ */
	/* Interpreting code, see emulate.c. */
	struct emulator *emulator; /**< NULL until it is needed */
	bool emulated;		   /**< code was interpreted for the object at hand */
	char failure[112];	   /**< why that went wrong; "": it did not */
	/* The self-check, see check.c. */
	bool rule_switched;    /**< managed_dict_rule was changed by what the code does */
	uint32_t materialised; /**< objects with inline values and a dict that were compared */
	uint32_t materialised_sought; /**< objects looked at for that */
};

/*
 * Visiting
 */

/** Makes room for more references. @return false when out of memory */
bool visit_grow(struct traverser *traverser, size_t more);

static inline bool visit_room(struct traverser *traverser, size_t more)
{
	return more <= traverser->capacity - traverser->count || visit_grow(traverser, more);
}

/** Adds a reference; there must be room. NULL targets are not references. */
static inline void visit_put(struct traverser *traverser, uint64_t target, uint64_t slot)
{
	struct reference *reference = &traverser->references[traverser->count];

	reference->target = target;
	reference->slot = slot;
	reference->borrowed = 0;
	traverser->count += target != 0;
}

/** Reads a word of the target that is already on the host. */
static inline uint64_t host_u64(const uint8_t *host)
{
	uint64_t value;

	memcpy(&value, host, sizeof(value));
	return value;
}

/** Visits the member at an offset of an object whose bytes are at `body`; there must be room. */
static inline void visit_member(struct traverser *traverser, const uint8_t *body, uint64_t object,
				uint32_t offset)
{
	visit_put(traverser, host_u64(body + offset), object + offset);
}

/** Visits a row of words. @return false if they are not all readable */
bool visit_words(struct traverser *traverser, uint64_t address, uint64_t count);

/** The same from the last word to the first, as list, tuple and tries do. */
bool visit_words_backwards(struct traverser *traverser, uint64_t address, uint64_t count);

/** Visits the word at an address. @return false if it is not readable */
bool visit_word(struct traverser *traverser, uint64_t address);

/** Visits the type of an object as a reference from its ob_type. */
bool visit_type(struct traverser *traverser, const struct type *type, uint64_t object);

/**
 * Walks a chain of nodes that may be damaged into a circle (Brent's way: no memory, and a circle is
 * noticed within three times the nodes that there are).
 */
struct chain {
	uint64_t mark, steps, limit;
};

/** @return false if this node, or one that was met after it, was met before */
static inline bool chain_step(struct chain *chain, uint64_t node)
{
	if (node == chain->mark)
		return false;
	if (chain->steps++ == chain->limit) {
		chain->mark = node;
		chain->steps = 0;
		chain->limit = chain->limit * 2 + 1;
	}
	return true;
}

static inline enum traverse_result exact_if(bool ok)
{
	return ok ? TRAVERSE_EXACT : TRAVERSE_DAMAGED;
}

/*
 * Parts that several decoders need
 */

/** The plan for the part of a type's objects that the function of `definer` traverses. */
struct plan *plan_create(struct traverser *traverser, const struct type *type,
			 const struct type *definer);

/** Frees a plan with its bases. NULL is allowed. */
void plan_destroy(struct plan *plan);

/** Makes the plan of a type that has none yet: the slow way of traverser_plan(). */
struct plan *traverser_make_plan(struct traverser *traverser, const struct type *type);

/** The plan of a type, made at first sight. @return NULL when out of memory */
static inline struct plan *traverser_plan(struct traverser *traverser, const struct type *type)
{
	if (type->index < traverser->plan_count && traverser->plans[type->index])
		return traverser->plans[type->index];
	return traverser_make_plan(traverser, type);
}

/** The binding of a function, made at first sight from the type that defines it. */
struct binding *binding_of(struct traverser *traverser, const struct type *definer);

/** The address that a decoder is bound to; 0 if it is not bound. */
uint64_t binding_address(const struct traverser *traverser, const char *decoder);

/** Binds what another traverser of the same heap has bound, with what was found out about it.
 * @return false when out of memory */
bool bindings_copy(struct traverser *traverser, const struct traverser *from);

/** Binds everything that the target exports. @return false when out of memory */
bool bind_exported(struct traverser *traverser);

/** Frees the bindings. */
void bindings_destroy(struct traverser *traverser);

/** Visits the fields of a binding, and then what its decoder adds. */
decode_function decode_fields;

/** Visits values and, where they are no str, keys of a dict. */
decode_function decode_dict;

/** Bytes of a dict's table of keys (PyDictKeysObject) with all its entries. */
uint64_t keys_storage(struct traverser *traverser, uint64_t keys);

/** Which entry of a dict a word belongs to. @return false if it is in none */
bool dict_slot(const struct dict_view *view, uint64_t slot, uint64_t *entry, bool *is_key);

/** The other parts of the dict decoder. */
bool label_dict(struct traverser *traverser, const struct plan *plan, uint64_t object,
		const struct reference *reference, struct edge_label *label);
uint64_t dict_storage(struct traverser *traverser, const struct plan *plan, uint64_t object);

/** Visits ob_size items behind the header of a tuple. */
decode_function decode_tuple;

/** Writes what people read as a value: repr() of str and other simple objects, "<type>" of others.
 */
void label_repr(struct traverser *traverser, uint64_t object, char *buffer, size_t size);

/**
 * Visits what the function of a plan visits, by interpreting it.
 * @return TRAVERSE_UNKNOWN if that is not possible, with the reason in traverser->failure
 */
decode_function decode_by_code;

/** What decodes the references that a type hides from the collector. @return NULL: none */
const struct hidden_decoder *hidden_decoder_of(const struct traverser *traverser,
					       const struct type *type);

/** How many bytes of a type's objects traverse_rest() looks at; 0: none. */
uint32_t rest_extent(struct traverser *traverser, const struct type *type);

/** Is it bytearray or derived from it? What counts is the static type at the root. */
bool is_bytearray_class(const struct type *type);

/*
 * Arrays and records of numpy, for hidden.c.
 */

/** Visits the base, the dtype, and the elements that it owns. @return false if it is damaged */
bool hidden_array(struct traverser *traverser, uint64_t object);

/** Visits the base and the dtype of a numpy.void. @return false if it is damaged */
bool hidden_record(struct traverser *traverser, uint64_t object);

/** Visits those elements of it that are at no multiple of a word. @return false if it is damaged */
bool hidden_array_unaligned(struct traverser *traverser, uint64_t object);

/** The member at an offset of an array or record, as Python code calls it. @return NULL: none */
const char *hidden_numpy_member(bool is_array, uint64_t offset);

/** Names an element of an array. @return false if the slot is none */
bool hidden_array_label(struct traverser *traverser, uint64_t object,
			const struct reference *reference, struct edge_label *label);

/** Are the elements of an array nothing but objects? */
bool hidden_array_is_flat(struct traverser *traverser, uint64_t object);

struct array_shape;

/** Reads the shape of an array. @return false if it is damaged */
bool hidden_array_read_shape(struct traverser *traverser, uint64_t object,
			     struct array_shape *shape);

/** Is it an array of nothing but objects, so that its elements have numbers in order of memory? */
bool hidden_is_flat(struct traverser *traverser, const struct plan *plan, uint64_t object);

/** The shape of an array of numpy. */
struct array_shape {
	uint32_t count;	     /**< of dimensions */
	uint64_t dimensions; /**< address of the first */
	uint64_t scalar;     /**< type object of the elements: numpy.float64; 0: not known */
};

/** Reads it. @return false if the type is none of numpy's arrays, or the array is damaged */
bool hidden_array_shape(struct traverser *traverser, const struct plan *plan, uint64_t object,
			struct array_shape *shape);

/** Names a reference that traverse_hidden() visited. @return false if it is not its edge */
bool hidden_label(struct traverser *traverser, const struct plan *plan, uint64_t object,
		  const struct reference *reference, struct edge_label *label);

/** Reads an int of up to 60 bits. @return false if it is larger or not readable */
bool read_int(struct traverser *traverser, uint64_t object, int64_t *value);

/** Is this function CPython's own: of the file with _PyRuntime, or of lib-dynload? */
bool is_cpython_code(const struct traverser *traverser, uint64_t address);

/** The emulator, made when it is needed first. @return NULL when out of memory */
struct emulator *traverser_emulator(struct traverser *traverser);

/** Chooses how managed dicts are visited. */
void managed_dict_choose(struct traverser *traverser);

/**
 * Visits the dict that an instance owns and does not visit because it visits the values in its
 * place. @return false if it is not readable
 */
bool managed_dict_visit_hidden(struct traverser *traverser, const struct type *type,
			       uint64_t object);

/** Visits the locals of a generator or coroutine that runs. @return false if it makes no sense */
bool generator_visit_running(struct traverser *traverser, uint64_t object);

/** Names a managed dict, or one of its loose values. @return false if the slot is neither */
bool managed_dict_label(struct traverser *traverser, const struct type *type, uint64_t object,
			const struct reference *reference, struct edge_label *label);

/**
 * Address of the dict pointer that a negative tp_dictoffset means: counted from the end of the
 * object with its items.
 * @return false if the object's size makes no sense
 */
bool dict_at_end(struct traverser *traverser, const struct type *type, uint64_t object,
		 uint64_t *slot);

/** The managed __dict__ of an instance (Py_TPFLAGS_MANAGED_DICT). @return 0: none was made yet */
uint64_t managed_dict_pointer(struct traverser *traverser, uint64_t object);

/** Bytes of an instance's values that are not in a dict. */
uint64_t managed_dict_storage(struct traverser *traverser, const struct type *type,
			      uint64_t object);

/** Sets the name of a label, cut if it is too long. */
void label_text(struct edge_label *label, const char *text);

/** Finds lookdict() of 3.8-3.10 in the code of dict_traverse(); 0 if it is not there. */
uint64_t code_find_lookdict(struct traverser *traverser);

/**
 * Does the code of dict_traverse() look at PyDictValues.embedded?
 * @return 1 or 0; -1 if the code cannot be read or understood
 */
int code_reads_embedded(struct traverser *traverser);

/** Names a word of a _PyInterpreterFrame (3.11+). @return false if it is none of its references */
bool label_interpreter_frame(struct traverser *traverser, uint64_t frame,
			     const struct reference *reference, struct edge_label *label);

#endif
