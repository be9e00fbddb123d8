/*
 * An extension module that writes down what every object's real tp_traverse visits.
 *
 * dump(path, objects): the process forks. The child calls tp_traverse of each object of the list,
 * and of every object with GC that those visit, and writes the visits to the file. The parent
 * waits for it, says "ready" on stdout and waits on stdin, inside of this call: its heap stays
 * that of the child, to be looked at or dumped.
 *
 * The file is made of 64-bit words; for each object:
 *   its address, its type, the type's tp_traverse (0: none), how many visits, then the visited
 *   addresses in order
 */
/*
 * With Py_LIMITED_API it is built once for all versions from 3.10 on.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

// The child's own memory comes from mmap: the allocators that the objects live in stay as they are.
enum { RESERVED = 1 << 28 };

struct words {
	uint64_t *items;
	size_t count;
};

// All objects met so far: a hash table of addresses.
struct objects {
	struct words order;
	uint64_t *buckets;
	size_t mask;
};

static void *reserve(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		_exit(2);
	return memory;
}

static void add_word(struct words *words, uint64_t word)
{
	if (words->count == RESERVED)
		_exit(3);
	words->items[words->count++] = word;
}

static void add_object(struct objects *objects, PyObject *object)
{
	uint64_t address = (uintptr_t)object;
	size_t bucket = address * UINT64_C(0x9e3779b97f4a7c15) >> 32;

	for (bucket &= objects->mask; objects->buckets[bucket];
	     bucket = (bucket + 1) & objects->mask)
		if (objects->buckets[bucket] == address)
			return;
	objects->buckets[bucket] = address;
	add_word(&objects->order, address);
}

#ifdef Py_LIMITED_API
static traverseproc traverse_of(PyTypeObject *type)
{
	return (traverseproc)PyType_GetSlot(type, Py_tp_traverse);
}

static int is_gc(PyObject *object)
{
	inquiry test = (inquiry)PyType_GetSlot(Py_TYPE(object), Py_tp_is_gc);

	return (PyType_GetFlags(Py_TYPE(object)) & Py_TPFLAGS_HAVE_GC) && (!test || test(object));
}
#else
static traverseproc traverse_of(PyTypeObject *type)
{
	return type->tp_traverse;
}

static int is_gc(PyObject *object)
{
	return PyObject_IS_GC(object);
}
#endif

static int visit(PyObject *object, void *argument)
{
	add_word(argument, (uintptr_t)object);
	return 0;
}

// Writes the visits of one object, and takes what it visits into the list.
static void record(struct objects *objects, struct words *output, PyObject *object)
{
	PyTypeObject *type = Py_TYPE(object);
	traverseproc traverse = traverse_of(type);

	add_word(output, (uintptr_t)object);
	add_word(output, (uintptr_t)type);
	add_word(output, (uintptr_t)traverse);
	size_t count = output->count;
	add_word(output, 0);
	if (traverse)
		traverse(object, visit, output);
	output->items[count] = output->count - count - 1;
	for (size_t i = count + 1; i < output->count; i++) {
		PyObject *visited = (PyObject *)(uintptr_t)output->items[i];

		if (is_gc(visited))
			add_object(objects, visited);
	}
}

static void write_file(const char *path, const struct words *words)
{
	FILE *file = fopen(path, "w");

	if (!file || fwrite(words->items, 8, words->count, file) != words->count || fclose(file))
		_exit(4);
}

static void write_truth(const char *path, PyObject *list)
{
	struct objects objects = {.mask = RESERVED / 4 - 1};
	struct words output = {.items = reserve((size_t)RESERVED * 8)};

	objects.order.items = reserve((size_t)RESERVED * 8);
	objects.buckets = reserve((size_t)RESERVED / 4 * 8);
	for (Py_ssize_t i = 0; i < PyList_Size(list); i++)
		add_object(&objects, PyList_GetItem(list, i));
	for (size_t i = 0; i < objects.order.count; i++)
		record(&objects, &output, (PyObject *)(uintptr_t)objects.order.items[i]);
	write_file(path, &output);
}

static PyObject *dump(PyObject *self, PyObject *arguments)
{
	const char *path;
	PyObject *list;
	int status;
	char byte;

	(void)self;
	if (!PyArg_ParseTuple(arguments, "sO!", &path, &PyList_Type, &list))
		return NULL;
	pid_t child = fork();
	if (child == 0) {
		write_truth(path, list);
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
		return PyErr_Format(PyExc_RuntimeError, "the child failed: status %d", status);
	if (write(1, "ready\n", 6) != 6 || read(0, &byte, 1) < 0)
		return PyErr_SetFromErrno(PyExc_OSError);
	Py_RETURN_NONE;
}

static PyMethodDef methods[] = {{"dump", dump, METH_VARARGS, NULL}, {NULL, NULL, 0, NULL}};

static struct PyModuleDef definition = {
	PyModuleDef_HEAD_INIT, "traverse_truth", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_traverse_truth(void)
{
	return PyModule_Create(&definition);
}
