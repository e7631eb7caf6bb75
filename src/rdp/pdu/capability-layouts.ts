/**
 * Capability sets as data (MS-RDPBCGR 2.2.7, MS-RDPERP 2.2.1.1, MS-RDPEGDI): the fields that follow a set's type and
 * length, in wire order, little-endian. A number stands for that many bytes.
 */

export type CapabilityField = 'u8' | 'u16' | 'u32' | number;

export interface CapabilityLayout {
  /** capabilitySetType. */
  type: number;
  fields: Readonly<Record<string, CapabilityField>>;
}

export const capabilityLayouts = {
  general: {
    type: 0x01,
    fields: {
      osMajorType: 'u16',
      osMinorType: 'u16',
      protocolVersion: 'u16',
      pad2octetsA: 'u16',
      generalCompressionTypes: 'u16',
      extraFlags: 'u16',
      updateCapabilityFlag: 'u16',
      remoteUnshareFlag: 'u16',
      generalCompressionLevel: 'u16',
      refreshRectSupport: 'u8',
      suppressOutputSupport: 'u8',
    },
  },
  bitmap: {
    type: 0x02,
    fields: {
      preferredBitsPerPixel: 'u16',
      receive1BitPerPixel: 'u16',
      receive4BitsPerPixel: 'u16',
      receive8BitsPerPixel: 'u16',
      desktopWidth: 'u16',
      desktopHeight: 'u16',
      pad2octets: 'u16',
      desktopResizeFlag: 'u16',
      bitmapCompressionFlag: 'u16',
      highColorFlags: 'u8',
      drawingFlags: 'u8',
      multipleRectangleSupport: 'u16',
      pad2octetsB: 'u16',
    },
  },
  order: {
    type: 0x03,
    fields: {
      terminalDescriptor: 16,
      pad4octetsA: 'u32',
      desktopSaveXGranularity: 'u16',
      desktopSaveYGranularity: 'u16',
      pad2octetsA: 'u16',
      maximumOrderLevel: 'u16',
      numberFonts: 'u16',
      orderFlags: 'u16',
      orderSupport: 32,
      textFlags: 'u16',
      orderSupportExFlags: 'u16',
      pad4octetsB: 'u32',
      desktopSaveSize: 'u32',
      pad2octetsC: 'u16',
      pad2octetsD: 'u16',
      textANSICodePage: 'u16',
      pad2octetsE: 'u16',
    },
  },
  bitmapCache: {
    type: 0x04,
    fields: {
      pad: 24,
      cache0Entries: 'u16',
      cache0MaximumCellSize: 'u16',
      cache1Entries: 'u16',
      cache1MaximumCellSize: 'u16',
      cache2Entries: 'u16',
      cache2MaximumCellSize: 'u16',
    },
  },
  control: {
    type: 0x05,
    fields: { controlFlags: 'u16', remoteDetachFlag: 'u16', controlInterest: 'u16', detachInterest: 'u16' },
  },
  bitmapCacheV3CodecId: { type: 0x06, fields: { codecId: 'u8' } },
  windowActivation: {
    type: 0x07,
    fields: { helpKeyFlag: 'u16', helpKeyIndexFlag: 'u16', helpExtendedKeyFlag: 'u16', windowManagerKeyFlag: 'u16' },
  },
  pointer: {
    type: 0x08,
    fields: { colorPointerFlag: 'u16', colorPointerCacheSize: 'u16', pointerCacheSize: 'u16' },
  },
  share: { type: 0x09, fields: { nodeId: 'u16', pad2octets: 'u16' } },
  colorCache: { type: 0x0a, fields: { colorTableCacheSize: 'u16', pad2octets: 'u16' } },
  sound: { type: 0x0c, fields: { soundFlags: 'u16', pad2octetsA: 'u16' } },
  input: {
    type: 0x0d,
    fields: {
      inputFlags: 'u16',
      pad2octetsA: 'u16',
      keyboardLayout: 'u32',
      keyboardType: 'u32',
      keyboardSubType: 'u32',
      keyboardFunctionKey: 'u32',
      imeFileName: 64,
    },
  },
  font: { type: 0x0e, fields: { fontSupportFlags: 'u16', pad2octets: 'u16' } },
  brush: { type: 0x0f, fields: { brushSupportLevel: 'u32' } },
  glyphCache: {
    type: 0x10,
    fields: { glyphCache: 40, fragCache: 'u32', glyphSupportLevel: 'u16', pad2octets: 'u16' },
  },
  offscreenCache: {
    type: 0x11,
    fields: { offscreenSupportLevel: 'u32', offscreenCacheSize: 'u16', offscreenCacheEntries: 'u16' },
  },
  bitmapCacheHostSupport: { type: 0x12, fields: { cacheVersion: 'u8', pad1: 'u8', pad2: 'u16' } },
  bitmapCacheRev2: {
    type: 0x13,
    fields: { cacheFlags: 'u16', pad2: 'u8', numCellCaches: 'u8', cellInfo: 20, pad3: 12 },
  },
  virtualChannel: { type: 0x14, fields: { flags: 'u32', chunkSize: 'u32' } },
  drawNineGridCache: {
    type: 0x15,
    fields: { drawNineGridSupportLevel: 'u32', drawNineGridCacheSize: 'u16', drawNineGridCacheEntries: 'u16' },
  },
  drawGdiPlus: {
    type: 0x16,
    fields: {
      drawGdiPlusSupportLevel: 'u32',
      gdipVersion: 'u32',
      drawGdiPlusCacheLevel: 'u32',
      gdipCacheEntries: 10,
      gdipCacheChunkSize: 8,
      gdipImageCacheProperties: 6,
    },
  },
  rail: { type: 0x17, fields: { railSupportLevel: 'u32' } },
  window: { type: 0x18, fields: { wndSupportLevel: 'u32', numIconCaches: 'u8', numIconCacheEntries: 'u16' } },
  compDesk: { type: 0x19, fields: { compDeskSupportLevel: 'u16' } },
  multifragmentUpdate: { type: 0x1a, fields: { maxRequestSize: 'u32' } },
  largePointer: { type: 0x1b, fields: { largePointerSupportFlags: 'u16' } },
  surfaceCommands: { type: 0x1c, fields: { cmdFlags: 'u32', reserved: 'u32' } },
  frameAcknowledge: { type: 0x1e, fields: { maxUnacknowledgedFrameCount: 'u32' } },
} as const satisfies Record<string, CapabilityLayout>;

/** capabilitySetType of the one set that is a list: see bitmap-codecs.ts. */
export const bitmapCodecsType = 0x1d;
