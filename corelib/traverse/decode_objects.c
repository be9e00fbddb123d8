/*
 * Types, modules and the small builtin types (Objects/typeobject.c, moduleobject.c, …).
 */
#include "traverse/decoder.h"

static const struct field type_fields[] = {
	ATTRIBUTE(PyTypeObject_tp_dict, "__dict__"), FIELD(PyTypeObject_tp_cache, "tp_cache"),
	ATTRIBUTE(PyTypeObject_tp_mro, "__mro__"),   ATTRIBUTE(PyTypeObject_tp_bases, "__bases__"),
	ATTRIBUTE(PyTypeObject_tp_base, "__base__"), FIELD(PyHeapTypeObject_ht_module, "ht_module"),
};

static const struct field weakref_fields[] = {
	ATTRIBUTE(PyWeakReference_wr_callback, "__callback__"),
};

static const struct field slice_fields[] = {
	ATTRIBUTE(PySliceObject_start, "start"),
	ATTRIBUTE(PySliceObject_stop, "stop"),
	ATTRIBUTE(PySliceObject_step, "step"),
};

static const struct field namespace_fields[] = {
	ATTRIBUTE(_PyNamespaceObject_ns_dict, "__dict__"),
};

static const struct field generic_alias_fields[] = {
	ATTRIBUTE(gaobject_origin, "__origin__"),
	ATTRIBUTE(gaobject_args, "__args__"),
	ATTRIBUTE(gaobject_parameters, "__parameters__"),
};

static const struct field alias_iterator_fields[] = {FIELD(gaiterobject_obj, "obj")};

static const struct field union_fields[] = {
	ATTRIBUTE(unionobject_args, "__args__"),
	FIELD(unionobject_hashable_args, "hashable_args"),
	FIELD(unionobject_unhashable_args, "unhashable_args"),
	ATTRIBUTE(unionobject_parameters, "__parameters__"),
};

static const struct field memoryview_fields[] = {FIELD(PyMemoryViewObject_mbuf, "mbuf")};

static const struct field managed_buffer_fields[] = {
	FIELD(_PyManagedBufferObject_master_obj, "master.obj"),
};

static const struct field pickle_buffer_fields[] = {
	FIELD(PyPickleBufferObject_view_obj, "view.obj"),
};

static const struct field type_variable_fields[] = {
	OWN_TYPE,
	ATTRIBUTE(typevarobject_bound, "__bound__"),
	FIELD(typevarobject_evaluate_bound, "evaluate_bound"),
	ATTRIBUTE(typevarobject_constraints, "__constraints__"),
	FIELD(typevarobject_evaluate_constraints, "evaluate_constraints"),
	ATTRIBUTE(typevarobject_default_value, "__default__"),
	FIELD(typevarobject_evaluate_default, "evaluate_default"),
	MANAGED_DICT,
};

static const struct field parameters_fields[] = {
	OWN_TYPE,
	ATTRIBUTE(paramspecobject_bound, "__bound__"),
	ATTRIBUTE(paramspecobject_default_value, "__default__"),
	FIELD(paramspecobject_evaluate_default, "evaluate_default"),
	MANAGED_DICT,
};

static const struct field type_variable_tuple_fields[] = {
	OWN_TYPE,
	ATTRIBUTE(typevartupleobject_default_value, "__default__"),
	FIELD(typevartupleobject_evaluate_default, "evaluate_default"),
	MANAGED_DICT,
};

/* Heap types that do not visit their type. */
static const struct field parameters_attribute_fields[] = {
	ATTRIBUTE(paramspecattrobject_origin, "__origin__"),
};

static const struct field type_alias_fields[] = {
	ATTRIBUTE(typealiasobject_type_params, "__type_params__"),
	FIELD(typealiasobject_compute_value, "compute_value"),
	ATTRIBUTE(typealiasobject_value, "__value__"),
	ATTRIBUTE(typealiasobject_module, "__module__"),
};

static const struct field template_fields[] = {
	ATTRIBUTE(templateobject_strings, "strings"),
	ATTRIBUTE(templateobject_interpolations, "interpolations"),
};

