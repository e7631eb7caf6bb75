/**
 * Licensing (MS-RDPBCGR 2.2.1.12, MS-RDPELE 2.2.2): the preamble of every licensing PDU, and the Error Alert with which
 * a server that asks for no licence says so. They follow a security header with `SecurityFlag.licensePacket`.
 */
import { Reader, Writer } from '../bytes.ts';

export const LicenseMessageType = {
  licenseRequest: 0x01,
  platformChallenge: 0x02,
  newLicense: 0x03,
  upgradeLicense: 0x04,
  licenseInfo: 0x12,
  newLicenseRequest: 0x13,
  platformChallengeResponse: 0x15,
  errorAlert: 0xff,
} as const;

/** dwErrorCode of an Error Alert. */
export const LicenseErrorCode = {
  invalidServerCertificate: 1,
  noLicense: 2,
  invalidMac: 3,
  invalidScope: 4,
  noLicenseServer: 6,
  validClient: 7,
  invalidClient: 8,
  invalidProductId: 0xb,
  invalidMessageLength: 0xc,
} as const;

/** dwStateTransition of an Error Alert. */
export const LicenseTransition = {
  totalAbort: 1,
  noTransition: 2,
  resetPhaseToStart: 3,
  resendLastMessage: 4,
} as const;

export interface LicensePdu {
  messageType: number;
  /** Protocol version in the low four bits; 0x80 = extended errors are understood. */
  flags: number;
  body: Uint8Array;
}

export interface LicenseError {
  errorCode: number;
  stateTransition: number;
}

const PREAMBLE_LENGTH = 4;
const VERSION_3 = 3;
const BLOB_ERROR = 4;

/** Reads the PDU that follows the security header. @throws DecodeError */
export function readLicensePdu(bytes: Uint8Array): LicensePdu {
  const reader = new Reader(bytes);
  const messageType = reader.u8('license bMsgType');
  const flags = reader.u8('license flags');
  const size = reader.u16('license wMsgSize');
  if (size < PREAMBLE_LENGTH) throw reader.error('license wMsgSize', `is ${size}, wanted ${PREAMBLE_LENGTH} or more`);
  return { messageType, flags, body: reader.take(size - PREAMBLE_LENGTH, 'license message') };
}

/** Reads the body of an Error Alert. @throws DecodeError */
export function readLicenseError(body: Uint8Array): LicenseError {
  const reader = new Reader(body);
  return { errorCode: reader.u32('license dwErrorCode'), stateTransition: reader.u32('license dwStateTransition') };
}

/** A whole Error Alert, preamble included, without further error information. */
export function writeLicenseError({ errorCode, stateTransition }: LicenseError): Uint8Array {
  const length = PREAMBLE_LENGTH + 12; // dwErrorCode 4, dwStateTransition 4, blob type 2, blob length 2
  return new Writer(length)
    .u8(LicenseMessageType.errorAlert)
    .u8(VERSION_3)
    .u16(length)
    .u32(errorCode)
    .u32(stateTransition)
    .u16(BLOB_ERROR)
    .u16(0)
    .finish();
}
