/*
 * The dicts of modules written in C tell most: builtins has `list`, _collections has `deque`. Types
 * without a name of their own anywhere are in the module `types`, under other names than tp_name.
 */
#include "cpython/type_names.h"

#include <stdio.h>
#include <stdlib.h>

enum { NAME_SIZE = 128, TYPES_MAX = 1 << 13, MODULES_MAX = 1 << 16 };

/** Names of types in modules that are not their tp_name, by the minor versions that have it. */
static const struct {
	const char *module, *key, *name;
	int oldest, newest;
} aliases[] = {
	{"types", "FunctionType", "function", 8, 99},
	{"types", "CodeType", "code", 8, 99},
	{"types", "MappingProxyType", "mappingproxy", 8, 99},
	{"types", "SimpleNamespace", "types.SimpleNamespace", 8, 99},
	{"types", "CellType", "cell", 8, 99},
	{"types", "GeneratorType", "generator", 8, 99},
	{"types", "CoroutineType", "coroutine", 8, 99},
	{"types", "AsyncGeneratorType", "async_generator", 8, 99},
	{"types", "MethodType", "method", 8, 99},
	{"types", "BuiltinFunctionType", "builtin_function_or_method", 8, 99},
	{"types", "WrapperDescriptorType", "wrapper_descriptor", 8, 99},
	{"types", "MethodWrapperType", "method-wrapper", 8, 99},
	{"types", "MethodDescriptorType", "method_descriptor", 8, 99},
	{"types", "ClassMethodDescriptorType", "classmethod_descriptor", 8, 99},
	{"types", "ModuleType", "module", 8, 99},
	{"types", "TracebackType", "traceback", 8, 99},
	{"types", "FrameType", "frame", 8, 99},
	{"types", "GetSetDescriptorType", "getset_descriptor", 8, 99},
	{"types", "MemberDescriptorType", "member_descriptor", 8, 99},
	{"types", "GenericAlias", "types.GenericAlias", 8, 99},
	{"types", "UnionType", "types.UnionType", 8, 99},
	{"types", "CapsuleType", "PyCapsule", 8, 99},
	{"types", "NoneType", "NoneType", 8, 99},
	{"types", "EllipsisType", "ellipsis", 8, 99},
	{"types", "NotImplementedType", "NotImplementedType", 8, 99},
	{"_weakref", "ReferenceType", "weakref", 8, 9},
	{"_weakref", "ReferenceType", "weakref.ReferenceType", 10, 99},
	{"_weakref", "ProxyType", "weakproxy", 8, 9},
	{"_weakref", "ProxyType", "weakref.ProxyType", 10, 99},
	{"_weakref", "CallableProxyType", "weakcallableproxy", 8, 9},
	{"_weakref", "CallableProxyType", "weakref.CallableProxyType", 10, 99},
};

/** Objects of the builtins whose type has no name there. */
static const char *const examples[][2] = {
	{"None", "NoneType"},
	{"Ellipsis", "ellipsis"},
	{"NotImplemented", "NotImplementedType"},
	{"len", "builtin_function_or_method"},
};

/** Objects in other modules whose type has no name anywhere. */
static const struct {
	const char *module, *key, *name;
} others[] = {
	{"sys", "flags", "sys.flags"},
	{"sys", "float_info", "sys.float_info"},
	{"sys", "hash_info", "sys.hash_info"},
	{"sys", "int_info", "sys.int_info"},
	{"sys", "thread_info", "sys.thread_info"},
	{"sys", "version_info", "sys.version_info"},
	{"datetime", "datetime_CAPI", "PyCapsule"},
	{"_datetime", "datetime_CAPI", "PyCapsule"},
	{"_socket", "CAPI", "PyCapsule"},
	{"pyexpat", "expat_CAPI", "PyCapsule"},
	{"unicodedata", "ucnhash_CAPI", "PyCapsule"},
	{"unicodedata", "_ucnhash_CAPI", "PyCapsule"},
};

/** Modules "_NAME" whose types call themselves NAME.TYPE, but for those that begin with '_'. */
static const char *const public_names[] = {
	"_collections", "_datetime", "_decimal", "_functools", "_operator", "_zoneinfo",
};

struct named {
	uint64_t address;
	char *name;
};

struct type_names {
	struct named *items;
	size_t count;
};

/** A collection under way. */
struct collection {
	const struct runtime *runtime;
	struct reader *reader;
	struct type_names *names;
	bool failed;
};

void type_names_free(struct type_names *names)
{
	for (size_t i = 0; names && i < names->count; i++)
		free(names->items[i].name);
	if (names)
		free(names->items);
	free(names);
}

static const struct named *find_name(const struct type_names *names, uint64_t address)
{
	for (size_t i = 0; i < names->count; i++)
		if (names->items[i].address == address)
			return &names->items[i];
	return NULL;
}