static const struct field template_iterator_fields[] = {
	FIELD(templateiterobject_stringsiter, "stringsiter"),
	FIELD(templateiterobject_interpolationsiter, "interpolationsiter"),
};

static const struct field interpolation_fields[] = {
	ATTRIBUTE(interpolationobject_value, "value"),
	ATTRIBUTE(interpolationobject_expression, "expression"),
	ATTRIBUTE(interpolationobject_conversion, "conversion"),
	ATTRIBUTE(interpolationobject_format_spec, "format_spec"),
};

static const struct field lazy_import_fields[] = {
	FIELD(PyLazyImportObject_lz_builtins, "lz_builtins"),
	FIELD(PyLazyImportObject_lz_from, "lz_from"),
	FIELD(PyLazyImportObject_lz_attr, "lz_attr"),
	FIELD(PyLazyImportObject_lz_code, "lz_code"),
};

static const struct field sentinel_fields[] = {
	ATTRIBUTE(sentinelobject_name, "__name__"),
	ATTRIBUTE(sentinelobject_module, "__module__"),
	FIELD(sentinelobject_repr, "repr"),
};

static const struct field only_type_fields[] = {OWN_TYPE};

/*
 * A module's own C code visits its state first (m_traverse; 3.9+ only once there is state to visit,
 * bpo-39824). It is interpreted together with the function of module objects that calls it; where
 * that is not possible, the module's dict alone is visited.
 */
static bool runs_own_code(struct traverser *traverser, uint64_t module)
{
	const struct layout *layout = traverser->layout;
	uint64_t definition, traverse, size, state;

	if (layout_has(layout->PyModuleObject_md_state_traverse)) {
		reader_u64(&traverser->reader, module + layout->PyModuleObject_md_state_traverse,
			   &traverse);
		reader_u64(&traverser->reader, module + layout->PyModuleObject_md_state_size,
			   &size);
	} else {
		if (!reader_u64(&traverser->reader, module + layout->PyModuleObject_md_def,
				&definition) ||
		    !definition ||
		    !reader_u64(&traverser->reader, definition + layout->PyModuleDef_m_traverse,
				&traverse) ||
		    !reader_u64(&traverser->reader, definition + layout->PyModuleDef_m_size, &size))
			return false;
	}
	reader_u64(&traverser->reader, module + layout->PyModuleObject_md_state, &state);
	return traverse && (!traverser->heap_types_visited || (int64_t)size <= 0 || state);
}

static enum traverse_result decode_module(struct traverser *traverser, const struct plan *plan,
					  uint64_t object)
{
	enum traverse_result result = TRAVERSE_EXACT;

	if (runs_own_code(traverser, object)) {
		if (decode_by_code(traverser, plan, object) == TRAVERSE_EXACT)
			return TRAVERSE_EXACT;
		result = TRAVERSE_PARTIAL;
	}
	return visit_word(traverser, object + traverser->layout->PyModuleObject_md_dict)
		       ? result
		       : TRAVERSE_DAMAGED;
}

static bool label_module(struct traverser *traverser, const struct plan *plan, uint64_t object,
			 const struct reference *reference, struct edge_label *label)
{
	(void)plan;
	if (reference->slot != object + traverser->layout->PyModuleObject_md_dict)
		return false;
	label->kind = EDGE_ATTRIBUTE;
	label_text(label, "__dict__");
	return true;
}

/* A capsule visits what its maker's function says, 3.13+; before that it is no GC object. */
static enum traverse_result decode_capsule(struct traverser *traverser, const struct plan *plan,
					   uint64_t object)
{
	uint64_t traverse;

	if (!reader_u64(&traverser->reader, object + traverser->layout->PyCapsule_traverse_func,
			&traverse))
		return TRAVERSE_DAMAGED;
	if (!traverse || decode_by_code(traverser, plan, object) == TRAVERSE_EXACT)
		return TRAVERSE_EXACT;
	return TRAVERSE_PARTIAL;
}

