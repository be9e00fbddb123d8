/* The signal that killed the process, as text and JSON. */
#include "command/signal_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct signal_text signal_name(const struct target *target)
{
	const char *name = sigabbrev_np(target->signal);
	struct signal_text text;

	if (name)
		snprintf(text.text, sizeof(text.text), "SIG%s", name);
	else
		snprintf(text.text, sizeof(text.text), "signal %d", target->signal);
	return text;
}

/* What si_code says of an address (asm-generic/siginfo.h); NULL: there is no address. */
static const char *address_reason(const siginfo_t *info)
{
	static const struct {
		int signal, code;
		const char *reason;
	} reasons[] = {
		{SIGSEGV, SEGV_MAPERR, "not mapped"},
		{SIGSEGV, SEGV_ACCERR, "no permission"},
		{SIGSEGV, SEGV_PKUERR, "no permission by its protection key"},
		{SIGBUS, BUS_ADRALN, "not aligned"},
		{SIGBUS, BUS_ADRERR, "behind the end of a mapped file, or no memory left"},
		{SIGBUS, BUS_MCEERR_AR, "broken memory"},
		{SIGBUS, BUS_MCEERR_AO, "broken memory"},
		{SIGILL, ILL_ILLOPC, "illegal instruction"},
		{SIGILL, ILL_ILLOPN, "illegal instruction"},
		{SIGFPE, FPE_INTDIV, "integer division by zero"},
		{SIGFPE, FPE_INTOVF, "integer overflow"},
		{SIGFPE, FPE_FLTDIV, "division by zero"},
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].signal == info->si_signo && reasons[i].code == info->si_code)
			return reasons[i].reason;
	return NULL;
}

/* The process that sent it; 0: the kernel, or not known. Up to SI_USER it came from a process; what
 * si_code says of timers and the like has no pid. */
static pid_t sender(const siginfo_t *info)
{
	bool is_sent =
		info->si_code == SI_USER || info->si_code == SI_QUEUE || info->si_code == SI_TKILL;

	return info->si_signo && is_sent ? info->si_pid : 0;
}

struct signal_text signal_reason(const struct target *target)
{
	const siginfo_t *info = &target->siginfo;
	const char *reason = address_reason(info);
	struct signal_text text = {""};

	if (reason)
		snprintf(text.text, sizeof(text.text), "at address 0x%" PRIxPTR " (%s)",
			 (uintptr_t)info->si_addr, reason);
	else if (info->si_signo == SIGSEGV && info->si_code == SI_KERNEL)
		snprintf(text.text, sizeof(text.text),
			 "at an address that cannot be one: a damaged pointer");
	else if (sender(info) && sender(info) != target->pid)
		snprintf(text.text, sizeof(text.text), "sent by pid %d", (int)sender(info));
	return text;
}

static const char *module_name(const struct module *module)
{
	const char *slash = strrchr(module->path, '/');

	return slash ? slash + 1 : module->path;
}

/* The kernel writes the thread that took the signal first. */
static uint64_t instruction(const struct target *target)
{
	return target->signal && target->thread_count ? target->threads[0].registers.rip : 0;
}

struct signal_text signal_code(const struct target *target)
{
	uint64_t address = instruction(target);
	const struct module *module = modules_at(target->modules, address);
	struct signal_text text = {""};
	struct symbol symbol;

	if (!module) {
		if (address)
			snprintf(text.text, sizeof(text.text), "no module's code, at 0x%" PRIx64,
				 address);
		return text;
	}
	if (modules_symbol_at(target->modules, address, &symbol))
		snprintf(text.text, sizeof(text.text), "%.64s+0x%" PRIx64 " (%.40s)", symbol.name,
			 address - symbol.address, module_name(module));
	else
		snprintf(text.text, sizeof(text.text), "%.64s+0x%" PRIx64, module_name(module),
			 address - module->bias);
	return text;
}

static void instruction_json(const struct target *target, struct document *document, json_t *object)
{
	uint64_t address = instruction(target);
	const struct module *module = modules_at(target->modules, address);
	json_t *code = document_set_object(document, object, "instruction");
	struct symbol symbol;
	bool found = modules_symbol_at(target->modules, address, &symbol);

	document_set_address(document, code, "address", address);
	document_set_string(document, code, "symbol", found ? symbol.name : NULL);
	document_set_string(document, code, "module", module ? module_name(module) : NULL);
}

void signal_json(const struct session *session, struct document *document, json_t *result)
{
	const struct target *target = session->target;
	const siginfo_t *info = &target->siginfo;
	const char *reason = address_reason(info);
	json_t *object;

	if (!target->signal) {
		document_set(document, result, "signal", json_null());
		return;
	}
	object = document_set_object(document, result, "signal");
	document_set(document, object, "number", json_integer(target->signal));
	document_set_string(document, object, "name", signal_name(target).text);
	document_set(document, object, "code",
		     info->si_signo ? json_integer(info->si_code) : json_null());
	document_set_string(document, object, "reason", reason);
	if (reason)
		document_set_address(document, object, "address", (uint64_t)info->si_addr);
	else
		document_set(document, object, "address", json_null());
	document_set(document, object, "sender",
		     sender(info) ? json_integer(sender(info)) : json_null());
	instruction_json(target, document, object);
}
