/*
 * Functions and methods (Objects/funcobject.c, classobject.c, methodobject.c, cellobject.c).
 */
#include "traverse/decoder.h"

/* 3.8 and 3.9 have no func_builtins. */
static const struct field function_fields[] = {
	ATTRIBUTE(PyFunctionObject_func_code, "__code__"),
	ATTRIBUTE(PyFunctionObject_func_globals, "__globals__"),
	ATTRIBUTE(PyFunctionObject_func_builtins, "__builtins__"),
	ATTRIBUTE(PyFunctionObject_func_module, "__module__"),
	ATTRIBUTE(PyFunctionObject_func_defaults, "__defaults__"),
	ATTRIBUTE(PyFunctionObject_func_kwdefaults, "__kwdefaults__"),
	ATTRIBUTE(PyFunctionObject_func_doc, "__doc__"),
	ATTRIBUTE(PyFunctionObject_func_name, "__name__"),
	ATTRIBUTE(PyFunctionObject_func_dict, "__dict__"),
	ATTRIBUTE(PyFunctionObject_func_closure, "__closure__"),
	ATTRIBUTE(PyFunctionObject_func_annotations, "__annotations__"),
	ATTRIBUTE(PyFunctionObject_func_annotate, "__annotate__"),
	ATTRIBUTE(PyFunctionObject_func_typeparams, "__type_params__"),
	ATTRIBUTE(PyFunctionObject_func_qualname, "__qualname__"),
};

static const struct field method_fields[] = {
	ATTRIBUTE(PyMethodObject_im_func, "__func__"),
	ATTRIBUTE(PyMethodObject_im_self, "__self__"),
};

static const struct field instancemethod_fields[] = {
	ATTRIBUTE(PyInstanceMethodObject_func, "__func__"),
};

static const struct field cell_fields[] = {
	ATTRIBUTE(PyCellObject_ob_ref, "cell_contents"),
};

static const struct field classmethod_fields[] = {
	ATTRIBUTE(classmethod_cm_callable, "__func__"),
	ATTRIBUTE(classmethod_cm_dict, "__dict__"),
};

static const struct field staticmethod_fields[] = {
	ATTRIBUTE(staticmethod_sm_callable, "__func__"),
	ATTRIBUTE(staticmethod_sm_dict, "__dict__"),
};

/* METH_METHOD (Include/methodobject.h, 3.9+): the object is a PyCMethodObject with a class. */
enum { METH_METHOD = 0x200 };

static bool has_class(struct traverser *traverser, uint64_t object)
{
	const struct layout *layout = traverser->layout;
	uint64_t definition;
	uint32_t flags;

	return layout_has(layout->PyCMethodObject_mm_class) &&
	       reader_u64(&traverser->reader, object + layout->PyCFunctionObject_m_ml,
			  &definition) &&
	       reader_u32(&traverser->reader, definition + layout->PyMethodDef_ml_flags, &flags) &&
	       (flags & METH_METHOD);
}

/* The class is visited first, but it is not a field that all of them have. */
static enum traverse_result decode_builtin(struct traverser *traverser, const struct plan *plan,
					   uint64_t object)
{
	const struct layout *layout = traverser->layout;

	(void)plan;
	if (has_class(traverser, object) &&
	    !visit_word(traverser, object + layout->PyCMethodObject_mm_class))
		return TRAVERSE_DAMAGED;
	return exact_if(visit_word(traverser, object + layout->PyCFunctionObject_m_self) &&
			visit_word(traverser, object + layout->PyCFunctionObject_m_module));
}

static bool label_builtin(struct traverser *traverser, const struct plan *plan, uint64_t object,
			  const struct reference *reference, struct edge_label *label)
{
	const struct layout *layout = traverser->layout;

	(void)plan;
	label->kind = EDGE_ATTRIBUTE;
	if (reference->slot == object + layout->PyCFunctionObject_m_self)
		label_text(label, "__self__");
	else if (reference->slot == object + layout->PyCFunctionObject_m_module)
		label_text(label, "__module__");
	else if (layout_has(layout->PyCMethodObject_mm_class) &&
		 reference->slot == object + layout->PyCMethodObject_mm_class)
		label_text(label, "__objclass__");
	else
		return false;
	return true;
}

const struct decoder callable_decoders[] = {
	{
		.name = "function",
		.symbols = "PyFunction_Type",
		.types = "function",
		FIELDS(function_fields),
	},
	{
		.name = "method",
		.symbols = "PyMethod_Type",
		.types = "method",
		FIELDS(method_fields),
	},
	{
		.name = "instancemethod",
		.symbols = "PyInstanceMethod_Type",
		.types = "instancemethod",
		FIELDS(instancemethod_fields),
	},
	{
		.name = "builtin function",
		.symbols = "PyCFunction_Type PyCMethod_Type",
		.types = "builtin_function_or_method|builtin_method",
		.decode = decode_builtin,
		.label = label_builtin,
	},
	{
		.name = "cell",
		.symbols = "PyCell_Type",
		.types = "cell",
		FIELDS(cell_fields),
	},
	{
		.name = "classmethod",
		.symbols = "PyClassMethod_Type",
		.types = "classmethod",
		FIELDS(classmethod_fields),
	},
	{
		.name = "staticmethod",
		.symbols = "PyStaticMethod_Type",
		.types = "staticmethod",
		FIELDS(staticmethod_fields),
	},
	{0},
};
