/** The least that an HTTP API in Node does: one Fastify route that answers with an object that is there. */
import type { AddressInfo } from 'node:net';
import { fastify } from 'fastify';
import { serveBench } from './bench-child.ts';

const app = fastify();
let answer: object = {};
app.get('/', async () => answer);
await app.listen({ port: 0, host: '127.0.0.1' });

serveBench({ port: (app.server.address() as AddressInfo).port }, () => 0, {
  /** What is answered from now on. */
  answer(value: object) {
    answer = value;
  },
  stop: () => app.close(),
});
