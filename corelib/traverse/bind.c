/*
 * Which decoder belongs to which address of tp_traverse.
 *
 * CPython exports most of its types, and an exported type's tp_traverse is its decoder's. Classes
 * made by `class` statements share subtype_traverse(), which is not exported: it is what the frozen
 * importlib's classes have. Struct sequences share theirs with sys.version_info. The rest (deque,
 * partial, itertools, …) is known by the name of the type that *defines* the function, and only if
 * the function lies in CPython's own files: a class of the same name elsewhere is another's.
 */
#include "cpython/type_names.h"
#include "traverse/decoder.h"

#include <stdlib.h>

enum { NAME_BYTES = 128 };

static const struct decoder *const tables[] = {
	container_decoders, instance_decoders, callable_decoders,  descriptor_decoders,
	object_decoders,    frame_decoders,    exception_decoders, context_decoders,
	iterator_decoders,  module_decoders,
};

#define FOR_EACH_DECODER(decoder)                                                      \
	for (size_t table_ = 0; table_ < sizeof(tables) / sizeof(tables[0]); table_++) \
		for (const struct decoder *decoder = tables[table_]; decoder->name; decoder++)

/*
 * The table of bindings
 */

static size_t bucket_of(const struct traverser *traverser, uint64_t address)
{
	return (size_t)(address * UINT64_C(0x9e3779b97f4a7c15) >> 32) &
	       (traverser->bucket_count - 1);
}

static struct binding *find_binding(const struct traverser *traverser, uint64_t address)
{
	if (!traverser->bucket_count)
		return NULL;
	for (size_t i = bucket_of(traverser, address); traverser->buckets[i];
	     i = (i + 1) & (traverser->bucket_count - 1)) {
		struct binding *binding = traverser->bindings[traverser->buckets[i] - 1];

		if (binding->info.address == address)
			return binding;
	}
	return NULL;
}

static void put_bucket(struct traverser *traverser, size_t number)
{
	size_t i = bucket_of(traverser, traverser->bindings[number]->info.address);

	while (traverser->buckets[i])
		i = (i + 1) & (traverser->bucket_count - 1);
	traverser->buckets[i] = (uint32_t)number + 1;
}

/* Keeps the table at most half full, and makes room in the list. */
static bool grow_bindings(struct traverser *traverser)
{
	size_t count = traverser->bucket_count ? traverser->bucket_count * 2 : BINDING_BUCKETS;
	struct binding **bindings;
	uint32_t *buckets;

	if (traverser->binding_count * 2 < traverser->bucket_count)
		return true;
	bindings = realloc(traverser->bindings, count * sizeof(*bindings));
	if (!bindings)
		return false;
	traverser->bindings = bindings;
	buckets = calloc(count, sizeof(*buckets));
	if (!buckets)
		return false;
	free(traverser->buckets);
	traverser->buckets = buckets;
	traverser->bucket_count = count;
	for (size_t i = 0; i < traverser->binding_count; i++)
		put_bucket(traverser, i);
	return true;
}

void bindings_destroy(struct traverser *traverser)
{
	for (size_t i = 0; i < traverser->binding_count; i++) {
		free(traverser->bindings[i]->fields);
		free(traverser->bindings[i]);
	}
	free(traverser->bindings);
	free(traverser->buckets);
}

const struct traverse_binding *traverser_binding(const struct traverser *traverser, size_t index)
{
	return index < traverser->binding_count ? &traverser->bindings[index]->info : NULL;
}

uint64_t binding_address(const struct traverser *traverser, const char *decoder)
{
	for (size_t i = 0; i < traverser->binding_count; i++)
		if (traverser->bindings[i]->decoder &&
		    !strcmp(traverser->bindings[i]->decoder->name, decoder))
			return traverser->bindings[i]->info.address;
	return 0;
}

/*
 * Making a binding
 */

/* The offset of a field in this build; specials stay what they are. */
static uint32_t resolve(const struct layout *layout, const struct field *field)
{
	uint32_t offset;

	if (field->fact >= FIELD_FACT_MANAGED_DICT)
		return field->fact;
	memcpy(&offset, (const char *)layout + field->fact, sizeof(offset));
	return offset;
}

/* A build that has none of the members has no such type, or its row was made without it. */
static bool build_has(const struct layout *layout, const struct decoder *decoder)
{
	const struct field required = {decoder->required, NULL, false};
	size_t members = 0, present = 0;

	for (size_t i = 0; i < decoder->field_count; i++)
		if (decoder->fields[i].fact < FIELD_FACT_MANAGED_DICT) {
			members++;
			present += layout_has(resolve(layout, &decoder->fields[i]));
		}
	if (members && !present)
		return false;
	return !decoder->required || layout_has(resolve(layout, &required));
}

