/*
 * repr of int, float, complex and their like, exact.
 */
#include "traverse/repr_private.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	WORD = sizeof(uint64_t),
	DIGIT_BITS = 30,    // PyLong_SHIFT on 64-bit builds (Include/cpython/longintrepr.h)
	DIGITS_MAX = 512,   // 30-bit digits that are converted: 4,624 decimal ones
	CHUNK = 1000000000, // decimal digits are taken nine at a time
	CHUNK_DIGITS = 9,
	FLOAT_DIGITS = 17,   // enough for every double
	FLOAT_EXPONENT = 16, // float_repr_style: from 1e16 on, and below 1e-4, with an exponent
	COMPLEX_VALUE = 16,  // PyComplexObject.cval
};

/* Hides a number. */
static bool hidden(struct repr *repr, const struct type *type)
{
	if (repr->options.redact)
		repr_add_class(repr, type);
	return repr->options.redact;
}

/*
 * int
 */

/* Number of digits and sign: ob_size has both, from 3.12 on lv_tag with the sign in its low bits
 * (Include/internal/pycore_long.h). */
bool repr_open_int(struct repr *repr, uint64_t object, uint64_t *digits, bool *negative)
{
	const struct layout *layout = repr->traverser->layout;
	uint64_t size;

	if (layout_has(layout->PyLongObject_lv_tag)) {
		if (!repr_u64(repr, object + layout->PyLongObject_lv_tag, &size))
			return false;
		*digits = size >> 3;
		*negative = (size & 3) == 2;
		return true;
	}
	if (!repr_u64(repr, object + layout->PyVarObject_ob_size, &size))
		return false;
	*negative = (int64_t)size < 0;
	*digits = *negative ? -size : size;
	return true;
}

/* How many decimal digits an int has, from its highest digits. */
static bool count_decimals(struct repr *repr, uint64_t first, uint64_t digits, uint64_t *decimals)
{
	uint32_t high, low;

	if (!reader_u32(&repr->traverser->reader, first + (digits - 1) * 4, &high) ||
	    !reader_u32(&repr->traverser->reader, first + (digits - 2) * 4, &low))
		return false;
	*decimals = (uint64_t)((log2((double)((uint64_t)high << DIGIT_BITS | low)) +
				(double)((digits - 2) * DIGIT_BITS)) *
			       log10(2)) +
		    1;
	return true;
}

/* Divides the digits by CHUNK. @return the remainder */
static uint32_t divide(uint32_t *digits, size_t count)
{
	uint64_t rest = 0;

	for (size_t i = count; i-- > 0;) {
		rest = rest << DIGIT_BITS | digits[i];
		digits[i] = (uint32_t)(rest / CHUNK);
		rest %= CHUNK;
	}
	return (uint32_t)rest;
}

/* Writes the digits in decimal. */
static bool add_int(struct repr *repr, uint64_t first, uint64_t count)
{
	uint32_t digits[DIGITS_MAX], chunks[DIGITS_MAX * DIGIT_BITS / 29 + 2];
	size_t used = 0;

	if (reader_copy(&repr->traverser->reader, first, digits, count * sizeof(*digits)) !=
	    count * sizeof(*digits))
		return false;
	for (uint64_t i = 0; i < count; i++)
		if (digits[i] >> DIGIT_BITS)
			return false;
	do {
		chunks[used++] = divide(digits, count);
		while (count && !digits[count - 1])
			count--;
	} while (count);
	repr_addf(repr, "%" PRIu32, chunks[--used]);
	while (used--)
		repr_addf(repr, "%0*" PRIu32, CHUNK_DIGITS, chunks[used]);
	return true;
}

bool repr_int(struct repr *repr, uint64_t object, const struct type *type)
{
	uint64_t first = object + repr->traverser->layout->PyLongObject_ob_digit, count, decimals;
	bool negative, opened;

	if (!repr_open_int(repr, object, &count, &negative))
		return false;
	if (hidden(repr, type))
		return true;
	if (count > INT32_MAX || (count && !reader_at(&repr->traverser->reader, first, count * 4)))
		return false;
	opened = repr_begin_class(repr, type, "int");
	if (count >= 3 && (!count_decimals(repr, first, count, &decimals)))
		return false;
	if (count >= 3 && (decimals > repr->options.text || count > DIGITS_MAX)) {
		repr_addf(repr, "<%sint of %" PRIu64 " digits>", negative ? "negative " : "",
			  decimals);
	} else {
		if (negative)
			repr_add(repr, "-");
		if (!add_int(repr, first, count))
			return false;
	}
	repr_end_class(repr, opened);
	return true;
}

