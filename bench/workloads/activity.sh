#!/bin/bash
# activity.sh SECONDS above|below: on $DISPLAY, a terminal scrolling 20 lines/s and a second window moved 10 times/s,
# above it or below it. Needs xterm, xdotool, python3.
set -eu
seconds=$1 order=${2:-above}
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cat > "$tmp/lines.py" <<'PY'
import sys, time
words = "the quick brown fox jumps over lazy dog 0123456789 kernel: eth0 link up session opened for user".split()
end = time.time() + float(sys.argv[1]); i = 0
while time.time() < end:
    print("%06d " % i + " ".join(words[(i * 7 + k * 3) % len(words)] for k in range(14)), flush=True)
    i += 1; time.sleep(0.05)
PY
xterm -fa Monospace -fs 11 -geometry 110x40+20+60 -title scroll -e python3 "$tmp/lines.py" "$seconds" & a=$!
xterm -fa Monospace -fs 11 -geometry 50x15+1100+100 -title mover -e sleep "$seconds" & b=$!
mover=$(xdotool search --sync --name '^mover$' | tail -1)
scroll=$(xdotool search --sync --name '^scroll$' | tail -1)
if [ "$order" = above ]; then xdotool windowraise "$mover"; else xdotool windowraise "$scroll"; fi
python3 - "$mover" "$seconds" > "$tmp/moves" <<'PY'
import math, sys
w, s = sys.argv[1], int(sys.argv[2])
for i in range((s - 2) * 10):
    print(f"windowmove {w} {1050 + int(330 * math.cos(i / 15))} {420 + int(300 * math.sin(i / 11))}")
    print("getmouselocation"); print("sleep 0.1")
PY
# On a busy machine the last moves find the window gone.
xdotool "$tmp/moves" > /dev/null 2>&1 || true
wait $a $b
