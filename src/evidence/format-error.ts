/** Evidence that does not follow its format: the only error that the parsers of this folder throw. */
export class FormatError extends Error {
  override readonly name = 'FormatError';
  /** Structure and field, e.g. `record.type` or `leaf.index`. */
  readonly field: string;

  /**
   * @param field structure and field at fault
   * @param reason what was found and what was wanted
   */
  constructor(field: string, reason: string) {
    super(`${field}: ${reason}`);
    this.field = field;
  }
}