bool repr_bool(struct repr *repr, uint64_t object, const struct type *type)
{
	int64_t value;

	if (hidden(repr, type))
		return true;
	if (!read_int(repr->traverser, object, &value))
		return false;
	repr_add(repr, value ? "True" : "False");
	return true;
}

/*
 * float
 */

/* Adds one to the last digit of "d.ddde±x". @return false if that carries out of the first */
static bool increment(char *text)
{
	char *digit = strchr(text, 'e');

	while (digit-- > text) {
		if (*digit == '.' || *digit == '-')
			continue;
		if (*digit != '9') {
			(*digit)++;
			return true;
		}
		*digit = '0';
	}
	return false;
}

/*
 * The shortest digits that give the value back, as "%e" writes them. Below a power of two the
 * doubles lie closer together than above: there a shortest form may be the neighbour of the
 * correctly rounded one.
 */
static void shortest(double value, char *text, size_t size)
{
	for (int digits = 0; digits < FLOAT_DIGITS; digits++) {
		char up[32];

		snprintf(text, size, "%.*e", digits, value);
		if (strtod(text, NULL) == value)
			return;
		snprintf(up, sizeof(up), "%s", text);
		if (increment(up) && strtod(up, NULL) == value) {
			memcpy(text, up, sizeof(up));
			return;
		}
	}
}

/* Writes value != 0, finite, without its sign. */
static void add_finite(struct repr *repr, double value, bool whole)
{
	char text[32], digits[32], *exponent_mark;
	int exponent, count = 0;

	shortest(value, text, sizeof(text));
	exponent_mark = strchr(text, 'e');
	exponent = atoi(exponent_mark + 1);
	for (char *c = text; c < exponent_mark; c++)
		if (*c != '.')
			digits[count++] = *c;
	while (count > 1 && digits[count - 1] == '0')
		count--;
	digits[count] = '\0';
	if (exponent < -4 || exponent >= FLOAT_EXPONENT) {
		repr_addf(repr, "%c%s%se%c%02d", digits[0], count > 1 ? "." : "", digits + 1,
			  exponent < 0 ? '-' : '+', abs(exponent));
	} else if (exponent < 0) {
		repr_addf(repr, "0.%.*s%s", -exponent - 1, "000", digits);
	} else if (count <= exponent + 1) {
		repr_addf(repr, "%s", digits);
		for (int i = count; i <= exponent; i++)
			repr_add(repr, "0");
		repr_add(repr, whole ? "" : ".0");
	} else {
		repr_addf(repr, "%.*s.%s", exponent + 1, digits, digits + exponent + 1);
	}
}

static void add_double(struct repr *repr, double value, bool whole)
{
	if (isnan(value)) {
		repr_add(repr, "nan");
		return;
	}
	if (signbit(value))
		repr_add(repr, "-");
	if (isinf(value))
		repr_add(repr, "inf");
	else if (value == 0)
		repr_add(repr, whole ? "0" : "0.0");
	else
		add_finite(repr, fabs(value), whole);
}

void repr_double(struct repr *repr, double value)
{
	add_double(repr, value, false);
}

static bool read_double(struct repr *repr, uint64_t address, double *value)
{
	uint64_t word;

	if (!repr_u64(repr, address, &word))
		return false;
	memcpy(value, &word, sizeof(*value));
	return true;
}

bool repr_float(struct repr *repr, uint64_t object, const struct type *type)
{
	double value;
	bool opened;

	if (!read_double(repr, object + repr->traverser->layout->PyFloatObject_ob_fval, &value))
		return false;
	if (hidden(repr, type))
		return true;
	opened = repr_begin_class(repr, type, "float");
	repr_double(repr, value);
	repr_end_class(repr, opened);
	return true;
}

/* Objects/complexobject.c complex_repr(): "1j" if the real part is +0, else "(1+2j)". */
bool repr_complex(struct repr *repr, uint64_t object, const struct type *type)
{
	double real, imaginary;
	bool opened, alone;

	if (!read_double(repr, object + COMPLEX_VALUE, &real) ||
	    !read_double(repr, object + COMPLEX_VALUE + WORD, &imaginary))
		return false;
	if (hidden(repr, type))
		return true;
	opened = repr_begin_class(repr, type, "complex");
	alone = real == 0 && !signbit(real);
	if (!alone) {
		repr_add(repr, "(");
		add_double(repr, real, true);
		if (!signbit(imaginary) || isnan(imaginary))
			repr_add(repr, "+");
	}
	add_double(repr, imaginary, true);
	repr_add(repr, alone ? "j" : "j)");
	repr_end_class(repr, opened);
	return true;
}

