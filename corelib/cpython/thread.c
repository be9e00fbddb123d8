/* Thread states, and the GIL (Python/ceval_gil.c, Include/internal/pycore_gil.h). */
#include "cpython/thread.h"

#include "cpython/type.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

enum {
	THREADS_MAX = 1 << 20,
	EXCEPTIONS_MAX = 1 << 16, /* generators that are nested in each other */
};

/*
 * The kernel's threads
 */

/*
 * The thread pointer is what pthread_self() gives, with glibc and musl, and stays right in a forked
 * child, where up to 3.12 native_thread_id is the parent's.
 */
static size_t find_kernel_thread(const struct target *target, uint64_t pthread, pid_t tid)
{
	size_t same_tid = THREAD_NONE;

	for (size_t i = 0; i < target->thread_count; i++) {
		if (pthread && target->threads[i].registers.fs_base == pthread)
			return i;
		if (tid && target->threads[i].tid == tid)
			same_tid = i;
	}
	return same_tid;
}

static void find_tid(const struct runtime *runtime, struct reader *reader,
		     struct python_thread *thread)
{
	const struct layout *layout = &runtime->layout;
	uint64_t tid = 0;

	if (layout_has(layout->PyThreadState_native_thread_id))
		reader_u64(reader, thread->address + layout->PyThreadState_native_thread_id, &tid);
	thread->kernel = find_kernel_thread(runtime->target, thread->pthread, (pid_t)tid);
	thread->tid = thread->kernel == THREAD_NONE ? (pid_t)tid
						    : runtime->target->threads[thread->kernel].tid;
}

/*
 * A wait that was interrupted once, as by a debugger, goes on as restart_syscall(). Which one it
 * was is in the code before it: mov $number, %eax; syscall.
 */
static int64_t call_number(struct reader *reader, const struct target_thread *thread)
{
	static const uint8_t syscall_code[] = {0x0f, 0x05};
	enum { MOV_EAX = 0xb8, MOV_SIZE = 5 };
	uint64_t rip = thread->registers.rip;
	uint8_t code[MOV_SIZE + sizeof(syscall_code)];
	uint32_t number;

	if (thread->registers.orig_rax != SYS_restart_syscall)
		return (int64_t)thread->registers.orig_rax;
	for (uint64_t end = rip; end <= rip + sizeof(syscall_code); end += sizeof(syscall_code))
		if (reader_copy(reader, end - sizeof(code), code, sizeof(code)) == sizeof(code) &&
		    code[0] == MOV_EAX &&
		    !memcmp(code + MOV_SIZE, syscall_code, sizeof(syscall_code))) {
			memcpy(&number, code + 1, sizeof(number));
			return number;
		}
	return SYS_restart_syscall;
}

bool kernel_thread_call(struct reader *reader, const struct target_thread *thread, char *text,
			size_t size)
{
	static const struct {
		int number;
		const char *name;
	} calls[] = {
		{SYS_futex, "futex"},
		{SYS_epoll_wait, "epoll_wait"},
		{SYS_epoll_pwait, "epoll_pwait"},
		{SYS_poll, "poll"},
		{SYS_ppoll, "ppoll"},
		{SYS_select, "select"},
		{SYS_pselect6, "pselect"},
		{SYS_read, "read"},
		{SYS_readv, "readv"},
		{SYS_pread64, "pread"},
		{SYS_write, "write"},
		{SYS_writev, "writev"},
		{SYS_pwrite64, "pwrite"},
		{SYS_recvfrom, "recv"},
		{SYS_recvmsg, "recvmsg"},
		{SYS_sendto, "send"},
		{SYS_sendmsg, "sendmsg"},
		{SYS_accept, "accept"},
		{SYS_accept4, "accept"},
		{SYS_connect, "connect"},
		{SYS_wait4, "wait"},
		{SYS_waitid, "waitid"},
		{SYS_nanosleep, "sleep"},
		{SYS_clock_nanosleep, "sleep"},
		{SYS_pause, "pause"},
		{SYS_rt_sigtimedwait, "sigwait"},
		{SYS_rt_sigsuspend, "sigsuspend"},
		{SYS_flock, "flock"},
		{SYS_fcntl, "fcntl"},
		{SYS_fsync, "fsync"},
		{SYS_fdatasync, "fdatasync"},
		{SYS_openat, "open"},
		{SYS_ioctl, "ioctl"},
		{SYS_tgkill, "tgkill"},
		{SYS_kill, "kill"},
		{SYS_restart_syscall, "a system call"},
	};
	int64_t number = call_number(reader, thread);

	if (!thread->registers.rip || number < 0 || number > INT16_MAX)
		return false;
	snprintf(text, size, "system call %d", (int)number);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i].number == number)
			snprintf(text, size, "%s", calls[i].name);
	return true;
}

/*
 * The GIL
 */

static uint64_t gil_address(const struct runtime *runtime, struct reader *reader,
			    uint64_t interpreter)
{
	const struct layout *layout = &runtime->layout;
	uint64_t gil = 0;

	if (layout_has(layout->PyRuntime_ceval_gil))
		return runtime->address + layout->PyRuntime_ceval_gil;
	if (layout_has(layout->PyInterpreterState_ceval_gil))
		reader_u64(reader, interpreter + layout->PyInterpreterState_ceval_gil, &gil);
	return gil;
}

/* Who waits for it sleeps on a condition variable inside of it. */
static bool waits_at(const struct layout *layout, const struct target_thread *thread, uint64_t gil)
{
	uint64_t call = thread->registers.orig_rax;

	return (call == SYS_futex || call == SYS_restart_syscall) &&
	       thread->registers.rdi - gil < layout->_gil_runtime_state_size;
}

