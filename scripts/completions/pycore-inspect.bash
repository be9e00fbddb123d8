# shellcheck shell=bash
# Completion of pycore-inspect for bash: commands, options and their values. Both lists come from
# the tool's own help, so they are those of the version that is installed.

_pycore_inspect() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local help commands options
	COMPREPLY=()

	case $before in
	-p | --pid | --handle-core)
		mapfile -t COMPREPLY < <(compgen -W "$(ps -eo pid= 2>/dev/null)" -- "$word")
		return
		;;
	--color)
		mapfile -t COMPREPLY < <(compgen -W "auto always never" -- "$word")
		return
		;;
	-c | --core | -e | --executable | -o | --output | --keep-core)
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
		;;
	--sysroot | --debuginfo-path)
		mapfile -t COMPREPLY < <(compgen -d -- "$word")
		return
		;;
	--limit | --time-limit)
		return
		;;
	esac
	help=$("${COMP_WORDS[0]}" --help 2>/dev/null) || return
	if [[ $word == -* ]]; then
		options=$(sed -nE 's/^  (-.,|   ) (--[a-z-]+).*/\2/p' <<<"$help")
		mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
		return
	fi
	commands=$(sed -nE '/^Commands:/,/^$/s/^  ([a-z]+) .*/\1/p' <<<"$help")
	mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$word"; compgen -f -- "$word")
}
complete -o filenames -F _pycore_inspect pycore-inspect
