/*
 * repr of C types of the standard library. Their structs are the same in all
 * releases from 3.8 to 3.15 (GIL builds), so that the offsets stand here.
 */
#include "traverse/repr_private.h"

#include <inttypes.h>
#include <stdio.h>

enum {
	WORD = sizeof(uint64_t),

	/* Include/datetime.h */
	DELTA_DAYS = 24,
	DELTA_SECONDS = 28,
	DELTA_MICROSECONDS = 32,
	DATE_HASTZINFO = 24,
	DATE_DATA = 25,
	TIME_FOLD = 31,
	TIME_TZINFO = 32,
	DATETIME_FOLD = 35,
	DATETIME_TZINFO = 40,
	/* Modules/_datetimemodule.c: PyDateTime_TimeZone */
	ZONE_OFFSET = 16,
	ZONE_NAME = 24,

	/* Modules/_sre.h, _sre/sre.h: PatternObject */
	PATTERN_PATTERN = 48,
	PATTERN_FLAGS = 56,
	FLAG_UNICODE = 32,
	FLAG_LOCALE_OR_ASCII = 4 | 256,

	/* Modules/arraymodule.c: arrayobject, arraydescr */
	ARRAY_ITEMS = 24,
	ARRAY_DESCR = 40,

	/* Objects/memoryobject.c: Py_buffer of a memoryview, from its obj on */
	VIEW_LENGTH = WORD,
};

/*
 * datetime
 */

static bool hidden(struct repr *repr, const struct type *type)
{
	if (repr->options.redact)
		repr_add(repr, type->name);
	return repr->options.redact;
}

static bool repr_timedelta(struct repr *repr, uint64_t object, const struct type *type)
{
	static const struct {
		const char *name;
		int offset;
	} parts[] = {{"days", DELTA_DAYS},
		     {"seconds", DELTA_SECONDS},
		     {"microseconds", DELTA_MICROSECONDS}};
	const char *separator = "";
	uint32_t value;

	if (!reader_at(&repr->traverser->reader, object, DELTA_MICROSECONDS + 4))
		return false;
	if (hidden(repr, type))
		return true;
	repr_addf(repr, "%s(", type->name);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		reader_u32(&repr->traverser->reader, object + (uint64_t)parts[i].offset, &value);
		if (!value)
			continue;
		repr_addf(repr, "%s%s=%" PRId32, separator, parts[i].name, (int32_t)value);
		separator = ", ";
	}
	repr_add(repr, *separator ? ")" : "0)");
	return true;
}

static void add_date(struct repr *repr, const uint8_t *data)
{
	repr_addf(repr, "%d, %d, %d", data[0] << 8 | data[1], data[2], data[3]);
}

/* Hour and minute, then what is not zero: microseconds never without seconds. */
static void add_time(struct repr *repr, const uint8_t *data)
{
	int microseconds = data[3] << 16 | data[4] << 8 | data[5];

	repr_addf(repr, "%d, %d", data[0], data[1]);
	if (data[2] || microseconds)
		repr_addf(repr, ", %d", data[2]);
	if (microseconds)
		repr_addf(repr, ", %d", microseconds);
}

/* Objects without a time zone end before the member. */
static void add_zone(struct repr *repr, uint64_t object, uint64_t fold, uint64_t tzinfo)
{
	uint8_t folded = 0, has_zone = 0;
	uint64_t zone;

	reader_u8(&repr->traverser->reader, object + fold, &folded);
	reader_u8(&repr->traverser->reader, object + DATE_HASTZINFO, &has_zone);
	if (folded)
		repr_add(repr, ", fold=1");
	if (!has_zone || !repr_u64(repr, object + tzinfo, &zone))
		return;
	repr_add(repr, ", tzinfo=");
	repr_value(repr, zone);
}

static bool repr_date(struct repr *repr, uint64_t object, const struct type *type)
{
	const uint8_t *data = reader_at(&repr->traverser->reader, object + DATE_DATA, 4);

	if (!data)
		return false;
	if (hidden(repr, type))
		return true;
	repr_addf(repr, "%s(", type->name);
	add_date(repr, data);
	repr_add(repr, ")");
	return true;
}

