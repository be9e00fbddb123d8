/*
 * Writes the answer as a GDB script: statements that GDB's own printf prints, so that the output
 * goes where GDB's goes. See channel.h.
 */
#include "reply.h"

#include "channel.h"

#include <errno.h>
#include <string.h>

// The status is written last, but stands first: it holds also when the user quits at the pager.
#define STATUS_LINES "set $_pymem_answered = 1\nset $pymem_status = "
#define STATUS_WIDTH 4

// GDB reads a script a character at a time; the length of a statement does not matter much.
enum { STRING_MAX = 2000 };

static void end_string(struct reply *reply)
{
	if (reply->in_string)
		fputs("\"\n", reply->script);
	reply->in_string = false;
}

// GDB's printf knows these escapes and no octal ones; all other bytes pass as they are.
static void put(struct reply *reply, char byte)
{
	if (!reply->in_string) {
		fputs("printf \"", reply->script);
		reply->in_string = true;
		reply->string_length = 0;
	}
	switch (byte) {
	case '\n':
		fputs("\\n", reply->script);
		break;
	case '\r':
		fputs("\\r", reply->script);
		break;
	case '\t':
		fputs("\\t", reply->script);
		break;
	case '%':
		fputs("%%", reply->script);
		break;
	case '"':
	case '\\':
		fputc('\\', reply->script);
		fputc(byte, reply->script);
		break;
	case '\0': // would end the statement
		fputc('?', reply->script);
		break;
	default:
		fputc(byte, reply->script);
	}
	if (++reply->string_length >= STRING_MAX && byte == '\n')
		end_string(reply);
}

static ssize_t write_out(void *cookie, const char *bytes, size_t size)
{
	struct reply *reply = cookie;

	reply->size += size;
	for (size_t i = 0; i < size; i++)
		put(reply, bytes[i]);
	return ferror(reply->script) ? 0 : (ssize_t)size;
}

bool reply_open(struct reply *reply)
{
	static const cookie_io_functions_t functions = {.write = write_out};

	*reply = (struct reply){.script = channel_answer()};
	if (!reply->script)
		return false;
	reply->out = fopencookie(reply, "w", functions);
	if (!reply->out) {
		reply_abandon(reply);
		return false;
	}
	fprintf(reply->script, "%s%*d\n", STATUS_LINES, STATUS_WIDTH, 0);
	return true;
}

bool reply_close(struct reply *reply, int status)
{
	FILE *script = reply->script;
	bool written;

	if (!script)
		return true;
	written = fclose(reply->out) == 0;
	end_string(reply);
	fseek(script, strlen(STATUS_LINES), SEEK_SET);
	fprintf(script, "%*d", STATUS_WIDTH, status & 0xff);
	written = !ferror(script) && written;
	written = fclose(script) == 0 && written;
	*reply = (struct reply){0};
	return written;
}

void reply_abandon(struct reply *reply)
{
	int saved = errno;

	if (reply->out)
		fclose(reply->out);
	if (reply->script) {
		fclose(reply->script);
		channel_clear();
	}
	*reply = (struct reply){0};
	errno = saved;
}
