/**
 * @file
 * The core file behind LLDB's target, for versions of LLDB that do not tell it (before 17).
 */
#ifndef PYMEM_LLDB_CORE_FILE_H
#define PYMEM_LLDB_CORE_FILE_H

/**
 * The one core file that LLDB has mapped.
 * @return its path, malloc'ed; NULL: none, more than one, or it was removed or replaced since
 */
char *core_file_find(void);

#endif
