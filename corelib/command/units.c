/*
 * Numbers for people. The library must not depend on (or set) the locale of a debugger that hosts
 * it, so the separators are always commas and the decimal sign is always a point.
 */
#include "command/units.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct unit_text units_count(uint64_t count)
{
	struct unit_text result;
	char digits[24];
	size_t length = (size_t)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)count);
	size_t out = 0;

	for (size_t i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			result.text[out++] = ',';
		result.text[out++] = digits[i];
	}
	result.text[out] = '\0';
	return result;
}

struct plural_text units_plural(uint64_t count, const char *noun)
{
	struct plural_text result;

	snprintf(result.text, sizeof(result.text), "%s %s%s", units_count(count).text, noun,
		 count == 1 ? "" : "s");
	return result;
}

struct unit_text units_bytes(uint64_t bytes)
{
	static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	struct unit_text result;
	double value = (double)bytes;
	size_t unit = 0;
	uint64_t tenths;

	// What would round to 1024 of a unit is 1.0 of the next.
	for (; value >= 1023.5 && unit + 1 < sizeof(names) / sizeof(names[0]); unit++)
		value /= 1024;
	tenths = (uint64_t)(value * 10 + 0.5);
	if (unit && tenths < 100)
		snprintf(result.text, sizeof(result.text), "%u.%u %s", (unsigned)(tenths / 10),
			 (unsigned)(tenths % 10), names[unit]);
	else
		snprintf(result.text, sizeof(result.text), "%llu %s",
			 (unsigned long long)(value + 0.5), names[unit]);
	return result;
}

struct unit_text units_share(uint64_t part, uint64_t whole)
{
	struct unit_text result;
	unsigned hundredths;

	if (!whole || part >= whole) {
		strcpy(result.text, "100 %");
		return result;
	}
	if (!part) {
		strcpy(result.text, "0 %");
		return result;
	}
	hundredths = (unsigned)((double)part / (double)whole * 10000.0);
	if (!hundredths)
		strcpy(result.text, "under 0.01 %");
	else if (hundredths > 9999)
		strcpy(result.text, "99.99 %");
	else if (hundredths >= 1000 && hundredths < 9000)
		snprintf(result.text, sizeof(result.text), "%u %%", hundredths / 100);
	else if (hundredths >= 9000 && hundredths < 9900)
		snprintf(result.text, sizeof(result.text), "%u.%u %%", hundredths / 100,
			 hundredths / 10 % 10);
	else
		snprintf(result.text, sizeof(result.text), "%u.%02u %%", hundredths / 100,
			 hundredths % 100);
	return result;
}

bool units_parse(const char *text, uint64_t *number)
{
	uint64_t value = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		unsigned digit = (unsigned char)*text - '0';

		if (digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, digit, &value))
			return false;
	}
	*number = value;
	return true;
}

bool units_parse_address(const char *text, uint64_t *address)
{
	uint64_t value = 0;

	if (text[0] != '0' || (text[1] != 'x' && text[1] != 'X'))
		return units_parse(text, address);
	for (text += 2; isxdigit((unsigned char)*text); text++) {
		if (value >> 60)
			return false;
		value = value << 4 | (*text <= '9' ? *text - '0' : (*text | 0x20) - 'a' + 10);
	}
	if (*text || !isxdigit((unsigned char)text[-1]))
		return false;
	*address = value;
	return true;
}

/* The power of two that a unit stands for; -1: it is none. */
static int unit_shift(const char *unit)
{
	static const char letters[] = "KMGTPE";
	const char *letter = *unit ? strchr(letters, *unit & ~0x20) : NULL;

	if (!*unit || !strcmp(unit, "B"))
		return 0;
	if (!letter || (unit[1] && strcmp(unit + 1, "B") && strcmp(unit + 1, "iB")))
		return -1;
	return (int)(letter - letters + 1) * 10;
}

bool units_parse_size(const char *text, uint64_t *bytes)
{
	size_t digits = strspn(text, "0123456789");
	uint64_t whole, part = 0, scale = 1;
	const char *unit = text + digits;
	char number[32];
	int shift;

	if (!digits || digits >= sizeof(number))
		return false;
	memcpy(number, text, digits);
	number[digits] = '\0';
	if (!units_parse(number, &whole))
		return false;
	for (unit += *unit == '.'; unit > text + digits && *unit >= '0' && *unit <= '9'; unit++) {
		if (scale < 1000000) {
			part = part * 10 + (uint64_t)(*unit - '0');
			scale *= 10;
		}
	}
	shift = unit_shift(unit);
	if (shift < 0 || unit[-1] == '.' || (scale > 1 && !shift) || whole > UINT64_MAX >> shift)
		return false;
	*bytes = (whole << shift) + (part << (shift < 40 ? shift : 40)) / scale *
					    (UINT64_C(1) << (shift < 40 ? 0 : shift - 40));
	return true;
}

struct unit_text units_duration(double seconds)
{
	struct unit_text result;
	uint64_t whole = (uint64_t)(seconds + 0.5);

	if (seconds < 0.9995)
		snprintf(result.text, sizeof(result.text), "%.0f ms", seconds * 1000);
	else if (seconds < 9.95)
		snprintf(result.text, sizeof(result.text), "%.1f s", seconds);
	else if (whole < 60)
		snprintf(result.text, sizeof(result.text), "%" PRIu64 " s", whole);
	else if (whole < 3600)
		snprintf(result.text, sizeof(result.text), "%" PRIu64 " min %" PRIu64 " s",
			 whole / 60, whole % 60);
	else if (whole < UINT64_C(48) * 3600)
		snprintf(result.text, sizeof(result.text), "%" PRIu64 " h %" PRIu64 " min",
			 whole / 3600, whole / 60 % 60);
	else
		snprintf(result.text, sizeof(result.text), "%" PRIu64 " d %" PRIu64 " h",
			 whole / 86400, whole / 3600 % 24);
	return result;
}

bool units_parse_duration(const char *text, uint64_t *milliseconds)
{
	static const struct {
		const char *unit;
		uint64_t milliseconds;
	} units[] = {{"", 1000},   {"s", 1000},	   {"ms", 1},
		     {"m", 60000}, {"min", 60000}, {"h", 3600000}};
	size_t digits = strspn(text, "0123456789");
	char number[24];
	uint64_t value;

	if (digits >= sizeof(number))
		return false;
	memcpy(number, text, digits);
	number[digits] = '\0';
	if (!units_parse(number, &value))
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(text + digits, units[i].unit))
			return !__builtin_mul_overflow(value, units[i].milliseconds, milliseconds);
	return false;
}
