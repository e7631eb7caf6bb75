/** What ends a connection besides malformed bytes: refusals and PDUs that do not belong where they came. */
import { FailureCode } from '../pdu/negotiation.ts';

export type SequenceErrorCode =
  /** A well-formed PDU that has no place here. */
  | 'unexpectedPdu'
  /** The peer said no, and why: MCS results, licensing, error info. */
  | 'refused'
  /** The peer ended the connection before it was complete. */
  | 'disconnected';

/** The message says what was being done, what came and, where there is something, what to do about it. */
export class SequenceError extends Error {
  override readonly name: string = 'SequenceError';
  readonly code: SequenceErrorCode;

  constructor(code: SequenceErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** No security protocol that both sides accept (MS-RDPBCGR 2.2.1.2.2). */
export class NegotiationFailure extends SequenceError {
  override readonly name = 'NegotiationFailure';
  /** A value of FailureCode, or one that the table does not know. */
  readonly failureCode: number;

  /** @param message words for whoever connects; those for the code by default */
  constructor(failureCode: number, message: string = failureText(failureCode)) {
    super('refused', message);
    this.failureCode = failureCode;
  }
}

function failureText(code: number): string {
  switch (code) {
    case FailureCode.sslRequiredByServer:
      return 'security negotiation: the server requires TLS; connect with TLS';
    case FailureCode.sslNotAllowedByServer:
      return 'security negotiation: the server offers only legacy RDP encryption; enable TLS on the server';
    case FailureCode.sslCertNotOnServer:
      return 'security negotiation: the server has no TLS certificate; install one on the server';
    case FailureCode.inconsistentFlags:
      return 'security negotiation: the server finds the requested protocols inconsistent with the present one';
    case FailureCode.hybridRequiredByServer:
      return 'security negotiation: the server requires network level authentication (CredSSP); allow TLS on the server';
    case FailureCode.sslWithUserAuthRequiredByServer:
      return 'security negotiation: the server requires TLS with a client certificate';
    default:
      return `security negotiation: the server refused with code ${code}, which is not specified`;
  }
}