static bool repr_datetime(struct repr *repr, uint64_t object, const struct type *type)
{
	const uint8_t *data = reader_at(&repr->traverser->reader, object + DATE_DATA, 10);

	if (!data)
		return false;
	if (hidden(repr, type))
		return true;
	repr_addf(repr, "%s(", type->name);
	add_date(repr, data);
	repr_add(repr, ", ");
	add_time(repr, data + 4);
	add_zone(repr, object, DATETIME_FOLD, DATETIME_TZINFO);
	repr_add(repr, ")");
	return true;
}

static bool repr_time(struct repr *repr, uint64_t object, const struct type *type)
{
	const uint8_t *data = reader_at(&repr->traverser->reader, object + DATE_DATA, 6);

	if (!data)
		return false;
	if (hidden(repr, type))
		return true;
	repr_addf(repr, "%s(", type->name);
	add_time(repr, data);
	add_zone(repr, object, TIME_FOLD, TIME_TZINFO);
	repr_add(repr, ")");
	return true;
}

static bool is_zero_delta(struct repr *repr, uint64_t delta)
{
	static const uint8_t zeros[DELTA_MICROSECONDS + 4 - DELTA_DAYS];
	const void *bytes = reader_at(&repr->traverser->reader, delta + DELTA_DAYS, sizeof(zeros));

	return bytes && !memcmp(bytes, zeros, sizeof(zeros));
}

static bool repr_timezone(struct repr *repr, uint64_t object, const struct type *type)
{
	uint64_t offset, name;

	if (!repr_u64(repr, object + ZONE_OFFSET, &offset) ||
	    !repr_u64(repr, object + ZONE_NAME, &name))
		return false;
	if (hidden(repr, type))
		return true;
	if (!name && is_zero_delta(repr, offset)) {
		repr_addf(repr, "%s.utc", type->name);
		return true;
	}
	repr_addf(repr, "%s(", type->name);
	repr_value(repr, offset);
	if (name) {
		repr_add(repr, ", ");
		repr_value(repr, name);
	}
	repr_add(repr, ")");
	return true;
}

/*
 * re.Pattern, array.array, memoryview
 */

/* Modules/_sre.c pattern_repr() */
static bool repr_pattern(struct repr *repr, uint64_t object, const struct type *type)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} names[] = {{1, "re.TEMPLATE"},  {2, "re.IGNORECASE"}, {4, "re.LOCALE"},
		     {8, "re.MULTILINE"}, {16, "re.DOTALL"},	{32, "re.UNICODE"},
		     {64, "re.VERBOSE"},  {128, "re.DEBUG"},	{256, "re.ASCII"}};
	uint64_t pattern;
	uint32_t flags;
	const char *separator = ", ";
	const struct type *of;

	(void)type;
	if (!repr_u64(repr, object + PATTERN_PATTERN, &pattern) ||
	    !reader_u32(&repr->traverser->reader, object + PATTERN_FLAGS, &flags) ||
	    !(of = repr_type(repr, pattern)))
		return false;
	if ((of->flags & TPFLAGS_UNICODE_SUBCLASS) && !(flags & FLAG_LOCALE_OR_ASCII))
		flags &= ~(uint32_t)FLAG_UNICODE;
	repr_add(repr, "re.compile(");
	repr_value(repr, pattern);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (flags & names[i].flag) {
			repr_addf(repr, "%s%s", separator, names[i].name);
			separator = "|";
		}
	repr_add(repr, ")");
	return true;
}

/* Adds one C value. @return false for a code that is not known */
static bool add_value(struct repr *repr, char code, const uint8_t *bytes)
{
	int64_t number;
	uint64_t word;
	float narrow;
	double wide;

	memcpy(&word, bytes, WORD);
	number = (int64_t)word;
	memcpy(&narrow, bytes, sizeof(narrow));
	memcpy(&wide, bytes, sizeof(wide));
	switch (code) {
	case 'b':
		repr_addf(repr, "%d", (int8_t)word);
		return true;
	case 'B':
		repr_addf(repr, "%u", (uint8_t)word);
		return true;
	case 'h':
		repr_addf(repr, "%d", (int16_t)word);
		return true;
	case 'H':
		repr_addf(repr, "%u", (uint16_t)word);
		return true;
	case 'i':
		repr_addf(repr, "%" PRId32, (int32_t)word);
		return true;
	case 'I':
		repr_addf(repr, "%" PRIu32, (uint32_t)word);
		return true;
	case 'l':
	case 'q':
		repr_addf(repr, "%" PRId64, number);
		return true;
	case 'L':
	case 'Q':
		repr_addf(repr, "%" PRIu64, word);
		return true;
	case 'f':
		repr_double(repr, narrow);
		return true;
	case 'd':
		repr_double(repr, wide);
		return true;
	}
	return false;
}