static bool find_gil(const struct runtime *runtime, struct reader *reader,
		     struct python_threads *threads, size_t interpreter)
{
	const struct layout *layout = &runtime->layout;
	uint64_t gil, holder;
	uint32_t locked;

	gil = gil_address(runtime, reader, runtime->interpreters[interpreter].address);
	if (!gil || runtime->free_threaded ||
	    !reader_u64(reader, gil + layout->_gil_runtime_state_last_holder, &holder) ||
	    !reader_u32(reader, gil + layout->_gil_runtime_state_locked, &locked))
		return false;
	for (size_t i = 0; i < threads->count; i++) {
		struct python_thread *thread = &threads->items[i];

		if (locked == 1 && thread->address == holder)
			thread->gil = GIL_HOLDS;
		else if (thread->interpreter == interpreter && thread->kernel != THREAD_NONE &&
			 waits_at(layout, &runtime->target->threads[thread->kernel], gil))
			thread->gil = GIL_WAITS;
	}
	return true;
}

/*
 * Thread states
 */

static uint64_t newest_frame(const struct layout *layout, struct reader *reader, uint64_t thread)
{
	uint64_t frame = 0;

	if (layout_has(layout->PyThreadState_current_frame))
		reader_u64(reader, thread + layout->PyThreadState_current_frame, &frame);
	else if (layout_has(layout->PyThreadState_frame))
		reader_u64(reader, thread + layout->PyThreadState_frame, &frame);
	else if (layout_has(layout->_PyCFrame_current_frame) &&
		 reader_u64(reader, thread + layout->PyThreadState_cframe, &frame))
		reader_u64(reader, frame + layout->_PyCFrame_current_frame, &frame);
	return frame;
}

/* _PyErr_GetTopmostException(): generators that handle none have an empty entry of their own. */
static uint64_t handled_exception(const struct runtime *runtime, struct reader *reader,
				  uint64_t thread)
{
	const struct layout *layout = &runtime->layout;
	uint64_t item, value;

	if (!reader_u64(reader, thread + layout->PyThreadState_exc_info, &item))
		return 0;
	for (int i = 0; item && i < EXCEPTIONS_MAX; i++) {
		struct object_header header;
		const struct type *type;

		if (reader_u64(reader, item + layout->_PyErr_StackItem_exc_value, &value) &&
		    value && object_header(runtime, reader, value, &header)) {
			type = type_get(runtime->types, reader, header.type);
			if (type && (type->flags & TPFLAGS_BASE_EXC_SUBCLASS))
				return value;
		}
		if (!reader_u64(reader, item + layout->_PyErr_StackItem_previous_item, &item))
			break;
	}
	return 0;
}

static void read_thread(const struct runtime *runtime, struct reader *reader, size_t interpreter,
			uint64_t address, struct python_thread *thread)
{
	*thread = (struct python_thread){.address = address, .interpreter = interpreter};
	reader_u64(reader, address + runtime->layout.PyThreadState_thread_id, &thread->pthread);
	find_tid(runtime, reader, thread);
	thread->frame = newest_frame(&runtime->layout, reader, address);
	thread->exception = handled_exception(runtime, reader, address);
}

static struct python_thread *add(struct python_threads *threads)
{
	size_t count = threads->count;

	/* Grows by doubling: a power of two is full. */
	if (!(count & (count - 1))) {
		struct python_thread *items =
			reallocarray(threads->items, count ? count * 2 : 1, sizeof(*items));

		if (!items)
			return NULL;
		threads->items = items;
	}
	return &threads->items[threads->count++];
}

/* The list has the newest first. */
static void reverse(struct python_thread *threads, size_t count)
{
	for (size_t i = 0; i < count / 2; i++) {
		struct python_thread swapped = threads[i];

		threads[i] = threads[count - 1 - i];
		threads[count - 1 - i] = swapped;
	}
}

static struct error *read_interpreter(const struct runtime *runtime, struct reader *reader,
				      size_t interpreter, struct python_threads *threads)
{
	const struct layout *layout = &runtime->layout;
	size_t first = threads->count;
	uint64_t address, before = 0;

	if (!reader_u64(reader,
			runtime->interpreters[interpreter].address +
				layout->PyInterpreterState_threads_head,
			&address))
		threads->damaged = true;
	while (address) {
		struct python_thread *thread;
		uint64_t next, previous;

		/* The way back also tells a list that runs in a circle. */
		if (!reader_u64(reader, address + layout->PyThreadState_next, &next) ||
		    !reader_u64(reader, address + layout->PyThreadState_prev, &previous) ||
		    previous != before || threads->count >= THREADS_MAX) {
			threads->damaged = true;
			break;
		}
		thread = add(threads);
		if (!thread)
			return &error_no_memory;
		read_thread(runtime, reader, interpreter, address, thread);
		before = address;
		address = next;
	}
	reverse(threads->items + first, threads->count - first);
	return NULL;
}

struct error *python_threads_read(const struct runtime *runtime, struct reader *reader,
				  struct python_threads *threads)
{
	*threads = (struct python_threads){.gil_known = true};
	for (size_t i = 0; i < runtime->interpreter_count; i++) {
		struct error *err = read_interpreter(runtime, reader, i, threads);

		if (err) {
			python_threads_clear(threads);
			return err;
		}
	}
	for (size_t i = 0; i < runtime->interpreter_count; i++)
		threads->gil_known = find_gil(runtime, reader, threads, i) && threads->gil_known;
	return NULL;
}

void python_threads_clear(struct python_threads *threads)
{
	free(threads->items);
	*threads = (struct python_threads){0};
}
