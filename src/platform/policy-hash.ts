import { createHash } from 'node:crypto';
import { canonicalJson } from '#contract/canonical-json.ts';
import type { Policy } from '#contract/common.ts';

/** SHA-256 over a policy's canonical JSON. What it denies and what it leaves out are the same, and hash the same. */
export function policyHash(policy: Policy): Buffer {
  const allowed = Object.entries(policy).filter(([, value]) => value !== false && value !== undefined);
  return createHash('sha256')
    .update(canonicalJson(Object.fromEntries(allowed)))
    .digest();
}
