/** README.txt of a bundle: how to check and open it with stock tools, in plain words. */
import type { OpenEntry } from '#evidence/entry.ts';

/** The text for the session that `open` begins. */
export function bundleReadme(open: OpenEntry): string {
  const keys = open.keys
    .map((key) => `  keys/${key.name}.age  can be opened by  ${key.recipients.join(', ')}`)
    .join('\n');
  return `Recording of the remote desktop session ${open.session}
begun ${open.time}, signed by the node key ${open.node}.

This folder holds all that is needed to check that the recording is whole and unaltered and, with a recipient's key,
to replay it. No service, vendor or private key is needed for the check. Two things must come from elsewhere than this
folder, because whoever made the folder could have made them up: the node's verifier key (a line that begins with the
name above) and a trusted copy of the verifier. The copy of verify.mjs here is a convenience: compare its SHA-256 with
the one published with the release of Lucid, or take it from there.

What is here
  open.note       signed before the first picture was shown: keys, recipients, policy
  partial/*.note  signed while the session ran: the recording so far
  close.note      signed at the end: the whole recording
  leaves.txt      one line for each chunk, with its SHA-256
  keys/           the session's keys, encrypted to the recipients
  screen/ input/ channels/ keyframes/ index/   the chunks
  SHA256SUMS      sums of all files here

Check
  sha256sum -c SHA256SUMS
  node verify.mjs . --node-key 'THE VERIFIER KEY'
  lucid verify . --node-key 'THE VERIFIER KEY' [--identity YOUR-IDENTITY.txt]

Open with stock tools (age, zstd)
${keys}
  age -d -i YOUR-IDENTITY.txt keys/screen.age > session-key.txt
  age -d -i session-key.txt screen/000000.zst.age | zstd -d > records
  (a chunk that is called .age without .zst is not compressed: leave zstd out)
  rm session-key.txt

Replay
  lucid replay . --identity YOUR-IDENTITY.txt --at 10 --png screen.png

The format is described in docs/recording-format.md of Lucid.
This session is not ledgered and not anchored: a time stamped by others is not part of this bundle.
`;
}
