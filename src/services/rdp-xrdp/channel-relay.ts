/** Static virtual channels between the two legs, which number them differently; each by its plan. */
import { ClipboardFilter } from '#rdp/channel/clipboard-filter.ts';
import { DeviceFilter } from '#rdp/channel/device-filter.ts';
import { SERVER_USER_ID, type SendData, writeDomainPdu } from '#rdp/pdu/mcs-domain.ts';
import type { AttachedServer } from '#rdp/sequence/client-connection.ts';
import type { StaticChannel } from '#rdp/sequence/static-channel.ts';
import { type ChannelPlan, planChannel, type SessionPolicy } from './channel-plan.ts';
import { setChannelId } from './frame-patch.ts';
import type { Recording } from './recording.ts';

/** Decides about chunks: those it gives back are sent, in this order. */
interface ChannelFilter {
  receive(from: 'client' | 'server', payload: Uint8Array): { toClient: Uint8Array[]; toServer: Uint8Array[] };
}

interface Channel {
  /** As the client wrote it. */
  name: string;
  clientId: number;
  serverId: number;
  /** What decides about each chunk; null where all pass as they are. */
  filter: ChannelFilter | null;
}

export class ChannelRelay {
  readonly #byClientId = new Map<number, Channel>();
  readonly #byServerId = new Map<number, Channel>();
  readonly #serverUserId: number;
  readonly #recording: Recording;
  readonly #sendToServer: (frame: Uint8Array) => void;

  constructor(
    policy: SessionPolicy,
    clientChannels: readonly StaticChannel[],
    server: AttachedServer,
    recording: Recording,
    sendToServer: (frame: Uint8Array) => void,
  ) {
    this.#serverUserId = server.userChannelId;
    this.#recording = recording;
    this.#sendToServer = sendToServer;
    for (const { name, id: serverId } of server.channels) {
      const mine = clientChannels.find((channel) => channel.name.toLowerCase() === name.toLowerCase());
      const plan = planChannel(name, policy);
      if (mine === undefined || plan.kind === 'deny') continue;
      const channel = { name: mine.name, clientId: mine.id, serverId, filter: filterOf(plan) };
      this.#byClientId.set(mine.id, channel);
      this.#byServerId.set(serverId, channel);
    }
  }

  /** Takes a chunk from the server. Its frame belongs to the relay now: it is patched. @throws DecodeError */
  fromServer(frame: Uint8Array, { channelId, payload }: SendData): void {
    const channel = this.#byServerId.get(channelId);
    if (channel === undefined) return;
    if (channel.filter === null) {
      setChannelId(frame, channel.clientId);
      this.#recording.channelToClient(channel.name, payload, frame);
      return;
    }
    this.#filtered(channel, channel.filter, 'server', payload);
  }

  /** Takes a chunk from the client; those of denied channels go nowhere. @throws DecodeError */
  fromClient({ channelId, payload }: SendData): void {
    const channel = this.#byClientId.get(channelId);
    if (channel === undefined) return;
    if (channel.filter === null) this.#toServer(channel, payload);
    else this.#filtered(channel, channel.filter, 'client', payload);
  }

  #filtered(channel: Channel, filter: ChannelFilter, from: 'client' | 'server', payload: Uint8Array): void {
    const { toClient, toServer } = filter.receive(from, payload);
    for (const chunk of toClient) {
      const frame = writeDomainPdu({
        kind: 'sendDataIndication',
        initiator: SERVER_USER_ID,
        channelId: channel.clientId,
        payload: chunk,
      });
      this.#recording.channelToClient(channel.name, chunk, frame);
    }
    for (const chunk of toServer) this.#toServer(channel, chunk);
  }

  #toServer(channel: Channel, payload: Uint8Array): void {
    this.#recording.channelToServer(channel.name, payload);
    const initiator = this.#serverUserId;
    this.#sendToServer(writeDomainPdu({ kind: 'sendDataRequest', initiator, channelId: channel.serverId, payload }));
  }
}

function filterOf(plan: ChannelPlan): ChannelFilter | null {
  switch (plan.kind) {
    case 'clipboard':
      return new ClipboardFilter({ clipboardToServer: plan.toServer, clipboardToClient: plan.toClient });
    case 'devices':
      return new DeviceFilter(plan);
    default:
      return null;
  }
}
