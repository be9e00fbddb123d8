/*
 * repr of instances of Python classes: by their attributes, or in the form that the standard
 * library gives to enum members, dataclasses, namedtuples and a few classes of its own.
 */
#include "traverse/attributes.h"
#include "traverse/repr_private.h"

#include <inttypes.h>
#include <stdio.h>

enum { CLASSES_MAX = 64, UUID_DIGITS = 4 };

/* A value that is a str, of some type below it or not. */
static bool read_text(struct repr *repr, uint64_t object, char *text, size_t size)
{
	struct traverser *traverser = repr->traverser;

	return object && object_is_str(traverser->runtime, &traverser->reader, object) &&
	       object_str(traverser->runtime, &traverser->reader, object, text, size);
}

static bool add_attributes(struct repr *repr, uint64_t object, const struct type *type)
{
	struct attributes attributes;
	struct attribute attribute;
	uint64_t written = 0;

	attributes_begin(&attributes, repr->traverser, object, type);
	while (!repr->full && attributes_next(&attributes, &attribute)) {
		repr_add(repr, " ");
		if (written++ == repr->options.items) {
			repr_add(repr, "\xe2\x80\xa6");
			break;
		}
		repr_addf(repr, "%s=", attribute.name);
		repr_value(repr, attribute.value);
	}
	return written;
}

static bool is_open(const struct repr *repr, uint64_t object)
{
	for (unsigned i = 0; i < repr->level; i++)
		if (repr->open[i] == object)
			return true;
	return false;
}

/* Whether the object's attributes are shown, or only its name. */
static bool enter(struct repr *repr, uint64_t object)
{
	if (repr->level >= repr->options.depth || is_open(repr, object))
		return false;
	repr->open[repr->level++] = object;
	return true;
}

bool repr_instance(struct repr *repr, uint64_t object, const struct type *type)
{
	repr_addf(repr, "<%s", type->name);
	if (!(type->flags & TPFLAGS_HEAPTYPE) && repr->options.addresses)
		repr_add(repr, " object");
	repr_add_address(repr, object);
	if (enter(repr, object)) {
		add_attributes(repr, object, type);
		repr_close(repr);
	}
	repr_add(repr, ">");
	return true;
}

/* Objects/exceptions.c BaseException_repr(): the class and its arguments. */
bool repr_exception(struct repr *repr, uint64_t object, const struct type *type)
{
	const struct layout *layout = repr->traverser->layout;
	uint64_t args, count;

	if (!repr_u64(repr, object + layout->PyBaseExceptionObject_args, &args))
		return false;
	repr_add_class(repr, type);
	if (!enter(repr, object)) {
		repr_add(repr, "(...)");
		return true;
	}
	repr_add(repr, "(");
	if (args && repr_count(repr, args, &count))
		repr_items(repr, args + layout->PyTupleObject_ob_item, count);
	repr_add(repr, ")");
	repr_close(repr);
	return true;
}

/*
 * Classes that have a form of their own
 */

/* Is one of the classes a class of Python code by this name? */
static bool is_instance(struct repr *repr, const struct type *type, const char *name)
{
	const struct type *classes[CLASSES_MAX];
	size_t count;

	if (!(type->flags & TPFLAGS_HEAPTYPE))
		return false;
	count = type_mro(repr->traverser, type, classes, CLASSES_MAX);
	for (size_t i = 0; i < count; i++)
		if ((classes[i]->flags & TPFLAGS_HEAPTYPE) && !strcmp(classes[i]->name, name))
			return true;
	return false;
}

/* Lib/enum.py: <Color.RED: 1> */
static bool repr_enum(struct repr *repr, uint64_t object, const struct type *type)
{
	uint64_t value = attribute_find(repr->traverser, object, type, "_value_");
	char name[128];

	if (!value)
		return false;
	repr_addf(repr, "<%s", type->name);
	if (!repr->options.redact &&
	    read_text(repr, attribute_find(repr->traverser, object, type, "_name_"), name,
		      sizeof(name)))
		repr_addf(repr, ".%s", name);
	repr_add(repr, ": ");
	repr_value(repr, value);
	repr_add(repr, ">");
	return true;
}

