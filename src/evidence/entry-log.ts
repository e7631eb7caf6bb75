/** Where signed entries go: at first files beside the chunks, later a transparency log as well. */

/** Where an entry ended up. */
export interface EntryPosition {
  /** Path of its note within the session's evidence. */
  readonly path: string;
  /** Index in the ledger, or null: not ledgered. */
  readonly index: number | null;
}

export interface EntryLog {
  /**
   * Takes a signed entry; when the promise is fulfilled it is durable, and integrated where there is a ledger.
   * Taking the same note again changes nothing.
   * @throws (rejects with) FormatError when the note is no entry; Error when another note stands in its place
   */
  append(note: string): Promise<EntryPosition>;
}
