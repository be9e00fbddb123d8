/*
 * The least that a reader of a core can take: map the file and add up its 64-bit words.
 *
 * usage: bench_read FILE    prints the seconds and the sum
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	const uint64_t *words;
	struct stat status;
	uint64_t sum = 0;
	double start;
	int fd;

	if (argc != 2) {
		fprintf(stderr, "usage: bench_read FILE\n");
		return 2;
	}
	start = now();
	fd = open(argv[1], O_RDONLY);
	if (fd < 0 || fstat(fd, &status) < 0) {
		perror(argv[1]);
		return 1;
	}
	words = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (words == MAP_FAILED) {
		perror(argv[1]);
		return 1;
	}
	for (size_t i = 0; i < (size_t)status.st_size / sizeof(*words); i++)
		sum += words[i];
	printf("%.3f %" PRIx64 "\n", now() - start, sum);
	munmap((void *)words, (size_t)status.st_size);
	close(fd);
	return 0;
}
