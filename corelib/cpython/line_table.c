/* Decodes co_lnotab and co_linetable (Objects/codeobject.c). */
#include "cpython/line_table.h"

enum {
	TABLE_MAX = 1 << 26,
	CODE_UNIT = 2, /* bytes of an instruction */

	/* 3.10: an entry of two bytes whose instructions have no line. */
	OLD_NO_LINE = -128,

	/* 3.11+: enum _PyCodeLocationInfoKind, in bits 3-6 of an entry's first byte */
	KIND_ONE_LINE_0 = 10,
	KIND_ONE_LINE_2 = 12,
	KIND_NO_COLUMNS = 13,
	KIND_LONG = 14,
	KIND_NONE = 15,
	ENTRY_START = 0x80, /* only the first byte of an entry has it */
	VARINT_BITS = 6,
	VARINT_MORE = 0x40,
};

/*
 * 3.8, 3.9: pairs of unsigned bytes to go on and signed lines to add. The lines stand behind the
 * instructions to which they no longer apply.
 */
static bool step_lnotab(struct line_walk *walk, struct line_range *range)
{
	if (!walk->limit)
		return false;
	range->start = walk->end;
	range->line = walk->line;
	if (walk->limit - walk->next < 2) {
		range->end = INT64_MAX;
		walk->limit = NULL;
		return true;
	}
	walk->end += walk->next[0];
	walk->line = (int32_t)((uint32_t)walk->line + (uint32_t)(int8_t)walk->next[1]);
	walk->next += 2;
	range->end = walk->end;
	return true;
}

/* 3.10: the same pairs, but a line is that of the bytes beside it. */
static bool step_pairs(struct line_walk *walk, struct line_range *range)
{
	int8_t delta;

	if (walk->limit - walk->next < 2)
		return false;
	range->start = walk->end;
	walk->end += walk->next[0];
	delta = (int8_t)walk->next[1];
	walk->next += 2;
	if (delta != OLD_NO_LINE)
		walk->line = (int32_t)((uint32_t)walk->line + (uint32_t)delta);
	range->end = walk->end;
	range->line = delta == OLD_NO_LINE ? LINE_NONE : walk->line;
	return true;
}

/* Six bits a byte, the lowest first; bit 0 of the number is its sign. */
static int32_t signed_varint(const uint8_t *at, const uint8_t *limit)
{
	uint32_t value = 0, shift = 0;
	uint8_t byte;

	do {
		if (at == limit || shift >= 32)
			return 0;
		byte = *at++;
		value |= (uint32_t)(byte & (VARINT_MORE - 1)) << shift;
		shift += VARINT_BITS;
	} while (byte & VARINT_MORE);
	return value & 1 ? -(int32_t)(value >> 1) : (int32_t)(value >> 1);
}

static int32_t location_lines(const struct line_walk *walk, unsigned kind)
{
	if (kind == KIND_NO_COLUMNS || kind == KIND_LONG)
		return signed_varint(walk->next + 1, walk->limit);
	if (kind >= KIND_ONE_LINE_0 && kind <= KIND_ONE_LINE_2)
		return (int32_t)kind - KIND_ONE_LINE_0;
	return 0;
}

/* 3.11+: entries of several bytes, with columns, which are passed over. */
static bool step_locations(struct line_walk *walk, struct line_range *range)
{
	unsigned kind;

	if (walk->next == walk->limit)
		return false;
	kind = (*walk->next >> 3) & 15;
	walk->line = (int32_t)((uint32_t)walk->line + (uint32_t)location_lines(walk, kind));
	range->start = walk->end;
	walk->end += ((*walk->next & 7) + 1) * CODE_UNIT;
	range->end = walk->end;
	range->line = kind == KIND_NONE ? LINE_NONE : walk->line;
	do
		walk->next++;
	while (walk->next < walk->limit && !(*walk->next & ENTRY_START));
	return true;
}

bool line_walk_begin(const struct runtime *runtime, struct reader *reader, uint64_t code,
		     struct line_walk *walk)
{
	const struct layout *layout = &runtime->layout;
	bool is_old = layout_has(layout->PyCodeObject_co_lnotab);
	uint32_t first;
	uint64_t table, size;

	*walk = (struct line_walk){0};
	if (is_old)
		walk->step = step_lnotab;
	else
		walk->step = layout_has(layout->PyCodeObject_co_code_adaptive) ? step_locations
									       : step_pairs;
	if (!reader_u32(reader, code + layout->PyCodeObject_co_firstlineno, &first) ||
	    !reader_u64(reader,
			code + (is_old ? layout->PyCodeObject_co_lnotab
				       : layout->PyCodeObject_co_linetable),
			&table) ||
	    !reader_u64(reader, table + layout->PyVarObject_ob_size, &size) || size > TABLE_MAX)
		return false;
	walk->next =
		reader_at(reader, table + layout->PyBytesObject_ob_sval, size + 1); /* its NUL */
	walk->line = (int32_t)first;
	if (!walk->next)
		return false;
	walk->limit = walk->next + size;
	return true;
}

int32_t code_line(const struct runtime *runtime, struct reader *reader, uint64_t code,
		  int64_t offset)
{
	struct line_range range;
	struct line_walk walk;

	if (!line_walk_begin(runtime, reader, code, &walk))
		return LINE_NONE;
	if (offset < 0)
		return walk.line;
	while (line_walk_next(&walk, &range))
		if (offset < range.end)
			return range.line;
	return LINE_NONE;
}
