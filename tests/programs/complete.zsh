#!/usr/bin/zsh -f
# What zsh offers for the last word of a command line, one a line: a shell on a terminal of its own
# has its compadd print what it is given.
#
# usage: complete.zsh FILE WORD...     keeps what zsh found of its own in ../zcompdump
zmodload zsh/zpty
folder=${1:h:a}
shift
begin='<<<' end='>>>'
zpty shell zsh -f -i
said() {
	local text=
	zpty -r -m shell text "*$1*"
	print -r -- $text
}
zpty -w shell "PS1= PS2= fpath=($folder \$fpath); autoload -Uz compinit; compinit -u -d ../zcompdump"
zpty -w shell "bindkey '^I' complete-word; setopt rcexpandparam; zstyle ':completion:*' force-list always"
zpty -w shell 'compadd() {
	if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return; fi
	local -a found; builtin compadd -A found "$@"
	print -l -- "" "found "$found; builtin compadd "$@"
}'
zpty -w shell "finish() { print '$end' }; comppostfuncs=(finish)"
zpty -w shell "print ready''now"
said readynow >/dev/null
zpty -n -w shell "$*"$'\t'
said $end | tr -d '\r' | sed -n 's/^found //p'
zpty -d shell
