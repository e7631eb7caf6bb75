import type { Static } from 'typebox';
import { ServiceError } from '#contract/errors.ts';
import type { ExternalSpec, HostedSpec } from '#contract/rdp-server-manager.ts';
import { DesktopError } from './desktop/desktop-error.ts';
import { type DesktopOptions, desktopOptions } from './desktop/options.ts';

export type Hosted = Static<typeof HostedSpec>;
export type External = Static<typeof ExternalSpec>;
export type Spec = Hosted | External;

/** What a hosted server's spec means for its desktop; what it leaves open gets the desktop's defaults. */
export function optionsOf(spec: Hosted, exposeDisplay: boolean): DesktopOptions {
  return desktopOptions({
    backend: spec.backend,
    width: spec.width,
    height: spec.height,
    depth: spec.depth,
    session: spec.command,
    xrdp: spec.xrdp,
    limits: { processes: spec.max_processes, memoryMib: spec.process_memory_mib },
    exposeDisplay,
  });
}

/** @throws ServiceError `invalid_request` when a spec passes its schema but cannot work */
export function checkSpec(spec: Spec): void {
  if (spec.kind === 'external') return;
  try {
    optionsOf(spec, false);
  } catch (error) {
    if (error instanceof DesktopError) throw new ServiceError('invalid_request', error.message);
    throw error;
  }
}
