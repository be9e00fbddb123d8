/*
 * Writes a file of corelib/cpython/layouts/ from the debug information of a CPython release.
 *
 *     make build/layout
 *     build/layout libpython3.13.so.1.0.debug [_datetime.debug …] >
 * corelib/cpython/layouts/3.13.5.inc
 *
 * Then add the row to layout_rows.c and run the tests on that release.
 */
#include "cpython/layout_dwarf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void print_rows(struct layout *layout)
{
	for (size_t i = 0; i < layout_field_count; i++) {
		uint32_t value = *layout_value(layout, &layout_fields[i]);

		if (layout_has(value))
			printf(".%s = %u,\n", layout_fields[i].name, value);
		else
			printf(".%s = LAYOUT_ABSENT,\n", layout_fields[i].name);
	}
}

int main(int argc, char **argv)
{
	Dwarf **dwarfs = calloc((size_t)argc, sizeof(*dwarfs));
	struct layout layout;
	size_t found;

	if (!dwarfs || argc < 2) {
		fprintf(stderr, "usage: %s ELF-WITH-DWARF…\n", argv[0]);
		return 2;
	}
	for (int i = 1; i < argc; i++) {
		int fd = open(argv[i], O_RDONLY | O_CLOEXEC);

		if (fd < 0) {
			fprintf(stderr, "%s: %s\n", argv[i], strerror(errno));
			return 1;
		}
		dwarfs[i - 1] = dwarf_begin(fd, DWARF_C_READ);
		if (!dwarfs[i - 1]) {
			fprintf(stderr, "%s: %s\n", argv[i], dwarf_errmsg(-1));
			return 1;
		}
	}
	found = layout_from_dwarf(dwarfs, (size_t)argc - 1, &layout);
	print_rows(&layout);
	fprintf(stderr, "%zu of %zu facts found\n", found, layout_field_count);
	for (int i = 1; i < argc; i++)
		dwarf_end(dwarfs[i - 1]);
	free(dwarfs);
	return found ? 0 : 1;
}
