import type { TSchema } from 'typebox';
import { Labels, Policy } from '../common.ts';
import { ErrorBody } from '../errors.ts';
import { Node } from '../node-management.ts';
import { openApi } from '../openapi.ts';
import { Approval, Connection, NamedPolicy } from '../rdp-controller.ts';
import { NodeSample } from '../rdp-monitor.ts';
import { ExternalSpec, HostedSpec, Server } from '../rdp-server-manager.ts';
import { sessionApi } from '../session-api.ts';
import {
  PipelineStatus,
  Processing,
  ProcessingError,
  Session,
  SessionPage,
  SessionStatistics,
  SessionTransition,
} from '../session-pipeline.ts';
import {
  ChunkPage,
  ChunkProof,
  Manifest,
  StorageProblem,
  StorageStatus,
  StoredChunk,
  StoredSession,
  TreeHead,
} from '../session-storage.ts';
import { Video } from '../video.ts';
import { AuditEntry, Statistics } from './operation.ts';
import { ApiToken, User } from './people.ts';
import { OutsideRecorder } from './recorders.ts';
import { SessionTicket, WatchTicket } from './sessions.ts';

/** What the document calls these schemas, wherever they stand. */
const SCHEMAS: Record<string, TSchema> = {
  ApiToken,
  Approval,
  AuditEntry,
  ChunkPage,
  ChunkProof,
  Connection,
  Error: ErrorBody,
  ExternalSpec,
  HostedSpec,
  Labels,
  Manifest,
  NamedPolicy,
  Node,
  NodeSample,
  OutsideRecorder,
  PipelineStatus,
  Policy,
  Processing,
  ProcessingError,
  Server,
  Session,
  SessionPage,
  SessionStatistics,
  SessionTicket,
  SessionTransition,
  Statistics,
  StorageProblem,
  StorageStatus,
  StoredChunk,
  StoredSession,
  TreeHead,
  User,
  Video,
  WatchTicket,
};

const DESCRIPTION = `Lucid hosts and brokers remote desktops over RDP and records every session as evidence.

Log in for a token, or make an API token, and send it as \`Authorization: Bearer …\`. Every failure has one form; programs
switch on its \`code\`. Lists come in pages: ask again with \`cursor\` set to the last answer's \`next_cursor\` until that is
null. Creates take an \`Idempotency-Key\`.`;

/** The public API as an OpenAPI 3.1 document. */
export function apiDocument(version: string): Record<string, unknown> {
  const license = { name: 'Apache-2.0', identifier: 'Apache-2.0' };
  return openApi(sessionApi, { title: 'Lucid', version, description: DESCRIPTION, license }, SCHEMAS);
}