/* What a class owns besides its dict: the names shared by its instances, its tp_name and so on. */
static uint64_t type_storage(struct traverser *traverser, const struct plan *plan, uint64_t object)
{
	const struct type *type = type_get(traverser->runtime->types, &traverser->reader, object);

	(void)plan;
	return type && type->cached_keys ? keys_storage(traverser, type->cached_keys) : 0;
}

const struct decoder object_decoders[] = {
	{
		.name = "type",
		.symbols = "PyType_Type",
		.types = "type",
		FIELDS(type_fields),
		.out_of_line = type_storage,
	},
	{
		.name = "module",
		.symbols = "PyModule_Type",
		.types = "module",
		.decode = decode_module,
		.label = label_module,
	},
	{
		.name = "weakref",
		.symbols = "_PyWeakref_RefType _PyWeakref_ProxyType _PyWeakref_CallableProxyType",
		.types = "weakref|weakref.ReferenceType|weakproxy|weakref.ProxyType",
		FIELDS(weakref_fields),
	},
	{.name = "slice", .symbols = "PySlice_Type", .types = "slice", FIELDS(slice_fields)},
	{
		.name = "SimpleNamespace",
		.symbols = "_PyNamespace_Type",
		.types = "types.SimpleNamespace",
		FIELDS(namespace_fields),
	},
	{
		.name = "GenericAlias",
		.symbols = "Py_GenericAliasType",
		.types = "types.GenericAlias",
		FIELDS(generic_alias_fields),
	},
	{
		.name = "generic_alias_iterator",
		.types = "generic_alias_iterator",
		FIELDS(alias_iterator_fields),
	},
	{
		.name = "Union",
		.symbols = "_PyUnion_Type",
		.types = "types.UnionType|typing.Union",
		FIELDS(union_fields),
	},
	{
		.name = "memoryview",
		.symbols = "PyMemoryView_Type",
		.types = "memoryview",
		FIELDS(memoryview_fields),
	},
	{
		.name = "managedbuffer",
		.symbols = "_PyManagedBuffer_Type",
		.types = "managedbuffer",
		FIELDS(managed_buffer_fields),
	},
	{
		.name = "PickleBuffer",
		.symbols = "PyPickleBuffer_Type",
		.types = "pickle.PickleBuffer",
		FIELDS(pickle_buffer_fields),
	},
	{
		.name = "PyCapsule",
		.symbols = "PyCapsule_Type",
		.types = "PyCapsule",
		.decode = decode_capsule,
	},
	{.name = "TypeVar", .types = "typing.TypeVar", FIELDS(type_variable_fields)},
	{.name = "ParamSpec", .types = "typing.ParamSpec", FIELDS(parameters_fields)},
	{
		.name = "TypeVarTuple",
		.types = "typing.TypeVarTuple",
		FIELDS(type_variable_tuple_fields),
	},
	{
		.name = "ParamSpecArgs",
		.types = "typing.ParamSpecArgs|typing.ParamSpecKwargs",
		FIELDS(parameters_attribute_fields),
	},
	{.name = "TypeAliasType", .types = "typing.TypeAliasType", FIELDS(type_alias_fields)},
	{
		.name = "Template",
		.symbols = "_PyTemplate_Type",
		.types = "string.templatelib.Template",
		FIELDS(template_fields),
	},
	{
		.name = "TemplateIter",
		.types = "string.templatelib.TemplateIter",
		FIELDS(template_iterator_fields),
	},
	{
		.name = "Interpolation",
		.symbols = "_PyInterpolation_Type",
		.types = "string.templatelib.Interpolation",
		FIELDS(interpolation_fields),
	},
	{
		.name = "lazy_import",
		.symbols = "PyLazyImport_Type",
		.types = "lazy_import",
		FIELDS(lazy_import_fields),
	},
	{
		.name = "sentinel",
		.symbols = "PySentinel_Type",
		.types = "sentinel",
		FIELDS(sentinel_fields),
	},
	{
		.name = "type only",
		.functions = "_PyObject_VisitType",
		.types = "typing.Generic|_thread.lock|_thread.RLock|array.array|_socket.socket",
		FIELDS(only_type_fields),
	},
	{0},
};
