/* Members of C structs. */
#include "traverse/member.h"

#include "traverse/decoder.h"

enum {
	MEMBERS_MAX = 4096,
	BASES_MAX = 64,
	/* Kinds that give the very object: T_OBJECT, T_OBJECT_EX */
	KIND_OBJECT = 6,
	KIND_OBJECT_EX = 16,
};

static bool read_name(struct traverser *traverser, uint64_t address, char *name, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		uint8_t byte;

		if (!reader_u8(&traverser->reader, address + i, &byte))
			return false;
		name[i] = (char)byte;
		if (!byte)
			return i > 0;
	}
	return false;
}

static bool find_in_table(struct traverser *traverser, uint64_t member, uint64_t offset, char *name,
			  size_t size)
{
	const struct layout *layout = traverser->layout;

	for (int i = 0; member && i < MEMBERS_MAX; i++, member += layout->PyMemberDef_size) {
		uint64_t text, place;
		uint32_t kind;

		if (!reader_u64(&traverser->reader, member + layout->PyMemberDef_name, &text) ||
		    !text ||
		    !reader_u32(&traverser->reader, member + layout->PyMemberDef_type, &kind) ||
		    !reader_u64(&traverser->reader, member + layout->PyMemberDef_offset, &place))
			break;
		if (place == offset && (kind == KIND_OBJECT || kind == KIND_OBJECT_EX))
			return read_name(traverser, text, name, size);
	}
	return false;
}

bool member_at(struct traverser *traverser, const struct type *type, uint64_t offset, char *name,
	       size_t size)
{
	const struct layout *layout = traverser->layout;

	for (int i = 0; type && i < BASES_MAX; i++, type = type->base) {
		uint64_t table;

		if (offset < (uint64_t)type->basicsize &&
		    reader_u64(&traverser->reader, type->address + layout->PyTypeObject_tp_members,
			       &table) &&
		    find_in_table(traverser, table, offset, name, size))
			return true;
	}
	return false;
}