/*
 * Singletons
 */

static bool repr_none(struct repr *repr, uint64_t object, const struct type *type)
{
	(void)object, (void)type;
	repr_add(repr, "None");
	return true;
}

static bool repr_ellipsis(struct repr *repr, uint64_t object, const struct type *type)
{
	(void)object, (void)type;
	repr_add(repr, "Ellipsis");
	return true;
}

static bool repr_not_implemented(struct repr *repr, uint64_t object, const struct type *type)
{
	(void)object, (void)type;
	repr_add(repr, "NotImplemented");
	return true;
}

/*
 * Decimal of _decimal: PyDecObject with an mpd_t (Modules/_decimal/libmpdec/mpdecimal.h), whose
 * coefficient is in words of nineteen decimal digits.
 */
enum {
	MPD_FLAGS = 24,
	MPD_EXPONENT = 32,
	MPD_DIGITS = 40,
	MPD_LENGTH = 48,
	MPD_DATA = 64,
	MPD_NEGATIVE = 1,
	MPD_INFINITE = 2,
	MPD_NAN = 4,
	MPD_SNAN = 8,
	MPD_WORD_DIGITS = 19,
	COEFFICIENT_MAX = 1024,
};

/* The coefficient's digits. */
static bool read_coefficient(struct repr *repr, uint64_t object, char *text)
{
	uint64_t length, data, word, used = 0;

	if (!repr_u64(repr, object + MPD_LENGTH, &length) ||
	    !repr_u64(repr, object + MPD_DATA, &data) ||
	    length > (COEFFICIENT_MAX - 1) / MPD_WORD_DIGITS)
		return false;
	text[0] = '\0';
	while (length--) {
		if (!repr_u64(repr, data + length * WORD, &word))
			return false;
		if (word >= UINT64_C(10000000000000000000))
			return false;
		used += (uint64_t)sprintf(text + used, "%0*" PRIu64, used ? MPD_WORD_DIGITS : 1,
					  word);
	}
	return true;
}

/* to-scientific-string of the General Decimal Arithmetic specification. */
static void add_decimal(struct repr *repr, const char *digits, int64_t exponent)
{
	int64_t count = (int64_t)strlen(digits), adjusted = exponent + count - 1;
	int64_t point = count + exponent;

	if (exponent <= 0 && adjusted >= -6) {
		if (!exponent)
			repr_add(repr, digits);
		else if (point > 0)
			repr_addf(repr, "%.*s.%s", (int)point, digits, digits + point);
		else
			repr_addf(repr, "0.%.*s%s", (int)-point, "000000", digits);
		return;
	}
	repr_addf(repr, "%c%s%sE%+" PRId64, digits[0], count > 1 ? "." : "", digits + 1, adjusted);
}

static bool repr_decimal(struct repr *repr, uint64_t object, const struct type *type)
{
	char digits[COEFFICIENT_MAX];
	uint64_t exponent, count;
	uint8_t flags;

	if (!reader_u8(&repr->traverser->reader, object + MPD_FLAGS, &flags) ||
	    !repr_u64(repr, object + MPD_EXPONENT, &exponent) ||
	    !repr_u64(repr, object + MPD_DIGITS, &count))
		return false;
	if (hidden(repr, type))
		return true;
	repr_add(repr, strcmp(type->name, "decimal.Decimal") ? type->name : "Decimal");
	repr_add(repr, flags & MPD_NEGATIVE ? "('-" : "('");
	if (flags & MPD_INFINITE)
		repr_add(repr, "Infinity");
	else if (flags & (MPD_NAN | MPD_SNAN))
		repr_add(repr, flags & MPD_SNAN ? "sNaN" : "NaN");
	else if (count > repr->options.text || count >= COEFFICIENT_MAX - MPD_WORD_DIGITS)
		repr_addf(repr, "<%" PRIu64 " digits>", count);
	else if (!read_coefficient(repr, object, digits))
		return false;
	else
		add_decimal(repr, digits, (int64_t)exponent);
	repr_add(repr, "')");
	return true;
}

const struct repr_kind repr_number_kinds[] = {
	{"bool", repr_bool},
	{"float", repr_float},
	{"complex", repr_complex},
	{"NoneType", repr_none},
	{"ellipsis", repr_ellipsis},
	{"NotImplementedType", repr_not_implemented},
	{"decimal.Decimal", repr_decimal},
	{NULL, NULL},
};
