/*
 * The assembler is the C compiler's; the processor is loaded and stored by a trampoline for each
 * width of vector registers.
 */
#include "support/machine_code.h"

#include <fcntl.h>
#include <gelf.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ALIGNMENT = 64 };

static void fail(const char *what)
{
	fprintf(stderr, "machine code: %s\n", what);
	abort();
}

/*
 * Assembling
 */

static void write_source(const char *path, const char *const *lines, size_t count)
{
	FILE *file = fopen(path, "w");

	if (!file)
		fail("cannot write the source");
	fprintf(file, "\t.text\n");
	for (size_t i = 0; i < count; i++)
		fprintf(file,
			"\t.balign %d, 0xcc\n\t.global snippet%zu\nsnippet%zu:\n\t%s\n\tret\n",
			ALIGNMENT, i, i, lines[i]);
	fclose(file);
}

// Copies a section into executable memory.
static void load_text(struct machine_code *code, Elf_Data *data)
{
	code->size = (data->d_size + 4095) & ~(size_t)4095;
	code->bytes =
		mmap(NULL, code->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (code->bytes == MAP_FAILED)
		fail("mmap");
	memcpy(code->bytes, data->d_buf, data->d_size);
	if (mprotect(code->bytes, code->size, PROT_READ | PROT_EXEC))
		fail("mprotect");
}

static void load_symbols(struct machine_code *code, Elf *elf, Elf_Scn *section,
			 const GElf_Shdr *header)
{
	Elf_Data *data = elf_getdata(section, NULL);

	for (size_t i = 0; i < header->sh_size / header->sh_entsize; i++) {
		GElf_Sym symbol;
		size_t number;

		gelf_getsym(data, (int)i, &symbol);
		const char *name = elf_strptr(elf, header->sh_link, symbol.st_name);
		if (name && sscanf(name, "snippet%zu", &number) == 1 && number < code->count)
			code->snippets[number] = code->bytes + symbol.st_value;
	}
}

static void load_object(struct machine_code *code, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	elf_version(EV_CURRENT);
	Elf *elf = fd < 0 ? NULL : elf_begin(fd, ELF_C_READ, NULL);
	if (!elf)
		fail("no object file");
	for (int wanted = SHT_PROGBITS; wanted <= SHT_SYMTAB; wanted++)
		while ((section = elf_nextscn(elf, section))) {
			gelf_getshdr(section, &header);
			if ((int)header.sh_type != wanted)
				continue;
			if (wanted == SHT_SYMTAB)
				load_symbols(code, elf, section, &header);
			else if (header.sh_flags & SHF_EXECINSTR && header.sh_size)
				load_text(code, elf_getdata(section, NULL));
		}
	elf_end(elf);
	close(fd);
}

struct machine_code *machine_code_assemble(const char *const *lines, size_t count)
{
	char folder[] = "/tmp/pymem-code-XXXXXX", source[64], object[64], command[256];
	struct machine_code *code = calloc(1, sizeof(*code));

	if (!code || !mkdtemp(folder))
		fail("no temporary folder");
	code->count = count;
	code->snippets = calloc(count, sizeof(*code->snippets));
	snprintf(source, sizeof(source), "%s/code.s", folder);
	snprintf(object, sizeof(object), "%s/code.o", folder);
	write_source(source, lines, count);
	snprintf(command, sizeof(command), "gcc -c -o %s %s", object, source);
	if (system(command))
		fail("the assembler refused the code");
	load_object(code, object);
	unlink(source);
	unlink(object);
	rmdir(folder);
	return code;
}

void machine_code_free(struct machine_code *code)
{
	munmap(code->bytes, code->size);
	free(code->snippets);
	free(code);
}

/*
 * Running
 */

// void native_N(struct machine_state *state, const void *code): loads all registers, calls, stores.
#define TRAMPOLINE(name, load, store)                                              \
	__asm__("	.text\n"                                                         \
		"	.type " #name ", @function\n" #name ":\n"                  \
		"	push %rbx\n	push %rbp\n	push %r12\n"                             \
		"	push %r13\n	push %r14\n	push %r15\n"                             \
		"	push %rdi\n	push %rsi\n"                                         \
		"	push 128(%rdi)\n	popfq\n" load                      \
		"	mov 0(%rdi), %rax\n	mov 8(%rdi), %rcx\n	mov 16(%rdi), %rdx\n"    \
		"	mov 24(%rdi), %rbx\n	mov 40(%rdi), %rbp\n	mov 48(%rdi), %rsi\n"  \
		"	mov 64(%rdi), %r8\n	mov 72(%rdi), %r9\n	mov 80(%rdi), %r10\n"    \
		"	mov 88(%rdi), %r11\n	mov 96(%rdi), %r12\n	mov 104(%rdi), %r13\n" \
		"	mov 112(%rdi), %r14\n	mov 120(%rdi), %r15\n"                     \
		"	mov 56(%rdi), %rdi\n"                                            \
		"	call *(%rsp)\n"                                                  \
		"	pushfq\n	push %rdi\n"                                            \
		"	mov 24(%rsp), %rdi\n"                                            \
		"	mov %rax, 0(%rdi)\n	mov %rcx, 8(%rdi)\n	mov %rdx, 16(%rdi)\n"    \
		"	mov %rbx, 24(%rdi)\n	mov %rbp, 40(%rdi)\n	mov %rsi, 48(%rdi)\n"  \
		"	mov %r8, 64(%rdi)\n	mov %r9, 72(%rdi)\n	mov %r10, 80(%rdi)\n"    \
		"	mov %r11, 88(%rdi)\n	mov %r12, 96(%rdi)\n	mov %r13, 104(%rdi)\n" \
		"	mov %r14, 112(%rdi)\n	mov %r15, 120(%rdi)\n"                     \
		"	pop %rax\n	mov %rax, 56(%rdi)\n"                                 \
		"	pop %rax\n	mov %rax, 128(%rdi)\n" store               \
		"	cld\n	pop %rsi\n	pop %rdi\n"                                     \
		"	pop %r15\n	pop %r14\n	pop %r13\n"                                \
		"	pop %r12\n	pop %rbp\n	pop %rbx\n	ret\n"                          \
		"	.size " #name ", . - " #name "\n");                        \
	void name(struct machine_state *state, const void *code);

#define LOW			"0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15"
#define HIGH			LOW ",16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31"
#define EACH(list, instruction) "	.irp n, " list "\n	" instruction "\n	.endr\n"

TRAMPOLINE(native_sse, EACH(LOW, "movdqu 136+64*\\n(%rdi), %xmm\\n"),
	   EACH(LOW, "movdqu %xmm\\n, 136+64*\\n(%rdi)"))
TRAMPOLINE(native_avx, EACH(LOW, "vmovdqu 136+64*\\n(%rdi), %ymm\\n"),
	   EACH(LOW, "vmovdqu %ymm\\n, 136+64*\\n(%rdi)") "	vzeroupper\n")
TRAMPOLINE(native_avx512, EACH(HIGH, "vmovdqu64 136+64*\\n(%rdi), %zmm\\n"),
	   EACH(HIGH, "vmovdqu64 %zmm\\n, 136+64*\\n(%rdi)") "	vzeroupper\n")

size_t machine_vector_count(void)
{
	return machine_vector_size() == 64 ? 32 : 16;
}

size_t machine_vector_size(void)
{
	__builtin_cpu_init();
	return __builtin_cpu_supports("avx512f") ? 64 : __builtin_cpu_supports("avx") ? 32 : 16;
}

static sigjmp_buf divided;

static void on_sigfpe(int signal)
{
	(void)signal;
	siglongjmp(divided, 1);
}

bool machine_run(const uint8_t *snippet, struct machine_state *state)
{
	struct sigaction action = {.sa_handler = on_sigfpe}, old;
	bool ran = false;

	sigaction(SIGFPE, &action, &old);
	if (!sigsetjmp(divided, 1)) {
		switch (machine_vector_size()) {
		case 64:
			native_avx512(state, snippet);
			break;
		case 32:
			native_avx(state, snippet);
			break;
		default:
			native_sse(state, snippet);
		}
		ran = true;
	}
	sigaction(SIGFPE, &old, NULL);
	return ran;
}
