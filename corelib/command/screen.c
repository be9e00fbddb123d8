/*
 * Text for people: styles, safe strings, and paragraphs that break between whole pieces.
 */
#include "command/screen.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_REST = 20, NAME_MIN = 40 };

struct clean_text screen_clean(const struct screen *screen, const char *text)
{
	struct clean_text clean;
	// Room for the indent and for what stands beside it.
	size_t size =
		screen->columns > LINE_REST + NAME_MIN ? screen->columns - LINE_REST : NAME_MIN;

	utf8_clean(clean.text, size < sizeof(clean.text) ? size : sizeof(clean.text), text,
		   screen->utf8);
	return clean;
}

void screen_print(struct screen *screen, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(screen->out, format, args);
	va_end(args);
}

void screen_text(struct screen *screen, const char *text)
{
	char *copy = utf8_clean_copy(text, screen->utf8);

	fputs(copy ? copy : screen_clean(screen, text).text, screen->out);
	free(copy);
}

static void print_styled(struct screen *screen, enum style style, const char *format, va_list args)
{
	static const char *const codes[] = {
		[STYLE_HEADING] = "\033[1m",
		[STYLE_ALARM] = "\033[1;31m",
		[STYLE_CAUTION] = "\033[33m",
		[STYLE_FAINT] = "\033[2m",
	};

	if (screen->color)
		fputs(codes[style], screen->out);
	vfprintf(screen->out, format, args);
	if (screen->color)
		fputs("\033[0m", screen->out);
}

void screen_styled(struct screen *screen, enum style style, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_styled(screen, style, format, args);
	va_end(args);
}

void screen_heading(struct screen *screen, const char *format, ...)
{
	va_list args;

	fputs("\n", screen->out);
	va_start(args, format);
	print_styled(screen, STYLE_HEADING, format, args);
	va_end(args);
	fputs("\n", screen->out);
}

const char *screen_times(const struct screen *screen)
{
	return screen->utf8 ? "\u00d7" : "x";
}

const char *screen_ellipsis(const struct screen *screen)
{
	return screen->utf8 ? "\u2026" : "...";
}

void screen_bar(struct screen *screen, uint64_t part, uint64_t whole, unsigned width)
{
	/* Blocks filled by one eighth to seven. */
	static const char *const eighths[] = {"\u258f", "\u258e", "\u258d", "\u258c",
					      "\u258b", "\u258a", "\u2589"};
	double share = whole ? (double)part / (double)whole : 0;
	unsigned filled = (unsigned)((share < 1 ? share : 1) * width * 8 + 0.5);

	for (unsigned i = 0; i < width; i++) {
		unsigned here = filled > i * 8 ? filled - i * 8 : 0;

		if (here >= 8)
			screen_print(screen, "%s", screen->utf8 ? "\u2588" : "#");
		else if (here && screen->utf8)
			screen_print(screen, "%s", eighths[here - 1]);
		else if (here >= 4)
			screen_print(screen, "#");
		else
			screen_print(screen, "%s", screen->utf8 ? "\u2591" : ".");
	}
}

struct paragraph paragraph_begin(struct screen *screen, unsigned indent)
{
	struct paragraph paragraph = {screen, indent, indent, true};

	screen_print(screen, "%*s", (int)indent, "");
	return paragraph;
}

struct paragraph paragraph_continue(struct screen *screen, unsigned indent, unsigned column)
{
	struct paragraph paragraph = {screen, indent, column, true};

	return paragraph;
}

/** Prints the part of a gap that belongs to the line it ends: all but the trailing spaces. */
static void print_gap_end(struct screen *screen, const char *gap)
{
	size_t length = strlen(gap);

	while (length && gap[length - 1] == ' ')
		length--;
	screen_print(screen, "%.*s", (int)length, gap);
}

void paragraph_add(struct paragraph *paragraph, const char *gap, const char *format, ...)
{
	struct screen *screen = paragraph->screen;
	char piece[1024];
	va_list args;
	unsigned width;

	va_start(args, format);
	vsnprintf(piece, sizeof(piece), format, args);
	va_end(args);
	width = (unsigned)utf8_length(piece);
	if (paragraph->empty) {
		gap = "";
	} else if (paragraph->column + utf8_length(gap) + width > screen->columns) {
		print_gap_end(screen, gap);
		screen_print(screen, "\n%*s", (int)paragraph->indent, "");
		paragraph->column = paragraph->indent;
		gap = "";
	}
	screen_print(screen, "%s%s", gap, piece);
	paragraph->column += (unsigned)utf8_length(gap) + width;
	paragraph->empty = false;
}

void paragraph_words(struct paragraph *paragraph, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, " ");

		paragraph_add(paragraph, " ", "%.*s", (int)length, text);
		text += length;
		text += strspn(text, " ");
	}
}

void paragraph_end(struct paragraph *paragraph)
{
	screen_print(paragraph->screen, "\n");
}
