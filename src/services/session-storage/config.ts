import { integer, text } from '#platform/config.ts';

const GIB = 1024 ** 3;
const MAX = Number.MAX_SAFE_INTEGER;

export const settings = {
  LUCID_STORAGE_LOW_BYTES: integer('free space below which health is degraded', 2 * GIB, 0, MAX, 'bytes'),
  LUCID_STORAGE_FLOOR_BYTES: integer(
    'free space below which new sessions are refused; live ones go on',
    GIB,
    0,
    MAX,
    'bytes',
  ),
  LUCID_STORAGE_QUOTA_BYTES: integer(
    'bytes of chunks at which new sessions are refused; live ones go on; 0: no quota',
    0,
    0,
    MAX,
    'bytes',
  ),
  LUCID_SESSION_QUOTA_BYTES: integer(
    'bytes of chunks at which a live session is ended, its recording whole; 0: no quota',
    0,
    0,
    MAX,
    'bytes',
  ),
  LUCID_RETENTION_DAYS: integer('days after its close that a recording is deleted; 0: never', 0, 0, 36_500, 'days'),
  LUCID_RETENTION_BYTES: integer(
    'bytes of chunks that are kept; beyond, the oldest recordings are deleted; 0: all are kept',
    0,
    0,
    MAX,
    'bytes',
  ),
  LUCID_ARCHIVE_FOLDER: text('a second folder, on another disk, that recordings are archived to'),
  LUCID_ARCHIVE_DAYS: integer(
    'days after its close that a recording is archived; 0: only when asked',
    0,
    0,
    36_500,
    'days',
  ),
  LUCID_SCRUB_BYTES_PER_SECOND: integer(
    'how fast stored evidence is read again and checked in the background; 0: not at all',
    8 * 1024 ** 2,
    0,
    MAX,
    'bytes a second',
  ),
  LUCID_SCRUB_DAYS: integer('days between the starts of two passes over the whole store', 7, 0, 365, 'days'),
};
