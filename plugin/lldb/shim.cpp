/*
 * pymem in LLDB: registers the commands, and hands the library LLDB's memory. The one file in C++:
 * LLDB looks for a C++ symbol in what "plugin load" loads, and its interface is C++.
 *
 * Built without exceptions and RTTI and not linked with liblldb, so that it loads in every LLDB
 * from 14 on: the interface's classes only grow.
 */
#include "answer.h"

#include <lldb/API/LLDB.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

using namespace lldb;

// Of LLDB 17 and later; an older one leaves them null.
SBFileSpec get_core_file(SBProcess *) __asm__("_ZN4lldb9SBProcess11GetCoreFileEv")
	__attribute__((weak));
bool interrupt_requested(SBDebugger *) __asm__("_ZN4lldb10SBDebugger18InterruptRequestedEv")
	__attribute__((weak));

namespace
{

/** One command under way. */
struct run {
	SBDebugger debugger;
	SBCommandInterpreter interpreter;
	SBTarget target;
	SBProcess process;
	SBCommandReturnObject *result;
};

bool read_memory(void *context, uint64_t address, void *buffer, size_t length)
{
	SBError error;

	return static_cast<run *>(context)->process.ReadMemory(address, buffer, length, error) ==
		       length &&
	       error.Success();
}

bool read_registers(void *context, ::pid_t thread, user_regs_struct *registers)
{
	static const struct {
		const char *name;
		unsigned long long user_regs_struct::*field;
	} names[] = {
		{"rax", &user_regs_struct::rax},	 {"rbx", &user_regs_struct::rbx},
		{"rcx", &user_regs_struct::rcx},	 {"rdx", &user_regs_struct::rdx},
		{"rsi", &user_regs_struct::rsi},	 {"rdi", &user_regs_struct::rdi},
		{"rbp", &user_regs_struct::rbp},	 {"rsp", &user_regs_struct::rsp},
		{"r8", &user_regs_struct::r8},		 {"r9", &user_regs_struct::r9},
		{"r10", &user_regs_struct::r10},	 {"r11", &user_regs_struct::r11},
		{"r12", &user_regs_struct::r12},	 {"r13", &user_regs_struct::r13},
		{"r14", &user_regs_struct::r14},	 {"r15", &user_regs_struct::r15},
		{"rip", &user_regs_struct::rip},	 {"rflags", &user_regs_struct::eflags},
		{"fs_base", &user_regs_struct::fs_base}, // not in LLDB 14
	};
	run *run = static_cast<struct run *>(context);
	SBFrame frame = run->process.GetThreadByID(static_cast<tid_t>(thread)).GetFrameAtIndex(0);

	*registers = {};
	registers->orig_rax = ~0ULL;
	for (const auto &each : names)
		registers->*each.field = frame.FindRegister(each.name).GetValueAsUnsigned(0);
	return registers->rsp != 0;
}

void print(void *context, const char *bytes, size_t size)
{
	static_cast<run *>(context)->result->Printf("%.*s", static_cast<int>(size), bytes);
}

bool interrupted(void *context)
{
	run *run = static_cast<struct run *>(context);

	return run->interpreter.WasInterrupted() ||
	       (interrupt_requested && interrupt_requested(&run->debugger));
}

const char *why_unavailable(SBProcess &process)
{
	if (!process.IsValid() || process.GetState() <= eStateConnected)
		return "no process and no core file: \"process attach --pid PID\", \"target create "
		       "--core FILE\", or start lldb with -p PID or -c CORE";
	switch (process.GetState()) {
	case eStateStopped:
	case eStateCrashed:
	case eStateSuspended:
		return nullptr;
	case eStateExited:
	case eStateDetached:
		return "the process is gone";
	default:
		return "the process is running: \"process interrupt\" stops it";
	}
}

/** Where a symbol of a loaded file lies; 0: nowhere. Stops at the first file that has it. */
uint64_t address_of(SBTarget &target, const char *name, const char *file_prefix)
{
	for (uint32_t i = 0; i < target.GetNumModules(); i++) {
		SBModule module = target.GetModuleAtIndex(i);
		const char *file = module.GetFileSpec().GetFilename();
		uint64_t address;

		if (!file || strncmp(file, file_prefix, strlen(file_prefix)) != 0)
			continue;
		address = module.FindSymbol(name).GetStartAddress().GetLoadAddress(target);
		if (address != LLDB_INVALID_ADDRESS)
			return address;
	}
	return 0;
}

// Not while a script takes the output.
bool is_terminal(run &run)
{
	FILE *out = run.debugger.GetOutputFileHandle();

	return out && isatty(fileno(out)) && run.debugger.GetUseColor() &&
	       run.interpreter.IsActive();
}

// LLDB says 80 as long as it knows of no terminal and no setting.
int columns(run &run, bool is_terminal)
{
	int width = static_cast<int>(run.debugger.GetTerminalWidth());

	return is_terminal || width != 80 ? width : 0;
}

void describe_target(run &run, lldb_request &request, char *core, size_t core_size)
{
	pymem_debugger &debugger = request.debugger;
	const char *plugin = run.process.GetPluginName();

	debugger.unavailable = why_unavailable(run.process);
	if (debugger.unavailable)
		return;
	request.is_core = !plugin || strcmp(plugin, "gdb-remote") != 0;
	if (!request.is_core)
		debugger.pid = static_cast<::pid_t>(run.process.GetProcessID());
	else if (get_core_file && get_core_file(&run.process).GetPath(core, core_size) > 0)
		debugger.core = core;
	debugger.stack_pointer = run.process.GetSelectedThread().GetFrameAtIndex(0).GetSP();
	debugger.runtime = address_of(run.target, "_PyRuntime", "");
	debugger.r_debug = address_of(run.target, "_r_debug", "ld");
}

/** Places the messages: those of a command that failed are its error. */
bool finish(run &run, int status, const char *messages)
{
	if (status == PYMEM_OK || status == PYMEM_PARTIAL) {
		if (messages && *messages)
			run.result->AppendWarning(messages);
		run.result->SetStatus(eReturnStatusSuccessFinishResult);
		return true;
	}
	run.result->SetError(messages ? messages : "pymem: out of memory");
	run.result->SetStatus(eReturnStatusFailed);
	return false;
}

class command : public SBCommandPluginInterface
{
      public:
	explicit command(const char *name) : name(name)
	{
	}

