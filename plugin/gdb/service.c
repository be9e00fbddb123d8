/*
 * The library's thread and GDB's thread, which serves its reads. See service.h.
 */
#include "service.h"

#include "interrupt.h"
#include "target/jobs.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

// GDB's target_read() takes an int and is fastest with chunks of up to 1 MiB.
enum { READ_CHUNK = 1 << 20 };

/** A read that a thread of the library waits for. */
struct wanted_read {
	uint64_t address;
	uint8_t *buffer;
	size_t length;
	bool done, good;
};

struct service {
	pthread_mutex_t lock;	    // over all that follows
	pthread_cond_t to_gdb;	    // a read is wanted, or the work has ended
	pthread_cond_t to_readers;  // a read is done, or the next may be put
	struct wanted_read *wanted; // by one reader at a time
	bool ended;
	int result;
	atomic_bool stopped;

	gdb_target_read *target_read;
	service_work *work;
	void *context;
	pthread_t thread;
	bool started;
};

bool service_stopped(const struct service *service)
{
	return atomic_load(&service->stopped) || interrupt_requested();
}

bool service_read(void *context, uint64_t address, void *buffer, size_t length)
{
	struct service *service = context;
	struct wanted_read read = {.address = address, .buffer = buffer, .length = length};

	pthread_mutex_lock(&service->lock);
	while (service->wanted && !service->stopped)
		pthread_cond_wait(&service->to_readers, &service->lock);
	if (!service->stopped) {
		service->wanted = &read;
		pthread_cond_signal(&service->to_gdb);
		while (!read.done)
			pthread_cond_wait(&service->to_readers, &service->lock);
	}
	pthread_mutex_unlock(&service->lock);
	return read.good;
}

// Ends the wanted read; the lock is held.
static void finish_read(struct service *service, bool good)
{
	if (!service->wanted)
		return;
	service->wanted->good = good;
	service->wanted->done = true;
	service->wanted = NULL;
	pthread_cond_broadcast(&service->to_readers);
}

// On GDB's thread, without the lock: may throw. Ctrl-C does not make it fail: the library asks
// for that itself, and must not take it for memory that is not there.
static bool read_target(const struct service *service, const struct wanted_read *read)
{
	size_t done = 0;

	while (done < read->length) {
		size_t chunk = read->length - done;

		if (chunk > READ_CHUNK)
			chunk = READ_CHUNK;
		if (service->target_read(read->address + done, read->buffer + done, (int)chunk) !=
		    GDB_SUCCESS)
			return false;
		done += chunk;
	}
	return true;
}

static void serve(struct service *service)
{
	pthread_mutex_lock(&service->lock);
	while (!service->ended) {
		struct wanted_read *read = service->wanted;

		if (!read) {
			pthread_cond_wait(&service->to_gdb, &service->lock);
			continue;
		}
		pthread_mutex_unlock(&service->lock);
		bool good = read_target(service, read);
		pthread_mutex_lock(&service->lock);
		finish_read(service, good);
	}
	pthread_mutex_unlock(&service->lock);
}

static void *run_work(void *context)
{
	struct service *service = context;
	int result = service->work(service, service->context);

	pthread_mutex_lock(&service->lock);
	service->result = result;
	service->ended = true;
	pthread_cond_signal(&service->to_gdb);
	pthread_mutex_unlock(&service->lock);
	return NULL;
}

// Runs on every way out of service_run(). On a throw of target_read() the lock is not held.
static void service_end(struct service *service)
{
	atomic_store(&service->stopped, true);
	pthread_mutex_lock(&service->lock);
	finish_read(service, false);
	pthread_cond_broadcast(&service->to_readers);
	pthread_mutex_unlock(&service->lock);
	if (service->started)
		pthread_join(service->thread, NULL);
	pthread_cond_destroy(&service->to_readers);
	pthread_cond_destroy(&service->to_gdb);
	pthread_mutex_destroy(&service->lock);
}

bool service_run(gdb_target_read *target_read, service_work *work, void *context, int *result)
{
	struct service service __attribute__((cleanup(service_end))) = {
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.to_gdb = PTHREAD_COND_INITIALIZER,
		.to_readers = PTHREAD_COND_INITIALIZER,
		.target_read = target_read,
		.work = work,
		.context = context,
	};

	errno = jobs_start_thread(&service.thread, run_work, &service);
	if (errno)
		return false;
	service.started = true;
	serve(&service);
	*result = service.result;
	return true;
}
