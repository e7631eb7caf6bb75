import { ServiceError } from '#contract/errors.ts';
import type { ServerState } from '#contract/rdp-server-manager.ts';

/** Every way from state to state, of hosted and external servers alike. What is not here cannot happen. */
const TRANSITIONS: Record<ServerState, readonly ServerState[]> = {
  // Registered: a hosted server waits to be started, an external one is greeted at once.
  creating: ['stopped', 'starting'],
  stopped: ['starting', 'maintenance'],
  // A start ends with an RDP handshake, or fails.
  starting: ['running', 'failed'],
  // Failed: the desktop ended, or the server no longer answers as it should.
  running: ['stopping', 'failed', 'maintenance'],
  // Stopping cannot fail: what does not end is killed.
  stopping: ['stopped'],
  // Started again by a person or after a pause; found to answer again; given up.
  failed: ['starting', 'running', 'stopping', 'maintenance'],
  // Leaves it as what it is by then.
  maintenance: ['stopped', 'running', 'starting', 'stopping', 'failed'],
};

/** @throws ServiceError `wrong_state` naming the server, its state and the one wanted */
export function requireTransition(name: string, from: ServerState, to: ServerState): void {
  if (TRANSITIONS[from].includes(to)) return;
  throw new ServiceError('wrong_state', `server ${name} is ${from}: it cannot become ${to} from there`);
}
