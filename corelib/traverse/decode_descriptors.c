/*
 * Descriptors and what a class keeps for its attributes (Objects/descrobject.c, typeobject.c).
 */
#include "traverse/decoder.h"

/* prop_name is 3.10+. */
static const struct field property_fields[] = {
	ATTRIBUTE(propertyobject_prop_get, "fget"),
	ATTRIBUTE(propertyobject_prop_set, "fset"),
	ATTRIBUTE(propertyobject_prop_del, "fdel"),
	ATTRIBUTE(propertyobject_prop_doc, "__doc__"),
	ATTRIBUTE(propertyobject_prop_name, "__name__"),
};

/* method, getset, member, wrapper and classmethod descriptors: the class only. */
static const struct field descriptor_fields[] = {
	ATTRIBUTE(PyDescrObject_d_type, "__objclass__"),
};

static const struct field mappingproxy_fields[] = {
	FIELD(mappingproxyobject_mapping, "mapping"),
};

static const struct field method_wrapper_fields[] = {
	FIELD(wrapperobject_descr, "descr"),
	ATTRIBUTE(wrapperobject_self, "__self__"),
};

static const struct field super_fields[] = {
	ATTRIBUTE(superobject_obj, "__self__"),
	ATTRIBUTE(superobject_type, "__thisclass__"),
	ATTRIBUTE(superobject_obj_type, "__self_class__"),
};

const struct decoder descriptor_decoders[] = {
	{
		.name = "property",
		.symbols = "PyProperty_Type",
		.types = "property",
		FIELDS(property_fields),
	},
	{
		.name = "descriptor",
		.symbols = "PyGetSetDescr_Type PyMemberDescr_Type PyMethodDescr_Type "
			   "PyWrapperDescr_Type PyClassMethodDescr_Type",
		.types = "getset_descriptor|member_descriptor|method_descriptor|"
			 "wrapper_descriptor|classmethod_descriptor",
		FIELDS(descriptor_fields),
	},
	{
		.name = "mappingproxy",
		.symbols = "PyDictProxy_Type",
		.types = "mappingproxy",
		FIELDS(mappingproxy_fields),
	},
	{
		.name = "method-wrapper",
		.symbols = "_PyMethodWrapper_Type",
		.types = "method-wrapper",
		FIELDS(method_wrapper_fields),
	},
	{
		.name = "super",
		.symbols = "PySuper_Type",
		.types = "super",
		FIELDS(super_fields),
	},
	{0},
};
