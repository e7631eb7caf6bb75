import type { ServiceDefinition } from '#platform/service.ts';
import { service as chunkProcessor } from '#services/chunk-processor/index.ts';
import { service as nodeManagement } from '#services/node-management/index.ts';
import { service as rdpController } from '#services/rdp-controller/index.ts';
import { service as rdpMonitor } from '#services/rdp-monitor/index.ts';
import { service as rdpServerManager } from '#services/rdp-server-manager/index.ts';
import { service as rdpXrdp } from '#services/rdp-xrdp/index.ts';
import { service as sessionApi } from '#services/session-api/index.ts';
import { service as sessionPipeline } from '#services/session-pipeline/index.ts';
import { service as sessionRecorder } from '#services/session-recorder/index.ts';
import { service as sessionStorage } from '#services/session-storage/index.ts';

/**
 * Every service, in the order in which one program starts them: what others stand on first, what lets people in last.
 * They stop in the opposite order.
 */
export const SERVICES = [
  sessionStorage,
  chunkProcessor,
  sessionRecorder,
  sessionPipeline,
  rdpServerManager,
  rdpController,
  nodeManagement,
  rdpMonitor,
  rdpXrdp,
  sessionApi,
] as unknown as readonly ServiceDefinition[];
