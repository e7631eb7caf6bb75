#!/bin/bash
# One hosted desktop: X server, session, clipboard helper, xrdp. The first process of its sandbox, with a clean
# environment in which Lucid sets:
#   LUCID_BACKEND                    vnc (Xvnc, libvnc) or xorg (Xorg with xorgxrdp, libxup)
#   LUCID_CONFIG                     folder with xrdp.ini and session; read only
#   LUCID_SCRATCH                    folder for the X server's log and xorgxrdp's socket
#   LUCID_GEOMETRY, LUCID_DEPTH, LUCID_RFB_PORT
#   LUCID_PROCESSES, LUCID_MEMORY_KIB, LUCID_FILES     limits
#   LUCID_EVERYONE                   what to signal at the end: -1 in a sandbox, 0 (the process group) without one
#   LUCID_CLIPBOARD                  socket of the clipboard helper, empty for none
# Nothing starts before a line comes on standard input: by then Lucid has noted this process on disk, so that a crash of
# Lucid leaves no desktop that nobody knows.
set -u
read -r _ || exit 0
exec </dev/null
umask 077
# When memory runs out, desktops go first.
echo 500 >/proc/self/oom_score_adj
ulimit -c 0 && ulimit -n "$LUCID_FILES" && ulimit -u "$LUCID_PROCESSES" && ulimit -v "$LUCID_MEMORY_KIB" || exit 1

declare -A name=()
launch() { # NAME COMMAND...
  local program=$1
  shift
  "$@" &
  name[$!]=$program
}

stop() {
  trap '' TERM
  kill -TERM "$LUCID_EVERYONE" 2>/dev/null
  wait
  exit 0
}
trap stop TERM

# Waits until the socket $1 is there; false when process $2 has ended instead.
await() {
  until [ -S "$1" ]; do
    kill -0 "$2" 2>/dev/null || return 1
    sleep 0.05
  done
}

mkdir -p "$LUCID_SCRATCH"
mkdir -p -m 1777 /tmp/.X11-unix
case $LUCID_BACKEND in
  vnc)
    launch Xvnc Xvnc "$DISPLAY" -rfbport "$LUCID_RFB_PORT" -localhost -SecurityTypes None -AlwaysShared -nolisten tcp \
      -geometry "$LUCID_GEOMETRY" -depth "$LUCID_DEPTH" -desktop desktop -Log '*:stderr:10'
    ;;
  xorg)
    # The plain binary, not the wrapper, which wants a console; -config must be relative to /etc/X11.
    XRDP_SOCKET_PATH=$LUCID_SCRATCH launch Xorg /usr/lib/xorg/Xorg "$DISPLAY" -config xrdp/xorg.conf \
      -depth "$LUCID_DEPTH" -noreset -ac -nolisten tcp -logfile "$LUCID_SCRATCH/Xorg.log" >/dev/null 2>&1
    ;;
esac
x=$!

if await "/tmp/.X11-unix/X${DISPLAY#:}" "$x"; then
  # A session's programs may say a lot: only the beginning is kept.
  launch session bash "$LUCID_CONFIG/session" > >(head -c 65536; exec cat >/dev/null) 2>&1
  if [ -n "$LUCID_CLIPBOARD" ]; then
    # Nobody should lose a desktop for the clipboard's sake.
    CHANSRV_LOG_PATH=$LUCID_SCRATCH launch clipboard bash -c 'while :; do xrdp-chansrv; sleep 1; done' >/dev/null 2>&1
  fi
  launch xrdp xrdp --nodaemon --config "$LUCID_CONFIG/xrdp.ini"
fi

wait -n -p ended "${!name[@]}"
status=$?
[ "${name[$ended]}" = Xorg ] && tail -n 20 "$LUCID_SCRATCH/Xorg.log"
echo "desktop: ${name[$ended]} ended with status $status"
exit 1
