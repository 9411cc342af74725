# The runs that a host keeps copies of, and how each stands.
#
# Given: folders, where the runner may keep them, a path a line; minutes, for how long a run that has succeeded may be wanted back. Prints lines
# of fields with tabs between: `W` and a folder that cannot be read; `R`, the run, the records of its newest journal, and of those that end it or
# turn it back the last; and `P` with the plan of the run before it, where it has not ended, or has succeeded so recently.

IFS='
'
for folder in $folders; do
    runs=$folder/runs
    [ -d "$folder" ] || continue
    if [ ! -x "$folder" ] || { [ -d "$runs" ] && [ ! -r "$runs" ]; }; then printf 'W\t%s\n' "$folder"; continue; fi
    for run in "$runs"/*; do
        [ -s "$run/plan.json" ] || continue
        newest=0
        for file in "$run"/journal.*; do
            file=${file##*/journal.}
            case $file in *[!0-9]* | '') continue ;; esac
            [ "$file" -le "$newest" ] || newest=$file
        done
        journal=$run/journal.$newest records=0 last=
        if [ -r "$journal" ]; then
            records=$(grep -c '' <"$journal") || :
            last=$(grep -E '"type":"(run_ended|undo_requested)"' <"$journal" | tail -n 1)
        fi
        printf 'R\t%s\t%s\t%s\n' "${run##*/}" "$records" "$last"
        case $last in
            *'"type":"run_ended"'*'"end":"succeeded"'*'}') [ -n "$(find "$journal" -mmin "-$minutes" 2>/dev/null)" ] || continue ;;
            *'"type":"run_ended"'*'}') continue ;;
        esac
        printf 'P\t'
        tr -d '\n' <"$run/plan.json"
        echo
    done
done
