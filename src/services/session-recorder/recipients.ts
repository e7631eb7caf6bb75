import { FormatError } from '#evidence/format-error.ts';
import { parseRecipient } from '#evidence/node/age-keys.ts';
import type { KeyName } from '#evidence/record.ts';
import { SettingError } from '#platform/config.ts';

/** Who may open each session key. */
export type Recipients = Readonly<Record<KeyName, readonly string[]>>;

/**
 * Reads the settings that name recipients. Keystrokes hold passwords: only those named for them, and the recovery key,
 * may open them.
 *
 * @param render whom videos are made for: may open the screens of sessions that begin from now on; null for nobody
 * @throws SettingError when one cannot be read, or a stream could be opened by nobody
 */
export function readRecipients(
  settings: {
    LUCID_RECIPIENTS: string;
    LUCID_INPUT_RECIPIENTS: string;
    LUCID_RECOVERY_RECIPIENT: string;
  },
  render: string | null = null,
): Recipients {
  const recovery = list('LUCID_RECOVERY_RECIPIENT', settings.LUCID_RECOVERY_RECIPIENT);
  const auditors = list('LUCID_RECIPIENTS', settings.LUCID_RECIPIENTS);
  if (auditors.length === 0) {
    throw new SettingError(
      'LUCID_RECIPIENTS is not set: nobody could open recordings; make an identity with age-keygen',
    );
  }
  const input = union(list('LUCID_INPUT_RECIPIENTS', settings.LUCID_INPUT_RECIPIENTS), recovery);
  if (input.length === 0) {
    throw new SettingError(
      'neither LUCID_RECOVERY_RECIPIENT nor LUCID_INPUT_RECIPIENTS is set: nobody could open recorded keystrokes',
    );
  }
  const all = union(auditors, recovery);
  return { screen: render === null ? all : union(all, [render]), input, channels: all };
}

function list(name: string, text: string): string[] {
  const recipients = text.split(',').map((item) => item.trim());
  return union(
    recipients.filter((recipient) => {
      if (recipient === '') return false;
      try {
        parseRecipient(recipient);
      } catch (error) {
        if (error instanceof FormatError) throw new SettingError(`${name}: ${error.message}`);
        throw error;
      }
      return true;
    }),
  );
}

function union(...lists: readonly (readonly string[])[]): string[] {
  return [...new Set(lists.flat())];
}
