#!/bin/bash
# What bash offers for the last word of a command line, one a line.
#
# usage: complete.bash FILE WORD...
set -eu
# shellcheck source=/dev/null
source "$1"
shift
COMP_WORDS=()
for word; do # "=" is one of COMP_WORDBREAKS
	case $word in
	?*=) COMP_WORDS+=("${word%=}" "=") ;;
	?*=*) COMP_WORDS+=("${word%%=*}" "=" "${word#*=}") ;;
	*) COMP_WORDS+=("$word") ;;
	esac
done
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_pycore_inspect
printf '%s\n' "${COMPREPLY[@]}"