static void add_name(struct collection *collection, uint64_t address, const char *name)
{
	struct type_names *names = collection->names;
	struct named *grown;

	if (find_name(names, address) || names->count >= TYPES_MAX)
		return;
	grown = realloc(names->items, (names->count + 1) * sizeof(*grown));
	if (grown) {
		names->items = grown;
		grown[names->count] = (struct named){address, strdup(name)};
	}
	if (grown && grown[names->count].name)
		names->count++;
	else
		collection->failed = true;
}

/** Is it a type object that is no heap type? */
static bool is_static_type(const struct collection *collection, uint64_t address)
{
	const struct layout *layout = &collection->runtime->layout;
	struct reader *reader = collection->reader;
	struct object_header header;
	uint64_t flags, own;

	return object_header(collection->runtime, reader, address, &header) &&
	       reader_u64(reader, header.type + layout->PyTypeObject_tp_flags, &flags) &&
	       (flags & TPFLAGS_TYPE_SUBCLASS) &&
	       reader_u64(reader, address + layout->PyTypeObject_tp_flags, &own) &&
	       !(own & TPFLAGS_HEAPTYPE);
}

/** The value of a key, 0 if there is none. */
static uint64_t find(const struct collection *collection, uint64_t dict, const char *key)
{
	return dict ? dict_find(collection->runtime, collection->reader, dict, key) : 0;
}

/** The dict of a module object, 0 if it is none. */
static uint64_t module_dict(const struct collection *collection, uint64_t module)
{
	uint64_t dict = 0;

	if (module)
		reader_u64(collection->reader,
			   module + collection->runtime->layout.PyModuleObject_md_dict, &dict);
	return dict;
}

static uint64_t named_module(const struct collection *collection, const char *name)
{
	return module_dict(collection,
			   find(collection, collection->runtime->interpreters[0].modules, name));
}

/** The name of the package that a module is in: "numpy" of "numpy.core._multiarray_umath". */
static void package_name(const char *module, char name[NAME_SIZE])
{
	snprintf(name, NAME_SIZE, "%.*s", (int)strcspn(module, "."), module);
}

/** Writes what a type calls itself that a module has under this key. */
static void type_name(const char *module, const char *key, char name[2 * NAME_SIZE])
{
	const char *shown = module;

	for (size_t i = 0; i < sizeof(public_names) / sizeof(*public_names); i++)
		if (!strcmp(module, public_names[i]) && key[0] != '_')
			shown = module + 1;
	snprintf(name, 2 * NAME_SIZE, "%s%s%s", shown, *shown ? "." : "", key);
}

/**
 * Names the types in the dict of a module, "itertools.chain"; "" is that of the builtins. What its
 * package offers under the same name is called by that, numpy.ndarray.
 */
static void take_types(struct collection *collection, uint64_t dict, const char *module)
{
	char package[NAME_SIZE];
	uint64_t offers;
	struct dict_view view;

	if (!dict || !dict_open(collection->runtime, collection->reader, dict, &view))
		return;
	package_name(module, package);
	offers = strcmp(package, module) != 0 ? named_module(collection, package) : 0;
	for (uint64_t i = 0; i < view.count; i++) {
		uint64_t key, value, slot;
		char text[NAME_SIZE], name[2 * NAME_SIZE];

		if (!dict_entry(collection->reader, &view, i, &key, &value, &slot) ||
		    !is_static_type(collection, value) ||
		    !object_is_str(collection->runtime, collection->reader, key) ||
		    !object_str(collection->runtime, collection->reader, key, text, sizeof(text)))
			continue;
		type_name(offers && find(collection, offers, text) == value ? package : module,
			  text, name);
		add_name(collection, value, name);
	}
}

static void take_aliases(struct collection *collection)
{
	int minor = collection->runtime->minor;

	for (size_t i = 0; i < sizeof(aliases) / sizeof(*aliases); i++) {
		uint64_t type;

		if (minor < aliases[i].oldest || minor > aliases[i].newest)
			continue;
		type = find(collection, named_module(collection, aliases[i].module),
			    aliases[i].key);
		if (type && is_static_type(collection, type))
			add_name(collection, type, aliases[i].name);
	}
}

static void take_type_of(struct collection *collection, uint64_t object, const char *name)
{
	struct object_header header;

	if (object && object_header(collection->runtime, collection->reader, object, &header) &&
	    is_static_type(collection, header.type))
		add_name(collection, header.type, name);
}

