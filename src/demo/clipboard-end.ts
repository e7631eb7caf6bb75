/**
 * One end of the clipboard channel (MS-RDPECLIP 1.3.2), for text: announces what was copied here, gives it when asked,
 * and asks for what was copied there. Without I/O: channel chunks in, channel chunks out.
 */
import { ChannelReassembler } from '#rdp/channel/channel-reassembler.ts';
import {
  ClipboardCapability,
  ClipboardFormat,
  type ClipboardMessage,
  ClipboardMessageFlag,
  ClipboardMessageType,
  readClipboardCapabilities,
  readClipboardId,
  readClipboardMessage,
  readFormatList,
  writeClipboardCapabilities,
  writeClipboardId,
  writeClipboardMessage,
  writeFileContentsResponse,
  writeFormatList,
} from '#rdp/channel/clipboard.ts';
import { utf16Bytes, utf16Text } from '#rdp/pdu/text.ts';
import { ChannelFlag, readChannelChunk, writeChannelMessage } from '#rdp/pdu/virtual-channel.ts';

const textFormats: readonly number[] = [ClipboardFormat.unicodeText];
/** Longest message that is taken in, in bytes. */
const messageLimit = 1024 * 1024;

export class ClipboardEnd {
  /** Called when the other side says that text was copied there. */
  onOffer: () => void = () => {};
  readonly #role: 'client' | 'server';
  readonly #sendChunk: (payload: Uint8Array) => void;
  readonly #reassembler = new ChannelReassembler(messageLimit);
  #text = '';
  #longNames = false;
  #isReady = false;
  #isOffered = false;
  /** Format lists sent and not answered yet. */
  #unanswered = 0;
  #requests: ((text: string | null) => void)[] = [];

  /**
   * @param role the server begins
   * @param sendChunk takes user data of an MCS PDU on the clipboard channel
   */
  constructor(role: 'client' | 'server', sendChunk: (payload: Uint8Array) => void) {
    this.#role = role;
    this.#sendChunk = sendChunk;
  }

  /** Whether both sides have ended the start-up. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Whether the other side's last copy was text. */
  get isOffered(): boolean {
    return this.#isOffered;
  }

  /** Whether the other side has taken note of what was copied here last. */
  get isTaken(): boolean {
    return this.#isReady && this.#unanswered === 0;
  }

  /** The server's first words. */
  start(): void {
    this.#send(writeClipboardCapabilities(ClipboardCapability.useLongFormatNames));
    this.#send(writeClipboardMessage(ClipboardMessageType.monitorReady));
  }

  /** Copies text here: the other side is told, and may paste it. */
  copy(text: string): void {
    this.#text = text;
    if (this.#isReady) this.#announce();
  }

  /** Pastes: the text that was copied there, or null when there is none or it is refused. */
  paste(): Promise<string | null> {
    return new Promise((resolve) => {
      this.#requests.push(resolve);
      this.#send(writeClipboardId(ClipboardMessageType.formatDataRequest, ClipboardFormat.unicodeText));
    });
  }

  /** No answer will come any more: pastes under way give null. */
  stop(): void {
    for (const resolve of this.#requests.splice(0)) resolve(null);
  }

  /**
   * Takes one chunk from the other side.
   * @param payload user data of an MCS PDU on the clipboard channel
   * @throws DecodeError where the bytes do not follow the specification
   */
  receive(payload: Uint8Array): void {
    const message = this.#reassembler.push(readChannelChunk(payload));
    if (message) this.#take(readClipboardMessage(message));
  }

  #take(message: ClipboardMessage): void {
    const { responseOk, responseFail } = ClipboardMessageFlag;
    switch (message.type) {
      case ClipboardMessageType.capabilities:
        this.#longNames = (readClipboardCapabilities(message.data) & ClipboardCapability.useLongFormatNames) !== 0;
        break;
      case ClipboardMessageType.monitorReady:
        this.#isReady = true;
        this.#send(writeClipboardCapabilities(ClipboardCapability.useLongFormatNames));
        this.#announce();
        break;
      case ClipboardMessageType.formatList: {
        const formats = readFormatList(message, this.#longNames);
        this.#isOffered = formats.some(({ id }) => textFormats.includes(id));
        this.#send(writeClipboardMessage(ClipboardMessageType.formatListResponse, responseOk));
        if (this.#role === 'server' && !this.#isReady) {
          this.#isReady = true;
          if (this.#text !== '') this.#announce();
        }
        if (this.#isOffered) this.onOffer();
        break;
      }
      case ClipboardMessageType.formatListResponse:
        this.#unanswered = Math.max(0, this.#unanswered - 1);
        break;
      case ClipboardMessageType.formatDataRequest: {
        const isText = textFormats.includes(readClipboardId(message.data)) && this.#text !== '';
        const data = isText ? utf16Bytes(`${this.#text.replaceAll('\n', '\r\n')}\0`) : new Uint8Array(0);
        const flags = isText ? responseOk : responseFail;
        this.#send(writeClipboardMessage(ClipboardMessageType.formatDataResponse, flags, data));
        break;
      }
      case ClipboardMessageType.formatDataResponse: {
        const text = message.flags & responseOk ? utf16Text(message.data).replaceAll('\r\n', '\n') : null;
        this.#requests.shift()?.(text);
        break;
      }
      case ClipboardMessageType.fileContentsRequest:
        this.#send(writeFileContentsResponse(readClipboardId(message.data), null));
        break;
    }
  }

  #send(message: Uint8Array): void {
    for (const chunk of writeChannelMessage(message, ChannelFlag.showProtocol)) this.#sendChunk(chunk);
  }

  #announce(): void {
    this.#unanswered++;
    const formats = this.#text === '' ? [] : [{ id: ClipboardFormat.unicodeText, name: '' }];
    this.#send(writeFormatList(formats, this.#longNames));
  }
}
