/*
 * Symbol tables without libelf: looking one name up in a hundred modules must not cost more than a
 * few pages of each.
 */
#include "target/symbol_table.h"

/** Most entries of a dynamic segment and most symbols of a table that are looked at. */
enum { DYNAMIC_MAX = 1024, SYMBOLS_MAX = 1 << 24 };

/** What the dynamic segment says about symbols; addresses in the target. */
struct dynamic {
	uint64_t symbols, strings, strings_size, gnu_hash, hash;
};

static bool read_dynamic(struct reader *reader, uint64_t address, uint64_t size, uint64_t bias,
			 struct dynamic *dynamic)
{
	struct {
		int64_t tag;
		uint64_t tagged;
		uint64_t *value;
	} wanted[] = {
		{DT_SYMTAB, bias, &dynamic->symbols},  {DT_STRTAB, bias, &dynamic->strings},
		{DT_STRSZ, 0, &dynamic->strings_size}, {DT_GNU_HASH, bias, &dynamic->gnu_hash},
		{DT_HASH, bias, &dynamic->hash},
	};

	for (size_t i = 0; i < DYNAMIC_MAX && i < size / sizeof(Elf64_Dyn); i++) {
		const void *bytes =
			reader_at(reader, address + i * sizeof(Elf64_Dyn), sizeof(Elf64_Dyn));
		Elf64_Dyn entry;

		if (!bytes)
			return false;
		memcpy(&entry, bytes, sizeof(entry));
		if (entry.d_tag == DT_NULL)
			break;
		for (size_t k = 0; k < sizeof(wanted) / sizeof(*wanted); k++) {
			if (entry.d_tag != wanted[k].tag)
				continue;
			// glibc adds the bias in memory; others leave what the file says.
			*wanted[k].value = entry.d_un.d_val;
			if (entry.d_un.d_val < wanted[k].tagged)
				*wanted[k].value += wanted[k].tagged;
		}
	}
	return dynamic->symbols && dynamic->strings && dynamic->strings_size;
}

static uint32_t word_at(struct elf_view words, uint64_t index)
{
	const void *bytes = elf_view_at(words, index * sizeof(uint32_t), sizeof(uint32_t));
	uint32_t word = 0;

	if (bytes)
		memcpy(&word, bytes, sizeof(word));
	return word;
}

/** Where the buckets of a DT_GNU_HASH begin, in words. */
static uint64_t buckets_at(const struct gnu_hash *hash)
{
	return 4 + (uint64_t)hash->bloom_size * 2;
}

/** Follows the chain of the last symbol to the end. @return the number of symbols, 0 on damage */
static uint64_t count_by_gnu_hash(struct reader *reader, uint64_t address,
				  const struct gnu_hash *hash, struct elf_view buckets)
{
	uint64_t last = 0, chains = address + (buckets_at(hash) + hash->bucket_count) * 4;
	uint32_t word;

	for (uint32_t i = 0; i < hash->bucket_count; i++)
		if (word_at(buckets, i) > last)
			last = word_at(buckets, i);
	if (last < hash->first_symbol)
		return hash->first_symbol;
	for (; last < SYMBOLS_MAX; last++) {
		if (!reader_u32(reader, chains + (last - hash->first_symbol) * 4, &word))
			return 0;
		if (word & 1)
			return last + 1;
	}
	return 0;
}

/** Reads DT_GNU_HASH. @return the number of symbols, 0 if it is not usable */
static uint64_t read_gnu_hash(struct reader *reader, uint64_t address, struct gnu_hash *hash)
{
	struct elf_view buckets = {NULL, 0};
	uint64_t count, words;

	if (!reader_u32(reader, address, &hash->bucket_count) ||
	    !reader_u32(reader, address + 4, &hash->first_symbol) ||
	    !reader_u32(reader, address + 8, &hash->bloom_size))
		return 0;
	buckets.size = (size_t)hash->bucket_count * 4;
	buckets.data = reader_at(reader, address + buckets_at(hash) * 4, buckets.size);
	if (!hash->bucket_count || !buckets.data)
		return 0;
	count = count_by_gnu_hash(reader, address, hash, buckets);
	if (count < hash->first_symbol || count > SYMBOLS_MAX)
		return 0;
	words = buckets_at(hash) + hash->bucket_count + (count - hash->first_symbol);
	hash->words.data = reader_at(reader, address, words * 4);
	hash->words.size = hash->words.data ? words * 4 : 0;
	return hash->words.data ? count : 0;
}

