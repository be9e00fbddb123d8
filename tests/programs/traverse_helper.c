/*
 * A library that traverse_functions.c calls through its procedure linkage table, bound lazily.
 */
#include <stddef.h>

int helper_never_bound_before(int value);
int helper_thread_value(void);
size_t helper_weight(const char *text, size_t length);

static _Thread_local int thread_value = 7;

int helper_thread_value(void)
{
	return ++thread_value;
}

int helper_never_bound_before(int value)
{
	return value * 3 + 1;
}

size_t helper_weight(const char *text, size_t length)
{
	size_t weight = 0;

	for (size_t i = 0; i < length; i++)
		weight = weight * 31 + (unsigned char)text[i];
	return weight;
}
