/**
 * Recording profiles: what the gateway lets both sides of a connection announce, so that the server sends nothing that
 * whoever replays the recording could not decode. Pure functions: sets in, sets out.
 *
 * "bitmaps" is always possible; each other profile brings edits of its own along, as its decoder needs them. A profile is
 * chosen once client and server have both said what they can: at the client's Confirm Active.
 */

import { codecNumbers, offersRemoteFx, surfaceEdits } from '../graphics/surface-capabilities.ts';
import { offersOrders, orderEdits } from '../order/order-announcement.ts';
import { type OrderSupport, orderSupportOf } from '../order/order-support.ts';
import type { ConfirmActive, DemandActive } from '../pdu/active.ts';
import { type CapabilitySet, findCapability } from '../pdu/capability-set.ts';
import { bitmapEdits } from './bitmaps.ts';
import { type CapabilityEdits, editCapabilitySets } from './capability-edits.ts';

type CapabilitySets = readonly CapabilitySet[];

export interface Profile {
  /** As settings and config records have it. */
  readonly name: string;
  /** In words. */
  readonly title: string;
  /** What becomes of sets, where it is something else than "bitmaps" makes of them. */
  readonly edits: CapabilityEdits;
  /** Who of both does not offer what the profile is for, by the sets that they sent; null when both do. */
  lacking(client: CapabilitySets, server: CapabilitySets): 'client' | 'server' | null;
}

/** Drawing orders with caches of bitmaps and glyphs: lossless, and the smallest. */
const orders: Profile = {
  name: 'orders',
  title: 'drawing orders',
  edits: orderEdits,
  lacking: (client, server) => (!offersOrders(client) ? 'client' : orderSupportOf(server) === null ? 'server' : null),
};

/** Surface commands in RemoteFX or NSCodec: lossy by themselves, so a recording shows what the person saw. */
const remoteFx: Profile = {
  name: 'remotefx',
  title: 'RemoteFX',
  edits: surfaceEdits,
  lacking: (client, server) =>
    !offersRemoteFx(client)
      ? 'client'
      : (findCapability(server, 'surfaceCommands')?.cmdFlags ?? 0) === 0
        ? 'server'
        : null,
};

const bitmaps: Profile = { name: 'bitmaps', title: 'bitmaps', edits: {}, lacking: () => null };

/** In the order of preference: what makes the smaller recordings comes first. */
export const PROFILES: readonly Profile[] = [orders, remoteFx, bitmaps];

/** A profile, and why it is that one. */
export interface ChosenProfile {
  readonly profile: Profile;
  readonly reason: string;
}

/** What a decoder must know of a client's Confirm Active, as the server has it; as config records hold it. */
export interface Negotiated {
  /** Number that the client gave a codec, in decimal → name. */
  readonly codecs: Readonly<Record<string, string>>;
  /** Drawing orders that may come; absent where none may. */
  readonly orders?: OrderSupport;
}

/** @param client sets of the Confirm Active that the server gets */
export function negotiated(client: CapabilitySets): Negotiated {
  const support = orderSupportOf(client);
  return {
    codecs: codecNumbers(findCapability(client, 'bitmapCodecs')?.codecs ?? []),
    ...(support && { orders: support }),
  };
}

/**
 * Chooses the first profile that is allowed and that both sides offer.
 *
 * @param client sets of the client's Confirm Active, as they came
 * @param server sets of the server's Demand Active, as they came
 * @param allowed names of the profiles that may be chosen, besides "bitmaps"
 */
export function chooseProfile(
  client: CapabilitySets,
  server: CapabilitySets,
  allowed: ReadonlySet<string>,
): ChosenProfile {
  const passedOver: string[] = [];
  for (const profile of PROFILES) {
    if (profile === bitmaps) break;
    const lacking = profile.lacking(client, server);
    if (!allowed.has(profile.name)) passedOver.push(`${profile.title} not allowed`);
    else if (lacking !== null) passedOver.push(`${profile.title} not offered by the ${lacking}`);
    else return { profile, reason: [...passedOver, `${profile.title} offered by both sides`].join(', ') };
  }
  return { profile: bitmaps, reason: passedOver.join(', ') || 'nothing else is decoded' };
}

/** The server's Demand Active as the client is to see it: with all that an allowed profile may come to use. */
export function rewriteDemandActive(demand: DemandActive, allowed: ReadonlySet<string>): DemandActive {
  const extensions = PROFILES.filter(({ name }) => allowed.has(name)).map(({ edits }) => edits);
  const edits: CapabilityEdits = Object.assign({}, bitmapEdits, ...extensions);
  return { ...demand, capabilitySets: editCapabilitySets(demand.capabilitySets, edits) };
}

/** The client's Confirm Active as the server is to see it. */
export function rewriteConfirmActive(confirm: ConfirmActive, { edits }: Profile): ConfirmActive {
  return { ...confirm, capabilitySets: editCapabilitySets(confirm.capabilitySets, { ...bitmapEdits, ...edits }) };
}
