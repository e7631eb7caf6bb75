/**
 * Creates a session on a server, waits until somebody has used it or a minute is over, and downloads its recording.
 *
 *   LUCID_URL=http://127.0.0.1:8087 LUCID_TOKEN=lucid_… ./lucid --node docs/examples/session.ts SERVER FOLDER
 *
 * The token needs the scopes sessions:write, sessions:read and evidence:read.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createApiClient } from '#contract/api-client.ts';
import { everyItem } from '#contract/pages.ts';

const [server, folder] = process.argv.slice(2);
const { LUCID_URL: url = 'http://127.0.0.1:8087', LUCID_TOKEN: token } = process.env;
if (!server || !folder || !token) throw new Error('wants a server, a folder, and LUCID_TOKEN');

const api = createApiClient({ url, token });

const ticket = await api.createSession({
  body: { server, name: 'An example', labels: { made_by: 'session.ts' }, policy: { input: true, max_minutes: 10 } },
});
const { id } = ticket.session;
const params = { id };
const rdpFile = join(folder, `${id}.rdp`);
await writeFile(rdpFile, ticket.rdp_file, { mode: 0o600 });
console.log(`Open ${rdpFile} with an RDP client before ${ticket.expires_at}.`);

let session = ticket.session;
const patience = Date.now() + 60_000;
while (session.ended_at === null) {
  await sleep(500);
  session = await api.getSession({ params });
  if (session.ended_at === null && Date.now() > patience) {
    session = await api.stopSession({ params, body: { reason: 'the example is over' } });
  }
}
console.log(`It is over: ${session.reason}`);

for (let stage = ''; session.state !== 'completed' && session.state !== 'failed'; ) {
  const processing = await api.getSessionProcessing({ params });
  if (processing.stage && processing.stage !== stage) console.log(`${processing.stage} (${processing.percent ?? 0} %)`);
  stage = processing.stage ?? '';
  await sleep(200);
  session = await api.getSession({ params });
}

if (session.state === 'completed') {
  let bytes = 0;
  for await (const chunk of everyItem((next) => api.listChunks({ params, query: next }))) bytes += chunk.bytes;
  const bundle = join(folder, `${id}.tar`);
  await writeFile(bundle, await api.getBundle({ params, query: {} }));
  const { verifier_key } = await api.nodeKey({});
  console.log(
    `${bundle} holds ${bytes} bytes of chunks. To check it: lucid verify ${bundle} --node-key '${verifier_key}'`,
  );
}
