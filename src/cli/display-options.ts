import { type Command, Option } from 'commander';
import { RECORDING_PROFILES, type RecordingProfile } from '#contract/common.ts';

/** What the command line says of how pictures travel. */
export interface DisplayOptions {
  profiles?: string;
  bulkCompression?: 'on' | 'off';
}

/** Adds the options that `displayOf` reads. */
export function addDisplayOptions(command: Command): Command {
  return command
    .option('--profiles <list>', `what the server may draw with, of ${RECORDING_PROFILES.join(', ')}; all unless given`)
    .addOption(
      new Option('--bulk-compression <on|off>', 'whether clients that ask for bulk compression get it').choices([
        'on',
        'off',
      ]),
    );
}

/** @throws Error naming a profile that there is not */
export function displayOf({ profiles, bulkCompression }: DisplayOptions) {
  return {
    ...(profiles !== undefined && { profiles: profilesOf(profiles) }),
    ...(bulkCompression !== undefined && { bulk_compression: bulkCompression === 'on' }),
  };
}

function profilesOf(list: string): RecordingProfile[] {
  const names = [...new Set(list.split(',').map((name) => name.trim()))];
  const unknown = names.find((name) => !(RECORDING_PROFILES as readonly string[]).includes(name));
  if (unknown !== undefined) {
    throw new Error(`--profiles ${unknown}: wants a list of ${RECORDING_PROFILES.join(', ')}, separated by commas`);
  }
  return names as RecordingProfile[];
}
