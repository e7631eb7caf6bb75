/**
 * Lets the clipboard through in the directions that a policy allows. Works on chunks as they arrive: what is allowed is
 * forwarded as the bytes that came, nothing is gathered. A request in a denied direction is answered here, so that
 * neither side ever waits for an answer.
 */
import { DecodeError, Reader } from '../bytes.ts';
import { type ChannelChunk, ChannelFlag, readChannelChunk, writeChannelMessage } from '../pdu/virtual-channel.ts';
import {
  ClipboardMessageFlag,
  ClipboardMessageType,
  clipboardHeaderSize,
  writeClipboardMessage,
  writeFileContentsResponse,
} from './clipboard.ts';

export interface ClipboardPolicy {
  /** What was copied on the client may be pasted on the server. */
  clipboardToServer: boolean;
  /** What was copied on the server may be pasted on the client. */
  clipboardToClient: boolean;
}

export type ClipboardSide = 'client' | 'server';

/** Channel chunks to send, in order: forwarded ones are the very bytes that came. */
export interface ClipboardOutput {
  toClient: Uint8Array[];
  toServer: Uint8Array[];
}

/** What one side sends: is a message of several chunks under way, and does it pass? */
interface Flow {
  inMessage: boolean;
  passes: boolean;
  /** Answers for this side's peer that wait until the message under way in that direction has ended. */
  waiting: Uint8Array[];
}

const other = { client: 'server', server: 'client' } as const;
const streamIdSize = 4;
/**
 * The longest of the messages that pass in a denied direction, in bytes: they ask, answer or agree, and have room for
 * no contents.
 */
const shortMessage = 64;
/** Answers kept while a message passes the other way. */
const waitingLimit = 64;
const emptyFormatList = writeClipboardMessage(ClipboardMessageType.formatList);

export class ClipboardFilter {
  readonly #policy: ClipboardPolicy;
  readonly #flows: Record<ClipboardSide, Flow> = {
    client: { inMessage: false, passes: false, waiting: [] },
    server: { inMessage: false, passes: false, waiting: [] },
  };

  #started = false;

  constructor(policy: ClipboardPolicy) {
    this.#policy = policy;
  }

  /**
   * @param from who sent the chunk
   * @param payload user data of an MCS PDU on the clipboard channel
   * @returns what to send to whom
   * @throws DecodeError for a chunk that is compressed, out of order, or a message whose header is cut short
   */
  receive(from: ClipboardSide, payload: Uint8Array): ClipboardOutput {
    const output: ClipboardOutput = { toClient: [], toServer: [] };
    const toPeer = from === 'client' ? output.toServer : output.toClient;
    const toSender = from === 'client' ? output.toClient : output.toServer;
    const flow = this.#flows[from];
    const chunk = readChannelChunk(payload);
    const isFirst = (chunk.flags & ChannelFlag.first) !== 0;
    if (isFirst === flow.inMessage) throw new DecodeError('flags', 'a clipboard chunk is out of order', 4);
    if (isFirst) this.#begin(from, chunk, toPeer, toSender);
    if (flow.passes) toPeer.push(payload);
    flow.inMessage = (chunk.flags & ChannelFlag.last) === 0;
    if (!flow.inMessage || !flow.passes) toPeer.push(...flow.waiting.splice(0));
    return output;
  }

  #begin(from: ClipboardSide, chunk: ChannelChunk, toPeer: Uint8Array[], toSender: Uint8Array[]): void {
    const { type, streamId } = readHeader(chunk);
    const flow = this.#flows[from];
    flow.passes = this.#passes(from, type) && (this.#mayCopy(from) || isShort(chunk));
    const showProtocol = chunk.flags & ChannelFlag.showProtocol;
    if (from === 'client' && type === ClipboardMessageType.formatList) {
      // the client's first list ends the start-up (1.3.2.1): xrdp announces nothing before it, so it gets an empty one
      if (!flow.passes && !this.#started) toPeer.push(...writeChannelMessage(emptyFormatList, showProtocol));
      this.#started = true;
    }
    if (flow.passes) return;
    const answer = answerTo(type, streamId);
    if (!answer) return;
    const chunks = writeChannelMessage(answer, showProtocol);
    const back = this.#flows[other[from]];
    // an answer between the chunks of a message that passes the other way would break that message
    if (!back.inMessage || !back.passes) toSender.push(...chunks);
    else if (back.waiting.length < waitingLimit) back.waiting.push(...chunks);
    else throw new DecodeError('clipboard', `${waitingLimit} requests during one message, wanted fewer`, 0);
  }

  /** Whether what was copied on this side may leave it. */
  #mayCopy(side: ClipboardSide): boolean {
    return side === 'client' ? this.#policy.clipboardToServer : this.#policy.clipboardToClient;
  }

  #passes(from: ClipboardSide, type: number): boolean {
    const mine = this.#mayCopy(from);
    const theirs = this.#mayCopy(other[from]);
    switch (type) {
      case ClipboardMessageType.formatList:
      case ClipboardMessageType.formatDataResponse:
      case ClipboardMessageType.fileContentsResponse:
        return mine;
      case ClipboardMessageType.formatListResponse:
      case ClipboardMessageType.formatDataRequest:
      case ClipboardMessageType.fileContentsRequest:
      case ClipboardMessageType.lock:
      case ClipboardMessageType.unlock:
        return theirs;
      case ClipboardMessageType.monitorReady:
      case ClipboardMessageType.capabilities:
      case ClipboardMessageType.temporaryDirectory:
        return true;
      default:
        return mine && theirs;
    }
  }
}

function isShort({ flags, data }: ChannelChunk): boolean {
  return (flags & ChannelFlag.last) !== 0 && data.length <= shortMessage;
}

/** Type of the message that a first chunk begins, and the stream that a file request names. */
function readHeader(chunk: ChannelChunk): { type: number; streamId: number } {
  if (chunk.flags & ChannelFlag.compressed) throw new DecodeError('flags', 'a clipboard chunk is compressed', 4);
  const reader = new Reader(chunk.data);
  const type = reader.u16('msgType');
  reader.skip(clipboardHeaderSize - 2, 'clipboard header');
  const hasStream = type === ClipboardMessageType.fileContentsRequest && reader.remaining >= streamIdSize;
  return { type, streamId: hasStream ? reader.u32('streamId') : 0 };
}

/** What the sender of a message that does not pass is waiting for, or null. */
function answerTo(type: number, streamId: number): Uint8Array | null {
  const { responseOk, responseFail } = ClipboardMessageFlag;
  switch (type) {
    case ClipboardMessageType.formatList:
      return writeClipboardMessage(ClipboardMessageType.formatListResponse, responseOk);
    case ClipboardMessageType.formatDataRequest:
      return writeClipboardMessage(ClipboardMessageType.formatDataResponse, responseFail);
    case ClipboardMessageType.fileContentsRequest:
      return writeFileContentsResponse(streamId, null);
    default:
      return null;
  }
}
