import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { createSecureContext } from 'node:tls';
import { FrameSocket } from '#demo/frame-socket.ts';
import { createSelfSigned } from '#platform/pki.ts';
import type { CapabilitySet } from '#rdp/pdu/capability-set.ts';
import { wantedBitsPerPixel } from '#rdp/pdu/gcc-client-core.ts';
import { SERVER_USER_ID, writeDomainPdu } from '#rdp/pdu/mcs-domain.ts';
import { Protocol } from '#rdp/pdu/negotiation.ts';
import { writeShareData } from '#rdp/pdu/share-data.ts';
import { ServerActivation } from '#rdp/sequence/server-activation.ts';
import { type ClientDescription, ServerConnection } from '#rdp/sequence/server-connection.ts';
import { serverCapabilities } from '#rdp/sequence/server-settings.ts';

/** One client of a scripted server. */
export interface ScriptedClient {
  description: ClientDescription;
  socket: FrameSocket;
  /** Set when the client has finished activation. */
  isActive: boolean;
  /** Frames since activation, other than its own. */
  received: Uint8Array[];
  /** Sends a payload on the I/O channel. */
  send(payload: Uint8Array): void;
  /** Sends a share data PDU. */
  sendData(type: number, body: Uint8Array): void;
}

export interface ServerScript {
  /** Called at Client Info. @returns whether to go on with a share; else the script has said all there is */
  admitted?(client: ScriptedClient): boolean;
  /** What it says about itself; what a server of our own says unless given. */
  capabilities?(usual: CapabilitySet[]): CapabilitySet[];
  /** Called when the share is open. */
  opened?(client: ScriptedClient): void;
}

const SHARE_ID = 0x103ea;

/** An RDP server that does the connection phase, and then what a test tells it. */
export class ScriptedServer {
  readonly fingerprint: string;
  readonly clients: ScriptedClient[] = [];
  readonly #server: Server;

  private constructor(server: Server, fingerprint: string) {
    this.#server = server;
    this.fingerprint = fingerprint;
  }

  static async start(script: ServerScript = {}): Promise<ScriptedServer> {
    const { key, cert } = await createSelfSigned('lucid-scripted-server');
    const secureContext = createSecureContext({ key, cert });
    const fingerprint = new X509Certificate(cert).fingerprint256.replaceAll(':', '').toLowerCase();
    const server = createServer((socket) => scripted.#serve(new FrameSocket(socket), secureContext, script));
    const scripted = new ScriptedServer(server, fingerprint);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return scripted;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const { socket } of this.clients) socket.destroy();
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  #serve(socket: FrameSocket, secureContext: ReturnType<typeof createSecureContext>, script: ServerScript): void {
    const sequence = new ServerConnection({ protocols: Protocol.ssl, responseFlags: 0 });
    let activation: ServerActivation | null = null;
    let client: ScriptedClient | null = null;
    socket.onFrame = (frame) => {
      if (activation && client) {
        const answers = activation.receive(frame);
        if (answers) socket.send(answers);
        else client.received.push(frame);
        if (activation.state.phase !== 'active' || client.isActive) return;
        client.isActive = true;
        script.opened?.(client);
        return;
      }
      socket.send(sequence.receive(frame));
      if (sequence.state.phase === 'upgrade') socket.acceptTls(secureContext).then(() => sequence.secured());
      if (sequence.state.phase !== 'admission') return;
      const description = sequence.state.client;
      const send = (payload: Uint8Array) => {
        const channelId = description.ioChannelId;
        socket.send([writeDomainPdu({ kind: 'sendDataIndication', initiator: SERVER_USER_ID, channelId, payload })]);
      };
      const sendData = (type: number, body: Uint8Array) => send(writeShareData(SHARE_ID, SERVER_USER_ID, type, body));
      client = { description, socket, isActive: false, received: [], send, sendData };
      this.clients.push(client);
      socket.send(sequence.admit());
      if (script.admitted?.(client) === false) return;
      const { core } = description.blocks;
      const usual = serverCapabilities(core.desktopWidth, core.desktopHeight, wantedBitsPerPixel(core));
      const capabilitySets = script.capabilities?.(usual) ?? usual;
      activation = new ServerActivation(description, { shareId: SHARE_ID, capabilitySets });
      socket.send(activation.start());
    };
  }
}