/* A field of a dataclass with repr=False. */
static bool is_left_out(struct repr *repr, uint64_t field)
{
	const struct type *type = repr_type(repr, field);
	uint64_t shown = type ? attribute_find(repr->traverser, field, type, "repr") : 0;
	int64_t value;

	return shown && read_int(repr->traverser, shown, &value) && !value;
}

static void add_fields(struct repr *repr, uint64_t object, const struct type *type,
		       const struct dict_view *fields)
{
	uint64_t key, field, slot, value, written = 0;
	char name[96];

	for (uint64_t i = 0; i < fields->count && i < REPR_SCAN_MAX; i++) {
		if (!dict_entry(&repr->traverser->reader, fields, i, &key, &field, &slot) ||
		    is_left_out(repr, field) || !read_text(repr, key, name, sizeof(name)))
			continue;
		value = attribute_find(repr->traverser, object, type, name);
		if (!value)
			continue;
		if (!repr_next(repr, written++, fields->count))
			break;
		repr_addf(repr, "%s=", name);
		repr_value(repr, value);
	}
}

/* Lib/dataclasses.py: Point(x=1, y=2) */
static bool repr_dataclass(struct repr *repr, uint64_t object, const struct type *type,
			   uint64_t dict)
{
	struct dict_view fields;

	if (!dict_open(repr->traverser->runtime, &repr->traverser->reader, dict, &fields))
		return false;
	repr_addf(repr, "%s(", type->name);
	if (enter(repr, object)) {
		add_fields(repr, object, type, &fields);
		repr_close(repr);
	} else {
		repr_add(repr, "...");
	}
	repr_add(repr, ")");
	return true;
}

/* Lib/collections/__init__.py: Point(x=1, y=2) */
static bool repr_namedtuple(struct repr *repr, uint64_t object, const struct type *type,
			    uint64_t names)
{
	uint64_t first = repr->traverser->layout->PyTupleObject_ob_item, count, named, name, item;
	char text[96];

	if (!repr_count(repr, object, &count) || !repr_count(repr, names, &named))
		return false;
	if (!repr_open(repr, object, "()", type->name, count))
		return true;
	repr_addf(repr, "%s(", type->name);
	for (uint64_t i = 0; i < count && repr_next(repr, i, count); i++) {
		repr_u64(repr, names + first + i * sizeof(name), &name);
		if (i < named && read_text(repr, name, text, sizeof(text)))
			repr_addf(repr, "%s=", text);
		repr_u64(repr, object + first + i * sizeof(item), &item);
		repr_value(repr, item);
	}
	repr_add(repr, ")");
	repr_close(repr);
	return true;
}

/* Lib/fractions.py: Fraction(1, 3) */
static bool repr_fraction(struct repr *repr, uint64_t object, const struct type *type)
{
	uint64_t numerator = attribute_find(repr->traverser, object, type, "_numerator");
	uint64_t denominator = attribute_find(repr->traverser, object, type, "_denominator");

	if (!numerator || !denominator)
		return false;
	repr_add(repr, strcmp(type->name, "fractions.Fraction") ? type->name : "Fraction");
	repr_add(repr, "(");
	repr_value(repr, numerator);
	repr_add(repr, ", ");
	repr_value(repr, denominator);
	repr_add(repr, ")");
	return true;
}

/* The bits of an int of up to 128, in 32-bit words, the lowest first. */
static bool read_uuid(struct repr *repr, uint64_t object, uint32_t words[UUID_DIGITS])
{
	const struct type *type = repr_type(repr, object);
	uint64_t first = object + repr->traverser->layout->PyLongObject_ob_digit, count, bit = 0;
	bool negative;
	uint32_t digit;

	memset(words, 0, UUID_DIGITS * sizeof(*words));
	if (!type || !(type->flags & TPFLAGS_LONG_SUBCLASS) ||
	    !repr_open_int(repr, object, &count, &negative) || count > UUID_DIGITS + 1)
		return false;
	for (uint64_t i = 0; i < count; i++, bit += 30) {
		if (!reader_u32(&repr->traverser->reader, first + i * sizeof(digit), &digit))
			return false;
		uint64_t shifted = (uint64_t)digit << bit % 32;

		if (bit / 32 < UUID_DIGITS)
			words[bit / 32] |= (uint32_t)shifted;
		if (bit / 32 + 1 < UUID_DIGITS)
			words[bit / 32 + 1] |= (uint32_t)(shifted >> 32);
	}
	return true;
}

