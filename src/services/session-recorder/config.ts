import { availableParallelism } from 'node:os';
import { choice, integer, text } from '#platform/config.ts';
import { videoSettings } from './video/video-settings.ts';

const MIB = 1024 * 1024;

export const settings = {
  LUCID_RECIPIENTS: text('age recipients (age1...) that may open recordings, separated by commas'),
  LUCID_INPUT_RECIPIENTS: text(
    'age recipients that may open keystrokes, separated by commas; the recovery recipient alone unless given',
  ),
  LUCID_RECOVERY_RECIPIENT: text('age recipient of the offline recovery key: may open everything'),
  LUCID_CHUNK_SECONDS: integer('a chunk ends after this time', 60, 1, 3600, 'seconds'),
  LUCID_CHUNK_BYTES: integer('a chunk ends after this many bytes of records', 32 * MIB, 64 * 1024, 64 * MIB, 'bytes'),
  LUCID_JOURNAL_FOLDER: text("where the journal is; the folder journal in the service's own unless given"),
  LUCID_JOURNAL_BYTES: integer(
    'the journal on disk: records that wait to be sealed and stored, of all sessions; beyond it nothing is acknowledged',
    8192 * MIB,
    16 * MIB,
    Number.MAX_SAFE_INTEGER,
    'bytes',
  ),
  LUCID_JOURNAL_SEGMENT_BYTES: integer(
    'one file of the journal; at most a quarter of LUCID_JOURNAL_BYTES is used',
    32 * MIB,
    4 * MIB,
    256 * MIB,
    'bytes',
  ),
  LUCID_JOURNAL_FLOOR_BYTES: integer(
    "free space of the journal's disk below which no recording begins; below half of it live ones end",
    1024 * MIB,
    0,
    Number.MAX_SAFE_INTEGER,
    'bytes',
  ),
  LUCID_JOURNAL_BUFFER_BYTES: integer(
    "memory for records that wait for the journal's disk, of all sessions",
    256 * MIB,
    8 * MIB,
    Number.MAX_SAFE_INTEGER,
    'bytes',
  ),
  LUCID_DURABILITY: choice(
    'strict: nothing is shown before its record is on the disk; relaxed: before the recorder has it in memory',
    'strict',
    'relaxed',
  ),
  LUCID_SEALING_RUNS: integer(
    'runs of LUCID_CHUNK_BYTES that may be in memory to be sealed and stored, or as many bytes of smaller ones',
    availableParallelism(),
    1,
    64,
  ),
  LUCID_SEALING_RETRY_SECONDS: integer(
    'how long a failing seal or store is tried again before the recording fails',
    900,
    1,
    86_400,
    'seconds',
  ),
  LUCID_LIVE_SESSIONS: integer('sessions that are watched live at a time, each by a thread; 0 turns it off', 4, 0, 64),
  LUCID_LIVE_VIEWERS: integer('people who watch one session live at a time', 8, 1, 64),
  LUCID_LIVE_FRAMES_PER_SECOND: integer('pictures that a live view is given in a second at most', 10, 1, 30),
  LUCID_UNDECODABLE_PERCENT: integer(
    "percent of a recording's screen that no decoder could read above which it counts as degraded",
    1,
    0,
    100,
    'percent',
  ),
  ...videoSettings,
};
