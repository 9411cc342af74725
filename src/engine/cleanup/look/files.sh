# Whether there are files. Given: files, a path a line. Prints `there` if one of them is, `hidden` if that cannot be seen, else `gone`.

set -f
IFS='
'
for file in $files; do
    if [ -e "$file" ] || [ -L "$file" ]; then
        echo there
        exit 0
    fi
    above=${file%/*}
    while [ -n "$above" ] && [ ! -e "$above" ]; do above=${above%/*}; done
    if [ ! -x "${above:-/}" ]; then
        echo hidden
        exit 0
    fi
done
echo gone
