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
  /** What the check went on from, where it did not read everything. */
  readonly checkpoint?: { readonly entries: number; readonly verifiedAt: string };
  /** How many of the newest checkpoints have no seal of ours. Somebody has written to the trail's tables who does not know the key. */
  readonly badCheckpoints?: number;
}

/** What a check of all entries up to the head comes to. A trail has a head from its organization's first moment on. */
export const concludeCheck = (
  organizationId: string,
  check: Check,
  head: (Head & { readonly seal: string }) | undefined,
  hmac: Hmac,
): Verdict => {
  const { entries, firstBadId } = check;
  if (firstBadId !== undefined) return { valid: false, entries, firstBadId };
  const isWhole = head !== undefined && head.entries === entries && head.hash === check.hash;
  return { valid: isWhole && headSeal(organizationId, head, hmac) === head.seal, entries };
};
