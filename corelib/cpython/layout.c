/* The facts of layout_fields.def as a list. */
#include "cpython/layout.h"

const struct layout_field layout_fields[] = {
#define FACT(name, types, members, bits) \
	{#name, types, members, bits, offsetof(struct layout, name)},
#define LAYOUT_SIZE(name, types)	   FACT(name, types, NULL, false)
#define LAYOUT_FIELD(name, types, members) FACT(name, types, members, false)
#define LAYOUT_BIT(name, types, members)   FACT(name, types, members, true)
#include "cpython/layout_fields.def"
#undef LAYOUT_SIZE
#undef LAYOUT_FIELD
#undef LAYOUT_BIT
};

const size_t layout_field_count = sizeof(layout_fields) / sizeof(layout_fields[0]);
