/** What a client of our own says about itself: plain values that xrdp and Windows accept, for ClientOptions. */
import type { BitsPerPixel } from '../codec/pixel.ts';
import { type ClientInfo, compressionOf64k, InfoFlag } from '../pdu/client-info.ts';
import type { ChannelDef, ClientBlocks } from '../pdu/gcc-client-blocks.ts';
import { ClientEarlyFlag, LegacyColorDepth, SupportedColorDepth } from '../pdu/gcc-client-core.ts';

export interface DesktopWish {
  /** Pixels. */
  width: number;
  height: number;
  bitsPerPixel: BitsPerPixel;
  /** At most 15 characters. */
  clientName: string;
  channels: ChannelDef[];
}

export interface Credentials {
  domain: string;
  userName: string;
  password: string;
}

const RDP_10 = 0x00080005;
const SAS_DEL = 0xaa03;
const US_ENGLISH = 0x409;
const ENHANCED_KEYBOARD = 4;
const FUNCTION_KEYS = 12;
/** What a recent Windows client reports; servers only log it. */
const CLIENT_BUILD = 19041;
const CONNECTION_TYPE_LAN = 6;
const IPV4 = 2;
const TIME_ZONE_LENGTH = 172;
const NOTHING = new Uint8Array(0);

/** GCC blocks for a desktop of this size and depth, on one monitor. */
export function clientBlocks(wish: DesktopWish): ClientBlocks {
  const { width, height, bitsPerPixel, clientName, channels } = wish;
  const deep = bitsPerPixel === 32;
  const depths = SupportedColorDepth.bpp24 | SupportedColorDepth.bpp16 | SupportedColorDepth.bpp15;
  return {
    core: {
      version: RDP_10,
      desktopWidth: width,
      desktopHeight: height,
      colorDepth: LegacyColorDepth.bpp8,
      sasSequence: SAS_DEL,
      keyboardLayout: US_ENGLISH,
      clientBuild: CLIENT_BUILD,
      clientName,
      keyboardType: ENHANCED_KEYBOARD,
      keyboardSubType: 0,
      keyboardFunctionKeys: FUNCTION_KEYS,
      imeFileName: '',
      tail: {
        postBeta2ColorDepth: LegacyColorDepth.bpp8,
        clientProductId: 1,
        serialNumber: 0,
        // 32 bits have no value of their own here: they are asked for by depths and flag together.
        highColorDepth: deep ? 24 : bitsPerPixel,
        supportedColorDepths: deep ? depths | SupportedColorDepth.bpp32 : depths,
        earlyCapabilityFlags:
          ClientEarlyFlag.supportErrInfoPdu |
          ClientEarlyFlag.validConnectionType |
          (deep ? ClientEarlyFlag.want32BppSession : 0),
        clientDigProductId: '',
        connectionType: CONNECTION_TYPE_LAN,
        pad1octet: 0,
        serverSelectedProtocol: 0,
      },
      trailing: NOTHING,
    },
    security: null,
    channels,
    cluster: null,
    monitors: null,
    messageChannel: null,
    monitorAttributes: null,
    multitransport: null,
    unknown: [],
  };
}

/**
 * Client Info that logs on with these credentials at once.
 * @param bulkCompression whether to ask for it, with a history of 64 KiB
 */
export function clientInfo({ domain, userName, password }: Credentials, bulkCompression = false): ClientInfo {
  return {
    codePage: 0,
    flags:
      InfoFlag.mouse |
      InfoFlag.disableCtrlAltDel |
      InfoFlag.autologon |
      InfoFlag.unicode |
      InfoFlag.maximizeShell |
      InfoFlag.logonNotify |
      InfoFlag.enableWindowsKey |
      InfoFlag.logonErrors |
      InfoFlag.mouseHasWheel |
      InfoFlag.noAudioPlayback |
      (bulkCompression ? compressionOf64k : 0),
    domain,
    userName,
    password,
    alternateShell: '',
    workingDir: '',
    extended: {
      clientAddressFamily: IPV4,
      clientAddress: '',
      clientDir: '',
      timeZone: new Uint8Array(TIME_ZONE_LENGTH),
      clientSessionId: 0,
      performanceFlags: 0,
      autoReconnect: null,
      trailing: NOTHING,
    },
  };
}
