# pymem: libpymem, pycore-inspect and the debugger plugins.
#
#   make               build everything
#   make demo          install what is missing, build, and show the leak of a small program
#   make check         install what is missing, fetch interpreters, build, and run all tests
#   make install       PREFIX (/usr/local), LIBDIR and DESTDIR as usual; make uninstall takes it away.
#                      GDB then knows pymem; LLDB: "plugin load PREFIX/lib/pymem/pymem-lldb.so"
#   make bench         measure against gc.collect(); BENCH_PYTHON, BENCH_OBJECTS
#
#   make unit, e2e     some of the tests; with PYMEM_TEST_FULL=1 the slow ones on every interpreter
#   make interpreters  fetch more interpreters and debuggers for the tests
#   make lint          format, shell and C checkers; make format formats
#   make deps          install what building, testing and linting need
#   make clean, help
#
# SANITIZE=asan builds with the address and undefined sanitizers, SANITIZE=tsan with that of threads,
# each in a folder of its own.
# V=1 shows the commands.

PREFIX     ?= /usr/local
SYSCONFDIR ?= /etc
# Of the library; PREFIX/lib/x86_64-linux-gnu for example.
LIBDIR     ?= $(PREFIX)/lib
PLUGIN_DIR ?= $(PREFIX)/lib/pymem
# Where GDB looks for command files of the system, as it says itself.
GDBINIT_DIR ?= $(or $(shell gdb --configuration 2>/dev/null | \
	sed -n 's/.*--with-system-gdbinit-dir=\([^ ]*\).*/\1/p'),$(SYSCONFDIR)/gdb/gdbinit.d)
CC         ?= gcc
CXX        ?= g++
SANITIZE   ?=
BUILD      := $(if $(SANITIZE),build-$(SANITIZE),build)

CFLAGS   ?= -O2 -g
WARNINGS := -Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes
ALL_CFLAGS := -std=gnu11 -D_GNU_SOURCE $(WARNINGS) -fPIC -fexceptions -fvisibility=hidden \
	-pthread -MMD -MP -Iinclude -Icorelib -Itests $(CPPFLAGS) $(CFLAGS)
CXXFLAGS ?= -O2 -g
ALL_CXXFLAGS = -std=c++14 -D_GNU_SOURCE -Wall -Wextra -Werror -fPIC -fvisibility=hidden -fno-exceptions -fno-rtti \
	-MMD -MP -Iinclude -Icorelib $(LLDB_INCLUDE:%=-isystem %) $(CPPFLAGS) $(CXXFLAGS)
ALL_LDFLAGS := -pthread $(LDFLAGS)
LIBS     := -ldw -lelf -ljansson -lZydis -larchive -lm

# Programs that were built with one libpymem.so.0 run with every later one.
VERSION  := $(shell sed -n 's/^\#define PYMEM_VERSION "\(.*\)"/\1/p' include/pymem.h)
SONAME   := libpymem.so.0
SHARED   := libpymem.so.$(VERSION)

ifeq ($(SANITIZE),asan)
ALL_CFLAGS  += -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
ALL_LDFLAGS += -fsanitize=address,undefined
endif
ifeq ($(SANITIZE),tsan)
ALL_CFLAGS  += -fsanitize=thread -fno-omit-frame-pointer
ALL_LDFLAGS += -fsanitize=thread
endif

# One short line for each file made; V=1 shows the commands, -s nothing.
quiet := $(if $(V),,$(if $(findstring s,$(firstword -$(MAKEFLAGS))),@,tell))
say    = $(if $(filter tell,$(quiet)),@printf '  %-4s %s\n' $(1) $@;,$(quiet))

LIB_SOURCES  := $(filter-out corelib/inspect/%,$(wildcard corelib/*/*.c))
LIB_OBJECTS  := $(LIB_SOURCES:%.c=$(BUILD)/%.o)
MAIN_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard corelib/inspect/*.c))
# <gdb/jit-reader.h> comes with GDB; without it there is no plugin.
JIT_READER   := $(shell echo '\#include <gdb/jit-reader.h>' | $(CC) -E -xc - >/dev/null 2>&1 && echo yes)
PLUGIN_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard plugin/*.c) corelib/inspect/lost_page.c)
GDB_OBJECTS  := $(if $(JIT_READER),$(patsubst %.c,$(BUILD)/%.o,$(wildcard plugin/gdb/*.c)) $(PLUGIN_OBJECTS))
GDB_PLUGIN   := $(if $(GDB_OBJECTS),$(BUILD)/pymem-gdb.so $(BUILD)/pymem.gdb)
GDB_SCRIPT   := plugin/gdb/script/pymem.gdb.in
# LLDB's headers, of whatever version: the plugin loads in all. Debian has them below /usr/lib/llvm-N.
LLDB_INCLUDE ?= $(lastword $(patsubst %/lldb/API/LLDB.h,%, \
	$(wildcard /usr/lib/llvm-*/include/lldb/API/LLDB.h /usr/include/lldb/API/LLDB.h)))
