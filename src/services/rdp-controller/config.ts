import { POLICY_FLAGS, ROLES } from '#contract/common.ts';
import { integer, type Setting, SettingError } from '#platform/config.ts';

/** A list of some of `words`, as `input,clipboard_to_server`, or `none`. */
function list(doc: string, fallback: string, words: readonly string[]): Setting<string> {
  return {
    default: fallback,
    doc,
    parse: (value) => {
      const unknown = splitList(value).find((name) => !words.includes(name));
      if (unknown === undefined) return value;
      throw new SettingError(`${unknown} cannot be there; wants a list of ${words.join(', ')}, or none`);
    },
  };
}

/** The names in a list setting; `none` is the empty list. */
export function splitList(value: string): string[] {
  return value === 'none' ? [] : value.split(',').map((name) => name.trim());
}

export const settings = {
  LUCID_TICKET_SECONDS: integer('how long a ticket is good for', 60, 5, 3600),
  LUCID_DEFAULT_POLICY: list('what a session allows when its creator asks for nothing, or none', 'input', POLICY_FLAGS),
  LUCID_USER_POLICY: list('what people with role user may ask for, or none', 'input', POLICY_FLAGS),
  LUCID_APPROVAL_ROLES: list('roles whose every session somebody else must approve, or none', 'none', ROLES),
  LUCID_APPROVAL_MINUTES: integer('how long a wish waits for approval, and an approval for its use', 60, 1, 10_080),
  LUCID_SESSION_MINUTES: integer('time limit of a session', 480, 1, 10_080),
  LUCID_IDLE_MINUTES: integer('a session without input ends after this long', 30, 1, 10_080),
  LUCID_MAX_CONNECTIONS: integer('live connections in all', 100, 1, 10_000),
  LUCID_MAX_CONNECTIONS_PER_USER: integer('live connections of one user', 10, 1, 10_000),
  LUCID_MAX_CONNECTIONS_PER_SERVER: integer('live connections to one server', 10, 1, 10_000),
  LUCID_MAX_CONNECTIONS_PER_ADDRESS: integer('live connections from one client address', 20, 1, 10_000),
  LUCID_LOCKOUT_ATTEMPTS: integer('wrong tickets from one address before it is locked out', 10, 1, 10_000),
  LUCID_LOCKOUT_SECONDS: integer('how long an address is locked out', 600, 1, 86_400),
};
