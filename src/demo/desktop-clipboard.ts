import { clipboardChannelName } from '#rdp/channel/clipboard.ts';
import type { ClientDescription } from '#rdp/sequence/server-connection.ts';
import { ClipboardEnd } from './clipboard-end.ts';
import type { DemoModel } from './demo-model.ts';

/** The demo desktop's clipboard on one connection: between the text pad and the client. */
export class DesktopClipboard {
  /** MCS id of its channel. */
  readonly channelId: number;
  readonly #end: ClipboardEnd;
  readonly #model: DemoModel;

  private constructor(channelId: number, end: ClipboardEnd, model: DemoModel) {
    this.channelId = channelId;
    this.#end = end;
    this.#model = model;
    end.onOffer = () => model.note('Clipboard: text from the client, Ctrl+V pastes it');
  }

  /**
   * @param send takes a channel's id and user data for it
   * @returns null when the client asked for no clipboard
   */
  static open(
    client: ClientDescription,
    model: DemoModel,
    send: (channelId: number, payload: Uint8Array) => void,
  ): DesktopClipboard | null {
    const channel = client.channels.find(({ name }) => name === clipboardChannelName);
    if (!channel) return null;
    const end = new ClipboardEnd('server', (payload) => send(channel.id, payload));
    return new DesktopClipboard(channel.id, end, model);
  }

  start(): void {
    this.#end.start();
  }

  stop(): void {
    this.#end.stop();
  }

  /** @throws DecodeError where the chunk does not follow the specification */
  receive(payload: Uint8Array): void {
    this.#end.receive(payload);
  }

  /** Copies the text pad's text. */
  copy(): void {
    const { text } = this.#model.state;
    this.#end.copy(text);
    this.#model.note(`Clipboard: ${text.length} characters copied here`);
  }

  /** Types what was copied on the client. */
  async paste(): Promise<void> {
    const text = this.#end.isOffered ? await this.#end.paste() : null;
    if (text === null) {
      this.#model.note('Clipboard: nothing to paste');
      return;
    }
    this.#model.type(text);
    this.#model.note(`Clipboard: ${text.length} characters pasted from the client`);
  }
}
