import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { ClientLink } from '#demo/client-link.ts';
import { Desktop } from '#services/rdp-server-manager/desktop/desktop.ts';
import { Display } from '../../test/support/display.ts';
import { forwardTcp } from '../../test/support/forwarder.ts';
import { runWorkload, type Workload } from './workload.ts';

/** A frame that a desktop sent. */
export interface TracedFrame {
  /** Milliseconds since the trace's start. */
  atMs: number;
  frame: Uint8Array;
}

/**
 * What a real xrdp desktop sends to a client of ours while a workload goes on.
 * @param seconds that it lasts, whole
 */
export async function traceDesktop(workload: Workload, seconds: number): Promise<TracedFrame[]> {
  const folder = mkdtempSync(join(tmpdir(), 'lucid-bench-trace-'));
  // The desktop runs as another user.
  chmodSync(folder, 0o755);
  const host = { sandbox: 'none', uid: 65532, hidden: [] } as const;
  const desktop = await Desktop.start(join(folder, 'desktop'), { width: 1280, height: 800, exposeDisplay: true }, host);
  const screen = Display.ofSocket(join('/tmp/.X11-unix', basename(desktop.displaySocket)));
  const target = await forwardTcp(desktop.socketPath);
  try {
    const trace: TracedFrame[] = [];
    const active = Promise.withResolvers<void>();
    let startedAt = 0;
    const link: ClientLink = new ClientLink(
      {
        to: { host: '127.0.0.1', port: target.port },
        pin: null,
        userName: 'bench',
        password: 'bench',
        width: 1280,
        height: 800,
      },
      {
        shown: (frame) => {
          if (startedAt > 0) trace.push({ atMs: performance.now() - startedAt, frame: frame.slice() });
        },
        data() {},
        channel() {},
        changed: () => link.isActive && active.resolve(),
        ended: (reason) => active.reject(reason),
      },
    );
    await active.promise;
    startedAt = performance.now();
    await runWorkload(workload, screen.name, seconds);
    link.close();
    return trace;
  } finally {
    target.close();
    await screen.close();
    await desktop.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