	bool DoExecute(SBDebugger debugger, char **words, SBCommandReturnObject &result) override
	{
		SBTarget target = debugger.GetSelectedTarget();
		run run = {debugger, debugger.GetCommandInterpreter(), target, target.GetProcess(),
			   &result};
		return execute(run, words);
	}

      private:
	bool execute(run &run, char **words)
	{
		lldb_request request = {};
		char core[4096];
		int count = 0;

		while (words && words[count])
			count++;
		request.words = static_cast<char **>(calloc(count + 2, sizeof(char *)));
		if (!request.words)
			return finish(run, PYMEM_ERROR, nullptr);
		request.words[0] = const_cast<char *>(name);
		for (int i = 0; i < count; i++)
			request.words[i + 1] = words[i];
		request.count = count + 1;
		request.debugger.read = read_memory;
		request.debugger.registers = read_registers;
		request.debugger.context = &run;
		request.print = print;
		request.interrupted = interrupted;
		request.context = &run;
		request.out_is_terminal = is_terminal(run);
		request.columns = columns(run, request.out_is_terminal);
		describe_target(run, request, core, sizeof(core));

		char *messages;
		int status = lldb_answer(&request, &messages);
		bool good = finish(run, status, messages);
		free(messages);
		free(request.words);
		return good;
	}

	const char *const name; // of the library's table
};

} // namespace

namespace lldb
{
bool PluginInitialize(SBDebugger debugger);

__attribute__((visibility("default"))) bool PluginInitialize(SBDebugger debugger)
{
	SBCommand prefix = debugger.GetCommandInterpreter().AddMultiwordCommand(
		"pymem", "Inspect the memory of the CPython process or core file that is being "
			 "debugged; \"pymem triage\" is the overview.");

	if (!prefix.IsValid())
		return false;
	for (const pymem_command *each = pymem_commands(); each->name; each++)
		if (!prefix.AddCommand(each->name, new command(each->name), each->summary,
				       each->usage)
			     .IsValid())
			return false;
	return true;
}
} // namespace lldb