static bool bind_fields(const struct layout *layout, struct binding *binding)
{
	const struct decoder *decoder = binding->decoder;

	binding->extent = layout->PyObject_size;
	if (!decoder->field_count)
		return true;
	binding->fields = calloc(decoder->field_count, sizeof(*binding->fields));
	if (!binding->fields)
		return false;
	for (size_t i = 0; i < decoder->field_count; i++) {
		const struct field *field = &decoder->fields[i];
		uint32_t offset = resolve(layout, field);

		if (!layout_has(offset) && field->fact != FIELD_FACT_TYPE)
			continue;
		binding->fields[binding->field_count++] = (struct bound_field){offset, field};
		if (field->fact < FIELD_FACT_MANAGED_DICT &&
		    offset + sizeof(uint64_t) > binding->extent)
			binding->extent = offset + sizeof(uint64_t);
	}
	return true;
}

/* An address is bound once: where the linker folded two functions into one, they are the same. */
static struct binding *bind(struct traverser *traverser, uint64_t address,
			    const struct decoder *decoder, const struct type *example)
{
	struct binding *binding = find_binding(traverser, address);

	if (binding)
		return binding;
	if (!grow_bindings(traverser))
		return NULL;
	binding = calloc(1, sizeof(*binding));
	if (!binding)
		return NULL;
	if (decoder && build_has(traverser->layout, decoder))
		binding->decoder = decoder;
	binding->info.address = address;
	binding->info.decoder = binding->decoder ? decoder->name : NULL;
	binding->info.example = example;
	if (binding->decoder && !bind_fields(traverser->layout, binding)) {
		free(binding->fields);
		free(binding);
		return NULL;
	}
	traverser->bindings[traverser->binding_count++] = binding;
	put_bucket(traverser, traverser->binding_count - 1);
	return binding;
}

bool bindings_copy(struct traverser *traverser, const struct traverser *from)
{
	for (size_t i = 0; i < from->binding_count; i++) {
		const struct binding *known = from->bindings[i];
		struct binding *binding =
			bind(traverser, known->info.address, known->decoder, known->info.example);

		if (!binding)
			return false;
		binding->info.check = known->info.check;
	}
	return true;
}

/*
 * By exported symbol
 */

/* Copies the next word of a list. @return false at its end */
static bool next_word(const char **list, char separator, char *word, size_t size)
{
	const char *end;
	size_t length;

	if (!*list || !**list)
		return false;
	end = strchrnul(*list, separator);
	length = (size_t)(end - *list) < size - 1 ? (size_t)(end - *list) : size - 1;
	memcpy(word, *list, length);
	word[length] = '\0';
	*list = *end ? end + 1 : end;
	return true;
}

/* The file with _PyRuntime; NULL: not known. */
static const struct module *home_module(const struct traverser *traverser)
{
	const struct runtime *runtime = traverser->runtime;

	return runtime->module ? runtime->module
			       : modules_at(runtime->target->modules, runtime->address);
}

static bool exported(const struct traverser *traverser, const char *name, struct symbol *symbol)
{
	const struct module *home = home_module(traverser);

	return home && modules_exported(traverser->runtime->target->modules, home, name, symbol);
}

/* PyExc_… are variables that point at a type, all others are the type. */
static uint64_t exported_type(struct traverser *traverser, const char *name)
{
	struct symbol symbol;
	uint64_t address;

	if (!exported(traverser, name, &symbol))
		return 0;
	if (strncmp(name, "PyExc_", 6))
		return symbol.address;
	return reader_u64(&traverser->reader, symbol.address, &address) ? address : 0;
}

static bool bind_type(struct traverser *traverser, const struct decoder *decoder, uint64_t address)
{
	const struct type *type =
		address ? type_get(traverser->runtime->types, &traverser->reader, address) : NULL;

	return !type || !type->traverse || bind(traverser, type->traverse, decoder, type);
}

static bool bind_symbols(struct traverser *traverser, const struct decoder *decoder)
{
	const char *list = decoder->symbols;
	char name[NAME_BYTES];

	while (next_word(&list, ' ', name, sizeof(name)))
		if (!bind_type(traverser, decoder, exported_type(traverser, name)))
			return false;
	return true;
}

static bool bind_functions(struct traverser *traverser, const struct decoder *decoder)
{
	const char *list = decoder->functions;
	char name[NAME_BYTES];
	struct symbol symbol;

	while (next_word(&list, ' ', name, sizeof(name)))
		if (exported(traverser, name, &symbol) &&
		    !bind(traverser, symbol.address, decoder, NULL))
			return false;
	return true;
}