/** Types of objects that every process has. */
static void take_examples(struct collection *collection)
{
	const struct interpreter *main = &collection->runtime->interpreters[0];
	const struct layout *layout = &collection->runtime->layout;
	uint64_t importlib = named_module(collection, "_frozen_importlib");
	uint64_t function = find(collection, importlib, "_find_and_load");
	uint64_t class = find(collection, importlib, "ModuleSpec"), code, dict;

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		take_type_of(
			collection,
			find(collection, named_module(collection, others[i].module), others[i].key),
			others[i].name);
	for (size_t i = 0; i < sizeof(examples) / sizeof(*examples); i++)
		take_type_of(collection, find(collection, main->builtins, examples[i][0]),
			     examples[i][1]);
	take_type_of(collection, find(collection, main->modules, "builtins"), "module");
	take_type_of(collection, function, "function");
	if (function &&
	    reader_u64(collection->reader, function + layout->PyFunctionObject_func_code, &code))
		take_type_of(collection, code, "code");
	if (class && reader_u64(collection->reader, class + layout->PyTypeObject_tp_dict, &dict))
		take_type_of(collection, find(collection, dict, "__dict__"), "getset_descriptor");
}

/**
 * Names the types of one module. Code of Python finds its builtins in its globals, so a dict
 * without them is that of a module written in C, which defines what it holds.
 */
static void take_module(struct collection *collection, const char *name, uint64_t dict,
			bool written_in_c)
{
	if (!dict || written_in_c == (find(collection, dict, "__builtins__") != 0))
		return;
	take_types(collection, dict, name);
}

static void take_modules(struct collection *collection, bool written_in_c)
{
	struct dict_view view;

	if (!dict_open(collection->runtime, collection->reader,
		       collection->runtime->interpreters[0].modules, &view))
		return;
	for (uint64_t i = 0; i < view.count && i < MODULES_MAX; i++) {
		uint64_t key, value, slot;
		char name[NAME_SIZE];

		if (dict_entry(collection->reader, &view, i, &key, &value, &slot) &&
		    object_is_str(collection->runtime, collection->reader, key) &&
		    object_str(collection->runtime, collection->reader, key, name, sizeof(name)))
			take_module(collection, name, module_dict(collection, value), written_in_c);
	}
}

/** Is the name of a well-known static type in the dump? */
static bool is_readable(const struct runtime *runtime, struct reader *reader)
{
	uint64_t builtins = runtime->interpreters[0].builtins, name;
	uint64_t list = builtins ? dict_find(runtime, reader, builtins, "list") : 0;
	char text[8];

	return !list || (reader_u64(reader, list + runtime->layout.PyTypeObject_tp_name, &name) &&
			 reader_string(reader, name, text, sizeof(text)));
}

struct error *type_names_collect(const struct runtime *runtime, struct reader *reader,
				 struct type_names **names)
{
	struct collection collection = {.runtime = runtime, .reader = reader};

	*names = NULL;
	if (!runtime->interpreter_count || is_readable(runtime, reader))
		return NULL;
	collection.names = calloc(1, sizeof(*collection.names));
	if (!collection.names)
		return &error_no_memory;
	take_types(&collection, runtime->interpreters[0].builtins, "");
	take_examples(&collection);
	take_aliases(&collection);
	take_types(&collection, named_module(&collection, "_collections_abc"), "");
	take_modules(&collection, true);
	take_modules(&collection, false);
	*names = collection.names;
	return collection.failed ? &error_no_memory : NULL;
}

/** "functools.partial" of a heap type, from its dict and ht_qualname. */
static bool heap_name(const struct runtime *runtime, struct reader *reader, uint64_t type,
		      char *buffer, size_t size)
{
	const struct layout *layout = &runtime->layout;
	char module[NAME_SIZE] = "", qualname[NAME_SIZE];
	uint64_t flags, dict, object;

	if (!reader_u64(reader, type + layout->PyTypeObject_tp_flags, &flags) ||
	    !(flags & TPFLAGS_HEAPTYPE) ||
	    !reader_u64(reader, type + layout->PyHeapTypeObject_ht_qualname, &object) ||
	    !object_is_str(runtime, reader, object) ||
	    !object_str(runtime, reader, object, qualname, sizeof(qualname)))
		return false;
	object = 0;
	if (reader_u64(reader, type + layout->PyTypeObject_tp_dict, &dict) && dict)
		object = dict_find(runtime, reader, dict, "__module__");
	if (object && object_is_str(runtime, reader, object))
		object_str(runtime, reader, object, module, sizeof(module));
	if (!module[0] || !strcmp(module, "builtins"))
		snprintf(buffer, size, "%s", qualname);
	else
		snprintf(buffer, size, "%s.%s", module, qualname);
	return true;
}

bool type_tp_name(const struct runtime *runtime, struct reader *reader, uint64_t type, char *buffer,
		  size_t size)
{
	const struct named *named;
	uint64_t name;

	if (!reader_u64(reader, type + runtime->layout.PyTypeObject_tp_name, &name))
		return false;
	// One that is cut off is as good as it can be.
	if (reader_string(reader, name, buffer, size) || buffer[0])
		return true;
	named = runtime->type_names ? find_name(runtime->type_names, type) : NULL;
	if (named) {
		snprintf(buffer, size, "%s", named->name);
		return true;
	}
	return runtime->type_names && heap_name(runtime, reader, type, buffer, size);
}
