// Types made by pybind11: with a dynamic __dict__, with a Python subclass, with an own traverse.
#include <pybind11/functional.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <vector>

namespace py = pybind11;

struct Dynamic {
};

struct Container {
	std::vector<py::object> items;
	py::object callback;
};

// The custom_type_setup of pybind11's manual: a type that takes part in garbage collection.
static void set_up_collection(PyHeapTypeObject *heap_type)
{
	PyTypeObject *type = &heap_type->ht_type;

	type->tp_flags |= Py_TPFLAGS_HAVE_GC;
	type->tp_traverse = [](PyObject *self, visitproc visit, void *arg) {
		Py_VISIT(Py_TYPE(self));
		auto &container = py::cast<Container &>(py::handle(self));
		for (auto &item : container.items)
			Py_VISIT(item.ptr());
		Py_VISIT(container.callback.ptr());
		return 0;
	};
	type->tp_clear = [](PyObject *self) {
		auto &container = py::cast<Container &>(py::handle(self));
		container.items.clear();
		return 0;
	};
}

static py::list build(int i)
{
	py::list result, item;

	item.append(i);
	py::object dynamic = py::cast(Dynamic());
	dynamic.attr("value") = item;
	result.append(dynamic);
	py::object object = py::cast(Container());
	auto &container = object.cast<Container &>();
	container.items.push_back(item);
	container.items.push_back(object);
	container.callback = py::cpp_function([item]() { return item; });
	result.append(object);
	result.append(container.callback);
	return result;
}

PYBIND11_MODULE(pybind11_types, module)
{
	py::class_<Dynamic>(module, "Dynamic", py::dynamic_attr());
	py::class_<Container>(module, "Container", py::custom_type_setup(set_up_collection));
	module.def("build", build);
}
