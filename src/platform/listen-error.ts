const CAUSES: Record<string, string> = {
  EADDRINUSE: 'another program has that port',
  EACCES: 'this user may not open ports below 1024',
  EADDRNOTAVAIL: 'this machine has no such address',
};

/**
 * Why a service cannot listen, in words, and which setting chooses another port.
 *
 * @param setting such as `LUCID_SESSION_API_PORT`
 */
export function listenError(service: string, host: string, port: number, setting: string, cause: unknown): Error {
  const { code = '', message } = cause as NodeJS.ErrnoException;
  const words = CAUSES[code] ?? message;
  return new Error(`${service} cannot listen on ${host}:${port}: ${words}; ${setting} chooses another`, { cause });
}
