/**
 * Uploads a recording that another recorder has sealed and signed, in the layout of docs/recording-format.md.
 *
 *   LUCID_URL=… LUCID_TOKEN=lucid_… ./lucid --node docs/examples/outside-recorder.ts SESSION FOLDER
 *
 * SESSION was created for the recorder (POST /api/v1/recorders/{id}/sessions): its id stands in every entry and leaf. The
 * token is the recorder's own account's, with scope recordings:write. Uploading again goes on where it broke off.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createApiClient } from '#contract/api-client.ts';
import { chunkPath } from '#evidence/bundle-layout.ts';
import { parseEntry } from '#evidence/entry.ts';
import { parseLeaves } from '#evidence/leaf.ts';
import { parseNote } from '#evidence/note.ts';
import { KEY_NAMES } from '#evidence/record.ts';

const [id, folder] = process.argv.slice(2);
const { LUCID_URL: url = 'http://127.0.0.1:8087', LUCID_TOKEN: token } = process.env;
if (!id || !folder || !token) throw new Error('wants a session, a folder, and LUCID_TOKEN');

const api = createApiClient({ url, token });
const read = (path: string) => readFileSync(join(folder, path));

function putEntry(kind: 'open' | 'partial' | 'close', path: string) {
  return api.putEntry({ params: { id, kind }, body: { note: read(path).toString() } });
}

/** Partial entries, by the number of leaves that each speaks of: it must come when just these are stored. */
const partials = new Map<number, string>();
for (const name of readdirSync(join(folder, 'partial'))) {
  const entry = parseEntry(parseNote(read(join('partial', name))).text);
  if (entry.kind === 'lucid/partial/v1') partials.set(entry.leaves, join('partial', name));
}

for (const name of KEY_NAMES) await api.putSessionKey({ params: { id, name }, body: read(`keys/${name}.age`) });
await putEntry('open', 'open.note');

const leaves = parseLeaves(read('leaves.txt'));
for (const [i, leaf] of leaves.entries()) {
  const { stream, index } = leaf;
  await api.putChunk({
    params: { id, stream, index },
    query: {
      compression: leaf.encoding,
      sha256: Buffer.from(leaf.sha256).toString('hex'),
      first_us: leaf.firstTime,
      last_us: leaf.lastTime,
      records: leaf.records,
    },
    body: read(chunkPath(leaf)),
  });
  const partial = partials.get(i + 1);
  if (partial) await putEntry('partial', partial);
}

const { state } = await putEntry('close', 'close.note');
console.log(`${leaves.length} chunks uploaded; the session is ${state}`);