static unsigned value_size(char code)
{
	return strchr("bB", code) ? 1 : strchr("hH", code) ? 2 : strchr("iIf", code) ? 4 : 8;
}

static bool add_values(struct repr *repr, char code, uint64_t items, uint64_t count)
{
	unsigned size = value_size(code);
	uint8_t bytes[WORD];

	repr_add(repr, ", [");
	for (uint64_t i = 0; i < count && repr_next(repr, i, count); i++) {
		memset(bytes, 0, sizeof(bytes));
		if (reader_copy(&repr->traverser->reader, items + i * size, bytes, size) != size ||
		    !add_value(repr, code, bytes))
			return false;
	}
	repr_add(repr, "]");
	return true;
}

static bool repr_array(struct repr *repr, uint64_t object, const struct type *type)
{
	uint64_t count, items, descr;
	uint8_t code;

	if (!repr_count(repr, object, &count) || !repr_u64(repr, object + ARRAY_ITEMS, &items) ||
	    !repr_u64(repr, object + ARRAY_DESCR, &descr) ||
	    !reader_u8(&repr->traverser->reader, descr, &code) || !code ||
	    !strchr("bBuwhHiIlLqQfd", code))
		return false;
	repr_add(repr, strcmp(type->name, "array.array") ? type->name : "array");
	if (repr->options.redact) {
		repr_addf(repr, "[%" PRIu64 "]", count);
		return true;
	}
	repr_addf(repr, "('%c'", code);
	if (count && strchr("uw", code)) {
		repr_add(repr, ", ");
		repr_quoted(repr, &(struct str_view){.data = items, .length = count, .width = 4});
	} else if (count && !add_values(repr, (char)code, items, count)) {
		return false;
	}
	repr_add(repr, ")");
	return true;
}

/* Of the elements, which may be many gigabytes, nothing is shown. */
bool repr_numpy(struct repr *repr, uint64_t object, const struct type *type)
{
	const struct plan *plan = traverser_plan(repr->traverser, type);
	const struct type *scalar;
	struct array_shape shape;
	uint64_t dimension;

	if (!plan || !hidden_array_shape(repr->traverser, plan, object, &shape))
		return false;
	repr_addf(repr, "%s(shape=(", type->name);
	for (uint32_t i = 0; i < shape.count; i++) {
		if (!repr_u64(repr, shape.dimensions + i * sizeof(dimension), &dimension))
			repr_add(repr, "?");
		else
			repr_addf(repr, "%" PRId64, (int64_t)dimension);
		repr_add(repr, i + 1 < shape.count ? ", " : shape.count == 1 ? "," : "");
	}
	repr_add(repr, ")");
	scalar = type_get(repr->traverser->runtime->types, &repr->traverser->reader, shape.scalar);
	if (scalar)
		repr_addf(repr, ", dtype=%s",
			  !strncmp(scalar->name, "numpy.", 6) ? scalar->name + 6 : scalar->name);
	repr_add(repr, ")");
	return true;
}

static bool repr_memoryview(struct repr *repr, uint64_t object, const struct type *type)
{
	uint32_t of = repr->traverser->layout->PyMemoryViewObject_view_obj;
	uint64_t length, exporter;
	const struct type *exporter_type;

	if (!repr_u64(repr, object + of, &exporter) ||
	    !repr_u64(repr, object + of + VIEW_LENGTH, &length))
		return false;
	exporter_type = repr_type(repr, exporter);
	repr_addf(repr, "<%s", type->name);
	repr_add_address(repr, object);
	if (length <= INT64_MAX)
		repr_addf(repr, ": %" PRIu64 " bytes", length);
	if (exporter_type)
		repr_addf(repr, " of %s", exporter_type->name);
	repr_add(repr, ">");
	return true;
}

const struct repr_kind repr_library_kinds[] = {
	{"datetime.timedelta", repr_timedelta}, {"datetime.datetime", repr_datetime},
	{"datetime.date", repr_date},		{"datetime.time", repr_time},
	{"datetime.timezone", repr_timezone},	{"re.Pattern", repr_pattern},
	{"_sre.SRE_Pattern", repr_pattern},	{"array.array", repr_array},
	{"memoryview", repr_memoryview},	{NULL, NULL},
};
