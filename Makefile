# pymem: libpymem, pycore-inspect and the debugger plugins.
#
#   make            build everything            make demo     install what is missing, build, show a leak
#   make check      build and run all tests     make bench    measure against gc.collect()
#   make install    PREFIX, DESTDIR as usual    make help     the other targets

PREFIX     ?= /usr/local
SYSCONFDIR ?= /etc
CC         ?= gcc
SANITIZE   ?=
BUILD      := $(if $(SANITIZE),build-$(SANITIZE),build)

CFLAGS   ?= -O2 -g
WARNINGS := -Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes
ALL_CFLAGS := -std=gnu11 -D_GNU_SOURCE $(WARNINGS) -fPIC -fexceptions -fvisibility=hidden \
	-pthread -MMD -MP -Iinclude -Icorelib -Itests $(CFLAGS)
ALL_LDFLAGS := -pthread $(LDFLAGS)
LIBS     := -ldw -lelf -ljansson -lZydis -lm

ifeq ($(SANITIZE),asan)
ALL_CFLAGS  += -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
ALL_LDFLAGS += -fsanitize=address,undefined
endif

LIB_SOURCES  := $(filter-out corelib/inspect/%,$(wildcard corelib/*/*.c))
LIB_OBJECTS  := $(LIB_SOURCES:%.c=$(BUILD)/%.o)
MAIN_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard corelib/inspect/*.c))
GDB_OBJECTS  := $(patsubst %.c,$(BUILD)/%.o,$(wildcard plugin/gdb/*.c))
SUPPORT_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/support/*.c))
UNIT_TESTS   := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/test_*.c))
E2E_TESTS    := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/e2e/test_*.c))
FORMATTED    := $(wildcard include/*.h corelib/*/*.[ch] plugin/*/*.[ch] tests/*/*.[ch] scripts/*.[ch])

.PHONY: all lib check unit e2e demo bench install uninstall format format-check deps clean help
.SECONDARY:

all: lib $(if $(MAIN_OBJECTS),$(BUILD)/pycore-inspect) $(if $(GDB_OBJECTS),$(BUILD)/pymem-gdb.so)
lib: $(BUILD)/libpymem.a

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/libpymem.a: $(LIB_OBJECTS)
	@rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/pycore-inspect: $(MAIN_OBJECTS) $(BUILD)/libpymem.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/pymem-gdb.so: $(GDB_OBJECTS) $(BUILD)/libpymem.a
	$(CC) $(ALL_LDFLAGS) -shared -o $@ $^ $(LIBS)

$(BUILD)/tests/%: $(BUILD)/tests/%.o $(SUPPORT_OBJECTS) $(BUILD)/libpymem.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(LIBS)

unit: $(UNIT_TESTS)
	@set -e; for test in $^; do echo "== $$test"; $$test; done

e2e: all $(E2E_TESTS)
	@set -e; for test in $(E2E_TESTS); do echo "== $$test"; $$test; done

check: unit e2e

format:
	clang-format -i $(FORMATTED)

format-check:
	clang-format --dry-run -Werror $(FORMATTED)

clean:
	rm -rf build build-asan

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

# The writer of corelib/cpython/layouts/: needs no layout itself.
$(BUILD)/layout: $(BUILD)/scripts/layout.o $(BUILD)/corelib/cpython/layout.o \
		$(BUILD)/corelib/cpython/layout_dwarf.o
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)
