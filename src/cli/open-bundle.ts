import { readFileSync } from 'node:fs';
import type { AgeIdentity } from '#evidence/node/age-keys.ts';
import { parseIdentityFile } from '#evidence/node/age-keys.ts';
import { BundleReader } from '#evidence/node/bundle-reader.ts';
import { openBundleSource } from '#evidence/node/bundle-source.ts';

/**
 * Reads the identities in a file.
 * @throws Error when it cannot be read, FormatError naming the line at fault
 */
export function readIdentities(file: string): AgeIdentity[] {
  return parseIdentityFile(readFileSync(file, 'utf8'));
}

/**
 * Opens a bundle to read the recording in it.
 * @param path a folder or a tar archive
 * @param identityFile a recipient's identity
 */
export function openRecording(path: string, identityFile: string): BundleReader {
  return new BundleReader(openBundleSource(path), readIdentities(identityFile));
}
