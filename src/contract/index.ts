import { chunkProcessor } from './chunk-processor.ts';
import type { Client } from './contract.ts';
import { nodeManagement } from './node-management.ts';
import { rdpController } from './rdp-controller.ts';
import { rdpMonitor } from './rdp-monitor.ts';
import { rdpServerManager } from './rdp-server-manager.ts';
import { rdpXrdp } from './rdp-xrdp.ts';
import { sessionApi } from './session-api.ts';
import { sessionPipeline } from './session-pipeline.ts';
import { sessionRecorder } from './session-recorder.ts';
import { sessionStorage } from './session-storage.ts';

/** Every service's contract, by its name. */
export const CONTRACTS = {
  'session-pipeline': sessionPipeline,
  'session-recorder': sessionRecorder,
  'chunk-processor': chunkProcessor,
  'session-storage': sessionStorage,
  'session-api': sessionApi,
  'rdp-server-manager': rdpServerManager,
  'rdp-controller': rdpController,
  'rdp-xrdp': rdpXrdp,
  'rdp-monitor': rdpMonitor,
  'node-management': nodeManagement,
} as const;

/** A typed client for each service. */
export type Peers = { [K in keyof typeof CONTRACTS]: Client<(typeof CONTRACTS)[K]> };