/*
 * By well-known objects
 */

/* The value of "module:name" in an interpreter, 0 if it is not there. */
static uint64_t well_known(struct traverser *traverser, const struct interpreter *interpreter,
			   const char *path)
{
	const struct runtime *runtime = traverser->runtime;
	char module_name[NAME_BYTES], name[NAME_BYTES];
	uint64_t module, dict;

	if (!next_word(&path, ':', module_name, sizeof(module_name)) ||
	    !next_word(&path, ':', name, sizeof(name)))
		return 0;
	module = dict_find(runtime, &traverser->reader, interpreter->modules, module_name);
	if (!module || !reader_u64(&traverser->reader,
				   module + traverser->layout->PyModuleObject_md_dict, &dict))
		return 0;
	return dict_find(runtime, &traverser->reader, dict, name);
}

bool is_cpython_code(const struct traverser *traverser, uint64_t address)
{
	const struct module *module = modules_at(traverser->runtime->target->modules, address);

	if (!module)
		return false;
	return module == home_module(traverser) ||
	       (module->path && strstr(module->path, "/lib-dynload/"));
}

static bool bind_instances(struct traverser *traverser, const struct decoder *decoder)
{
	const char *list = decoder->instances;
	char path[NAME_BYTES];

	while (traverser->runtime->interpreter_count && next_word(&list, ' ', path, sizeof(path))) {
		uint64_t object = well_known(traverser, &traverser->runtime->interpreters[0], path);
		struct object_header header;
		const struct type *type;

		if (!object ||
		    !object_header(traverser->runtime, &traverser->reader, object, &header))
			continue;
		type = type_get(traverser->runtime->types, &traverser->reader, header.type);
		if (type && type->traverse && is_cpython_code(traverser, type->traverse) &&
		    !bind(traverser, type->traverse, decoder, type))
			return false;
	}
	return true;
}

/* Of the classes that a decoder names, the tp_traverse that most of them have. */
static bool bind_classes(struct traverser *traverser, const struct decoder *decoder)
{
	const struct type *best = NULL;
	const char *list = decoder->classes;
	const struct type *found[16];
	size_t count = 0, best_votes = 0;
	char path[NAME_BYTES];

	while (traverser->runtime->interpreter_count && count < 16 &&
	       next_word(&list, ' ', path, sizeof(path))) {
		uint64_t address =
			well_known(traverser, &traverser->runtime->interpreters[0], path);
		const struct type *type =
			address ? type_get(traverser->runtime->types, &traverser->reader, address)
				: NULL;

		if (type && (type->flags & TPFLAGS_HEAPTYPE) && type->traverse &&
		    is_cpython_code(traverser, type->traverse))
			found[count++] = type;
	}
	for (size_t i = 0; i < count; i++) {
		size_t votes = 0;

		for (size_t j = 0; j < count; j++)
			votes += found[j]->traverse == found[i]->traverse;
		if (votes > best_votes) {
			best_votes = votes;
			best = found[i];
		}
	}
	return !best || bind(traverser, best->traverse, decoder, best);
}

bool bind_exported(struct traverser *traverser)
{
	FOR_EACH_DECODER(decoder)
	if (!bind_symbols(traverser, decoder) || !bind_functions(traverser, decoder) ||
	    !bind_classes(traverser, decoder) || !bind_instances(traverser, decoder))
		return false;
	return true;
}

/*
 * By the name of the defining type
 */

/* While it is not known which function classes of Python code have, no heap type is told by name.
 */
static bool may_be_python_class(const struct traverser *traverser, const struct type *type)
{
	if (!(type->flags & TPFLAGS_HEAPTYPE))
		return false;
	for (size_t i = 0; i < traverser->binding_count; i++)
		if (traverser->bindings[i]->decoder == instance_decoders)
			return false;
	return true;
}

static const struct decoder *decoder_named(struct traverser *traverser, const struct type *definer)
{
	char name[NAME_BYTES], other[NAME_BYTES];

	if (may_be_python_class(traverser, definer) ||
	    !is_cpython_code(traverser, definer->traverse) ||
	    !type_tp_name(traverser->runtime, &traverser->reader, definer->address, name,
			  sizeof(name)))
		return NULL;
	FOR_EACH_DECODER(decoder)
	{
		const char *list = decoder->types;

		while (next_word(&list, '|', other, sizeof(other)))
			if (!strcmp(other, name))
				return decoder;
	}
	return NULL;
}

struct binding *binding_of(struct traverser *traverser, const struct type *definer)
{
	struct binding *binding = find_binding(traverser, definer->traverse);

	if (binding)
		return binding;
	return bind(traverser, definer->traverse, decoder_named(traverser, definer), definer);
}