bool symbol_table_dynamic(struct reader *reader, uint64_t address, uint64_t size, uint64_t bias,
			  struct symbol_table *table, struct gnu_hash *hash)
{
	struct dynamic dynamic = {0};
	uint64_t count = 0;
	uint32_t chains;

	*table = (struct symbol_table){0};
	*hash = (struct gnu_hash){0};
	if (!read_dynamic(reader, address, size, bias, &dynamic))
		return false;
	if (dynamic.gnu_hash)
		count = read_gnu_hash(reader, dynamic.gnu_hash, hash);
	else if (dynamic.hash && reader_u32(reader, dynamic.hash + 4, &chains))
		count = chains;
	if (!count || count > SYMBOLS_MAX)
		return false;
	table->symbols.size = count * sizeof(Elf64_Sym);
	table->symbols.data = reader_at(reader, dynamic.symbols, table->symbols.size);
	table->strings.size = dynamic.strings_size;
	table->strings.data = reader_at(reader, dynamic.strings, dynamic.strings_size);
	table->count = count;
	return table->symbols.data && table->strings.data;
}

/** Reads section header `index`. */
static bool section_header(struct elf_view file, const Elf64_Ehdr *header, size_t index,
			   Elf64_Shdr *section)
{
	uint64_t offset;
	const void *bytes = NULL;

	if (header->e_shentsize == sizeof(*section) && index < header->e_shnum &&
	    !__builtin_add_overflow(header->e_shoff, index * sizeof(*section), &offset))
		bytes = elf_view_at(file, offset, sizeof(*section));
	if (!bytes)
		return false;
	memcpy(section, bytes, sizeof(*section));
	return true;
}

bool symbol_table_static(struct elf_view file, struct symbol_table *table)
{
	Elf64_Shdr symbols, strings;
	Elf64_Ehdr header;

	*table = (struct symbol_table){0};
	if (elf_view_header(file, &header))
		return false;
	for (size_t i = 0; section_header(file, &header, i, &symbols); i++) {
		if (symbols.sh_type != SHT_SYMTAB ||
		    !section_header(file, &header, symbols.sh_link, &strings))
			continue;
		table->symbols = elf_view_part(file, symbols.sh_offset, symbols.sh_size);
		table->strings = elf_view_part(file, strings.sh_offset, strings.sh_size);
		table->count = table->symbols.size / sizeof(Elf64_Sym);
		return table->count;
	}
	return false;
}

const char *symbol_table_get(const struct symbol_table *table, size_t index, Elf64_Sym *symbol)
{
	const void *bytes = elf_view_at(table->symbols, index * sizeof(*symbol), sizeof(*symbol));
	const char *name;

	if (!bytes)
		return NULL;
	memcpy(symbol, bytes, sizeof(*symbol));
	if (symbol->st_shndx == SHN_UNDEF || symbol->st_shndx == SHN_ABS || !symbol->st_value)
		return NULL;
	switch (ELF64_ST_TYPE(symbol->st_info)) {
	case STT_NOTYPE:
	case STT_OBJECT:
	case STT_FUNC:
	case STT_COMMON:
	case STT_GNU_IFUNC:
		name = elf_view_string(table->strings, symbol->st_name);
		return name && *name ? name : NULL;
	default:
		return NULL;
	}
}

uint32_t gnu_hash_name(const char *name, size_t length)
{
	uint32_t hash = 5381;

	for (size_t i = 0; i < length; i++)
		hash = hash * 33 + (uint8_t)name[i];
	return hash;
}

size_t symbol_table_lookup(const struct symbol_table *table, const struct gnu_hash *hash,
			   const char *name, Elf64_Sym *symbol)
{
	uint32_t wanted = gnu_hash_name(name, strlen(name)), word;
	uint64_t index;

	if (!hash->words.size)
		return 0;
	index = word_at(hash->words, buckets_at(hash) + wanted % hash->bucket_count);
	if (index < hash->first_symbol)
		return 0;
	for (; index < table->count; index++) {
		const char *found;

		word = word_at(hash->words,
			       buckets_at(hash) + hash->bucket_count + index - hash->first_symbol);
		if ((word | 1) == (wanted | 1)) {
			found = symbol_table_get(table, index, symbol);
			if (found && !strcmp(found, name))
				return index;
		}
		if (word & 1)
			break;
	}
	return 0;
}
