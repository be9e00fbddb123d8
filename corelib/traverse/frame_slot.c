/*
 * Words of frames that no object owns: those of running functions, on a thread's data stack (3.11+,
 * Include/internal/pycore_frame.h). Frames follow each other without a mark, so a frame is what has
 * a code object and a dict of globals in their places, and room for the word.
 */
#include "traverse/decoder.h"
#include "traverse/title.h"

enum { WORD = sizeof(uint64_t), FRAME_WORDS_MAX = 1 << 16 };

static const struct type *type_at(struct traverser *traverser, uint64_t address, uint64_t *object)
{
	struct object_header header;

	if (!reader_u64(&traverser->reader, address, object))
		return NULL;
	*object &= ~UINT64_C(7); /* tags of _PyStackRef, 3.14+ */
	if (!*object || !object_header(traverser->runtime, &traverser->reader, *object, &header))
		return NULL;
	return type_get(traverser->runtime->types, &traverser->reader, header.type);
}

/* Does a frame begin here that reaches to `slot`? */
static const struct type *frame_code_type(struct traverser *traverser, uint64_t frame,
					  uint64_t slot, uint64_t *code)
{
	const struct layout *layout = traverser->layout;
	const struct type *code_type, *globals_type;
	uint32_t locals, stack;
	uint64_t globals, end;

	code_type = type_at(traverser, frame + layout->_PyInterpreterFrame_f_executable, code);
	if (!code_type || strcmp(code_type->name, "code"))
		return NULL;
	globals_type = type_at(traverser, frame + layout->_PyInterpreterFrame_f_globals, &globals);
	if (!globals_type || !(globals_type->flags & TPFLAGS_DICT_SUBCLASS))
		return NULL;
	if (!reader_u32(&traverser->reader, *code + layout->PyCodeObject_co_nlocalsplus, &locals) ||
	    !reader_u32(&traverser->reader, *code + layout->PyCodeObject_co_stacksize, &stack))
		return NULL;
	end = frame + layout->_PyInterpreterFrame_localsplus + ((uint64_t)locals + stack) * WORD;
	return slot < end ? code_type : NULL;
}

bool frame_slot(struct traverser *traverser, uint64_t start, uint64_t slot,
		struct edge_label *label, char *function, size_t size)
{
	const struct reference reference = {.slot = slot};
	uint64_t code;

	*function = '\0';
	label->kind = EDGE_UNKNOWN;
	if (!layout_has(traverser->layout->_PyInterpreterFrame_f_executable) || slot < start)
		return false;
	for (uint64_t i = 0; i < FRAME_WORDS_MAX && slot - i * WORD >= start; i++) {
		uint64_t frame = slot - i * WORD;
		const struct type *type = frame_code_type(traverser, frame, slot, &code);

		if (!type)
			continue;
		object_title(traverser, code, type, function, size);
		return label_interpreter_frame(traverser, frame, &reference, label);
	}
	return false;
}
