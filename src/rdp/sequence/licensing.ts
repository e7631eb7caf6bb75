/** A client's part in licensing (MS-RDPELE 3.2.5): it holds no licences, and says so when it is asked for one. */
import {
  LicenseErrorCode,
  LicenseMessageType,
  LicenseTransition,
  readLicenseError,
  readLicensePdu,
  writeLicenseError,
} from '../pdu/license.ts';
import { SequenceError } from './sequence-error.ts';

/**
 * What a client does about a licensing PDU.
 * @param body what follows the security header
 * @returns a licensing PDU to answer with, or null when the server asks for nothing
 * @throws DecodeError on malformed bytes, SequenceError when the server refuses for want of a licence
 */
export function answerLicense(body: Uint8Array): Uint8Array | null {
  const pdu = readLicensePdu(body);
  switch (pdu.messageType) {
    case LicenseMessageType.licenseRequest:
    case LicenseMessageType.platformChallenge:
      return writeLicenseError({
        errorCode: LicenseErrorCode.noLicense,
        stateTransition: LicenseTransition.totalAbort,
      });
    case LicenseMessageType.newLicense:
    case LicenseMessageType.upgradeLicense:
      return null;
    case LicenseMessageType.errorAlert: {
      const { errorCode, stateTransition } = readLicenseError(pdu.body);
      if (errorCode === LicenseErrorCode.validClient || stateTransition !== LicenseTransition.totalAbort) return null;
      throw new SequenceError(
        'refused',
        `licensing: the server refused with code ${errorCode}; check its RDP licences`,
      );
    }
    default:
      throw new SequenceError('unexpectedPdu', `licensing: the server sent message type ${pdu.messageType}`);
  }
}
