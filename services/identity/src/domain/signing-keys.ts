/**
 * Which signing keys there should be. Two at all times: the current one signs, the next is published long before it signs, so
 * that no verifier meets a key it has not seen. A retired one stays published until the last token it signed has ended.
 */
export interface KeyState {
  readonly id: string;
  readonly status: 'next' | 'current' | 'retired';
  readonly activatedAt: Date | null;
  readonly retiredAt: Date | null;
}

export interface KeyPlan {
  readonly retire?: string;
  /** An existing key that becomes the current one. */
  readonly activate?: string;
  readonly create: readonly ('current' | 'next')[];
  readonly forget: readonly string[];
}

const publishedAfterMs = 3600_000;

/** `givenId` names the key that the operator set, which is current for as long as it is set. */
export const planKeys = (keys: readonly KeyState[], now: Date, rotationMs: number, givenId?: string): KeyPlan => {
  const current = keys.find((key) => key.status === 'current');
  const next = keys.find((key) => key.status === 'next');
  const isOver = (key: KeyState) => key.retiredAt !== null && now.getTime() - key.retiredAt.getTime() > publishedAfterMs;
  const forget = keys.filter((key) => isOver(key) && key.id !== givenId).map((key) => key.id);
  const createNext = next === undefined ? (['next'] as const) : [];

  if (givenId !== undefined) {
    if (current?.id === givenId) return { create: createNext, forget };
    return { ...(current === undefined ? {} : { retire: current.id }), activate: givenId, create: createNext, forget };
  }
  if (current === undefined)
    return next === undefined ? { create: ['current', 'next'], forget } : { activate: next.id, create: ['next'], forget };
  const isDue = current.activatedAt !== null && now.getTime() - current.activatedAt.getTime() >= rotationMs;
  if (!isDue || next === undefined) return { create: createNext, forget };
  return { retire: current.id, activate: next.id, create: ['next'], forget };
};