/* Lib/uuid.py: UUID('12345678-…') */
static bool repr_uuid(struct repr *repr, uint64_t object, const struct type *type)
{
	uint64_t number = attribute_find(repr->traverser, object, type, "int");
	uint32_t words[UUID_DIGITS];

	if (!number || !read_uuid(repr, number, words))
		return false;
	repr_add(repr, strcmp(type->name, "uuid.UUID") ? type->name : "UUID");
	if (!repr->options.redact)
		repr_addf(repr, "('%08x-%04x-%04x-%04x-%04x%08x')", words[3], words[2] >> 16,
			  words[2] & 0xffff, words[1] >> 16, words[1] & 0xffff, words[0]);
	return true;
}

/* The parts of a path as its text. @return false if they are not there */
static bool add_parts(struct repr *repr, uint64_t parts)
{
	const struct layout *layout = repr->traverser->layout;
	const struct type *type = repr_type(repr, parts);
	uint64_t count, items, item, shown = 0;
	char text[512] = "";
	size_t used = 0;

	if (!type || !(type->flags & (TPFLAGS_LIST_SUBCLASS | TPFLAGS_TUPLE_SUBCLASS)) ||
	    !repr_count(repr, parts, &count))
		return false;
	items = parts + layout->PyTupleObject_ob_item;
	if ((type->flags & TPFLAGS_LIST_SUBCLASS) &&
	    !repr_u64(repr, parts + layout->PyListObject_ob_item, &items))
		return false;
	for (uint64_t i = 0; i < count && used < sizeof(text) / 2; i++) {
		char part[256];

		if (!repr_u64(repr, items + i * sizeof(item), &item) ||
		    !read_text(repr, item, part, sizeof(part)))
			return false;
		shown += strlen(part);
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s",
					 used && text[used - 1] != '/' ? "/" : "", part);
	}
	if (repr->options.redact)
		repr_addf(repr, "str[%" PRIu64 "]", shown);
	else
		repr_addf(repr, "'%s'", count ? text : ".");
	return true;
}

/* Lib/pathlib: the text, if str() has made it, else the parts it was made of (_parts up to 3.11,
 * _raw_paths from 3.12 on). */
static bool repr_path(struct repr *repr, uint64_t object, const struct type *type)
{
	static const char *const names[] = {"_str", "_raw_paths", "_parts"};
	bool own = !strcmp(type->module, "pathlib") || !strcmp(type->module, "pathlib._local");
	uint64_t value = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !value; i++)
		value = attribute_find(repr->traverser, object, type, names[i]);
	if (!value)
		return false;
	repr_add(repr, own ? type->short_name : type->name);
	repr_add(repr, "(");
	if (!add_parts(repr, value))
		repr_value(repr, value);
	repr_add(repr, ")");
	return true;
}

bool repr_known_class(struct repr *repr, uint64_t object, const struct type *type, bool *ok)
{
	static const struct repr_kind kinds[] = {
		{"enum.Enum", repr_enum},
		{"fractions.Fraction", repr_fraction},
		{"uuid.UUID", repr_uuid},
		{"pathlib.PurePath", repr_path},
		{"pathlib._local.PurePath", repr_path},
	};
	size_t mark = repr->used;
	uint64_t found;

	if (!(type->flags & TPFLAGS_HEAPTYPE) || type->dealloc != repr->python_dealloc)
		return false;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!is_instance(repr, type, kinds[i].type))
			continue;
		*ok = true;
		if (kinds[i].write(repr, object, type))
			return true;
		/* Half made, or another class by this name. */
		repr->used = mark;
		repr->buffer[mark] = '\0';
		return false;
	}
	found = class_attribute(repr->traverser, type, "__dataclass_fields__");
	if (found)
		return *ok = repr_dataclass(repr, object, type, found), true;
	found = type->flags & TPFLAGS_TUPLE_SUBCLASS
			? class_attribute(repr->traverser, type, "_fields")
			: 0;
	if (found)
		return *ok = repr_namedtuple(repr, object, type, found), true;
	return false;
}
