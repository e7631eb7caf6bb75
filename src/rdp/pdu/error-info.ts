/** Set Error Info PDU (MS-RDPBCGR 2.2.5.1): why the server is about to disconnect, as a number. Little-endian. */
import { Reader, Writer } from '../bytes.ts';

/** Codes that the gateway itself sends. The wire carries no words: clients show their own. */
export const ErrorInfo = {
  none: 0x0,
  disconnectedByAdministrator: 0x1,
  idleTimeout: 0x3,
  logonTimeout: 0x4,
  disconnectedByOtherConnection: 0x5,
  outOfMemory: 0x6,
  serverDeniedConnection: 0x7,
} as const;

/**
 * @param body body of a share data PDU of type setErrorInfo
 * @throws DecodeError when it is cut short
 */
export function readSetErrorInfo(body: Uint8Array): number {
  return new Reader(body).u32('errorInfo');
}

/** @returns body of a share data PDU of type setErrorInfo */
export function writeSetErrorInfo(code: number): Uint8Array {
  return new Writer(4).u32(code).finish();
}

/** What a code means, in words for logs and for people; an unknown code is named by its number. */
export function describeErrorInfo(code: number): string {
  if (code >= 0x1111 && code <= 0x1126) return 'the server found less encrypted data than it needs';
  return words[code] ?? `the server gave the unknown reason 0x${code.toString(16).padStart(8, '0')}`;
}

const words: Readonly<Record<number, string>> = {
  0: 'no error',
  // independent of the protocol
  1: 'an administrator disconnected the session',
  2: 'an administrator logged the session off',
  3: 'the session was idle for longer than allowed',
  4: 'the session lasted longer than allowed',
  5: 'another connection took the session over',
  6: 'the server ran out of memory',
  7: 'the server denied the connection',
  9: 'the user may not connect to this server',
  10: 'the server wants credentials to be typed anew, not saved ones',
  11: 'the session was disconnected by a tool that its user ran',
  12: 'the user logged off',
  15: 'the display driver of the session did not start in time',
  16: 'the window manager of the session crashed',
  17: 'the display driver of the session failed to start',
  18: 'the display driver of the session started but cannot be used',
  23: 'the log-on process of the session crashed',
  24: 'the client/server runtime of the session crashed',
  // licensing
  256: 'licensing failed inside the server',
  257: 'the server found no license server',
  258: 'no client access license is left',
  259: 'the server could not read a licensing message of the client',
  260: "the client's license belongs to another machine",
  261: "the client's license is malformed",
  262: 'the network broke while a license was being negotiated',
  263: 'the client left while a license was being negotiated',
  264: 'a licensing message was encrypted wrongly',
  265: "the client's license could not be upgraded",
  266: 'the server is not licensed for remote connections',
  // connection broker
  1024: 'the broker did not find the target',
  1026: 'the target is disconnecting from its broker',
  1028: 'the broker failed to redirect the connection to the target',
  1029: 'the virtual machine could not be woken',
  1030: 'the virtual machine could not be started',
  1031: 'the address of the virtual machine is not known',
  1032: 'no machine of the pool is free',
  1033: 'the broker cancelled the connection',
  1040: 'the broker could not validate the routing token',
  1041: 'the virtual machine did not start in time',
  1042: 'the broker could not watch the virtual machine start',
  // the protocol itself: what one side sent was not understood
  4297: 'the server got a data PDU of unknown type',
  4298: 'the server got a PDU of unknown type',
  4299: 'the server got a data PDU at the wrong time',
  4301: 'the server got a control PDU at the wrong time',
  4302: 'the server got a Control PDU with an unknown action',
  4303: 'the server got an input event of unknown type',
  4304: 'the server got a mouse event with wrong flags',
  4305: 'the server got a malformed Refresh Rect PDU',
  4306: 'the server could not create the conference',
  4307: 'the server failed while the channels were being connected',
  4308: 'the server got a Confirm Active PDU for another share',
  4309: 'the server got a Confirm Active PDU from the wrong originator',
  4314: 'the server got a Persistent Key List PDU that is cut short',
  4315: 'the server got the first Persistent Key List PDU twice',
  4316: 'the server got too many persistent bitmap keys',
  4317: 'the server got too many persistent bitmap keys for one cache',
  4318: 'the server got an input PDU that is cut short',
  4319: 'the server got a Bitmap Cache Error PDU that is cut short',
  4320: 'the server got a fast-path PDU whose signature is cut short',
  4321: 'the server got channel data that is cut short',
  4322: 'the server got a share PDU that is cut short',
  4323: 'the server got a malformed Suppress Output PDU',
  4325: 'the server got a Confirm Active PDU that is cut short',
  4327: 'the server got a capability set that is too small',
  4328: 'the server got a capability set that is too large',
  4329: 'the client announced no pointer cache',
  4330: "the server does not accept the client's capabilities",
  4332: 'the server could not decompress channel data',
  4333: 'the server got channel data compressed in an unknown way',
  4335: 'the server got data on a channel that does not exist',
  4336: 'the client asked for too many channels',
  4339: 'the server does not allow remote programs',
  4340: 'the client asked for a bitmap cache that it had not announced',
  4341: 'the server got a Bitmap Cache Error PDU of a wrong length',
  4342: 'the server got an Offscreen Cache Error PDU of a wrong length',
  4343: 'the server got a NineGrid Cache Error PDU of a wrong length',
  4344: 'the server got a GDI+ Error PDU of a wrong length',
  4393: 'the server got malformed monitor data',
  4394: 'the server could not put channel data together',
  4395: 'the server got a channel message that is too long',
  4396: 'the server got a malformed Frame Acknowledge PDU',
  4397: 'the client does not support the graphics mode that the server needs',
  4398: 'the graphics of the server could not be reset',
  4399: 'the graphics of the server failed',
  4400: 'the server got a time zone name that is too short',
  4401: 'the server got a time zone name that is too long',
  4402: 'the server missed the daylight saving field of the time zone',
  4403: 'the server could not decode channel data',
  4404: 'the desktop over all monitors is too large for the server',
  4405: 'the server does not accept the arrangement of the monitors',
  4406: 'the server does not accept the number of monitors',
  4497: 'the server could not renew its session keys',
  4498: 'the server could not decrypt data',
  4499: 'the server could not encrypt data',
  4500: 'client and server use different encryption',
  4501: 'the server could not decrypt data',
  4502: 'the other side disconnected',
};
