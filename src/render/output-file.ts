/** A file that appears under its name only when it is whole. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { RenderError } from './render-error.ts';

/** FFmpeg's name of the container, by the file's extension. */
const FORMATS: Readonly<Record<string, string>> = { '.mp4': 'mp4', '.mkv': 'matroska' };

export class OutputFile {
  /** Where the file will be. */
  readonly path: string;
  /** Where it is until then. */
  readonly temporary: string;
  readonly format: string;

  private constructor(path: string, temporary: string, format: string) {
    this.path = path;
    this.temporary = temporary;
    this.format = format;
  }

  /**
   * Makes the temporary file, which nobody else may read: a video shows what the recording had encrypted.
   * @throws RenderError when the extension is none that is known, or the folder cannot be written to
   */
  static async create(path: string): Promise<OutputFile> {
    const format = FORMATS[extname(path).toLowerCase()];
    if (format === undefined) {
      throw new RenderError(`${path}: wants a name that ends in ${Object.keys(FORMATS).join(' or ')}`);
    }
    const whole = resolve(path);
    const temporary = join(dirname(whole), `.${basename(whole)}.${process.pid}.part`);
    try {
      if ((await stat(whole).catch(() => null))?.isDirectory()) throw new Error('is a folder');
      await (await open(temporary, 'w', 0o600)).close();
    } catch (error) {
      throw new RenderError(`${path} cannot be written: ${(error as Error).message}`);
    }
    return new OutputFile(whole, temporary, format);
  }

  /**
   * Makes the file durable and gives it its name.
   * @returns its bytes and their SHA-256 in hexadecimal
   */
  async finish(): Promise<{ bytes: number; sha256: string }> {
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const part of createReadStream(this.temporary)) {
      hash.update(part);
      bytes += part.length;
    }
    const file = await open(this.temporary, 'r+');
    await file.sync().finally(() => file.close());
    await rename(this.temporary, this.path);
    return { bytes, sha256: hash.digest('hex') };
  }

  /** Takes the temporary file away; does nothing when it has its name. */
  async discard(): Promise<void> {
    await rm(this.temporary, { force: true });
  }
}
