/*
 * A C extension with the usual reference bugs, one a function. Those that make an object return its
 * address as an int, which holds no reference.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

static PyObject *address_of(PyObject *object)
{
	return PyLong_FromVoidPtr(object);
}

/* Bug: the new object is neither returned nor given back. */
static PyObject *lose(PyObject *object)
{
	return object ? address_of(object) : NULL;
}

static PyObject *lose_list(PyObject *self, PyObject *item)
{
	PyObject *list = PyList_New(1);

	(void)self;
	if (list) {
		Py_INCREF(item);
		PyList_SET_ITEM(list, 0, item);
	}
	return lose(list);
}

static PyObject *lose_dict(PyObject *self, PyObject *item)
{
	(void)self;
	return lose(Py_BuildValue("{s:O}", "item", item));
}

static PyObject *lose_instance(PyObject *self, PyObject *type)
{
	(void)self;
	return lose(PyObject_CallObject(type, NULL));
}

static PyObject *lose_str(PyObject *self, PyObject *number)
{
	(void)self;
	return lose(PyUnicode_FromFormat("leaked text %S", number));
}

static PyObject *lose_bytes(PyObject *self, PyObject *number)
{
	(void)self;
	return lose(PyBytes_FromFormat("leaked bytes %ld", PyLong_AsLong(number)));
}

static PyObject *lose_int(PyObject *self, PyObject *number)
{
	(void)self;
	return lose(PyLong_FromLongLong(0x123456789ab000 + PyLong_AsLong(number)));
}

/* Bug: a borrowed reference is not given back, but taken once more. */
static PyObject *take(PyObject *self, PyObject *object)
{
	(void)self;
	Py_INCREF(object);
	return address_of(object);
}

/* Bug: a borrowed reference is given back. */
static PyObject *release(PyObject *self, PyObject *object)
{
	(void)self;
	Py_DECREF(object);
	return address_of(object);
}

/* Bug: PyList_SET_ITEM takes the reference, and then it is given back all the same. */
static PyObject *put_freed(PyObject *self, PyObject *list)
{
	PyObject *bytes = PyBytes_FromStringAndSize(NULL, 200), *old;
	PyObject *address = bytes ? address_of(bytes) : NULL;

	(void)self;
	if (!address)
		return NULL;
	old = PyList_GET_ITEM(list, 0);
	PyList_SET_ITEM(list, 0, bytes);
	Py_DECREF(old);
	Py_DECREF(bytes);
	return address;
}

static PyMethodDef methods[] = {
	{"lose_list", lose_list, METH_O, NULL},
	{"lose_dict", lose_dict, METH_O, NULL},
	{"lose_instance", lose_instance, METH_O, NULL},
	{"lose_str", lose_str, METH_O, NULL},
	{"lose_bytes", lose_bytes, METH_O, NULL},
	{"lose_int", lose_int, METH_O, NULL},
	{"take", take, METH_O, NULL},
	{"release", release, METH_O, NULL},
	{"put_freed", put_freed, METH_O, NULL},
	{NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
	PyModuleDef_HEAD_INIT, "leakext", NULL, -1, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit_leakext(void);

PyMODINIT_FUNC PyInit_leakext(void)
{
	return PyModule_Create(&definition);
}
