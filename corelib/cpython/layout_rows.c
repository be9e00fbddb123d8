/*
 * The known builds of CPython. Their offsets stand in layouts/, one file a release, written by
 * scripts/layouts from the release's own debug information.
 */
#include "cpython/layout.h"

/* Oldest first; of one release, upstream before a distribution's build. */
const struct layout_row layout_rows[] = {
	/* clang-format off */
	{"3.8.18", 0x030812f0, false, {
#include "cpython/layouts/3.8.18.inc"
	}},
	{"3.9.18", 0x030912f0, false, {
#include "cpython/layouts/3.9.18.inc"
	}},
	{"3.10.13", 0x030a0df0, false, {
#include "cpython/layouts/3.10.13.inc"
	}},
	{"3.11.7", 0x030b07f0, false, {
#include "cpython/layouts/3.11.7.inc"
	}},
	{"3.12.1", 0x030c01f0, false, {
#include "cpython/layouts/3.12.1.inc"
	}},
	{"3.13.0", 0x030d00f0, false, {
#include "cpython/layouts/3.13.0.inc"
	}},
	{"3.13.5", 0x030d05f0, false, {
#include "cpython/layouts/3.13.5.inc"
	}},
	{"3.13.15", 0x030d0ff0, false, {
#include "cpython/layouts/3.13.15.inc"
	}},
	{"3.14.8", 0x030e08f0, false, {
#include "cpython/layouts/3.14.8.inc"
	}},
	{"3.15.0", 0x030f00f0, false, {
#include "cpython/layouts/3.15.0.inc"
	}},
	/* clang-format on */
};

const size_t layout_row_count = sizeof(layout_rows) / sizeof(layout_rows[0]);
