/* The facts of layout_fields.def as a list. */
#include "cpython/layout.h"

const struct layout_field layout_fields[] = {
#define LAYOUT_SIZE(name, types)	   {#name, types, NULL, offsetof(struct layout, name)},
#define LAYOUT_FIELD(name, types, members) {#name, types, members, offsetof(struct layout, name)},
#include "cpython/layout_fields.def"
#undef LAYOUT_SIZE
#undef LAYOUT_FIELD
};

const size_t layout_field_count = sizeof(layout_fields) / sizeof(layout_fields[0]);
