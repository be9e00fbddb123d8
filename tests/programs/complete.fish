#!/usr/bin/fish
# What fish offers for the last word of a command line, one a line.
#
# usage: complete.fish FILE WORD...
source $argv[1]
complete -C (string join ' ' -- $argv[2..]) | string replace -r '\t.*' ''
exit 0
