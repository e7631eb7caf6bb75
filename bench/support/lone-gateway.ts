/** The gateway by itself; what it records is acknowledged and dropped. Arguments: target port. */
import type { RecordTransport } from '#contract/record-transport.ts';
import { SECRET, startGateway } from '../../test/support/gateway.ts';
import { serveBench } from './bench-child.ts';

let bytes = 0;

/** Acknowledges all that came in one turn of the event loop at once, as a journal does. */
const records: RecordTransport = {
  async attach(_session, _connection, events) {
    let last = -1;
    let acknowledged = -1;
    let waiting = 0;
    const settle = () => {
      acknowledged = last;
      waiting = 0;
      events.acknowledged(acknowledged);
    };
    return {
      now: () => Math.floor(performance.now() * 1000),
      append({ body }) {
        if (waiting === 0) setImmediate(settle);
        waiting += body.length;
        bytes += body.length;
        return ++last;
      },
      get acknowledged() {
        return acknowledged;
      },
      get unacknowledgedBytes() {
        return waiting;
      },
      flush: async () => settle(),
      close: async () => {},
    };
  },
};

const gateway = await startGateway({
  target: { host: '127.0.0.1', port: Number(process.argv[2]), user: 'bench', password: 'bench' },
  policy: { input: true },
  records,
});
serveBench({ port: gateway.port }, () => bytes, {
  ticket: () => ({ user: gateway.createTicket(), password: SECRET }),
  stop: () => gateway.close(),
});