LLDB_HEADERS := $(if $(LLDB_INCLUDE),$(shell echo '\#include <lldb/API/LLDB.h>' | \
	$(CXX) -std=c++14 -isystem $(LLDB_INCLUDE) -E -xc++ - >/dev/null 2>&1 && echo yes))
LLDB_OBJECTS := $(if $(LLDB_HEADERS),$(patsubst %.c,$(BUILD)/%.o,$(wildcard plugin/lldb/*.c)) \
	$(BUILD)/plugin/lldb/shim.o $(PLUGIN_OBJECTS))
LLDB_PLUGIN  := $(if $(LLDB_OBJECTS),$(BUILD)/pymem-lldb.so)
SUPPORT_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/support/*.c))
UNIT_TESTS   := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/test_*.c))
E2E_TESTS    := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/e2e/test_*.c))
FORMATTED    := $(wildcard include/*.h corelib/*/*.[ch] plugin/*.[ch] plugin/*/*.[ch] plugin/*/*.cpp plugin/*/*/*.[ch] tests/*/*.[ch] scripts/*.[ch] scripts/*/*.[ch])

# Where each shell looks below PREFIX.
COMPLETIONS := bash-completion/completions/pycore-inspect zsh/site-functions/_pycore-inspect \
	fish/vendor_completions.d/pycore-inspect.fish

.PHONY: all lib completions check tests unit sanitized e2e demo bench install uninstall format format-check lint deps \
	interpreters clean help
.SECONDARY:

all: lib $(if $(MAIN_OBJECTS),$(BUILD)/pycore-inspect) completions $(GDB_PLUGIN) $(LLDB_PLUGIN)
	$(if $(JIT_READER),,@echo "No <gdb/jit-reader.h> (Debian: package gdb): the GDB plugin is not built" >&2)
	$(if $(LLDB_HEADERS),,@echo "No $(CXX), or no <lldb/API/LLDB.h> (Debian: package liblldb-dev): the LLDB plugin is not built" >&2)
lib: $(BUILD)/libpymem.a $(BUILD)/$(SHARED)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/%.o: %.cpp
	@mkdir -p $(@D)
	$(call say,CXX)$(CXX) $(ALL_CXXFLAGS) -c -o $@ $<

# The schema is built in.
$(BUILD)/corelib/command/schema.o: docs/schema/pymem.schema.json

$(BUILD)/libpymem.a: $(LIB_OBJECTS)
	@rm -f $@
	$(call say,AR)$(AR) rcs $@ $^

# The same objects once more: only what the map names is seen outside.
$(BUILD)/$(SHARED): $(LIB_OBJECTS) corelib/libpymem.map
	$(call say,LD)$(CC) $(ALL_LDFLAGS) -shared -Wl,-soname,$(SONAME) -Wl,--version-script=corelib/libpymem.map \
		-Wl,-z,defs -o $@ $(LIB_OBJECTS) $(LIBS)
	@ln -sf $(SHARED) $(BUILD)/$(SONAME)

# One object whose inner symbols are local, so that none clashes with a program's own.
$(BUILD)/install/libpymem.a: $(LIB_OBJECTS)
	@mkdir -p $(@D)
	@rm -f $@
	$(call say,AR)$(CC) $(CFLAGS) -r -nostdlib -o $(@:.a=.o) $^
	@objcopy --localize-hidden $(@:.a=.o)
	@$(AR) rcs $@ $(@:.a=.o)

$(BUILD)/pycore-inspect: $(MAIN_OBJECTS) $(BUILD)/libpymem.a
	$(call say,LD)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/pymem-gdb.so: $(GDB_OBJECTS) $(BUILD)/libpymem.a
	$(call say,LD)$(CC) $(ALL_LDFLAGS) -shared -Wl,-z,defs -o $@ $^ $(LIBS)

# LLDB's own symbols stay undefined: those of the LLDB that loads it are used.
$(BUILD)/pymem-lldb.so: $(LLDB_OBJECTS) $(BUILD)/libpymem.a
	$(call say,LD)$(CXX) $(ALL_LDFLAGS) -shared -o $@ $^ $(LIBS)

$(BUILD)/generate-gdb: $(BUILD)/plugin/gdb/script/generate.o $(BUILD)/libpymem.a
	$(call say,LD)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

# For GDB on the build folder: gdb -x build/pymem.gdb
$(BUILD)/pymem.gdb: $(BUILD)/generate-gdb $(GDB_SCRIPT)
	$(call say,GEN)$< $(GDB_SCRIPT) $(abspath $(BUILD)/pymem-gdb.so) >$@.new
	@mv $@.new $@

$(BUILD)/generate-completions: $(BUILD)/scripts/completions/generate.o $(BUILD)/libpymem.a
	$(call say,LD)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

# $(1) is the shell: pycore-inspect.SHELL.in becomes the file in the folder where it looks.
completion = $(BUILD)/share/$(filter $(1)%,$(COMPLETIONS))
completions: $(foreach shell,bash zsh fish,$(call completion,$(shell)))
$(call completion,bash) $(call completion,zsh) $(call completion,fish): \
		$(BUILD)/share/%: $(BUILD)/generate-completions $(wildcard scripts/completions/*.in)
	@mkdir -p $(@D)
	$(call say,GEN)$< $(firstword $(subst /, ,$(subst -, ,$*))) \
		scripts/completions/pycore-inspect.$(firstword $(subst /, ,$(subst -, ,$*))).in >$@.new
	@mv $@.new $@

# The plugin's own parts, without GDB.
$(BUILD)/tests/unit/test_gdb_plugin: $(filter-out %/reader.o,$(GDB_OBJECTS))

$(BUILD)/tests/%: $(BUILD)/tests/%.o $(SUPPORT_OBJECTS) $(BUILD)/libpymem.a
	$(call say,LD)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) -lcmocka $(LIBS)

unit: $(UNIT_TESTS)
	@scripts/run-tests $^

# What a sanitizer is to watch: the unit tests, and real objects and stacks that are damaged.
sanitized: $(UNIT_TESTS) $(BUILD)/tests/e2e/test_damaged_objects $(BUILD)/tests/e2e/test_damaged_stacks
	@scripts/run-tests $^

e2e: all $(E2E_TESTS)
	@scripts/run-tests $(E2E_TESTS)

tests: all $(UNIT_TESTS) $(E2E_TESTS)
	@scripts/run-tests $(UNIT_TESTS) $(E2E_TESTS)

# Exit code 69: they cannot be had now; the tests name what they skip.
check:
	@scripts/deps build run test
	@scripts/interpreters fetch || [ $$? = 69 ]
	@scripts/debuggers fetch || [ $$? = 69 ]
	@$(MAKE) --no-print-directory tests

demo:
	@scripts/deps build run
	@$(MAKE) --no-print-directory -s all
	@scripts/demo $(BUILD)

bench: all $(BUILD)/scripts/bench_read $(BUILD)/scripts/bench_traverse
	@scripts/bench $(BUILD)

$(BUILD)/scripts/bench_traverse: $(BUILD)/scripts/bench_traverse.o $(BUILD)/libpymem.a
	$(call say,LD)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/scripts/%: $(BUILD)/scripts/%.o
	$(call say,LD)$(CC) $(ALL_LDFLAGS) -o $@ $^

deps:
	scripts/deps

interpreters:
	scripts/interpreters fetch
	scripts/debuggers fetch

# Installed when the tree has them: manual pages, the schema of the answers.
INSTALL ?= install
INSTALL_DATA := $(INSTALL) -D -m 644
# docs/man/pymem.1 goes to man1.
MAN_PAGES := $(wildcard docs/man/*.[1-8])
man_path   = share/man/man$(subst .,,$(suffix $(1)))/$(notdir $(1))
SCHEMAS := $(wildcard docs/schema/*.json)

install: all $(BUILD)/install/libpymem.a
	$(INSTALL) -D $(BUILD)/pycore-inspect $(DESTDIR)$(PREFIX)/bin/pycore-inspect
	$(INSTALL_DATA) include/pymem.h $(DESTDIR)$(PREFIX)/include/pymem.h
	$(INSTALL_DATA) $(BUILD)/install/libpymem.a $(DESTDIR)$(LIBDIR)/libpymem.a
	$(INSTALL_DATA) $(BUILD)/$(SHARED) $(DESTDIR)$(LIBDIR)/$(SHARED)
	ln -sf $(SHARED) $(DESTDIR)$(LIBDIR)/$(SONAME)
	ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/libpymem.so
	@mkdir -p $(DESTDIR)$(LIBDIR)/pkgconfig
	sed 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|; s|@VERSION@|$(VERSION)|' corelib/pymem.pc.in \
		>$(DESTDIR)$(LIBDIR)/pkgconfig/pymem.pc
	$(foreach page,$(MAN_PAGES),$(INSTALL_DATA) $(page) $(DESTDIR)$(PREFIX)/$(call man_path,$(page)) &&) true
	$(foreach schema,$(SCHEMAS),$(INSTALL_DATA) $(schema) $(DESTDIR)$(PREFIX)/share/pymem/schema/$(notdir $(schema)) &&) true
	$(foreach file,$(COMPLETIONS),$(INSTALL_DATA) $(BUILD)/share/$(file) $(DESTDIR)$(PREFIX)/share/$(file) &&) true
ifneq ($(GDB_PLUGIN),)
	$(INSTALL_DATA) $(BUILD)/pymem-gdb.so $(DESTDIR)$(PLUGIN_DIR)/pymem-gdb.so
	$(BUILD)/generate-gdb $(GDB_SCRIPT) $(PLUGIN_DIR)/pymem-gdb.so >$(BUILD)/pymem-installed.gdb
	$(INSTALL_DATA) $(BUILD)/pymem-installed.gdb $(DESTDIR)$(PLUGIN_DIR)/pymem.gdb
	$(INSTALL_DATA) $(BUILD)/pymem-installed.gdb $(DESTDIR)$(GDBINIT_DIR)/pymem.gdb
endif
ifneq ($(LLDB_PLUGIN),)
	$(INSTALL_DATA) $(LLDB_PLUGIN) $(DESTDIR)$(PLUGIN_DIR)/pymem-lldb.so
	@echo 'For LLDB, add to ~/.lldbinit:  plugin load $(PLUGIN_DIR)/pymem-lldb.so'
endif

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/pycore-inspect $(DESTDIR)$(PREFIX)/include/pymem.h \
		$(addprefix $(DESTDIR)$(LIBDIR)/,libpymem.a $(SHARED) $(SONAME) libpymem.so pkgconfig/pymem.pc) \
		$(foreach page,$(MAN_PAGES),$(DESTDIR)$(PREFIX)/$(call man_path,$(page))) \
		$(SCHEMAS:docs/schema/%=$(DESTDIR)$(PREFIX)/share/pymem/schema/%) \
		$(addprefix $(DESTDIR)$(PREFIX)/share/,$(COMPLETIONS)) \
		$(addprefix $(DESTDIR)$(PLUGIN_DIR)/,pymem-gdb.so pymem.gdb pymem-lldb.so) \
		$(DESTDIR)$(GDBINIT_DIR)/pymem.gdb
	[ ! -d $(DESTDIR)$(PREFIX)/share/pymem ] || \
		rmdir $(DESTDIR)$(PREFIX)/share/pymem/schema $(DESTDIR)$(PREFIX)/share/pymem
	[ ! -d $(DESTDIR)$(PLUGIN_DIR) ] || rmdir $(DESTDIR)$(PLUGIN_DIR)

format:
	clang-format -i $(FORMATTED)

format-check:
	clang-format --dry-run -Werror $(FORMATTED)

lint: format-check
	scripts/lint

clean:
	rm -rf build build-asan build-tsan

help:
	@sed -n '/^#/!q; s/^# \{0,1\}//; p' Makefile

-include $(shell find $(BUILD) -type f -name '*.d' 2>/dev/null)

# The writer of corelib/cpython/layouts/: needs no layout itself.
$(BUILD)/layout: $(BUILD)/scripts/layout.o $(BUILD)/corelib/cpython/layout.o \
		$(BUILD)/corelib/cpython/layout_dwarf.o
	$(call say,LD)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)
