import { collectDefaultMetrics, Registry } from 'prom-client';

/** Figures of the whole process, the same for every service that runs in it. */
const processRegistry = new Registry();

let collecting = false;

/** Starts collecting the process's own figures, once however often it is called. */
export function collectProcessMetrics(): void {
  if (!collecting) collectDefaultMetrics({ register: processRegistry });
  collecting = true;
}

/** A service's metrics with its process's, as Prometheus text. */
export async function renderMetrics(registry: Registry): Promise<string> {
  return Registry.merge([registry, processRegistry]).metrics();
}
