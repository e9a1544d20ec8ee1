# Runs a program until the test process wants it stopped, or is gone: either way, standard input ends.
#
# $1: the program's folder, removed at the end unless it holds a file named "keep"; then the program
# and its arguments.
folder=$1
shift
exec 3<&0 </dev/null

# In a process group of its own, so that what it leaves behind can be ended with it.
setsid "$@" 3<&- &
program=$!

(
    read -r _ <&3
    kill -s TERM "$program"
    tries=0
    while kill -s 0 "$program" && [ $tries -lt 100 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
    kill -s KILL "$program"
) 2>/dev/null &
watch=$!

wait "$program"
status=$?
kill "$watch" 2>/dev/null
# Nobody is left to write to the folder while it is removed.
kill -s KILL -- "-$program" 2>/dev/null && sleep 0.1
[ -e "$folder/keep" ] || rm -rf "$folder"
exit $status
