/**
 * The audit trail of an organization is a chain: each entry's hash covers the hash before it, and the head, kept apart and
 * sealed, says how many entries there are and how the last one ends. Whoever can write to the database but does not know the
 * key cannot change, remove, reorder or cut off entries without `verify` noticing.
 */
export type Hmac = (text: string) => string;

export interface ChainEntry {
  readonly organizationId: string;
  /** From 1, without gaps. */
  readonly position: number;
  readonly id: string;
  readonly at: string;
  readonly actorType: string;
  readonly actorId: string;
  readonly keyId: string | null;
  readonly action: string;
  readonly resourceType: string;
  readonly resourceId: string;
  /** JSON text, hashed as it stands. */
  readonly before: string | null;
  readonly after: string | null;
}

export interface Head {
  readonly entries: number;
  readonly hash: string;
}

export const emptyHead: Head = { entries: 0, hash: '' };

/** As a JSON array, whose quoting keeps the parts apart; the address is left out, so that erasing it breaks nothing. */
export const entryHash = (previousHash: string, entry: ChainEntry, hmac: Hmac): string => {
  const { organizationId, position, id, at, actorType, actorId, keyId, action, resourceType, resourceId, before, after } = entry;
  const parts = [organizationId, position, id, at, actorType, actorId, keyId, action, resourceType, resourceId, before, after];
  return hmac(JSON.stringify(['entry', previousHash, ...parts]));
};

/** Keeps the head from being set back: no other count and hash have this seal. */
export const headSeal = (organizationId: string, head: Head, hmac: Hmac): string =>
  hmac(JSON.stringify(['head', organizationId, head.entries, head.hash]));

export interface SealedHead extends Head {
  readonly seal: string;
}

/**
 * What the head of an altered trail has in place of a seal, for ever: `alteredAfter` is how many entries it said there were when that was
 * found. Entries are appended to such a trail as to any other, because whoever has altered it must not keep out what comes; but with a seal
 * of ours behind them, what was cut off before would never be missed.
 */
const alteredSeal = (organizationId: string, { entries, hash }: Head, alteredAfter: number, hmac: Hmac): string =>
  `altered ${alteredAfter} ${hmac(JSON.stringify(['altered head', organizationId, entries, hash, alteredAfter]))}`;

/** Undefined where the head is sealed, and where it has neither a seal nor a mark of ours. */
const markedAfter = (organizationId: string, head: SealedHead, hmac: Hmac): number | undefined => {
  const [, count] = /^altered (\d{1,15}) /.exec(head.seal) ?? [];
  return count !== undefined && alteredSeal(organizationId, head, Number(count), hmac) === head.seal ? Number(count) : undefined;
};

/** How the head that follows `found` is sealed; `newest` is the newest checkpoint. */
export const sealAfter = (
  organizationId: string,
  found: SealedHead,
  newest: (Checkpoint & { readonly seal: string }) | undefined,
  hmac: Hmac,
) => {
  const marked = markedAfter(organizationId, found, hmac);
  const isSealed = headSeal(organizationId, found, hmac) === found.seal;
  const alteredAfter = marked ?? (isSealed && !isBehind(organizationId, found, newest, hmac) ? undefined : found.entries);
  return {
    /** Nobody has found it before. */
    isNewlyAltered: alteredAfter !== undefined && marked === undefined,
    seal: (head: Head): string =>
      alteredAfter === undefined ? headSeal(organizationId, head, hmac) : alteredSeal(organizationId, head, alteredAfter, hmac),
  };
};

/** A head of an earlier day has the seal of then. A checkpoint of ours says that more was there. */
const isBehind = (organizationId: string, head: Head, newest: (Checkpoint & { readonly seal: string }) | undefined, hmac: Hmac): boolean =>
  newest !== undefined &&
  checkpointSeal(organizationId, newest, hmac) === newest.seal &&
  (newest.entries > head.entries || (newest.entries === head.entries && newest.hash !== head.hash));

/**
 * How far the trail was found whole, and when. A check that goes on from here says nothing of the entries before: who has changed
 * one of them since is found by a check from the start alone.
 */
export interface Checkpoint extends Head {
  readonly verifiedAt: string;
}

export const checkpointSeal = (organizationId: string, { entries, hash, verifiedAt }: Checkpoint, hmac: Hmac): string =>
  hmac(JSON.stringify(['checkpoint', organizationId, entries, hash, verifiedAt]));

/** How far a check has come. `firstBadId` is the first entry that is not what was appended, or that follows a missing one. */
export interface Check extends Head {
  readonly firstBadId?: string;
}

/** `verifiedHash`: how a verification once found the entry that stood there. */
export const checkEntry = (
  check: Check,
  entry: ChainEntry & { readonly hash: string },
  hmac: Hmac,
  verifiedHash: string = entry.hash,
): Check => {
  const next = { ...check, entries: check.entries + 1, hash: entry.hash };
  if (check.firstBadId !== undefined) return next;
  const isNext = entry.position === check.entries + 1 && entryHash(check.hash, entry, hmac) === entry.hash && verifiedHash === entry.hash;
  return isNext ? next : { ...next, firstBadId: entry.id };
};

export interface Verdict {
  /** Of what was read: all of it, or what came after `checkpoint`. */
  readonly valid: boolean;
  /** How many there are. */
  readonly entries: number;
  /** Absent where entries are missing at the end: there is nothing left to name. */
  readonly firstBadId?: string;
  /** How many entries the head said there were when it was found altered. Those behind are chained to it; what was before, nobody can say. */
  readonly alteredAfter?: number;
  /** What the check went on from, where it did not read everything. */
  readonly checkpoint?: { readonly entries: number; readonly verifiedAt: string };
  /** How many of the newest checkpoints have no seal of ours. Somebody has written to the trail's tables who does not know the key. */
  readonly badCheckpoints?: number;
}

/** What a check of all entries up to the head comes to. A trail has a head from its organization's first moment on. */
export const concludeCheck = (organizationId: string, check: Check, head: SealedHead | undefined, hmac: Hmac): Verdict => {
  const { entries, firstBadId } = check;
  const alteredAfter = head && markedAfter(organizationId, head, hmac);
  const found = {
    entries,
    ...(firstBadId === undefined ? {} : { firstBadId }),
    ...(alteredAfter === undefined ? {} : { alteredAfter }),
  };
  const isWhole = firstBadId === undefined && head !== undefined && head.entries === entries && head.hash === check.hash;
  return { valid: isWhole && headSeal(organizationId, head, hmac) === head.seal, ...found };
};
