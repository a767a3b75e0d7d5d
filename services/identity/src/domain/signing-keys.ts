/**
 * Which signing keys there should be. Two at all times: the current one signs, the next is published long before it signs, so
 * that no verifier meets a key it has not seen. A retired one stays published until the last token it signed has ended; a withdrawn one is
 * published no more, and stays known, so that nothing brings it back.
 */
export interface KeyState {
  readonly id: string;
  readonly status: 'next' | 'current' | 'retired' | 'withdrawn';
  /** Since when it is published. */
  readonly createdAt: Date;
  readonly activatedAt: Date | null;
  readonly retiredAt: Date | null;
}

export interface KeyPlan {
  readonly retire?: string;
  readonly withdraw?: readonly string[];
  /** The key that becomes the current one. */
  readonly activate?: string;
  /** The operator's key, which is to be the next one. */
  readonly publish?: string;
  readonly create: readonly ('current' | 'next')[];
  readonly forget: readonly string[];
}

const publishedAfterMs = 3600_000;

/** Verifiers keep the published keys for five minutes; twice that, and none of them can have missed one. */
export const knownAfterMinutes = 10;

const isKnown = ({ createdAt }: KeyState, now: Date): boolean => now.getTime() - createdAt.getTime() >= knownAfterMinutes * 60_000;

/**
 * `setId` names the key that the operator set, which is current for as long as it is set. It is published in the place of the next one before it
 * signs, so that no verifier meets it unseen.
 * Once it is withdrawn, it is as if none was set.
 */
export const planKeys = (keys: readonly KeyState[], now: Date, rotationMs: number, setId?: string): KeyPlan => {
  const { current, next } = placesOf(keys);
  const givenId = keys.some(({ id, status }) => id === setId && status === 'withdrawn') ? undefined : setId;
  const forget = overdue(keys, now, givenId);
  const createNext = next === undefined ? (['next'] as const) : [];

  if (givenId !== undefined && current?.id !== givenId) {
    const given = keys.find((key) => key.id === givenId);
    if (current === undefined) return { activate: givenId, create: next?.id === givenId ? ['next'] : createNext, forget };
    if (given === undefined) return { publish: givenId, create: [], forget: next === undefined ? forget : [...forget, next.id] };
    if (!isKnown(given, now)) return { create: createNext, forget };
    return { retire: current.id, activate: givenId, create: next?.id === givenId ? ['next'] : createNext, forget };
  }
  if (current === undefined)
    return next === undefined ? { create: ['current', 'next'], forget } : { activate: next.id, create: ['next'], forget };
  const isDue = current.activatedAt !== null && now.getTime() - current.activatedAt.getTime() >= rotationMs;
  if (givenId !== undefined || !isDue || next === undefined || !isKnown(next, now)) return { create: createNext, forget };
  return { retire: current.id, activate: next.id, create: ['next'], forget };
};

/** To the next key now. Undefined where that is not `nextId` any more: somebody has rotated since it was looked at. */
export const planRotation = (keys: readonly KeyState[], now: Date, nextId: string): KeyPlan | undefined => {
  const { current, next } = placesOf(keys);
  if (next?.id !== nextId) return undefined;
  return { ...(current === undefined ? {} : { retire: current.id }), activate: nextId, create: ['next'], forget: overdue(keys, now) };
};

/** These are published no more, and sign nothing. Undefined where one of them is not there, or was withdrawn before. */
export const planWithdrawal = (keys: readonly KeyState[], now: Date, ids: readonly string[]): KeyPlan | undefined => {
  const isWithdrawn = (key: KeyState | undefined) => key !== undefined && ids.includes(key.id);
  if (!ids.every((id) => keys.some((key) => key.id === id && key.status !== 'withdrawn'))) return undefined;
  const { current, next } = placesOf(keys);
  const forget = overdue(keys, now).filter((id) => !ids.includes(id));
  const nextOne = isWithdrawn(next) ? undefined : next;
  if (current !== undefined && !isWithdrawn(current)) return { withdraw: ids, create: nextOne === undefined ? ['next'] : [], forget };
  if (nextOne === undefined) return { withdraw: ids, create: ['current', 'next'], forget };
  return { withdraw: ids, activate: nextOne.id, create: ['next'], forget };
};

const placesOf = (keys: readonly KeyState[]) => ({
  current: keys.find((key) => key.status === 'current'),
  next: keys.find((key) => key.status === 'next'),
});

const overdue = (keys: readonly KeyState[], now: Date, givenId?: string): string[] =>
  keys
    .filter(({ status }) => status !== 'withdrawn')
    .filter(({ id, retiredAt }) => retiredAt !== null && now.getTime() - retiredAt.getTime() > publishedAfterMs && id !== givenId)
    .map(({ id }) => id);
