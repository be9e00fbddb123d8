/*
 * Exceptions (Objects/exceptions.c). Each family visits its own members and then what every
 * BaseException has. Families without members of their own share BaseException's function.
 */
#include "traverse/decoder.h"

/* notes is 3.11+. */
#define BASE_EXCEPTION                                                       \
	ATTRIBUTE(PyBaseExceptionObject_dict, "__dict__"),                   \
		ATTRIBUTE(PyBaseExceptionObject_args, "args"),               \
		ATTRIBUTE(PyBaseExceptionObject_notes, "__notes__"),         \
		ATTRIBUTE(PyBaseExceptionObject_traceback, "__traceback__"), \
		ATTRIBUTE(PyBaseExceptionObject_cause, "__cause__"),         \
		ATTRIBUTE(PyBaseExceptionObject_context, "__context__")

static const struct field base_exception_fields[] = {BASE_EXCEPTION};

static const struct field stop_iteration_fields[] = {
	ATTRIBUTE(PyStopIterationObject_value, "value"),
	BASE_EXCEPTION,
};

static const struct field system_exit_fields[] = {
	ATTRIBUTE(PySystemExitObject_code, "code"),
	BASE_EXCEPTION,
};

static const struct field import_error_fields[] = {
	ATTRIBUTE(PyImportErrorObject_msg, "msg"),
	ATTRIBUTE(PyImportErrorObject_name, "name"),
	ATTRIBUTE(PyImportErrorObject_path, "path"),
	ATTRIBUTE(PyImportErrorObject_name_from, "name_from"),
	BASE_EXCEPTION,
};

static const struct field os_error_fields[] = {
	ATTRIBUTE(PyOSErrorObject_myerrno, "errno"),
	ATTRIBUTE(PyOSErrorObject_strerror, "strerror"),
	ATTRIBUTE(PyOSErrorObject_filename, "filename"),
	ATTRIBUTE(PyOSErrorObject_filename2, "filename2"),
	BASE_EXCEPTION,
};

static const struct field syntax_error_fields[] = {
	ATTRIBUTE(PySyntaxErrorObject_msg, "msg"),
	ATTRIBUTE(PySyntaxErrorObject_filename, "filename"),
	ATTRIBUTE(PySyntaxErrorObject_lineno, "lineno"),
	ATTRIBUTE(PySyntaxErrorObject_offset, "offset"),
	ATTRIBUTE(PySyntaxErrorObject_end_lineno, "end_lineno"),
	ATTRIBUTE(PySyntaxErrorObject_end_offset, "end_offset"),
	ATTRIBUTE(PySyntaxErrorObject_text, "text"),
	ATTRIBUTE(PySyntaxErrorObject_print_file_and_line, "print_file_and_line"),
	ATTRIBUTE(PySyntaxErrorObject_metadata, "_metadata"),
	BASE_EXCEPTION,
};

static const struct field unicode_error_fields[] = {
	ATTRIBUTE(PyUnicodeErrorObject_encoding, "encoding"),
	ATTRIBUTE(PyUnicodeErrorObject_object, "object"),
	ATTRIBUTE(PyUnicodeErrorObject_reason, "reason"),
	BASE_EXCEPTION,
};

static const struct field name_error_fields[] = {
	ATTRIBUTE(PyNameErrorObject_name, "name"),
	BASE_EXCEPTION,
};

static const struct field attribute_error_fields[] = {
	ATTRIBUTE(PyAttributeErrorObject_obj, "obj"),
	ATTRIBUTE(PyAttributeErrorObject_name, "name"),
	BASE_EXCEPTION,
};

static const struct field exception_group_fields[] = {
	ATTRIBUTE(PyBaseExceptionGroupObject_msg, "message"),
	ATTRIBUTE(PyBaseExceptionGroupObject_excs, "exceptions"),
	FIELD(PyBaseExceptionGroupObject_excs_str, "excs_str"),
	BASE_EXCEPTION,
};

const struct decoder exception_decoders[] = {
	{
		.name = "exception",
		.symbols = "PyExc_BaseException",
		.types = "BaseException",
		FIELDS(base_exception_fields),
	},
	{
		.name = "StopIteration",
		.symbols = "PyExc_StopIteration",
		.types = "StopIteration",
		FIELDS(stop_iteration_fields),
	},
	{
		.name = "SystemExit",
		.symbols = "PyExc_SystemExit",
		.types = "SystemExit",
		FIELDS(system_exit_fields),
	},
	{
		.name = "ImportError",
		.symbols = "PyExc_ImportError",
		.types = "ImportError",
		FIELDS(import_error_fields),
	},
	{
		.name = "OSError",
		.symbols = "PyExc_OSError",
		.types = "OSError",
		FIELDS(os_error_fields),
	},
	{
		.name = "SyntaxError",
		.symbols = "PyExc_SyntaxError",
		.types = "SyntaxError",
		FIELDS(syntax_error_fields),
	},
	{
		.name = "UnicodeError",
		.symbols = "PyExc_UnicodeEncodeError PyExc_UnicodeDecodeError "
			   "PyExc_UnicodeTranslateError",
		.types = "UnicodeEncodeError|UnicodeDecodeError|UnicodeTranslateError",
		FIELDS(unicode_error_fields),
	},
	{
		.name = "NameError",
		.symbols = "PyExc_NameError",
		.types = "NameError",
		FIELDS(name_error_fields),
	},
	{
		.name = "AttributeError",
		.symbols = "PyExc_AttributeError",
		.types = "AttributeError",
		FIELDS(attribute_error_fields),
	},
	{
		.name = "exception group",
		.symbols = "PyExc_BaseExceptionGroup",
		.types = "BaseExceptionGroup",
		FIELDS(exception_group_fields),
	},
	{0},
};
