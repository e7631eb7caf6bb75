import { choice, flag, integer } from '#platform/config.ts';

export const settings = {
  LUCID_DESKTOP_SANDBOX: choice(
    'what keeps hosted desktops apart from each other and from this machine; none is for machines that run nothing else',
    'bubblewrap',
    'none',
  ),
  LUCID_DESKTOP_UID: integer('user and group id of hosted desktops when Lucid runs as root', 65532, 1000, 2 ** 31 - 1),
  LUCID_DESKTOP_KEEP: flag('leave hosted desktops running when Lucid stops; they are taken over at its return', false),
  LUCID_DESKTOP_EXPOSE_DISPLAY: flag("put each X server's socket into the desktop's folder: for tests only", false),
  LUCID_MAX_SERVERS: integer('servers that may be registered', 50, 1, 10_000),
  LUCID_SERVER_CHECK_SECONDS: integer('how often each server is greeted over RDP', 30, 1, 3600, 'seconds'),
};
