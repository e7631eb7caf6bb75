import { integer } from '#platform/config.ts';

export const settings = {
  LUCID_RESUME_SECONDS: integer('how long a session waits for its person when the line dropped', 300, 0, 86_400),
  LUCID_UNUSED_MINUTES: integer('how long a new session waits for its first connection', 60, 1, 10_080),
  LUCID_OUTSIDE_HOURS: integer('how long a session waits for more from its outside recorder', 24, 1, 720),
  LUCID_CLOSE_WORKERS: integer('recordings closed at a time', 4, 1, 64),
  LUCID_CLOSE_ATTEMPTS: integer('how often closing a recording is tried before its session fails', 10, 1, 100),
};
