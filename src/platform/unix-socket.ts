import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { connect, type Socket } from 'node:net';

/** Linux's O_PATH: a handle on a name in the file system, which opens nothing. Node has no constant for it. */
const O_PATH = 0o10000000;

/**
 * Connects to a UNIX socket by a path of any length (the kernel's own limit is 107 bytes) in a folder that others may
 * write to: a symbolic link in the socket's place is refused, so that nobody can send the caller elsewhere. Linux only.
 *
 * @throws Error (ENOENT, EACCES, ...) when the path cannot be opened or is no socket; later errors are the socket's events
 */
export function connectUnixSocket(path: string): Socket {
  const handle = openSync(path, O_PATH | constants.O_NOFOLLOW);
  try {
    if (!fstatSync(handle).isSocket()) throw new Error(`${path} is not a UNIX socket`);
    // The kernel resolves the name within connect(2), which Node calls before this returns.
    return connect(`/proc/self/fd/${handle}`);
  } finally {
    closeSync(handle);
  }
}
